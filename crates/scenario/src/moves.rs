//! Leadership that moves, without any broker's death: a partition is reassigned.

use std::time::Duration;

use kafka_protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::{BrokerId, TopicName};

use crate::failure::Failure;
use crate::topics::Partition;
use crate::{Code, Cx, keys, requests, text};

/// How long a move of a small log may take, on a loaded cluster.
const MOVED_WITHIN: Duration = Duration::from_secs(30);

impl Cx {
    /// Set-up: moves this partition, of a topic with one replica, to another broker with all that it holds, and waits
    /// until that broker leads it, in a later leader epoch.
    ///
    /// # Errors
    /// [`Failure::NotRun`] where there is no other broker, [`Failure::Blocked`] when the move does not come about.
    pub async fn moved(&self, partition: &Partition) -> Result<Partition, Failure> {
        let mut brokers = self.facts().brokers.iter().map(|broker| broker.id);
        let Some(leader) = brokers.find(|id| *id != partition.leader) else {
            return Err(Failure::NotRun("a second broker".to_owned()));
        };
        let to = ReassignablePartition::default()
            .with_partition_index(partition.index)
            .with_replicas(Some(vec![BrokerId(leader)]));
        let topic = ReassignableTopic::default()
            .with_name(TopicName(text(&partition.topic)))
            .with_partitions(vec![to]);
        let request = AlterPartitionReassignmentsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(30_000);
        self.connect().await?.ask_newest(request).await?.ok()?;

        let moved = Partition { leader, ..partition.clone() };
        let mut conn = self.connect_broker(leader).await?;
        let about = requests::metadata(self.newest(keys::Metadata)?, &[&moved.topic]);
        let mut tries = self.tries(format!("{} to be led by {leader}", moved.topic), MOVED_WITHIN);
        loop {
            let body = conn.ask_newest(about.clone()).await?.answered()?;
            let mut partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
            let found = partitions.find(|found| found.partition_index == moved.index);
            let alone = found.is_some_and(|found| found.replica_nodes == [BrokerId(leader)]);
            // In the metadata is not yet in office.
            let end = conn.ask_newest(requests::list_offsets(&moved, -1)).await?;
            let refused = end.errors()?.into_iter().find(|(_, code)| *code != Code::NONE);
            match refused {
                None if alone => return Ok(moved),
                None => tries.again("the old replica besides").await?,
                Some((_, code)) => tries.again(code).await?,
            }
        }
    }
}
