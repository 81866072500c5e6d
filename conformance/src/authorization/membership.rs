//! Groups that one may not join: JoinGroup (11), SyncGroup (14), Heartbeat (12), LeaveGroup (13) and
//! ConsumerGroupHeartbeat (68).
//!
//! Each case holds DESCRIBE on the group, which is not enough, and then READ. Not covered: topics of a subscription.

use kafka_protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use kafka_protocol::messages::leave_group_request::{LeaveGroupRequest, MemberIdentity};
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatRequest, GroupId, HeartbeatRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::{Decodable, Request};
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::allowed::{expect_past, unprivileged};

scenarios![
    join_group_needs_the_right_to_read,
    sync_group_needs_the_right_to_read,
    heartbeat_needs_the_right_to_read,
    leave_group_needs_the_right_to_read,
    consumer_group_heartbeat_needs_the_right_to_read,
    consumer_group_heartbeat_needs_the_right_to_see_its_topics,
];

/// JoinGroup, SyncGroup, Heartbeat and LeaveGroup without READ on the group (DESCRIBE is not
/// enough) are answered with GROUP_AUTHORIZATION_FAILED (30) in every version.
#[scenario("AUTHZ-014", api = JoinGroup, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn join_group_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let protocol = JoinGroupRequestProtocol::default().with_name(text("any"));
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(&*group)))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(if cx.version() == 0 { -1 } else { 10_000 })
        .with_member_id(text("nobody"))
        .with_protocol_type(text("kconform"))
        .with_protocols(vec![protocol]);
    needs_read(cx, &group, request).await
}

/// JoinGroup, SyncGroup, Heartbeat and LeaveGroup without READ on the group (DESCRIBE is not
/// enough) are answered with GROUP_AUTHORIZATION_FAILED (30) in every version.
#[scenario("AUTHZ-014", api = SyncGroup, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn sync_group_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(&*group)))
        .with_generation_id(1)
        .with_member_id(text("nobody"));
    let named = cx.version() >= 5;
    let request = request
        .with_protocol_type(named.then(|| text("kconform")))
        .with_protocol_name(named.then(|| text("any")));
    needs_read(cx, &group, request).await
}

/// JoinGroup, SyncGroup, Heartbeat and LeaveGroup without READ on the group (DESCRIBE is not
/// enough) are answered with GROUP_AUTHORIZATION_FAILED (30) in every version.
#[scenario("AUTHZ-014", api = Heartbeat, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn heartbeat_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text(&*group)))
        .with_generation_id(1)
        .with_member_id(text("nobody"));
    needs_read(cx, &group, request).await
}

/// JoinGroup, SyncGroup, Heartbeat and LeaveGroup without READ on the group (DESCRIBE is not
/// enough) are answered with GROUP_AUTHORIZATION_FAILED (30) in every version.
#[scenario("AUTHZ-014", api = LeaveGroup, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn leave_group_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = LeaveGroupRequest::default().with_group_id(GroupId(text(&*group)));
    // Version 3 leaves for several members at once (KIP-345).
    let request = if cx.version() < 3 {
        request.with_member_id(text("nobody"))
    } else {
        let member = MemberIdentity::default().with_member_id(text("nobody"));
        request.with_members(vec![member])
    };
    needs_read(cx, &group, request).await
}

/// ConsumerGroupHeartbeat without READ on the group answers GROUP_AUTHORIZATION_FAILED (30); from
/// 4.0 on a subscription that names a topic without DESCRIBE, existing or not, is answered with
/// TOPIC_AUTHORIZATION_FAILED (29) at the top (3.7 and 3.9 do not check it).
#[scenario("AUTHZ-028", api = ConsumerGroupHeartbeat, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn consumer_group_heartbeat_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    // Releases before 4.0 advertise the API even where their only coordinator is the classic one (KIP-848).
    let protocols = cx.facts().configs.get(PROTOCOLS);
    if protocols.is_some_and(|protocols| !protocols.contains("consumer")) {
        return Err(Failure::NotRun(format!("a target whose {PROTOCOLS} include `consumer`")));
    }
    let group = cx.group();
    let request = heartbeat(&group, &cx.name("member"), 1, &cx.name("topic"));
    let request = request.with_subscribed_topic_names(None);
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let refusal = GroupAuthorizationFailed;
    somebody.conn.ask(request.clone()).await?.expect_error(refusal)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    // Neither the group nor the member exists.
    let unknown = [GroupIdNotFound.into(), UnknownMemberId.into()];
    expect_past(cx, &mut somebody.conn, &request, refusal).await?.expect_error_in(&unknown)
}

/// ConsumerGroupHeartbeat without READ on the group answers GROUP_AUTHORIZATION_FAILED (30); from
/// 4.0 on a subscription that names a topic without DESCRIBE, existing or not, is answered with
/// TOPIC_AUTHORIZATION_FAILED (29) at the top (3.7 and 3.9 do not check it).
#[scenario("AUTHZ-028", api = ConsumerGroupHeartbeat, needs = [Authorizer, Since(4, 0),
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn consumer_group_heartbeat_needs_the_right_to_see_its_topics(cx: &mut Cx) -> Outcome {
    let (group, topic) = (cx.group(), cx.partition().await?.topic);
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    // Version 0 lets the coordinator choose the member id (KIP-1082 moved the choice to the client).
    let member = if cx.version() == 0 { String::new() } else { cx.name("member") };
    let request = heartbeat(&group, &member, 0, &topic);
    somebody.conn.ask(request).await?.expect_error(TopicAuthorizationFailed)
}

/// The setting that switches group protocols on.
const PROTOCOLS: &str = "group.coordinator.rebalance.protocols";

/// A heartbeat at this epoch (0 joins) that subscribes to this topic.
fn heartbeat(group: &str, member: &str, epoch: i32, topic: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
        .with_rebalance_timeout_ms(10_000)
        .with_subscribed_topic_names(Some(vec![TopicName(text(topic))]))
        .with_topic_partitions(Some(vec![]))
}

/// The act: with DESCRIBE on the group the request is refused; with READ it gets so far that the member is unknown.
async fn needs_read<R>(cx: &Cx, group: &str, request: R) -> Outcome
where
    R: Request + Decodable + PartialEq + Clone,
{
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let refusal = GroupAuthorizationFailed;
    somebody.conn.ask(request.clone()).await?.expect_error(refusal)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    expect_past(cx, &mut somebody.conn, &request, refusal).await?.expect_error(UnknownMemberId)
}
