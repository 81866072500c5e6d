//! Offsets in a transaction: the requests that carry them, in every version, and what a group has stored.

use kafka_protocol::messages::{AddOffsetsToTxnRequest, GroupId, TransactionalId};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

use crate::producer::Producer;

/// The last version of TxnOffsetCommit whose groups must be added by AddOffsetsToTxn (KIP-890).
pub(super) const LAST_WITH_ADDED_GROUPS: i16 = 4;

/// First version of TxnOffsetCommit that names group members (KIP-447).
pub(super) const MEMBERS: i16 = 3;

/// First version of TxnOffsetCommit that names topics by id.
pub(super) const TOPIC_IDS: i16 = 6;

/// How long a coordinator may take to be there.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Where an answer to one partition's TxnOffsetCommit says what became of it.
pub(super) const COMMITTED: &str = "topics[0].partitions[0].error_code";

/// An AddOffsetsToTxn of this group.
pub(super) fn add_offsets(producer: &Producer, group: &str) -> AddOffsetsToTxnRequest {
    AddOffsetsToTxnRequest::default()
        .with_transactional_id(TransactionalId(text(&producer.txn_id)))
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch)
        .with_group_id(GroupId(text(group)))
}

/// A TxnOffsetCommit to be: by no member of the group unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Offsets {
    group: String,
    generation: i32,
    member: String,
    instance: Option<String>,
    metadata: Option<String>,
    offsets: Vec<(Partition, i64)>,
}

impl Offsets {
    /// For this group.
    pub(crate) fn of(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            generation: -1,
            member: String::new(),
            instance: None,
            metadata: Some(String::new()),
            offsets: Vec::new(),
        }
    }

    /// Adds the offset of a partition.
    pub(crate) fn at(mut self, partition: &Partition, offset: i64) -> Self {
        self.offsets.push((partition.clone(), offset));
        self
    }

    /// By this member, in this generation or epoch; from version 3 on.
    pub(super) fn by(mut self, member: &str, generation: i32) -> Self {
        member.clone_into(&mut self.member);
        self.generation = generation;
        self
    }

    /// By this static member; from version 3 on.
    pub(super) fn instance(mut self, instance: &str) -> Self {
        self.instance = Some(instance.to_owned());
        self
    }

    /// With this metadata for every offset.
    pub(super) fn metadata(mut self, metadata: &str) -> Self {
        self.metadata = Some(metadata.to_owned());
        self
    }

    /// Sends it under this producer's transaction, in the version at which TxnOffsetCommit goes in this case; again where
    /// a coordinator is on its way, or the end of the last transaction.
    pub(super) async fn ask(
        &self,
        cx: &Cx,
        producer: &Producer,
        conn: &mut Conn,
    ) -> Result<Reply<()>, Failure> {
        self.ask_at(cx, cx.version_of(keys::TxnOffsetCommit)?, producer, conn).await
    }

    /// Set-up: adds the group to the transaction and sends the offsets, in a version that works at every level of
    /// `transaction.version`.
    pub(crate) async fn pend(&self, cx: &Cx, producer: &mut Producer, conn: &mut Conn) -> Outcome {
        add_group(cx, producer, &self.group).await?;
        let version = cx.newest(keys::TxnOffsetCommit)?.min(LAST_WITH_ADDED_GROUPS);
        self.ask_at(cx, version, producer, conn).await?.ok()?;
        Ok(())
    }

    async fn ask_at(
        &self,
        cx: &Cx,
        version: i16,
        producer: &Producer,
        conn: &mut Conn,
    ) -> Result<Reply<()>, Failure> {
        let request = self.value(version, producer);
        let mut tries = cx.tries("the offsets to be taken or refused", ANSWERED_WITHIN);
        loop {
            let reply = conn.ask_value(keys::TxnOffsetCommit, version, &request).await?;
            let errors = reply.errors().unwrap_or_default();
            match errors.iter().find(|(_, code)| TRANSACTION_ON_ITS_WAY.contains(code)) {
                Some((_, code)) => tries.again(code).await?,
                None => return Ok(reply),
            }
        }
    }

    fn value(&self, version: i16, producer: &Producer) -> Value {
        let mut topics: Vec<(&Partition, Vec<Value>)> = Vec::new();
        for (partition, offset) in &self.offsets {
            let entry = Struct::new()
                .with("partition_index", partition.index)
                .with("committed_offset", *offset)
                .with("committed_metadata", self.metadata.clone());
            match topics.iter_mut().find(|(known, _)| known.topic == partition.topic) {
                Some((_, entries)) => entries.push(entry.into()),
                None => topics.push((partition, vec![entry.into()])),
            }
        }
        let topics = topics.into_iter().map(|(partition, entries)| {
            let topic = if version >= TOPIC_IDS {
                Struct::new().with("topic_id", Value::Uuid(*partition.topic_id.as_bytes()))
            } else {
                Struct::new().with("name", partition.topic.clone())
            };
            topic.with("partitions", entries).into()
        });
        let value = Struct::new()
            .with("transactional_id", producer.txn_id.clone())
            .with("group_id", self.group.clone())
            .with("producer_id", producer.id)
            .with("producer_epoch", producer.epoch)
            .with("topics", topics.collect::<Vec<Value>>());
        let anonymous = self.generation == -1 && self.member.is_empty() && self.instance.is_none();
        if version < MEMBERS && anonymous {
            return value.into();
        }
        value
            .with("generation_id_or_member_epoch", self.generation)
            .with("member_id", self.member.clone())
            .with("group_instance_id", self.instance.clone())
            .into()
    }
}

/// Set-up: adds the group's offsets to the transaction, which this begins where none is open.
pub(super) async fn add_group(cx: &Cx, producer: &mut Producer, group: &str) -> Outcome {
    let request = add_offsets(producer, group);
    let version = cx.newest(keys::AddOffsetsToTxn)?;
    let coordinator = &mut producer.coordinator;
    cx.settle_at(coordinator, version, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
    Ok(())
}
