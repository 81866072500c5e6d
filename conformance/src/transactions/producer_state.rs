//! Produce (0), version 3 on: what a partition knows of an idempotent producer, where that comes from, and how long it
//! lasts (KIP-98, KIP-360). What it does with it is in `idempotence`.
//!
//! Not covered: restarts, after which just the last batch of each producer is known.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::replaced_topics::made_anew;
use super::writer::Writer;
use crate::producer::{PRODUCED, Producer, expect_base_offset, second_protocol};

scenarios![
    refusals_of_a_sequence_number_have_one_code,
    an_unknown_producer_may_begin_anywhere,
    a_transactional_producer_begins_at_sequence_0,
    a_producer_id_of_nobody_is_accepted,
    a_duplicate_shows_the_time_of_the_original,
    acks_are_no_matter_of_the_sequence,
    an_idle_producer_is_forgotten,
    deleted_records_leave_their_producer_known,
    a_topic_made_anew_knows_nobody,
    batches_without_timestamps_are_counted,
    a_duplicate_is_known_on_any_connection,
    producers_count_for_themselves,
    a_batch_across_the_largest_sequence_number_is_known,
];

/// What an idle producer's expiry and the check for it may take together on a loaded broker.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(12);

/// A producer id that no broker gave: they count from 0.
const NOBODY: i64 = 1 << 60;

/// Where the answer to one partition's Produce says when the broker appended it.
const APPENDED_AT: &str = "responses[0].partition_responses[0].log_append_time_ms";

/// A gap, an overlap and a duplicate that is no longer known are all refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45): never with DUPLICATE_SEQUENCE_NUMBER (46), which only brokers
/// of 0.11 gave, nor with UNKNOWN_PRODUCER_ID (59), which only brokers up to 2.4 gave.
#[scenario("IDEMP-004", api = Produce, versions = 3.., vary = ["gap", "overlap", "old duplicate"])]
async fn refusals_of_a_sequence_number_have_one_code(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 6).await?;
    let (values, sequence): (&[&str], _) = match cx.variant() {
        "gap" => (&["a"], 7),
        "overlap" => (&["a", "b"], 5),
        _ => (&["single"], 0),
    };
    let reply = writer.send(cx, &writer.batch(cx, values, sequence)).await?;
    reply.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)
}

/// Where a partition knows nothing of a producer, it takes any first sequence number (from 2.5 on;
/// older brokers answer a number other than 0 with UNKNOWN_PRODUCER_ID (59)), and counts on from
/// there: a gap behind it is refused with OUT_OF_ORDER_SEQUENCE_NUMBER (45).
#[scenario("IDEMP-010", api = Produce, versions = 3.., needs = [Since(2, 5)])]
async fn an_unknown_producer_may_begin_anywhere(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let body = writer.send(cx, &writer.batch(cx, &["a", "b"], 7)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let ahead = writer.send(cx, &writer.batch(cx, &["ahead"], 10)).await?;
    ahead.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    let body = writer.send(cx, &writer.batch(cx, &["next"], 9)).await?.expect_ok()?;
    expect_base_offset(&body, 2)
}

/// A transactional batch in Produce v12 and later whose sequence number is not 0 is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45) where the partition knows nothing of the producer (from 4.1
/// on, KAFKA-18202; 4.0 accepts it); up to v11 any first sequence number is accepted once the
/// partition was added.
#[scenario("IDEMP-011", api = Produce, versions = 3..)]
async fn a_transactional_producer_begins_at_sequence_0(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&partition]).await?;
    let mut leader = cx.leader(&partition).await?;
    let request = producer.produce(cx, &partition, &producer.batch(cx, &["late"], 5))?;
    let reply = leader.ask(request).await?;
    // KAFKA-18202, for the requests of the second transaction protocol (KIP-890).
    if cx.version() >= 12 && cx.since(4, 1) {
        reply.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
        cx.expect_next_offset(&partition, 0).await
    } else {
        expect_base_offset(&reply.expect_ok()?, 0)
    }
}

/// A producer id that InitProducerId never gave is accepted in idempotent batches outside of
/// transactions, and its duplicates are told as any other's.
#[scenario("IDEMP-017", api = Produce, versions = 3..)]
async fn a_producer_id_of_nobody_is_accepted(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.id = NOBODY;
    let body = writer.send(cx, &writer.batch(cx, &["nobody's"], 0)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let body = writer.send(cx, &writer.batch(cx, &["nobody's"], 0)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    cx.expect_next_offset(&writer.to, 1).await
}

/// The answer to a duplicate carries the timestamp of the original batch as log_append_time_ms,
/// also where the topic keeps the time of creation and the original's own answer said -1.
#[scenario("IDEMP-018", api = Produce, versions = 3..)]
async fn a_duplicate_shows_the_time_of_the_original(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let original = writer.batch(cx, &["once"], 0);
    let body = writer.send(cx, &original).await?.ok()?;
    body.require(body.at(APPENDED_AT)? == Value::Int(-1), "log_append_time_ms = -1", || {
        format!("{:?}", body.at(APPENDED_AT))
    })?;
    // Another time, so that it is the original's that shows.
    let again = writer.batch(cx, &["once"], 0).with_timestamp(original.base_timestamp + 5);
    let body = writer.send(cx, &again).await?.expect_ok()?;
    body.expect_number(APPENDED_AT, original.max_timestamp)
}

/// An idempotent batch is accepted with acks 1 and with acks 0 as with all (that all is required is
/// a rule of clients), and its duplicate is recognised.
#[scenario("IDEMP-019", api = Produce, versions = 3.., vary = ["acks 1", "acks 0"])]
async fn acks_are_no_matter_of_the_sequence(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let first = cx.produce(&writer.to, writer.batch(cx, &["first"], 0).encode())?;
    if cx.variant() == "acks 0" {
        writer.leader.tell(first.with_acks(0)).await?.unanswered();
    } else {
        let body = writer.leader.ask(first.with_acks(1)).await?.expect_ok()?;
        expect_base_offset(&body, 0)?;
    }
    let body = writer.send(cx, &writer.batch(cx, &["first"], 0)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let body = writer.send(cx, &writer.batch(cx, &["second"], 1)).await?.expect_ok()?;
    expect_base_offset(&body, 1)
}

/// A partition forgets a producer that wrote nothing for producer.id.expiration.ms (1 day by
/// default), at the latest when producer.id.expiration.check.interval.ms (10 minutes by default)
/// has passed as well: then it takes any sequence number from it.
#[scenario(
    "IDEMP-021", api = Produce, versions = 3.., needs = [Shape("old-transactions")], slow,
)]
async fn an_idle_producer_is_forgotten(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 1).await?;
    let ahead = writer.batch(cx, &["ahead"], 7);
    writer.send(cx, &ahead).await?.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    let mut tries = cx.tries("the producer to be forgotten", FORGOTTEN_WITHIN);
    loop {
        let reply = writer.send(cx, &ahead).await?;
        if reply.at(PRODUCED)? != Value::Int(OutOfOrderSequenceNumber.code().into()) {
            return expect_base_offset(&reply.expect_ok()?, 1);
        }
        tries.expect("OUT_OF_ORDER_SEQUENCE_NUMBER (45)").await?;
    }
}

/// DeleteRecords does not make a partition forget a producer: of the producer whose records are all
/// deleted, a gap is refused with OUT_OF_ORDER_SEQUENCE_NUMBER (45), its last batch sent again is
/// answered with its original offset, and the next one is appended at the end of the log.
#[scenario("IDEMP-023", api = Produce, versions = 3..)]
async fn deleted_records_leave_their_producer_known(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 3).await?;
    cx.delete_records(&writer.to, 3).await?;
    let ahead = writer.send(cx, &writer.batch(cx, &["ahead"], 4)).await?;
    ahead.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    let body = writer.send(cx, &writer.batch(cx, &["single"], 2)).await?.expect_ok()?;
    expect_base_offset(&body, 2)?;
    let body = writer.send(cx, &writer.batch(cx, &["next"], 3)).await?.expect_ok()?;
    expect_base_offset(&body, 3)
}

/// A topic that is deleted and created again under the same name knows nothing of the producers of
/// the former one: a batch of such a producer with sequence number 0 is appended at offset 0.
#[scenario("IDEMP-024", api = Produce, versions = 3..)]
async fn a_topic_made_anew_knows_nobody(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut writer = Writer::to(cx, topic.partition(0)).await?;
    writer.singles(cx, 3).await?;
    writer.to = made_anew(cx, &topic).await?;
    writer.leader = cx.leader(&writer.to).await?;
    let body = writer.send(cx, &writer.batch(cx, &["first"], 0)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    cx.expect_next_offset(&writer.to, 1).await
}

/// Batches of an idempotent producer without timestamps (base_timestamp and max_timestamp -1) are
/// appended and recognised as duplicates like any others.
#[scenario("IDEMP-025", api = Produce, versions = 3..)]
async fn batches_without_timestamps_are_counted(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let timeless = |writer: &Writer, sequence| {
        cx.batch(&["timeless"]).with_timestamp(-1).idempotent(writer.id, writer.epoch, sequence)
    };
    for sequence in 0..3 {
        let body = writer.send(cx, &timeless(&writer, sequence)).await?.expect_ok()?;
        expect_base_offset(&body, sequence.into())?;
    }
    let body = writer.send(cx, &timeless(&writer, 1)).await?.expect_ok()?;
    expect_base_offset(&body, 1)?;
    cx.expect_next_offset(&writer.to, 3).await
}

/// A batch sent again on another connection, after the first one was closed before its answer was
/// read, is answered with error 0 and the base_offset of the original, and nothing is appended.
#[scenario("IDEMP-026", api = Produce, versions = 3..)]
async fn a_duplicate_is_known_on_any_connection(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 1).await?;
    let request = cx.produce(&writer.to, writer.batch(cx, &["in flight"], 1).encode())?;
    writer.leader.tell(request.clone()).await?.unanswered();
    // The broken connection goes with the value that stood here.
    writer.leader = cx.leader(&writer.to).await?;
    expect_base_offset(&writer.leader.ask(request).await?.expect_ok()?, 1)?;
    cx.expect_next_offset(&writer.to, 2).await
}

/// The sequence numbers of several producers on one partition are counted for each by itself, and
/// the last five batches of each are recognised whatever the others wrote meanwhile.
#[scenario("IDEMP-027", api = Produce, versions = 3..)]
async fn producers_count_for_themselves(cx: &mut Cx) -> Outcome {
    let mut first = Writer::new(cx).await?;
    let mut second = Writer::to(cx, first.to.clone()).await?;
    first.singles(cx, 1).await?;
    second.singles(cx, 6).await?;
    let body = first.send(cx, &first.batch(cx, &["single"], 0)).await?.expect_ok()?;
    expect_base_offset(&body, 0)?;
    let body = first.send(cx, &first.batch(cx, &["next"], 1)).await?.expect_ok()?;
    expect_base_offset(&body, 7)?;
    let body = second.send(cx, &second.batch(cx, &["single"], 5)).await?.expect_ok()?;
    expect_base_offset(&body, 6)
}

/// A batch whose sequence numbers run over 2147483647 is recognised as a duplicate like any other:
/// sent again it is answered with its original offset, and nothing is appended.
#[scenario("IDEMP-028", api = Produce, versions = 3.., needs = [Since(2, 5)])]
async fn a_batch_across_the_largest_sequence_number_is_known(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    let across = writer.batch(cx, &["a", "b", "c", "d", "e"], i32::MAX - 2);
    writer.send(cx, &across).await?.ok()?;
    let next = writer.batch(cx, &["f"], 2);
    expect_base_offset(&writer.send(cx, &next).await?.expect_ok()?, 5)?;
    expect_base_offset(&writer.send(cx, &across).await?.expect_ok()?, 0)?;
    cx.expect_next_offset(&writer.to, 6).await
}
