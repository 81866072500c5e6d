//! A transaction driven by hand, for what consumers see of it.
//!
//! It speaks the versions of before transaction.version 2, which every release takes: partitions
//! are added explicitly, and the end does not change the epoch.

use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
};
use kafka_protocol::messages::{EndTxnRequest, ProducerId, TopicName, TransactionalId};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;

/// The last version of AddPartitionsToTxn that is a client's; later ones are between brokers
/// (KIP-890).
const ADD_VERSION: i16 = 3;
/// The last version of EndTxn that leaves the epoch alone.
const END_VERSION: i16 = 4;
/// The last version of Produce that adds no partition by itself.
const PRODUCE_VERSION: i16 = 11;

/// Transient answers to a transactional write: the leader or the coordinator is on its way (3, 5, 6,
/// 14, 15, 16), or the leader could not ask the coordinator yet (19, KIP-890).
const WRITE_ON_ITS_WAY: &[Code] =
    &[Code(3), Code(5), Code(6), Code(14), Code(15), Code(16), Code(19)];

/// An open transaction on one partition.
pub(crate) struct Transaction {
    txn_id: String,
    pub(crate) producer_id: i64,
    epoch: i16,
    coordinator: Conn,
    to: Partition,
    sequence: i32,
}

impl Transaction {
    /// Opens a transaction of a fresh producer and adds the partition to it.
    pub(crate) async fn open(cx: &Cx, to: &Partition) -> Result<Self, Failure> {
        let txn_id = cx.txn_id();
        let mut coordinator = cx.txn_coordinator(&txn_id).await?;
        let (producer_id, epoch) = cx.producer_id(&mut coordinator, Some(&txn_id)).await?;
        let mut opened =
            Self { txn_id, producer_id, epoch, coordinator, to: to.clone(), sequence: 0 };
        opened.begin(cx).await?;
        Ok(opened)
    }

    /// Adds the partition to the producer's next transaction, which begins with it.
    pub(super) async fn begin(&mut self, cx: &Cx) -> Outcome {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(&self.to.topic)))
            .with_partitions(vec![self.to.index]);
        let add = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&self.txn_id)))
            .with_v3_and_below_producer_id(ProducerId(self.producer_id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let version = cx.newest(keys::AddPartitionsToTxn)?.min(ADD_VERSION);
        let coordinator = &mut self.coordinator;
        cx.settle_at(coordinator, version, &add, TRANSACTION_ON_ITS_WAY).await?.ok().map(drop)
    }

    /// Writes one record.
    pub(crate) async fn write(&mut self, cx: &Cx, value: &'static str) -> Outcome {
        let batch = Batch::of([value])
            .with_timestamp(cx.wall_ms())
            .idempotent(self.producer_id, self.epoch, self.sequence)
            .transactional();
        let version = cx.newest(keys::Produce)?.min(PRODUCE_VERSION);
        let request = requests::produce(version, &self.to, batch.encode())
            .with_transactional_id(Some(TransactionalId(text(&self.txn_id))));
        let mut leader = cx.leader(&self.to).await?;
        cx.settle_at(&mut leader, version, &request, WRITE_ON_ITS_WAY).await?.ok()?;
        self.sequence += 1;
        Ok(())
    }

    /// The partition is led by this broker from now on.
    pub(super) fn moved(&mut self, leader: i32) {
        self.to.leader = leader;
    }

    /// Ends the transaction, and waits for its marker: the last stable offset comes to be `stable`.
    pub(crate) async fn end(&mut self, cx: &Cx, commit: bool, stable: i64) -> Outcome {
        let end = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&self.txn_id)))
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(commit);
        let version = cx.newest(keys::EndTxn)?.min(END_VERSION);
        cx.settle_at(&mut self.coordinator, version, &end, TRANSACTION_ON_ITS_WAY).await?.ok()?;
        let mut leader = cx.leader(&self.to).await?;
        let mut tries = cx.tries("the marker of the transaction", Duration::from_secs(20));
        loop {
            let ask = requests::list_offsets(&self.to, -1).with_isolation_level(1);
            let body = leader.ask_newest(ask).await?.ok()?;
            let offsets = body.topics.iter().flat_map(|topic| &topic.partitions);
            let got = offsets.map(|partition| partition.offset).next().unwrap_or(-1);
            if got == stable {
                return Ok(());
            }
            tries.again(format!("last stable offset {got}")).await?;
        }
    }
}
