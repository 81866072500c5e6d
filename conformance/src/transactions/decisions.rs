//! EndTxn (26): what its answer promises, what the transactional id is left with, and several ends at a time.

use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use super::end_txn::{ended, expect_identity};
use super::replaced_topics::{delete, made_anew};
use crate::producer::{Producer, decision, second_protocol, stable_at};

scenarios![
    an_answer_means_that_it_is_decided,
    the_version_decides_what_epoch_is_left,
    a_late_repetition_meets_the_next_transaction,
    a_repetition_may_come_on_another_connection,
    transactions_end_side_by_side,
    a_deleted_topic_does_not_stop_the_end,
    old_transactions_refuse_the_new_end,
];

/// Transactions that are ended at the same time.
const SIDE_BY_SIDE: usize = 8;
/// How long a coordinator may take to finish what is decided.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

/// An EndTxn that was answered with 0 is decided: from then on DescribeTransactions shows
/// PrepareCommit or CompleteCommit (PrepareAbort or CompleteAbort), never Ongoing. Its markers may
/// come a little later: the last stable offset of its partitions reaches the end of the log soon
/// after, and readers who want to see the outcome must wait for that.
#[scenario("ENDTXN-010", api = EndTxn, vary = ["commit", "abort"])]
async fn an_answer_means_that_it_is_decided(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["decided"], 0).await?;
    let request = producer.end_txn(decision(cx)?);
    producer.coordinator.ask(request).await?.expect_ok()?;
    let state = producer.state(cx).await?.transaction_state;
    let decided = match decision(cx)? {
        Marker::Commit => ["PrepareCommit", "CompleteCommit"],
        Marker::Abort => ["PrepareAbort", "CompleteAbort"],
    };
    require(decided.contains(&state.as_str()), &decided.join(" or "), || state.to_string())?;
    // The record and its marker.
    stable_at(cx, &partition, 2).await?;
    let visible: &[&str] = if decision(cx)? == Marker::Commit { &["decided"] } else { &[] };
    read_committed(cx, &partition).await?.expect(visible)
}

/// Only the version of the request decides between the two ways in which a transaction ends: at
/// finalized transaction.version 1 as at 2, EndTxn v5 leaves the transactional id at the next
/// epoch, and v0 to v4 leave its epoch as it was; at transaction.version 0 v5 is refused
/// (ENDTXN-013).
#[scenario("ENDTXN-011", api = EndTxn, vary = ["commit", "abort"])]
async fn the_version_decides_what_epoch_is_left(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["decided"], 0).await?;
    let request = producer.end_txn(decision(cx)?);
    producer.coordinator.ask(request).await?.expect_ok()?;
    stable_at(cx, &partition, 2).await?;
    completed(cx, &mut producer, decision(cx)?).await?;
    let found = producer.state(cx).await?;
    let expected = (producer.id, producer.epoch + i16::from(cx.version() >= 5));
    let left = (found.producer_id.0, found.producer_epoch);
    require(left == expected, &format!("producer id and epoch {expected:?}"), || {
        format!("{left:?}")
    })
}

/// A repeated EndTxn that arrives late, while the next transaction is open, cannot end that one
/// when it is v5 (PRODUCER_FENCED (90)); with v0 to v4, which leave the epoch as it was, Apache
/// Kafka cannot tell it from the end of the next transaction and ends it so.
#[scenario("ENDTXN-015", api = EndTxn, versions = 0..)]
async fn a_late_repetition_meets_the_next_transaction(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["first"], 0).await?;
    let end = producer.end_txn(Marker::Commit);
    producer.coordinator.ask(end.clone()).await?.ok()?;
    stable_at(cx, &partition, 2).await?;
    producer.epoch += i16::from(cx.version() >= 5);
    let sequence = if cx.version() >= 5 { 0 } else { 1 };
    producer.write(cx, &partition, &["second"], sequence).await?;

    let reply = producer.coordinator.ask(end).await?;
    if cx.version() >= 5 {
        reply.expect_error(ProducerFenced)?;
        let state = producer.state(cx).await?.transaction_state;
        return require(state.as_str() == "Ongoing", "Ongoing", || state.to_string());
    }
    reply.expect_ok()?;
    stable_at(cx, &partition, 4).await?;
    read_committed(cx, &partition).await?.expect(&["first", "second"])
}

/// EndTxn repeated on another connection, with the producer id and epoch from before, is answered
/// as on the first one: 0, in v5 with the epoch that was given already.
#[scenario("ENDTXN-019", api = EndTxn, vary = ["commit", "abort"])]
async fn a_repetition_may_come_on_another_connection(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let mut producer = ended(cx, decision(cx)?).await?;
    producer.coordinator = cx.txn_coordinator(&producer.txn_id).await?;
    let again = producer.end_txn(decision(cx)?);
    let conn = &mut producer.coordinator;
    let body = cx.settle(conn, &again, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
    if cx.version() < 5 {
        return Ok(());
    }
    expect_identity(&body, (producer.id, producer.epoch + 1))
}

/// Where several transactions on one partition are ended at the same time, all of them end: each
/// gets its marker, and the last stable offset reaches the end of the log.
#[scenario("ENDTXN-016", api = EndTxn)]
async fn transactions_end_side_by_side(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producers = Vec::new();
    for _ in 0..SIDE_BY_SIDE {
        let mut producer = Producer::new(cx).await?;
        producer.write(cx, &partition, &["one of many"], 0).await?;
        producers.push(producer);
    }
    let mut sent = Vec::new();
    for producer in &mut producers {
        sent.push(producer.coordinator.tell(producer.end_txn(Marker::Commit)).await?);
    }
    for (producer, sent) in producers.iter_mut().zip(sent) {
        producer.coordinator.answer(sent).await?.expect_ok()?;
    }
    let all = i64::try_from(2 * SIDE_BY_SIDE).unwrap_or(i64::MAX);
    stable_at(cx, &partition, all).await?;
    read_committed(cx, &partition).await?.expect(&["one of many"; SIDE_BY_SIDE])
}

/// A topic that is deleted while a transaction has one of its partitions does not keep the
/// transaction from ending: EndTxn answers 0, the other partitions get their markers, and
/// DescribeTransactions shows the transaction complete. A topic made anew under the same name
/// meanwhile is not harmed by it.
#[scenario("ENDTXN-017", api = EndTxn, vary = ["deleted", "made anew"])]
async fn a_deleted_topic_does_not_stop_the_end(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (kept, doomed) = (cx.partition().await?, cx.topic().await?);
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &kept, &["kept"], 0).await?;
    producer.write(cx, &doomed.partition(0), &["doomed"], 0).await?;
    let anew = match cx.variant() {
        "made anew" => Some(made_anew(cx, &doomed).await?),
        _ => {
            delete(cx, &doomed).await?;
            None
        }
    };

    let request = producer.end_txn(Marker::Commit);
    producer.coordinator.ask(request).await?.expect_ok()?;
    stable_at(cx, &kept, 2).await?;
    completed(cx, &mut producer, Marker::Commit).await?;
    read_committed(cx, &kept).await?.expect(&["kept"])?;
    let Some(anew) = anew else { return Ok(()) };
    // A marker may have come to it by its name; nothing else did.
    cx.write(&anew, &["new"]).await?;
    read_committed(cx, &anew).await?.expect(&["new"])
}

/// At finalized transaction.version 0 (4.0 and later), EndTxn v5 of an open transaction is refused
/// with UNSUPPORTED_VERSION (35), and from then on the transactional id answers
/// CONCURRENT_TRANSACTIONS (51) to EndTxn v4 and InitProducerId and stays Ongoing.
#[scenario(
    "ENDTXN-013", api = EndTxn, versions = 5..,
    needs = [Shape("old-transactions"), Since(4, 0)],
)]
async fn old_transactions_refuse_the_new_end(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["stuck"], 0).await?;
    let end = producer.end_txn(Marker::Commit);
    producer.coordinator.ask(end.clone()).await?.expect_error(UnsupportedVersion)?;
    let reply = producer.coordinator.ask_at(4, end, &[]).await?;
    reply.expect_error(ConcurrentTransactions)?;
    let again = init_producer_id(Some(&producer.txn_id));
    producer.coordinator.ask(again).await?.expect_error(ConcurrentTransactions)?;
    let state = producer.state(cx).await?.transaction_state;
    require(state.as_str() == "Ongoing", "Ongoing", || state.to_string())
}

/// The act: the coordinator completes the transaction so.
pub(super) async fn completed(cx: &Cx, producer: &mut Producer, decision: Marker) -> Outcome {
    let expected = if decision == Marker::Commit { "CompleteCommit" } else { "CompleteAbort" };
    let mut tries = cx.tries(format!("the transaction to be {expected}"), ENDED_WITHIN);
    loop {
        let state = producer.state(cx).await?.transaction_state;
        if state.as_str() == expected {
            return Ok(());
        }
        tries.expect(state).await?;
    }
}
