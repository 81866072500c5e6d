//! Every rule, broken once: the verdict names the byte, the field and the rule.

use bytes::Bytes;
use kconform_schema::primitives::Writer;
use kconform_schema::{Direction, Oddity, decode, notes, passes, walk};

const METADATA: i16 = 3;
const FETCH: i16 = 1;
const API_VERSIONS: i16 = 18;
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;

/// Spaced hexadecimal to bytes.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

#[track_caller]
fn breaks(key: i16, version: i16, body: &str, verdict: &str) {
    let body = hex(body);
    let breach = walk(key, version, Direction::Response, &body).unwrap_err();
    assert_eq!(breach.to_string(), verdict);
    assert_eq!(
        decode(key, version, Direction::Response, &Bytes::from(body.clone())).unwrap_err(),
        breach
    );
    assert_ne!(passes(key, version, Direction::Response, &body), Some(true));
}

#[track_caller]
fn passes_with(key: i16, version: i16, body: &str, noted: &[&str]) {
    let body = hex(body);
    assert_eq!(walk(key, version, Direction::Response, &body), Ok(()));
    let notes = notes(key, version, Direction::Response, &body);
    assert_eq!(notes.iter().map(ToString::to_string).collect::<Vec<_>>(), noted);
}

#[test]
fn a_sound_answer_passes() {
    // throttle, broker 1 at "h":9092, cluster id null, controller 1, topic "t" with partition 0, authorized operations.
    passes_with(
        METADATA,
        9,
        "00000000 02 00000001 0268 00002384 00 00 00 00000001 \
         02 0000 0274 00 02 0000 00000000 00000001 00000000 02 00000001 02 00000001 01 00 80000000 00 80000000 00",
        &[],
    );
}

#[test]
fn a_body_that_ends_early() {
    breaks(
        METADATA,
        1,
        "00000001 00000001 0001 68 0000",
        "at byte 11, brokers[0].port: needs 4 bytes, 2 left",
    );
    breaks(METADATA, 1, "", "at byte 0, brokers: needs 4 bytes, 0 left");
}

#[test]
fn bytes_after_the_last_field() {
    breaks(API_VERSIONS, 0, "0000 00000000 00", "at byte 6: 1 byte after the last field");
}

#[test]
fn null_where_none_may_be() {
    breaks(
        METADATA,
        1,
        "00000001 00000001 ffff",
        "at byte 8, brokers[0].host: null where this version allows none",
    );
    breaks(
        API_VERSIONS,
        0,
        "0000 ffffffff",
        "at byte 2, api_keys: null where this version allows none",
    );
    breaks(API_VERSIONS, 3, "0000 00", "at byte 2, api_keys: null where this version allows none");
}

#[test]
fn lengths_that_cannot_be() {
    breaks(
        METADATA,
        1,
        "00000001 00000001 fffe",
        "at byte 8, brokers[0].host: length -2 is below -1",
    );
    breaks(
        METADATA,
        1,
        "00000001 00000001 0005 6868 0000",
        "at byte 8, brokers[0].host: length 5 with 4 bytes left",
    );
    breaks(
        API_VERSIONS,
        0,
        "0000 7fffffff",
        "at byte 2, api_keys: 2147483647 elements cannot stand in the 0 bytes left",
    );
    breaks(API_VERSIONS, 0, "0000 80000000", "at byte 2, api_keys: length -2147483648 is below -1");
    breaks(
        API_VERSIONS,
        0,
        "0000 00000002 0000",
        "at byte 8, api_keys[0].min_version: needs 2 bytes, 0 left",
    );
    breaks(
        API_VERSIONS,
        0,
        "0000 00000003 0000",
        "at byte 2, api_keys: 3 elements cannot stand in the 2 bytes left",
    );
}

#[test]
fn a_string_that_is_not_utf8() {
    breaks(
        METADATA,
        1,
        "00000001 00000001 0002 c328 00002384",
        "at byte 10, brokers[0].host: string is not UTF-8",
    );
}

#[test]
fn a_bool_of_two() {
    breaks(
        METADATA,
        1,
        "00000000 00000001 00000001 0000 0001 74 02 00000000",
        "at byte 17, topics[0].is_internal: bool is 2, neither 0 nor 1",
    );
}

#[test]
fn a_nullable_struct_behind_another_byte() {
    let start = "00000000 0000 00 00 00000001 00001388";
    passes_with(CONSUMER_GROUP_HEARTBEAT, 0, &format!("{start} ff 00"), &[]);
    passes_with(CONSUMER_GROUP_HEARTBEAT, 0, &format!("{start} 01 01 00 00"), &[]);
    breaks(
        CONSUMER_GROUP_HEARTBEAT,
        0,
        &format!("{start} 00 00"),
        "at byte 16, assignment: byte before a nullable struct is 0, neither -1 nor 1",
    );
}

#[test]
fn varints_beyond_their_width() {
    breaks(
        API_VERSIONS,
        3,
        "0000 ffffffff1f",
        "at byte 2, api_keys: varint does not fit its 5 bytes",
    );
    breaks(
        API_VERSIONS,
        3,
        "0000 808080808000",
        "at byte 2, api_keys: varint does not fit its 5 bytes",
    );
    passes_with(
        API_VERSIONS,
        3,
        "0000 8100 00000000 00",
        &["at byte 2, api_keys: varint is longer than its value needs"],
    );
}

#[test]
fn tags_out_of_order_twice_or_of_the_wrong_size() {
    let start = "0000 01 00000000";
    passes_with(
        API_VERSIONS,
        3,
        &format!("{start} 02 0101 0000000000000000 0301 01").replace("0101 00", "0108 00"),
        &[],
    );
    breaks(
        API_VERSIONS,
        3,
        &format!("{start} 02 0301 01 0108 0000000000000000"),
        "at byte 11: tag 1 after tag 3",
    );
    breaks(
        API_VERSIONS,
        3,
        &format!("{start} 02 0301 01 0301 01"),
        "at byte 11: tag 3 a second time",
    );
    breaks(
        API_VERSIONS,
        3,
        &format!("{start} 01 0107 00000000000000"),
        "at byte 10, finalized_features_epoch: needs 8 bytes, 7 left",
    );
    breaks(
        API_VERSIONS,
        3,
        &format!("{start} 01 0109 000000000000000000"),
        "at byte 8, finalized_features_epoch: tag 1 has size 9 and a value of 8 bytes",
    );
    breaks(API_VERSIONS, 3, &format!("{start} 01 0109 00"), "at byte 9: length 9 with 1 byte left");
}

#[test]
fn a_tag_of_a_later_version_is_a_breach_and_an_unknown_one_a_note() {
    // node_endpoints, tag 0 of the Fetch response, exists from version 16 on.
    breaks(
        FETCH,
        15,
        "00000000 0000 00000000 01 01 0001 01",
        "at byte 12: tag 0 does not exist in this version",
    );
    passes_with(
        API_VERSIONS,
        3,
        "0000 01 00000000 01 0902 abcd",
        &["at byte 8: unknown tag 9 of 2 bytes"],
    );
}

#[test]
fn a_tag_sent_at_its_default_is_noted() {
    passes_with(
        API_VERSIONS,
        3,
        "0000 01 00000000 01 0301 00",
        &["at byte 8, zk_migration_ready: tag 3 is sent with its default"],
    );
}

#[test]
fn records_are_not_looked_into() {
    let mut body = Writer::new();
    body.put_i32(0).put_array_len(1).put_string("t").put_array_len(1);
    body.put_i32(0).put_i16(0).put_i64(0).put_i64(0).put_array_len(0).put_bytes(b"no batch at all");
    assert_eq!(walk(FETCH, 4, Direction::Response, body.as_slice()), Ok(()));
}

#[test]
fn what_the_tables_lack() {
    breaks(FETCH, 99, "00", "at byte 0: API key 1 version 99 is not in the tables");
    breaks(-1, 0, "", "at byte 0: API key -1 version 0 is not in the tables");
    breaks(FETCH, i16::MIN, "", "at byte 0: API key 1 version -32768 is not in the tables");
    assert_eq!(passes(FETCH, 99, Direction::Response, &[]), None);
}

#[test]
fn a_note_says_what_kind_it_is() {
    let body = hex("0000 01 00000000 01 0902 abcd");
    let notes = notes(API_VERSIONS, 3, Direction::Response, &body);
    assert_eq!(notes[0].oddity, Oddity::UnknownTag { tag: 9, size: 2 });
    assert_eq!((notes[0].offset, notes[0].path.as_str()), (8, ""));
}
