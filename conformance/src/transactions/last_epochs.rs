//! The end of the epochs: a producer id has 32,767 of them, and a transactional id that used them up goes on with another
//! producer id.
//!
//! Such a case takes some 32,000 requests. It runs on a broker of its own, so that no recording has to hold it, and in one
//! version only: the logic is the same in all. For the same reason the burst of requests that uses up a block of producer
//! ids stands here.

use std::collections::BTreeSet;

use kafka_protocol::messages::InitProducerIdResponse;
use kconform_scenario::Sent;
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use super::end_txn::expect_identity;
use crate::producer::{Producer, stable_at};

scenarios![
    a_transactional_id_without_epochs_gets_a_new_producer_id,
    the_last_epoch_is_followed_by_a_new_producer_id,
    a_burst_gets_ids_or_is_asked_to_wait,
];

/// The epochs after which a new producer id is due.
const LAST: [i16; 2] = [32_765, 32_766];
/// Requests on their way at a time.
const AT_A_TIME: i16 = 256;
/// Producer ids that are asked for at once: more than a block of them.
const BURST: usize = 2500;

/// Where the epochs of a producer id are used up (at 32765 or 32766), InitProducerId gives the
/// transactional id a new producer id with epoch 0; no epoch is ever negative.
#[scenario(
    "INITPID-016", api = InitProducerId, versions = 5.., needs = [Shape("worn-epochs")], slow,
)]
async fn a_transactional_id_without_epochs_gets_a_new_producer_id(cx: &mut Cx) -> Outcome {
    let mut producer = worn(cx).await?;
    let request = init_producer_id(Some(&producer.txn_id));
    loop {
        let body = producer.coordinator.ask(request.clone()).await?.expect_ok()?;
        let given = (body.producer_id.0, body.producer_epoch);
        if given.0 != producer.id {
            let due = LAST.contains(&producer.epoch) && given.0 >= 0 && given.1 == 0;
            return body.require(due, format!("epoch 0 after one of {LAST:?}"), || {
                format!("epoch {} after {}", given.1, producer.epoch)
            });
        }
        let next = producer.epoch + 1;
        body.require(given.1 == next && next <= LAST[1], format!("epoch {next}"), || {
            given.1.to_string()
        })?;
        producer.epoch = next;
    }
}

/// Where the epochs of a producer id are used up (after 32765 or 32766), EndTxn v5 answers 0 with a
/// new producer id and epoch 0; repeated with the old producer id and epoch it gives that pair
/// again, and the next transaction goes on with it.
#[scenario(
    "ENDTXN-003", api = EndTxn, versions = 5..,
    needs = [Shape("worn-epochs"), Feature("transaction.version", 1)], slow,
)]
async fn the_last_epoch_is_followed_by_a_new_producer_id(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = worn(cx).await?;
    let given = loop {
        let end = producer.end_txn(Marker::Abort);
        let conn = &mut producer.coordinator;
        let body = cx.settle(conn, &end, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
        let given = (body.producer_id.0, body.producer_epoch);
        if given.0 != producer.id {
            let due = LAST.contains(&producer.epoch) && given.0 >= 0 && given.1 == 0;
            body.require(due, format!("epoch 0 after one of {LAST:?}"), || {
                format!("epoch {} after {}", given.1, producer.epoch)
            })?;
            let conn = &mut producer.coordinator;
            let retry = cx.settle(conn, &end, TRANSACTION_ON_ITS_WAY).await?.expect_ok()?;
            expect_identity(&retry, given)?;
            break given;
        }
        let next = producer.epoch + 1;
        body.require(given.1 == next && next <= LAST[1], format!("epoch {next}"), || {
            given.1.to_string()
        })?;
        producer.epoch = next;
    };
    (producer.id, producer.epoch) = given;
    producer.write(cx, &log, &["goes on"], 0).await?;
    producer.end(cx, Marker::Commit).await?;
    stable_at(cx, &log, 2).await?;
    read_committed(cx, &log).await?.expect(&["goes on"])
}

/// A burst of InitProducerId without a transactional id that uses up the ids which a broker holds
/// ready (1000 at a time) is answered with 0 or, for some of them, with
/// COORDINATOR_LOAD_IN_PROGRESS (14): never with REQUEST_TIMED_OUT (7), and no id comes twice.
#[scenario("INITPID-023", api = InitProducerId, needs = [Shape("worn-epochs")])]
async fn a_burst_gets_ids_or_is_asked_to_wait(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = init_producer_id(None);
    cx.settle(&mut conn, &request, TRANSACTION_ON_ITS_WAY).await?.ok()?;
    let mut sent: Vec<Sent<InitProducerIdResponse>> = Vec::new();
    for _ in 0..BURST {
        sent.push(conn.tell(request.clone()).await?);
    }
    let mut ids = BTreeSet::new();
    for sent in sent {
        let body = conn.answer(sent).await?.expect_answer()?;
        let code = Code(body.error_code);
        if code == CoordinatorLoadInProgress.into() {
            continue;
        }
        let fresh = code == Code::NONE && ids.insert(body.producer_id.0);
        body.require(fresh, "an id that nobody got, or COORDINATOR_LOAD_IN_PROGRESS (14)", || {
            format!("{code}, producer id {}", body.producer_id.0)
        })?;
    }
    require(!ids.is_empty(), "some ids", || "none".to_owned())
}

/// Set-up: a producer that has used up its epochs but for a few.
async fn worn(cx: &Cx) -> Result<Producer, Failure> {
    let mut producer = Producer::new(cx).await?;
    let request = init_producer_id(Some(&producer.txn_id));
    while producer.epoch < LAST[0] - 5 {
        let mut sent: Vec<Sent<InitProducerIdResponse>> = Vec::new();
        for _ in 0..AT_A_TIME.min(LAST[0] - 5 - producer.epoch) {
            sent.push(producer.coordinator.tell(request.clone()).await?);
        }
        for sent in sent {
            let body = producer.coordinator.answer(sent).await?.answered()?;
            let code = Code(body.error_code);
            if code == Code::NONE {
                producer.epoch = body.producer_epoch;
            } else if !TRANSACTION_ON_ITS_WAY.contains(&code) {
                return Err(Failure::blocked("another epoch", code.to_string()));
            }
        }
    }
    Ok(producer)
}
