//! CreateTopics (19): what a created topic is like, dry runs, and what happens beside it.
//!
//! Version 1 brought validate_only, version 5 the numbers and settings in the answer (KIP-525), version 7 the topic id. Names
//! stand in `create_topics_names.rs`, partitions, replicas and settings that are refused in `create_topics_shape.rs`.
//! Policies (CT-034) are not covered.

use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use kconform_scenario::{Body, Undo};

use super::{delete_topic, taken_up};

scenarios![
    a_created_topic_is_listed_and_led,
    minus_one_stands_for_the_defaults_of_the_broker,
    a_dry_run_says_what_would_happen_and_creates_nothing,
    an_existing_topic_is_left_alone,
    the_answer_tells_numbers_and_settings,
    a_refusal_tells_no_numbers,
    the_topic_id_is_that_of_the_metadata,
    no_topics_are_created_without_an_error,
    good_topics_are_created_beside_a_bad_one,
    a_re_created_topic_starts_empty,
    who_may_not_create_learns_nothing,
];

/// A topic asked for with 3 partitions and replication factor 1 is answered with error_code 0, and
/// Metadata then lists its 3 partitions, each with a leader, and a topic id that is not zero
/// (Metadata v10+).
#[scenario("CT-001", api = CreateTopics)]
async fn a_created_topic_is_listed_and_led(cx: &mut Cx) -> Outcome {
    let name = own_name(cx, "created");
    let spec = topic(&name).with_num_partitions(3);
    let body = cx.connect().await?.ask(create(vec![spec])).await?.expect_ok()?;
    let made = expect_ready(cx, &name, 3).await?;
    // Metadata shows topic ids from version 10 on.
    let has_id = cx.newest(keys::Metadata)? < 10 || !made.id.is_nil();
    body.require(has_id, "a topic id in the metadata", || format!("{made:?}"))
}

/// num_partitions -1 and replication_factor -1 stand for the broker's num.partitions and
/// default.replication.factor; from v5 on the answer tells the numbers that they came to.
#[scenario("CT-002", api = CreateTopics, needs = [
    Config("num.partitions"), Config("default.replication.factor")
])]
async fn minus_one_stands_for_the_defaults_of_the_broker(cx: &mut Cx) -> Outcome {
    let number = |setting| cx.facts().config_number(setting).and_then(|n| i32::try_from(n).ok());
    let unknown = || Failure::blocked("the broker's defaults as numbers", "none");
    let partitions = number("num.partitions").ok_or_else(unknown)?;
    let replicas = number("default.replication.factor").ok_or_else(unknown)?;
    let name = own_name(cx, "defaults");
    let spec = topic(&name).with_num_partitions(-1).with_replication_factor(-1);
    let body = cx.connect().await?.ask(create(vec![spec])).await?.expect_ok()?;
    if cx.version() >= 5 {
        expect_numbers(&body, partitions, replicas)?;
    }
    expect_ready(cx, &name, partitions).await.map(drop)
}

/// With validate_only true a valid topic is answered with error_code 0 and does not exist
/// afterwards, an existing name with TOPIC_ALREADY_EXISTS (36), and an invalid topic with the same
/// error as without it.
#[scenario("CT-004", api = CreateTopics, versions = 1.., vary = ["valid", "existing", "invalid"])]
async fn a_dry_run_says_what_would_happen_and_creates_nothing(cx: &mut Cx) -> Outcome {
    let (spec, code) = match cx.variant() {
        "valid" => (topic(&own_name(cx, "dry")), Code::NONE),
        "existing" => (topic(&cx.partition().await?.topic), TopicAlreadyExists.into()),
        _ => (topic(&own_name(cx, "dry")).with_num_partitions(0), InvalidPartitions.into()),
    };
    let name = spec.name.to_string();
    let mut conn = cx.connect().await?;
    let reply = conn.ask(create(vec![spec]).with_validate_only(true)).await?;
    reply.expect_error_at("topics[0].error_code", code)?;
    if cx.variant() == "existing" { Ok(()) } else { expect_absent(&mut conn, &name).await }
}

/// An existing name is refused with TOPIC_ALREADY_EXISTS (36), and the existing topic is untouched:
/// same id, same number of partitions.
#[scenario("CT-006", api = CreateTopics)]
async fn an_existing_topic_is_left_alone(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let mut conn = cx.connect().await?;
    let before = conn.ask_newest(by_name(&own.topic)).await?.answered()?;
    let reply = conn.ask(create(vec![topic(&own.topic)])).await?;
    reply.expect_error_at("topics[0].error_code", TopicAlreadyExists)?;
    let after = conn.ask_newest(by_name(&own.topic)).await?.expect_answer()?;
    let shape = |body: &Body<kafka_protocol::messages::MetadataResponse>| {
        body.topics.first().map(|found| (found.topic_id, found.partitions.len()))
    };
    let (expected, got) = (shape(&before), shape(&after));
    after.require(got == expected, format!("topic id and partitions {expected:?}"), || {
        format!("{got:?}")
    })
}

/// The answer to a created topic tells num_partitions, replication_factor and a list of configs
/// that is not empty (name, value, read_only, config_source, is_sensitive), sorted by name; a key
/// set by the request has config_source 1, the others 4 or 5, or 2 or 3 where the setting was made
/// at run time (min.insync.replicas on 4.x with eligible leader replicas: 3).
#[scenario("CT-025", api = CreateTopics, versions = 5..)]
async fn the_answer_tells_numbers_and_settings(cx: &mut Cx) -> Outcome {
    let spec = topic(&own_name(cx, "told"))
        .with_num_partitions(2)
        .with_configs(vec![setting("retention.ms", Some("3600000"))]);
    let body = cx.connect().await?.ask(create(vec![spec])).await?.expect_ok()?;
    expect_numbers(&body, 2, 1)?;
    let told = body.topics.first().and_then(|topic| topic.configs.clone()).unwrap_or_default();
    body.require(!told.is_empty(), "settings", || "none".to_owned())?;
    body.require(told.is_sorted_by_key(|config| config.name.as_str()), "sorted by name", || {
        format!("{:?}", told.iter().map(|config| config.name.as_str()).collect::<Vec<_>>())
    })?;
    // Sources: 1 the topic's own, 2 and 3 set at run time, 4 the broker's file, 5 the default. From 4.1 on the cluster
    // sets min.insync.replicas at run time itself (KIP-966).
    let odd = told.iter().find(|config| match config.name.as_str() {
        "retention.ms" => config.config_source != 1 || config.value.as_deref() != Some("3600000"),
        _ => !(2..=5).contains(&config.config_source),
    });
    let overridden = told.iter().any(|config| config.name.as_str() == "retention.ms");
    body.require(odd.is_none() && overridden, "source 1 for retention.ms, 2 to 5 else", || {
        format!("{odd:?}")
    })
}

/// The answer to a refused topic has num_partitions -1, replication_factor -1 and configs empty,
/// not null.
#[scenario("CT-026", api = CreateTopics, versions = 5..)]
async fn a_refusal_tells_no_numbers(cx: &mut Cx) -> Outcome {
    let spec = topic(&own_name(cx, "refused")).with_num_partitions(0);
    let reply = cx.connect().await?.ask(create(vec![spec])).await?;
    reply.expect_error_at("topics[0].error_code", InvalidPartitions)?;
    let body = reply.expect_answer()?;
    expect_numbers(&body, -1, -1)?;
    let configs = body.at("topics[0].configs")?;
    body.require(configs == Value::Array(Vec::new()), "configs empty, not null", || {
        configs.to_string()
    })
}

/// topic_id is not zero and equals the id in Metadata v10+ and DescribeTopicPartitions; it is zero
/// when the topic is refused.
#[scenario("CT-028", api = CreateTopics, versions = 7.., vary = ["created", "refused"])]
async fn the_topic_id_is_that_of_the_metadata(cx: &mut Cx) -> Outcome {
    let name = own_name(cx, "id");
    let mut conn = cx.connect().await?;
    if cx.variant() == "refused" {
        let spec = topic(&name).with_num_partitions(0);
        let reply = conn.ask(create(vec![spec])).await?;
        reply.expect_error_at("topics[0].error_code", InvalidPartitions)?;
        let id = reply.at("topics[0].topic_id")?;
        let nil = id.as_uuid() == Some([0; 16]);
        return reply.expect_answer()?.require(nil, "a topic id of zero", || id.to_string());
    }
    let body = conn.ask(create(vec![topic(&name)])).await?.expect_ok()?;
    let made = expect_ready(cx, &name, 1).await?;
    let id = body.topics.first().map(|found| found.topic_id);
    body.require(
        id == Some(made.id) && !made.id.is_nil(),
        format!("the topic id of the metadata, {}", made.id),
        || format!("{id:?}"),
    )
}

/// An empty array of topics is answered with an empty array of results and no error.
#[scenario("CT-029", api = CreateTopics)]
async fn no_topics_are_created_without_an_error(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(create(Vec::new())).await?.expect_ok()?;
    body.require(body.topics.is_empty(), "no results", || format!("{:?}", body.topics))
}

/// One bad topic among good ones: the good ones are created, the bad one gets its error_code.
#[scenario("CT-030", api = CreateTopics)]
async fn good_topics_are_created_beside_a_bad_one(cx: &mut Cx) -> Outcome {
    let (good, bad) = (own_name(cx, "good"), own_name(cx, "bad"));
    let specs = vec![topic(&bad).with_num_partitions(0), topic(&good)];
    let body = cx.connect().await?.ask(create(specs)).await?.expect_answer()?;
    for (name, code) in [(&good, Code::NONE), (&bad, InvalidPartitions.into())] {
        let found = body.topics.iter().find(|found| found.name.as_str() == name);
        let got = found.map(|found| Code(found.error_code));
        body.require(got == Some(code), format!("{code} for {name}"), || format!("{got:?}"))?;
    }
    expect_ready(cx, &good, 1).await.map(drop)
}

/// A topic that was deleted and created again under its name has a new topic id, and its log starts
/// and ends at offset 0.
#[scenario("CT-036", api = CreateTopics)]
async fn a_re_created_topic_starts_empty(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?;
    let partition = old.partition(0);
    let mut leader = cx.leader(&partition).await?;
    let record = cx.records(&["of the old topic"])?;
    leader.ask(cx.produce(&partition, record)?).await?.ok()?;
    let mut conn = cx.connect().await?;
    delete_topic(cx, &mut conn, &old.name).await?;

    let body = conn.ask(create(vec![topic(&old.name)])).await?.expect_ok()?;
    let new = expect_ready(cx, &old.name, 1).await?;
    body.require(new.id != old.id, format!("a topic id other than {}", old.id), || {
        new.id.to_string()
    })?;
    let partition = new.partition(0);
    taken_up(cx, &partition).await?;
    let mut leader = cx.leader(&partition).await?;
    let end = leader.ask(requests::list_offsets(&partition, -1)).await?.expect_ok()?;
    let offset = end.at("topics[0].partitions[0].offset")?;
    end.require(offset == Value::Int(0), "an empty log, which ends at 0", || offset.to_string())
}

/// A caller that may CREATE neither on the cluster nor on the topic is refused with
/// TOPIC_AUTHORIZATION_FAILED (29), whether the topic exists or not: TOPIC_ALREADY_EXISTS (36)
/// would tell.
#[scenario("CT-037", api = CreateTopics, vary = ["existing", "missing"], needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")
])]
async fn who_may_not_create_learns_nothing(cx: &mut Cx) -> Outcome {
    let name = match cx.variant() {
        "existing" => cx.partition().await?.topic,
        _ => own_name(cx, "forbidden"),
    };
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let reply = conn.ask(create(vec![topic(&name)])).await?;
    reply.expect_error_at("topics[0].error_code", TopicAuthorizationFailed)?;
    if cx.variant() == "existing" {
        return Ok(());
    }
    expect_absent(&mut cx.connect().await?, &name).await
}

/// A fresh name, whose topic the run deletes if it came to be.
pub(super) fn own_name(cx: &Cx, kind: &str) -> String {
    let name = cx.name(kind);
    cx.undo(Undo::Topic(name.clone()));
    name
}

/// A topic of one partition with one replica.
pub(super) fn topic(name: &str) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(1)
        .with_replication_factor(1)
}

/// A setting of a topic.
pub(super) fn setting(name: &str, value: Option<&str>) -> CreatableTopicConfig {
    CreatableTopicConfig::default().with_name(text(name)).with_value(value.map(text))
}

/// The request for these topics, 30 s.
pub(super) fn create(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// The topic comes to be ready: that it does not is a violation here.
pub(super) async fn expect_ready(cx: &Cx, name: &str, partitions: i32) -> Result<Topic, Failure> {
    match cx.topic_ready(name, partitions).await {
        Err(Failure::Blocked(finding)) => Err(Failure::Failed(finding)),
        other => other,
    }
}

/// Nobody has made this topic.
pub(super) async fn expect_absent(conn: &mut Conn, name: &str) -> Outcome {
    let reply = conn.ask_newest(by_name(name)).await?;
    reply.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// Metadata of one topic without creating it, which version 4 and later can say.
fn by_name(name: &str) -> MetadataRequest {
    requests::metadata(4, &[name])
}

fn expect_numbers(
    body: &Body<kafka_protocol::messages::CreateTopicsResponse>,
    partitions: i32,
    replicas: i32,
) -> Outcome {
    let told = (body.at("topics[0].num_partitions")?, body.at("topics[0].replication_factor")?);
    let expected = (Value::from(partitions), Value::from(replicas));
    body.require(
        told == expected,
        format!("num_partitions {partitions}, replication_factor {replicas}"),
        || format!("{} and {}", told.0, told.1),
    )
}
