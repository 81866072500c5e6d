//! Fetch (1): records converted for clients of before record batches (versions 0 to 3, removed in
//! 4.0 by KIP-896), and zstd for clients that do not know it (KIP-110).
//!
//! Versions 0 and 1 get magic 0, versions 2 and 3 magic 1. Not covered: topics whose records were
//! stored in an old format, which 3.0 and later no longer make.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::{Entry, Record};

use super::answers::{ERROR, RECORDS, contents, expect_offsets, result, values};
use super::limits::limited;

scenarios![
    batches_are_converted_to_messages,
    what_is_left_over_by_a_conversion_is_padding,
    a_topic_without_conversion_refuses_old_consumers,
    zstd_of_the_topic_is_refused_for_old_consumers,
    zstd_of_the_producer_is_returned_as_it_is,
    old_consumers_get_nothing_of_a_batch_over_their_limit,
];

/// For versions 0 to 3 the batches of the log are converted to messages, of magic 0 in versions 0
/// and 1 and of magic 1 in versions 2 and 3: one for each record, with a right CRC and without
/// headers. Where that is smaller than what is stored, the rest of records is padding: an
/// incomplete message at the end (offset -1, a size past the end, zero bytes).
#[scenario("FETCH-061", api = Fetch, versions = ..=3)]
async fn batches_are_converted_to_messages(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.append(&from, with_headers(cx, "h")).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    let read = contents(&body, &from)?;
    let magic = if cx.version() < 2 { 0 } else { 1 };
    let all_old = read
        .entries
        .iter()
        .all(|entry| matches!(entry, Entry::Message(message, _) if message.magic == magic));
    body.require(all_old, format!("messages of magic {magic}"), || format!("{read:?}"))?;
    let got = values(&read);
    let sent = [(0, "a".to_owned()), (1, "b".to_owned())];
    body.require(got == sent, format!("the records {sent:?}"), || format!("{got:?}"))
}

/// For versions 0 to 3 the batches of the log are converted to messages, of magic 0 in versions 0
/// and 1 and of magic 1 in versions 2 and 3: one for each record, with a right CRC and without
/// headers. Where that is smaller than what is stored, the rest of records is padding: an
/// incomplete message at the end (offset -1, a size past the end, zero bytes).
#[scenario("FETCH-061", api = Fetch, versions = ..=3)]
async fn what_is_left_over_by_a_conversion_is_padding(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let stored = with_headers(cx, &"h".repeat(500));
    let size = stored.len();
    cx.append(&from, stored).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    let bytes = result(&body, &from)?.records.clone().unwrap_or_default();
    body.require(bytes.len() == size, format!("{size} bytes, as many as are stored"), || {
        bytes.len().to_string()
    })?;
    let read = contents(&body, &from)?;
    let rest = bytes.slice(bytes.len() - read.partial..);
    let (offset, rest) = rest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    body.require(*offset == [0xff; 8], "an incomplete message of offset -1", || {
        format!("{offset:?}")
    })?;
    let (length, rest) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    let claimed = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    body.require(claimed > rest.len(), "a size past the end", || claimed.to_string())?;
    body.require(rest.iter().all(|byte| *byte == 0), "zero bytes", || format!("{rest:?}"))
}

/// With message.downconversion.enable=false on the topic, versions 0 to 3 get UNSUPPORTED_VERSION
/// (35) on each partition, high_watermark -1 and null records.
#[scenario("FETCH-062", api = Fetch, versions = ..=3)]
async fn a_topic_without_conversion_refuses_old_consumers(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("message.downconversion.enable", false);
    let from = cx.topic_with(spec).await?.partition(0);
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(cx.fetch(&from, 0)?).await?;
    reply.expect_error_at(ERROR, UnsupportedVersion)?;
    let body = reply.expect_answer()?;
    body.expect_number("responses[0].partitions[0].high_watermark", -1)?;
    let records = body.at(RECORDS)?;
    body.require(records == Value::Null, "null records", || records.to_string())
}

/// A topic with compression.type=zstd is refused for versions 4 to 9 with
/// UNSUPPORTED_COMPRESSION_TYPE (76) by 2.1 to 3.9; from 4.0 on the batch is returned in zstd. A
/// zstd batch of a producer, on a topic that keeps the producer's codec, is returned unchanged by
/// all.
#[scenario("FETCH-063", api = Fetch, versions = 4..=9)]
async fn zstd_of_the_topic_is_refused_for_old_consumers(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("compression.type", "zstd");
    let from = cx.topic_with(spec).await?.partition(0);
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(cx.fetch(&from, 0)?).await?;
    // KIP-896 took out the conversion of records, and this check with it.
    if !cx.since(4, 0) {
        return reply.expect_error_at(ERROR, UnsupportedCompressionType);
    }
    let body = reply.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    let read = contents(&body, &from)?;
    let zstd = read.batches().all(|batch| batch.codec == Codec::Zstd);
    body.require(zstd, "a batch of zstd", || format!("{read:?}"))
}

/// A topic with compression.type=zstd is refused for versions 4 to 9 with
/// UNSUPPORTED_COMPRESSION_TYPE (76) by 2.1 to 3.9; from 4.0 on the batch is returned in zstd. A
/// zstd batch of a producer, on a topic that keeps the producer's codec, is returned unchanged by
/// all.
#[scenario("FETCH-063", api = Fetch, versions = 4..=9)]
async fn zstd_of_the_producer_is_returned_as_it_is(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let batch = Batch::of(["a"]).with_timestamp(cx.wall_ms()).with_codec(Codec::Zstd);
    cx.append(&from, batch.encode()).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    let read = contents(&body, &from)?;
    let zstd = read.batches().all(|batch| batch.codec == Codec::Zstd);
    body.require(zstd, "a batch of zstd", || format!("{read:?}"))
}

/// When the first batch is larger than partition_max_bytes, versions 0 to 2 get records of no bytes
/// with error 0; version 3 gets the whole batch.
#[scenario("FETCH-064", api = Fetch, versions = ..=3)]
async fn old_consumers_get_nothing_of_a_batch_over_their_limit(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &[&"a".repeat(1_000)]).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(limited(cx.fetch(&from, 0)?, 100)).await?.expect_ok()?;
    if cx.version() == 3 {
        return expect_offsets(&body, &from, &[0]);
    }
    let records = body.at(RECORDS)?;
    let none = records.as_bytes().is_some_and(|bytes| bytes.is_empty());
    body.require(none, "records of no bytes", || records.to_string())
}

/// A batch of the records a and b, each with a header.
fn with_headers(cx: &Cx, header: &str) -> bytes::Bytes {
    let batch = Batch::new().with_timestamp(cx.wall_ms());
    ["a", "b"]
        .into_iter()
        .fold(batch, |batch, value| {
            batch.push(Record::of(value).with_header("key", header.to_owned()))
        })
        .encode()
}
