//! Produce (0): partitions, topics and topic ids that a write is sent to.
//!
//! Version 13 (KIP-516) names topics by id alone. Where an error 6 says that the leader
//! is (KIP-951) is in `replication`.

use kafka_protocol::messages::MetadataRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use uuid::Uuid;

use super::answers::{BASE_OFFSET, ERROR, NO_SUCH_INDEX, expect_refused, unknown_id};

scenarios![
    an_unknown_partition_is_refused_and_no_topic_is_created,
    a_topic_is_named_by_id,
    an_unknown_topic_id_is_refused,
    a_known_topic_id_with_an_unknown_partition_is_refused,
    the_id_of_a_deleted_topic_stays_unknown,
    a_broker_that_does_not_lead_refuses,
    an_internal_topic_is_not_written,
    the_admin_client_passes_the_check_of_internal_topics,
];

/// An unknown topic, or a known topic with a partition index that is out of range or negative, is
/// refused with UNKNOWN_TOPIC_OR_PARTITION (3). Produce never creates the topic, even with
/// auto-creation on.
#[scenario(
    "PRODUCE-008", api = Produce, versions = ..=12,
    vary = ["unknown topic", "index out of range", "negative index"],
)]
async fn an_unknown_partition_is_refused_and_no_topic_is_created(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let to = match cx.variant() {
        "unknown topic" => Partition { topic: cx.name("topic"), ..known },
        "index out of range" => Partition { index: NO_SUCH_INDEX, ..known },
        _ => Partition { index: -1, ..known },
    };

    let reply = leader.ask(cx.produce(&to, cx.records(&["lost"])?)?).await?;
    reply.expect_error_at(
        "responses[0].partition_responses[0].error_code",
        UnknownTopicOrPartition,
    )?;
    reply.expect_answer()?.expect_number(BASE_OFFSET, -1)?;
    if cx.variant() != "unknown topic" {
        return Ok(());
    }
    let version = cx.newest(keys::Metadata)?;
    let about = requests::metadata(version, &[&to.topic]);
    leader.ask(about).await?.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// Topics are named by topic_id and not by name, in request and response: the id of the request
/// comes back, and a valid batch is appended as in PRODUCE-001.
#[scenario("PRODUCE-009", api = Produce, versions = 13..)]
async fn a_topic_is_named_by_id(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;

    let body = leader.ask(cx.produce(&to, cx.records(&["a", "b"])?)?).await?.expect_ok()?;
    body.expect_number(BASE_OFFSET, 1)?;
    let echoed = body.at("responses[0].topic_id")?;
    body.require(
        echoed == Value::Uuid(to.topic_id.into_bytes()),
        format!("responses[0].topic_id = {}", to.topic_id),
        || echoed.to_string(),
    )?;
    cx.expect_next_offset(&to, 3).await
}

/// A topic_id that is unknown or all zero is refused with UNKNOWN_TOPIC_ID (100); a known one with
/// a partition index that does not exist with UNKNOWN_TOPIC_OR_PARTITION (3). After a topic was
/// deleted and created again under the same name, its old id is unknown.
#[scenario("PRODUCE-010", api = Produce, versions = 13.., vary = ["unknown id", "zero id"])]
async fn an_unknown_topic_id_is_refused(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let id = if cx.variant() == "zero id" { Uuid::nil() } else { unknown_id(&known) };
    let to = Partition { topic_id: id, ..known };
    leader.ask(cx.produce(&to, cx.records(&["lost"])?)?).await?.expect_error(UnknownTopicId)
}

/// A topic_id that is unknown or all zero is refused with UNKNOWN_TOPIC_ID (100); a known one with
/// a partition index that does not exist with UNKNOWN_TOPIC_OR_PARTITION (3). After a topic was
/// deleted and created again under the same name, its old id is unknown.
#[scenario("PRODUCE-010", api = Produce, versions = 13..)]
async fn a_known_topic_id_with_an_unknown_partition_is_refused(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let to = Partition { index: NO_SUCH_INDEX, ..known };
    let reply = leader.ask(cx.produce(&to, cx.records(&["lost"])?)?).await?;
    reply.expect_error(UnknownTopicOrPartition)
}

/// A topic_id that is unknown or all zero is refused with UNKNOWN_TOPIC_ID (100); a known one with
/// a partition index that does not exist with UNKNOWN_TOPIC_OR_PARTITION (3). After a topic was
/// deleted and created again under the same name, its old id is unknown.
#[scenario("PRODUCE-010", api = Produce, versions = 13..)]
async fn the_id_of_a_deleted_topic_stays_unknown(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?;
    let new = made_again(cx, &old).await?;
    let mut leader = cx.leader(&new.partition(0)).await?;

    let stale = Partition { topic_id: old.id, ..new.partition(0) };
    leader.ask(cx.produce(&stale, cx.records(&["lost"])?)?).await?.expect_error(UnknownTopicId)?;
    cx.expect_next_offset(&new.partition(0), 0).await
}

/// A broker that does not lead the partition refuses with NOT_LEADER_OR_FOLLOWER (6); nothing is
/// appended, and the records are not passed on to the leader.
#[scenario("PRODUCE-011", api = Produce, needs = [ThreeBrokers])]
async fn a_broker_that_does_not_lead_refuses(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let others = cx.facts().brokers.iter().map(|broker| broker.id);
    let Some(other) = others.clone().find(|id| *id != to.leader) else {
        return Err(Failure::blocked("a broker that does not lead", format!("{:?}", to.leader)));
    };
    let mut conn = cx.connect_broker(other).await?;
    // It must know the topic, or it would rightly say that there is none.
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&to.topic]);
    cx.settle(&mut conn, &about, kconform_scenario::LEADER_ON_ITS_WAY).await?.ok()?;

    let reply = conn.ask(cx.produce(&to, cx.records(&["astray"])?)?).await?;
    expect_refused(cx, reply, NotLeaderOrFollower, &to, 0).await
}

/// A write to an existing internal topic (__consumer_offsets, __transaction_state, from 4.0 on also
/// __share_group_state) is refused with INVALID_TOPIC_EXCEPTION (17); if the topic does not exist
/// yet, with UNKNOWN_TOPIC_OR_PARTITION (3).
#[scenario("PRODUCE-045", api = Produce, vary = ["__consumer_offsets", "__transaction_state"])]
async fn an_internal_topic_is_not_written(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = internal(cx).await?;

    // Damaged, so that a broker which does not look at the topic stores no garbage in it.
    let records = super::batches::damaged(&cx.records(&["intruder"])?);
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    reply.expect_error_at("responses[0].partition_responses[0].error_code", InvalidTopicException)
}

/// A client whose client_id is exactly `__admin_client` passes the check of internal topics, so that
/// its bytes are looked at: a batch with a wrong CRC is refused with CORRUPT_MESSAGE (2), where other
/// clients get INVALID_TOPIC_EXCEPTION (17).
#[scenario(
    "PRODUCE-046", api = Produce, versions = 3..,
    vary = ["__consumer_offsets", "__transaction_state"],
)]
async fn the_admin_client_passes_the_check_of_internal_topics(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = internal(cx).await?;
    // No broker stores it.
    let damaged = super::batches::damaged(&cx.records(&["intruder"])?);
    leader.client_id(Some("__admin_client"));
    let request = cx.produce(&to, damaged.clone())?;
    let reply = cx.settle(&mut leader, &request, kconform_scenario::LEADER_ON_ITS_WAY).await?;
    reply.expect_error_at(ERROR, CorruptMessage)?;
    leader.client_id(Some("__admin_client2"));
    let reply = leader.ask(cx.produce(&to, damaged)?).await?;
    reply.expect_error_at(ERROR, InvalidTopicException)
}

/// Partition 0 of the internal topic that the variant names, and a connection to its leader.
async fn internal(cx: &Cx) -> Result<(Partition, Conn), Failure> {
    // Looking the coordinator up is what creates the topic.
    match cx.variant() {
        "__consumer_offsets" => cx.group_coordinator(&cx.group()).await?,
        _ => cx.txn_coordinator(&cx.txn_id()).await?,
    };
    let to = first_partition(cx, cx.variant()).await?;
    let mut leader = cx.leader(&to).await?;
    // The leader may hear of the topic later than others.
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&to.topic]);
    cx.settle(&mut leader, &about, kconform_scenario::LEADER_ON_ITS_WAY).await?.ok()?;
    Ok((to, leader))
}

/// Deletes the topic and creates it again under its name.
pub(super) async fn made_again(cx: &Cx, old: &Topic) -> Result<Topic, Failure> {
    let mut conn = cx.connect().await?;
    let version = cx.newest(keys::DeleteTopics)?;
    conn.ask_newest(requests::delete_topic(version, &old.name)).await?.ok()?;
    forgotten(cx, &old.name).await?;
    conn.ask_newest(requests::create_topic(&old.name, &TopicSpec::default())).await?.ok()?;
    let mut tries = cx.tries("the new topic to replace the old one", Duration::from_secs(10));
    loop {
        let topic = cx.topic_ready(&old.name, 1).await?;
        if topic.id != old.id {
            return Ok(topic);
        }
        tries.again("the old id in the metadata").await?;
    }
}

/// Waits until no broker knows the topic: its leader would answer for the old one else.
async fn forgotten(cx: &Cx, topic: &str) -> Outcome {
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[topic]);
    for broker in &cx.facts().brokers {
        let mut conn = cx.connect_broker(broker.id).await?;
        let mut tries = cx.tries("the topic to be gone", Duration::from_secs(10));
        loop {
            let body = conn.ask_newest(about.clone()).await?.answered()?;
            let code = body.topics.first().map_or(0, |topic| topic.error_code);
            if code == UnknownTopicOrPartition.code() {
                break;
            }
            tries.again(Code(code)).await?;
        }
    }
    Ok(())
}

/// Partition 0 of a topic that is not ours, from the metadata.
async fn first_partition(cx: &Cx, topic: &str) -> Result<Partition, Failure> {
    let mut conn = cx.connect().await?;
    let about: MetadataRequest = requests::metadata(cx.newest(keys::Metadata)?, &[topic]);
    let body = cx.settle(&mut conn, &about, kconform_scenario::LEADER_ON_ITS_WAY).await?.ok()?;
    let found = body.topics.first();
    let first = found.and_then(|topic| {
        let led = topic.partitions.iter().find(|partition| partition.partition_index == 0)?;
        Some((topic.topic_id, led.leader_id.0))
    });
    let (topic_id, leader) =
        first.ok_or_else(|| Failure::blocked(format!("partition 0 of {topic}"), "none"))?;
    Ok(Partition { topic: topic.to_owned(), topic_id, index: 0, leader })
}
