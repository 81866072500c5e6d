//! Fetch (1): isolation levels (KIP-98, version 4): what consumers see of transactions that are
//! open, aborted and committed.
//!
//! The transactions themselves are driven in the versions of before transaction.version 2.

use kafka_protocol::messages::FetchResponse;
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::Marker;

use super::answers::{contents, expect_offsets, result};
use crate::transaction::Transaction;

const ABORTED: &str = "responses[0].partitions[0].aborted_transactions";

scenarios![
    read_committed_ends_before_an_open_transaction,
    aborted_records_come_with_the_list_of_the_aborted,
    a_committed_transaction_is_not_listed_as_aborted,
    read_uncommitted_returns_everything,
    a_marker_takes_one_offset,
    nothing_is_listed_as_aborted_where_nothing_was,
    read_uncommitted_gets_no_list_of_the_aborted,
    the_aborted_are_listed_in_the_order_of_their_offsets,
];

/// With isolation_level 1 only records below last_stable_offset are returned: an open transaction
/// hides its own records and all later ones, those of other producers included.
#[scenario("FETCH-052", api = Fetch, versions = 4..)]
async fn read_committed_ends_before_an_open_transaction(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["before"]).await?;
    let mut open = Transaction::open(cx, &from).await?;
    open.write(cx, "open").await?;
    cx.write(&from, &["of another producer"]).await?;
    let mut leader = cx.leader(&from).await?;

    let request = cx.fetch(&from, 0)?.with_isolation_level(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    body.expect_number("responses[0].partitions[0].last_stable_offset", 1)?;
    body.expect_number("responses[0].partitions[0].high_watermark", 3)?;
    open.end(cx, false, 4).await
}

/// With isolation_level 1, the records of an aborted transaction are returned, with the abort
/// marker in its place, and aborted_transactions lists producer_id and first_offset of every
/// aborted transaction that overlaps the range returned. The list may also name aborted
/// transactions that begin after that range (Apache rounds its upper bound up by the offset index,
/// so in a small log to the end), but none whose marker lies below fetch_offset.
#[scenario("FETCH-053", api = Fetch, versions = 4..)]
async fn aborted_records_come_with_the_list_of_the_aborted(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut early = Transaction::open(cx, &from).await?;
    early.write(cx, "aborted before").await?;
    early.end(cx, false, 2).await?;
    cx.write(&from, &["plain"]).await?;
    let mut aborted = Transaction::open(cx, &from).await?;
    aborted.write(cx, "aborted").await?;
    let producer = aborted.producer.id;
    aborted.end(cx, false, 5).await?;
    let mut leader = cx.leader(&from).await?;

    let request = cx.fetch(&from, 2)?.with_isolation_level(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[2, 3, 4])?;
    let got = listed_as_aborted(&body, &from)?;
    body.require(
        got == [(producer, 3)],
        format!("the aborted transaction {:?}", (producer, 3)),
        || format!("{got:?}"),
    )?;
    expect_marker(&body, &from, 4, Marker::Abort)
}

/// The records of a committed transaction are returned with the commit marker, and
/// aborted_transactions has no entry for it.
#[scenario("FETCH-054", api = Fetch, versions = 4..)]
async fn a_committed_transaction_is_not_listed_as_aborted(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut committed = Transaction::open(cx, &from).await?;
    committed.write(cx, "committed").await?;
    committed.end(cx, true, 2).await?;
    let mut leader = cx.leader(&from).await?;

    let request = cx.fetch(&from, 0)?.with_isolation_level(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1])?;
    let got = listed_as_aborted(&body, &from)?;
    body.require(got.is_empty(), "no aborted transactions", || format!("{got:?}"))?;
    expect_marker(&body, &from, 1, Marker::Commit)
}

/// With isolation_level 0, uncommitted and aborted records are returned up to high_watermark,
/// control batches included.
#[scenario("FETCH-056", api = Fetch, versions = 4..)]
async fn read_uncommitted_returns_everything(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut aborted = Transaction::open(cx, &from).await?;
    aborted.write(cx, "aborted").await?;
    aborted.end(cx, false, 2).await?;
    let mut open = Transaction::open(cx, &from).await?;
    open.write(cx, "open").await?;
    let mut leader = cx.leader(&from).await?;

    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1, 2])?;
    expect_marker(&body, &from, 1, Marker::Abort)?;
    open.end(cx, false, 4).await
}

/// Each control marker takes one offset: the base_offset of the next data batch is one higher than
/// without it.
#[scenario("FETCH-057", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn a_marker_takes_one_offset(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut ended = Transaction::open(cx, &from).await?;
    ended.write(cx, "a").await?;
    ended.write(cx, "b").await?;
    ended.end(cx, cx.variant() == "commit", 3).await?;
    cx.write(&from, &["behind the marker"]).await?;
    let mut leader = cx.leader(&from).await?;

    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    let read = contents(&body, &from)?;
    let got: Vec<_> = read.batches().map(|batch| (batch.base_offset, batch.control)).collect();
    let expected = [(0, false), (1, false), (2, true), (3, false)];
    body.require(got == expected, format!("batches (base_offset, control) {expected:?}"), || {
        format!("{got:?}")
    })
}

/// aborted_transactions is null with isolation_level 0, even where a transaction was aborted, and
/// empty with isolation_level 1 where none was. Clients take both for none.
#[scenario("FETCH-055", api = Fetch, versions = 4.., vary = ["read_uncommitted", "read_committed"])]
async fn nothing_is_listed_as_aborted_where_nothing_was(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let (isolation, expected) = if cx.variant() == "read_committed" {
        (1, Value::Array(Vec::new()))
    } else {
        (0, Value::Null)
    };
    let request = cx.fetch(&from, 0)?.with_isolation_level(isolation);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    let got = body.at(ABORTED)?;
    body.require(got == expected, format!("aborted_transactions = {expected}"), || got.to_string())
}

/// aborted_transactions is null with isolation_level 0, even where a transaction was aborted, and
/// empty with isolation_level 1 where none was. Clients take both for none.
#[scenario("FETCH-055", api = Fetch, versions = 4..)]
async fn read_uncommitted_gets_no_list_of_the_aborted(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut aborted = Transaction::open(cx, &from).await?;
    aborted.write(cx, "aborted").await?;
    aborted.end(cx, false, 2).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1])?;
    let got = body.at(ABORTED)?;
    body.require(got == Value::Null, "aborted_transactions = null", || got.to_string())
}

/// aborted_transactions lists the transactions of one producer in ascending order of first_offset.
#[scenario("FETCH-084", api = Fetch, versions = 4..)]
async fn the_aborted_are_listed_in_the_order_of_their_offsets(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut producer = Transaction::open(cx, &from).await?;
    let id = producer.producer.id;
    for stable in [2, 4, 6] {
        producer.begin(cx).await?;
        producer.write(cx, "aborted").await?;
        producer.end(cx, false, stable).await?;
    }
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_isolation_level(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1, 2, 3, 4, 5])?;
    let got = listed_as_aborted(&body, &from)?;
    let expected = [(id, 0), (id, 2), (id, 4)];
    body.require(got == expected, format!("the aborted transactions {expected:?}"), || {
        format!("{got:?}")
    })
}

/// Producer id and first offset of the aborted transactions that the answer lists.
pub(super) fn listed_as_aborted(
    body: &Body<FetchResponse>,
    from: &Partition,
) -> Result<Vec<(i64, i64)>, Failure> {
    let listed = result(body, from)?.aborted_transactions.iter().flatten();
    Ok(listed.map(|aborted| (aborted.producer_id.0, aborted.first_offset)).collect())
}

/// High watermark and last stable offset of the partition in the answer.
pub(super) fn mark_and_stable(
    body: &Body<FetchResponse>,
    from: &Partition,
) -> Result<(i64, i64), Failure> {
    result(body, from).map(|found| (found.high_watermark, found.last_stable_offset))
}

/// The batch at this offset is a control batch with a marker of this kind.
fn expect_marker(
    body: &Body<FetchResponse>,
    from: &Partition,
    offset: i64,
    kind: Marker,
) -> Outcome {
    let read = contents(body, from)?;
    let found = read.batches().find(|batch| batch.base_offset == offset).and_then(Batch::marker);
    body.require(
        found.is_some_and(|marker| marker.kind == kind),
        format!("a marker {kind:?} at offset {offset}"),
        || format!("{found:?}"),
    )
}
