//! Produce (0): idempotent producers, KIP-98: duplicates, gaps, epochs and the end of the sequence
//! numbers.
//!
//! Transactions are written about in the family of that name; here only the refusal of a batch that
//! claims one.

use bytes::Bytes;
use kconform_scenario::prelude::*;

use super::answers::{BASE_OFFSET, expect_refused};

scenarios![
    a_batch_sent_again_keeps_its_offset,
    a_sequence_out_of_order_is_refused,
    an_older_epoch_is_refused,
    a_newer_epoch_begins_at_sequence_0,
    sequence_numbers_go_on_at_0_after_the_largest,
    a_transactional_batch_needs_a_transactional_id,
];

/// An idempotent batch (producer id and epoch from InitProducerId) that is sent again while it is
/// among the last 5 of its producer on the partition is answered with error 0 and its original
/// base_offset, and the log gets no second copy.
#[scenario("PRODUCE-058", api = Produce, versions = 3.., vary = ["last", "fifth last"])]
async fn a_batch_sent_again_keeps_its_offset(cx: &mut Cx) -> Outcome {
    let (to, producer) = writer(cx).await?;
    let sent = five(cx, &to, producer).await?;
    let (again, offset) = if cx.variant() == "last" { (4, 4) } else { (0, 0) };
    let mut leader = cx.leader(&to).await?;

    let reply = leader.ask(cx.produce(&to, sent[again].clone())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, offset)?;
    cx.expect_next_offset(&to, 5).await
}

/// A batch that leaves a gap in its producer's sequence is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45) and not appended; so is a duplicate older than the last 5
/// batches, and the last sequence sent again with another number of records.
#[scenario(
    "PRODUCE-060", api = Produce, versions = 3..,
    vary = ["gap", "sixth last", "other count"],
)]
async fn a_sequence_out_of_order_is_refused(cx: &mut Cx) -> Outcome {
    let (to, (id, epoch)) = writer(cx).await?;
    let sent = five(cx, &to, (id, epoch)).await?;
    cx.append(&to, cx.batch(&["sixth"]).idempotent(id, epoch, 5).encode()).await?;
    let records = match cx.variant() {
        "gap" => cx.batch(&["gap"]).idempotent(id, epoch, 7).encode(),
        "sixth last" => sent[0].clone(),
        _ => cx.batch(&["sixth", "and more"]).idempotent(id, epoch, 5).encode(),
    };
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, OutOfOrderSequenceNumber, &to, 6).await
}

/// An epoch lower than the last one seen of the producer id is refused with INVALID_PRODUCER_EPOCH
/// (47); a higher one must begin at sequence 0, else it is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45).
#[scenario("PRODUCE-062", api = Produce, versions = 3..)]
async fn an_older_epoch_is_refused(cx: &mut Cx) -> Outcome {
    let (to, (id, epoch)) = writer(cx).await?;
    cx.append(&to, cx.batch(&["newer"]).idempotent(id, epoch + 1, 0).encode()).await?;
    let mut leader = cx.leader(&to).await?;
    let older = cx.batch(&["older"]).idempotent(id, epoch, 1).encode();
    let reply = leader.ask(cx.produce(&to, older)?).await?;
    expect_refused(cx, reply, InvalidProducerEpoch, &to, 1).await
}

/// An epoch lower than the last one seen of the producer id is refused with INVALID_PRODUCER_EPOCH
/// (47); a higher one must begin at sequence 0, else it is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45).
#[scenario("PRODUCE-062", api = Produce, versions = 3..)]
async fn a_newer_epoch_begins_at_sequence_0(cx: &mut Cx) -> Outcome {
    let (to, (id, epoch)) = writer(cx).await?;
    cx.append(&to, cx.batch(&["older"]).idempotent(id, epoch, 0).encode()).await?;
    let mut leader = cx.leader(&to).await?;
    let newer = |sequence| cx.batch(&["newer"]).idempotent(id, epoch + 1, sequence).encode();

    leader.ask(cx.produce(&to, newer(1))?).await?.expect_error_at(
        "responses[0].partition_responses[0].error_code",
        OutOfOrderSequenceNumber,
    )?;
    // Accepted only now, at the offset that the refused one did not get.
    leader.ask(cx.produce(&to, newer(0))?).await?.expect_ok()?.expect_number(BASE_OFFSET, 1)
}

/// After sequence number 2147483647 comes 0, and a batch with it is accepted as the next one.
#[scenario("PRODUCE-064", api = Produce, versions = 3..)]
async fn sequence_numbers_go_on_at_0_after_the_largest(cx: &mut Cx) -> Outcome {
    let (to, (id, epoch)) = writer(cx).await?;
    // Three records over the end: sequence numbers 2147483646, 2147483647 and 0.
    let over = cx.batch(&["a", "b", "c"]).idempotent(id, epoch, i32::MAX - 1).encode();
    let mut leader = cx.leader(&to).await?;
    leader.ask(cx.produce(&to, over)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let next = cx.batch(&["d"]).idempotent(id, epoch, 1).encode();
    leader.ask(cx.produce(&to, next)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 3)?;
    cx.expect_next_offset(&to, 4).await
}

/// A batch with the transactional bit in a request whose transactional_id is null is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) on all partitions, even where there is no authorizer.
#[scenario("PRODUCE-065", api = Produce, versions = 3..)]
async fn a_transactional_batch_needs_a_transactional_id(cx: &mut Cx) -> Outcome {
    let (to, (id, epoch)) = writer(cx).await?;
    let mut leader = cx.leader(&to).await?;
    let batch = cx.batch(&["nobody's"]).idempotent(id, epoch, 0).transactional();
    let reply = leader.ask(cx.produce(&to, batch.encode())?).await?;
    expect_refused(cx, reply, TransactionalIdAuthorizationFailed, &to, 0).await
}

/// A partition and a fresh producer id with its epoch.
async fn writer(cx: &Cx) -> Result<(Partition, (i64, i16)), Failure> {
    let to = cx.partition().await?;
    let mut conn = cx.connect().await?;
    let producer = cx.producer_id(&mut conn, None).await?;
    Ok((to, producer))
}

/// Five batches of one record each with sequence numbers 0 to 4, appended.
async fn five(cx: &Cx, to: &Partition, (id, epoch): (i64, i16)) -> Result<[Bytes; 5], Failure> {
    let sent = [0, 1, 2, 3, 4].map(|n| cx.batch(&["again"]).idempotent(id, epoch, n).encode());
    for records in &sent {
        cx.append(to, records.clone()).await?;
    }
    Ok(sent)
}
