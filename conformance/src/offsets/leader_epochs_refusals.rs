//! OffsetForLeaderEpoch (23): partitions that are refused, and the rights that are asked for.
//!
//! Version 2 brought current_leader_epoch (KIP-320).

use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource, allowed};
use kconform_scenario::wire::sasl::scram::Hash;

use super::answers::NO_SUCH_INDEX;
use super::leader_epochs::{end_of, expect_end, expect_ends};

scenarios![
    the_current_leader_epoch_is_served,
    a_higher_leader_epoch_is_unknown,
    a_lower_leader_epoch_is_fenced,
    an_unknown_partition_leaves_the_others_alone,
    a_broker_that_does_not_lead_refuses,
    the_right_to_describe_the_topic_suffices,
    the_right_of_brokers_suffices,
];

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with leader_epoch -1 and end_offset -1; the
/// broker's own is served, and -1 skips the check.
#[scenario("OFLE-007", api = OffsetForLeaderEpoch, versions = 2.., vary = ["equal", "-1"])]
async fn the_current_leader_epoch_is_served(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let named = if cx.variant() == "equal" { epoch } else { -1 };
    let request = believing(end_of(cx, &[(&of, epoch)]), named);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_ends(&body, &of, &[(Code::NONE, (epoch, 1))])
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with leader_epoch -1 and end_offset -1; the
/// broker's own is served, and -1 skips the check.
#[scenario("OFLE-007", api = OffsetForLeaderEpoch, versions = 2..)]
async fn a_higher_leader_epoch_is_unknown(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let request = believing(end_of(cx, &[(&of, epoch)]), epoch + 1);
    expect_refused(leader.ask(request).await?, &of, UnknownLeaderEpoch)
}

/// A current_leader_epoch lower than the broker's is refused with FENCED_LEADER_EPOCH (74), a
/// higher one with UNKNOWN_LEADER_EPOCH (75), both with leader_epoch -1 and end_offset -1; the
/// broker's own is served, and -1 skips the check.
#[scenario("OFLE-007", api = OffsetForLeaderEpoch, versions = 2.., needs = [ThreeBrokers])]
async fn a_lower_leader_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&of).await?.epoch;
    let of = cx.move_to(&of, cx.bystander(&of, false).await?).await?;
    cx.write(&of, &["a"]).await?;
    let mut leader = cx.leader(&of).await?;
    let request = believing(end_of(cx, &[(&of, old)]), old);
    expect_refused(leader.ask(request).await?, &of, FencedLeaderEpoch)
}

/// An unknown topic, or a partition index that is out of range or negative, is answered with
/// UNKNOWN_TOPIC_OR_PARTITION (3), leader_epoch -1 and end_offset -1; the other partitions of the
/// request are served.
#[scenario(
    "OFLE-008", api = OffsetForLeaderEpoch, versions = 2..,
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
    let epoch = cx.leadership(&good).await?.epoch;
    let mut leader = cx.leader(&good).await?;
    let request = end_of(cx, &[(&bad, epoch), (&good, epoch)]);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_ends(&body, &bad, &[(UnknownTopicOrPartition.into(), (-1, -1))])?;
    expect_ends(&body, &good, &[(Code::NONE, (epoch, 1))])
}

/// A broker that does not lead the partition, follower or without a replica, answers with
/// NOT_LEADER_OR_FOLLOWER (6), leader_epoch -1 and end_offset -1, whether current_leader_epoch is
/// right or unset. Unlike a Fetch from version 11 on, a follower never answers.
#[scenario(
    "OFLE-009", api = OffsetForLeaderEpoch, versions = 2.., vary = ["follower", "no replica"],
    needs = [ThreeBrokers],
)]
async fn a_broker_that_does_not_lead_refuses(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(2)).await?.partition(0);
    let epoch = cx.leadership(&of).await?.epoch;
    let broker = cx.bystander(&of, cx.variant() == "follower").await?;
    let mut conn = cx.connect_knowing(broker, &of).await?;
    for named in [epoch, -1] {
        let request = believing(end_of(cx, &[(&of, epoch)]), named);
        expect_refused(conn.ask(request).await?, &of, NotLeaderOrFollower)?;
    }
    Ok(())
}

/// DESCRIBE on the topic suffices for OffsetForLeaderEpoch, and so does CLUSTER_ACTION on the
/// cluster; with neither, the answer is TOPIC_AUTHORIZATION_FAILED (29).
#[scenario(
    "OFLE-010", api = OffsetForLeaderEpoch, versions = 2..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn the_right_to_describe_the_topic_suffices(cx: &mut Cx) -> Outcome {
    let of = cx.topic().await?.partition(0);
    let epoch = cx.leadership(&of).await?.epoch;
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let (listener, role) = (Listener::SaslPlaintext, Role::Unprivileged);
    let mut conn = cx.log_in(listener, role, Mechanism::Plain).await?;
    let reply = conn.ask(end_of(cx, &[(&of, epoch)])).await?;
    expect_refused(reply, &of, TopicAuthorizationFailed)?;

    let right = Resource::Topic(&of.topic);
    cx.grant(&mut conn, &name, right, Operation::Describe).await?;
    expect_end(cx, &mut conn, &of, epoch, (epoch, 0)).await
}

/// DESCRIBE on the topic suffices for OffsetForLeaderEpoch, and so does CLUSTER_ACTION on the
/// cluster; with neither, the answer is TOPIC_AUTHORIZATION_FAILED (29).
#[scenario(
    "OFLE-010", api = OffsetForLeaderEpoch, versions = 2..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext)],
)]
async fn the_right_of_brokers_suffices(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let epoch = cx.leadership(&of).await?.epoch;
    // A user of the case's own: the right reaches every topic.
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = cx.log_in_as(&name, &password, Mechanism::ScramSha256).await?;
    let reply = conn.ask(end_of(cx, &[(&of, epoch)])).await?;
    expect_refused(reply, &of, TopicAuthorizationFailed)?;

    cx.create_acl(allowed(&name, Resource::Cluster, Operation::ClusterAction)).await?;
    let mut tries = cx.tries("the right to be seen", Duration::from_secs(15));
    loop {
        let body = conn.ask(end_of(cx, &[(&of, epoch)])).await?.expect_answer()?;
        let refused = Code::from(TopicAuthorizationFailed);
        if body
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .all(|p| Code(p.error_code) != refused)
        {
            return expect_ends(&body, &of, &[(Code::NONE, (epoch, 0))]);
        }
        tries.expect(refused).await?;
    }
}

/// The request with this current_leader_epoch on every partition.
fn believing(mut request: OffsetForLeaderEpochRequest, epoch: i32) -> OffsetForLeaderEpochRequest {
    for partition in request.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        partition.current_leader_epoch = epoch;
    }
    request
}

/// The act: the only partition of the answer is refused with this code, and no end is told.
#[track_caller]
fn expect_refused(
    reply: Reply<OffsetForLeaderEpochResponse>,
    of: &Partition,
    code: ResponseError,
) -> Outcome {
    expect_ends(&reply.expect_answer()?, of, &[(code.into(), (-1, -1))])
}
