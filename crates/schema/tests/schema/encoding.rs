//! What cannot be written is refused, with the field and the reason.

use bytes::Bytes;
use kconform_schema::Direction::{Request, Response};
use kconform_schema::{Struct, Unfit, Value, default_item, default_value, encode};

const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
const STREAMS_GROUP_HEARTBEAT: i16 = 88;

#[track_caller]
fn refused(key: i16, version: i16, value: impl Into<Value>, text: &str) {
    assert_eq!(encode(key, version, Request, &value.into()).unwrap_err().to_string(), text);
}

#[test]
fn fields_of_no_version_and_of_other_versions() {
    refused(METADATA, 1, Struct::new().with("topic", 1), "topic: no version has this field");
    let topic = Struct::new().with("topic_id", [0; 16]);
    let topics = Struct::new().with("topics", vec![topic]);
    refused(METADATA, 9, topics.clone(), "topics[0].topic_id: version 9 does not have this field");
    assert!(encode(METADATA, 10, Request, &topics.into()).is_ok());
}

#[test]
fn values_of_another_kind_or_width() {
    refused(METADATA, 1, Struct::new().with("topics", 1), "topics: int where array belongs");
    refused(
        METADATA,
        1,
        Struct::new().with("topics", vec![1]),
        "topics[0]: int where struct belongs",
    );
    refused(METADATA, 1, Value::Int(1), "int where struct belongs");
    let named = |name: Value| Struct::new().with("topics", vec![Struct::new().with("name", name)]);
    refused(METADATA, 1, named(Value::Null), "topics[0].name: null where this version allows none");
    refused(
        METADATA,
        1,
        named("x".repeat(32768).into()),
        "topics[0].name: length 32768 cannot be written",
    );
    assert!(encode(METADATA, 1, Request, &named("x".repeat(32767).into()).into()).is_ok());
    assert!(encode(METADATA, 9, Request, &named("x".repeat(32768).into()).into()).is_ok());
    let code = |code: i64| Value::from(Struct::new().with("error_code", code));
    let error = encode(API_VERSIONS, 0, Response, &code(32768)).unwrap_err();
    assert_eq!((error.path.as_str(), error.why), ("error_code", Unfit::Range { number: 32768 }));
    assert!(encode(API_VERSIONS, 0, Response, &code(-32768)).is_ok());
}

#[test]
fn versions_that_the_tables_lack() {
    refused(METADATA, 99, Struct::new(), "API key 3 version 99 is not in the tables");
    refused(-7, 0, Struct::new(), "API key -7 version 0 is not in the tables");
    assert!(
        default_value(METADATA, 99, Request).is_none() && default_value(-7, 0, Request).is_none()
    );
}

#[test]
fn tags_that_are_taken_or_have_no_place() {
    let unknown = Struct::new().with_unknown(5, vec![1]);
    refused(METADATA, 8, unknown.clone(), "tagged fields in a version without them");
    refused(METADATA, 9, unknown.with_unknown(5, vec![2]), "tag 5 is taken");
    let known = Value::from(Struct::new().with_unknown(1, Bytes::from_static(&[0; 8])));
    assert_eq!(
        encode(API_VERSIONS, 3, Response, &known).unwrap_err().why,
        Unfit::TagTaken { tag: 1 }
    );
}

#[test]
fn unknown_tags_are_written_in_order_between_the_known_ones() {
    let value = Struct::new()
        .with("finalized_features_epoch", 1)
        .with_unknown(9, vec![9])
        .with_unknown(5, vec![5]);
    let bytes = encode(API_VERSIONS, 3, Response, &value.into()).unwrap();
    let known = [1, 8, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(bytes, [&[0, 0, 1, 0, 0, 0, 0, 3][..], &known, &[5, 1, 5, 9, 1, 9]].concat());
}

#[test]
fn a_key_that_no_typed_library_has_is_built_from_what_matters() {
    let value = Struct::new()
        .with("group_id", "g")
        .with("member_id", "m")
        .with("rebalance_timeout_ms", 1_000);
    let bytes = encode(STREAMS_GROUP_HEARTBEAT, 0, Request, &value.into()).unwrap();
    let read =
        kconform_schema::decode(STREAMS_GROUP_HEARTBEAT, 0, Request, &Bytes::from(bytes)).unwrap();
    let mut whole = default_value(STREAMS_GROUP_HEARTBEAT, 0, Request).unwrap();
    whole.set("group_id", "g").unwrap();
    whole.set("member_id", "m").unwrap();
    whole.set("rebalance_timeout_ms", 1_000).unwrap();
    assert_eq!(read, whole);
}

#[test]
fn an_item_of_an_array_is_made_with_its_own_defaults() {
    let topic = default_item(METADATA, 12, Request, "topics").unwrap();
    assert_eq!(topic.to_string(), "{topic_id: AAAAAAAAAAAAAAAAAAAAAA, name: \"\"}");
    let partition = default_item(1, 12, Request, "topics.partitions").unwrap();
    assert_eq!(partition.at("last_fetched_epoch").unwrap(), &Value::Int(-1));
    assert!(partition.at("replica_directory_id").is_err(), "the field is younger");
    for (version, path) in [
        (12, "topic"),
        (12, "topics.name"),
        (12, ""),
        (99, "topics"),
        (12, "allow_auto_topic_creation"),
    ] {
        assert_eq!(
            default_item(METADATA, version, Request, path),
            None,
            "version {version} {path}"
        );
    }
}
