//! ListOffsets (2): the record with the greatest time, timestamp -3 (KIP-734, version 7).
//!
//! Releases 3.0 to 3.7 found no more than the batch of it (KAFKA-16341, KAFKA-16342).

use kconform_scenario::prelude::*;

use super::answers::{
    GREATEST_TIME, NOTHING, base_time, expect_found, leader_epoch, timed, write_at,
};

scenarios![
    the_record_with_the_greatest_time_is_found,
    the_record_is_found_inside_its_batch,
    an_empty_partition_has_no_greatest_time,
    equal_times_of_the_broker_give_one_end_of_the_batch,
];

/// For timestamp -3 ListOffsets gives the greatest timestamp of a record in the partition and the
/// offset of the record that carries it, of several the first.
#[scenario("LISTOFF-008", api = ListOffsets, versions = 7..)]
async fn the_record_with_the_greatest_time_is_found(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base, base + 30, base + 20, base + 30]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, GREATEST_TIME, (1, base + 30, epoch)).await
}

/// Where a batch of several records holds the greatest timestamp, timestamp -3 gives from release
/// 3.8 on the first record that carries it, compressed or not. Release 3.7.2 gives the last offset
/// of the batch, uncompressed batches with create time included; 3.3.2 gives the record's own
/// offset for uncompressed ones, and the batch's last offset for compressed ones.
#[scenario("LISTOFF-009", api = ListOffsets, versions = 7.., vary = ["none", "gzip"])]
async fn the_record_is_found_inside_its_batch(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    let codec = Codec::all().into_iter().find(|codec| codec.name() == cx.variant());
    let batch = timed(&[base, base + 30, base + 20, base + 30, base + 10]);
    cx.append(&of, batch.with_codec(codec.unwrap_or_default()).encode()).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    // KAFKA-16342: the first record with that time, and no longer the last of its batch.
    let offset = if cx.since(3, 8) { 1 } else { 4 };
    expect_found(cx, &mut leader, &of, GREATEST_TIME, (offset, base + 30, epoch)).await
}

/// Timestamp -3 on an empty partition is answered with error 0, offset -1, timestamp -1 and
/// leader_epoch -1.
#[scenario("LISTOFF-010", api = ListOffsets, versions = 7..)]
async fn an_empty_partition_has_no_greatest_time(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, GREATEST_TIME, NOTHING).await
}

/// On a topic with log append time all records of a batch share one time: timestamp -3 gives from
/// release 3.8 on the first offset of the batch with the greatest, in 3.3.2 and 3.7.2 the last.
#[scenario("LISTOFF-011", api = ListOffsets, versions = 7..)]
async fn equal_times_of_the_broker_give_one_end_of_the_batch(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("message.timestamp.type", "LogAppendTime");
    let of = cx.topic_with(spec).await?.partition(0);
    cx.write(&of, &["a", "b", "c"]).await?;
    let log = cx.read_log(&of, 0).await?;
    let Some(time) = log.records().map(|record| record.timestamp).next() else {
        return Err(Failure::blocked("three records", "none"));
    };
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    // KAFKA-16342, as above.
    let offset = if cx.since(3, 8) { 0 } else { 2 };
    expect_found(cx, &mut leader, &of, GREATEST_TIME, (offset, time, epoch)).await
}
