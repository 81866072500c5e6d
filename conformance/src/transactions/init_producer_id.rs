//! InitProducerId (22): whom it serves, and what it hands out.
//!
//! What a request may say of the identity that a producer already has (KIP-360) is in `known_producers`, what shows on
//! several brokers in `brokers`, and the end of the epochs, which takes some 32,000 calls, in `last_epochs`.

use kafka_protocol::messages::TransactionalId;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::Struct;

use crate::commits::offsets::{Commit, committed};
use crate::groups;

use super::known_producers::{expect_identity, expect_no_identity};
use crate::producer::{Producer, last_stable, stable_at};

scenarios![
    without_a_transactional_id_every_call_gets_a_fresh_producer_id,
    an_empty_transactional_id_is_refused,
    asking_again_gives_the_same_producer_id_and_the_next_epoch,
    a_timeout_out_of_range_is_refused,
    the_shortest_and_the_longest_timeout_are_accepted,
    an_open_transaction_is_aborted_first,
    a_principal_without_the_right_to_the_id_is_refused,
    a_long_transactional_id_is_served,
    two_phase_commit_takes_leave,
    a_group_of_the_same_name_does_not_matter,
];

/// The longest timeout of a transaction that a broker allows by default, in milliseconds.
const LONGEST_TIMEOUT: i64 = 900_000;

/// Without a transactional id (null) InitProducerId answers with error 0, a fresh producer id >= 0
/// and epoch 0; two calls give two different producer ids. Any broker can answer, and
/// transaction_timeout_ms is ignored: 0 and negative values are accepted.
#[scenario("INITPID-001", api = InitProducerId)]
async fn without_a_transactional_id_every_call_gets_a_fresh_producer_id(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let first =
        cx.settle(&mut conn, &init_producer_id(None), TRANSACTION_ON_ITS_WAY).await?.ok()?;

    let again = init_producer_id(None).with_transaction_timeout_ms(-1);
    let second = conn.ask(again).await?.expect_ok()?;
    second.require(
        second.producer_id.0 >= 0 && second.producer_id != first.producer_id,
        format!("a producer id >= 0 other than {}", first.producer_id.0),
        || second.producer_id.0.to_string(),
    )?;
    second.require(second.producer_epoch == 0, "producer_epoch = 0", || {
        second.producer_epoch.to_string()
    })
}

/// An empty transactional id is refused with INVALID_REQUEST (42), producer id -1 and epoch -1.
#[scenario("INITPID-003", api = InitProducerId)]
async fn an_empty_transactional_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let empty = init_producer_id(None).with_transactional_id(Some(TransactionalId(text(""))));
    expect_no_identity(conn.ask(empty).await?, InvalidRequest)
}

/// A new transactional id begins at epoch 0; asking again without naming a producer id and epoch
/// gives the same producer id and the next epoch.
#[scenario("INITPID-004", api = InitProducerId)]
async fn asking_again_gives_the_same_producer_id_and_the_next_epoch(cx: &mut Cx) -> Outcome {
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let request = init_producer_id(Some(&txn_id));

    let first = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    let first = first.expect_ok()?;
    expect_identity(&first, (first.producer_id.0, 0))?;
    let second = coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&second, (first.producer_id.0, 1))
}

/// With a transactional id, a transaction_timeout_ms of 0 or less, or above
/// transaction.max.timeout.ms (900000 by default), is refused with INVALID_TRANSACTION_TIMEOUT
/// (50), producer id -1 and epoch -1; 1 and the maximum itself are accepted.
#[scenario("INITPID-005", api = InitProducerId, vary = ["0", "-1", "longest + 1"])]
async fn a_timeout_out_of_range_is_refused(cx: &mut Cx) -> Outcome {
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let timeout = match cx.variant() {
        "0" => 0,
        "-1" => -1,
        _ => longest_timeout(cx).saturating_add(1),
    };
    let request = init_producer_id(Some(&txn_id)).with_transaction_timeout_ms(timeout);
    expect_no_identity(coordinator.ask(request).await?, InvalidTransactionTimeout)
}

/// With a transactional id, a transaction_timeout_ms of 0 or less, or above
/// transaction.max.timeout.ms (900000 by default), is refused with INVALID_TRANSACTION_TIMEOUT
/// (50), producer id -1 and epoch -1; 1 and the maximum itself are accepted.
#[scenario("INITPID-005", api = InitProducerId, vary = ["1", "longest"])]
async fn the_shortest_and_the_longest_timeout_are_accepted(cx: &mut Cx) -> Outcome {
    // The coordinator waits for the replicas of its log no longer than the transaction may last.
    if cx.variant() == "1" && cx.facts().brokers.len() > 1 {
        return Err(Failure::NotRun("a transaction log without followers: one broker".to_owned()));
    }
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let timeout = if cx.variant() == "1" { 1 } else { longest_timeout(cx) };
    let request = init_producer_id(Some(&txn_id)).with_transaction_timeout_ms(timeout);
    let reply = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
    expect_identity(&reply, (reply.producer_id.0, 0))
}

/// While a transaction of the transactional id is open, InitProducerId first answers
/// CONCURRENT_TRANSACTIONS (51) with producer id -1 and epoch -1, and the transaction is aborted;
/// asked again some milliseconds later it gives the same producer id and an epoch that is 2 higher:
/// one for the fence, which the abort marker carries, and one for the new instance.
#[scenario("INITPID-012", api = InitProducerId)]
async fn an_open_transaction_is_aborted_first(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut first = Producer::new(cx).await?;
    first.write(cx, &partition, &["left open"], 0).await?;
    let mut coordinator = cx.txn_coordinator(&first.txn_id).await?;
    let request = init_producer_id(Some(&first.txn_id));

    expect_no_identity(coordinator.ask(request.clone()).await?, ConcurrentTransactions)?;
    let later = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
    expect_identity(&later, (first.id, first.epoch + 2))?;
    // The record and the marker that aborts it.
    stable_at(cx, &partition, 2).await
}

/// InitProducerId from a principal without WRITE on the transactional id is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53); without a transactional id, from a principal that
/// has neither IDEMPOTENT_WRITE on the cluster nor WRITE on any topic, with
/// CLUSTER_AUTHORIZATION_FAILED (31).
#[scenario(
    "INITPID-017", api = InitProducerId,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn a_principal_without_the_right_to_the_id_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut owner = Producer::new(cx).await?;
    owner.write(cx, &partition, &["the owner's"], 0).await?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;

    let request = init_producer_id(Some(&owner.txn_id));
    let reply = stranger.ask(request).await?;
    expect_no_identity(reply, TransactionalIdAuthorizationFailed)?;
    // Nobody fenced the owner: its transaction is open, and it can commit.
    let open = last_stable(cx, &partition).await?;
    require(open == 0, "the owner's transaction open at offset 0", || open.to_string())?;
    owner.end(cx, Marker::Commit).await
}

/// A transactional id may be long: one of 10,000 characters is served like any other.
#[scenario("INITPID-020", api = InitProducerId)]
async fn a_long_transactional_id_is_served(cx: &mut Cx) -> Outcome {
    let txn_id = format!("{}-{}", cx.txn_id(), "n".repeat(10_000));
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let request = init_producer_id(Some(&txn_id));
    let reply = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    let body = reply.expect_ok()?;
    expect_identity(&body, (body.producer_id.0, 0))
}

/// InitProducerId v6 (KIP-939; from 4.1 on, where unstable versions are switched on) that asks for
/// two-phase commit (enable_2pc) is refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) where
/// transaction.two.phase.commit.enable is false, its default; one with keep_prepared_txn alone with
/// UNSUPPORTED_VERSION (35).
#[scenario(
    "INITPID-018", api = InitProducerId, versions = 5..=5,
    needs = [Shape("old-transactions"), Since(4, 1)],
    vary = ["enable_2pc", "keep_prepared_txn"],
)]
async fn two_phase_commit_takes_leave(cx: &mut Cx) -> Outcome {
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    // As a version that brokers hide, the one after the last has no case of its own.
    let version = cx.version() + 1;
    let two_phases = cx.variant() == "enable_2pc";
    let request = Struct::new()
        .with("transactional_id", txn_id)
        .with("transaction_timeout_ms", 60_000)
        .with("producer_id", -1_i64)
        .with("producer_epoch", -1)
        .with("enable2_pc", two_phases)
        .with("keep_prepared_txn", !two_phases);
    let reply = coordinator.ask_value(cx.key(), version, &request.into()).await?;
    let refusal = if two_phases { TransactionalIdAuthorizationFailed } else { UnsupportedVersion };
    reply.expect_error_at("error_code", refusal)
}

/// A transactional id and a group of the same name have nothing to do with one another:
/// InitProducerId serves the id though a group with offsets of its own has that name, and the group
/// keeps them.
#[scenario("INITPID-021", api = InitProducerId)]
async fn a_group_of_the_same_name_does_not_matter(cx: &mut Cx) -> Outcome {
    let (name, partition) = (cx.name("both"), cx.partition().await?);
    let mut group = groups::members::coordinator(cx, &name).await?;
    Commit::to(&name).offset(&partition, 1).ask(cx, &mut group).await?.ok()?;
    let mut coordinator = cx.txn_coordinator(&name).await?;
    let request = init_producer_id(Some(&name));
    let reply = cx.settle(&mut coordinator, &request, TRANSACTION_ON_ITS_WAY).await?;
    let body = reply.expect_ok()?;
    expect_identity(&body, (body.producer_id.0, 0))?;
    let kept = committed(cx, &mut group, &name, &partition).await?.offset;
    require(kept == 1, "the group's offset 1", || kept.to_string())
}

/// `transaction.max.timeout.ms` of the target where it may be read, else Apache Kafka's default.
fn longest_timeout(cx: &Cx) -> i32 {
    let configured = cx.facts().config_number("transaction.max.timeout.ms");
    i32::try_from(configured.unwrap_or(LONGEST_TIMEOUT)).unwrap_or(i32::MAX)
}
