//! A transactional producer driven by hand, one request at a time, and what is left in the log of its transactions: for
//! every family that looks at transactions.
//!
//! Set-up works at every level of the feature `transaction.version`: partitions are added by AddPartitionsToTxn (v3 at
//! most, later versions are for brokers) although Produce v12 adds them by itself (KIP-890), and transactions are ended
//! by EndTxn v4 at most, after which the epoch stays.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, ListOffsetsRequest,
    ProduceRequest, ProduceResponse, TopicName, TransactionalId,
};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::{Body, COORDINATOR_ON_ITS_WAY, TRANSACTION_ON_ITS_WAY};

/// Where an answer to one partition's Produce says what became of it.
pub(crate) const PRODUCED: &str = "responses[0].partition_responses[0].error_code";

/// The last version of AddPartitionsToTxn that is for clients (KIP-890).
pub(crate) const LAST_ADD_OF_CLIENTS: i16 = 3;
/// The last version of EndTxn that leaves the epoch as it is (KIP-890).
pub(crate) const LAST_END_WITHOUT_BUMP: i16 = 4;
/// First version of Produce that adds its partitions to the transaction (KIP-890).
pub(crate) const FIRST_IMPLICIT_ADD: i16 = 12;

/// Transient answers to AddPartitionsToTxn: the coordinator is on its way (14, 15, 16) or does not know a fresh topic yet
/// (3), the last transaction is still being ended (51).
const ADD_ON_ITS_WAY: &[Code] = &[Code(3), Code(14), Code(15), Code(16), Code(51)];

/// Transient answers to a transactional write: the leader or the coordinator is on its way (3, 5, 6, 14, 15, 16), the
/// leader could not ask the coordinator yet (19), the last transaction is still being ended (51).
pub(crate) const WRITE_ON_ITS_WAY: &[Code] =
    &[Code(3), Code(5), Code(6), Code(14), Code(15), Code(16), Code(19), Code(51)];

/// Longer than a loaded broker was seen to need for writing the markers of a transaction.
pub(crate) const MARKERS_WITHIN: Duration = Duration::from_secs(20);

/// One instance of a transactional application.
#[derive(Debug)]
pub(crate) struct Producer {
    /// Its transactional id.
    pub(crate) txn_id: String,
    /// Its producer id.
    pub(crate) id: i64,
    /// Its epoch.
    pub(crate) epoch: i16,
    /// Its connection to the coordinator.
    pub(crate) coordinator: Conn,
}

impl Producer {
    /// A producer of a fresh transactional id.
    pub(crate) async fn new(cx: &Cx) -> Result<Self, Failure> {
        Self::of(cx, cx.txn_id()).await
    }

    /// A second instance of the same transactional id; its InitProducerId fences this one and ends what it left open.
    pub(crate) async fn successor(&self, cx: &Cx) -> Result<Self, Failure> {
        Self::of(cx, self.txn_id.clone()).await
    }

    /// A producer of a fresh transactional id, whose transactions may last this long.
    pub(crate) async fn with_timeout(cx: &Cx, timeout: Duration) -> Result<Self, Failure> {
        let txn_id = cx.txn_id();
        let mut coordinator = cx.txn_coordinator(&txn_id).await?;
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let request =
            requests::init_producer_id(Some(&txn_id)).with_transaction_timeout_ms(timeout_ms);
        let reply = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
        Ok(Self { txn_id, id: reply.producer_id.0, epoch: reply.producer_epoch, coordinator })
    }

    async fn of(cx: &Cx, txn_id: String) -> Result<Self, Failure> {
        let mut coordinator = cx.txn_coordinator(&txn_id).await?;
        let (id, epoch) = cx.producer_id(&mut coordinator, Some(&txn_id)).await?;
        Ok(Self { txn_id, id, epoch, coordinator })
    }

    /// A transactional batch of these values, from this sequence number on.
    pub(crate) fn batch(&self, cx: &Cx, values: &[&'static str], sequence: i32) -> Batch {
        cx.batch(values).idempotent(self.id, self.epoch, sequence).transactional()
    }

    /// A Produce of this batch under the transactional id, in the version at which Produce goes in this case.
    pub(crate) fn produce(
        &self,
        cx: &Cx,
        to: &Partition,
        batch: &Batch,
    ) -> Result<ProduceRequest, Failure> {
        Ok(self.own(cx.produce(to, batch.encode())?))
    }

    /// The request with this producer's transactional id in it.
    pub(crate) fn own(&self, request: ProduceRequest) -> ProduceRequest {
        request.with_transactional_id(Some(TransactionalId(text(&self.txn_id))))
    }

    /// An AddPartitionsToTxn, v3 at most, of these partitions, which belong to different topics or stand next to each
    /// other.
    pub(crate) fn add_partitions(&self, partitions: &[&Partition]) -> AddPartitionsToTxnRequest {
        let mut topics: Vec<AddPartitionsToTxnTopic> = Vec::new();
        for partition in partitions {
            let name = TopicName(text(&partition.topic));
            match topics.last_mut().filter(|topic| topic.name == name) {
                Some(topic) => topic.partitions.push(partition.index),
                None => topics.push(
                    AddPartitionsToTxnTopic::default()
                        .with_name(name)
                        .with_partitions(vec![partition.index]),
                ),
            }
        }
        AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&self.txn_id)))
            .with_v3_and_below_producer_id(self.id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(topics)
    }

    /// An EndTxn with this decision.
    pub(crate) fn end_txn(&self, decision: Marker) -> EndTxnRequest {
        EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&self.txn_id)))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(decision == Marker::Commit)
    }

    /// Set-up: adds these partitions to the transaction, which this begins where none is open.
    pub(crate) async fn add(&mut self, cx: &Cx, partitions: &[&Partition]) -> Outcome {
        let version = cx.newest(keys::AddPartitionsToTxn)?.min(LAST_ADD_OF_CLIENTS);
        let request = self.add_partitions(partitions);
        let coordinator = &mut self.coordinator;
        cx.settle_at(coordinator, version, &request, ADD_ON_ITS_WAY).await?.ok()?;
        Ok(())
    }

    /// Set-up: adds the partition to the transaction, writes these values there from this sequence number on, and gives
    /// the offset of the first.
    pub(crate) async fn write(
        &mut self,
        cx: &Cx,
        to: &Partition,
        values: &[&'static str],
        sequence: i32,
    ) -> Result<i64, Failure> {
        self.add(cx, &[to]).await?;
        let batch = self.batch(cx, values, sequence);
        self.append(cx, to, &batch, cx.newest(keys::Produce)?).await
    }

    /// Set-up: writes this batch at this version of Produce, and gives the offset of its first record.
    pub(crate) async fn append(
        &self,
        cx: &Cx,
        to: &Partition,
        batch: &Batch,
        version: i16,
    ) -> Result<i64, Failure> {
        let request = self.own(requests::produce(version, to, batch.encode()));
        let mut leader = cx.leader(to).await?;
        let reply = cx.settle_at(&mut leader, version, &request, WRITE_ON_ITS_WAY).await?;
        base_offset(&reply.ok()?)
    }

    /// Set-up: what DescribeTransactions says of it.
    pub(crate) async fn state(&mut self, cx: &Cx) -> Result<TransactionState, Failure> {
        let ids = vec![TransactionalId(text(&self.txn_id))];
        let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
        let version = cx.newest(keys::DescribeTransactions)?;
        let conn = &mut self.coordinator;
        let body = cx.settle_at(conn, version, &request, COORDINATOR_ON_ITS_WAY).await?.ok()?;
        let found = body.transaction_states.first().cloned();
        found.ok_or_else(|| Failure::blocked("one transactional id", "none"))
    }

    /// Set-up: ends the transaction; its markers may follow later, see [`stable_at`].
    pub(crate) async fn end(&mut self, cx: &Cx, decision: Marker) -> Outcome {
        let version = cx.newest(keys::EndTxn)?.min(LAST_END_WITHOUT_BUMP);
        self.end_at(cx, decision, version).await
    }

    /// Set-up: ends the transaction at this version of EndTxn. From 5 on the producer has another epoch afterwards, which
    /// this does not keep.
    pub(crate) async fn end_at(&mut self, cx: &Cx, decision: Marker, version: i16) -> Outcome {
        let request = self.end_txn(decision);
        let coordinator = &mut self.coordinator;
        cx.settle_at(coordinator, version, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
        Ok(())
    }
}

/// The base offset in the answer to a Produce to one partition.
pub(crate) fn base_offset(body: &Body<ProduceResponse>) -> Result<i64, Failure> {
    let result = body.responses.first().and_then(|topic| topic.partition_responses.first());
    result
        .map(|partition| partition.base_offset)
        .ok_or_else(|| Failure::blocked("one result for one partition", "none"))
}

/// The act: the answer to a Produce to one partition names this base offset.
#[track_caller]
pub(crate) fn expect_base_offset(body: &Body<ProduceResponse>, offset: i64) -> Outcome {
    let got = base_offset(body)?;
    body.require(got == offset, format!("base_offset = {offset}"), || got.to_string())
}

/// The decision that the case's variant names: `commit` or `abort`.
pub(crate) fn decision(cx: &Cx) -> Result<Marker, Failure> {
    match cx.variant() {
        "commit" => Ok(Marker::Commit),
        "abort" => Ok(Marker::Abort),
        other => Err(Failure::error(format!("variant {other} is no decision"))),
    }
}

/// The code for an outdated epoch on the coordinator's APIs: PRODUCER_FENCED (90) from this version on. Older clients
/// do not know it and get INVALID_PRODUCER_EPOCH (47), KIP-588.
pub(crate) fn fenced(cx: &Cx, from: i16) -> ResponseError {
    if cx.version() < from { InvalidProducerEpoch } else { ProducerFenced }
}

/// The case's version of this API is of the second transaction protocol (Produce v12, EndTxn v5), which a target must
/// have finalized.
///
/// At `transaction.version` 0 Apache Kafka refuses such requests, and some of them leave the transactional id unusable.
pub(crate) fn second_protocol(cx: &Cx) -> Outcome {
    let from =
        if cx.key() == keys::EndTxn { LAST_END_WITHOUT_BUMP + 1 } else { FIRST_IMPLICIT_ADD };
    if cx.version() >= from && cx.facts().feature("transaction.version") < 1 {
        return Err(Failure::NotRun("feature transaction.version finalized at 1 or above".into()));
    }
    Ok(())
}

/// A question for the end of the partition as a consumer of committed data has it: its last stable offset.
pub(crate) fn stable_end(of: &Partition) -> ListOffsetsRequest {
    requests::list_offsets(of, -1).with_isolation_level(1)
}

/// The last stable offset of the partition.
pub(crate) async fn last_stable(cx: &Cx, of: &Partition) -> Result<i64, Failure> {
    last_stable_at(&mut cx.leader(of).await?, of).await
}

/// The last stable offset of the partition, as this leader of it says.
pub(crate) async fn last_stable_at(leader: &mut Conn, of: &Partition) -> Result<i64, Failure> {
    let body = leader.ask_newest(stable_end(of)).await?.ok()?;
    let found = body.topics.first().and_then(|topic| topic.partitions.first());
    found
        .map(|partition| partition.offset)
        .ok_or_else(|| Failure::blocked("one offset for one partition", "none"))
}

/// Waits for the last stable offset to come to this one, as it does soon after a transaction was ended.
pub(crate) async fn stable_at(cx: &Cx, of: &Partition, offset: i64) -> Outcome {
    let what = format!("last stable offset {offset} in {}-{}", of.topic, of.index);
    let mut tries = cx.tries(what, MARKERS_WITHIN);
    loop {
        let got = last_stable(cx, of).await?;
        if got == offset {
            return Ok(());
        }
        tries.expect(format!("last stable offset {got}")).await?;
    }
}
