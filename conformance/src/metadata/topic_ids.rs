//! Metadata (3) and topic ids (KIP-516): version 10 shows them, version 12 asks by them.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

use crate::topics::delete_topic;

scenarios![
    a_re_created_topic_has_another_id,
    a_topic_can_be_asked_for_by_id,
    an_unknown_topic_id_is_reported,
];

/// topic_id is not zero for existing topics and stable; a topic that was deleted and created again
/// under its name has another id. Below v10 there is no id.
#[scenario("META-024", api = Metadata, versions = 10..)]
async fn a_re_created_topic_has_another_id(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    let first = conn.ask(requests::metadata(cx.version(), &[&topic.name])).await?.expect_ok()?;
    let first_id = first.topics.first().map(|found| found.topic_id);
    first.require(first_id.is_some_and(|id| !id.is_nil()), "a topic id", || {
        format!("{first_id:?}")
    })?;

    delete_topic(cx, &mut conn, &topic.name).await?;
    create(&mut conn, &topic.name).await?;
    let again = cx.topic_ready(&topic.name, 1).await?;

    let body = conn.ask(requests::metadata(cx.version(), &[&topic.name])).await?.expect_ok()?;
    let id = body.topics.first().map(|found| found.topic_id);
    body.require(
        id == Some(again.id) && !again.id.is_nil() && id != first_id,
        format!("a stable topic id other than {first_id:?}"),
        || format!("{id:?}"),
    )
}

/// A topic asked for by topic_id with a null name is answered as if it had been asked for by name,
/// with the name filled in.
#[scenario("META-025", api = Metadata, versions = 12..)]
async fn a_topic_can_be_asked_for_by_id(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let mut conn = cx.connect().await?;
    let by_name = conn.ask(requests::metadata(cx.version(), &[&own.topic])).await?.ok()?;
    let topic = MetadataRequestTopic::default().with_name(None).with_topic_id(own.topic_id);
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(false);
    let by_id = conn.ask(request).await?.expect_ok()?;
    let sorted = |mut topics: Vec<MetadataResponseTopic>| {
        for topic in &mut topics {
            topic.partitions.sort_by_key(|partition| partition.partition_index);
        }
        topics
    };
    let (expected, got) = (sorted(by_name.topics.clone()), sorted(by_id.topics.clone()));
    by_id.require(got == expected, format!("as by name: {expected:?}"), || format!("{got:?}"))
}

/// An unknown topic_id is answered UNKNOWN_TOPIC_ID (100) with name null, the topic_id as asked,
/// and no partitions; nothing is created.
#[scenario("META-026", api = Metadata, versions = 12..)]
async fn an_unknown_topic_id_is_reported(cx: &mut Cx) -> Outcome {
    let id = u128::from_str_radix(&cx.nonce(), 16);
    let id = Value::Uuid(id.map_err(|error| Failure::error(error.to_string()))?.to_be_bytes());
    let topic = Struct::new().with("topic_id", id.clone()).with("name", Value::Null);
    let request = Struct::new().with("topics", vec![topic]).with("allow_auto_topic_creation", true);
    let mut conn = cx.connect().await?;
    let reply = conn.ask_value(cx.key(), cx.version(), &Value::Struct(request)).await?;
    reply.expect_error_at("topics[0].error_code", UnknownTopicId)?;
    let body = reply.expect_answer()?;
    for (field, expected) in
        [("topic_id", id), ("name", Value::Null), ("partitions", Value::Array(Vec::new()))]
    {
        let got = body.at(&format!("topics[0].{field}"))?;
        body.require(got == expected, format!("{field} = {expected}"), || got.to_string())?;
    }
    let topics = body.at("topics")?.as_array().map_or(0, <[Value]>::len);
    body.require(topics == 1, "one entry", || topics.to_string())
}

async fn create(conn: &mut Conn, name: &str) -> Outcome {
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(1)
        .with_replication_factor(-1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    conn.ask_newest(request).await?.ok().map(drop)
}
