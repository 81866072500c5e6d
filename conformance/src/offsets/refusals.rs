//! ListOffsets (2): partitions that are refused, and who answers for a partition.
//!
//! Version 4 brought leader epochs (KIP-320). Not covered: a new leader that does not know its end
//! yet (OFFSET_NOT_AVAILABLE, KIP-207), see `new_leaders.rs`.

use kafka_protocol::messages::BrokerId;
use kconform_scenario::prelude::*;

use super::answers::{
    END, NO_SUCH_INDEX, NOTHING, START, expect_refused, expect_result, leader_epoch, list_all,
    with_epoch,
};

scenarios![
    the_current_leader_epoch_is_served,
    a_higher_leader_epoch_is_unknown,
    a_lower_leader_epoch_is_fenced,
    an_unknown_partition_leaves_the_others_alone,
    a_broker_that_does_not_lead_refuses,
    a_follower_answers_debuggers,
    a_topic_that_may_not_be_described_is_refused,
];

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with offset -1 and timestamp -1; the broker's
/// own is served, and -1 skips the check.
#[scenario("LISTOFF-017", api = ListOffsets, versions = 4.., vary = ["equal", "-1"])]
async fn the_current_leader_epoch_is_served(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    let named = if cx.variant() == "equal" { epoch } else { -1 };
    let request = with_epoch(requests::list_offsets(&of, END), named);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (1, -1, epoch))
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with offset -1 and timestamp -1; the broker's
/// own is served, and -1 skips the check.
#[scenario("LISTOFF-017", api = ListOffsets, versions = 4..)]
async fn a_higher_leader_epoch_is_unknown(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    let request = with_epoch(requests::list_offsets(&of, END), epoch + 1);
    expect_refused(cx, leader.ask(request).await?, &of, UnknownLeaderEpoch)
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with offset -1 and timestamp -1; the broker's
/// own is served, and -1 skips the check.
#[scenario("LISTOFF-017", api = ListOffsets, versions = 4.., needs = [ThreeBrokers])]
async fn a_lower_leader_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = leader_epoch(cx, &of).await?;
    let of = cx.move_to(&of, cx.bystander(&of, false).await?).await?;
    cx.write(&of, &["a"]).await?;
    let mut leader = cx.leader(&of).await?;
    let request = with_epoch(requests::list_offsets(&of, END), old);
    expect_refused(cx, leader.ask(request).await?, &of, FencedLeaderEpoch)
}

/// An unknown topic, or a partition index that is out of range or negative, is answered with
/// UNKNOWN_TOPIC_OR_PARTITION (3), offset -1 and timestamp -1; the other partitions of the request
/// are served.
#[scenario(
    "LISTOFF-018", api = ListOffsets, versions = 1..,
    vary = ["unknown topic", "unknown index", "negative index"],
)]
async fn an_unknown_partition_leaves_the_others_alone(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    cx.write(&good, &["a"]).await?;
    let bad = match cx.variant() {
        "unknown topic" => Partition { topic: cx.name("topic"), ..good.clone() },
        "unknown index" => Partition { index: NO_SUCH_INDEX, ..good.clone() },
        _ => Partition { index: -1, ..good.clone() },
    };
    let epoch = leader_epoch(cx, &good).await?;
    let mut leader = cx.leader(&good).await?;
    let body = leader.ask(list_all(&[(&bad, END), (&good, END)])).await?.expect_answer()?;
    expect_result(cx, &body, &bad, UnknownTopicOrPartition.into(), NOTHING)?;
    expect_result(cx, &body, &good, Code::NONE, (1, -1, epoch))
}

/// A broker that does not lead the partition, follower or without a replica, answers a client
/// (replica_id -1) with NOT_LEADER_OR_FOLLOWER (6), offset -1 and timestamp -1.
#[scenario(
    "LISTOFF-019", api = ListOffsets, versions = 1.., vary = ["follower", "no replica"],
    needs = [ThreeBrokers],
)]
async fn a_broker_that_does_not_lead_refuses(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(2)).await?.partition(0);
    let broker = cx.bystander(&of, cx.variant() == "follower").await?;
    let mut conn = cx.connect_knowing(broker, &of).await?;
    let reply = conn.ask(requests::list_offsets(&of, END)).await?;
    expect_refused(cx, reply, &of, NotLeaderOrFollower)
}

/// A request with replica_id -2 (a debugging client) is answered by a follower too, from its own
/// log, and timestamp -1 then gives the log end offset.
#[scenario("LISTOFF-020", api = ListOffsets, versions = 1.., needs = [ThreeBrokers])]
async fn a_follower_answers_debuggers(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(2)).await?.partition(0);
    let mut conn = cx.connect_knowing(cx.bystander(&of, true).await?, &of).await?;
    // Acknowledged by every replica in sync, which the follower is: it is in its log.
    cx.write(&of, &["a", "b"]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let debug = |timestamp| requests::list_offsets(&of, timestamp).with_replica_id(DEBUGGER);
    let body = conn.ask(debug(END)).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (2, -1, epoch))?;
    let body = conn.ask(debug(START)).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (0, -1, epoch))
}

/// A topic that the caller may not describe is answered with TOPIC_AUTHORIZATION_FAILED (29),
/// offset -1 and timestamp -1, whether it exists or not.
#[scenario(
    "LISTOFF-023", api = ListOffsets, versions = 1.., vary = ["existing", "missing"],
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn a_topic_that_may_not_be_described_is_refused(cx: &mut Cx) -> Outcome {
    let existing = cx.partition().await?;
    let of = match cx.variant() {
        "existing" => existing,
        _ => Partition { topic: cx.name("topic"), ..existing },
    };
    let (listener, role) = (Listener::SaslPlaintext, Role::Unprivileged);
    let mut conn = cx.log_in(listener, role, Mechanism::Plain).await?;
    let reply = conn.ask(requests::list_offsets(&of, END)).await?;
    expect_refused(cx, reply, &of, TopicAuthorizationFailed)
}

/// The replica id of a client that wants any replica's own view (`DEBUGGING_CONSUMER_ID`).
const DEBUGGER: BrokerId = BrokerId(-2);
