//! Produce (0): what a topic's configuration limits: size, keys and time.
//!
//! Version 8 (KIP-467) names the records at fault. Batches larger than a segment, and recompression
//! past the limit, are in `sizes`.

use kafka_protocol::messages::ProduceResponse;
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use records::Record;

use super::answers::{BASE_OFFSET, encoded, expect_refused, result};

scenarios![
    a_batch_over_the_limit_is_refused,
    a_batch_within_the_limit_is_accepted,
    a_record_without_a_key_is_refused_by_a_compacted_topic,
    an_empty_key_is_accepted_by_a_compacted_topic,
    a_time_outside_the_window_is_refused,
];

/// A batch of more bytes (12 + its length field, compressed as sent) than max.message.bytes is
/// refused with MESSAGE_TOO_LARGE (10); one of exactly as many is accepted.
#[scenario("PRODUCE-028", api = Produce, versions = 3..)]
async fn a_batch_over_the_limit_is_refused(cx: &mut Cx) -> Outcome {
    let records = cx.batch(&["one byte too many, in a batch that is not compressed"]).encode();
    let spec = TopicSpec::default().config("max.message.bytes", records.len() - 1);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, MessageTooLarge, &to, 0).await
}

/// A batch of more bytes (12 + its length field, compressed as sent) than max.message.bytes is
/// refused with MESSAGE_TOO_LARGE (10); one of exactly as many is accepted.
#[scenario("PRODUCE-028", api = Produce, versions = 3.., vary = ["plain", "gzip"])]
async fn a_batch_within_the_limit_is_accepted(cx: &mut Cx) -> Outcome {
    let (codec, value) = match cx.variant() {
        "plain" => (Codec::None, "exactly as many bytes".to_owned()),
        // Far over the limit before it is compressed.
        _ => (Codec::Gzip, "x".repeat(20_000)),
    };
    let records = encoded(cx, codec, &[Record::of(value)]);
    let spec = TopicSpec::default().config("max.message.bytes", records.len());
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    leader.ask(cx.produce(&to, records)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)
}

/// On a compacted topic (cleanup.policy includes compact) a batch with a record whose key is null
/// is refused as a whole with INVALID_RECORD (87); from version 8 on record_errors has one entry
/// for each such record, with its index in the batch and a message, and error_message is not null.
#[scenario("PRODUCE-037", api = Produce)]
async fn a_record_without_a_key_is_refused_by_a_compacted_topic(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("cleanup.policy", "compact");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let keyed = Record { key: Some("key".into()), ..Record::of("good") };
    let keyless = Record::of("bad");

    let batch = [keyed.clone(), keyless.clone(), keyed.clone(), keyless];
    let reply = leader.ask(cx.produce(&to, encoded(cx, Codec::None, &batch))?).await?;
    let body = refused_for(reply, InvalidRecord)?;
    if cx.version() >= 8 {
        names_bad_records(&body, &to)?;
    }
    let good = encoded(cx, Codec::None, &[keyed]);
    // The next offset is still 0, told by a record with a key.
    leader.ask(cx.produce(&to, good)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)
}

/// A key that is empty but not null is accepted on a compacted topic.
#[scenario("PRODUCE-038", api = Produce)]
async fn an_empty_key_is_accepted_by_a_compacted_topic(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("cleanup.policy", "compact");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let empty = Record { key: Some("".into()), ..Record::of("value") };

    let records = encoded(cx, Codec::None, &[empty]);
    leader.ask(cx.produce(&to, records)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let stored = cx.read_log(&to, 0).await?;
    let keys: Vec<_> = stored.records().map(|record| record.key.cloned()).collect();
    require(keys == [Some("".into())], "one record with an empty key", || format!("{keys:?}"))
}

/// On a topic with create time, a batch with a record outside [now -
/// message.timestamp.before.max.ms, now + message.timestamp.after.max.ms] is refused with
/// INVALID_TIMESTAMP (32); from version 8 on record_errors lists the index of every such record.
#[scenario(
    "PRODUCE-039", api = Produce, versions = 2..,
    vary = ["too early", "too late"],
    needs = [Since(3, 6)],
)]
async fn a_time_outside_the_window_is_refused(cx: &mut Cx) -> Outcome {
    const HOUR: i64 = 3_600_000;
    let spec = TopicSpec::default()
        .config("message.timestamp.before.max.ms", HOUR)
        .config("message.timestamp.after.max.ms", HOUR);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let away = if cx.variant() == "too early" { -2 * HOUR } else { 2 * HOUR };
    let good = Record::of("good");
    let bad = Record { timestamp_delta: away, ..Record::of("bad") };

    let batch = [good.clone(), bad.clone(), good, bad];
    let reply = leader.ask(cx.produce(&to, encoded(cx, Codec::None, &batch))?).await?;
    let body = refused_for(reply, InvalidTimestamp)?;
    if cx.version() >= 8 {
        let indices = bad_records(&body, &to)?;
        body.require(indices == [1, 3], "record_errors for records 1 and 3", || {
            format!("{indices:?}")
        })?;
    }
    cx.expect_next_offset(&to, 0).await
}

/// The answer, which refuses the only partition with this code and base offset -1.
fn refused_for(
    reply: Reply<ProduceResponse>,
    code: ResponseError,
) -> Result<Body<ProduceResponse>, Failure> {
    reply.expect_error_at("responses[0].partition_responses[0].error_code", code)?;
    let body = reply.expect_answer()?;
    body.expect_number(BASE_OFFSET, -1)?;
    Ok(body)
}

/// Records 1 and 3 are named with a message each, and the partition has one too.
fn names_bad_records(body: &Body<ProduceResponse>, to: &Partition) -> Outcome {
    let indices = bad_records(body, to)?;
    body.require(indices == [1, 3], "record_errors for records 1 and 3", || {
        format!("{indices:?}")
    })?;
    let result = result(body, to)?;
    let silent = result.record_errors.iter().any(|error| error.batch_index_error_message.is_none());
    body.require(
        !silent && result.error_message.is_some(),
        "a message for each record and for the partition",
        || format!("{:?}", result),
    )
}

fn bad_records(body: &Body<ProduceResponse>, to: &Partition) -> Result<Vec<i32>, Failure> {
    let mut indices: Vec<i32> =
        result(body, to)?.record_errors.iter().map(|error| error.batch_index).collect();
    indices.sort_unstable();
    Ok(indices)
}
