//! Committed offsets without the right to move or read them: OffsetCommit (8), OffsetFetch (9), OffsetDelete (47).
//!
//! From version 10 on, OffsetCommit and OffsetFetch name topics by id (KIP-848).

use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{GroupId, TopicName};
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::wire::schema::{Struct, Value};

use super::allowed::{expect_past, expect_past_value, named, unprivileged};
use super::groups::group_with_offset;

scenarios![
    offset_commit_needs_the_right_to_read_the_group,
    offset_commit_is_refused_for_the_topic_alone_that_may_not_be_read,
    offset_fetch_needs_the_right_to_describe_the_group,
    offset_fetch_is_refused_for_a_topic_that_may_not_be_seen,
    offset_delete_needs_the_right_to_delete_the_group,
];

/// OffsetCommit without READ on the group answers GROUP_AUTHORIZATION_FAILED (30) for every
/// partition; with it, a topic without READ answers TOPIC_AUTHORIZATION_FAILED (29) while the
/// others are committed. In version 10 an unknown topic id answers UNKNOWN_TOPIC_ID (100).
#[scenario("AUTHZ-016", api = OffsetCommit, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn offset_commit_needs_the_right_to_read_the_group(cx: &mut Cx) -> Outcome {
    let (group, denied) = (cx.group(), cx.partition().await?);
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let request = commit(cx, &group, &[&denied]);
    let reply = somebody.conn.ask_value(cx.key(), cx.version(), &request).await?;
    reply.expect_error(GroupAuthorizationFailed)
}

/// OffsetCommit without READ on the group answers GROUP_AUTHORIZATION_FAILED (30) for every
/// partition; with it, a topic without READ answers TOPIC_AUTHORIZATION_FAILED (29) while the
/// others are committed. In version 10 an unknown topic id answers UNKNOWN_TOPIC_ID (100).
// Version 0 kept offsets in ZooKeeper.
#[scenario("AUTHZ-016", api = OffsetCommit, versions = 1.., needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn offset_commit_is_refused_for_the_topic_alone_that_may_not_be_read(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (denied, granted) = (cx.partition().await?, cx.topic().await?.partition(0));
    let mut somebody = unprivileged(cx).await?;
    for right in [Resource::Group(&group), Resource::Topic(&granted.topic)] {
        cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    }
    let request = commit(cx, &group, &[&denied, &granted]);
    let refusal = GroupAuthorizationFailed;
    let reply = expect_past_value(cx, &mut somebody.conn, &request, refusal).await?;
    // Results come in any order.
    let is_denied = if cx.version() < IDS_FROM {
        reply.at("topics[0].name")? == denied.topic.as_str().into()
    } else {
        reply.at("topics[0].topic_id")? == Value::Uuid(*denied.topic_id.as_bytes())
    };
    let (denied, granted) = if is_denied { (0, 1) } else { (1, 0) };
    let path = |topic| format!("topics[{topic}].partitions[0].error_code");
    reply.expect_error_at(&path(denied), TopicAuthorizationFailed)?;
    reply.expect_error_at(&path(granted), Code::NONE)
}

/// OffsetFetch without DESCRIBE on the group answers GROUP_AUTHORIZATION_FAILED (30) (version 1 for
/// each partition, in 3.7 and 3.8 with no partition and no error, versions 2 to 7 at the top, from
/// 8 on for the group) and no offsets; with it, a topic that is named without DESCRIBE answers
/// TOPIC_AUTHORIZATION_FAILED (29) and offset -1, and is left out where all topics are asked for.
#[scenario("AUTHZ-017", api = OffsetFetch, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn offset_fetch_needs_the_right_to_describe_the_group(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let group = group_with_offset(cx, &partition).await?;
    let mut somebody = unprivileged(cx).await?;
    let request = offset_fetch(cx, &group, &partition);
    let reply = somebody.conn.ask_value(cx.key(), cx.version(), &request).await?;
    let path = match cx.version() {
        1 => "topics[0].partitions[0].error_code",
        2..=7 => "error_code",
        _ => "groups[0].error_code",
    };
    let offsets = offsets(&reply.value()?);
    // Before 3.9 the error of the group is lost on the way into version 1.
    if cx.version() == 1 && !cx.since(3, 9) {
        return require(offsets.is_empty(), "no partition", || format!("{offsets:?}"));
    }
    reply.expect_error_at(path, GroupAuthorizationFailed)?;
    require(offsets.iter().all(|offset| *offset == -1), "no offset", || format!("{offsets:?}"))
}

/// OffsetFetch without DESCRIBE on the group answers GROUP_AUTHORIZATION_FAILED (30) (version 1 for
/// each partition, in 3.7 and 3.8 with no partition and no error, versions 2 to 7 at the top, from
/// 8 on for the group) and no offsets; with it, a topic that is named without DESCRIBE answers
/// TOPIC_AUTHORIZATION_FAILED (29) and offset -1, and is left out where all topics are asked for.
#[scenario("AUTHZ-017", api = OffsetFetch, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn offset_fetch_is_refused_for_a_topic_that_may_not_be_seen(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let group = group_with_offset(cx, &partition).await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let request = offset_fetch(cx, &group, &partition);
    let refusal = GroupAuthorizationFailed;
    let reply = expect_past_value(cx, &mut somebody.conn, &request, refusal).await?;
    let group = if cx.version() < 8 { "" } else { "groups[0]." };
    let path = format!("{group}topics[0].partitions[0].error_code");
    reply.expect_error_at(&path, TopicAuthorizationFailed)?;
    let offsets = offsets(&reply.value()?);
    require(offsets == [-1], "committed_offset = -1", || format!("{offsets:?}"))
}

/// DeleteGroups and OffsetDelete without DELETE on the group (READ is not enough) answer
/// GROUP_AUTHORIZATION_FAILED (30); OffsetDelete also needs READ on each topic, and else answers
/// TOPIC_AUTHORIZATION_FAILED (29) for it.
#[scenario("AUTHZ-019", api = OffsetDelete, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn offset_delete_needs_the_right_to_delete_the_group(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let group = group_with_offset(cx, &partition).await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;

    let index = OffsetDeleteRequestPartition::default().with_partition_index(partition.index);
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(text(&*partition.topic)))
        .with_partitions(vec![index]);
    let request = OffsetDeleteRequest::default()
        .with_group_id(GroupId(text(&*group)))
        .with_topics(vec![topic]);
    somebody.conn.ask(request.clone()).await?.expect_error(GroupAuthorizationFailed)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Delete).await?;
    let refusal = GroupAuthorizationFailed;
    let reply = expect_past(cx, &mut somebody.conn, &request, refusal).await?;
    reply.expect_error_at("topics[0].partitions[0].error_code", TopicAuthorizationFailed)
}

/// First version of OffsetCommit and OffsetFetch that names topics by id.
const IDS_FROM: i16 = 10;

/// A commit of offset 0 by a client that is no member of the group.
fn commit(cx: &Cx, group: &str, to: &[&Partition]) -> Value {
    let topics: Vec<Value> = to
        .iter()
        .map(|to| {
            let partition =
                Struct::new().with("committed_offset", 0).with("committed_metadata", "");
            named(cx, to, IDS_FROM, partition)
        })
        .collect();
    Value::Struct(Struct::new().with("group_id", group).with("topics", topics))
}

/// A question for the offset of one partition: of one group to version 7, of a list of groups from 8 on.
fn offset_fetch(cx: &Cx, group: &str, of: &Partition) -> Value {
    let topic = if cx.version() < IDS_FROM {
        Struct::new().with("name", of.topic.as_str())
    } else {
        Struct::new().with("topic_id", Value::Uuid(*of.topic_id.as_bytes()))
    };
    let topic = Value::Struct(topic.with("partition_indexes", vec![of.index]));
    let one = Struct::new().with("group_id", group).with("topics", vec![topic]);
    if cx.version() < 8 {
        return Value::Struct(one);
    }
    Value::Struct(Struct::new().with("groups", vec![Value::Struct(one)]))
}

/// Every committed offset of an answer.
fn offsets(value: &Value) -> Vec<i64> {
    match value {
        Value::Array(items) => items.iter().flat_map(offsets).collect(),
        Value::Struct(fields) => fields
            .fields()
            .flat_map(|(name, value)| match value {
                Value::Int(offset) if name == "committed_offset" => vec![*offset],
                other => offsets(other),
            })
            .collect(),
        _ => Vec::new(),
    }
}
