//! What is answered while the markers of a transaction are being written: between the answer to EndTxn and the end of
//! the transaction, some milliseconds later.
//!
//! A case sends EndTxn and the request that matters right behind it, on one connection. Should the broker have been
//! faster with its markers, it tries again with another transaction.

use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse};
use kafka_protocol::protocol::{Decodable, Request};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::Value;

use super::end_txn::{expect_identity, opposite};
use super::known_producers;
use super::offsets::add_offsets;
use crate::producer::{PRODUCED, Producer, decision, expect_base_offset, second_protocol};

scenarios![
    a_new_instance_waits_for_the_markers,
    partitions_wait_for_the_markers,
    offsets_wait_for_the_markers,
    either_decision_waits_for_the_markers,
    a_retry_waits_for_the_markers,
    an_empty_abort_waits_for_the_markers,
    the_next_transaction_is_written_behind_the_markers,
];

/// Partitions of a transaction whose end is to take its time.
const PARTITIONS: usize = 8;
/// How many transactions may be over before the next request comes.
const ATTEMPTS: usize = 12;

/// While the markers of the last transaction are being written (states PrepareCommit and
/// PrepareAbort), InitProducerId is refused with CONCURRENT_TRANSACTIONS (51), producer id -1 and
/// epoch -1; asked again after that it gives the same producer id and the next epoch.
#[scenario("INITPID-013", api = InitProducerId, vary = ["commit", "abort"])]
async fn a_new_instance_waits_for_the_markers(cx: &mut Cx) -> Outcome {
    let end = end_by_4(cx)?;
    let request = |producer: &Producer| init_producer_id(Some(&producer.txn_id));
    let (mut producer, reply) = meanwhile(cx, end, request).await?;
    known_producers::expect_no_identity(reply, ConcurrentTransactions)?;
    let again = request(&producer);
    let later = cx.settle(&mut producer.coordinator, &again, TRANSACTION_ON_ITS_WAY).await?;
    known_producers::expect_identity(&later.expect_ok()?, (producer.id, producer.epoch + 1))
}

/// While the markers of the last transaction are being written (states PrepareCommit and
/// PrepareAbort), AddPartitionsToTxn is refused with CONCURRENT_TRANSACTIONS (51) for each
/// partition; asked again some milliseconds later it is answered with 0.
#[scenario("ADDPART-006", api = AddPartitionsToTxn, versions = 0..=3, vary = ["commit", "abort"])]
async fn partitions_wait_for_the_markers(cx: &mut Cx) -> Outcome {
    let (end, partition) = (end_by_4(cx)?, cx.partition().await?);
    let request = |producer: &Producer| producer.add_partitions(&[&partition]);
    let (mut producer, reply) = meanwhile(cx, end, request).await?;
    reply.expect_error(ConcurrentTransactions)?;
    let again = request(&producer);
    let later = cx.settle(&mut producer.coordinator, &again, TRANSACTION_ON_ITS_WAY).await?;
    later.expect_ok()?;
    Ok(())
}

/// AddOffsetsToTxn with another epoch than the current one, older or newer, is refused with
/// PRODUCER_FENCED (90), in v0 and v1 with INVALID_PRODUCER_EPOCH (47); for an unknown
/// transactional id or with another producer id with INVALID_PRODUCER_ID_MAPPING (49); with an
/// empty transactional id with INVALID_REQUEST (42); while the markers of the last transaction are
/// being written with CONCURRENT_TRANSACTIONS (51).
#[scenario("ADDOFF-002", api = AddOffsetsToTxn, vary = ["commit", "abort"])]
async fn offsets_wait_for_the_markers(cx: &mut Cx) -> Outcome {
    let (end, group) = (end_by_4(cx)?, cx.group());
    let request = |producer: &Producer| add_offsets(producer, &group);
    let (mut producer, reply) = meanwhile(cx, end, request).await?;
    reply.expect_error(ConcurrentTransactions)?;
    let again = request(&producer);
    let later = cx.settle(&mut producer.coordinator, &again, TRANSACTION_ON_ITS_WAY).await?;
    later.expect_ok()?;
    Ok(())
}

/// EndTxn v0 to v4 repeated with the same decision after the transaction is complete answers 0;
/// with the opposite decision it is refused with INVALID_TXN_STATE (48). While the markers are
/// being written, both get CONCURRENT_TRANSACTIONS (51).
#[scenario(
    "ENDTXN-006", api = EndTxn, versions = 0..=4,
    vary = ["commit, again", "abort, again", "commit, then abort", "abort, then commit"],
)]
async fn either_decision_waits_for_the_markers(cx: &mut Cx) -> Outcome {
    let (first, second) = decisions(cx);
    let end = (cx.version(), first);
    let (_, reply) = meanwhile(cx, end, |producer| producer.end_txn(second)).await?;
    reply.expect_error(ConcurrentTransactions)
}

/// EndTxn v5 repeated with the epoch from before and the same decision after the transaction is
/// complete answers 0 with the epoch that was given already; the opposite decision is refused with
/// INVALID_TXN_STATE (48), producer id -1 and epoch -1. While the markers are being written, both
/// get CONCURRENT_TRANSACTIONS (51); once the next transaction is open, PRODUCER_FENCED (90).
#[scenario(
    "ENDTXN-007", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit, again", "abort, again", "commit, then abort", "abort, then commit"],
)]
async fn a_retry_waits_for_the_markers(cx: &mut Cx) -> Outcome {
    let (first, second) = decisions(cx);
    let end = (cx.version(), first);
    let (_, reply) = meanwhile(cx, end, |producer| producer.end_txn(second)).await?;
    super::end_txn::expect_refused(cx, reply, ConcurrentTransactions)
}

/// EndTxn v5 that aborts with the epoch which the last EndTxn gave, sent while the markers of that
/// transaction are being written, is never fenced: it is answered with CONCURRENT_TRANSACTIONS
/// (51), and with 0 and the next epoch once they are written.
#[scenario(
    "ENDTXN-014", api = EndTxn, versions = 5.., needs = [Feature("transaction.version", 1)],
    vary = ["commit", "abort"],
)]
async fn an_empty_abort_waits_for_the_markers(cx: &mut Cx) -> Outcome {
    let end = (cx.version(), decision(cx)?);
    let abort = |producer: &Producer| {
        producer.end_txn(Marker::Abort).with_producer_epoch(producer.epoch + 1)
    };
    let (mut producer, reply) = meanwhile(cx, end, abort).await?;
    super::end_txn::expect_refused(cx, reply, ConcurrentTransactions)?;
    let again = abort(&producer);
    let later = cx.settle(&mut producer.coordinator, &again, TRANSACTION_ON_ITS_WAY).await?;
    expect_identity(&later.expect_ok()?, (producer.id, producer.epoch + 2))
}

/// The first batch of the next transaction, sent right after EndTxn was answered: Produce v12 and
/// later appends it behind the marker (0, usually after 5 to 50 ms, for which the broker waits) or
/// asks to send it again with CONCURRENT_TRANSACTIONS (51) where that takes longer. Produce v3 to
/// v11, without AddPartitionsToTxn and with the epoch that EndTxn v0 to v4 left as it was, either
/// lands in the last transaction, before its marker (0; the hazard that KIP-890 ends), or is
/// refused: with NOT_ENOUGH_REPLICAS (19) while the transaction is being ended, and as a batch
/// outside of a transaction afterwards (TXNPROD-001, TXNPROD-002).
#[scenario("TXNPROD-007", api = Produce, versions = 3..)]
async fn the_next_transaction_is_written_behind_the_markers(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["last"], 0).await?;
    let mut leader = cx.leader(&partition).await?;
    let implicit = cx.version() >= 12;
    // The second protocol ends a transaction with a new epoch, and the sequence begins anew with it.
    let newest = cx.newest(keys::EndTxn)?;
    let (version, sequence) = if implicit { (5, 0) } else { (newest.min(4), 1) };
    let end = producer.coordinator.ask_at(version, producer.end_txn(Marker::Commit), &[]).await?;
    end.ok()?;
    producer.epoch += i16::from(implicit);
    let request = producer.produce(cx, &partition, &producer.batch(cx, &["next"], sequence))?;
    let reply = leader.ask(request).await?;
    // The record of the last transaction is at offset 0, its marker comes behind it.
    let taken = reply.at(PRODUCED)? == Value::Int(0);
    if taken {
        let expected = if implicit { 2 } else { 1 };
        return expect_base_offset(&reply.expect_ok()?, expected);
    }
    if implicit {
        return reply.expect_error(ConcurrentTransactions);
    }
    let kept_out = [NotEnoughReplicas, InvalidTxnState, TransactionAbortable].map(Code::from);
    reply.expect_error_in(&kept_out)
}

/// The variant's decision, by an EndTxn that leaves the epoch as it is.
fn end_by_4(cx: &Cx) -> Result<(i16, Marker), Failure> {
    Ok((cx.newest(keys::EndTxn)?.min(4), decision(cx)?))
}

/// The two decisions that the variant names.
fn decisions(cx: &Cx) -> (Marker, Marker) {
    let first = if cx.variant().starts_with("commit") { Marker::Commit } else { Marker::Abort };
    (first, if cx.variant().ends_with("again") { first } else { opposite(first) })
}

/// Ends a transaction of several partitions by this version and decision, and sends the request right behind. Gives the
/// producer, with its epoch from before, and the answer: CONCURRENT_TRANSACTIONS (51) unless every attempt came too late.
async fn meanwhile<R>(
    cx: &Cx,
    (version, decision): (i16, Marker),
    request: impl Fn(&Producer) -> R,
) -> Result<(Producer, Reply<R::Response>), Failure>
where
    R: Request + Decodable + PartialEq,
{
    let mut partitions = Vec::new();
    for _ in 0..PARTITIONS {
        partitions.push(cx.partition().await?);
    }
    let all: Vec<&Partition> = partitions.iter().collect();
    let mut attempts = 0..ATTEMPTS;
    loop {
        attempts.next();
        let mut producer = Producer::new(cx).await?;
        producer.add(cx, &all).await?;
        let end: EndTxnRequest = producer.end_txn(decision);
        let ended = producer.coordinator.tell_at(version, end, &[]).await?;
        let sent = producer.coordinator.tell(request(&producer)).await?;
        let _: EndTxnResponse = producer.coordinator.answer(ended).await?.ok()?.into_inner();
        let reply = producer.coordinator.answer(sent).await?;
        let busy = reply.errors()?.iter().any(|(_, code)| *code == ConcurrentTransactions.into());
        if busy || attempts.is_empty() {
            return Ok((producer, reply));
        }
    }
}
