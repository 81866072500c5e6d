//! What survives when a coordinator moves to another broker (three brokers): transactional ids, open transactions,
//! decisions, offsets that wait for one. The move is an election of another replica of the internal topic, so these cases
//! run alone.

use kafka_protocol::messages::EndTxnResponse;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use super::decisions::completed;
use super::known_producers::expect_identity;
use super::leaders::{home, move_leader};
use super::offset_commits::becomes;
use super::offsets::Offsets;
use crate::groups::members::coordinator;
use crate::producer::{Producer, decision, last_stable, second_protocol, stable_at};

scenarios![
    a_transactional_id_outlives_its_coordinator,
    a_decision_outlives_the_coordinator,
    an_open_transaction_outlives_its_coordinator,
    pending_offsets_outlive_the_coordinator_of_the_group,
];

/// The topic of the transactional ids.
const TRANSACTIONS: &str = "__transaction_state";
/// The topic of the groups.
const OFFSETS: &str = "__consumer_offsets";
/// Longer than a loaded cluster was seen to need for markers after a coordinator moved.
const MARKERS_WITHIN: Duration = Duration::from_secs(20);

/// A transactional id outlives its coordinator: when another broker takes over, or after a restart,
/// InitProducerId gives the same producer id and the next epoch.
#[scenario(
    "INITPID-019", api = InitProducerId, needs = [ThreeBrokers, Disruption], exclusive, slow,
)]
async fn a_transactional_id_outlives_its_coordinator(cx: &mut Cx) -> Outcome {
    let first = Producer::new(cx).await?;
    move_leader(cx, &home(cx, TRANSACTIONS, &first.txn_id).await?).await?;
    let mut moved = cx.txn_coordinator(&first.txn_id).await?;
    let request = init_producer_id(Some(&first.txn_id));
    let reply = cx.settle(&mut moved, &request, TRANSACTION_ON_ITS_WAY).await?;
    expect_identity(&reply.expect_ok()?, (first.id, first.epoch + 1))
}

/// A transaction that was ended by an EndTxn answered with 0 ends that way though its coordinator
/// moves to another broker before the markers are written: its partitions get their markers (now
/// and then both coordinators write theirs, which does no harm), and DescribeTransactions shows
/// CompleteCommit or CompleteAbort.
#[scenario(
    "ENDTXN-012", api = EndTxn, vary = ["commit", "abort"],
    needs = [ThreeBrokers, Disruption], exclusive, slow,
)]
async fn a_decision_outlives_the_coordinator(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let topic = cx.topic_with(TopicSpec::default().partitions(12)).await?;
    let logs: Vec<Partition> = (0..12).map(|index| topic.partition(index)).collect();
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &topic.partition(0), &["decided"], 0).await?;
    producer.add(cx, &logs.iter().collect::<Vec<_>>()).await?;
    let home = home(cx, TRANSACTIONS, &producer.txn_id).await?;
    let end = producer.end_txn(decision(cx)?);
    let ended = producer.coordinator.tell(end).await?;
    let _: EndTxnResponse = producer.coordinator.answer(ended).await?.expect_ok()?.into_inner();
    move_leader(cx, &home).await?;

    producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    for log in &logs {
        let ended = if log.index == 0 { 2 } else { 1 };
        let mut tries = cx.tries("the last stable offset to pass the marker", MARKERS_WITHIN);
        // Both coordinators may have written theirs.
        while last_stable(cx, log).await? < ended {
            tries.expect(format!("no marker in partition {}", log.index)).await?;
        }
    }
    completed(cx, &mut producer, decision(cx)?).await?;
    let visible: &[&str] = if cx.variant() == "commit" { &["decided"] } else { &[] };
    read_committed(cx, &topic.partition(0)).await?.expect(visible)
}

/// A transaction outlives its coordinator: when another broker takes over while it is open,
/// partitions can be added to it, and its end reaches those that were added before as well as
/// after.
#[scenario("ENDTXN-018", api = EndTxn, needs = [ThreeBrokers, Disruption], exclusive, slow)]
async fn an_open_transaction_outlives_its_coordinator(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (before, after) = (cx.partition().await?, cx.partition().await?);
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &before, &["before"], 0).await?;
    move_leader(cx, &home(cx, TRANSACTIONS, &producer.txn_id).await?).await?;
    producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    producer.write(cx, &after, &["after"], 0).await?;
    let request = producer.end_txn(Marker::Commit);
    let reply = cx.settle(&mut producer.coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    reply.expect_ok()?;
    for (log, value) in [(&before, "before"), (&after, "after")] {
        stable_at(cx, log, 2).await?;
        read_committed(cx, log).await?.expect(&[value])?;
    }
    Ok(())
}

/// Offsets that a transaction sent outlive the group's coordinator: when another broker takes over
/// before the transaction is committed, OffsetFetch gives them soon after the commit.
#[scenario(
    "TXNOFF-012", api = TxnOffsetCommit, needs = [ThreeBrokers, Disruption], exclusive, slow,
)]
async fn pending_offsets_outlive_the_coordinator_of_the_group(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    super::offsets::add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut conn).await?.ok()?;
    move_leader(cx, &home(cx, OFFSETS, &group).await?).await?;
    let mut conn = coordinator(cx, &group).await?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut conn, &group, &partition, 3).await
}
