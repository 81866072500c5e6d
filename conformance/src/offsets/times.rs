//! ListOffsets (2): the search for a record by time, timestamps from 0 on.
//!
//! The same in every version; version 4 tells the record's leader epoch. Not covered: a log of
//! several segments.

use kconform_scenario::prelude::*;

use super::answers::{
    END, NOTHING, base_time, expect_found, expect_result, leader_epoch, timed, write_at,
};
use crate::transaction::Transaction;

scenarios![
    a_time_finds_the_first_record_that_is_not_older,
    a_search_begins_at_the_log_start,
    a_time_after_the_last_record_finds_nothing,
    time_0_finds_the_earliest_record,
    an_open_transaction_is_not_found_by_readers_of_committed_data,
    the_time_of_the_last_record_finds_it_before_its_marker,
    unordered_times_are_searched_one_by_one,
];

/// For a timestamp from 0 on ListOffsets gives offset and timestamp (from version 4 on also the
/// leader epoch) of the first record at or after the log start offset whose own timestamp is not
/// smaller, also in the middle of a batch of several records, compressed or not.
#[scenario("LISTOFF-004", api = ListOffsets, versions = 1.., vary = ["none", "gzip", "zstd"])]
async fn a_time_finds_the_first_record_that_is_not_older(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    let codec = Codec::all().into_iter().find(|codec| codec.name() == cx.variant());
    let batch = timed(&[base + 10, base + 20, base + 15, base + 30]);
    cx.append(&of, batch.with_codec(codec.unwrap_or_default()).encode()).await?;
    cx.append(&of, timed(&[base + 40]).encode()).await?;
    let epoch = leader_epoch(cx, &of).await?;

    let mut leader = cx.leader(&of).await?;
    for (after, offset, at) in [(10, 0, 10), (16, 1, 20), (25, 3, 30), (40, 4, 40)] {
        let found = (offset, base + at, epoch);
        expect_found(cx, &mut leader, &of, base + after, found).await?;
    }
    Ok(())
}

/// For a timestamp from 0 on ListOffsets gives offset and timestamp (from version 4 on also the
/// leader epoch) of the first record at or after the log start offset whose own timestamp is not
/// smaller, also in the middle of a batch of several records, compressed or not.
#[scenario("LISTOFF-004", api = ListOffsets, versions = 1..)]
async fn a_search_begins_at_the_log_start(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    cx.append(&of, timed(&[base + 10, base + 20, base + 15, base + 30]).encode()).await?;
    cx.delete_records(&of, 2).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, base + 11, (2, base + 15, epoch)).await
}

/// When no record has a timestamp as great as the one asked for, ListOffsets answers with error 0,
/// offset -1, timestamp -1 and leader_epoch -1; so it does for any time on an empty partition.
#[scenario("LISTOFF-005", api = ListOffsets, versions = 1.., vary = ["records", "empty partition"])]
async fn a_time_after_the_last_record_finds_nothing(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    if cx.variant() == "records" {
        write_at(cx, &of, &[base, base + 10]).await?;
    }
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, base + 11, NOTHING).await
}

/// Timestamp 0 finds the earliest record of the partition, with its own timestamp.
#[scenario("LISTOFF-006", api = ListOffsets, versions = 1..)]
async fn time_0_finds_the_earliest_record(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base + 20, base + 10]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, 0, (0, base + 20, epoch)).await
}

/// With isolation_level 1, a search by time whose first match lies at or after the last stable
/// offset is answered with error 0, offset -1 and timestamp -1; earlier matches are found.
#[scenario(
    "LISTOFF-007", api = ListOffsets, versions = 2..,
    vary = ["in the transaction", "behind the transaction"],
)]
async fn an_open_transaction_is_not_found_by_readers_of_committed_data(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base]).await?;
    Transaction::open(cx, &of).await?.write(cx, "open").await?;
    // Later than anything before it.
    let late = base + 120_000;
    write_at(cx, &of, &[late]).await?;
    let mut leader = cx.leader(&of).await?;

    let time = if cx.variant() == "in the transaction" { base + 1 } else { late };
    let committed = |time| requests::list_offsets(&of, time).with_isolation_level(1);
    let body = leader.ask(committed(time)).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, NOTHING)?;
    let epoch = leader_epoch(cx, &of).await?;
    let body = leader.ask(committed(base)).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (0, base, epoch))
}

/// A search for exactly the timestamp of the last record finds that record, also when the marker of
/// its transaction (commit or abort) lies behind it.
#[scenario("LISTOFF-029", api = ListOffsets, versions = 1.., vary = ["commit", "abort"])]
async fn the_time_of_the_last_record_finds_it_before_its_marker(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    write_at(cx, &of, &[base_time(cx)]).await?;
    let mut transaction = Transaction::open(cx, &of).await?;
    transaction.write(cx, "last").await?;
    transaction.end(cx, cx.variant() == "commit", 3).await?;
    let log = cx.read_log(&of, 1).await?;
    let Some(last) = log.records().find(|record| record.offset == 1) else {
        return Err(Failure::blocked("the record of the transaction at offset 1", "none"));
    };
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, last.timestamp, (1, last.timestamp, epoch)).await?;
    expect_found(cx, &mut leader, &of, END, (3, -1, epoch)).await
}

/// Timestamps need not be in order, and are compared one by one: after records with the times 100,
/// 50 and 200, a search for 60 finds the record of 100 and one for 150 that of 200.
#[scenario("LISTOFF-028", api = ListOffsets, versions = 1.., vary = ["one batch", "three batches"])]
async fn unordered_times_are_searched_one_by_one(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    let times = [base + 100, base + 50, base + 200];
    if cx.variant() == "one batch" {
        cx.append(&of, timed(&times).encode()).await?;
    } else {
        write_at(cx, &of, &times).await?;
    }
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    expect_found(cx, &mut leader, &of, base + 60, (0, base + 100, epoch)).await?;
    expect_found(cx, &mut leader, &of, base + 150, (2, base + 200, epoch)).await
}
