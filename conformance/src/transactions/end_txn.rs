//! EndTxn (26): the decision, its repetition, and who may not decide. What version 5 changed is in `end_txn_v5`.
//!
//! What its answer promises is in `decisions`, what is answered while markers are being written in `completion`, and what
//! a move of the coordinator does to it in `moved_coordinators`.

use kafka_protocol::messages::{EndTxnResponse, TransactionalId};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::{Body, TRANSACTION_ON_ITS_WAY};

use super::consumer::read_committed;
use crate::producer::{Producer, decision, fenced, last_stable, second_protocol, stable_at};

scenarios![
    the_decision_becomes_visible_and_the_epoch_stays,
    without_a_transaction_there_is_nothing_to_end,
    the_same_decision_again_is_confirmed,
    the_opposite_decision_comes_too_late,
    a_wrong_identity_ends_nothing,
];

/// EndTxn v0 to v4 of an open transaction with the current producer id and epoch answers 0; a
/// commit makes the records visible to consumers of committed data, an abort hides them, and the
/// epoch stays.
#[scenario("ENDTXN-001", api = EndTxn, versions = 0..=4, vary = ["commit", "abort"])]
async fn the_decision_becomes_visible_and_the_epoch_stays(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["undecided"], 0).await?;
    let decision = decision(cx)?;
    producer.coordinator.ask(producer.end_txn(decision)).await?.expect_ok()?;

    stable_at(cx, &partition, 2).await?;
    let visible: &[&str] = if decision == Marker::Commit { &["undecided"] } else { &[] };
    read_committed(cx, &partition).await?.expect(visible)?;
    // Refused as fenced, had the epoch moved on.
    producer.add(cx, &[&partition]).await
}

/// EndTxn v0 to v4 is refused with INVALID_TXN_STATE (48), commit and abort alike, when nothing was
/// added since InitProducerId.
#[scenario("ENDTXN-004", api = EndTxn, versions = 0..=4, vary = ["commit", "abort"])]
async fn without_a_transaction_there_is_nothing_to_end(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let request = producer.end_txn(decision(cx)?);
    producer.coordinator.ask(request).await?.expect_error(InvalidTxnState)
}

/// EndTxn v0 to v4 repeated with the same decision after the transaction is complete answers 0;
/// with the opposite decision it is refused with INVALID_TXN_STATE (48). While the markers are
/// being written, both get CONCURRENT_TRANSACTIONS (51).
#[scenario("ENDTXN-006", api = EndTxn, versions = 0..=4, vary = ["commit", "abort"])]
async fn the_same_decision_again_is_confirmed(cx: &mut Cx) -> Outcome {
    let mut producer = ended(cx, decision(cx)?).await?;
    let again = producer.end_txn(decision(cx)?);
    let reply = cx.settle(&mut producer.coordinator, &again, TRANSACTION_ON_ITS_WAY).await?;
    reply.expect_ok()?;
    Ok(())
}

/// EndTxn v0 to v4 repeated with the same decision after the transaction is complete answers 0;
/// with the opposite decision it is refused with INVALID_TXN_STATE (48). While the markers are
/// being written, both get CONCURRENT_TRANSACTIONS (51).
#[scenario("ENDTXN-006", api = EndTxn, versions = 0..=4, vary = ["commit", "abort"])]
async fn the_opposite_decision_comes_too_late(cx: &mut Cx) -> Outcome {
    let mut producer = ended(cx, opposite(decision(cx)?)).await?;
    let request = producer.end_txn(decision(cx)?);
    let reply = cx.settle(&mut producer.coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    reply.expect_error(InvalidTxnState)
}

/// EndTxn with another epoch than the current one, older or newer, is refused with PRODUCER_FENCED
/// (90), in v0 and v1 with INVALID_PRODUCER_EPOCH (47); for an unknown transactional id or with
/// another producer id with INVALID_PRODUCER_ID_MAPPING (49); with an empty transactional id with
/// INVALID_REQUEST (42). The open transaction stays untouched, and in v5 the refusal has producer
/// id -1 and epoch -1.
#[scenario(
    "ENDTXN-009", api = EndTxn,
    vary = ["older epoch", "newer epoch", "another producer id", "unknown id", "empty id"],
)]
async fn a_wrong_identity_ends_nothing(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?.successor(cx).await?;
    producer.write(cx, &partition, &["untouched"], 0).await?;
    let right = producer.end_txn(Marker::Commit);
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
    expect_refused(cx, producer.coordinator.ask(wrong).await?, refusal)?;
    let open = last_stable(cx, &partition).await?;
    require(open == 0, "the transaction still open at offset 0", || open.to_string())
}

/// The act: refused with this code and, in version 5, without a producer id and an epoch.
#[track_caller]
pub(super) fn expect_refused(
    cx: &Cx,
    reply: Reply<EndTxnResponse>,
    code: ResponseError,
) -> Outcome {
    reply.expect_error_at("error_code", code)?;
    if cx.version() < 5 { Ok(()) } else { expect_identity(&reply.expect_answer()?, (-1, -1)) }
}

/// The act: the answer, of version 5 or later, tells the client to go on with this producer id and epoch.
#[track_caller]
pub(super) fn expect_identity(body: &Body<EndTxnResponse>, (id, epoch): (i64, i16)) -> Outcome {
    body.require(
        (body.producer_id.0, body.producer_epoch) == (id, epoch),
        format!("producer id {id}, epoch {epoch}"),
        || format!("producer id {}, epoch {}", body.producer_id.0, body.producer_epoch),
    )
}

/// The other decision.
pub(super) fn opposite(decision: Marker) -> Marker {
    if decision == Marker::Commit { Marker::Abort } else { Marker::Commit }
}

/// A producer whose transaction of one record was ended so in the case's version; the epoch is the one from before.
pub(super) async fn ended(cx: &Cx, decision: Marker) -> Result<Producer, Failure> {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["ended"], 0).await?;
    let request = producer.end_txn(decision);
    cx.settle(&mut producer.coordinator, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
    stable_at(cx, &partition, 2).await?;
    Ok(producer)
}
