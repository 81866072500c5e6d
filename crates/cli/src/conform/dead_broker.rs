//! The shape `dead-broker`: three nodes, of which one dies before the cases begin, with two topics that it leaves behind.

use std::time::{Duration, Instant};

use conformance::{DEAD_FOLLOWER_TOPIC, DEAD_LEADER_TOPIC};
use kconform_harness::{Probed, Target};
use kconform_scenario::wire::schema::{Struct, Value};
use kconform_scenario::{Outcome, keys};

use crate::own::Own;
use crate::terminal::tell;
use crate::trouble::Trouble;

/// Name of the shape.
pub(super) const SHAPE: &str = "dead-broker";
/// How many nodes it takes.
pub(super) const NODES: usize = 3;

/// The node that dies, which is also its broker id.
const DEAD: i32 = 3;
/// A node that lives.
const ALIVE: i32 = 1;
/// How long a dead broker may stay in the metadata: far beyond the 3 s of its session.
const GONE_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Creates the topics, kills the node, and waits until the cluster has taken notice.
pub(super) async fn bereave(
    own: &Own,
    target: &Target,
    probed: &Probed,
) -> Result<Probed, Trouble> {
    create(probed).await.map_err(|failure| {
        Trouble::Unreachable(format!(
            "the topics of the shape `{SHAPE}` cannot be made: {failure:?}"
        ))
    })?;
    tell(&format!("Killing node {DEAD}"));
    own.kill(DEAD)?;
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        match kconform_harness::probe(target).await {
            Ok(probed) if probed.facts.brokers.iter().all(|broker| broker.id != DEAD) => {
                return Ok(probed);
            }
            _ if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
            _ => {
                return Err(Trouble::Unreachable(format!(
                    "broker {DEAD} was killed and is still in the metadata"
                )));
            }
        }
    }
}

/// One topic is led by a broker that lives and followed by the one that dies, the other is on that one alone.
async fn create(probed: &Probed) -> Outcome {
    let cx = probed.case();
    let topic = |name: &str, brokers: Vec<i32>| {
        let assignment = Struct::new().with("partition_index", 0).with("broker_ids", brokers);
        let topic = Struct::new()
            .with("name", name)
            .with("num_partitions", -1)
            .with("replication_factor", -1)
            .with("assignments", vec![Value::Struct(assignment)]);
        Value::Struct(topic)
    };
    let topics =
        vec![topic(DEAD_FOLLOWER_TOPIC, vec![ALIVE, DEAD]), topic(DEAD_LEADER_TOPIC, vec![DEAD])];
    let request = Struct::new().with("topics", topics).with("timeout_ms", 30_000);
    let version = cx.newest(keys::CreateTopics)?;
    let mut conn = cx.connect().await?;
    conn.ask_value(keys::CreateTopics, version, &Value::Struct(request)).await?.ok()?;
    cx.topic_ready(DEAD_FOLLOWER_TOPIC, 1).await?;
    cx.topic_ready(DEAD_LEADER_TOPIC, 1).await.map(drop)
}
