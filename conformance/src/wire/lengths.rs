//! Lengths inside a body: compact ones and their varints, counts that cannot be true, negative ones, long strings.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::by_hand::{
    self, IMPOSSIBLE_TOPIC, after_topics, ask, before_name, expect_no_topic, joined, number, padded,
};

scenarios![
    a_compact_length_of_one_is_empty,
    a_compact_length_of_zero_is_null,
    padded_varints_are_accepted,
    an_endless_varint_closes_the_connection,
    a_count_beyond_the_frame_closes_the_connection,
    any_negative_count_of_topics_is_null,
    any_negative_length_of_a_transactional_id_is_null,
    a_compact_string_of_32767_bytes_is_read,
    a_longer_compact_string_closes_the_connection,
];

/// Compact lengths are unsigned varint N+1 (0 = null, 1 = empty); non-minimal varint encodings of
/// up to 5 bytes are accepted.
#[scenario("WIRE-014", api = Metadata, versions = 9..)]
async fn a_compact_length_of_one_is_empty(cx: &mut Cx) -> Outcome {
    // There is at least one topic that must not be in the answer.
    cx.partition().await?;
    let reply = metadata(cx, &[&[1]]).await?.expect_ok()?;
    let topics = reply.at("topics")?;
    reply.require(topics == Value::Array(Vec::new()), "no topics", || topics.to_string())
}

/// Compact lengths are unsigned varint N+1 (0 = null, 1 = empty); non-minimal varint encodings of
/// up to 5 bytes are accepted.
#[scenario("WIRE-014", api = Metadata, versions = 9..)]
async fn a_compact_length_of_zero_is_null(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let reply = metadata(cx, &[&[0]]).await?;
    expect_every_topic(reply, &partition)
}

/// Compact lengths are unsigned varint N+1 (0 = null, 1 = empty); non-minimal varint encodings of
/// up to 5 bytes are accepted.
#[scenario("WIRE-014", api = Metadata, versions = 9.., vary = ["2", "3", "4", "5"])]
async fn padded_varints_are_accepted(cx: &mut Cx) -> Outcome {
    let width: usize = number(cx)?;
    let length = u32::try_from(IMPOSSIBLE_TOPIC.len() + 1).unwrap_or(0);
    let (count, length, no_tags) = (padded(2, width), padded(length, width), padded(0, width));
    let name = IMPOSSIBLE_TOPIC.as_bytes();
    let topics = joined(&[&count, before_name(cx.version()), &length, name, &no_tags]);
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version());
    let body = joined(&[&topics, after_topics(cx.version()), &no_tags]);
    expect_no_topic(&ask(&mut conn, &header, &no_tags, &body).await)
}

/// An unsigned varint longer than 5 bytes closes the connection.
#[scenario("WIRE-029", api = Metadata, versions = 9..,
    vary = ["array-count", "string-length", "tag-count", "header-tag-count"])]
async fn an_endless_varint_closes_the_connection(cx: &mut Cx) -> Outcome {
    let width = |place| if cx.variant() == place { 6 } else { 1 };
    let count = padded(2, width("array-count"));
    let length = u32::try_from(IMPOSSIBLE_TOPIC.len() + 1).unwrap_or(0);
    let length = padded(length, width("string-length"));
    let name = IMPOSSIBLE_TOPIC.as_bytes();
    let topics = joined(&[&count, before_name(cx.version()), &length, name, &[0]]);
    let body = joined(&[&topics, after_topics(cx.version()), &padded(0, width("tag-count"))]);
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version());
    let reply = ask(&mut conn, &header, &padded(0, width("header-tag-count")), &body).await;
    by_hand::expect_closed(cx, &reply).await
}

/// An array count larger than the remaining bytes could hold (1000000, 0x10000000, 0x7fffffff; as
/// int32 and compact) closes the connection within 3 s, and the broker stays up.
#[scenario("WIRE-027", api = Metadata, vary = ["1000000", "268435456", "2147483647"])]
async fn a_count_beyond_the_frame_closes_the_connection(cx: &mut Cx) -> Outcome {
    let count: u32 = number(cx)?;
    let body = if cx.version() >= 9 { padded(count + 1, 5) } else { count.to_be_bytes().to_vec() };
    let mut conn = cx.connect().await?;
    conn.patience(Duration::from_secs(3));
    let reply = conn.ask_bytes(keys::Metadata, cx.version(), body).await;
    by_hand::expect_closed(cx, &reply).await
}

/// Any negative length of a nullable string or array reads as null, not only -1.
#[scenario("WIRE-028", api = Metadata, versions = 1..=8, vary = ["-1", "-2", "-2147483648"])]
async fn any_negative_count_of_topics_is_null(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let count: i32 = number(cx)?;
    let reply = metadata(cx, &[&count.to_be_bytes()]).await?;
    expect_every_topic(reply, &partition)
}

/// Any negative length of a nullable string or array reads as null, not only -1.
#[scenario("WIRE-028", api = InitProducerId, versions = ..=1, vary = ["-1", "-2", "-32768"])]
async fn any_negative_length_of_a_transactional_id_is_null(cx: &mut Cx) -> Outcome {
    let length: i16 = number(cx)?;
    let mut conn = cx.connect().await?;
    // Without a transactional id every broker gives a producer id, once it has some itself.
    cx.producer_id(&mut conn, None).await?;
    let body = joined(&[&length.to_be_bytes(), &60_000_i32.to_be_bytes()]);
    let reply = conn.ask_bytes(keys::InitProducerId, cx.version(), body).await.expect_ok()?;
    let id = reply.at("producer_id")?;
    reply.require(id.as_int().is_some_and(|id| id >= 0), "a producer id", || id.to_string())
}

/// A compact string longer than 32767 bytes (32768, 70000) closes the connection, while one of
/// 32767 bytes is read and gets an ordinary answer (as a topic name in Metadata:
/// INVALID_TOPIC_EXCEPTION (17)).
#[scenario("WIRE-041", api = Metadata, versions = 9..)]
async fn a_compact_string_of_32767_bytes_is_read(cx: &mut Cx) -> Outcome {
    expect_no_topic(&metadata_about(cx, 32_767).await?)
}

/// A compact string longer than 32767 bytes (32768, 70000) closes the connection, while one of
/// 32767 bytes is read and gets an ordinary answer (as a topic name in Metadata:
/// INVALID_TOPIC_EXCEPTION (17)).
#[scenario("WIRE-041", api = Metadata, versions = 9.., vary = ["32768", "70000"])]
async fn a_longer_compact_string_closes_the_connection(cx: &mut Cx) -> Outcome {
    let reply = metadata_about(cx, number(cx)?).await?;
    by_hand::expect_closed(cx, &reply).await
}

/// Asks Metadata with this list of topics.
async fn metadata(cx: &Cx, topics: &[&[u8]]) -> Result<Reply<()>, Failure> {
    let no_tags: &[u8] = if cx.version() >= 9 { &[0] } else { &[] };
    let body = joined(&[&topics.concat(), after_topics(cx.version()), no_tags]);
    let mut conn = cx.connect().await?;
    Ok(conn.ask_bytes(keys::Metadata, cx.version(), body).await)
}

/// Asks Metadata about one topic whose name has this many bytes.
async fn metadata_about(cx: &Cx, bytes: u32) -> Result<Reply<()>, Failure> {
    let name = vec![b't'; usize::try_from(bytes).unwrap_or(0)];
    metadata(cx, &[&[2], before_name(cx.version()), &padded(bytes + 1, 3), &name, &[0]]).await
}

/// The answer is about all topics, the one of this partition among them.
fn expect_every_topic(reply: Reply<()>, partition: &Partition) -> Outcome {
    let reply = reply.expect_answer()?;
    let topics = reply.at("topics")?;
    let named = |topic: &Value| {
        topic.at("name").is_ok_and(|name| name.as_str() == Some(partition.topic.as_str()))
    };
    let topics = topics.as_array().unwrap_or_default();
    let expected = format!("all topics, {} among them", partition.topic);
    reply.require(topics.iter().any(named), expected, || format!("{} others", topics.len()))
}
