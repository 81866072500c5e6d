//! What producers and transactions are left with when the only broker was ended and started again.

use std::collections::BTreeSet;

use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::{COORDINATOR_ON_ITS_WAY, LEADER_ON_ITS_WAY, TRANSACTION_ON_ITS_WAY};

use super::known_producers::expect_identity;
use super::known_to_partitions::{describe, only};
use super::writer::Writer;
use crate::producer::{PRODUCED, Producer, expect_base_offset, fenced};
use crate::restarts::{End, restart};

scenarios![
    a_restart_keeps_producer_ids_apart,
    a_restart_leaves_the_last_batch_of_a_producer,
    a_restart_lets_no_fenced_producer_in,
];

/// A transactional id outlives its coordinator: when another broker takes over, or after a restart,
/// InitProducerId gives the same producer id and the next epoch.
#[scenario(
    "INITPID-019", also = ["INITPID-002"], api = InitProducerId,
    needs = [Shape("mortal-alone"), Restart], exclusive, slow,
)]
async fn a_restart_keeps_producer_ids_apart(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut first = Producer::new(cx).await?;
    let mut given = BTreeSet::from([first.id]);
    for _ in 0..3 {
        given.insert(cx.producer_id(&mut first.coordinator, None).await?.0);
    }
    restart(cx, End::Kill, &topic).await?;

    let mut conn = cx.txn_coordinator(&first.txn_id).await?;
    let request = init_producer_id(Some(&first.txn_id));
    let reply = cx.settle(&mut conn, &request, TRANSACTION_ON_ITS_WAY).await?;
    expect_identity(&reply.expect_ok()?, (first.id, first.epoch + 1))?;
    for _ in 0..3 {
        let reply = cx.settle(&mut conn, &init_producer_id(None), TRANSACTION_ON_ITS_WAY).await?;
        let body = reply.expect_ok()?;
        let fresh = body.producer_id.0 >= 0 && given.insert(body.producer_id.0);
        body.require(fresh, "a producer id that nobody got", || body.producer_id.0.to_string())?;
    }
    Ok(())
}

/// When the leader of a partition moves, the new leader still answers each of the last five batches
/// of a producer with error 0 and its original offset and the sixth last with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), refuses a gap with 45 and takes the next sequence number;
/// nothing is appended twice. After a restart of the only replica just the last batch of each
/// producer is known and older ones get 45, since the snapshot keeps one batch.
#[scenario(
    "IDEMP-016", api = DescribeProducers, needs = [Shape("mortal-alone"), Restart],
    exclusive, slow,
)]
async fn a_restart_leaves_the_last_batch_of_a_producer(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut writer = Writer::to(cx, topic.partition(0)).await?;
    writer.singles(cx, 3).await?;
    restart(cx, End::Stop, &topic).await?;

    writer.leader = cx.leader(&writer.to).await?;
    let question = describe(&writer.to);
    let reply = cx.settle(&mut writer.leader, &question, LEADER_ON_ITS_WAY).await?;
    let body = reply.expect_ok()?;
    let known = only(&body)?;
    let known = (known.producer_id.0, known.last_sequence);
    body.require(known == (writer.id, 2), "the producer with its last sequence number 2", || {
        format!("{known:?}")
    })?;
    let body = writer.send(cx, &writer.batch(cx, &["single"], 2)).await?.expect_ok()?;
    expect_base_offset(&body, 2)?;
    for refused in [0, 1, 4] {
        let reply = writer.send(cx, &writer.batch(cx, &["single"], refused)).await?;
        reply.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    }
    let body = writer.send(cx, &writer.batch(cx, &["next"], 3)).await?.expect_ok()?;
    expect_base_offset(&body, 3)
}

/// A producer that was fenced stays fenced when the coordinator of its transactional id is
/// restarted: AddPartitionsToTxn of its epoch is refused with PRODUCER_FENCED (90), in v0 and v1
/// with INVALID_PRODUCER_EPOCH (47), while that of its successor is served.
#[scenario(
    "FENCE-004", api = AddPartitionsToTxn, versions = 0..=3,
    needs = [Shape("mortal-alone"), Restart], exclusive, slow,
)]
async fn a_restart_lets_no_fenced_producer_in(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let to = topic.partition(0);
    let first = Producer::new(cx).await?;
    let second = first.successor(cx).await?;
    restart(cx, End::Kill, &topic).await?;

    let mut conn = cx.txn_coordinator(&first.txn_id).await?;
    let zombie = first.add_partitions(&[&to]);
    let reply = cx.settle(&mut conn, &zombie, COORDINATOR_ON_ITS_WAY).await?;
    reply.expect_error(fenced(cx, 2))?;
    let rightful = second.add_partitions(&[&to]);
    cx.settle(&mut conn, &rightful, TRANSACTION_ON_ITS_WAY).await?.expect_ok().map(drop)
}
