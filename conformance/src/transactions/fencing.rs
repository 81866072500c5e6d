//! Two instances of one transactional id: the second one's InitProducerId shuts the first one out, on every API.

use kafka_protocol::messages::{AddOffsetsToTxnRequest, GroupId, TransactionalId};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use crate::producer::{PRODUCED, Producer, decision, fenced, second_protocol, stable_at};

scenarios![
    a_producer_left_behind_writes_nowhere,
    a_producer_left_behind_ends_nothing,
    a_fenced_producer_cannot_write,
    a_fenced_producer_cannot_add_partitions,
    a_fenced_producer_cannot_add_offsets,
    a_fenced_producer_cannot_end_a_transaction,
    the_open_transaction_of_a_fenced_producer_is_aborted,
];

/// After an open transaction was aborted so (INITPID-012), the old epoch is refused with
/// INVALID_PRODUCER_EPOCH (47) on Produce, in every version and also on partitions that it never
/// wrote to, and with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1) on the
/// requests to the coordinator, EndTxn v5 included; its records stay invisible to consumers of
/// committed data.
#[scenario(
    "INITPID-014", api = Produce, versions = 3..,
    vary = ["a partition it wrote", "another partition"],
)]
async fn a_producer_left_behind_writes_nowhere(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (first, wrote) = left_behind(cx).await?;
    let (to, sequence, end) = match cx.variant() {
        "another partition" => (cx.partition().await?, 0, 0),
        _ => (wrote.clone(), 1, 2),
    };
    let mut leader = cx.leader(&to).await?;
    let zombie = first.produce(cx, &to, &first.batch(cx, &["zombie"], sequence))?;
    leader.ask(zombie).await?.expect_error_at(PRODUCED, InvalidProducerEpoch)?;
    cx.expect_next_offset(&to, end).await?;
    let visible: &[&str] = if to == wrote { &["next"] } else { &[] };
    read_committed(cx, &wrote).await?.expect(visible)
}

/// After an open transaction was aborted so (INITPID-012), the old epoch is refused with
/// INVALID_PRODUCER_EPOCH (47) on Produce, in every version and also on partitions that it never
/// wrote to, and with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1) on the
/// requests to the coordinator, EndTxn v5 included; its records stay invisible to consumers of
/// committed data.
#[scenario("INITPID-014", api = EndTxn, vary = ["commit", "abort"])]
async fn a_producer_left_behind_ends_nothing(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (mut first, wrote) = left_behind(cx).await?;
    let zombie = first.end_txn(decision(cx)?);
    first.coordinator.ask(zombie).await?.expect_error(fenced(cx, 2))?;
    read_committed(cx, &wrote).await?.expect(&[])
}

/// When a second producer calls InitProducerId with the transactional id of a first one, the first
/// one's Produce is refused with INVALID_PRODUCER_EPOCH (47), and its AddPartitionsToTxn,
/// AddOffsetsToTxn and EndTxn with PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH
/// (47).
#[scenario("FENCE-001", api = Produce, versions = 3..)]
async fn a_fenced_producer_cannot_write(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let to = cx.partition().await?;
    let first = Producer::new(cx).await?;
    // The zombie must not get in by the transaction of its successor.
    first.successor(cx).await?.add(cx, &[&to]).await?;
    let mut leader = cx.leader(&to).await?;
    let zombie = first.produce(cx, &to, &first.batch(cx, &["zombie"], 0))?;
    leader.ask(zombie).await?.expect_error_at(PRODUCED, InvalidProducerEpoch)?;
    cx.expect_next_offset(&to, 0).await
}

/// When a second producer calls InitProducerId with the transactional id of a first one, the first
/// one's Produce is refused with INVALID_PRODUCER_EPOCH (47), and its AddPartitionsToTxn,
/// AddOffsetsToTxn and EndTxn with PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH
/// (47).
#[scenario("FENCE-001", api = AddPartitionsToTxn, versions = 0..=3)]
async fn a_fenced_producer_cannot_add_partitions(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut first = Producer::new(cx).await?;
    first.successor(cx).await?.add(cx, &[&to]).await?;
    let zombie = first.add_partitions(&[&to]);
    first.coordinator.ask(zombie).await?.expect_error(fenced(cx, 2))
}

/// When a second producer calls InitProducerId with the transactional id of a first one, the first
/// one's Produce is refused with INVALID_PRODUCER_EPOCH (47), and its AddPartitionsToTxn,
/// AddOffsetsToTxn and EndTxn with PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH
/// (47).
#[scenario("FENCE-001", api = AddOffsetsToTxn)]
async fn a_fenced_producer_cannot_add_offsets(cx: &mut Cx) -> Outcome {
    let mut first = Producer::new(cx).await?;
    first.successor(cx).await?;
    let zombie = AddOffsetsToTxnRequest::default()
        .with_transactional_id(TransactionalId(text(&first.txn_id)))
        .with_producer_id(first.id.into())
        .with_producer_epoch(first.epoch)
        .with_group_id(GroupId(text(cx.group())));
    first.coordinator.ask(zombie).await?.expect_error(fenced(cx, 2))
}

/// When a second producer calls InitProducerId with the transactional id of a first one, the first
/// one's Produce is refused with INVALID_PRODUCER_EPOCH (47), and its AddPartitionsToTxn,
/// AddOffsetsToTxn and EndTxn with PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH
/// (47).
#[scenario("FENCE-001", api = EndTxn, vary = ["commit", "abort"])]
async fn a_fenced_producer_cannot_end_a_transaction(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let to = cx.partition().await?;
    let mut first = Producer::new(cx).await?;
    let mut second = first.successor(cx).await?;
    second.write(cx, &to, &["successor"], 0).await?;
    let zombie = first.end_txn(decision(cx)?);
    first.coordinator.ask(zombie).await?.expect_error(fenced(cx, 2))?;
    // The successor's transaction is still its own to commit.
    second.end(cx, Marker::Commit).await?;
    stable_at(cx, &to, 2).await?;
    read_committed(cx, &to).await?.expect(&["successor"])
}

/// When a second producer calls InitProducerId with the transactional id of a first one that has an
/// open transaction, that transaction is aborted, and a Fetch of committed data lists it in
/// aborted_transactions.
#[scenario("FENCE-002", api = InitProducerId)]
async fn the_open_transaction_of_a_fenced_producer_is_aborted(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut first = Producer::new(cx).await?;
    first.write(cx, &log, &["half done"], 0).await?;
    let mut second = cx.txn_coordinator(&first.txn_id).await?;
    let request = init_producer_id(Some(&first.txn_id));
    cx.settle(&mut second, &request, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;

    stable_at(cx, &log, 2).await?;
    let got = read_committed(cx, &log).await?;
    got.expect(&[])?;
    require(
        got.aborted == [(first.id, 0)],
        &format!("producer id {} aborted from offset 0 on", first.id),
        || format!("{:?}", got.aborted),
    )
}

/// A producer whose open transaction was aborted by its successor, and the partition that it wrote to: its record at
/// offset 0, the marker at offset 1.
async fn left_behind(cx: &Cx) -> Result<(Producer, Partition), Failure> {
    let log = cx.partition().await?;
    let mut first = Producer::new(cx).await?;
    first.write(cx, &log, &["left open"], 0).await?;
    first.successor(cx).await?;
    stable_at(cx, &log, 2).await?;
    Ok((first, log))
}
