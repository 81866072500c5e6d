//! The markers that end a transaction, as they stand in the log.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::consumer::{committed, contents};
use crate::producer::{Producer, decision, second_protocol, stable_at};

scenarios![
    a_marker_takes_one_offset_and_says_how_the_transaction_ended,
    the_epoch_of_a_marker_follows_the_version_of_end_txn,
];

/// Each finished transaction leaves one control record in each of its partitions. It takes one
/// offset; its batch has the transactional and control bits and base_sequence -1; its key is int16
/// version 0 and int16 type (0 abort, 1 commit), its value int16 version and int32 coordinator
/// epoch.
#[scenario("TXNVIS-006", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn a_marker_takes_one_offset_and_says_how_the_transaction_ended(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["a", "b"], 0).await?;
    producer.end(cx, decision(cx)?).await?;
    stable_at(cx, &log, 3).await?;
    let mut leader = cx.leader(&log).await?;

    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    let contents = contents(&body)?;
    let marker = contents.batches().find(|batch| batch.base_offset == 2);
    let marker = marker.ok_or_else(|| Failure::failed("a batch at offset 2", "none"))?;
    let kind = marker.marker().map(|marker| marker.kind);
    body.require(kind == Some(decision(cx)?), format!("a marker of {}", cx.variant()), || {
        format!("{kind:?}")
    })?;
    let record = marker.records.first().and_then(|record| record.key.as_deref());
    let key = [0, 0, 0, u8::from(decision(cx)? == Marker::Commit)];
    body.require(record == Some(&key[..]), format!("key {key:?}"), || format!("{record:?}"))?;
    // Bits 4 and 5: transactional, control.
    let (attributes, sequence) = (marker.attributes(), marker.base_sequence);
    body.require(
        (attributes, sequence, marker.producer_id, marker.next_offset())
            == (0x30, -1, producer.id, 3),
        format!("attributes 0x30, base_sequence -1, producer id {}, one offset", producer.id),
        || format!("{marker:?}"),
    )
}

/// The epoch of a marker is the producer's epoch when the transaction was ended by EndTxn v0 to v4,
/// and one higher when it was ended by v5 (at transaction.version 1 and 2) or, in any version, by
/// the coordinator itself after fencing or a timeout.
#[scenario("TXNVIS-007", api = EndTxn, vary = ["commit", "abort"])]
async fn the_epoch_of_a_marker_follows_the_version_of_end_txn(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["a"], 0).await?;
    let end = producer.end_txn(decision(cx)?);
    producer.coordinator.ask(end).await?.expect_ok()?;
    stable_at(cx, &log, 2).await?;

    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(committed(cx, &log, 1)?).await?.ok()?;
    let contents = contents(&body)?;
    let marker = contents.batches().find(|batch| batch.control);
    let epoch = marker.map(|marker| marker.producer_epoch);
    let expected = producer.epoch + i16::from(cx.version() >= 5);
    body.require(epoch == Some(expected), format!("a marker of epoch {expected}"), || {
        format!("{epoch:?}")
    })
}
