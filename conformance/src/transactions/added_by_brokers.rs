//! AddPartitionsToTxn (24) from version 4 on: the form in which brokers ask for several transactions at once (KIP-890).
//! What clients send is in `add_partitions`.

use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, TopicName, TransactionalId,
};
use kconform_scenario::prelude::*;
use kconform_scenario::{Body, TRANSACTION_ON_ITS_WAY};

use crate::producer::Producer;

scenarios![
    each_transaction_gets_its_own_result,
    a_principal_that_is_no_broker_is_refused,
    a_partition_is_looked_up_and_not_added,
];

/// AddPartitionsToTxn v4 and later is a request of brokers for several transactions at once: each
/// gets a result of its own under its transactional id, an error of one does not touch the others.
/// It needs CLUSTER_ACTION on the cluster, otherwise the answer has CLUSTER_AUTHORIZATION_FAILED
/// (31) at the top and no results; where there is no authorizer it is open to anybody. At finalized
/// transaction.version 0 (4.0 and later) a request in which nothing is verify_only gets
/// UNSUPPORTED_VERSION (35) at the top and no results.
#[scenario("ADDPART-008", api = AddPartitionsToTxn, versions = 4.., needs = [Disruption])]
async fn each_transaction_gets_its_own_result(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut good = Producer::new(cx).await?;
    let request = AddPartitionsToTxnRequest::default()
        .with_transactions(vec![transaction(&good, &partition, false)]);
    if cx.since(4, 0) && cx.facts().feature("transaction.version") < 1 {
        let reply = good.coordinator.ask(request).await?;
        reply.expect_error_at("error_code", UnsupportedVersion)?;
        let results = reply.expect_answer()?.results_by_transaction.len();
        return require(results == 0, "no results", || results.to_string());
    }
    let coordinator = &mut good.coordinator;
    let body = cx.settle(coordinator, &request, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
    expect_codes(&body, &[(&good.txn_id, Code::NONE)])?;
    let unknown = cx.txn_id();
    let foreign = transaction(&good, &partition, false)
        .with_transactional_id(TransactionalId(text(&*unknown)));
    let two = vec![foreign, transaction(&good, &partition, false)];
    let request = AddPartitionsToTxnRequest::default().with_transactions(two);
    let body = good.coordinator.ask(request).await?.expect_answer()?;
    // Of several brokers another one may be the coordinator of the unknown id.
    let elsewhere = body.results_by_transaction.iter().any(|result| {
        let codes = result.topic_results.iter().flat_map(|topic| &topic.results_by_partition);
        codes.into_iter().any(|one| one.partition_error_code == NotCoordinator.code())
    });
    let refusal = if elsewhere && cx.facts().brokers.len() > 1 {
        NotCoordinator
    } else {
        InvalidProducerIdMapping
    };
    expect_codes(&body, &[(&unknown, refusal.into()), (&good.txn_id, Code::NONE)])
}

/// AddPartitionsToTxn v4 and later is a request of brokers for several transactions at once: each
/// gets a result of its own under its transactional id, an error of one does not touch the others.
/// It needs CLUSTER_ACTION on the cluster, otherwise the answer has CLUSTER_AUTHORIZATION_FAILED
/// (31) at the top and no results; where there is no authorizer it is open to anybody. At finalized
/// transaction.version 0 (4.0 and later) a request in which nothing is verify_only gets
/// UNSUPPORTED_VERSION (35) at the top and no results.
#[scenario(
    "ADDPART-008", api = AddPartitionsToTxn, versions = 4..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn a_principal_that_is_no_broker_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut owner = Producer::new(cx).await?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let request = AddPartitionsToTxnRequest::default()
        .with_transactions(vec![transaction(&owner, &partition, false)]);
    let reply = stranger.ask(request).await?;
    reply.expect_error_at("error_code", ClusterAuthorizationFailed)?;
    let results = reply.expect_answer()?.results_by_transaction.len();
    require(results == 0, "no results", || results.to_string())?;
    let state = owner.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// AddPartitionsToTxn v4 and later with verify_only asks whether partitions are part of the open
/// transaction and adds none: one that is gets 0, one that is not gets TRANSACTION_ABORTABLE (120;
/// before 3.8 INVALID_TXN_STATE (48)), whether a transaction is open or not, and whatever
/// transaction.version is finalized.
#[scenario(
    "ADDPART-009", api = AddPartitionsToTxn, versions = 4.., needs = [Disruption],
    vary = ["added", "not added", "no transaction"],
)]
async fn a_partition_is_looked_up_and_not_added(cx: &mut Cx) -> Outcome {
    let (asked, other) = (cx.partition().await?, cx.partition().await?);
    let mut producer = Producer::new(cx).await?;
    match cx.variant() {
        "added" => producer.add(cx, &[&asked]).await?,
        "not added" => producer.add(cx, &[&other]).await?,
        _ => {}
    }
    let request = AddPartitionsToTxnRequest::default()
        .with_transactions(vec![transaction(&producer, &asked, true)]);
    let coordinator = &mut producer.coordinator;
    let reply = cx.settle(coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    let code = match cx.variant() {
        "added" => Code::NONE,
        // KIP-890, second part.
        _ if cx.since(3, 8) => TransactionAbortable.into(),
        _ => InvalidTxnState.into(),
    };
    expect_codes(&reply.expect_answer()?, &[(&producer.txn_id, code)])?;
    let topics = producer.state(cx).await?.topics;
    let partitions = topics.iter().map(|topic| topic.partitions.len()).sum::<usize>();
    let expected = usize::from(cx.variant() != "no transaction");
    require(partitions == expected, &format!("{expected} partitions in the transaction"), || {
        format!("{topics:?}")
    })
}

/// What a broker says of the producer's transaction and this partition.
fn transaction(
    producer: &Producer,
    partition: &Partition,
    verify_only: bool,
) -> AddPartitionsToTxnTransaction {
    let topic = AddPartitionsToTxnTopic::default()
        .with_name(TopicName(text(&partition.topic)))
        .with_partitions(vec![partition.index]);
    AddPartitionsToTxnTransaction::default()
        .with_transactional_id(TransactionalId(text(&producer.txn_id)))
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch)
        .with_verify_only(verify_only)
        .with_topics(vec![topic])
}

/// The act: no error at the top, and these codes for the one partition of each of these transactions.
#[track_caller]
fn expect_codes(body: &Body<AddPartitionsToTxnResponse>, expected: &[(&str, Code)]) -> Outcome {
    body.expect_number("error_code", 0)?;
    let results = body.results_by_transaction.iter().flat_map(|result| {
        let partitions = result.topic_results.iter().flat_map(|topic| &topic.results_by_partition);
        partitions.map(|one| (result.transactional_id.as_str(), Code(one.partition_error_code)))
    });
    let mut results: Vec<_> = results.collect();
    let mut expected = expected.to_vec();
    results.sort();
    expected.sort();
    body.require(results == expected, format!("{expected:?}"), || format!("{results:?}"))
}
