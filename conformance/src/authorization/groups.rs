//! Groups that one may not see or delete: FindCoordinator (10), DescribeGroups (15), ListGroups (16), DeleteGroups (42).
//!
//! Not covered: the coordinators of share groups, and DESCRIBE on the cluster.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, GroupId, ListGroupsRequest,
    TopicName,
};
use kconform_scenario::COORDINATOR_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::requests::{Coordinator, find_coordinator};

use super::allowed::{expect_past, unprivileged};

scenarios![
    find_coordinator_needs_the_right_to_describe_the_group,
    find_coordinator_needs_the_right_to_describe_the_transactional_id,
    describe_groups_tells_neither_existing_nor_missing_groups_apart,
    list_groups_leaves_out_what_may_not_be_seen,
    delete_groups_needs_the_right_to_delete,
];

/// FindCoordinator answers GROUP_AUTHORIZATION_FAILED (30) for a group without DESCRIBE and
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for a transactional id without DESCRIBE, each with
/// node -1, an empty host and port -1; for the key of a share group (type 2, version 6) without
/// CLUSTER_ACTION, CLUSTER_AUTHORIZATION_FAILED (31).
#[scenario("AUTHZ-013", api = FindCoordinator, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn find_coordinator_needs_the_right_to_describe_the_group(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = find_coordinator(cx.version(), Coordinator::Group, &group);
    needs_describe(cx, Resource::Group(&group), request, GroupAuthorizationFailed).await
}

/// FindCoordinator answers GROUP_AUTHORIZATION_FAILED (30) for a group without DESCRIBE and
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for a transactional id without DESCRIBE, each with
/// node -1, an empty host and port -1; for the key of a share group (type 2, version 6) without
/// CLUSTER_ACTION, CLUSTER_AUTHORIZATION_FAILED (31).
#[scenario("AUTHZ-013", api = FindCoordinator, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn find_coordinator_needs_the_right_to_describe_the_transactional_id(cx: &mut Cx) -> Outcome {
    let id = cx.txn_id();
    let request = find_coordinator(cx.version(), Coordinator::Transaction, &id);
    let refusal = TransactionalIdAuthorizationFailed;
    needs_describe(cx, Resource::TransactionalId(&id), request, refusal).await
}

/// DescribeGroups answers GROUP_AUTHORIZATION_FAILED (30) and no members for a group without
/// DESCRIBE, whether it exists or not, and DESCRIBE on the cluster does not help; ListGroups
/// answers 0 and leaves such groups out, unless the caller has DESCRIBE on the cluster.
#[scenario("AUTHZ-018", api = DescribeGroups, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn describe_groups_tells_neither_existing_nor_missing_groups_apart(cx: &mut Cx) -> Outcome {
    let existing = group_with_offset(cx, &cx.partition().await?).await?;
    let missing = cx.group();
    let mut somebody = unprivileged(cx).await?;
    let groups = [&existing, &missing].map(|group| GroupId(text(&**group)));
    let request = DescribeGroupsRequest::default().with_groups(groups.to_vec());
    let body = somebody.conn.ask(request).await?.expect_answer()?;
    body.require(body.groups.len() == 2, "both groups", || format!("{}", body.groups.len()))?;
    for group in &body.groups {
        let told = (Code(group.error_code), group.members.len(), group.group_state.as_str());
        let refused = (GroupAuthorizationFailed.into(), 0, "");
        body.require(told == refused, format!("{refused:?}"), || format!("{told:?}"))?;
    }
    Ok(())
}

/// DescribeGroups answers GROUP_AUTHORIZATION_FAILED (30) and no members for a group without
/// DESCRIBE, whether it exists or not, and DESCRIBE on the cluster does not help; ListGroups
/// answers 0 and leaves such groups out, unless the caller has DESCRIBE on the cluster.
#[scenario("AUTHZ-018", api = ListGroups, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn list_groups_leaves_out_what_may_not_be_seen(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let hidden = group_with_offset(cx, &partition).await?;
    let shown = group_with_offset(cx, &partition).await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&shown);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;

    let mut tries = super::allowed::until_seen(cx);
    let body = loop {
        let body = somebody.conn.ask(ListGroupsRequest::default()).await?.expect_ok()?;
        if body.groups.iter().any(|group| group.group_id.0.as_str() == shown) {
            break body;
        }
        tries.expect(format!("{shown} is not listed")).await?;
    };
    let told = body.groups.iter().any(|group| group.group_id.0.as_str() == hidden);
    body.require(!told, format!("{hidden} left out"), || "it is listed".to_owned())
}

/// DeleteGroups and OffsetDelete without DELETE on the group (READ is not enough) answer
/// GROUP_AUTHORIZATION_FAILED (30); OffsetDelete also needs READ on each topic, and else answers
/// TOPIC_AUTHORIZATION_FAILED (29) for it.
#[scenario("AUTHZ-019", api = DeleteGroups, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn delete_groups_needs_the_right_to_delete(cx: &mut Cx) -> Outcome {
    let group = group_with_offset(cx, &cx.partition().await?).await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    let refusal = GroupAuthorizationFailed;
    let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(&*group))]);
    somebody.conn.ask(request.clone()).await?.expect_error(refusal)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Delete).await?;
    expect_past(cx, &mut somebody.conn, &request, refusal).await?.expect_ok()?;
    Ok(())
}

/// The act: the coordinator is not told without DESCRIBE, and told with it.
async fn needs_describe(
    cx: &Cx,
    on: Resource<'_>,
    request: FindCoordinatorRequest,
    refusal: ResponseError,
) -> Outcome {
    let mut somebody = unprivileged(cx).await?;
    let reply = somebody.conn.ask(request.clone()).await?;
    let item = if cx.version() < 4 { "" } else { "coordinators[0]." };
    reply.expect_error_at(&format!("{item}error_code"), refusal)?;
    let node = reply.at(&format!("{item}node_id"))?;
    let address = (reply.at(&format!("{item}host"))?, reply.at(&format!("{item}port"))?);
    let nowhere = (node.as_int(), address.0.as_str(), address.1.as_int());
    require(nowhere == (Some(-1), Some(""), Some(-1)), "node -1, no host, port -1", || {
        format!("{nowhere:?}")
    })?;

    cx.grant(&mut somebody.conn, &somebody.name, on, Operation::Describe).await?;
    cx.settle(&mut somebody.conn, &request, COORDINATOR_ON_ITS_WAY).await?.expect_ok()?;
    Ok(())
}

/// Set-up: a group without members that has committed an offset for this partition.
pub(crate) async fn group_with_offset(cx: &Cx, of: &Partition) -> Result<String, Failure> {
    // The last version that names topics, as the typed message does.
    const BY_NAME: i16 = 9;
    let group = cx.group();
    let partition = OffsetCommitRequestPartition::default().with_partition_index(of.index);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text(&*of.topic)))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(&*group)))
        .with_topics(vec![topic]);
    let version = cx.newest(keys::OffsetCommit)?.min(BY_NAME);
    let mut coordinator = cx.group_coordinator(&group).await?;
    cx.settle_at(&mut coordinator, version, &request, COORDINATOR_ON_ITS_WAY).await?.ok()?;
    Ok(group)
}
