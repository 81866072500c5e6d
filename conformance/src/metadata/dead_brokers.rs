//! Metadata (3) of partitions whose replicas are on a dead broker, and of those whose are not.
//!
//! The topics with such partitions come with the target. Version 5 brought offline_replicas. Not
//! covered: a live leader that lacks the listener (META-015).

use kafka_protocol::messages::MetadataResponse;
use kafka_protocol::messages::metadata_response::MetadataResponsePartition;
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

use super::named;
use crate::{DEAD_FOLLOWER_TOPIC, DEAD_LEADER_TOPIC};

scenarios![
    a_dead_broker_has_offline_replicas,
    a_live_broker_has_no_offline_replicas,
    a_dead_follower_stays_among_the_replicas,
    a_dead_follower_was_an_error_in_version_0,
    a_partition_without_a_live_leader_says_so,
];

/// offline_replicas lists the replicas on brokers that are dead or fenced, within seconds of the
/// death (2.7 to 5 s seen after a hard kill with a broker session of 3 s), and is empty where all
/// brokers live.
#[scenario("META-011", api = Metadata, versions = 5.., needs = [Shape("dead-broker")])]
async fn a_dead_broker_has_offline_replicas(cx: &mut Cx) -> Outcome {
    let Bereft { dead, followed, alone, body } = ask(cx).await?;
    for (partition, which) in [(&followed, "followed"), (&alone, "led")] {
        let offline = ids(&partition.offline_replicas);
        let expected = format!("offline_replicas = [{dead}] where a dead broker {which}");
        body.require(offline == [dead], expected, || format!("{offline:?}"))?;
    }
    Ok(())
}

/// offline_replicas lists the replicas on brokers that are dead or fenced, within seconds of the
/// death (2.7 to 5 s seen after a hard kill with a broker session of 3 s), and is empty where all
/// brokers live.
#[scenario("META-011", api = Metadata, versions = 5..)]
async fn a_live_broker_has_no_offline_replicas(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let request = requests::metadata(cx.version(), &[&own.topic]);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    let mut partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
    let found = partitions.find(|partition| partition.partition_index == own.index);
    let Some(found) = found else {
        return Err(Failure::failed(format!("partition {}", own.index), "an answer without it"));
    };
    let offline = ids(&found.offline_replicas);
    body.require(offline.is_empty(), "no offline_replicas", || format!("{offline:?}"))
}

/// Where a follower is dead, the partition has error 0 and replica_nodes still lists it; the
/// in-sync replicas and the list of brokers do not.
#[scenario("META-012", api = Metadata, versions = 1.., needs = [Shape("dead-broker")])]
async fn a_dead_follower_stays_among_the_replicas(cx: &mut Cx) -> Outcome {
    let Bereft { dead, followed, body, .. } = ask(cx).await?;
    let code = Code(followed.error_code);
    body.require(code == Code::NONE, "error 0 on the partition", || code.to_string())?;
    let leader = followed.leader_id.0;
    let replicas = ids(&followed.replica_nodes);
    body.require(replicas == [leader, dead], format!("replicas [{leader}, {dead}]"), || {
        format!("{replicas:?}")
    })?;
    let isr = ids(&followed.isr_nodes);
    body.require(isr == [leader], format!("in-sync replicas [{leader}]"), || format!("{isr:?}"))?;
    let brokers: Vec<i32> = body.brokers.iter().map(|broker| broker.node_id.0).collect();
    body.require(
        brokers.contains(&leader) && !brokers.contains(&dead),
        format!("broker {leader} and no broker {dead}"),
        || format!("{brokers:?}"),
    )
}

/// In version 0 a partition with a dead follower is answered with REPLICA_NOT_AVAILABLE (9); its
/// leader is given, and the dead broker is left out of the replicas.
#[scenario("META-013", api = Metadata, versions = 0, needs = [Shape("dead-broker")])]
async fn a_dead_follower_was_an_error_in_version_0(cx: &mut Cx) -> Outcome {
    let Bereft { dead, followed, body, .. } = ask(cx).await?;
    let code = Code(followed.error_code);
    body.require(code == ReplicaNotAvailable.into(), "REPLICA_NOT_AVAILABLE (9)", || {
        code.to_string()
    })?;
    let (leader, replicas) = (followed.leader_id.0, ids(&followed.replica_nodes));
    body.require(
        leader >= 0 && leader != dead && replicas == [leader],
        "a live leader, and it alone as replica",
        || format!("leader {leader}, replicas {replicas:?}"),
    )
}

/// A partition whose leader is dead, with nobody to take its place, is answered with
/// LEADER_NOT_AVAILABLE (5), leader_id -1 and its replicas (version 0 leaves out dead ones, so that
/// the list is empty for a sole dead replica); the topic has error 0.
#[scenario("META-014", api = Metadata, needs = [Shape("dead-broker")])]
async fn a_partition_without_a_live_leader_says_so(cx: &mut Cx) -> Outcome {
    let Bereft { dead, alone, body, .. } = ask(cx).await?;
    let code = Code(alone.error_code);
    body.require(code == LeaderNotAvailable.into(), "LEADER_NOT_AVAILABLE (5)", || {
        code.to_string()
    })?;
    let leader = alone.leader_id.0;
    body.require(leader == -1, "leader_id = -1", || leader.to_string())?;
    let replicas = ids(&alone.replica_nodes);
    // Version 0 leaves out the dead.
    let listed = if cx.version() == 0 { Vec::new() } else { vec![dead] };
    body.require(replicas == listed, format!("replicas {listed:?}"), || format!("{replicas:?}"))?;
    let code = named(&body.topics, DEAD_LEADER_TOPIC).map_or(-1, |topic| topic.error_code);
    body.require(code == 0, "error 0 on the topic", || Code(code).to_string())
}

/// What the act sees of the two topics.
struct Bereft {
    /// Broker id of the dead broker.
    dead: i32,
    /// The partition that the dead broker follows.
    followed: MetadataResponsePartition,
    /// The partition that the dead broker holds alone.
    alone: MetadataResponsePartition,
    body: Body<MetadataResponse>,
}

/// The act: asks for the topics at the case's version.
async fn ask(cx: &Cx) -> Result<Bereft, Failure> {
    let mut conn = cx.connect().await?;
    // Version 0 does not tell who is dead, so that is asked before.
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[DEAD_LEADER_TOPIC]);
    let known = conn.ask_newest(about).await?.answered()?;
    let dead = only(&known, DEAD_LEADER_TOPIC)?.replica_nodes.first().map(|id| id.0);
    let dead = dead.ok_or_else(|| Failure::blocked("a dead broker as replica", "none"))?;

    let about = requests::metadata(cx.version(), &[DEAD_FOLLOWER_TOPIC, DEAD_LEADER_TOPIC]);
    let body = conn.ask(about).await?.expect_answer()?;
    let followed = only(&body, DEAD_FOLLOWER_TOPIC)?.clone();
    let alone = only(&body, DEAD_LEADER_TOPIC)?.clone();
    Ok(Bereft { dead, followed, alone, body })
}

/// The only partition of the topic.
fn only<'a>(
    body: &'a Body<MetadataResponse>,
    topic: &str,
) -> Result<&'a MetadataResponsePartition, Failure> {
    let found = named(&body.topics, topic).and_then(|topic| topic.partitions.first());
    found.ok_or_else(|| Failure::failed(format!("a partition of {topic}"), "none"))
}

fn ids(nodes: &[kafka_protocol::messages::BrokerId]) -> Vec<i32> {
    nodes.iter().map(|id| id.0).collect()
}
