//! InitProducerId (22): allocation, epoch bumps and fencing.
//!
//! Version 3 brought the expected producer id and epoch (KIP-360), version 4 the error PRODUCER_FENCED.

use kafka_protocol::messages::TransactionalId;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;

scenarios![
    without_a_transactional_id_every_call_gets_a_fresh_producer_id,
    an_empty_transactional_id_is_refused,
    a_stale_epoch_is_fenced,
];

/// transactional_id null: error 0, fresh producer id >= 0, epoch 0; two calls give different ids; any broker can
/// answer; the timeout field is ignored (0 and negative accepted)
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

/// transactional_id "": 42, id -1, epoch -1
#[scenario("INITPID-003", api = InitProducerId)]
async fn an_empty_transactional_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let empty = init_producer_id(None).with_transactional_id(Some(TransactionalId(text(""))));
    let reply = conn.ask(empty).await?;
    reply.expect_error_at("error_code", InvalidRequest)?;
    let body = reply.expect_answer()?;
    body.require(
        body.producer_id.0 == -1 && body.producer_epoch == -1,
        "producer id -1, epoch -1",
        || format!("producer id {}, epoch {}", body.producer_id.0, body.producer_epoch),
    )
}

/// After INITPID-004 without expected pair, the older holder's INITPID-006 attempt: 90 in v4+, 47 in v3.
#[scenario("INITPID-010", api = InitProducerId, versions = 3..)]
async fn a_stale_epoch_is_fenced(cx: &mut Cx) -> Outcome {
    let txn_id = cx.txn_id();
    let mut coordinator = cx.txn_coordinator(&txn_id).await?;
    let (id, epoch) = cx.producer_id(&mut coordinator, Some(&txn_id)).await?;
    cx.producer_id(&mut coordinator, Some(&txn_id)).await?;

    let stale =
        init_producer_id(Some(&txn_id)).with_producer_id(id.into()).with_producer_epoch(epoch);
    // v4 introduced PRODUCER_FENCED; older clients would not know the code.
    let refusal = if cx.version() < 4 { InvalidProducerEpoch } else { ProducerFenced };
    coordinator.ask(stale).await?.expect_error(refusal)
}
