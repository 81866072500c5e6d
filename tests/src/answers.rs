//! Honest answers.

use bytes::Bytes;
use kconform_schema::{self as schema, Direction, Struct, Value};

use crate::store::Store;

/// What the broker advertises: versions that name topics by name.
pub(crate) const ADVERTISED: &[(i16, i16, i16)] =
    &[(0, 3, 11), (1, 4, 12), (2, 1, 7), (3, 0, 12), (18, 0, 3), (19, 2, 7), (20, 1, 6)];

/// An answer of this API and version: its defaults with these fields set.
fn answer(key: i16, version: i16, fields: Vec<(&str, Value)>) -> Value {
    let mut value = schema::default_value(key, version, Direction::Response).unwrap();
    for (name, field) in fields {
        if value.at(name).is_ok() {
            value.set(name, field).unwrap();
        }
    }
    value
}

fn object(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Struct(
        fields.into_iter().fold(Struct::new(), |object, (name, value)| object.with(name, value)),
    )
}

fn list(value: &Value, path: &str) -> Vec<Value> {
    match value.at(path) {
        Ok(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    }
}

fn text(value: &Value, path: &str) -> String {
    match value.at(path) {
        Ok(Value::Str(text)) => text.clone(),
        _ => String::new(),
    }
}

fn number(value: &Value, path: &str) -> i64 {
    match value.at(path) {
        Ok(Value::Int(number)) => *number,
        _ => 0,
    }
}

/// The honest answer; `None` where none is due.
pub(crate) fn honest(
    store: &mut Store,
    port: u16,
    key: i16,
    version: i16,
    request: &Value,
) -> Option<Value> {
    Some(match key {
        0 => return produce(store, version, request),
        1 => fetch(store, version, request),
        2 => list_offsets(store, version, request),
        3 => metadata(store, port, version, request),
        18 => api_versions(version),
        19 => create_topics(store, version, request),
        _ => delete_topics(store, version, request),
    })
}

fn api_versions(version: i16) -> Value {
    let keys = ADVERTISED.iter().map(|(key, min, max)| {
        object(vec![
            ("api_key", Value::Int((*key).into())),
            ("min_version", Value::Int((*min).into())),
            ("max_version", Value::Int((*max).into())),
        ])
    });
    answer(18, version, vec![("api_keys", Value::Array(keys.collect()))])
}

/// An item of this array with these fields, as far as the version has them.
fn item(key: i16, version: i16, array: &str, fields: Vec<(&'static str, Value)>) -> Value {
    let mut item = schema::default_item(key, version, Direction::Response, array).unwrap();
    for (name, field) in fields {
        if item.at(name).is_ok() {
            item.set(name, field).unwrap();
        }
    }
    item
}

/// NONE, INVALID_TOPIC_EXCEPTION for what cannot be a name, or UNKNOWN_TOPIC_OR_PARTITION.
fn lookup(store: &Store, name: &str) -> i16 {
    let usable = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    match store.topics.contains_key(name) {
        true => 0,
        false if name.is_empty() || !name.chars().all(usable) => 17,
        false => 3,
    }
}

fn metadata(store: &Store, port: u16, version: i16, request: &Value) -> Value {
    let broker = item(
        3,
        version,
        "brokers",
        vec![
            ("node_id", Value::Int(1)),
            ("host", Value::Str("127.0.0.1".to_owned())),
            ("port", Value::Int(port.into())),
        ],
    );
    let asked = list(request, "topics");
    let all = matches!(request.at("topics"), Ok(Value::Null)) || (version == 0 && asked.is_empty());
    let names: Vec<String> = if all {
        store.topics.keys().cloned().collect()
    } else {
        asked.iter().map(|topic| text(topic, "name")).collect()
    };
    let topics = names.into_iter().map(|name| {
        let count = store.topics.get(&name).map_or(0, Vec::len);
        let partitions = (0..count).map(|index| {
            item(
                3,
                version,
                "topics.partitions",
                vec![
                    ("partition_index", Value::Int(i64::try_from(index).unwrap())),
                    ("leader_id", Value::Int(1)),
                    ("leader_epoch", Value::Int(0)),
                    ("replica_nodes", Value::Array(vec![Value::Int(1)])),
                    ("isr_nodes", Value::Array(vec![Value::Int(1)])),
                ],
            )
        });
        item(
            3,
            version,
            "topics",
            vec![
                ("error_code", Value::Int(lookup(store, &name).into())),
                ("partitions", Value::Array(partitions.collect())),
                ("name", Value::Str(name)),
            ],
        )
    });
    let topics = Value::Array(topics.collect());
    answer(
        3,
        version,
        vec![
            ("brokers", Value::Array(vec![broker])),
            ("cluster_id", Value::Str("scripted".to_owned())),
            ("controller_id", Value::Int(1)),
            ("topics", topics),
        ],
    )
}

fn create_topics(store: &mut Store, version: i16, request: &Value) -> Value {
    let results = list(request, "topics").into_iter().map(|topic| {
        let name = text(&topic, "name");
        let partitions = usize::try_from(number(&topic, "num_partitions").max(1)).unwrap();
        let exists = store.topics.contains_key(&name);
        if !exists {
            store
                .topics
                .insert(name.clone(), (0..partitions).map(|_| Default::default()).collect());
        }
        item(
            19,
            version,
            "topics",
            vec![
                ("name", Value::Str(name)),
                ("error_code", Value::Int(if exists { 36 } else { 0 })),
            ],
        )
    });
    let results = Value::Array(results.collect());
    answer(19, version, vec![("topics", results)])
}

fn delete_topics(store: &mut Store, version: i16, request: &Value) -> Value {
    let names: Vec<String> = if version >= 6 {
        list(request, "topics").iter().map(|topic| text(topic, "name")).collect()
    } else {
        let names = list(request, "topic_names");
        names
            .iter()
            .map(|name| if let Value::Str(name) = name { name.clone() } else { String::new() })
            .collect()
    };
    let results = names.into_iter().map(|name| {
        let gone = store.topics.remove(&name).is_some();
        item(
            20,
            version,
            "responses",
            vec![("name", Value::Str(name)), ("error_code", Value::Int(if gone { 0 } else { 3 }))],
        )
    });
    let results = Value::Array(results.collect());
    answer(20, version, vec![("responses", results)])
}

fn produce(store: &mut Store, version: i16, request: &Value) -> Option<Value> {
    let results = list(request, "topic_data").into_iter().map(|topic| {
        let name = text(&topic, "name");
        let partitions = list(&topic, "partition_data").into_iter().map(|partition| {
            let index = number(&partition, "index");
            let records = match partition.at("records") {
                Ok(Value::Bytes(records)) => records.clone(),
                _ => Bytes::new(),
            };
            let (code, base) = match store.partition(&name, index) {
                None => (3, -1),
                Some(log) => log.append(&records).map_or((2, -1), |base| (0, base)),
            };
            item(
                0,
                version,
                "responses.partition_responses",
                vec![
                    ("index", Value::Int(index)),
                    ("error_code", Value::Int(code)),
                    ("base_offset", Value::Int(base)),
                ],
            )
        });
        let partitions = Value::Array(partitions.collect());
        item(
            0,
            version,
            "responses",
            vec![("name", Value::Str(name)), ("partition_responses", partitions)],
        )
    });
    let results = Value::Array(results.collect());
    (number(request, "acks") != 0).then(|| answer(0, version, vec![("responses", results)]))
}

fn fetch(store: &mut Store, version: i16, request: &Value) -> Value {
    let results = list(request, "topics").into_iter().map(|topic| {
        let name = text(&topic, "topic");
        let partitions = list(&topic, "partitions").into_iter().map(|partition| {
            let index = number(&partition, "partition");
            let offset = number(&partition, "fetch_offset");
            // Versions before 3 have no limit for the whole.
            let most = match request.at("max_bytes") {
                Ok(Value::Int(most)) => number(&partition, "partition_max_bytes").min(*most),
                _ => number(&partition, "partition_max_bytes"),
            };
            let (code, end, records) = match store.partition(&name, index) {
                None => (3, -1, Vec::new()),
                Some(log) if !(0..=log.end).contains(&offset) => (1, -1, Vec::new()),
                Some(log) => (0, log.end, log.read(offset, most)),
            };
            item(
                1,
                version,
                "responses.partitions",
                vec![
                    ("partition_index", Value::Int(index)),
                    ("error_code", Value::Int(code)),
                    ("high_watermark", Value::Int(end)),
                    ("last_stable_offset", Value::Int(end)),
                    ("log_start_offset", Value::Int(0)),
                    ("aborted_transactions", Value::Null),
                    ("records", Value::Bytes(records.into())),
                ],
            )
        });
        let partitions = Value::Array(partitions.collect());
        item(1, version, "responses", vec![("topic", Value::Str(name)), ("partitions", partitions)])
    });
    let results = Value::Array(results.collect());
    answer(1, version, vec![("responses", results)])
}

fn list_offsets(store: &mut Store, version: i16, request: &Value) -> Value {
    let results = list(request, "topics").into_iter().map(|topic| {
        let name = text(&topic, "name");
        let partitions = list(&topic, "partitions").into_iter().map(|partition| {
            let index = number(&partition, "partition_index");
            let end = store.partition(&name, index).map(|log| log.end);
            let offset = if number(&partition, "timestamp") == -2 { Some(0) } else { end };
            item(
                2,
                version,
                "topics.partitions",
                vec![
                    ("partition_index", Value::Int(index)),
                    ("error_code", Value::Int(if end.is_some() { 0 } else { 3 })),
                    ("timestamp", Value::Int(-1)),
                    ("offset", Value::Int(offset.unwrap_or(-1))),
                    ("leader_epoch", Value::Int(0)),
                ],
            )
        });
        let partitions = Value::Array(partitions.collect());
        item(2, version, "topics", vec![("name", Value::Str(name)), ("partitions", partitions)])
    });
    let results = Value::Array(results.collect());
    answer(2, version, vec![("topics", results)])
}
