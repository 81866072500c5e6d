//! Fetch (1): the leader epoch that a consumer names (KIP-320, version 9).
//!
//! The epoch of the last record that was read (version 12) has a file of its own.

use kafka_protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kconform_scenario::prelude::*;

use super::answers::expect_offsets;

scenarios![
    the_current_leader_epoch_is_served,
    an_unknown_leader_epoch_is_refused,
    a_deposed_leader_epoch_is_fenced,
];

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75); the broker's own is served, and -1 skips the check.
#[scenario("FETCH-018", api = Fetch, versions = 9.., vary = ["equal", "-1"])]
async fn the_current_leader_epoch_is_served(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let (_, current) = led(cx, &from).await?;
    let epoch = if cx.variant() == "equal" { current } else { -1 };
    let body = leader.ask(with_epoch(cx.fetch(&from, 0)?, epoch)).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75); the broker's own is served, and -1 skips the check.
#[scenario("FETCH-018", api = Fetch, versions = 9..)]
async fn an_unknown_leader_epoch_is_refused(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let (_, current) = led(cx, &from).await?;
    let reply = leader.ask(with_epoch(cx.fetch(&from, 0)?, current + 1)).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", UnknownLeaderEpoch)
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75); the broker's own is served, and -1 skips the check.
#[scenario("FETCH-018", api = Fetch, versions = 9.., needs = [ThreeBrokers])]
async fn a_deposed_leader_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let (_, old) = led(cx, &from).await?;
    let mut others = cx.facts().brokers.iter().map(|broker| broker.id);
    let Some(other) = others.find(|id| *id != from.leader) else {
        return Err(Failure::blocked("a second broker", format!("{}", from.leader)));
    };
    move_to(cx, &from, &[other]).await?;
    let from = Partition { leader: other, ..from };
    cx.write(&from, &["a"]).await?;

    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(with_epoch(cx.fetch(&from, 0)?, old)).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", FencedLeaderEpoch)
}

/// The request with this current_leader_epoch on every partition.
pub(super) fn with_epoch(mut request: FetchRequest, epoch: i32) -> FetchRequest {
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.current_leader_epoch = epoch;
        }
    }
    request
}

/// Leader and leader epoch of the partition, by the metadata.
pub(super) async fn led(cx: &Cx, of: &Partition) -> Result<(i32, i32), Failure> {
    let mut conn = cx.connect().await?;
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&of.topic]);
    let body = conn.ask(about).await?.ok()?;
    let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
    let found = partitions
        .filter(|partition| partition.partition_index == of.index)
        .map(|partition| (partition.leader_id.0, partition.leader_epoch))
        .next();
    found.ok_or_else(|| Failure::blocked("the partition in the metadata", "none"))
}

/// Moves the partition to these brokers, none of which had it, and gives the one that leads it
/// then, with a new epoch.
pub(super) async fn move_to(cx: &Cx, what: &Partition, brokers: &[i32]) -> Result<i32, Failure> {
    let partition = ReassignablePartition::default()
        .with_partition_index(what.index)
        .with_replicas(Some(brokers.iter().copied().map(BrokerId).collect()));
    let topic = ReassignableTopic::default()
        .with_name(TopicName(text(&what.topic)))
        .with_partitions(vec![partition]);
    let request = AlterPartitionReassignmentsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000);
    let mut conn = cx.connect().await?;
    conn.ask_newest(request).await?.ok()?;
    let mut tries = cx.tries("the partition to move", Duration::from_secs(30));
    loop {
        let (leader, _) = led(cx, what).await?;
        if brokers.contains(&leader) {
            return Ok(leader);
        }
        tries.again(format!("led by broker {leader}")).await?;
    }
}
