//! AddOffsetsToTxn (25): how the offsets of a group come to be part of a transaction. What is answered while the last
//! one is being ended is in `completion`, the rights that it takes in `rights`.

use kafka_protocol::messages::TransactionalId;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;

use super::offsets::add_offsets;
use crate::producer::{Producer, fenced};

scenarios![the_offsets_of_a_group_become_part_of_the_transaction, a_wrong_identity_is_refused];

/// The topic in which groups keep their offsets.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// AddOffsetsToTxn with the current producer id and epoch answers 0, begins a transaction where
/// none is open, and makes the group's partition of __consumer_offsets part of it, as
/// DescribeTransactions shows.
#[scenario("ADDOFF-001", api = AddOffsetsToTxn)]
async fn the_offsets_of_a_group_become_part_of_the_transaction(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    // Makes the topic, where nobody used a group before.
    cx.group_coordinator(&group).await?;
    let mut producer = Producer::new(cx).await?;
    let request = add_offsets(&producer, &group);
    let reply = cx.settle(&mut producer.coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    reply.expect_ok()?;

    let found = producer.state(cx).await?;
    let state = found.transaction_state.as_str();
    require(state == "Ongoing", "an open transaction: Ongoing", || state.to_owned())?;
    let topics = found.topics.iter().map(|topic| (topic.topic.as_str(), topic.partitions.len()));
    let topics: Vec<_> = topics.collect();
    require(topics == [(OFFSETS_TOPIC, 1)], "one partition of __consumer_offsets", || {
        format!("{topics:?}")
    })
}

/// AddOffsetsToTxn with another epoch than the current one, older or newer, is refused with
/// PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH (47); for an unknown
/// transactional id or with another producer id with INVALID_PRODUCER_ID_MAPPING (49); with an
/// empty transactional id with INVALID_REQUEST (42); while the markers of the last transaction are
/// being written with CONCURRENT_TRANSACTIONS (51).
#[scenario(
    "ADDOFF-002", api = AddOffsetsToTxn,
    vary = ["older epoch", "newer epoch", "another producer id", "unknown id", "empty id"],
)]
async fn a_wrong_identity_is_refused(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?.successor(cx).await?;
    let right = add_offsets(&producer, &cx.group());
    let epoch = producer.epoch;
    let (wrong, refusal) = match cx.variant() {
        "older epoch" => (right.with_producer_epoch(epoch - 1), fenced(cx, 2)),
        "newer epoch" => (right.with_producer_epoch(epoch + 1), fenced(cx, 2)),
        "another producer id" => {
            let (other, _) = cx.producer_id(&mut producer.coordinator, None).await?;
            (right.with_producer_id(other.into()), InvalidProducerIdMapping)
        }
        "unknown id" => {
            let unknown = cx.txn_id();
            producer.coordinator = cx.txn_coordinator(&unknown).await?;
            let unknown = TransactionalId(text(unknown));
            (right.with_transactional_id(unknown), InvalidProducerIdMapping)
        }
        _ => (right.with_transactional_id(TransactionalId(text(""))), InvalidRequest),
    };
    producer.coordinator.ask(wrong).await?.expect_error(refusal)
}
