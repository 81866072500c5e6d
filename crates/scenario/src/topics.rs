//! Topics that are ready: created, in everybody's metadata, and led. CreateTopics and an error-free Metadata are not
//! enough for that; the leader of each partition must answer for it.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_protocol::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, TopicName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cx::{Cx, Undo};
use crate::failure::Failure;
use crate::{Code, Conn, requests, text};

/// How long a topic may take to be ready: far beyond what a loaded cluster was seen to need.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A partition that a case may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Topic name.
    pub topic: String,
    /// Topic id; zero where the target does not give one.
    pub topic_id: Uuid,
    /// Partition index.
    pub index: i32,
    /// Broker id of the leader.
    pub leader: i32,
}

/// A topic of the case's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Name.
    pub name: String,
    /// Topic id; zero where the target does not give one.
    pub id: Uuid,
    /// Broker ids of the leaders, by partition index.
    pub leaders: Vec<i32>,
}

impl Topic {
    /// One of its partitions.
    pub fn partition(&self, index: i32) -> Partition {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let leader = self.leaders.get(at).copied().unwrap_or(-1);
        Partition { topic: self.name.clone(), topic_id: self.id, index, leader }
    }
}

/// What a topic is to be like.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Number of partitions.
    pub partitions: i32,
    /// Replicas of each; -1 is the broker's default.
    pub replication: i16,
    /// Topic configuration.
    pub configs: Vec<(String, String)>,
}

impl Default for TopicSpec {
    fn default() -> Self {
        Self { partitions: 1, replication: -1, configs: Vec::new() }
    }
}

impl TopicSpec {
    /// Sets the number of partitions.
    #[must_use]
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    /// A single replica, which suffices for acks = all whatever the broker asks for elsewhere.
    #[must_use]
    pub fn single(self) -> Self {
        let name = "min.insync.replicas";
        let given = self.configs.iter().any(|(config, _)| config == name);
        let one = self.replication(1);
        if given { one } else { one.config(name, 1) }
    }

    /// Sets the number of replicas.
    #[must_use]
    pub fn replication(mut self, replication: i16) -> Self {
        self.replication = replication;
        self
    }

    /// Adds a topic configuration.
    #[must_use]
    pub fn config(mut self, name: &str, value: impl ToString) -> Self {
        self.configs.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Cx {
    /// A fresh topic with one partition, ready.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it does not come about.
    pub async fn topic(&self) -> Result<Topic, Failure> {
        self.topic_with(TopicSpec::default()).await
    }

    /// A fresh topic like this, ready.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it does not come about.
    pub async fn topic_with(&self, mut spec: TopicSpec) -> Result<Topic, Failure> {
        if self.shared.inputs.single_replica && spec.replication == TopicSpec::default().replication
        {
            spec = spec.single();
        }
        let name = self.name("topic");
        self.undo(Undo::Topic(name.clone()));
        let mut conn = self.setup().await?;
        conn.ask_newest(requests::create_topic(&name, &spec)).await?.ok()?;
        let topic = self.ready(&mut conn, &name, spec.partitions).await?;
        self.setup_done(conn);
        Ok(topic)
    }

    /// Waits until a topic that somebody created is ready: in the metadata with a leader for each partition, and each
    /// leader answers for it.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when it does not come about.
    pub async fn topic_ready(&self, name: &str, partitions: i32) -> Result<Topic, Failure> {
        let mut conn = self.setup().await?;
        let topic = self.ready(&mut conn, name, partitions).await?;
        self.setup_done(conn);
        Ok(topic)
    }

    async fn ready(&self, conn: &mut Conn, name: &str, partitions: i32) -> Result<Topic, Failure> {
        let mut tries = self.tries(format!("topic {name} to be ready"), READY_WITHIN);
        loop {
            match described(conn, name, partitions).await? {
                Ok(topic) => {
                    let missing = match self.unled(conn, &topic).await? {
                        None => self.unheard_of(&topic).await?,
                        unled => unled,
                    };
                    match missing {
                        None => return Ok(topic),
                        Some(last) => tries.again(last).await?,
                    }
                }
                Err(last) => tries.again(last).await?,
            }
        }
    }

    /// What the leaders say when they do not answer for every partition yet.
    async fn unled(&self, conn: &mut Conn, topic: &Topic) -> Result<Option<String>, Failure> {
        let mut by_leader: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (index, leader) in (0..).zip(&topic.leaders) {
            by_leader.entry(*leader).or_default().push(index);
        }
        for (leader, indices) in by_leader {
            if self.shared.is_down(leader) {
                return Ok(Some(format!(
                    "broker {leader}, which the case took down, in the metadata"
                )));
            }
            let request = probe(&topic.name, &indices);
            let reply = if self.facts().brokers.len() > 1 {
                self.connect_broker(leader).await?.ask_newest(request).await?
            } else {
                conn.ask_newest(request).await?
            };
            let errors = reply.errors()?;
            if let Some((path, code)) = errors.iter().find(|(_, code)| *code != Code::NONE) {
                return Ok(Some(format!("{path} = {code} from broker {leader}")));
            }
            reply.ok()?;
        }
        Ok(None)
    }

    /// What a broker that leads none of the partitions says when it does not know this topic yet. Such a broker may be the
    /// coordinator that a case asks next, and each follows the metadata at its own pace.
    async fn unheard_of(&self, topic: &Topic) -> Result<Option<String>, Failure> {
        let others = self.facts().brokers.iter().map(|broker| broker.id);
        let others = others.filter(|id| !topic.leaders.contains(id) && !self.shared.is_down(*id));
        for broker in others {
            let mut conn = self.connect_broker(broker).await?;
            let partitions = i32::try_from(topic.leaders.len()).unwrap_or(i32::MAX);
            match described(&mut conn, &topic.name, partitions).await? {
                Err(last) => return Ok(Some(format!("{last} from broker {broker}"))),
                // A topic that was made again under its name.
                Ok(found) if found.id != topic.id => {
                    return Ok(Some(format!("topic id {} from broker {broker}", found.id)));
                }
                Ok(_) => {}
            }
        }
        Ok(None)
    }
}

/// The topic as the metadata has it, or what is missing yet.
async fn described(
    conn: &mut Conn,
    name: &str,
    partitions: i32,
) -> Result<Result<Topic, String>, Failure> {
    let names = vec![requests::metadata_topic(name)];
    let request =
        MetadataRequest::default().with_topics(Some(names)).with_allow_auto_topic_creation(false);
    let body = conn.ask_newest(request).await?.answered()?;
    let Some(found) = body.topics.first() else { return Ok(Err("no topic".to_owned())) };
    if found.error_code != 0 {
        return Ok(Err(Code(found.error_code).to_string()));
    }
    let mut leaders: Vec<(i32, i32)> = Vec::new();
    for partition in &found.partitions {
        if partition.error_code != 0 {
            return Ok(Err(Code(partition.error_code).to_string()));
        }
        leaders.push((partition.partition_index, partition.leader_id.0));
    }
    leaders.sort_unstable();
    if leaders.len() != usize::try_from(partitions).unwrap_or(usize::MAX)
        || leaders.iter().any(|(_, id)| *id < 0)
    {
        return Ok(Err(format!("{} of {partitions} partitions led", leaders.len())));
    }
    let leaders = leaders.into_iter().map(|(_, leader)| leader).collect();
    Ok(Ok(Topic { name: name.to_owned(), id: found.topic_id, leaders }))
}

/// Asks for the end of each partition, which only a leader that has taken up its duty answers.
fn probe(name: &str, indices: &[i32]) -> ListOffsetsRequest {
    let partitions = indices.iter().map(|index| {
        ListOffsetsPartition::default()
            .with_partition_index(*index)
            .with_current_leader_epoch(-1)
            .with_timestamp(-1)
    });
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(text(name)))
        .with_partitions(partitions.collect());
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}
