//! AddPartitionsToTxn (24), versions 0 to 3: the ones that clients send.
//!
//! From version 4 on it is a request of brokers, several transactions at once (KIP-890), see `added_by_brokers`. What is
//! answered while the last transaction is still being ended is in `completion`, the rights that it takes in `rights`.

use kafka_protocol::messages::TransactionalId;
use kafka_protocol::messages::add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use crate::producer::{Producer, fenced};

scenarios![
    partitions_are_added_and_added_again,
    an_unknown_partition_keeps_all_others_out,
    a_foreign_producer_id_is_refused,
    a_wrong_epoch_is_fenced,
    an_empty_transactional_id_is_refused,
];

/// AddPartitionsToTxn with the current producer id and epoch and existing partitions answers 0 for
/// every partition, and so does the same request once more.
#[scenario("ADDPART-001", api = AddPartitionsToTxn, versions = 0..=3)]
async fn partitions_are_added_and_added_again(cx: &mut Cx) -> Outcome {
    let (one, two) = (cx.partition().await?, cx.partition().await?);
    let mut producer = Producer::new(cx).await?;
    let request = producer.add_partitions(&[&one, &two]);

    producer.coordinator.ask(request.clone()).await?.expect_ok()?;
    let again = cx.settle(&mut producer.coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    again.expect_ok()?;
    // A transaction is open: there is something to end.
    producer.end(cx, Marker::Abort).await
}

/// Where one partition of an AddPartitionsToTxn does not exist, it gets UNKNOWN_TOPIC_OR_PARTITION
/// (3), all others get OPERATION_NOT_ATTEMPTED (55), and nothing is added.
#[scenario(
    "ADDPART-002", api = AddPartitionsToTxn, versions = 0..=3,
    vary = ["unknown topic", "unknown partition"],
)]
async fn an_unknown_partition_keeps_all_others_out(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    let mut unknown = Partition { index: 1_000_000, ..good.clone() };
    if cx.variant() == "unknown topic" {
        unknown = Partition { topic: cx.name("nowhere"), index: 0, ..unknown };
    }
    let mut producer = Producer::new(cx).await?;
    let request = producer.add_partitions(&[&good, &unknown]);
    let body = producer.coordinator.ask(request).await?.expect_answer()?;

    let topics = body.results_by_topic_v3_and_below.iter();
    let results = topics.flat_map(|topic| {
        let code = |result: &AddPartitionsToTxnPartitionResult| {
            (topic.name.0.to_string(), result.partition_index, result.partition_error_code)
        };
        topic.results_by_partition.iter().map(code)
    });
    let mut results: Vec<_> = results.collect();
    let mut expected = vec![
        (good.topic, good.index, OperationNotAttempted.code()),
        (unknown.topic, unknown.index, UnknownTopicOrPartition.code()),
    ];
    results.sort();
    expected.sort();
    body.require(results == expected, format!("{expected:?}"), || format!("{results:?}"))?;
    // Nothing was added: there is no transaction to end.
    let version = cx.newest(keys::EndTxn)?.min(4);
    let end = producer.end_txn(Marker::Abort);
    producer.coordinator.ask_at(version, end, &[]).await?.expect_error(InvalidTxnState)
}

/// AddPartitionsToTxn for an unknown transactional id, or with another producer id than the
/// transactional id has, is refused with INVALID_PRODUCER_ID_MAPPING (49) on each partition.
#[scenario(
    "ADDPART-003", api = AddPartitionsToTxn, versions = 0..=3,
    vary = ["unknown transactional id", "another producer id"],
)]
async fn a_foreign_producer_id_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    if cx.variant() == "another producer id" {
        producer.id = cx.producer_id(&mut producer.coordinator, None).await?.0;
    } else {
        producer.txn_id = cx.txn_id();
        producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    }
    let request = producer.add_partitions(&[&partition]);
    producer.coordinator.ask(request).await?.expect_error(InvalidProducerIdMapping)
}

/// AddPartitionsToTxn with another epoch than the current one, older or newer, is refused with
/// PRODUCER_FENCED (90) in v2 and v3 and INVALID_PRODUCER_EPOCH (47) in v0 and v1 (brokers up to
/// 2.6 know no 90 at all).
#[scenario(
    "ADDPART-004", api = AddPartitionsToTxn, versions = 0..=3,
    vary = ["older", "newer"],
)]
async fn a_wrong_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let first = Producer::new(cx).await?;
    let mut producer = first.successor(cx).await?;
    producer.epoch += if cx.variant() == "older" { -1 } else { 1 };
    let request = producer.add_partitions(&[&partition]);
    producer.coordinator.ask(request).await?.expect_error(fenced(cx, 2))
}

/// AddPartitionsToTxn with an empty transactional id is refused with INVALID_REQUEST (42).
#[scenario("ADDPART-005", api = AddPartitionsToTxn, versions = 0..=3)]
async fn an_empty_transactional_id_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    let request = producer
        .add_partitions(&[&partition])
        .with_v3_and_below_transactional_id(TransactionalId(text("")));
    producer.coordinator.ask(request).await?.expect_error(InvalidRequest)
}
