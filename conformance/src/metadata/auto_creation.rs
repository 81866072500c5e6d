//! Metadata (3) that creates the topics it is asked for: the first answer, and the rights.
//!
//! Version 4 brought the flag; earlier versions always create. What becomes of the topic:
//! `topics.rs`.

use kconform_scenario::Undo;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource, allowed};

use super::topics::{creates_topics, expect_absent, only};

scenarios![
    the_first_answer_says_that_the_topic_is_unknown,
    a_topic_is_not_created_without_the_right_to_create,
    the_right_to_create_the_topic_suffices,
];

const ERROR: &str = "topics[0].error_code";

/// The first answer for a topic that it creates automatically is UNKNOWN_TOPIC_OR_PARTITION (3)
/// with the name and no partitions, in every version (seen on 3.9, 4.1 and 4.4;
/// LEADER_NOT_AVAILABLE (5) from brokers with a ZooKeeper controller).
#[scenario("META-018", api = Metadata, needs = [
    Config("auto.create.topics.enable"), Config("num.partitions")
])]
async fn the_first_answer_says_that_the_topic_is_unknown(cx: &mut Cx) -> Outcome {
    creates_topics(cx, true)?;
    let name = cx.name("auto");
    cx.undo(Undo::Topic(name.clone()));
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    let reply = cx.connect().await?.ask(request).await?;
    reply.expect_error_at(ERROR, UnknownTopicOrPartition)?;
    let body = reply.expect_answer()?;
    let found = only(&body, &body.topics, &name)?;
    body.require(found.partitions.is_empty(), "no partitions", || format!("{found:?}"))?;
    cx.topic_ready(&name, partitions(cx)?).await.map(drop)
}

/// A request that would create a topic (flag true, or version 0 to 3), by a principal with DESCRIBE
/// on its name but CREATE neither on it nor on the cluster, is answered with
/// TOPIC_AUTHORIZATION_FAILED (29) and creates nothing; with the flag false the answer is
/// UNKNOWN_TOPIC_OR_PARTITION (3). CREATE on the topic alone, besides DESCRIBE, suffices.
#[scenario("META-035", api = Metadata, needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN"),
    Config("auto.create.topics.enable")
])]
async fn a_topic_is_not_created_without_the_right_to_create(cx: &mut Cx) -> Outcome {
    creates_topics(cx, true)?;
    let name = cx.name("auto");
    cx.undo(Undo::Topic(name.clone()));
    let mut conn = describer(cx, &name).await?;
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    conn.ask(request.clone()).await?.expect_error_at(ERROR, TopicAuthorizationFailed)?;
    if cx.version() >= 4 {
        let request = request.with_allow_auto_topic_creation(false);
        conn.ask(request).await?.expect_error_at(ERROR, UnknownTopicOrPartition)?;
    }
    expect_absent(cx, &mut cx.connect().await?, &name).await
}

/// A request that would create a topic (flag true, or version 0 to 3), by a principal with DESCRIBE
/// on its name but CREATE neither on it nor on the cluster, is answered with
/// TOPIC_AUTHORIZATION_FAILED (29) and creates nothing; with the flag false the answer is
/// UNKNOWN_TOPIC_OR_PARTITION (3). CREATE on the topic alone, besides DESCRIBE, suffices.
#[scenario("META-035", api = Metadata, needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN"),
    Config("auto.create.topics.enable"), Config("num.partitions")
])]
async fn the_right_to_create_the_topic_suffices(cx: &mut Cx) -> Outcome {
    creates_topics(cx, true)?;
    let name = cx.name("auto");
    cx.undo(Undo::Topic(name.clone()));
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    cx.create_acl(allowed(&user, Resource::Topic(&name), Operation::Create)).await?;
    // Given last: when it is seen, the right to create counts too.
    let mut conn = describer(cx, &name).await?;
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    let mut tries = cx.tries(format!("topic {name} to be created"), Duration::from_secs(30));
    loop {
        let body = conn.ask(request.clone()).await?.expect_answer()?;
        let found = only(&body, &body.topics, &name)?;
        let code = Code(found.error_code);
        body.require(code != TopicAuthorizationFailed.into(), "leave to create", || {
            code.to_string()
        })?;
        if code == Code::NONE {
            let got = i32::try_from(found.partitions.len()).unwrap_or(-1);
            let expected = partitions(cx)?;
            return body
                .require(got == expected, format!("{expected} partitions"), || got.to_string());
        }
        tries.expect(code).await?;
    }
}

/// A connection of the user without rights, which may describe this topic.
async fn describer(cx: &Cx, topic: &str) -> Result<Conn, Failure> {
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let (listener, role) = (Listener::SaslPlaintext, Role::Unprivileged);
    let mut conn = cx.log_in(listener, role, Mechanism::Plain).await?;
    cx.grant(&mut conn, &name, Resource::Topic(topic), Operation::Describe).await?;
    Ok(conn)
}

/// How many partitions an automatic topic gets.
fn partitions(cx: &Cx) -> Result<i32, Failure> {
    let number = cx.facts().config_number("num.partitions");
    let number = number.and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| Failure::NotRun("leave to read num.partitions".to_owned()))
}
