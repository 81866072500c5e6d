//! ListOffsets (2), version 0, which release 4.0 dropped (KIP-896): a list of offsets by the
//! segments of the log.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

use super::answers::{END, GREATEST_TIME, START};

scenarios![
    offsets_are_listed_by_segment,
    an_unknown_partition_has_an_empty_list,
    the_greatest_time_gives_no_offsets,
];

const ERROR: &str = "topics[0].partitions[0].error_code";
const OFFSETS: &str = "topics[0].partitions[0].old_style_offsets";
const HOUR: i64 = 3_600_000;

/// Version 0 gives an array of offsets, the newest first and at most max_num_offsets of them: for
/// timestamp -1 the high watermark and the starts of all segments, for -2 the log start offset, for
/// others the starts of the segments that were last modified by then (with the high watermark, when
/// that is now). An unknown topic is answered with UNKNOWN_TOPIC_OR_PARTITION (3) and an empty
/// array. Timestamp -3 is refused with UNSUPPORTED_VERSION (35) by 3.9, and gives error 0 and an
/// empty array in 3.7.
#[scenario(
    "LISTOFF-025", api = ListOffsets, versions = 0,
    vary = ["end", "end, at most 2", "start", "an hour ago", "in an hour"],
)]
async fn offsets_are_listed_by_segment(cx: &mut Cx) -> Outcome {
    // So small that each batch fills a segment.
    let spec = TopicSpec::default().config("segment.bytes", 80);
    let of = cx.topic_with(spec).await?.partition(0);
    for value in ["a", "b", "c"] {
        cx.write(&of, &[value]).await?;
    }
    let mut leader = cx.leader(&of).await?;
    let now = cx.wall_ms();
    let (timestamp, at_most, listed): (_, _, &[i64]) = match cx.variant() {
        "end" => (END, 10, &[3, 2, 1, 0]),
        "end, at most 2" => (END, 2, &[3, 2]),
        "start" => (START, 10, &[0]),
        "an hour ago" => (now - HOUR, 10, &[]),
        _ => (now + HOUR, 10, &[3, 2, 1, 0]),
    };
    let reply = leader.ask_value(cx.key(), 0, &list(&of, timestamp, at_most)).await?;
    reply.expect_error_at(ERROR, Code::NONE)?;
    expect_offsets(&reply, listed)
}

/// Version 0 gives an array of offsets, the newest first and at most max_num_offsets of them: for
/// timestamp -1 the high watermark and the starts of all segments, for -2 the log start offset, for
/// others the starts of the segments that were last modified by then (with the high watermark, when
/// that is now). An unknown topic is answered with UNKNOWN_TOPIC_OR_PARTITION (3) and an empty
/// array. Timestamp -3 is refused with UNSUPPORTED_VERSION (35) by 3.9, and gives error 0 and an
/// empty array in 3.7.
#[scenario("LISTOFF-025", api = ListOffsets, versions = 0)]
async fn an_unknown_partition_has_an_empty_list(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let of = Partition { topic: cx.name("topic"), ..known };
    let reply = leader.ask_value(cx.key(), 0, &list(&of, END, 10)).await?;
    reply.expect_error_at(ERROR, UnknownTopicOrPartition)?;
    expect_offsets(&reply, &[])
}

/// Version 0 gives an array of offsets, the newest first and at most max_num_offsets of them: for
/// timestamp -1 the high watermark and the starts of all segments, for -2 the log start offset, for
/// others the starts of the segments that were last modified by then (with the high watermark, when
/// that is now). An unknown topic is answered with UNKNOWN_TOPIC_OR_PARTITION (3) and an empty
/// array. Timestamp -3 is refused with UNSUPPORTED_VERSION (35) by 3.9, and gives error 0 and an
/// empty array in 3.7.
#[scenario("LISTOFF-025", api = ListOffsets, versions = 0)]
async fn the_greatest_time_gives_no_offsets(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let mut leader = cx.leader(&of).await?;
    let reply = leader.ask_value(cx.key(), 0, &list(&of, GREATEST_TIME, 10)).await?;
    // See LISTOFF-015.
    let code = if cx.since(3, 9) { UnsupportedVersion.into() } else { Code::NONE };
    reply.expect_error_at(ERROR, code)?;
    expect_offsets(&reply, &[])
}

/// A question of version 0 about one partition.
fn list(of: &Partition, timestamp: i64, at_most: i32) -> Value {
    let partition = Struct::new()
        .with("partition_index", of.index)
        .with("timestamp", timestamp)
        .with("max_num_offsets", at_most);
    let topic = Struct::new()
        .with("name", of.topic.as_str())
        .with("partitions", vec![Value::Struct(partition)]);
    Value::Struct(Struct::new().with("replica_id", -1).with("topics", vec![Value::Struct(topic)]))
}

/// The act: the only partition of the answer lists these offsets.
#[track_caller]
fn expect_offsets(reply: &Reply<()>, offsets: &[i64]) -> Outcome {
    let expected = Value::Array(offsets.iter().copied().map(Value::Int).collect());
    let got = reply.at(OFFSETS)?;
    if got == expected {
        return Ok(());
    }
    Err(reply.violated(format!("{OFFSETS} = {expected}"), got.to_string()))
}
