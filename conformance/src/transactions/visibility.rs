//! What consumers of committed data get to see (Fetch from version 4 on, ListOffsets from version 2 on): nothing from the
//! first open transaction on, and the list of aborted ones that lets them drop the rest.

use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::Value;

use super::consumer::{Committed, committed, contents, partition, values};
use crate::producer::{Producer, stable_at, stable_end};

scenarios![
    committed_data_ends_at_the_first_open_transaction,
    uncommitted_data_is_there_for_who_wants_it,
    aborted_data_comes_with_the_list_that_names_it,
    the_list_of_aborted_transactions_depends_on_the_isolation_level,
    the_last_stable_offset_is_told_at_both_isolation_levels,
    an_open_transaction_holds_back_a_later_one,
    the_end_of_a_partition_depends_on_the_isolation_level,
    plain_data_waits_behind_an_open_transaction,
    a_waiting_fetch_is_woken_by_the_end_of_the_transaction,
];

/// How long a waiting fetch may wait: the time of the act tells whether it did.
const LONG_POLL: Duration = Duration::from_secs(10);

/// A Fetch with isolation_level 1 (read_committed) returns no data from the first offset of the
/// first open transaction on; last_stable_offset is that offset, while high_watermark may be
/// larger.
#[scenario("TXNVIS-001", api = Fetch, versions = 4..)]
async fn committed_data_ends_at_the_first_open_transaction(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    cx.write(&log, &["before"]).await?;
    Producer::new(cx).await?.write(cx, &log, &["open"], 0).await?;
    cx.write(&log, &["behind"]).await?;
    let mut leader = cx.leader(&log).await?;

    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    Committed::of(&body)?.expect(&["before"])?;
    let ends = (partition(&body)?.last_stable_offset, partition(&body)?.high_watermark);
    body.require(ends == (1, 3), "last_stable_offset = 1, high_watermark = 3", || {
        format!("last_stable_offset = {}, high_watermark = {}", ends.0, ends.1)
    })
}

/// A Fetch with isolation_level 0 (read_uncommitted) returns data of open and of aborted
/// transactions, up to the high watermark.
#[scenario("TXNVIS-002", api = Fetch, versions = 4..)]
async fn uncommitted_data_is_there_for_who_wants_it(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    aborted(cx, &log).await?;
    Producer::new(cx).await?.write(cx, &log, &["open"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(cx.fetch(&log, 0)?).await?.expect_ok()?;
    let got = values(&contents(&body)?);
    body.require(got == ["aborted", "open"], "the values aborted and open", || format!("{got:?}"))
}

/// A Fetch with isolation_level 1 (read_committed) still returns the data of aborted transactions,
/// with entries in aborted_transactions (producer_id, first_offset) that cover it.
#[scenario("TXNVIS-003", api = Fetch, versions = 4..)]
async fn aborted_data_comes_with_the_list_that_names_it(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    cx.write(&log, &["before"]).await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["aborted"], 0).await?;
    producer.end(cx, Marker::Abort).await?;
    stable_at(cx, &log, 3).await?;
    cx.write(&log, &["behind"]).await?;
    let mut leader = cx.leader(&log).await?;

    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    let got = Committed::of(&body)?;
    let all = values(&got.contents);
    body.require(all == ["before", "aborted", "behind"], "three records", || format!("{all:?}"))?;
    let named = vec![(producer.id, 1)];
    body.require(got.aborted == named, format!("aborted_transactions = {named:?}"), || {
        format!("{:?}", got.aborted)
    })?;
    got.expect(&["before", "behind"])
}

/// In the answer to a Fetch, aborted_transactions is null for isolation_level 0 and an array, which
/// may be empty, for isolation_level 1.
#[scenario(
    "TXNVIS-004", api = Fetch, versions = 4..,
    vary = ["read_uncommitted", "read_committed", "read_committed, none aborted"],
)]
async fn the_list_of_aborted_transactions_depends_on_the_isolation_level(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    if cx.variant().ends_with("none aborted") {
        cx.write(&log, &["plain"]).await?;
    } else {
        aborted(cx, &log).await?;
    }
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(isolated(cx, &log)?).await?.expect_ok()?;
    let list = partition(&body)?.aborted_transactions.as_ref().map(Vec::len);
    let expected = match cx.variant() {
        "read_uncommitted" => None,
        "read_committed" => Some(1),
        _ => Some(0),
    };
    body.require(list == expected, format!("a list of length {expected:?}"), || format!("{list:?}"))
}

/// In the answer to a Fetch, last_stable_offset is filled in at both isolation levels; it is -1
/// only beside a partition's error.
#[scenario("TXNVIS-005", api = Fetch, versions = 4.., vary = ["read_uncommitted", "read_committed"])]
async fn the_last_stable_offset_is_told_at_both_isolation_levels(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    cx.write(&log, &["before"]).await?;
    Producer::new(cx).await?.write(cx, &log, &["open"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(isolated(cx, &log)?).await?.expect_ok()?;
    let got = partition(&body)?.last_stable_offset;
    body.require(got == 1, "last_stable_offset = 1", || got.to_string())
}

/// An open transaction holds back the last stable offset: a transaction that began later on the
/// same partition and was committed becomes visible only when the earlier one ends.
#[scenario("TXNVIS-008", api = Fetch, versions = 4..)]
async fn an_open_transaction_holds_back_a_later_one(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let (mut earlier, mut later) = (Producer::new(cx).await?, Producer::new(cx).await?);
    earlier.write(cx, &log, &["earlier"], 0).await?;
    later.write(cx, &log, &["later"], 0).await?;
    later.end(cx, Marker::Commit).await?;
    let mut leader = cx.leader(&log).await?;
    marker_at(cx, &mut leader, &log, 2).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    Committed::of(&body)?.expect(&[])?;

    earlier.end(cx, Marker::Commit).await?;
    stable_at(cx, &log, 4).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    Committed::of(&body)?.expect(&["earlier", "later"])
}

/// ListOffsets with timestamp -1 gives the last stable offset for isolation_level 1 and the high
/// watermark for isolation_level 0.
#[scenario(
    "TXNVIS-009", api = ListOffsets, versions = 2..,
    vary = ["read_uncommitted", "read_committed"],
)]
async fn the_end_of_a_partition_depends_on_the_isolation_level(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    cx.write(&log, &["before"]).await?;
    Producer::new(cx).await?.write(cx, &log, &["open", "open"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    let (request, end) = match cx.variant() {
        "read_committed" => (stable_end(&log), 1),
        _ => (requests::list_offsets(&log, -1), 3),
    };
    let body = leader.ask(request).await?.expect_ok()?;
    let got = body.at("topics[0].partitions[0].offset")?;
    body.require(got == Value::Int(end), format!("offset = {end}"), || got.to_string())
}

/// Data that belongs to no transaction, behind an open transaction, is hidden from a Fetch with
/// isolation_level 1 until that transaction ends.
#[scenario("TXNVIS-010", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn plain_data_waits_behind_an_open_transaction(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    cx.write(&log, &["plain"]).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    Committed::of(&body)?.expect(&[])?;

    producer.end(cx, crate::producer::decision(cx)?).await?;
    stable_at(cx, &log, 3).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    let both: &[&str] = if cx.variant() == "commit" { &["open", "plain"] } else { &["plain"] };
    Committed::of(&body)?.expect(both)
}

/// A Fetch with isolation_level 1 and min_bytes 1 that waits at the last stable offset is answered
/// when a marker moves it on, without waiting for the rest of max_wait_ms.
#[scenario("TXNVIS-011", api = Fetch, versions = 4..)]
async fn a_waiting_fetch_is_woken_by_the_end_of_the_transaction(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["awaited"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    let wait = i32::try_from(LONG_POLL.as_millis()).unwrap_or(i32::MAX);
    let fetch = committed(cx, &log, 0)?.with_max_wait_ms(wait).with_min_bytes(1);
    let waiting = leader.tell(fetch).await?;

    producer.end(cx, Marker::Commit).await?;
    let body = leader.answer(waiting).await?.expect_ok()?;
    Committed::of(&body)?.expect(&["awaited"])?;
    body.require(body.took() < LONG_POLL / 2, "an answer long before max_wait_ms", || {
        format!("one after {} ms", body.took().as_millis())
    })
}

/// A fetch from offset 0 at the isolation level that the variant begins with.
fn isolated(cx: &Cx, log: &Partition) -> Result<FetchRequest, Failure> {
    let committed = cx.variant().starts_with("read_committed");
    Ok(cx.fetch(log, 0)?.with_isolation_level(committed.into()))
}

/// Set-up: an aborted transaction of one record at offset 0, its marker at offset 1.
async fn aborted(cx: &Cx, log: &Partition) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, log, &["aborted"], 0).await?;
    producer.end(cx, Marker::Abort).await?;
    stable_at(cx, log, 2).await
}

/// Set-up: waits for a marker at this offset, where no last stable offset tells of it.
async fn marker_at(cx: &Cx, leader: &mut Conn, log: &Partition, offset: i64) -> Outcome {
    let mut tries = cx.tries(format!("a marker at offset {offset}"), LONG_POLL);
    loop {
        let body = leader.ask(cx.fetch(log, offset)?).await?.ok()?;
        if contents(&body)?.batches().any(|batch| batch.control && batch.base_offset == offset) {
            return Ok(());
        }
        tries.again("none").await?;
    }
}
