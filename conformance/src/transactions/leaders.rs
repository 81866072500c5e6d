//! Leaders that move: how a case makes another replica the leader of a partition, without harm to any broker.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::elect_leaders_request::{ElectLeadersRequest, TopicPartitions};
use kconform_scenario::Leadership;
use kconform_scenario::prelude::*;

/// How long a cluster may take to act on a new order of replicas.
const MOVED_WITHIN: Duration = Duration::from_secs(20);

/// Set-up: makes the next replica the preferred leader of this partition and has it elected; gives the partition as it is
/// then. The partition must have replicas, and its followers must have caught up in time.
pub(crate) async fn move_leader(cx: &Cx, of: &Partition) -> Result<Partition, Failure> {
    let Leadership { leader, mut replicas, .. } = cx.leadership(of).await?;
    let next = replicas.iter().position(|id| *id != leader);
    let next = next.ok_or_else(|| Failure::blocked("another replica", format!("{replicas:?}")))?;
    replicas.rotate_left(next);
    let successor = replicas.first().copied().unwrap_or(leader);
    let mut conn = cx.connect().await?;
    conn.ask_newest(requests::reassignment(of, Some(&replicas))).await?.ok()?;

    let partitions = TopicPartitions::default()
        .with_topic(TopicName(text(&of.topic)))
        .with_partitions(vec![of.index]);
    let elect = ElectLeadersRequest::default()
        .with_election_type(0)
        .with_topic_partitions(Some(vec![partitions]))
        .with_timeout_ms(30_000);
    let mut tries = cx.tries(format!("broker {successor} to lead"), MOVED_WITHIN);
    loop {
        // Refused while the new leader lags, and where it leads already.
        let said = conn.ask_newest(elect.clone()).await?.answered()?;
        let leader = cx.leadership(of).await?.leader;
        if leader == successor {
            return Ok(Partition { leader, ..of.clone() });
        }
        tries.again(format!("broker {leader} leads; {:?}", said.replica_election_results)).await?;
    }
}

/// The partition of this internal topic in which the coordinator of this key keeps it: `String.hashCode` without its sign,
/// by the number of partitions.
pub(super) async fn home(cx: &Cx, topic: &str, key: &str) -> Result<Partition, Failure> {
    let mut conn = cx.connect().await?;
    let request = requests::metadata(cx.newest(keys::Metadata)?, &[topic]);
    let body = conn.ask_newest(request).await?.ok()?;
    let found = body.topics.first();
    let count = found.map_or(0, |found| found.partitions.len());
    let count = i32::try_from(count).unwrap_or(i32::MAX).max(1);
    let hash = key
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let topic_id = found.map(|found| found.topic_id).unwrap_or_default();
    let index = (hash & i32::MAX) % count;
    Ok(Partition { topic: topic.to_owned(), topic_id, index, leader: -1 })
}
