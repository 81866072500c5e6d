//! Produce (0), version 3 on: transactional ids, transactional batches, and how they must belong
//! together.
//!
//! The life of a transaction is in the family `transactions`.

use kafka_protocol::messages::{ProduceRequest, ProduceResponse, TransactionalId};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{BASE_OFFSET, ERROR, expect_code, expect_refused, produce_all};
use crate::producer::{Producer, WRITE_ON_ITS_WAY, second_protocol};

scenarios![
    a_partition_outside_the_transaction_is_refused_with_a_message,
    a_partition_outside_the_transaction_asks_for_an_abort,
    a_partition_joins_the_transaction_by_itself,
    two_transactional_producers_in_one_request_are_refused,
    a_plain_batch_in_an_open_transaction_is_refused,
    a_transactional_id_does_not_matter_to_other_batches,
    a_producer_id_of_another_transactional_id_is_refused,
    a_transactional_batch_without_a_producer_is_stored,
];

const MESSAGE: &str = "responses[0].partition_responses[0].error_message";

/// How long the codes of other requests may get in the way, see [`kept_out`].
const CODE_WITHIN: Duration = Duration::from_secs(5);

/// A transactional batch for a partition that was never added to the transaction is refused (from
/// 3.6 on, where transaction.partition.verification.enable is true, its default): in versions 3 to
/// 10 with INVALID_TXN_STATE (48), and an error_message from version 8 on; in version 11 with
/// TRANSACTION_ABORTABLE (120) and a null error_message. Version 12 and later add the partition and
/// answer 0 where transaction.version is finalized at 1 or above; at 0 they get
/// UNSUPPORTED_VERSION (35), and the transactional id answers 51 from then on.
#[scenario("PRODUCE-066", api = Produce, versions = 3..=10, needs = [Since(3, 6)])]
async fn a_partition_outside_the_transaction_is_refused_with_a_message(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let reply = kept_out(cx, &to, TransactionAbortable).await?;
    if cx.version() >= 8 {
        let message = reply.at(MESSAGE)?;
        if !matches!(&message, Value::Str(text) if !text.is_empty()) {
            return Err(reply.violated("an error_message", message.to_string()));
        }
    }
    expect_refused(cx, reply, InvalidTxnState, &to, 0).await
}

/// A transactional batch for a partition that was never added to the transaction is refused (from
/// 3.6 on, where transaction.partition.verification.enable is true, its default): in versions 3 to
/// 10 with INVALID_TXN_STATE (48), and an error_message from version 8 on; in version 11 with
/// TRANSACTION_ABORTABLE (120) and a null error_message. Version 12 and later add the partition and
/// answer 0 where transaction.version is finalized at 1 or above; at 0 they get
/// UNSUPPORTED_VERSION (35), and the transactional id answers 51 from then on.
#[scenario("PRODUCE-066", api = Produce, versions = 11..=11, needs = [Since(3, 8)])]
async fn a_partition_outside_the_transaction_asks_for_an_abort(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let reply = kept_out(cx, &to, InvalidTxnState).await?;
    let message = reply.at(MESSAGE)?;
    if message != Value::Null {
        return Err(reply.violated("error_message null", message.to_string()));
    }
    expect_refused(cx, reply, TransactionAbortable, &to, 0).await
}

/// A transactional batch for a partition that was never added to the transaction is refused (from
/// 3.6 on, where transaction.partition.verification.enable is true, its default): in versions 3 to
/// 10 with INVALID_TXN_STATE (48), and an error_message from version 8 on; in version 11 with
/// TRANSACTION_ABORTABLE (120) and a null error_message. Version 12 and later add the partition and
/// answer 0 where transaction.version is finalized at 1 or above; at 0 they get
/// UNSUPPORTED_VERSION (35), and the transactional id answers 51 from then on.
#[scenario("PRODUCE-066", api = Produce, versions = 12..)]
async fn a_partition_joins_the_transaction_by_itself(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let to = cx.partition().await?;
    let producer = Producer::new(cx).await?;
    let mut leader = cx.leader(&to).await?;
    let request = producer.produce(cx, &to, &producer.batch(cx, &["first"], 0))?;
    let reply = cx.settle(&mut leader, &request, WRITE_ON_ITS_WAY).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    cx.expect_next_offset(&to, 1).await
}

/// A request with transactional batches of two producer ids is refused with
/// INVALID_PRODUCER_ID_MAPPING (49) on all its partitions, and nothing is appended (from 3.7 on; 3.3
/// appends both).
#[scenario("PRODUCE-067", api = Produce, versions = 3.., needs = [Since(3, 7)])]
async fn two_transactional_producers_in_one_request_are_refused(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let [one, other] = cx.partitions().await?;
    let (first, second) = (Producer::new(cx).await?, Producer::new(cx).await?);
    let mut leader = cx.leader(&one).await?;
    let batches = (first.batch(cx, &["a"], 0), second.batch(cx, &["b"], 0));
    let parts = [(&one, batches.0.encode()), (&other, batches.1.encode())];
    let request = first.own(produce_all(cx, &parts)?);
    let body = leader.ask(request).await?.expect_answer()?;
    for to in [&one, &other] {
        expect_code(&body, to, InvalidProducerIdMapping)?;
        cx.expect_next_offset(to, 0).await?;
    }
    Ok(())
}

/// A batch that is not transactional, of a producer id with an open transaction on the partition,
/// is refused with INVALID_TXN_STATE (48), and nothing is appended.
#[scenario("PRODUCE-068", api = Produce, versions = 3..)]
async fn a_plain_batch_in_an_open_transaction_is_refused(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let to = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&to]).await?;
    let mut leader = cx.leader(&to).await?;
    let first = producer.produce(cx, &to, &producer.batch(cx, &["transactional"], 0))?;
    cx.settle(&mut leader, &first, WRITE_ON_ITS_WAY).await?.ok()?;
    let plain = cx.batch(&["plain"]).idempotent(producer.id, producer.epoch, 1);
    let reply = leader.ask(cx.produce(&to, plain.encode())?).await?;
    expect_refused(cx, reply, InvalidTxnState, &to, 1).await
}

/// A transactional_id in a request whose batches are not transactional does not matter: plain and
/// idempotent batches are accepted, even when nobody ever initialised the id.
#[scenario("PRODUCE-074", api = Produce, versions = 3.., vary = ["plain", "idempotent"])]
async fn a_transactional_id_does_not_matter_to_other_batches(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let mut batch = cx.batch(&["not transactional"]);
    if cx.variant() == "idempotent" {
        let (id, epoch) = cx.producer_id(&mut leader, None).await?;
        batch = batch.idempotent(id, epoch, 0);
    }
    let request = of_nobody(cx, cx.produce(&to, batch.encode())?);
    leader.ask(request).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    cx.expect_next_offset(&to, 1).await
}

/// A transactional batch whose producer id belongs to another transactional id than the request
/// names is refused with INVALID_PRODUCER_ID_MAPPING (49), and nothing is appended (from 3.7 on; 3.3
/// accepts it).
#[scenario("PRODUCE-076", api = Produce, versions = 3.., needs = [Since(3, 7)])]
async fn a_producer_id_of_another_transactional_id_is_refused(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let to = cx.partition().await?;
    let (named, owner) = (Producer::new(cx).await?, Producer::new(cx).await?);
    let mut leader = cx.leader(&to).await?;
    let records = owner.batch(cx, &["somebody else's"], 0).encode();
    let request = named.own(cx.produce(&to, records)?);
    let reply = cx.settle(&mut leader, &request, WRITE_ON_ITS_WAY).await?;
    expect_refused(cx, reply, InvalidProducerIdMapping, &to, 0).await
}

/// A transactional batch without a producer id (-1), in a request with a transactional_id, is
/// accepted and stored with its transactional bit; nobody asks whether the partition is part of a
/// transaction.
#[scenario("PRODUCE-077", api = Produce, versions = 3..)]
async fn a_transactional_batch_without_a_producer_is_stored(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let records = cx.batch(&["nobody's"]).transactional().encode();
    let request = of_nobody(cx, cx.produce(&to, records)?);
    leader.ask(request).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let stored = cx.read_log(&to, 0).await?;
    let stored: Vec<_> =
        stored.batches().map(|batch| (batch.transactional, batch.producer_id)).collect();
    require(stored == [(true, -1)], "one transactional batch of producer -1", || {
        format!("{stored:?}")
    })
}

/// The request under a transactional id that nobody has initialised.
fn of_nobody(cx: &Cx, request: ProduceRequest) -> ProduceRequest {
    request.with_transactional_id(Some(TransactionalId(text(cx.txn_id()))))
}

/// The reply to a transactional batch for a partition that is in no transaction.
///
/// AddPartitionsToTxnManager puts questions of several requests into one, and answers them all with
/// the code that suits the first: beside requests of other versions their code may come, so that one
/// is asked again.
async fn kept_out(
    cx: &Cx,
    to: &Partition,
    others: ResponseError,
) -> Result<Reply<ProduceResponse>, Failure> {
    let producer = Producer::new(cx).await?;
    let mut leader = cx.leader(to).await?;
    let request = producer.produce(cx, to, &producer.batch(cx, &["kept out"], 0))?;
    let mut tries = cx.tries("the code of this version", CODE_WITHIN);
    loop {
        let reply = cx.settle(&mut leader, &request, WRITE_ON_ITS_WAY).await?;
        if reply.at(ERROR)? != Value::Int(others.code().into()) {
            return Ok(reply);
        }
        tries.expect(Code::from(others)).await?;
    }
}
