//! Produce (0) of transactional batches: which transaction they belong to, and which are kept out.
//!
//! A leader asks the coordinator whether the partition is part of the transaction (KIP-890): up to version 10 a batch
//! outside of it is refused with a code that is fatal to clients, version 11 brought one that only asks them to abort,
//! and version 12 adds the partition.

use kafka_protocol::messages::{DescribeTransactionsRequest, TransactionalId};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::Value;

use crate::producer::{PRODUCED, Producer, expect_base_offset, second_protocol, stable_at};

scenarios![
    a_partition_outside_the_transaction_is_refused,
    a_partition_outside_the_transaction_asks_for_an_abort,
    a_partition_is_added_by_its_first_batch,
    a_transactional_batch_needs_a_transactional_id,
    a_plain_batch_is_kept_out_of_an_open_transaction,
    a_stale_epoch_is_refused,
    the_sequence_goes_on_in_the_next_transaction,
];

/// How long the codes of other requests may get in the way, see [`expect_kept_out`].
const CODE_WITHIN: Duration = Duration::from_secs(5);

/// A transactional batch in Produce v3 to v10 to a partition that is not part of the transaction
/// (no transaction is open, only other partitions were added, or it was part of the last
/// transaction only) is refused with INVALID_TXN_STATE (48) and base_offset -1, and nothing is
/// appended (from 3.6 on, where transaction.partition.verification.enable is true, its default;
/// older brokers accept it).
#[scenario(
    "TXNPROD-001", api = Produce, versions = 3..=10, needs = [Since(3, 6)],
    vary = ["no transaction", "another partition", "the last transaction"],
)]
async fn a_partition_outside_the_transaction_is_refused(cx: &mut Cx) -> Outcome {
    expect_kept_out(cx, InvalidTxnState).await
}

/// In Produce v11 such a batch (TXNPROD-001) is refused with TRANSACTION_ABORTABLE (120) instead.
/// Among concurrent requests of several versions Apache Kafka now and then gives one the code of
/// another (48 in v11, 120 before it).
#[scenario(
    "TXNPROD-002", api = Produce, versions = 11..=11, needs = [Since(3, 8)],
    vary = ["no transaction", "another partition", "the last transaction"],
)]
async fn a_partition_outside_the_transaction_asks_for_an_abort(cx: &mut Cx) -> Outcome {
    expect_kept_out(cx, TransactionAbortable).await
}

/// A transactional batch in Produce v12 and later adds its partition to the transaction: it is
/// answered with 0 without any AddPartitionsToTxn, and DescribeTransactions shows the partition.
/// This needs finalized transaction.version 1 or 2, which make no difference here; with 0 the
/// partition gets UNSUPPORTED_VERSION (35) and nothing is added, but a partition that
/// AddPartitionsToTxn added can be written.
#[scenario(
    "TXNPROD-003", api = Produce, versions = 12..,
    needs = [Feature("transaction.version", 1)],
)]
async fn a_partition_is_added_by_its_first_batch(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    let mut leader = cx.leader(&partition).await?;
    let request = producer.produce(cx, &partition, &producer.batch(cx, &["first"], 0))?;
    leader.ask(request).await?.expect_ok()?;

    let ids = vec![TransactionalId(text(&producer.txn_id))];
    let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
    let body = producer.coordinator.ask(request).await?.ok()?;
    let topics = body.transaction_states.first().map(|found| found.topics.as_slice());
    let topics = topics.unwrap_or_default();
    let partitions = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|index| (topic.topic.0.to_string(), *index)));
    let partitions: Vec<_> = partitions.collect();
    let expected = vec![(partition.topic, partition.index)];
    body.require(partitions == expected, format!("{expected:?}"), || format!("{partitions:?}"))
}

/// A transactional batch in a request whose transactional_id is null is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) on all partitions, even for a super user or without
/// an authorizer.
#[scenario("TXNPROD-004", api = Produce, versions = 3..)]
async fn a_transactional_batch_needs_a_transactional_id(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&partition]).await?;
    let mut leader = cx.leader(&partition).await?;
    let records = producer.batch(cx, &["anonymous"], 0).encode();
    let reply = leader.ask(cx.produce(&partition, records)?).await?;
    reply.expect_error_at(PRODUCED, TransactionalIdAuthorizationFailed)?;
    cx.expect_next_offset(&partition, 0).await
}

/// A batch that is not transactional, of a producer id that has an open transaction on the
/// partition, is refused with INVALID_TXN_STATE (48), with a transactional_id in the request and
/// without; the transaction stays usable.
#[scenario(
    "TXNPROD-005", api = Produce, versions = 3..,
    vary = ["with transactional id", "without transactional id"],
)]
async fn a_plain_batch_is_kept_out_of_an_open_transaction(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["transactional"], 0).await?;
    let mut leader = cx.leader(&partition).await?;
    let plain = cx.batch(&["plain"]).idempotent(producer.id, producer.epoch, 1);
    let mut request = cx.produce(&partition, plain.encode())?;
    if cx.variant() == "with transactional id" {
        request = producer.own(request);
    }
    leader.ask(request).await?.expect_error_at(PRODUCED, InvalidTxnState)?;
    let next = producer.produce(cx, &partition, &producer.batch(cx, &["next"], 1))?;
    expect_base_offset(&leader.ask(next).await?.expect_ok()?, 1)
}

/// A transactional batch with an outdated epoch is refused with INVALID_PRODUCER_EPOCH (47) in
/// every version.
#[scenario("TXNPROD-006", api = Produce, versions = 3..)]
async fn a_stale_epoch_is_refused(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let first = Producer::new(cx).await?;
    first.successor(cx).await?.write(cx, &partition, &["successor"], 0).await?;
    let mut leader = cx.leader(&partition).await?;
    let stale = first.produce(cx, &partition, &first.batch(cx, &["zombie"], 0))?;
    leader.ask(stale).await?.expect_error_at(PRODUCED, InvalidProducerEpoch)?;
    cx.expect_next_offset(&partition, 1).await
}

/// The rules of sequence numbers (IDEMP rows) hold inside and across transactions: the sequence
/// goes on in the next transaction when the epoch stays (EndTxn v0 to v4) and begins again at 0
/// after EndTxn v5, which gives a new epoch; a wrong number is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), and a duplicate inside the open transaction gets its original
/// offset.
#[scenario("TXNPROD-009", api = Produce, versions = 3..)]
async fn the_sequence_goes_on_in_the_next_transaction(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["first"], 0).await?;
    producer.end(cx, Marker::Commit).await?;
    stable_at(cx, &partition, 2).await?;
    producer.add(cx, &[&partition]).await?;
    let mut leader = cx.leader(&partition).await?;
    let send =
        |sequence| producer.produce(cx, &partition, &producer.batch(cx, &["next"], sequence));
    let ahead = leader.ask(send(2)?).await?;
    ahead.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    // Offset 1 is the marker of the first transaction.
    expect_base_offset(&leader.ask(send(1)?).await?.expect_ok()?, 2)?;
    expect_base_offset(&leader.ask(send(1)?).await?.expect_ok()?, 2)?;
    cx.expect_next_offset(&partition, 3).await
}

/// The act: a batch to a partition that is not part of the open transaction, or where none is open, is refused with
/// this code and not appended.
async fn expect_kept_out(cx: &Cx, code: ResponseError) -> Outcome {
    let (partition, other) = (cx.partition().await?, cx.partition().await?);
    let mut producer = Producer::new(cx).await?;
    let mut end = 0;
    if cx.variant() == "the last transaction" {
        producer.write(cx, &partition, &["last"], 0).await?;
        producer.end(cx, Marker::Commit).await?;
        // Its record and its marker.
        end = 2;
    }
    if cx.variant() != "no transaction" {
        // Accepted only once the last transaction has ended.
        producer.add(cx, &[&other]).await?;
    }
    let sequence = if end == 0 { 0 } else { 1 };
    let mut leader = cx.leader(&partition).await?;
    let late = producer.produce(cx, &partition, &producer.batch(cx, &["late"], sequence))?;
    // AddPartitionsToTxnManager puts questions of several requests into one, and answers them all with the code that
    // suits the first: beside requests of other versions the code of those may come, so such a code is asked again.
    let others = if code == InvalidTxnState { TransactionAbortable } else { InvalidTxnState };
    let mut tries = cx.tries("the code of this version", CODE_WITHIN);
    let reply = loop {
        let reply = leader.ask(late.clone()).await?;
        if reply.at(PRODUCED)? != Value::Int(others.code().into()) {
            break reply;
        }
        tries.expect(Code::from(others)).await?;
    };
    reply.expect_error_at(PRODUCED, code)?;
    expect_base_offset(&reply.expect_answer()?, -1)?;
    cx.expect_next_offset(&partition, end).await
}
