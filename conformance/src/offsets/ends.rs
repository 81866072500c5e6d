//! ListOffsets (2): the ends of a log, timestamps -1 and -2.
//!
//! Version 1 brought one offset and its timestamp, version 2 isolation levels (KIP-98), version 4
//! leader epochs (KIP-320). Not covered: an end that lies before the log end offset because
//! followers lag.

use kconform_scenario::prelude::*;

use super::answers::{
    END, START, base_time, expect_found, expect_result, leader_epoch, timed, write_at,
};
use crate::transaction::Transaction;

scenarios![
    the_end_is_the_high_watermark,
    the_end_of_committed_data_is_the_last_stable_offset,
    the_start_follows_deleted_records,
    an_offset_has_the_epoch_of_its_record,
    an_empty_partition_has_both_ends_at_one_offset,
];

/// For timestamp -1 ListOffsets gives the end of the partition: the high watermark with
/// isolation_level 0, the last stable offset with isolation_level 1 (version 2 on). The timestamp
/// in the answer is -1, and from version 4 on leader_epoch is the current epoch.
#[scenario("LISTOFF-001", api = ListOffsets, versions = 1..)]
async fn the_end_is_the_high_watermark(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, END, (2, -1, epoch)).await
}

/// For timestamp -1 ListOffsets gives the end of the partition: the high watermark with
/// isolation_level 0, the last stable offset with isolation_level 1 (version 2 on). The timestamp
/// in the answer is -1, and from version 4 on leader_epoch is the current epoch.
#[scenario("LISTOFF-001", api = ListOffsets, versions = 2.., vary = ["read_uncommitted", "read_committed"])]
async fn the_end_of_committed_data_is_the_last_stable_offset(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["committed"]).await?;
    let mut open = Transaction::open(cx, &of).await?;
    open.write(cx, "open").await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;

    let (isolation, end) = if cx.variant() == "read_committed" { (1, 1) } else { (0, 2) };
    let request = requests::list_offsets(&of, END).with_isolation_level(isolation);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (end, -1, epoch))
}

/// For timestamp -2 ListOffsets gives the log start offset, which moves when records are deleted.
/// The timestamp in the answer is -1, and from version 4 on leader_epoch is the epoch of that
/// offset (-1 where none is known).
#[scenario("LISTOFF-002", api = ListOffsets, versions = 1..)]
async fn the_start_follows_deleted_records(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b", "c"]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, START, (0, -1, epoch)).await?;
    cx.delete_records(&of, 2).await?;
    expect_found(cx, &mut leader, &of, START, (2, -1, epoch)).await
}

/// For timestamp -2 ListOffsets gives the log start offset, which moves when records are deleted.
/// The timestamp in the answer is -1, and from version 4 on leader_epoch is the epoch of that
/// offset (-1 where none is known).
#[scenario(
    "LISTOFF-002", also = ["LISTOFF-001", "LISTOFF-004"], api = ListOffsets, versions = 4..,
    needs = [ThreeBrokers],
)]
async fn an_offset_has_the_epoch_of_its_record(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = leader_epoch(cx, &of).await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base]).await?;
    let of = cx.move_to(&of, cx.bystander(&of, false).await?).await?;
    let new = leader_epoch(cx, &of).await?;
    require(new > old, "a new leader epoch", || format!("{old}, then {new}"))?;
    cx.append(&of, timed(&[base + 10]).encode()).await?;

    let mut leader = cx.leader(&of).await?;
    let found = [(START, (0, -1, old)), (base, (0, base, old))];
    let later = [(base + 1, (1, base + 10, new)), (END, (2, -1, new))];
    for (timestamp, found) in found.into_iter().chain(later) {
        expect_found(cx, &mut leader, &of, timestamp, found).await?;
    }
    Ok(())
}

/// On an empty partition timestamps -1 and -2 give the same offset with error 0: 0 where nothing
/// was ever written, the log start offset where everything was deleted.
#[scenario("LISTOFF-003", api = ListOffsets, versions = 1.., vary = ["never written", "emptied"])]
async fn an_empty_partition_has_both_ends_at_one_offset(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let mut end = 0;
    if cx.variant() == "emptied" {
        end = cx.write(&of, &["a", "b", "c"]).await? + 3;
        cx.delete_records(&of, end).await?;
    }
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, END, (end, -1, epoch)).await?;
    expect_found(cx, &mut leader, &of, START, (end, -1, epoch)).await
}
