//! Produce (0), version 3 on, from an idempotent producer (KIP-98): what is appended, what is known to be there already,
//! and what is refused.
//!
//! A duplicate is told by producer id, epoch and sequence numbers, among the last five batches of its producer on the
//! partition. What a partition knows of producers at all, and for how long, is in `producer_state`.

use bytes::{Bytes, BytesMut};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::{Marker, Message, MessageSet};

use super::writer::Writer;
use crate::producer::{PRODUCED, expect_base_offset};

scenarios![
    batches_in_sequence_are_appended,
    a_duplicate_keeps_its_offset,
    a_duplicate_older_than_five_batches_is_refused,
    a_gap_is_refused,
    an_overlap_is_refused,
    a_newer_epoch_begins_at_sequence_0,
    an_older_epoch_is_refused,
    sequence_numbers_go_on_at_0_after_the_largest,
    a_negative_sequence_is_refused,
    a_partition_takes_one_batch_of_the_newest_format,
    a_forged_marker_is_refused,
    partitions_count_for_themselves,
    a_duplicate_is_known_whatever_its_bytes,
    pipelined_batches_keep_their_order,
];

/// Batches of an idempotent producer whose sequence numbers go on without a gap from 0 are
/// appended, and each answer names the base offset that follows the records before.
#[scenario("IDEMP-001", api = Produce, versions = 3..)]
async fn batches_in_sequence_are_appended(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    for (values, sequence) in [(&["a"][..], 0), (&["b", "c"], 1), (&["d"], 3)] {
        let body = writer.send(cx, &writer.batch(cx, values, sequence)).await?.expect_ok()?;
        expect_base_offset(&body, sequence.into())?;
    }
    Ok(())
}

/// A batch sent again (same producer id and epoch, same first and last sequence number) is answered
/// with error 0 and the base_offset of the original as long as it is among the last 5 batches of
/// its producer on the partition; the log does not grow.
#[scenario("IDEMP-002", api = Produce, versions = 3.., vary = ["last", "fifth last"])]
async fn a_duplicate_keeps_its_offset(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 5).await?;
    let sequence = if cx.variant() == "last" { 4 } else { 0 };
    let body = writer.send(cx, &writer.batch(cx, &["single"], sequence)).await?.expect_ok()?;
    expect_base_offset(&body, sequence.into())?;
    cx.expect_next_offset(&writer.to, 5).await
}

/// A batch sent again that is older than the last 5 of its producer on the partition is refused
/// with OUT_OF_ORDER_SEQUENCE_NUMBER (45), and nothing is appended.
#[scenario("IDEMP-003", api = Produce, versions = 3..)]
async fn a_duplicate_older_than_five_batches_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 6).await?;
    let reply = writer.send(cx, &writer.batch(cx, &["single"], 0)).await?;
    writer.expect_refused(cx, &reply, OutOfOrderSequenceNumber, 6).await
}

/// A batch that leaves a gap in its producer's sequence (5 is due, 6 comes) is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45) and not appended; the one that is due is accepted afterwards.
#[scenario("IDEMP-005", api = Produce, versions = 3..)]
async fn a_gap_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 5).await?;
    let ahead = writer.send(cx, &writer.batch(cx, &["ahead"], 6)).await?;
    ahead.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    // The one that is due gets the offset that the other did not take.
    let due = writer.send(cx, &writer.batch(cx, &["due"], 5)).await?.expect_ok()?;
    expect_base_offset(&due, 5)
}

/// A batch that overlaps earlier ones without being an exact repetition of one (records 0 to 4 as
/// one batch after 0 to 2 and 3 to 4, or a part of a batch) is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45).
#[scenario("IDEMP-006", api = Produce, versions = 3.., vary = ["two as one", "a part"])]
async fn an_overlap_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    for (values, sequence) in [(&["a", "b", "c"][..], 0), (&["d", "e"], 3)] {
        writer.send(cx, &writer.batch(cx, values, sequence)).await?.ok()?;
    }
    let values: &[&str] =
        if cx.variant() == "a part" { &["a", "b"] } else { &["a", "b", "c", "d", "e"] };
    let reply = writer.send(cx, &writer.batch(cx, values, 0)).await?;
    writer.expect_refused(cx, &reply, OutOfOrderSequenceNumber, 5).await
}

/// A higher epoch must begin at sequence number 0, and may skip epochs; another number is refused
/// with OUT_OF_ORDER_SEQUENCE_NUMBER (45), and the old epoch stays the current one.
#[scenario("IDEMP-007", api = Produce, versions = 3..)]
async fn a_newer_epoch_begins_at_sequence_0(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 1).await?;
    let newer = |writer: &Writer, sequence| {
        cx.batch(&["newer"]).idempotent(writer.id, writer.epoch + 2, sequence)
    };
    let going_on = writer.send(cx, &newer(&writer, 1)).await?;
    going_on.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    let older = writer.send(cx, &writer.batch(cx, &["older"], 1)).await?.expect_ok()?;
    expect_base_offset(&older, 1)?;
    let beginning = writer.send(cx, &newer(&writer, 0)).await?.expect_ok()?;
    expect_base_offset(&beginning, 2)
}

/// A batch with an epoch lower than the last one seen of its producer on the partition is refused
/// with INVALID_PRODUCER_EPOCH (47), never with PRODUCER_FENCED (90), also when it is an exact
/// repetition of a batch of the old epoch.
#[scenario("IDEMP-008", api = Produce, versions = 3.., vary = ["next", "duplicate"])]
async fn an_older_epoch_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 1).await?;
    let newer = cx.batch(&["newer"]).idempotent(writer.id, writer.epoch + 1, 0);
    writer.send(cx, &newer).await?.ok()?;
    let sequence = if cx.variant() == "next" { 1 } else { 0 };
    let reply = writer.send(cx, &writer.batch(cx, &["single"], sequence)).await?;
    writer.expect_refused(cx, &reply, InvalidProducerEpoch, 2).await
}

/// After sequence number 2147483647 comes 0, between two batches and inside one.
#[scenario("IDEMP-009", api = Produce, versions = 3.., vary = ["between batches", "inside a batch"])]
async fn sequence_numbers_go_on_at_0_after_the_largest(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let (first, sequence, next): (&[&str], _, _) = match cx.variant() {
        "between batches" => (&["a"], i32::MAX, 0),
        _ => (&["a", "b", "c"], i32::MAX - 1, 1),
    };
    let body = writer.send(cx, &writer.batch(cx, first, sequence)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let body = writer.send(cx, &writer.batch(cx, &["next"], next)).await?.expect_ok()?;
    expect_base_offset(&body, if next == 0 { 1 } else { 3 })
}

/// A batch with a producer id and a negative base_sequence is refused with INVALID_RECORD (87), and
/// nothing is appended.
#[scenario("IDEMP-012", api = Produce, versions = 3..)]
async fn a_negative_sequence_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let reply = writer.send(cx, &writer.batch(cx, &["unnumbered"], -1)).await?;
    writer.expect_refused(cx, &reply, InvalidRecord, 0).await
}

/// In Produce v3 and later more than one batch for a partition, no batch at all, and message sets
/// of magic 0 or 1 are refused with INVALID_RECORD (87) for that partition.
#[scenario(
    "IDEMP-013", api = Produce, versions = 3..,
    vary = ["two batches", "no batch", "magic 0", "magic 1"],
)]
async fn a_partition_takes_one_batch_of_the_newest_format(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let old = |magic| MessageSet::new(magic).push(Message::new(magic, "old")).encode();
    let records = match cx.variant() {
        "two batches" => {
            let mut two = BytesMut::new();
            two.extend_from_slice(&writer.batch(cx, &["a"], 0).encode());
            two.extend_from_slice(&writer.batch(cx, &["b"], 1).encode());
            two.freeze()
        }
        "no batch" => Bytes::new(),
        "magic 0" => old(0),
        _ => old(1),
    };
    let reply = writer.leader.ask(cx.produce(&writer.to, records)?).await?;
    writer.expect_refused(cx, &reply, InvalidRecord, 0).await
}

/// A batch that a client marks as a control batch is refused with INVALID_RECORD (87).
#[scenario("IDEMP-014", api = Produce, versions = 3..)]
async fn a_forged_marker_is_refused(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let mut forged = Batch::end_marker(Marker::Commit, 0).with_timestamp(cx.wall_ms());
    // Transactional as well, it would be refused for that already: the request names no transactional id.
    forged.transactional = false;
    let forged = forged.idempotent(writer.id, writer.epoch, 0);
    let reply = writer.send(cx, &forged).await?;
    writer.expect_refused(cx, &reply, InvalidRecord, 0).await
}

/// The sequence numbers of a producer are counted for each partition by itself.
#[scenario("IDEMP-015", api = Produce, versions = 3..)]
async fn partitions_count_for_themselves(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 3).await?;
    let other = cx.partition().await?;
    let mut leader = cx.leader(&other).await?;
    let first = writer.batch(cx, &["first here"], 0).encode();
    let body = leader.ask(cx.produce(&other, first)?).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let body = writer.send(cx, &writer.batch(cx, &["fourth there"], 3)).await?.expect_ok()?;
    expect_base_offset(&body, 3)
}

/// A duplicate is told by producer id, epoch and sequence numbers and not by its bytes: a batch
/// sent again with another compression is answered with error 0 and the base_offset of the
/// original, and nothing is appended.
#[scenario("IDEMP-020", api = Produce, versions = 3..)]
async fn a_duplicate_is_known_whatever_its_bytes(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 3).await?;
    let again = writer.batch(cx, &["compressed now"], 1).with_codec(Codec::Gzip);
    let body = writer.send(cx, &again).await?.expect_ok()?;
    expect_base_offset(&body, 1)?;
    cx.expect_next_offset(&writer.to, 3).await
}

/// Five Produce requests of an idempotent producer that are sent on one connection without waiting
/// are answered in order, and all their batches stand in the log in order.
#[scenario("IDEMP-022", api = Produce, versions = 3..)]
async fn pipelined_batches_keep_their_order(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let mut sent = Vec::new();
    for sequence in 0..5 {
        let records = writer.batch(cx, &["pipelined"], sequence).encode();
        sent.push(writer.leader.tell(cx.produce(&writer.to, records)?).await?);
    }
    for (offset, sent) in (0..).zip(sent) {
        // Each answer must be the one to the request whose turn it is, by its correlation id.
        let body = writer.leader.answer(sent).await?.expect_ok()?;
        expect_base_offset(&body, offset)?;
    }
    cx.expect_next_offset(&writer.to, 5).await
}
