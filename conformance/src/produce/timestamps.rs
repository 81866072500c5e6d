//! Produce (0), version 3 on: which timestamps a topic takes.
//!
//! A window that the topic sets is in `limits`, what becomes of timestamps in `contents`.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{BASE_OFFSET, expect_refused};

scenarios![
    the_default_window_ends_an_hour_ahead,
    the_default_window_has_no_beginning,
    no_timestamp_is_outside_every_window,
    a_forged_timestamp_type_is_refused_under_log_append_time,
    a_forged_timestamp_type_is_cleared_under_create_time,
    the_window_does_not_hold_under_log_append_time,
];

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const APPEND_TIME: &str = "responses[0].partition_responses[0].log_append_time_ms";

/// In default settings a timestamp two hours ahead is refused with INVALID_TIMESTAMP (32) from 4.0
/// on and accepted by older releases; thirty minutes ahead, thirty days ago and 0 (1970) are
/// accepted by all.
#[scenario("PRODUCE-040", api = Produce, versions = 3..)]
async fn the_default_window_ends_an_hour_ahead(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let records = cx.batch(&["ahead"]).with_timestamp(cx.wall_ms() + 2 * HOUR).encode();
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    // KAFKA-16093 and KIP-1030: message.timestamp.after.max.ms is one hour by default.
    if cx.since(4, 0) {
        expect_refused(cx, reply, InvalidTimestamp, &to, 0).await
    } else {
        reply.expect_ok()?.expect_number(BASE_OFFSET, 0)
    }
}

/// In default settings a timestamp two hours ahead is refused with INVALID_TIMESTAMP (32) from 4.0
/// on and accepted by older releases; thirty minutes ahead, thirty days ago and 0 (1970) are
/// accepted by all.
#[scenario(
    "PRODUCE-040", api = Produce, versions = 3..,
    vary = ["thirty minutes ahead", "thirty days ago", "0"],
)]
async fn the_default_window_has_no_beginning(cx: &mut Cx) -> Outcome {
    // Or retention would delete the old ones at once.
    let spec = TopicSpec::default().config("retention.ms", -1);
    let to = cx.topic_with(spec).await?.partition(0);
    let time = match cx.variant() {
        "thirty minutes ahead" => cx.wall_ms() + 30 * MINUTE,
        "thirty days ago" => cx.wall_ms() - 30 * DAY,
        _ => 0,
    };
    expect_kept(cx, &to, time).await
}

/// A record without a timestamp (-1) is accepted on a topic with create time whatever its window,
/// and keeps -1.
#[scenario("PRODUCE-041", api = Produce, versions = 3..)]
async fn no_timestamp_is_outside_every_window(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(windowed(cx)).await?.partition(0);
    expect_kept(cx, &to, -1).await
}

/// A batch whose timestamp type bit (bit 3 of the attributes) says log append time is refused with
/// INVALID_TIMESTAMP (32) on a topic with log append time; on one with create time it is accepted
/// and the bit is cleared (from 3.6 on; older releases refuse it with 32 there too).
#[scenario("PRODUCE-042", api = Produce, versions = 3..)]
async fn a_forged_timestamp_type_is_refused_under_log_append_time(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("message.timestamp.type", "LogAppendTime");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let forged = Batch { log_append_time: true, ..cx.batch(&["forged"]) };
    let reply = leader.ask(cx.produce(&to, forged.encode())?).await?;
    expect_refused(cx, reply, InvalidTimestamp, &to, 0).await
}

/// A batch whose timestamp type bit (bit 3 of the attributes) says log append time is refused with
/// INVALID_TIMESTAMP (32) on a topic with log append time; on one with create time it is accepted
/// and the bit is cleared (from 3.6 on; older releases refuse it with 32 there too).
#[scenario("PRODUCE-042", api = Produce, versions = 3..)]
async fn a_forged_timestamp_type_is_cleared_under_create_time(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let forged = Batch { log_append_time: true, ..cx.batch(&["forged"]) };
    let reply = leader.ask(cx.produce(&to, forged.encode())?).await?;
    if !cx.since(3, 6) {
        return expect_refused(cx, reply, InvalidTimestamp, &to, 0).await;
    }
    reply.expect_ok()?.expect_number(APPEND_TIME, -1)?;
    let stored = cx.read_log(&to, 0).await?;
    let bits: Vec<i16> = stored.batches().map(Batch::attributes).collect();
    require(bits == [0], "one batch with attributes 0", || format!("{bits:?}"))
}

/// On a topic with log append time the timestamps that were sent are not looked at: outside
/// message.timestamp.before.max.ms and message.timestamp.after.max.ms they are accepted, and the
/// records have the broker's time.
#[scenario("PRODUCE-078", api = Produce, versions = 3.., vary = ["too early", "too late"])]
async fn the_window_does_not_hold_under_log_append_time(cx: &mut Cx) -> Outcome {
    let spec = windowed(cx).config("message.timestamp.type", "LogAppendTime");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let away = if cx.variant() == "too early" { -2 * DAY } else { 2 * DAY };
    let records = cx.batch(&["far away"]).with_timestamp(cx.wall_ms() + away).encode();
    let body = leader.ask(cx.produce(&to, records)?).await?.expect_ok()?;
    let told = body.at(APPEND_TIME)?;
    let stored = cx.read_log(&to, 0).await?;
    let times: Vec<Value> = stored.records().map(|record| Value::Int(record.timestamp)).collect();
    let now = cx.wall_ms();
    let near = matches!(told, Value::Int(told) if (told - now).abs() < HOUR);
    body.require(
        near && times == [told.clone()],
        format!("a time near {now} on both sides"),
        || format!("{told} in the answer, {times:?} in the log"),
    )
}

/// A topic that takes timestamps within an hour of its own time.
fn windowed(cx: &Cx) -> TopicSpec {
    let spec = TopicSpec::default();
    // KIP-937 (3.6) split the old setting, which went away in 4.0.
    if cx.since(3, 6) {
        spec.config("message.timestamp.before.max.ms", HOUR)
            .config("message.timestamp.after.max.ms", HOUR)
    } else {
        spec.config("message.timestamp.difference.max.ms", HOUR)
    }
}

/// The act: a record with this timestamp is accepted and keeps it.
async fn expect_kept(cx: &Cx, to: &Partition, time: i64) -> Outcome {
    let mut leader = cx.leader(to).await?;
    let records = cx.batch(&["kept"]).with_timestamp(time).encode();
    let reply = leader.ask(cx.produce(to, records)?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let stored = cx.read_log(to, 0).await?;
    let times: Vec<i64> = stored.records().map(|record| record.timestamp).collect();
    require(times == [time], &format!("one record with timestamp {time}"), || format!("{times:?}"))
}
