//! Topics without the right to see or change them: Metadata (3), CreateTopics (19), DeleteTopics (20), DeleteRecords (21).
//!
//! Not covered: auto-creation by those who may create, and the bit fields of authorized operations.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::requests::metadata;

use super::allowed::{expect_past, missing, unprivileged, until_seen};

scenarios![
    metadata_tells_neither_existing_nor_missing_topics_apart,
    metadata_of_all_topics_leaves_out_what_may_not_be_seen,
    metadata_by_id_refuses_a_topic_that_may_not_be_seen,
    delete_records_needs_the_right_to_delete,
    create_topics_is_refused_for_each_topic,
];

/// Metadata answers TOPIC_AUTHORIZATION_FAILED (29), no partitions and a zero topic id for a topic
/// that is asked for by name without DESCRIBE, whether it exists or not; allow_auto_topic_creation
/// makes no difference and creates nothing.
#[scenario("AUTHZ-001", api = Metadata, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn metadata_tells_neither_existing_nor_missing_topics_apart(cx: &mut Cx) -> Outcome {
    let (existing, missing) = (cx.partition().await?.topic, cx.name("missing"));
    let mut somebody = unprivileged(cx).await?;
    // Versions before 4 always ask for auto-creation.
    let request =
        metadata(cx.version(), &[&existing, &missing]).with_allow_auto_topic_creation(true);
    let body = somebody.conn.ask(request).await?.expect_answer()?;
    body.require(body.topics.len() == 2, "both topics", || format!("{}", body.topics.len()))?;
    for topic in &body.topics {
        let told = (Code(topic.error_code), topic.partitions.len(), topic.topic_id.is_nil());
        let refused = (TopicAuthorizationFailed.into(), 0, true);
        body.require(told == refused, "code 29, no partitions, no id", || format!("{told:?}"))?;
    }
    let mut conn = cx.connect().await?;
    let again = metadata(cx.newest(keys::Metadata)?, &[&missing]);
    conn.ask_newest(again).await?.expect_error(UnknownTopicOrPartition)
}

/// Metadata of all topics (null, in version 0 an empty list) leaves out the topics without
/// DESCRIBE, and has no entries with an error for them.
#[scenario("AUTHZ-002", api = Metadata, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn metadata_of_all_topics_leaves_out_what_may_not_be_seen(cx: &mut Cx) -> Outcome {
    let (hidden, shown) = (cx.partition().await?.topic, cx.topic().await?.name);
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Topic(&shown);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;

    let all = if cx.version() == 0 { Some(vec![]) } else { None };
    let body = somebody.conn.ask(MetadataRequest::default().with_topics(all)).await?;
    let body = body.expect_answer()?;
    let listed = |name: &str| {
        body.topics.iter().any(|topic| topic.name.as_ref().is_some_and(|n| n.0.as_str() == name))
    };
    body.require(listed(&shown), format!("{shown} listed"), || "it is not".to_owned())?;
    // Not even with an error. Others may be listed with one: topics that were deleted just now.
    body.require(!listed(&hidden), format!("{hidden} left out"), || "it is listed".to_owned())
}

/// Metadata by topic id answers UNKNOWN_TOPIC_ID (100) for an id that no topic has, and
/// TOPIC_AUTHORIZATION_FAILED (29) with the id filled for a topic without DESCRIBE; the name is
/// null in both.
#[scenario("AUTHZ-003", api = Metadata, versions = 12.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn metadata_by_id_refuses_a_topic_that_may_not_be_seen(cx: &mut Cx) -> Outcome {
    let (known, unknown) = (cx.partition().await?.topic_id, missing(cx).topic_id);
    let mut somebody = unprivileged(cx).await?;
    let by_id = |id| MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let request = MetadataRequest::default().with_topics(Some(vec![by_id(known), by_id(unknown)]));
    let body = somebody.conn.ask(request).await?.expect_answer()?;
    for (id, code) in [(known, TopicAuthorizationFailed), (unknown, UnknownTopicId)] {
        let told = body.topics.iter().find(|topic| topic.topic_id == id);
        let told = told.map(|topic| (Code(topic.error_code), topic.name.is_none()));
        body.require(told == Some((code.into(), true)), format!("{code:?}, no name"), || {
            format!("{told:?}")
        })?;
    }
    Ok(())
}

/// DeleteRecords without DELETE on a topic (WRITE is not enough) answers TOPIC_AUTHORIZATION_FAILED
/// (29) and low_watermark -1, also when the topic does not exist.
#[scenario("AUTHZ-025", api = DeleteRecords, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn delete_records_needs_the_right_to_delete(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Topic(&topic.name);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;

    let partition = DeleteRecordsPartition::default().with_partition_index(0).with_offset(0);
    let named = DeleteRecordsTopic::default()
        .with_name(TopicName(text(&*topic.name)))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![named]).with_timeout_ms(10_000);
    let reply = somebody.conn.ask(request.clone()).await?;
    reply.expect_error_at("topics[0].partitions[0].error_code", TopicAuthorizationFailed)?;
    let mark = reply.at("topics[0].partitions[0].low_watermark")?;
    require(mark.as_int() == Some(-1), "low_watermark = -1", || mark.to_string())?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Delete).await?;
    let refusal = TopicAuthorizationFailed;
    expect_past(cx, &mut somebody.conn, &request, refusal).await?.expect_ok()?;
    Ok(())
}

/// A denial on the level of the cluster is said in the API's own answer at the client's version,
/// and the connection stays usable: CLUSTER_AUTHORIZATION_FAILED (31) from ElectLeaders (version 1
/// on), AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum, UpdateFeatures,
/// UnregisterBroker, client quotas, SCRAM credentials, DescribeLogDirs (version 3 on),
/// DescribeConfigs of a broker, AlterReplicaLogDirs and AddRaftVoter; CreateTopics answers
/// TOPIC_AUTHORIZATION_FAILED (29) for each topic.
#[scenario("AUTHZ-031", api = CreateTopics, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn create_topics_is_refused_for_each_topic(cx: &mut Cx) -> Outcome {
    let name = cx.name("topic");
    cx.undo(Undo::Topic(name.clone()));
    let mut somebody = unprivileged(cx).await?;
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(&*name)))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let refusal = TopicAuthorizationFailed;
    let reply = somebody.conn.ask(request.clone()).await?;
    reply.expect_error_at("topics[0].error_code", refusal)?;

    let right = Resource::Topic(&name);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Create).await?;
    let mut tries = until_seen(cx);
    loop {
        // From version 5 on a code of its own says that the configuration may not be seen: that takes more than CREATE.
        let reply = somebody.conn.ask(request.clone()).await?;
        let code = reply.at("topics[0].error_code")?;
        if code.as_int() != Some(refusal.code().into()) {
            return reply.expect_error_at("topics[0].error_code", Code::NONE);
        }
        tries.expect(format!("topics[0].error_code = {code}")).await?;
    }
}
