//! See `requirements/topics.toml`.

use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest,
};
use kafka_protocol::messages::{BrokerId, TopicName};
use kconform_scenario::Scenario;
use kconform_scenario::prelude::*;

mod create_partitions;
mod create_partitions_shape;
mod create_topics;
mod create_topics_names;
mod create_topics_shape;
mod delete_topics;
mod delete_topics_rights;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    create_topics::SCENARIOS,
    create_topics_names::SCENARIOS,
    create_topics_shape::SCENARIOS,
    delete_topics::SCENARIOS,
    delete_topics_rights::SCENARIOS,
    create_partitions::SCENARIOS,
    create_partitions_shape::SCENARIOS,
];

/// Set-up: deletes a topic and waits until the metadata of this connection's broker has it no more. Until then a topic
/// created again under the name could be taken for the old one.
pub(crate) async fn delete_topic(cx: &Cx, conn: &mut Conn, name: &str) -> Outcome {
    let version = cx.newest(keys::DeleteTopics)?;
    conn.ask_newest(requests::delete_topic(version, name)).await?.ok()?;
    let mut tries = cx.tries(format!("topic {name} to be gone"), Duration::from_secs(40));
    loop {
        // Version 4 is the first that can say "do not create".
        let asked = requests::metadata(4, &[name]);
        let body = conn.ask_newest(asked).await?.answered()?;
        let code = body.topics.first().map_or(0, |found| found.error_code);
        if code == UnknownTopicOrPartition.code() {
            return Ok(());
        }
        tries.again(Code(code)).await?;
    }
}

/// What a leader says that does not know a new topic yet, by name and by id.
const NOT_YET_THERE: &[Code] = &[Code(3), Code(5), Code(6), Code(100), Code(103)];

/// Set-up: makes a topic again that was deleted, with this one partition, led by the same broker, and gives the new
/// partition once its leader serves it.
pub(crate) async fn topic_again(cx: &Cx, old: &Partition) -> Result<Partition, Failure> {
    let assignment = CreatableReplicaAssignment::default()
        .with_partition_index(old.index)
        .with_broker_ids(vec![BrokerId(old.leader)]);
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(&old.topic)))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(vec![assignment]);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    cx.connect().await?.ask_newest(request).await?.ok()?;
    let mut tries = cx.tries("the topic under its new id", Duration::from_secs(20));
    loop {
        let topic = cx.topic_ready(&old.topic, 1).await?;
        if topic.id != old.topic_id {
            let new = topic.partition(0);
            served_by_id(cx, &new).await?;
            return Ok(new);
        }
        tries.again("the old id").await?;
    }
}

/// Set-up: waits until the leader has taken up a topic that was made again. A broker that is alone knows of it by its own
/// metadata.
pub(crate) async fn taken_up(cx: &Cx, new: &Partition) -> Outcome {
    if cx.facts().brokers.len() > 1 { served_by_id(cx, new).await } else { Ok(()) }
}

/// Waits until the leader serves the topic under its id: asked by name it may still answer for the old one.
async fn served_by_id(cx: &Cx, new: &Partition) -> Outcome {
    let version = cx.newest(keys::Fetch)?;
    let probe = requests::fetch(version, new, 0);
    let mut leader = cx.leader(new).await?;
    cx.settle_at(&mut leader, version, &probe, NOT_YET_THERE).await?.ok().map(drop)
}
