//! Constructors of requests that many scenarios send. The defaults of the typed messages are a trap: they set fields
//! that are null by default, and say "follower 0" where a consumer speaks.

use bytes::Bytes;
use kafka_protocol::messages::alter_partition_reassignments_request::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use kafka_protocol::messages::create_topics_request::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use kafka_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, FetchRequest, FindCoordinatorRequest, InitProducerIdRequest, ListOffsetsRequest,
    MetadataRequest, ProduceRequest, ProducerId, TopicName, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;
use kconform_wire::records::{Batch, Message, MessageSet};

use crate::topics::{Partition, TopicSpec};
use crate::{Cx, Failure, keys};

/// Text as the typed messages hold it.
pub fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// First version of Produce and Fetch that names topics by id (KIP-516).
const TOPIC_IDS_FROM: i16 = 13;

/// A metadata question about a topic, by name.
pub fn metadata_topic(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(Some(TopicName(text(name))))
}

/// A metadata question about these topics, without auto-creation where the version can say so (from 4 on).
pub fn metadata(version: i16, names: &[&str]) -> MetadataRequest {
    MetadataRequest::default()
        .with_topics(Some(names.iter().copied().map(metadata_topic).collect()))
        .with_allow_auto_topic_creation(version < 4)
}

/// A request for a producer id: without a transactional id, unless one is given. Timeout 60 s.
pub fn init_producer_id(txn_id: Option<&str>) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(txn_id.map(|id| TransactionalId(text(id))))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1)
}

/// What FindCoordinator looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinator {
    /// The coordinator of a group.
    Group,
    /// The coordinator of a transactional id; versions 1 on.
    Transaction,
}

/// A question for the coordinator of this key, laid out as the version wants it: one key to version 3, a list from 4.
pub fn find_coordinator(version: i16, kind: Coordinator, key: &str) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default().with_key_type(match kind {
        Coordinator::Group => 0,
        Coordinator::Transaction => 1,
    });
    if version >= 4 {
        request.with_coordinator_keys(vec![text(key)])
    } else {
        request.with_key(text(key))
    }
}

/// A Produce of these bytes to one partition, acks = all, 30 s.
pub fn produce(version: i16, to: &Partition, records: Bytes) -> ProduceRequest {
    let partition =
        PartitionProduceData::default().with_index(to.index).with_records(Some(records));
    let topic = TopicProduceData::default().with_partition_data(vec![partition]);
    let topic = if version >= TOPIC_IDS_FROM {
        topic.with_topic_id(to.topic_id)
    } else {
        topic.with_name(TopicName(text(&to.topic)))
    };
    ProduceRequest::default()
        .with_transactional_id(None)
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic])
}

/// A consumer's Fetch of one partition from this offset: no session, no wait, read_uncommitted, 1 MiB.
pub fn fetch(version: i16, from: &Partition, offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(from.index)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(offset)
        .with_last_fetched_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_partitions(vec![partition]);
    let topic = if version >= TOPIC_IDS_FROM {
        topic.with_topic_id(from.topic_id)
    } else {
        topic.with_topic(TopicName(text(&from.topic)))
    };
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        // Versions before 3 have no field for it; its default is "no limit".
        .with_max_bytes(i32::MAX)
        .with_isolation_level(0)
        // A fetch outside any session, KIP-227.
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// A consumer's ListOffsets for one partition: -1 is the end, -2 the start, others look a timestamp up.
pub fn list_offsets(of: &Partition, timestamp: i64) -> ListOffsetsRequest {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(of.index)
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(text(&of.topic)))
        .with_partitions(vec![partition]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}

/// The creation of a topic that is to be like this. 30 s.
pub fn create_topic(name: &str, spec: &TopicSpec) -> CreateTopicsRequest {
    let configs = spec.configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(name)))
        .with_num_partitions(spec.partitions)
        .with_replication_factor(spec.replication)
        .with_configs(configs.collect());
    CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000)
}

/// The deletion of a topic by its name, laid out as the version wants it: names to version 5, names or ids from 6
/// (KIP-516). 30 s.
pub fn delete_topic(version: i16, name: &str) -> DeleteTopicsRequest {
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
    let name = TopicName(text(name));
    if version >= 6 {
        request.with_topics(vec![DeleteTopicState::default().with_name(Some(name))])
    } else {
        request.with_topic_names(vec![name])
    }
}

/// A move of the partition to these brokers, the preferred leader first; without any, the end of a move that is under
/// way (KIP-455). 30 s.
pub fn reassignment(of: &Partition, to: Option<&[i32]>) -> AlterPartitionReassignmentsRequest {
    let replicas = to.map(|ids| ids.iter().copied().map(BrokerId).collect());
    let partition =
        ReassignablePartition::default().with_partition_index(of.index).with_replicas(replicas);
    let topic = ReassignableTopic::default()
        .with_name(TopicName(text(&of.topic)))
        .with_partitions(vec![partition]);
    AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000)
}

/// Sets a dynamic setting of this broker, by its id, or takes it back; without an id that of every broker (KIP-339). A
/// setting of one broker is a matter for that broker alone.
pub fn broker_setting(
    broker: Option<i32>,
    name: &str,
    value: Option<&str>,
) -> IncrementalAlterConfigsRequest {
    const BROKER: i8 = 4;
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    let setting = AlterableConfig::default()
        .with_name(text(name))
        .with_config_operation(if value.is_some() { SET } else { DELETE })
        .with_value(value.map(text));
    let resource = AlterConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text(broker.map_or_else(String::new, |id| id.to_string())))
        .with_configs(vec![setting]);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

/// The quota of this broker for what it, as a leader, gives to throttled replicas: one byte a second, or none (KIP-73). A
/// replica in sync is never throttled, nor is one of a topic that does not ask for it.
pub fn leader_quota(broker: i32, tight: bool) -> IncrementalAlterConfigsRequest {
    broker_setting(Some(broker), LEADER_QUOTA, tight.then_some(TIGHT))
}

/// The setting of [`leader_quota`].
pub const LEADER_QUOTA: &str = "leader.replication.throttled.rate";

/// Its value in a run: so little that nobody else sets it.
pub const TIGHT: &str = "1";

/// These values as the record format of this Produce version: message sets of magic 0 (versions 0 and 1) and 1
/// (version 2), a record batch from 3 on.
pub fn records(version: i16, values: &[&str], now_ms: i64) -> Bytes {
    let values = values.iter().map(|value| Bytes::copy_from_slice(value.as_bytes()));
    let magic = match version {
        0 | 1 => 0,
        2 => 1,
        _ => return Batch::of(values).with_timestamp(now_ms).encode(),
    };
    let message = |value| Message { timestamp: now_ms, ..Message::new(magic, value) };
    values.fold(MessageSet::new(magic), |set, value| set.push(message(value))).encode()
}

impl Cx {
    /// [`produce`] in the version at which Produce goes in this case.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise it.
    pub fn produce(&self, to: &Partition, records: Bytes) -> Result<ProduceRequest, Failure> {
        Ok(produce(self.version_of(keys::Produce)?, to, records))
    }

    /// [`fetch`] in the version at which Fetch goes in this case.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise it.
    pub fn fetch(&self, from: &Partition, offset: i64) -> Result<FetchRequest, Failure> {
        Ok(fetch(self.version_of(keys::Fetch)?, from, offset))
    }

    /// A record batch of these values with the time of now.
    pub fn batch(&self, values: &[&str]) -> Batch {
        let values = values.iter().map(|value| Bytes::copy_from_slice(value.as_bytes()));
        Batch::of(values).with_timestamp(self.wall_ms())
    }

    /// [`records`] in the format of the version at which Produce goes in this case, with the time of now.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise Produce.
    pub fn records(&self, values: &[&str]) -> Result<Bytes, Failure> {
        Ok(records(self.version_of(keys::Produce)?, values, self.wall_ms()))
    }
}
