//! Who leads a partition and who holds it, and how it comes to be led by another broker in a new epoch: set-up of cases
//! that need several brokers.

use std::time::Duration;

use crate::coordinators::LEADER_ON_ITS_WAY;
use crate::topics::Partition;
use crate::{Conn, Cx, Failure, keys, requests};

/// How long a move of a few records may take: far beyond what a loaded cluster was seen to need.
const MOVED_WITHIN: Duration = Duration::from_secs(30);

/// A partition as the metadata has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leadership {
    /// Broker id of the leader; -1 where there is none.
    pub leader: i32,
    /// The epoch of its leadership (KIP-320); -1 where the target does not tell.
    pub epoch: i32,
    /// Broker ids of the replicas.
    pub replicas: Vec<i32>,
}

impl Cx {
    /// Leader, epoch and replicas of the partition, at the newest version of Metadata.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the metadata has no such partition.
    pub async fn leadership(&self, of: &Partition) -> Result<Leadership, Failure> {
        let mut conn = self.setup().await?;
        let about = requests::metadata(self.newest(keys::Metadata)?, &[&of.topic]);
        let body = conn.ask_newest(about).await?.ok()?;
        self.setup_done(conn);
        let mut partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
        let found = partitions.find(|partition| partition.partition_index == of.index);
        let found = found.map(|partition| Leadership {
            leader: partition.leader_id.0,
            epoch: partition.leader_epoch,
            replicas: partition.replica_nodes.iter().map(|id| id.0).collect(),
        });
        found.ok_or_else(|| Failure::blocked("the partition in the metadata", "none"))
    }

    /// A broker that does not lead the partition: one that holds a replica of it, or one that holds none.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when there is none of that kind.
    pub async fn bystander(&self, of: &Partition, replica: bool) -> Result<i32, Failure> {
        let Leadership { leader, replicas, .. } = self.leadership(of).await?;
        let mut brokers = self.facts().brokers.iter().map(|broker| broker.id);
        let found = brokers.find(|id| *id != leader && replicas.contains(id) == replica);
        let kind = if replica { "a follower" } else { "a broker without a replica" };
        found.ok_or_else(|| Failure::blocked(kind, format!("replicas {replicas:?}")))
    }

    /// A connection to this broker, which has come to know the topic: before that, it would rightly say that there is
    /// none.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it cannot be reached, or does not come to know the topic.
    pub async fn connect_knowing(&self, broker: i32, of: &Partition) -> Result<Conn, Failure> {
        let mut conn = self.connect_broker(broker).await?;
        let version = self.newest(keys::Metadata)?;
        let about = requests::metadata(version, &[&of.topic]);
        self.settle_at(&mut conn, version, &about, LEADER_ON_ITS_WAY).await?.ok()?;
        Ok(conn)
    }

    /// Set-up: moves the partition to this broker alone, which then leads it in a new epoch, and waits until it does.
    /// The partition has to have one replica.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target refuses, or the move does not end in time.
    pub async fn move_to(&self, what: &Partition, broker: i32) -> Result<Partition, Failure> {
        let mut conn = self.setup().await?;
        conn.ask_newest(requests::reassignment(what, Some(&[broker]))).await?.ok()?;
        self.setup_done(conn);
        let mut tries =
            self.tries(format!("the partition to move to broker {broker}"), MOVED_WITHIN);
        loop {
            let now = self.leadership(what).await?;
            if now.leader == broker && now.replicas == [broker] {
                break;
            }
            tries.again(format!("{now:?}")).await?;
        }
        // The metadata of one broker may be ahead of the new leader itself.
        let moved = Partition { leader: broker, ..what.clone() };
        let mut leader = self.leader(&moved).await?;
        let version = self.newest(keys::ListOffsets)?;
        let probe = requests::list_offsets(&moved, -1);
        self.settle_at(&mut leader, version, &probe, LEADER_ON_ITS_WAY).await?.ok()?;
        Ok(moved)
    }
}
