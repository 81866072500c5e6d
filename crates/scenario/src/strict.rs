//! The rules above the byte layer that every answer must keep: error codes that exist, -1 never, and one result for
//! each item that was asked for.

use std::collections::BTreeMap;

use bytes::Bytes;
use kconform_wire::schema::{self, Direction, Value};

use crate::keys;

/// What was found in an answer.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Broken rules: each fails the case.
    pub broken: Vec<String>,
    /// Worth a line in the record.
    pub notes: Vec<String>,
}

/// An array of items, and the fields that name an item.
type Named = (&'static str, &'static [&'static str]);
/// An inner array of partitions, and the field that names one.
type Partitions = (&'static str, &'static str);

/// Which answer items belong to which request items: paths without indices, outer array, inner array.
struct Items {
    key: i16,
    /// Outer array and the fields that name an item, in the request.
    asked: Named,
    /// The same in the answer.
    answered: Named,
    /// Inner arrays, where results are per partition.
    inner: Option<(Partitions, Partitions)>,
    /// Versions for which this holds.
    versions: (i16, i16),
}

const fn items(
    key: i16,
    versions: (i16, i16),
    asked: Named,
    answered: Named,
    inner: Option<(Partitions, Partitions)>,
) -> Items {
    Items { key, asked, answered, inner, versions }
}

/// Kept by hand: the definitions do not say which result answers which item. Absent on purpose: Fetch (sessions leave
/// partitions out), Metadata (null means all), OffsetFetch (null means all), and whatever answers at the top only.
const TABLE: &[Items] = &[
    items(
        keys::Produce,
        (0, 12),
        ("topic_data", &["name"]),
        ("responses", &["name"]),
        Some((("partition_data", "index"), ("partition_responses", "index"))),
    ),
    items(
        keys::Produce,
        (13, i16::MAX),
        ("topic_data", &["topic_id"]),
        ("responses", &["topic_id"]),
        Some((("partition_data", "index"), ("partition_responses", "index"))),
    ),
    items(
        keys::ListOffsets,
        (0, i16::MAX),
        ("topics", &["name"]),
        ("topics", &["name"]),
        Some((("partitions", "partition_index"), ("partitions", "partition_index"))),
    ),
    items(
        keys::OffsetForLeaderEpoch,
        (0, i16::MAX),
        ("topics", &["topic"]),
        ("topics", &["topic"]),
        Some((("partitions", "partition"), ("partitions", "partition"))),
    ),
    items(
        keys::OffsetCommit,
        (0, 9),
        ("topics", &["name"]),
        ("topics", &["name"]),
        Some((("partitions", "partition_index"), ("partitions", "partition_index"))),
    ),
    items(
        keys::TxnOffsetCommit,
        (0, i16::MAX),
        ("topics", &["name"]),
        ("topics", &["name"]),
        Some((("partitions", "partition_index"), ("partitions", "partition_index"))),
    ),
    items(
        keys::DeleteRecords,
        (0, i16::MAX),
        ("topics", &["name"]),
        ("topics", &["name"]),
        Some((("partitions", "partition_index"), ("partitions", "partition_index"))),
    ),
    items(keys::CreateTopics, (0, i16::MAX), ("topics", &["name"]), ("topics", &["name"]), None),
    items(
        keys::CreatePartitions,
        (0, i16::MAX),
        ("topics", &["name"]),
        ("results", &["name"]),
        None,
    ),
    items(
        keys::DescribeConfigs,
        (0, i16::MAX),
        ("resources", &["resource_type", "resource_name"]),
        ("results", &["resource_type", "resource_name"]),
        None,
    ),
    items(
        keys::AlterConfigs,
        (0, i16::MAX),
        ("resources", &["resource_type", "resource_name"]),
        ("responses", &["resource_type", "resource_name"]),
        None,
    ),
    items(
        keys::IncrementalAlterConfigs,
        (0, i16::MAX),
        ("resources", &["resource_type", "resource_name"]),
        ("responses", &["resource_type", "resource_name"]),
        None,
    ),
];

/// Checks an answer against the request that it belongs to; an empty request (sent raw) leaves the items unchecked.
pub(crate) fn check(key: i16, layout: i16, body: &Bytes, version: i16, request: &Bytes) -> Found {
    let mut found = Found::default();
    let Ok(answer) = schema::decode(key, layout, Direction::Response, body) else { return found };
    codes(&answer, "", &mut found);
    let rule = TABLE
        .iter()
        .find(|rule| rule.key == key && (rule.versions.0..=rule.versions.1).contains(&version));
    if let Some(rule) = rule
        && layout == version
        && !request.is_empty()
        && let Ok(request) = schema::decode(key, version, Direction::Request, request)
    {
        // A top-level error answers for all items.
        let refused = matches!(answer.at("error_code"), Ok(Value::Int(code)) if *code != 0);
        if !refused {
            one_result_each(rule, &request, &answer, &mut found);
        }
    }
    found
}

fn codes(value: &Value, name: &str, found: &mut Found) {
    match value {
        Value::Int(-1) if name == "error_code" => {
            found.broken.push(
                "error_code = UNKNOWN_SERVER_ERROR (-1), which is always a finding".to_owned(),
            );
        }
        Value::Int(code) if name == "error_code" => {
            let known = i16::try_from(*code).ok().and_then(schema::errors::name);
            if known.is_none() {
                found.notes.push(format!("error code {code} is not in our table"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| codes(item, name, found)),
        Value::Struct(fields) => {
            fields.fields().for_each(|(name, field)| codes(field, name, found))
        }
        _ => {}
    }
}

fn one_result_each(rule: &Items, request: &Value, answer: &Value, found: &mut Found) {
    let inner = rule.inner.unzip();
    let asked = named(request, rule.asked, inner.0);
    let answered = named(answer, rule.answered, inner.1);
    for (item, times) in &asked {
        let got = answered.get(item).copied().unwrap_or(0);
        // An item that was asked for twice may be answered once or twice.
        if got == 0 || got > *times {
            found
                .broken
                .push(format!("{got} results for {item}, which was asked for {times} time(s)"));
        }
    }
    for item in answered.keys().filter(|item| !asked.contains_key(*item)) {
        found.broken.push(format!("a result for {item}, which was not asked for"));
    }
}

/// Names of the items under a value, with how often each occurs.
fn named(
    value: &Value,
    (outer, fields): (&str, &[&str]),
    inner: Option<(&str, &str)>,
) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let array = |value: &Value, path: &str| match value.at(path) {
        Ok(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    let text = |item: &Value, field: &str| {
        item.at(field).map_or_else(|_| String::new(), ToString::to_string)
    };
    for item in array(value, outer) {
        let name = fields.iter().map(|field| text(&item, field)).collect::<Vec<_>>().join(" ");
        match inner {
            None => *names.entry(name).or_insert(0) += 1,
            Some((list, field)) => {
                for partition in array(&item, list) {
                    *names.entry(format!("{name}-{}", text(&partition, field))).or_insert(0) += 1;
                }
            }
        }
    }
    names
}
