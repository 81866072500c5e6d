//! A transactional producer driven by hand, for what Produce says to it.

use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
};
use kafka_protocol::messages::{ProduceRequest, ProducerId, TopicName, TransactionalId};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;

/// The last version of AddPartitionsToTxn that is a client's; later ones are between brokers
/// (KIP-890).
const ADD_VERSION: i16 = 3;
/// First version of Produce that adds its partitions to the transaction (KIP-890).
const IMPLICIT_ADD: i16 = 12;

/// Transient answers to a transactional write: leader or coordinator are on their way, the leader
/// could not ask the coordinator yet (19), or the last transaction is still being ended (51).
pub(super) const WRITE_ON_ITS_WAY: &[Code] =
    &[Code(5), Code(6), Code(14), Code(15), Code(16), Code(19), Code(51)];

/// One instance of a transactional application.
pub(super) struct Producer {
    pub(super) txn_id: String,
    pub(super) id: i64,
    pub(super) epoch: i16,
    coordinator: Conn,
}

impl Producer {
    /// A producer of a fresh transactional id. At transaction.version 0 a Produce that would add its
    /// partition leaves the transactional id unusable, so such cases do not run there.
    pub(super) async fn new(cx: &Cx) -> Result<Self, Failure> {
        if cx.version() >= IMPLICIT_ADD && cx.facts().feature("transaction.version") < 1 {
            return Err(Failure::NotRun(
                "feature transaction.version finalized at 1 or above".to_owned(),
            ));
        }
        let txn_id = cx.txn_id();
        let mut coordinator = cx.txn_coordinator(&txn_id).await?;
        let (id, epoch) = cx.producer_id(&mut coordinator, Some(&txn_id)).await?;
        Ok(Self { txn_id, id, epoch, coordinator })
    }

    /// Set-up: adds the partition to the transaction, which this begins.
    pub(super) async fn add(&mut self, cx: &Cx, to: &Partition) -> Outcome {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(&to.topic)))
            .with_partitions(vec![to.index]);
        let add = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&self.txn_id)))
            .with_v3_and_below_producer_id(ProducerId(self.id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let version = cx.newest(keys::AddPartitionsToTxn)?.min(ADD_VERSION);
        cx.settle_at(&mut self.coordinator, version, &add, TRANSACTION_ON_ITS_WAY).await?.ok()?;
        Ok(())
    }

    /// A transactional batch of these values, from this sequence number on.
    pub(super) fn batch(&self, cx: &Cx, values: &[&'static str], sequence: i32) -> Batch {
        super::answers::batch(cx, values).idempotent(self.id, self.epoch, sequence).transactional()
    }

    /// A Produce of this batch that names the transactional id, in the case's version.
    pub(super) fn request(
        &self,
        cx: &Cx,
        to: &Partition,
        batch: &Batch,
    ) -> Result<ProduceRequest, Failure> {
        Ok(named(cx.produce(to, batch.encode())?, &self.txn_id))
    }
}

/// The request with this transactional id in it.
pub(super) fn named(request: ProduceRequest, txn_id: &str) -> ProduceRequest {
    request.with_transactional_id(Some(TransactionalId(text(txn_id))))
}
