//! InitProducerId (22) of a producer that names the producer id and epoch it believes to have (KIP-360, version 3 on):
//! the right ones, those of a retry, and wrong ones.

use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::{Body, TRANSACTION_ON_ITS_WAY};

use super::decisions::completed;
use crate::producer::{Producer, fenced, stable_at};

scenarios![
    the_current_epoch_is_followed_by_the_next,
    a_retry_gets_the_epoch_that_it_was_given,
    a_wrong_identity_is_fenced,
    half_an_identity_is_refused,
    a_stale_epoch_is_fenced,
    an_identity_of_an_unknown_id_gives_a_new_one,
    an_open_transaction_is_aborted_first,
];

/// A request that names the current producer id and epoch of its transactional id gets the same
/// producer id and the next epoch (KIP-360).
#[scenario("INITPID-006", api = InitProducerId, versions = 3..)]
async fn the_current_epoch_is_followed_by_the_next(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let request = naming(&producer, producer.id, producer.epoch);
    let body = producer.coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&body, (producer.id, producer.epoch + 1))
}

/// A request that names the directly previous epoch, after the epoch was bumped for a request that
/// named it too (INITPID-006), is a retry: it gets the current epoch without a further bump, any
/// number of times.
#[scenario("INITPID-007", api = InitProducerId, versions = 3..)]
async fn a_retry_gets_the_epoch_that_it_was_given(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let request = naming(&producer, producer.id, producer.epoch);
    let given = producer.coordinator.ask(request.clone()).await?.ok()?;
    let given = (given.producer_id.0, given.producer_epoch);

    let retry = producer.coordinator.ask(request.clone()).await?.expect_ok()?;
    expect_identity(&retry, given)?;
    let another = producer.coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&another, given)
}

/// A request that names an epoch older than the previous one, an epoch newer than the current one,
/// or another producer id is refused with PRODUCER_FENCED (90) in v4 and later and
/// INVALID_PRODUCER_EPOCH (47) in v3, with producer id -1 and epoch -1. The directly previous epoch
/// is a retry, see INITPID-007.
#[scenario(
    "INITPID-008", api = InitProducerId, versions = 3..,
    vary = ["two epochs back", "an epoch ahead", "another producer id"],
)]
async fn a_wrong_identity_is_fenced(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    for _ in 0..2 {
        let request = naming(&producer, producer.id, producer.epoch);
        producer.epoch = producer.coordinator.ask(request).await?.ok()?.producer_epoch;
    }
    let (id, epoch) = match cx.variant() {
        "two epochs back" => (producer.id, producer.epoch - 2),
        "an epoch ahead" => (producer.id, producer.epoch + 1),
        _ => (cx.producer_id(&mut producer.coordinator, None).await?.0, producer.epoch),
    };
    let request = naming(&producer, id, epoch);
    expect_no_identity(producer.coordinator.ask(request).await?, fenced(cx, 4))
}

/// A request that names only one of producer id and epoch, while the other is -1, is refused with
/// INVALID_REQUEST (42), producer id -1 and epoch -1, with a transactional id and without one.
#[scenario(
    "INITPID-009", api = InitProducerId, versions = 3..,
    vary = ["id", "epoch", "id, no transactional id", "epoch, no transactional id"],
)]
async fn half_an_identity_is_refused(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let mut request = if cx.variant().starts_with("id") {
        naming(&producer, producer.id, -1)
    } else {
        naming(&producer, -1, producer.epoch)
    };
    if cx.variant().ends_with("no transactional id") {
        request = request.with_transactional_id(None);
    }
    expect_no_identity(producer.coordinator.ask(request).await?, InvalidRequest)
}

/// After a second instance took over the transactional id without naming a producer id and epoch
/// (INITPID-004), a request of the first instance that names its own is refused with
/// PRODUCER_FENCED (90) in v4 and later and INVALID_PRODUCER_EPOCH (47) in v3.
#[scenario("INITPID-010", api = InitProducerId, versions = 3..)]
async fn a_stale_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let mut first = Producer::new(cx).await?;
    first.successor(cx).await?;
    let request = naming(&first, first.id, first.epoch);
    expect_no_identity(first.coordinator.ask(request).await?, fenced(cx, 4))
}

/// A request that names a producer id and an epoch for a transactional id which the coordinator
/// does not know (any more) is accepted: it gets a new producer id with epoch 0.
#[scenario("INITPID-011", api = InitProducerId, versions = 3..)]
async fn an_identity_of_an_unknown_id_gives_a_new_one(cx: &mut Cx) -> Outcome {
    let other = Producer::new(cx).await?;
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let unknown = init_producer_id(Some(&txn_id)).with_producer_id(other.id.into());
    let unknown = unknown.with_producer_epoch(7);
    let reply = cx.settle(&mut coordinator, &unknown, TRANSACTION_ON_ITS_WAY).await?;
    let body = reply.expect_ok()?;
    expect_identity(&body, (body.producer_id.0, 0))?;
    body.require(
        body.producer_id.0 >= 0 && body.producer_id.0 != other.id,
        format!("a producer id other than {}", other.id),
        || body.producer_id.0.to_string(),
    )
}

/// A request that names the current producer id and epoch while a transaction of them is open is
/// answered with CONCURRENT_TRANSACTIONS (51), producer id -1 and epoch -1, and the transaction is
/// aborted. Repeated after that, it gets the same producer id and the next epoch at finalized
/// transaction.version 2, and is refused with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in
/// v3) at 0 and 1 and by releases up to 3.9.
#[scenario("INITPID-022", api = InitProducerId, versions = 3..)]
async fn an_open_transaction_is_aborted_first(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["given up"], 0).await?;
    let request = naming(&producer, producer.id, producer.epoch);
    expect_no_identity(producer.coordinator.ask(request).await?, ConcurrentTransactions)?;
    stable_at(cx, &log, 2).await?;
    completed(cx, &mut producer, Marker::Abort).await?;
    let request = naming(&producer, producer.id, producer.epoch);
    let reply = producer.coordinator.ask(request).await?;
    // KIP-890: with its second part the epoch of the fence counts as the producer's own.
    if cx.facts().feature("transaction.version") >= 2 {
        expect_identity(&reply.expect_ok()?, (producer.id, producer.epoch + 1))
    } else {
        expect_no_identity(reply, fenced(cx, 4))
    }
}

/// A request under the producer's transactional id that names this producer id and epoch.
fn naming(producer: &Producer, id: i64, epoch: i16) -> InitProducerIdRequest {
    init_producer_id(Some(&producer.txn_id)).with_producer_id(id.into()).with_producer_epoch(epoch)
}

/// The act: this producer id and epoch are given.
#[track_caller]
pub(super) fn expect_identity(
    body: &Body<InitProducerIdResponse>,
    (id, epoch): (i64, i16),
) -> Outcome {
    body.require(
        (body.producer_id.0, body.producer_epoch) == (id, epoch),
        format!("producer id {id}, epoch {epoch}"),
        || format!("producer id {}, epoch {}", body.producer_id.0, body.producer_epoch),
    )
}

/// The act: refused with this code, and neither a producer id nor an epoch is given.
#[track_caller]
pub(super) fn expect_no_identity(
    reply: Reply<InitProducerIdResponse>,
    code: ResponseError,
) -> Outcome {
    reply.expect_error_at("error_code", code)?;
    expect_identity(&reply.expect_answer()?, (-1, -1))
}
