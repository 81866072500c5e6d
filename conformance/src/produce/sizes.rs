//! Produce (0), version 3 on: batches that are too large, for the broker, for a segment, or once
//! the broker has compressed them otherwise.
//!
//! The limit of a topic is in `limits`. Not covered: `socket.request.max.bytes`, which the framing
//! rules are about.

use kconform_scenario::prelude::*;
use records::{Breakage, Record};

use super::answers::{encoded, expect_refused};

scenarios![
    the_size_is_looked_at_before_the_checksum,
    a_batch_larger_than_a_segment_is_refused,
    a_batch_that_grows_over_the_limit_is_refused,
    the_brokers_limit_holds_where_the_topic_has_none,
];

/// A batch that is too large and has a wrong CRC is refused with MESSAGE_TOO_LARGE (10): the size is
/// looked at first.
#[scenario("PRODUCE-029", api = Produce, versions = 3..)]
async fn the_size_is_looked_at_before_the_checksum(cx: &mut Cx) -> Outcome {
    let records = cx.batch(&["too large and damaged"]).encode_broken(&[Breakage::Crc(1)]);
    let spec = TopicSpec::default().config("max.message.bytes", records.len() - 1);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, MessageTooLarge, &to, 0).await
}

/// A batch that is larger than segment.bytes, though within max.message.bytes, is refused with
/// RECORD_LIST_TOO_LARGE (18), and nothing is appended.
#[scenario("PRODUCE-030", api = Produce, versions = 3..)]
async fn a_batch_larger_than_a_segment_is_refused(cx: &mut Cx) -> Outcome {
    // The least that segment.bytes may be from 4.1 on.
    const SEGMENT: usize = 1 << 20;
    let spec = TopicSpec::default()
        .config("segment.bytes", SEGMENT)
        .config("max.message.bytes", 2 * SEGMENT);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, of_size(cx, SEGMENT + 1)?)?).await?;
    expect_refused(cx, reply, RecordListTooLarge, &to, 0).await
}

/// Where the topic's compression.type is not the batch's codec, the batch as the broker compresses
/// it counts too: over max.message.bytes it is refused with MESSAGE_TOO_LARGE (10), and nothing is
/// appended.
#[scenario("PRODUCE-031", api = Produce, versions = 3..)]
async fn a_batch_that_grows_over_the_limit_is_refused(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default()
        .config("compression.type", "uncompressed")
        .config("max.message.bytes", 2_000);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let records = encoded(cx, Codec::Gzip, &[Record::of("x".repeat(5_000))]);
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, MessageTooLarge, &to, 0).await
}

/// Where a topic has no max.message.bytes of its own, the broker's message.max.bytes holds: a batch
/// of one byte more is refused with MESSAGE_TOO_LARGE (10), and nothing is appended.
#[scenario("PRODUCE-082", api = Produce, versions = 3.., needs = [Config("message.max.bytes")])]
async fn the_brokers_limit_holds_where_the_topic_has_none(cx: &mut Cx) -> Outcome {
    let limit = cx.facts().config_number("message.max.bytes");
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if limit > 10 << 20 {
        return Err(Failure::NotRun("a message.max.bytes of at most 10 MiB".to_owned()));
    }
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, of_size(cx, limit + 1)?)?).await?;
    expect_refused(cx, reply, MessageTooLarge, &to, 0).await
}

/// A batch of so many bytes.
fn of_size(cx: &Cx, bytes: usize) -> Result<bytes::Bytes, Failure> {
    let batch = Batch::of_size(bytes)
        .ok_or_else(|| Failure::error(format!("no batch has {bytes} bytes")))?;
    Ok(batch.with_timestamp(cx.wall_ms()).encode())
}
