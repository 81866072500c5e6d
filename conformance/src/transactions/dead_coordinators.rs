//! What survives when a coordinator dies and another broker takes over (three brokers).

use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::Coordinator;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use super::decisions::completed;
use super::offset_commits::becomes;
use super::offsets::Offsets;
use crate::groups::members::coordinator;
use crate::producer::{
    LAST_END_WITHOUT_BUMP, MARKERS_WITHIN, Producer, decision, last_stable, stable_at,
};
use crate::restarts::whole;

scenarios![
    an_open_transaction_outlives_the_death_of_its_coordinator,
    a_decision_outlives_the_death_of_the_coordinator,
];

/// Groups that are tried until one has its coordinator on the broker that is to die.
const GROUPS: usize = 40;

/// A transaction outlives its coordinator: when another broker takes over while it is open,
/// partitions can be added to it, and its end reaches those that were added before as well as
/// after.
#[scenario(
    "ENDTXN-018", also = ["TXNOFF-012"], api = DescribeTransactions,
    needs = [Shape("mortal"), Restart], exclusive, slow,
)]
async fn an_open_transaction_outlives_the_death_of_its_coordinator(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().partitions(3)).await?;
    let mut producer = Producer::new(cx).await?;
    let doomed = home(cx, Coordinator::Transaction, &producer.txn_id).await?;
    let group = group_at(cx, doomed).await?;
    let logs: Vec<Partition> = (0..3).map(|index| topic.partition(index)).collect();
    let living: Vec<&Partition> = logs.iter().filter(|log| log.leader != doomed).collect();
    let [before, after, ..] = living.as_slice() else {
        return Err(Failure::blocked("two partitions led elsewhere", format!("{topic:?}")));
    };
    producer.write(cx, before, &["before"], 0).await?;
    let mut conn = coordinator(cx, &group).await?;
    Offsets::of(&group).at(before, 3).pend(cx, &mut producer, &mut conn).await?;
    whole(cx).await?;
    cx.kill_broker(doomed).await?;

    producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    let found = producer.state(cx).await?;
    let open = (found.transaction_state.as_str(), found.producer_id.0, found.producer_epoch);
    let expected = ("Ongoing", producer.id, producer.epoch);
    require(open == expected, &format!("{expected:?}"), || format!("{open:?}"))?;
    producer.write(cx, after, &["after"], 0).await?;
    let end = producer.end_txn(Marker::Commit);
    let version = cx.newest(keys::EndTxn)?.min(LAST_END_WITHOUT_BUMP);
    let conn = &mut producer.coordinator;
    cx.settle_at(conn, version, &end, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
    for (log, value) in [(before, "before"), (after, "after")] {
        stable_at(cx, log, 2).await?;
        read_committed(cx, log).await?.expect(&[value])?;
    }
    let mut conn = coordinator(cx, &group).await?;
    becomes(cx, &mut conn, &group, before, 3).await?;
    cx.start_broker(doomed).await
}

/// A transaction that was ended by an EndTxn answered with 0 ends that way though its coordinator
/// moves to another broker before the markers are written: its partitions get their markers (now
/// and then both coordinators write theirs, which does no harm), and DescribeTransactions shows
/// CompleteCommit or CompleteAbort.
#[scenario(
    "ENDTXN-012", api = DescribeTransactions, vary = ["commit", "abort"],
    needs = [Shape("mortal"), Restart], exclusive, slow,
)]
async fn a_decision_outlives_the_death_of_the_coordinator(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().partitions(12)).await?;
    let logs: Vec<Partition> = (0..12).map(|index| topic.partition(index)).collect();
    let mut producer = Producer::new(cx).await?;
    let doomed = home(cx, Coordinator::Transaction, &producer.txn_id).await?;
    whole(cx).await?;
    producer.write(cx, &topic.partition(0), &["decided"], 0).await?;
    producer.add(cx, &logs.iter().collect::<Vec<_>>()).await?;
    producer.end(cx, decision(cx)?).await?;
    cx.kill_broker(doomed).await?;

    producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    completed(cx, &mut producer, decision(cx)?).await?;
    // Those that the dead broker led have other leaders now.
    let topic = cx.topic_ready(&topic.name, 12).await?;
    for index in 0..12 {
        let ended = if index == 0 { 2 } else { 1 };
        let mut tries = cx.tries("the last stable offset to pass the marker", MARKERS_WITHIN);
        // Both coordinators may have written theirs.
        while last_stable(cx, &topic.partition(index)).await? < ended {
            tries.expect(format!("no marker in partition {index}")).await?;
        }
    }
    let visible: &[&str] = if decision(cx)? == Marker::Commit { &["decided"] } else { &[] };
    read_committed(cx, &topic.partition(0)).await?.expect(visible)?;
    cx.start_broker(doomed).await
}

/// Set-up: the broker that is the coordinator of this key.
async fn home(cx: &Cx, kind: Coordinator, key: &str) -> Result<i32, Failure> {
    let request = requests::find_coordinator(cx.newest(keys::FindCoordinator)?, kind, key);
    let body = cx.connect().await?.ask_newest(request).await?.ok()?;
    Ok(body.coordinators.first().map_or(body.node_id, |found| found.node_id).0)
}

/// Set-up: a group whose coordinator is this broker.
async fn group_at(cx: &Cx, broker: i32) -> Result<String, Failure> {
    for _ in 0..GROUPS {
        let group = cx.group();
        // FindCoordinator is what creates the topic of the groups.
        coordinator(cx, &group).await?;
        if home(cx, Coordinator::Group, &group).await? == broker {
            return Ok(group);
        }
    }
    Err(Failure::blocked(format!("a group whose coordinator is broker {broker}"), "none"))
}
