//! ListOffsets (2): the timestamps that speak of tiered storage, -4 to -6, where a topic has none,
//! and timestamps that mean nothing.
//!
//! Version 8 brought -4 (KIP-405), version 9 -5 (KIP-1005), version 11 -6 (KIP-1023). Release 3.9
//! was the first to refuse what a version does not know. Not covered: topics with tiered storage.

use kconform_scenario::prelude::*;

use super::answers::{
    GREATEST_TIME, NOTHING, START, base_time, expect_found, expect_refused, leader_epoch, write_at,
};

scenarios![
    the_local_start_is_the_start,
    nothing_was_ever_tiered,
    nothing_is_pending_for_upload,
    the_greatest_time_is_refused_before_its_version,
    the_local_start_is_refused_before_its_version,
    the_last_tiered_offset_is_refused_before_its_version,
    the_pending_upload_is_refused_before_its_version,
    unassigned_timestamps_are_refused,
    unassigned_timestamps_were_searched_as_times,
    the_greatest_time_was_served_in_any_version,
];

/// Timestamp -4 of ListOffsets: the earliest offset on local disk.
const LOCAL_START: i64 = -4;
/// Timestamp -5 of ListOffsets: the last offset in tiered storage.
const LAST_TIERED: i64 = -5;
/// Timestamp -6 of ListOffsets: the earliest offset that waits for its upload.
const PENDING_UPLOAD: i64 = -6;

/// On a topic without tiered storage timestamp -4 (the earliest local offset) gives the same as -2.
#[scenario("LISTOFF-012", api = ListOffsets, versions = 8.., vary = ["never written", "records", "deleted records"])]
async fn the_local_start_is_the_start(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    if cx.variant() != "never written" {
        cx.write(&of, &["a", "b", "c"]).await?;
    }
    let mut start = 0;
    if cx.variant() == "deleted records" {
        start = 2;
        cx.delete_records(&of, start).await?;
    }
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, LOCAL_START, (start, -1, epoch)).await?;
    expect_found(cx, &mut leader, &of, START, (start, -1, epoch)).await
}

/// On a topic without tiered storage timestamp -5 (the last tiered offset) is answered with error
/// 0, offset -1, timestamp -1 and leader_epoch -1.
#[scenario("LISTOFF-013", api = ListOffsets, versions = 9.., needs = [Since(3, 9)])]
async fn nothing_was_ever_tiered(cx: &mut Cx) -> Outcome {
    expect_nothing(cx, LAST_TIERED).await
}

/// On a topic without tiered storage timestamp -6 (the earliest offset that waits for its upload)
/// is answered with error 0, offset -1, timestamp -1 and leader_epoch -1.
#[scenario("LISTOFF-014", api = ListOffsets, versions = 11..)]
async fn nothing_is_pending_for_upload(cx: &mut Cx) -> Outcome {
    expect_nothing(cx, PENDING_UPLOAD).await
}

/// From release 3.9 on a negative timestamp that the version does not know (-3 before version 7, -4
/// before 8, -5 before 9, -6 before 11, and -7 and lower in any) is refused on the partition with
/// UNSUPPORTED_VERSION (35), offset -1 and timestamp -1.
#[scenario("LISTOFF-015", api = ListOffsets, versions = 1..=6, needs = [Since(3, 9)])]
async fn the_greatest_time_is_refused_before_its_version(cx: &mut Cx) -> Outcome {
    expect_unsupported(cx, GREATEST_TIME).await
}

/// From release 3.9 on a negative timestamp that the version does not know (-3 before version 7, -4
/// before 8, -5 before 9, -6 before 11, and -7 and lower in any) is refused on the partition with
/// UNSUPPORTED_VERSION (35), offset -1 and timestamp -1.
#[scenario("LISTOFF-015", api = ListOffsets, versions = 1..=7, needs = [Since(3, 9)])]
async fn the_local_start_is_refused_before_its_version(cx: &mut Cx) -> Outcome {
    expect_unsupported(cx, LOCAL_START).await
}

/// From release 3.9 on a negative timestamp that the version does not know (-3 before version 7, -4
/// before 8, -5 before 9, -6 before 11, and -7 and lower in any) is refused on the partition with
/// UNSUPPORTED_VERSION (35), offset -1 and timestamp -1.
#[scenario("LISTOFF-015", api = ListOffsets, versions = 1..=8, needs = [Since(3, 9)])]
async fn the_last_tiered_offset_is_refused_before_its_version(cx: &mut Cx) -> Outcome {
    expect_unsupported(cx, LAST_TIERED).await
}

/// From release 3.9 on a negative timestamp that the version does not know (-3 before version 7, -4
/// before 8, -5 before 9, -6 before 11, and -7 and lower in any) is refused on the partition with
/// UNSUPPORTED_VERSION (35), offset -1 and timestamp -1.
#[scenario("LISTOFF-015", api = ListOffsets, versions = 1..=10, needs = [Since(3, 9)])]
async fn the_pending_upload_is_refused_before_its_version(cx: &mut Cx) -> Outcome {
    expect_unsupported(cx, PENDING_UPLOAD).await
}

/// From release 3.9 on a negative timestamp that the version does not know (-3 before version 7, -4
/// before 8, -5 before 9, -6 before 11, and -7 and lower in any) is refused on the partition with
/// UNSUPPORTED_VERSION (35), offset -1 and timestamp -1.
#[scenario("LISTOFF-015", api = ListOffsets, versions = 1.., vary = ["-7", "-100"], needs = [Since(3, 9)])]
async fn unassigned_timestamps_are_refused(cx: &mut Cx) -> Outcome {
    expect_unsupported(cx, if cx.variant() == "-7" { -7 } else { -100 }).await
}

/// Up to release 3.8 negative timestamps that mean nothing are searched as ordinary times, and so
/// find the first record; -3 is served in any version.
#[scenario("LISTOFF-016", api = ListOffsets, versions = 1.., vary = ["-6", "-100"], needs = [Before(3, 9)])]
async fn unassigned_timestamps_were_searched_as_times(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base + 20, base + 10]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    let timestamp = if cx.variant() == "-6" { -6 } else { -100 };
    expect_found(cx, &mut leader, &of, timestamp, (0, base + 20, epoch)).await
}

/// Up to release 3.8 negative timestamps that mean nothing are searched as ordinary times, and so
/// find the first record; -3 is served in any version.
#[scenario("LISTOFF-016", api = ListOffsets, versions = 1..=6, needs = [Before(3, 9)])]
async fn the_greatest_time_was_served_in_any_version(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base, base + 30, base + 20]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, GREATEST_TIME, (1, base + 30, epoch)).await
}

/// The act: a partition with records, none of which is found under this timestamp.
async fn expect_nothing(cx: &Cx, timestamp: i64) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, timestamp, NOTHING).await
}

/// The act: this timestamp is refused, on a partition with records.
async fn expect_unsupported(cx: &Cx, timestamp: i64) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let mut leader = cx.leader(&of).await?;
    let reply = leader.ask(requests::list_offsets(&of, timestamp)).await?;
    expect_refused(cx, reply, &of, UnsupportedVersion)
}
