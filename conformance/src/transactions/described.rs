//! DescribeTransactions (65): one transactional id after the other, as its coordinator has it.

use kafka_protocol::messages::describe_transactions_response::TransactionState;
use kafka_protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionalId,
};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::wire::records::Marker;

use super::decisions::completed;
use crate::producer::{Producer, stable_at};

scenarios![
    each_transactional_id_gets_its_own_answer,
    nothing_asked_is_nothing_answered,
    another_broker_is_not_the_coordinator,
    a_transaction_is_shown_as_it_stands,
    a_transaction_that_is_over_has_no_partitions,
    the_transactional_id_of_another_is_not_shown,
    topics_of_others_are_left_out,
];

/// How far the clocks of the target and of ours may lie apart, in milliseconds.
const CLOCKS: i64 = 3_600_000;

/// DescribeTransactions answers for each transactional id by itself: an unknown one gets
/// TRANSACTIONAL_ID_NOT_FOUND (105), an empty one INVALID_REQUEST (42), one of another coordinator
/// NOT_COORDINATOR (16), the others 0; an empty list gets an empty list.
#[scenario("DESCTXN-001", api = DescribeTransactions)]
async fn each_transactional_id_gets_its_own_answer(cx: &mut Cx) -> Outcome {
    let unknown = cx.txn_id();
    let mut producer = Producer::new(cx).await?;
    let request = describe(&[&unknown, "", &producer.txn_id]);
    let body = producer.coordinator.ask(request).await?.expect_answer()?;
    let code = |id: &str| {
        let found = body.transaction_states.iter().find(|one| one.transactional_id.as_str() == id);
        found.map(|one| Code(one.error_code))
    };
    // Of several brokers another one may be the coordinator of the unknown id.
    let elsewhere = cx.facts().brokers.len() > 1 && code(&unknown) == Some(NotCoordinator.into());
    let refusal = if elsewhere { NotCoordinator } else { TransactionalIdNotFound };
    let codes = (code(&unknown), code(""), code(&producer.txn_id));
    let expected = (Some(refusal.into()), Some(InvalidRequest.into()), Some(Code::NONE));
    body.require(codes == expected, format!("{expected:?}"), || format!("{codes:?}"))
}

/// DescribeTransactions answers for each transactional id by itself: an unknown one gets
/// TRANSACTIONAL_ID_NOT_FOUND (105), an empty one INVALID_REQUEST (42), one of another coordinator
/// NOT_COORDINATOR (16), the others 0; an empty list gets an empty list.
#[scenario("DESCTXN-001", api = DescribeTransactions)]
async fn nothing_asked_is_nothing_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let body = conn.ask(describe(&[])).await?.expect_ok()?;
    let count = body.transaction_states.len();
    body.require(count == 0, "an empty list", || format!("{count} entries"))
}

/// DescribeTransactions answers for each transactional id by itself: an unknown one gets
/// TRANSACTIONAL_ID_NOT_FOUND (105), an empty one INVALID_REQUEST (42), one of another coordinator
/// NOT_COORDINATOR (16), the others 0; an empty list gets an empty list.
#[scenario("DESCTXN-001", api = DescribeTransactions, needs = [ThreeBrokers])]
async fn another_broker_is_not_the_coordinator(cx: &mut Cx) -> Outcome {
    let producer = Producer::new(cx).await?;
    let brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    let mut codes = Vec::new();
    for broker in brokers {
        let mut conn = cx.connect_broker(broker).await?;
        let body = conn.ask(describe(&[&producer.txn_id])).await?.expect_answer()?;
        codes.push(Code(only(&body)?.error_code));
    }
    codes.sort();
    let expected = [Code::NONE, NotCoordinator.into(), NotCoordinator.into()];
    require(codes == expected, &format!("{expected:?}"), || format!("{codes:?}"))
}

/// DescribeTransactions shows the state by its name (Empty, Ongoing, PrepareCommit, PrepareAbort,
/// CompleteCommit, CompleteAbort), with the timeout, producer id and epoch; an open transaction
/// with the time of its begin and its partitions, an Empty one with start time -1. After EndTxn v5
/// it shows the new epoch.
#[scenario(
    "DESCTXN-002", api = DescribeTransactions,
    vary = ["Empty", "Ongoing", "CompleteCommit", "CompleteAbort"],
)]
async fn a_transaction_is_shown_as_it_stands(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    let open = cx.variant() == "Ongoing";
    if cx.variant() != "Empty" {
        producer.write(cx, &partition, &["shown"], 0).await?;
    }
    if cx.variant().starts_with("Complete") {
        let commit = cx.variant() == "CompleteCommit";
        let decision = if commit { Marker::Commit } else { Marker::Abort };
        producer.end(cx, decision).await?;
        completed(cx, &mut producer, decision).await?;
    }
    let body = producer.coordinator.ask(describe(&[&producer.txn_id])).await?.expect_ok()?;
    let found = only(&body)?;
    let shown = (
        found.transaction_state.as_str(),
        found.transaction_timeout_ms,
        found.producer_id.0,
        found.producer_epoch,
        partitions(found),
    );
    let listed = if open { vec![(partition.topic, partition.index)] } else { Vec::new() };
    let expected = (cx.variant(), 60_000, producer.id, producer.epoch, listed);
    body.require(shown == expected, format!("{expected:?}"), || format!("{shown:?}"))?;
    let since = found.transaction_start_time_ms;
    if cx.variant() == "Empty" {
        return body.require(since == -1, "start time -1", || since.to_string());
    }
    body.require((since - cx.wall_ms()).abs() < CLOCKS, "a start time of now", || since.to_string())
}

/// Once a transaction is complete, DescribeTransactions shows it without partitions.
#[scenario("DESCTXN-003", api = DescribeTransactions, vary = ["commit", "abort"])]
async fn a_transaction_that_is_over_has_no_partitions(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["over"], 0).await?;
    let decision = crate::producer::decision(cx)?;
    producer.end(cx, decision).await?;
    stable_at(cx, &partition, 2).await?;
    completed(cx, &mut producer, decision).await?;
    let body = producer.coordinator.ask(describe(&[&producer.txn_id])).await?.expect_ok()?;
    let left = partitions(only(&body)?);
    body.require(left.is_empty(), "no partitions", || format!("{left:?}"))
}

/// DescribeTransactions from a principal without DESCRIBE on the transactional id gets
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for it; topics that the principal may not DESCRIBE
/// are left out of the partitions, with error 0.
#[scenario(
    "DESCTXN-004", api = DescribeTransactions,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn the_transactional_id_of_another_is_not_shown(cx: &mut Cx) -> Outcome {
    let owner = Producer::new(cx).await?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let body = stranger.ask(describe(&[&owner.txn_id])).await?.expect_answer()?;
    let found = only(&body)?;
    let refusal = TransactionalIdAuthorizationFailed.code();
    let shown = (found.error_code, found.transaction_state.as_str());
    body.require(shown == (refusal, ""), format!("{refusal} and no state"), || format!("{shown:?}"))
}

/// DescribeTransactions from a principal without DESCRIBE on the transactional id gets
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for it; topics that the principal may not DESCRIBE
/// are left out of the partitions, with error 0.
#[scenario(
    "DESCTXN-004", api = DescribeTransactions,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn topics_of_others_are_left_out(cx: &mut Cx) -> Outcome {
    let (hidden, shown) = (cx.partition().await?, cx.topic().await?.partition(0));
    let mut owner = Producer::new(cx).await?;
    owner.add(cx, &[&hidden, &shown]).await?;
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    for right in [Resource::TransactionalId(&owner.txn_id), Resource::Topic(&shown.topic)] {
        cx.grant(&mut stranger, &name, right, Operation::Describe).await?;
    }
    let body = stranger.ask(describe(&[&owner.txn_id])).await?.expect_ok()?;
    let found = partitions(only(&body)?);
    let expected = [(shown.topic, 0)];
    body.require(found == expected, format!("{expected:?}"), || format!("{found:?}"))
}

/// A question for these transactional ids.
fn describe(ids: &[&str]) -> DescribeTransactionsRequest {
    let ids = ids.iter().map(|id| TransactionalId(text(*id))).collect();
    DescribeTransactionsRequest::default().with_transactional_ids(ids)
}

/// The one entry of the answer.
#[track_caller]
fn only(body: &Body<DescribeTransactionsResponse>) -> Result<&TransactionState, Failure> {
    match body.transaction_states.as_slice() {
        [only] => Ok(only),
        several => Err(Failure::failed("one entry", format!("{} entries", several.len()))),
    }
}

/// The partitions of the transaction.
fn partitions(of: &TransactionState) -> Vec<(String, i32)> {
    let topics = of.topics.iter();
    topics
        .flat_map(|topic| topic.partitions.iter().map(|at| (topic.topic.to_string(), *at)))
        .collect()
}
