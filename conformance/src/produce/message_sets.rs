//! Produce (0) of message sets, which versions 0 to 2 carry. Brokers from 4.0 on do not serve these
//! versions (KIP-896).
//!
//! One valid set of each version is in `acks`, a damaged one in `batches`, compression in `codecs`.
//! Reading a log in the old formats is Fetch's.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use records::{Message, MessageSet};

use super::answers::{BASE_OFFSET, encoded, expect_refused, values};

scenarios![
    the_magic_is_not_tied_to_the_version,
    an_empty_set_is_answered_without_an_offset,
    a_set_becomes_one_batch,
    inner_offsets_of_a_compressed_set_are_counted_anew,
    a_set_over_the_limit_is_refused,
    a_set_compressed_with_zstd_is_refused,
    a_message_of_an_unknown_magic_is_refused,
];

/// In versions 0 to 2 a partition takes a set of several messages, which follow one another in the
/// log; magic 0, magic 1 and even a batch of magic 2 are taken whatever the version. An empty set is
/// answered with error 0 and base_offset -1.
#[scenario(
    "PRODUCE-071", api = Produce, versions = 0..=2, needs = [Before(4, 0)],
    vary = ["magic 0", "magic 1", "magic 2"],
)]
async fn the_magic_is_not_tied_to_the_version(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let sent = ["a", "b", "c"];
    let records = match cx.variant() {
        "magic 0" => MessageSet::of(0, sent).encode(),
        "magic 1" => MessageSet::of(1, sent).encode(),
        _ => Batch::of(sent).with_timestamp(cx.wall_ms()).encode(),
    };
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    let stored = values(&cx.read_log(&to, 1).await?);
    require(stored == sent, "the three messages", || format!("{stored:?}"))
}

/// In versions 0 to 2 a partition takes a set of several messages, which follow one another in the
/// log; magic 0, magic 1 and even a batch of magic 2 are taken whatever the version. An empty set is
/// answered with error 0 and base_offset -1.
#[scenario("PRODUCE-071", api = Produce, versions = 0..=2, needs = [Before(4, 0)])]
async fn an_empty_set_is_answered_without_an_offset(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, Bytes::new())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, -1)?;
    cx.expect_next_offset(&to, 0).await
}

/// A set of messages of magic 0 or 1 is read in Fetch version 4 and later as one batch of magic 2:
/// offsets counted on, producer id -1, the timestamps as sent in magic 1 and -1 from magic 0.
#[scenario(
    "PRODUCE-072", api = Produce, versions = 0..=2, needs = [Before(4, 0)],
    vary = ["magic 0", "magic 1"],
)]
async fn a_set_becomes_one_batch(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let magic = if cx.variant() == "magic 0" { 0 } else { 1 };
    let now = cx.wall_ms();
    let timed = |value, timestamp| Message { timestamp, ..Message::new(magic, value) };
    let set = MessageSet::new(magic).push(timed("a", now)).push(timed("b", now - 5));
    leader.ask(cx.produce(&to, set.encode())?).await?.expect_ok()?;

    let stored = cx.read_log(&to, 1).await?;
    let batches: Vec<_> =
        stored.batches().map(|batch| (batch.magic, batch.base_offset, batch.producer_id)).collect();
    require(batches == [(2, 1, -1)], "one batch of magic 2 at offset 1, producer -1", || {
        format!("{batches:?}")
    })?;
    let records: Vec<_> =
        stored.records().map(|record| (record.offset, record.timestamp)).collect();
    let times = if magic == 0 { [-1, -1] } else { [now, now - 5] };
    let sent = [(1, times[0]), (2, times[1])];
    require(records == sent, &format!("offsets and times {sent:?}"), || format!("{records:?}"))
}

/// The offsets inside a compressed set do not matter: also where all of them are 0, the messages are
/// counted and get an offset each, and the next write follows the last.
#[scenario(
    "PRODUCE-087", api = Produce, versions = 0..=2, needs = [Before(4, 0)],
    vary = ["counted", "all 0"],
)]
async fn inner_offsets_of_a_compressed_set_are_counted_anew(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let magic = if cx.version() < 2 { 0 } else { 1 };
    let mut set = MessageSet::of(magic, ["a", "b", "c"]).with_codec(Codec::Lz4);
    if cx.variant() == "all 0" {
        set.messages.iter_mut().for_each(|message| message.offset = 0);
    }
    let reply = leader.ask(cx.produce(&to, set.encode())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    cx.expect_next_offset(&to, 4).await?;
    let stored = values(&cx.read_log(&to, 1).await?);
    require(stored == ["a", "b", "c", "next"], "the messages in order", || format!("{stored:?}"))
}

/// A message that is larger than max.message.bytes is refused with MESSAGE_TOO_LARGE (10) in
/// versions 0 to 2 too, and nothing of its set is appended.
#[scenario("PRODUCE-088", api = Produce, versions = 0..=2, needs = [Before(4, 0)])]
async fn a_set_over_the_limit_is_refused(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("max.message.bytes", 1_000);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let large = [records::Record::of("small"), records::Record::of("x".repeat(1_000))];
    let reply = leader.ask(cx.produce(&to, encoded(cx, Codec::None, &large))?).await?;
    expect_refused(cx, reply, MessageTooLarge, &to, 0).await
}

/// A message set that is compressed with zstd is refused with INVALID_RECORD (87), and nothing is
/// appended: the old formats have no zstd.
#[scenario("PRODUCE-089", api = Produce, versions = 0..=2, needs = [Before(4, 0)])]
async fn a_set_compressed_with_zstd_is_refused(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let set = encoded(cx, Codec::Zstd, &[records::Record::of("too new")]);
    let reply = leader.ask(cx.produce(&to, set)?).await?;
    expect_refused(cx, reply, InvalidRecord, &to, 0).await
}

/// A message of a magic outside 0 to 2 is refused with CORRUPT_MESSAGE (2) in versions 0 to 2 too, and
/// nothing is appended.
#[scenario(
    "PRODUCE-091", api = Produce, versions = 0..=2, needs = [Before(4, 0)],
    vary = ["magic 3", "magic -1"],
)]
async fn a_message_of_an_unknown_magic_is_refused(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let magic = if cx.variant() == "magic 3" { 3 } else { -1 };
    let strange = Message { magic, timestamp: cx.wall_ms(), ..Message::new(1, "strange") };
    let reply = leader.ask(cx.produce(&to, strange.encode())?).await?;
    expect_refused(cx, reply, CorruptMessage, &to, 0).await
}
