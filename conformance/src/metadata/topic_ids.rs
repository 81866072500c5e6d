//! Metadata (3) and topic ids (KIP-516): version 10 shows them, version 12 asks by them.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

use uuid::Uuid;

use super::topics::{expect_absent, only};
use crate::topics::delete_topic;

scenarios![
    a_re_created_topic_has_another_id,
    a_topic_can_be_asked_for_by_id,
    an_unknown_topic_id_is_reported,
    a_topic_id_is_refused_before_its_version,
    names_beside_ids_are_ignored,
    an_id_that_may_not_be_described_is_refused_without_its_name,
    the_id_of_a_deleted_topic_becomes_unknown,
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
    let by_id = conn.ask(by_id(own.topic_id)).await?.expect_ok()?;
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

/// In versions 10 and 11 a topic_id other than zero or a null name, even in one entry of several,
/// has every topic of the request answered with INVALID_REQUEST (42), its name (an empty one for
/// null) and no partitions, beside no brokers, cluster_id null and controller_id -1. The connection
/// stays open.
#[scenario("META-027", api = Metadata, versions = 10..=11, vary = ["topic id", "null name"])]
async fn a_topic_id_is_refused_before_its_version(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let name = Value::from(own.topic.as_str());
    let id = match cx.variant() {
        "topic id" => Value::Uuid(own.topic_id.into_bytes()),
        _ => Value::Uuid([0; 16]),
    };
    let odd = if cx.variant() == "topic id" { name.clone() } else { Value::Null };
    let odd = Struct::new().with("topic_id", id).with("name", odd);
    let plain = Struct::new().with("topic_id", Value::Uuid([0; 16])).with("name", name.clone());
    let request = Struct::new()
        .with("topics", vec![Value::Struct(odd), Value::Struct(plain)])
        .with("allow_auto_topic_creation", false);
    let mut conn = cx.connect().await?;
    let reply = conn.ask_value(cx.key(), cx.version(), &Value::Struct(request)).await?;

    for (index, name) in [(0, cx.variant()), (1, "topic id")] {
        let path = |field: &str| format!("topics[{index}].{field}");
        reply.expect_error_at(&path("error_code"), InvalidRequest)?;
        let name = if name == "topic id" { own.topic.as_str() } else { "" };
        let got = reply.at(&path("name"))?;
        require(got.as_str() == Some(name), &format!("name {name:?}"), || got.to_string())?;
        let got = reply.at(&path("partitions"))?;
        require(got == Value::Array(Vec::new()), "no partitions", || got.to_string())?;
    }
    let nothing = [
        ("brokers", Value::Array(Vec::new())),
        ("cluster_id", Value::Null),
        ("controller_id", Value::Int(-1)),
    ];
    for (field, expected) in nothing {
        let got = reply.at(field)?;
        require(got == expected, &format!("{field} = {expected}"), || got.to_string())?;
    }
    // The connection stays open.
    conn.ask(requests::metadata(cx.version(), &[&own.topic])).await?.expect_ok().map(drop)
}

/// Where one entry of a request names a topic by its id, the entries by name alone are ignored:
/// there is no entry for them in the answer, be they known or unknown, and nothing is created.
#[scenario("META-028", api = Metadata, versions = 12..)]
async fn names_beside_ids_are_ignored(cx: &mut Cx) -> Outcome {
    let (own, other) = (cx.partition().await?, cx.topic().await?);
    let unknown = cx.name("unknown");
    let by_id = MetadataRequestTopic::default().with_name(None).with_topic_id(own.topic_id);
    let names = [&other.name, &unknown].map(|name| requests::metadata_topic(name));
    let topics = names.into_iter().chain([by_id]).collect();
    let request = MetadataRequest::default().with_topics(Some(topics));
    let mut conn = cx.connect().await?;
    let request = request.with_allow_auto_topic_creation(true);
    let body = conn.ask(request).await?.expect_ok()?;
    only(&body, &body.topics, &own.topic)?;
    expect_absent(cx, &mut conn, &unknown).await
}

/// A topic asked for by an id that the caller may not describe is answered with
/// TOPIC_AUTHORIZATION_FAILED (29), a null name, the id as asked and no partitions.
#[scenario("META-034", api = Metadata, versions = 12.., needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")
])]
async fn an_id_that_may_not_be_described_is_refused_without_its_name(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let reply = conn.ask(by_id(own.topic_id)).await?;
    expect_nameless(reply, own.topic_id, TopicAuthorizationFailed)
}

/// Soon after DeleteTopics answered, the topic asked for by its old id is answered with
/// UNKNOWN_TOPIC_ID (100), a null name, the id as asked and no partitions, and by its name, with
/// the flag false, with UNKNOWN_TOPIC_OR_PARTITION (3). In between an answer may have no entry for
/// it (seen on 3.9), or one with its name, the zero id and error 3 (seen on 4.4).
#[scenario("META-039", api = Metadata, versions = 12..)]
async fn the_id_of_a_deleted_topic_becomes_unknown(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    let version = cx.newest(keys::DeleteTopics)?;
    conn.ask_newest(requests::delete_topic(version, &topic.name)).await?.ok()?;
    let mut tries = cx.tries(format!("topic {} to be gone", topic.name), GONE_WITHIN);
    loop {
        let reply = conn.ask(by_id(topic.id)).await?;
        if !going(&reply, &topic.name)? {
            expect_nameless(reply, topic.id, UnknownTopicId)?;
            break;
        }
        tries.expect("the topic, or its name, is still there").await?;
    }
    let by_name = requests::metadata(cx.version(), &[&topic.name]);
    conn.ask(by_name).await?.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// Whether the topic is still there, by its name at least. For a moment its id may lead to the name, and the name nowhere:
/// then there is no entry (3.9), or one of an unknown name (4.4, KafkaApis.getTopicMetadata).
fn going(reply: &Reply<MetadataResponse>, name: &str) -> Result<bool, Failure> {
    if reply.at("topics")?.as_array().is_none_or(<[Value]>::is_empty) {
        return Ok(true);
    }
    let unknown = Code::from(UnknownTopicOrPartition);
    Ok(match reply.at("topics[0].error_code")?.as_int() {
        Some(0) => true,
        Some(code) if code == i64::from(unknown.0) => {
            reply.at("topics[0].name")?.as_str() == Some(name)
        }
        _ => false,
    })
}

/// How soon a deleted topic is gone from the metadata: deletions queue up behind each other.
const GONE_WITHIN: Duration = Duration::from_secs(40);

/// A question about the topic with this id, without auto-creation.
fn by_id(id: Uuid) -> MetadataRequest {
    let topic = MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false)
}

/// The act: one entry, with this code and id, a null name and no partitions.
fn expect_nameless(reply: Reply<MetadataResponse>, id: Uuid, code: ResponseError) -> Outcome {
    reply.expect_error_at("topics[0].error_code", code)?;
    let body = reply.expect_answer()?;
    let got = body.topics.first().map(|topic| {
        (
            topic.name.as_ref().map(|name| name.as_str().to_owned()),
            topic.topic_id,
            topic.partitions.len(),
        )
    });
    let expected = Some((None, id, 0));
    body.require(body.topics.len() == 1 && got == expected, format!("{expected:?}"), || {
        format!("{got:?} among {}", body.topics.len())
    })
}

async fn create(conn: &mut Conn, name: &str) -> Outcome {
    let request = requests::create_topic(name, &TopicSpec::default());
    conn.ask_newest(request).await?.ok().map(drop)
}
