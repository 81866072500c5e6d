//! From one version to another: what is added, what goes, and what may not be lost in silence.

use bytes::Bytes;
use kconform_schema::Direction::{Request, Response};
use kconform_schema::{Loss, Struct, Value, cross, decode, default_value, encode};
use proptest::prelude::*;

use crate::random;

const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const LIST_OFFSETS: i16 = 2;
const METADATA: i16 = 3;
const OFFSET_COMMIT: i16 = 8;
const JOIN_GROUP: i16 = 11;
const API_VERSIONS: i16 = 18;
const ADD_PARTITIONS_TO_TXN: i16 = 24;
const TXN_OFFSET_COMMIT: i16 = 28;
const DESCRIBE_CONFIGS: i16 = 32;

fn with(
    key: i16,
    version: i16,
    direction: kconform_schema::Direction,
    fields: &[(&str, Value)],
) -> Value {
    let mut value = default_value(key, version, direction).unwrap();
    for (path, field) in fields {
        value.set(path, field.clone()).unwrap();
    }
    value
}

#[test]
fn what_crosses_fits_the_other_version() {
    random::check_all(
        4,
        random::every_message(),
        random::message,
        |api, direction, from, value| {
            for to in api.message(direction).versions.iter() {
                let crossed = cross(api.key(), direction, &value, from, to, &["*"]);
                let crossed =
                    crossed.map_err(|lost| TestCaseError::fail(format!("to {to}: {lost}")))?;
                let bytes = encode(api.key(), to, direction, &crossed);
                let bytes =
                    bytes.map_err(|error| TestCaseError::fail(format!("to {to}: {error}")))?;
                prop_assert_eq!(decode(api.key(), to, direction, &Bytes::from(bytes)), Ok(crossed));
            }
            prop_assert_eq!(cross(api.key(), direction, &value, from, from, &[]), Ok(value));
            Ok(())
        },
    );
}

#[test]
fn without_leave_nothing_is_lost_on_the_way_there_and_back() {
    random::check_all(
        4,
        random::every_message(),
        random::message,
        |api, direction, from, value| {
            for to in api.message(direction).versions.iter() {
                if let Ok(crossed) = cross(api.key(), direction, &value, from, to, &[]) {
                    let back = cross(api.key(), direction, &crossed, to, from, &[]);
                    prop_assert_eq!(back.as_ref(), Ok(&value), "to {} and back", to);
                }
            }
            Ok(())
        },
    );
}

#[test]
fn added_fields_stand_at_their_default() {
    let old =
        with(JOIN_GROUP, 0, Request, &[("group_id", "g".into()), ("session_timeout_ms", 9.into())]);
    let new = cross(JOIN_GROUP, Request, &old, 0, 9, &[]).unwrap();
    assert_eq!(new.at("group_id").unwrap().as_str(), Some("g"));
    assert_eq!(new.at("rebalance_timeout_ms").unwrap().as_int(), Some(-1));
    assert!(new.at("group_instance_id").unwrap().is_null());
}

#[test]
fn a_lost_value_is_an_error_unless_it_is_named_or_the_default() {
    let new = with(JOIN_GROUP, 1, Request, &[("rebalance_timeout_ms", 5.into())]);
    let lost = cross(JOIN_GROUP, Request, &new, 1, 0, &[]).unwrap_err();
    assert_eq!(lost.to_string(), "rebalance_timeout_ms: 5 would be lost");
    let old = cross(JOIN_GROUP, Request, &new, 1, 0, &["rebalance_timeout_ms"]).unwrap();
    assert_eq!(old, default_value(JOIN_GROUP, 0, Request).unwrap());
    assert!(
        cross(JOIN_GROUP, Request, &default_value(JOIN_GROUP, 1, Request).unwrap(), 1, 0, &[])
            .is_ok()
    );
}

#[test]
fn a_lost_value_deep_inside_is_named_with_its_path() {
    let topic = Struct::new().with("name", "t").with("topic_id", [7; 16]);
    let new = with(METADATA, 12, Response, &[("topics", vec![topic].into())]);
    let lost = cross(METADATA, Response, &new, 12, 9, &[]).unwrap_err();
    assert_eq!(lost.to_string(), "topics[0].topic_id: BwcHBwcHBwcHBwcHBwcHBw would be lost");
    for name in ["topic_id", "topics.topic_id", "*"] {
        let old = cross(METADATA, Response, &new, 12, 9, &[name]).unwrap();
        assert!(old.at("topics[0].topic_id").is_err());
        assert_eq!(old.at("topics[0].name").unwrap().as_str(), Some("t"));
    }
    assert!(cross(METADATA, Response, &new, 12, 9, &["brokers.topic_id"]).is_err());
}

#[test]
fn the_topics_id_and_name_of_offset_commit_replace_each_other() {
    let topic = Struct::new().with("topic_id", [1; 16]);
    let new = with(OFFSET_COMMIT, 10, Request, &[("topics", vec![topic].into())]);
    assert_eq!(
        cross(OFFSET_COMMIT, Request, &new, 10, 9, &[]).unwrap_err().path,
        "topics[0].topic_id"
    );
    let topic = Struct::new().with("name", "t");
    let old = with(OFFSET_COMMIT, 9, Request, &[("topics", vec![topic].into())]);
    assert_eq!(cross(OFFSET_COMMIT, Request, &old, 9, 10, &[]).unwrap_err().path, "topics[0].name");
}

#[test]
fn renamed_fields_keep_their_value_down_to_the_oldest_version() {
    for (key, field, newest, oldest) in [
        (OFFSET_COMMIT, "generation_id_or_member_epoch", 9, 1),
        (OFFSET_COMMIT, "generation_id_or_member_epoch", 10, 2),
        (TXN_OFFSET_COMMIT, "generation_id_or_member_epoch", 6, 3),
    ] {
        let new = with(key, newest, Request, &[(field, 17.into())]);
        let old = cross(key, Request, &new, newest, oldest, &[]).unwrap();
        assert_eq!(old.at(field).unwrap().as_int(), Some(17));
        assert_eq!(cross(key, Request, &old, oldest, newest, &[]).unwrap(), new);
    }
    // PartitionResponses of 2.8 became Partitions: one name for all versions.
    let partition = Struct::new().with("partition_index", 3).with("high_watermark", 9i64);
    let topic = Struct::new().with("topic", "t").with("partitions", vec![partition]);
    let new = with(FETCH, 11, Response, &[("responses", vec![topic].into())]);
    let old = cross(FETCH, Response, &new, 11, 0, &[]).unwrap();
    assert_eq!(old.at("responses[0].partitions[0].high_watermark").unwrap().as_int(), Some(9));
}

#[test]
fn moved_fields_are_a_loss_and_not_a_guess() {
    let old =
        with(ADD_PARTITIONS_TO_TXN, 3, Request, &[("v3_and_below_transactional_id", "x".into())]);
    let lost = cross(ADD_PARTITIONS_TO_TXN, Request, &old, 3, 4, &[]).unwrap_err();
    assert_eq!(lost.path, "v3_and_below_transactional_id");

    let partition = Struct::new().with("old_style_offsets", vec![5i64]);
    let topic = Struct::new().with("name", "t").with("partitions", vec![partition]);
    let old = with(LIST_OFFSETS, 0, Response, &[("topics", vec![topic].into())]);
    let lost = cross(LIST_OFFSETS, Response, &old, 0, 1, &[]).unwrap_err();
    assert_eq!(lost.to_string(), "topics[0].partitions[0].old_style_offsets: [5] would be lost");

    let config = Struct::new().with("name", "c").with("is_default", true);
    let result = Struct::new().with("configs", vec![config]);
    let old = with(DESCRIBE_CONFIGS, 0, Response, &[("results", vec![result].into())]);
    assert_eq!(
        cross(DESCRIBE_CONFIGS, Response, &old, 0, 1, &[]).unwrap_err().path,
        "results[0].configs[0].is_default"
    );
}

#[test]
fn a_fetch_without_a_replica_id_says_minus_one_and_not_follower_zero() {
    let new = default_value(FETCH, 15, Request).unwrap();
    let old = cross(FETCH, Request, &new, 15, 3, &[]).unwrap();
    assert_eq!(old.at("replica_id").unwrap().as_int(), Some(-1));
    let follower = with(FETCH, 15, Request, &[("replica_state.replica_id", 2.into())]);
    assert_eq!(cross(FETCH, Request, &follower, 15, 3, &[]).unwrap_err().path, "replica_state");
}

#[test]
fn null_crosses_only_where_the_other_version_has_it() {
    // Null asks for every topic from version 1 on; version 0 says that with an empty array.
    let every = with(METADATA, 1, Request, &[("topics", Value::Null)]);
    let lost = cross(METADATA, Request, &every, 1, 0, &[]).unwrap_err();
    assert_eq!((lost.path.as_str(), lost.why), ("topics", Loss::Null));
    let old = cross(METADATA, Request, &every, 1, 0, &["topics"]).unwrap();
    assert_eq!(old.at("topics").unwrap().as_array(), Some(&[][..]));
}

#[test]
fn unknown_tags_cross_between_flexible_versions_alone() {
    let tagged = Value::from(
        Struct::new()
            .with("error_code", 0)
            .with("api_keys", Vec::<Value>::new())
            .with_unknown(9, vec![1]),
    );
    let crossed = cross(API_VERSIONS, Response, &tagged, 3, 4, &[]).unwrap();
    assert_eq!(crossed.as_struct().unwrap().unknown().len(), 1);
    let lost = cross(API_VERSIONS, Response, &tagged, 3, 2, &[]).unwrap_err();
    assert_eq!(lost.to_string(), "tag 9 would be lost");
    assert!(cross(API_VERSIONS, Response, &tagged, 3, 2, &["*"]).is_ok());
}

#[test]
fn versions_that_the_tables_lack_are_refused() {
    let value = default_value(PRODUCE, 3, Request).unwrap();
    assert_eq!(cross(PRODUCE, Request, &value, 3, 99, &[]).unwrap_err().why, Loss::NoTable);
    assert_eq!(cross(PRODUCE, Request, &value, 99, 3, &[]).unwrap_err().why, Loss::NoTable);
    assert_eq!(cross(999, Request, &value, 0, 0, &[]).unwrap_err().why, Loss::NoTable);
    let wrong = Value::from(Struct::new().with("nonsense", 1));
    assert_eq!(cross(PRODUCE, Request, &wrong, 3, 4, &[]).unwrap_err().why, Loss::NotOfVersion);
}
