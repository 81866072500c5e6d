//! EndTxn (26), version 5 (KIP-890): every transaction ends with a new epoch, which the answer names.
//!
//! The end of the epochs, which takes some 32,000 requests, is in `last_epochs`.

use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::end_txn::{ended, expect_identity, expect_refused, opposite};
use crate::producer::{PRODUCED, Producer, decision, stable_at};

scenarios![
    the_answer_names_the_next_epoch,
    an_empty_transaction_can_be_aborted,
    an_empty_transaction_cannot_be_committed,
    a_retry_gets_the_answer_again,
    a_retry_with_the_opposite_decision_is_refused,
    after_the_end_only_an_abort_is_accepted,
];

/// EndTxn v5 of an open transaction answers 0 with the producer id and the next epoch, which the
/// client must use from then on; Produce with the old epoch is refused with INVALID_PRODUCER_EPOCH
/// (47) in every version once the marker is written. Before that, a partition of the transaction
/// may still take it (seen on 4.1.2 and 4.4.0).
#[scenario(
    "ENDTXN-002", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit", "abort"],
)]
async fn the_answer_names_the_next_epoch(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["first"], 0).await?;
    let request = producer.end_txn(decision(cx)?);
    let body = producer.coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&body, (producer.id, producer.epoch + 1))?;

    // Until its marker is written, the transaction is open to the leader and takes the old epoch.
    stable_at(cx, &partition, 2).await?;
    let mut leader = cx.leader(&partition).await?;
    let late = producer.produce(cx, &partition, &producer.batch(cx, &["late"], 1))?;
    leader.ask(late).await?.expect_error_at(PRODUCED, InvalidProducerEpoch)
}

/// EndTxn v5 when nothing was added since InitProducerId: an abort is answered with 0 and the next
/// epoch, a commit is refused with INVALID_TXN_STATE (48), producer id -1 and epoch -1.
#[scenario(
    "ENDTXN-005", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
)]
async fn an_empty_transaction_can_be_aborted(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let request = producer.end_txn(Marker::Abort);
    let body = producer.coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&body, (producer.id, producer.epoch + 1))
}

/// EndTxn v5 when nothing was added since InitProducerId: an abort is answered with 0 and the next
/// epoch, a commit is refused with INVALID_TXN_STATE (48), producer id -1 and epoch -1.
#[scenario(
    "ENDTXN-005", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
)]
async fn an_empty_transaction_cannot_be_committed(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let request = producer.end_txn(Marker::Commit);
    expect_refused(cx, producer.coordinator.ask(request).await?, InvalidTxnState)
}

/// EndTxn v5 repeated with the epoch from before and the same decision after the transaction is
/// complete answers 0 with the epoch that was given already; the opposite decision is refused with
/// INVALID_TXN_STATE (48), producer id -1 and epoch -1. While the markers are being written, both
/// get CONCURRENT_TRANSACTIONS (51); once the next transaction is open, PRODUCER_FENCED (90).
#[scenario(
    "ENDTXN-007", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit", "abort"],
)]
async fn a_retry_gets_the_answer_again(cx: &mut Cx) -> Outcome {
    let mut producer = ended(cx, decision(cx)?).await?;
    let retry = producer.end_txn(decision(cx)?);
    let reply = cx.settle(&mut producer.coordinator, &retry, TRANSACTION_ON_ITS_WAY).await?;
    expect_identity(&reply.expect_ok()?, (producer.id, producer.epoch + 1))
}

/// EndTxn v5 repeated with the epoch from before and the same decision after the transaction is
/// complete answers 0 with the epoch that was given already; the opposite decision is refused with
/// INVALID_TXN_STATE (48), producer id -1 and epoch -1. While the markers are being written, both
/// get CONCURRENT_TRANSACTIONS (51); once the next transaction is open, PRODUCER_FENCED (90).
#[scenario(
    "ENDTXN-007", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit", "abort"],
)]
async fn a_retry_with_the_opposite_decision_is_refused(cx: &mut Cx) -> Outcome {
    let mut producer = ended(cx, opposite(decision(cx)?)).await?;
    let retry = producer.end_txn(decision(cx)?);
    let reply = cx.settle(&mut producer.coordinator, &retry, TRANSACTION_ON_ITS_WAY).await?;
    expect_refused(cx, reply, InvalidTxnState)
}

/// EndTxn v5 with the current epoch after the last transaction is complete, committed or aborted:
/// an abort answers 0 with the next epoch, a commit is refused with INVALID_TXN_STATE (48),
/// producer id -1 and epoch -1.
#[scenario(
    "ENDTXN-008", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit", "abort"],
)]
async fn after_the_end_only_an_abort_is_accepted(cx: &mut Cx) -> Outcome {
    let mut producer = ended(cx, decision(cx)?).await?;
    // The epoch that the answer named.
    producer.epoch += 1;
    let commit = producer.end_txn(Marker::Commit);
    let reply = cx.settle(&mut producer.coordinator, &commit, TRANSACTION_ON_ITS_WAY).await?;
    expect_refused(cx, reply, InvalidTxnState)?;
    let abort = producer.end_txn(Marker::Abort);
    let body = producer.coordinator.ask(abort).await?.expect_ok()?;
    expect_identity(&body, (producer.id, producer.epoch + 1))
}
