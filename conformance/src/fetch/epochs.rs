//! Fetch (1): the leader epoch that a consumer names (KIP-320, version 9).
//!
//! The epoch of the last record that was read (version 12) has a file of its own.

use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;

use super::answers::expect_offsets;
use super::followers::another;

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
    let current = cx.leadership(&from).await?.epoch;
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
    let current = cx.leadership(&from).await?.epoch;
    let reply = leader.ask(with_epoch(cx.fetch(&from, 0)?, current + 1)).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", UnknownLeaderEpoch)
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75); the broker's own is served, and -1 skips the check.
#[scenario("FETCH-018", api = Fetch, versions = 9.., needs = [ThreeBrokers])]
async fn a_deposed_leader_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&from).await?.epoch;
    let from = cx.move_to(&from, another(cx, from.leader)?).await?;
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
