//! Produce (0), version 3 on: producer ids that the partition has not seen, and what else a broker
//! knows of idempotent producers.
//!
//! Duplicates, gaps and epochs are in `idempotence`. Not covered: what is left of it after a
//! restart.

use kconform_scenario::prelude::*;

use super::addresses::made_again;
use super::answers::{BASE_OFFSET, ERROR, expect_refused};
use crate::producer::{Producer, WRITE_ON_ITS_WAY, second_protocol};

scenarios![
    a_duplicate_tells_its_own_time,
    a_new_producer_begins_at_any_sequence,
    a_transaction_may_begin_at_any_sequence,
    a_transaction_of_the_second_protocol_begins_at_sequence_0,
    a_negative_sequence_is_refused,
    a_producer_id_that_nobody_handed_out_is_accepted,
    a_producer_without_timestamps_is_remembered,
    a_producer_is_forgotten_with_its_topic,
    a_duplicate_over_the_end_of_the_numbers_is_known,
    a_new_leader_knows_the_producers,
    pipelined_writes_to_a_new_topic_keep_their_order,
];

const APPEND_TIME: &str = "responses[0].partition_responses[0].log_append_time_ms";

/// For a duplicate that an idempotent producer sends (PRODUCE-058), log_append_time_ms is the
/// largest timestamp of the batch also on a topic with create time, and not -1.
#[scenario("PRODUCE-059", api = Produce, versions = 3..)]
async fn a_duplicate_tells_its_own_time(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let (id, epoch) = cx.producer_id(&mut leader, None).await?;
    let time = cx.wall_ms() - 60_000;
    let records = cx.batch(&["once"]).with_timestamp(time).idempotent(id, epoch, 0).encode();
    cx.append(&to, records.clone()).await?;
    let again = leader.ask(cx.produce(&to, records)?).await?.expect_ok()?;
    again.expect_number(BASE_OFFSET, 0)?;
    again.expect_number(APPEND_TIME, time)
}

/// The first batch of a producer id on a partition may begin at any sequence number, and the next
/// must follow it. Exception: from 4.1 on, with finalized transaction.version 2, the first
/// transactional batch in version 12 or later must begin at 0, or it is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45); 4.0 and older versions of the request accept any.
#[scenario("PRODUCE-061", api = Produce, versions = 3..)]
async fn a_new_producer_begins_at_any_sequence(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let (id, epoch) = cx.producer_id(&mut leader, None).await?;
    let numbered = |sequence| cx.batch(&["numbered"]).idempotent(id, epoch, sequence).encode();
    let first = leader.ask(cx.produce(&to, numbered(7))?).await?;
    first.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let gap = leader.ask(cx.produce(&to, numbered(9))?).await?;
    gap.expect_error_at(ERROR, OutOfOrderSequenceNumber)?;
    let next = leader.ask(cx.produce(&to, numbered(8))?).await?;
    next.expect_ok()?.expect_number(BASE_OFFSET, 1)
}

/// The first batch of a producer id on a partition may begin at any sequence number, and the next
/// must follow it. Exception: from 4.1 on, with finalized transaction.version 2, the first
/// transactional batch in version 12 or later must begin at 0, or it is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45); 4.0 and older versions of the request accept any.
#[scenario("PRODUCE-061", api = Produce, versions = 3..=11)]
async fn a_transaction_may_begin_at_any_sequence(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&to]).await?;
    let request = producer.produce(cx, &to, &producer.batch(cx, &["first"], 5))?;
    let reply = cx.settle(&mut leader, &request, WRITE_ON_ITS_WAY).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)
}

/// The first batch of a producer id on a partition may begin at any sequence number, and the next
/// must follow it. Exception: from 4.1 on, with finalized transaction.version 2, the first
/// transactional batch in version 12 or later must begin at 0, or it is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45); 4.0 and older versions of the request accept any.
#[scenario(
    "PRODUCE-061", api = Produce, versions = 12..,
    needs = [Feature("transaction.version", 2)],
)]
async fn a_transaction_of_the_second_protocol_begins_at_sequence_0(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (to, mut leader) = at(cx).await?;
    let producer = Producer::new(cx).await?;
    let request = producer.produce(cx, &to, &producer.batch(cx, &["first"], 5))?;
    let reply = cx.settle(&mut leader, &request, WRITE_ON_ITS_WAY).await?;
    // KAFKA-18202.
    if cx.since(4, 1) {
        expect_refused(cx, reply, OutOfOrderSequenceNumber, &to, 0).await
    } else {
        reply.expect_ok()?.expect_number(BASE_OFFSET, 0)
    }
}

/// A batch with a producer id and a negative base_sequence is refused with INVALID_RECORD (87), and
/// nothing is appended.
#[scenario("PRODUCE-063", api = Produce, versions = 3.., vary = ["-1", "-2147483648"])]
async fn a_negative_sequence_is_refused(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let sequence = if cx.variant() == "-1" { -1 } else { i32::MIN };
    let records = cx.batch(&["unnumbered"]).idempotent(STRANGER, 0, sequence).encode();
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, InvalidRecord, &to, 0).await
}

/// A producer id that no InitProducerId handed out is accepted, with any epoch >= 0 and any first
/// sequence number.
#[scenario("PRODUCE-075", api = Produce, versions = 3..)]
async fn a_producer_id_that_nobody_handed_out_is_accepted(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let numbered = |sequence| cx.batch(&["strange"]).idempotent(STRANGER, 9, sequence).encode();
    let first = leader.ask(cx.produce(&to, numbered(41))?).await?;
    first.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    // Known from now on: a duplicate is one.
    let again = leader.ask(cx.produce(&to, numbered(41))?).await?;
    again.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    cx.expect_next_offset(&to, 1).await
}

/// An idempotent producer whose records have no timestamps (-1) is remembered like any other: its
/// next batch is accepted, and a duplicate gets its original base_offset.
#[scenario("PRODUCE-083", api = Produce, versions = 3..)]
async fn a_producer_without_timestamps_is_remembered(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    let (id, epoch) = cx.producer_id(&mut leader, None).await?;
    for (sequence, offset) in [(0, 0), (1, 1), (2, 2), (0, 0)] {
        let timeless = Batch::of(["timeless"]).idempotent(id, epoch, sequence).encode();
        let reply = leader.ask(cx.produce(&to, timeless)?).await?;
        reply.expect_ok()?.expect_number(BASE_OFFSET, offset)?;
    }
    cx.expect_next_offset(&to, 3).await
}

/// What a broker knows of a producer id goes with the topic: after the topic was deleted and created
/// again under the same name, the same sequence numbers are written anew, and are no duplicates.
#[scenario("PRODUCE-084", api = Produce, versions = 3..)]
async fn a_producer_is_forgotten_with_its_topic(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?;
    let records = cx.batch(&["first"]).idempotent(STRANGER, 1, 0).encode();
    cx.append(&old.partition(0), records).await?;
    let third = cx.batch(&["second", "third"]).idempotent(STRANGER, 1, 1).encode();
    cx.append(&old.partition(0), third).await?;
    let new = made_again(cx, &old).await?.partition(0);
    let mut leader = cx.leader(&new).await?;
    let again = cx.batch(&["second", "third"]).idempotent(STRANGER, 1, 1).encode();
    let reply = leader.ask(cx.produce(&new, again)?).await?;
    // A duplicate would be told its old offset, 1.
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    cx.expect_next_offset(&new, 2).await
}

/// A batch whose sequence numbers go over 2147483647 to 0 and on is known when it is sent again: it
/// gets its original base_offset, and the log gets no second copy.
#[scenario("PRODUCE-085", api = Produce, versions = 3..)]
async fn a_duplicate_over_the_end_of_the_numbers_is_known(cx: &mut Cx) -> Outcome {
    let (to, mut leader) = at(cx).await?;
    cx.append(&to, cx.batch(&["a"]).idempotent(STRANGER, 0, i32::MAX - 1).encode()).await?;
    let over = cx.batch(&["b", "c", "d"]).idempotent(STRANGER, 0, i32::MAX).encode();
    for _ in ["once", "again"] {
        let reply = leader.ask(cx.produce(&to, over.clone())?).await?;
        reply.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    }
    cx.expect_next_offset(&to, 4).await
}

/// What a leader knows of idempotent producers its successor knows too: after the partition was
/// moved to another broker, a batch of before is a duplicate and gets its original base_offset, a
/// gap is refused with OUT_OF_ORDER_SEQUENCE_NUMBER (45), and the next batch is accepted.
#[scenario("PRODUCE-094", api = Produce, versions = 3.., needs = [ThreeBrokers])]
async fn a_new_leader_knows_the_producers(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let numbered = |sequence| cx.batch(&["numbered"]).idempotent(STRANGER, 2, sequence).encode();
    for sequence in 0..3 {
        cx.append(&to, numbered(sequence)).await?;
    }
    let to = cx.move_to(&to, cx.bystander(&to, false).await?).await?;
    let mut leader = cx.leader(&to).await?;
    let again = leader.ask(cx.produce(&to, numbered(1))?).await?;
    again.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    let gap = leader.ask(cx.produce(&to, numbered(4))?).await?;
    gap.expect_error_at(ERROR, OutOfOrderSequenceNumber)?;
    let next = leader.ask(cx.produce(&to, numbered(3))?).await?;
    next.expect_ok()?.expect_number(BASE_OFFSET, 3)
}

/// Writes that are sent to a new topic without waiting for one another, acks = 1, are answered and
/// appended in the order in which they were sent.
#[scenario("PRODUCE-086", api = Produce, versions = 3..)]
async fn pipelined_writes_to_a_new_topic_keep_their_order(cx: &mut Cx) -> Outcome {
    const VALUES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let to = cx.topic().await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let mut sent = Vec::new();
    for value in VALUES {
        sent.push(leader.tell(cx.produce(&to, cx.records(&[value])?)?.with_acks(1)).await?);
    }
    for (offset, sent) in (0..).zip(sent) {
        leader.answer(sent).await?.expect_ok()?.expect_number(BASE_OFFSET, offset)?;
    }
    let mut tries = cx.tries("the last record", Duration::from_secs(5));
    loop {
        let stored = super::answers::values(&cx.read_log(&to, 0).await?);
        if stored.len() >= VALUES.len() {
            return require(stored == VALUES, "the values in their order", || {
                format!("{stored:?}")
            });
        }
        tries.expect(format!("{stored:?}")).await?;
    }
}

/// A producer id that nobody hands out.
const STRANGER: i64 = 1 << 51;

/// A partition and a connection to its leader.
async fn at(cx: &Cx) -> Result<(Partition, Conn), Failure> {
    let to = cx.partition().await?;
    let leader = cx.leader(&to).await?;
    Ok((to, leader))
}
