//! TxnOffsetCommit (28) from version 3 on, where it may name a member of the group (KIP-447), so that one which lost its
//! partitions is kept out.

use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, GroupId, ListGroupsRequest, TopicName,
};
use kconform_scenario::COORDINATOR_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::offset_commits::becomes;
use super::offsets::{COMMITTED, MEMBERS, Offsets, TOPIC_IDS, add_group};
use crate::groups::members::{Member, coordinator, join, join_static, newer_coordinator};
use crate::producer::Producer;

scenarios![
    nobody_in_particular_may_commit_beside_members,
    a_member_must_be_right_about_itself,
    a_group_without_members_is_made,
    a_generation_of_an_unknown_group_is_refused,
    a_member_of_a_consumer_group_must_be_right_about_its_epoch,
    a_rebalance_does_not_stop_transactional_commits,
];

/// TxnOffsetCommit with member id "" and generation -1 is accepted even though the group has
/// members. Where it names a member: an unknown member id is refused with UNKNOWN_MEMBER_ID (25),
/// another generation than the group's with ILLEGAL_GENERATION (22), a known instance id with
/// another member id with FENCED_INSTANCE_ID (82), an unknown instance id with UNKNOWN_MEMBER_ID
/// (25).
#[scenario("TXNOFF-002", api = TxnOffsetCommit, versions = 3..)]
async fn nobody_in_particular_may_commit_beside_members(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut member.conn).await?.expect_ok()?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut member.conn, &group, &partition, 3).await
}

/// TxnOffsetCommit with member id "" and generation -1 is accepted even though the group has
/// members. Where it names a member: an unknown member id is refused with UNKNOWN_MEMBER_ID (25),
/// another generation than the group's with ILLEGAL_GENERATION (22), a known instance id with
/// another member id with FENCED_INSTANCE_ID (82), an unknown instance id with UNKNOWN_MEMBER_ID
/// (25).
#[scenario(
    "TXNOFF-002", api = TxnOffsetCommit, versions = 3..,
    vary = [
        "itself", "unknown member", "another generation", "instance of another member",
        "unknown instance",
    ],
)]
async fn a_member_must_be_right_about_itself(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let instance = cx.name("instance");
    let request = join_static(cx, &group, &instance)?;
    let mut member = Member::alone_as(cx, request).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    let (id, generation) = (member.id.clone(), member.generation);
    let (offsets, refusal) = match cx.variant() {
        "itself" => (offsets.by(&id, generation).instance(&instance), None),
        "unknown member" => (offsets.by("somebody", generation), Some(UnknownMemberId)),
        "another generation" => (offsets.by(&id, generation + 1), Some(IllegalGeneration)),
        "instance of another member" => {
            (offsets.by("somebody", generation).instance(&instance), Some(FencedInstanceId))
        }
        _ => (offsets.by(&id, generation).instance("nobody"), Some(UnknownMemberId)),
    };
    let reply = offsets.ask(cx, &producer, &mut member.conn).await?;
    reply.expect_error_at(COMMITTED, refusal.map_or(Code::NONE, Code::from))
}

/// TxnOffsetCommit to a group that does not exist: with generation -1 it is accepted, and the group
/// shows in ListGroups; with a generation of 0 or more it is refused with ILLEGAL_GENERATION (22)
/// in v3 to v5 and GROUP_ID_NOT_FOUND (69) in v6 and later by the newer coordinator, and with
/// UNKNOWN_MEMBER_ID (25) by the classic one of releases up to 3.9.
#[scenario("TXNOFF-003", api = TxnOffsetCommit, versions = 3..)]
async fn a_group_without_members_is_made(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut conn).await?.expect_ok()?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut conn, &group, &partition, 3).await?;
    let body = conn.ask_newest(ListGroupsRequest::default()).await?.ok()?;
    let listed = body.groups.iter().any(|found| found.group_id.as_str() == group);
    body.require(listed, format!("group {group} in the list"), || {
        format!("{} other groups", body.groups.len())
    })
}

/// TxnOffsetCommit to a group that does not exist: with generation -1 it is accepted, and the group
/// shows in ListGroups; with a generation of 0 or more it is refused with ILLEGAL_GENERATION (22)
/// in v3 to v5 and GROUP_ID_NOT_FOUND (69) in v6 and later by the newer coordinator, and with
/// UNKNOWN_MEMBER_ID (25) by the classic one of releases up to 3.9.
#[scenario("TXNOFF-003", api = TxnOffsetCommit, versions = 3..)]
async fn a_generation_of_an_unknown_group_is_refused(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3).by("somebody", 1);
    let refusal = match () {
        () if !newer_coordinator(cx) => UnknownMemberId,
        () if cx.version() >= TOPIC_IDS => GroupIdNotFound,
        () => IllegalGeneration,
    };
    let reply = offsets.ask(cx, &producer, &mut conn).await?;
    reply.expect_error_at(COMMITTED, refusal)
}

/// TxnOffsetCommit to a consumer-type group refuses a member epoch that is not the member's with
/// ILLEGAL_GENERATION (22) in v3 to v5 and STALE_MEMBER_EPOCH (113) in v6 and later, and an unknown
/// member id with UNKNOWN_MEMBER_ID (25); member id "" with epoch -1 is accepted from 4.0 on and
/// refused with 25 by 3.9.
#[scenario(
    "TXNOFF-008", api = TxnOffsetCommit, versions = 3..,
    needs = [Api(keys::ConsumerGroupHeartbeat, 0)],
    vary = ["right epoch", "older epoch", "newer epoch", "unknown member", "nobody"],
)]
async fn a_member_of_a_consumer_group_must_be_right_about_its_epoch(cx: &mut Cx) -> Outcome {
    if !newer_coordinator(cx) {
        return Err(Failure::NotRun(
            "a broker whose coordinator serves consumer-type groups".into(),
        ));
    }
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let (member, epoch) = consumer(cx, &mut conn, &group, &partition.topic).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    // Version 6 brought the code to the requests of transactions.
    let stale = if cx.version() >= TOPIC_IDS { StaleMemberEpoch } else { IllegalGeneration };
    let (offsets, refusal) = match cx.variant() {
        "right epoch" => (offsets.by(&member, epoch), None),
        "older epoch" => (offsets.by(&member, epoch - 1), Some(stale)),
        "newer epoch" => (offsets.by(&member, epoch + 1), Some(stale)),
        "unknown member" => (offsets.by("somebody", epoch), Some(UnknownMemberId)),
        _ => (offsets, if cx.since(4, 0) { None } else { Some(UnknownMemberId) }),
    };
    let reply = offsets.ask(cx, &producer, &mut conn).await?;
    reply.expect_error_at(COMMITTED, refusal.map_or(Code::NONE, Code::from))
}

/// TxnOffsetCommit of a member of the current generation is accepted while its group waits for
/// assignments (CompletingRebalance).
#[scenario("TXNOFF-010", api = TxnOffsetCommit)]
async fn a_rebalance_does_not_stop_transactional_commits(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::joining(cx, join(cx, &group)?).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let mut offsets = Offsets::of(&group).at(&partition, 3);
    if cx.version() >= MEMBERS {
        offsets = offsets.by(&member.id, member.generation);
    }
    offsets.ask(cx, &producer, &mut member.conn).await?.expect_ok()?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut member.conn, &group, &partition, 3).await
}

/// Set-up: the only member of a fresh consumer-type group (KIP-848): its id and epoch.
async fn consumer(
    cx: &Cx,
    conn: &mut Conn,
    group: &str,
    topic: &str,
) -> Result<(String, i32), Failure> {
    // Version 1 wants the client to choose the id, version 0 allows it.
    let id = cx.nonce();
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_member_id(text(&*id))
        .with_member_epoch(0)
        .with_rebalance_timeout_ms(30_000)
        .with_subscribed_topic_names(Some(vec![TopicName(text(topic))]))
        .with_topic_partitions(Some(Vec::new()));
    let body = cx.settle(conn, &request, COORDINATOR_ON_ITS_WAY).await?.ok()?;
    let id = body.member_id.as_ref().map_or(id, ToString::to_string);
    Ok((id, body.member_epoch))
}
