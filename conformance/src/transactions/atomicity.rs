//! What consumers of committed data get to see of transactions that reach further: several producers, several
//! partitions, fetches that begin in their middle.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::consumer::{Committed, committed, partition, read_committed};
use crate::producer::{Producer, decision, stable_at};

scenarios![
    a_fetch_from_the_middle_lists_the_aborted_transaction,
    all_partitions_share_the_fate_of_the_transaction,
    a_partition_without_records_gets_a_marker,
    the_list_of_aborted_transactions_is_complete,
];

/// A Fetch with isolation_level 1 (read_committed) from an offset in the middle of an aborted
/// transaction, up to that of its marker, lists the transaction in aborted_transactions with its
/// first offset, though that lies before the fetch; one from behind the marker does not list it.
#[scenario(
    "TXNVIS-012", api = Fetch, versions = 4.., vary = ["second record", "marker", "behind the marker"],
)]
async fn a_fetch_from_the_middle_lists_the_aborted_transaction(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["aborted"], 0).await?;
    producer.write(cx, &log, &["aborted"], 1).await?;
    producer.end(cx, Marker::Abort).await?;
    stable_at(cx, &log, 3).await?;
    cx.write(&log, &["behind"]).await?;
    let from = match cx.variant() {
        "second record" => 1,
        "marker" => 2,
        _ => 3,
    };
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(committed(cx, &log, from)?).await?.expect_ok()?;
    let got = Committed::of(&body)?;
    let expected = if from < 3 { vec![(producer.id, 0)] } else { Vec::new() };
    body.require(got.aborted == expected, format!("aborted_transactions = {expected:?}"), || {
        format!("{:?}", got.aborted)
    })?;
    got.expect(&["behind"])
}

/// A transaction is atomic over several partitions, whoever leads them: committed, its records are
/// delivered from all of them, aborted, from none.
#[scenario("TXNVIS-013", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn all_partitions_share_the_fate_of_the_transaction(cx: &mut Cx) -> Outcome {
    // Led by as many brokers as there are.
    let topic = cx.topic_with(TopicSpec::default().partitions(3)).await?;
    let logs = [topic.partition(0), topic.partition(1), topic.partition(2)];
    let mut producer = Producer::new(cx).await?;
    for log in &logs {
        producer.write(cx, log, &["all or none"], 0).await?;
    }
    producer.end(cx, decision(cx)?).await?;
    let visible: &[&str] = if cx.variant() == "commit" { &["all or none"] } else { &[] };
    for log in &logs {
        stable_at(cx, log, 2).await?;
        let mut leader = cx.leader(log).await?;
        let body = leader.ask(committed(cx, log, 0)?).await?.expect_ok()?;
        Committed::of(&body)?.expect(visible)?;
    }
    Ok(())
}

/// A partition that was added to a transaction but never written gets a marker all the same, which
/// takes an offset; last_stable_offset is the end of the log, and an abort leaves no entry in
/// aborted_transactions.
#[scenario("TXNVIS-014", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn a_partition_without_records_gets_a_marker(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&log]).await?;
    producer.end(cx, decision(cx)?).await?;
    stable_at(cx, &log, 1).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    let got = Committed::of(&body)?;
    let kinds: Vec<_> =
        got.contents.batches().map(|batch| batch.marker().map(|marker| marker.kind)).collect();
    let expected = vec![Some(decision(cx)?)];
    body.require(kinds == expected, format!("{expected:?}"), || format!("{kinds:?}"))?;
    let ends = (partition(&body)?.last_stable_offset, partition(&body)?.high_watermark);
    body.require(ends == (1, 1), "last_stable_offset and high_watermark = 1", || {
        format!("{ends:?}")
    })?;
    body.require(got.aborted.is_empty(), "no aborted transaction", || format!("{:?}", got.aborted))
}

/// The list aborted_transactions names each aborted transaction that reaches into the range once,
/// those of several producers too, in the order of first_offset where several of one producer are
/// named; a consumer that drops by it delivers every committed record and no aborted one.
#[scenario("TXNVIS-015", api = Fetch, versions = 4..)]
async fn the_list_of_aborted_transactions_is_complete(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let (mut one, mut two) = (Producer::new(cx).await?, Producer::new(cx).await?);
    // Offsets: 0 and 1 are the two first records, 2 ends the second, 3 the first; then alternating ends of the first.
    one.write(cx, &log, &["dropped"], 0).await?;
    two.write(cx, &log, &["dropped"], 0).await?;
    two.end(cx, Marker::Abort).await?;
    one.end(cx, Marker::Abort).await?;
    stable_at(cx, &log, 4).await?;
    for (sequence, end, value) in
        [(1, Marker::Commit, "kept"), (2, Marker::Abort, "dropped"), (3, Marker::Abort, "dropped")]
    {
        let at = one.write(cx, &log, &[value], sequence).await?;
        one.end(cx, end).await?;
        stable_at(cx, &log, at + 2).await?;
    }
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(committed(cx, &log, 0)?).await?.expect_ok()?;
    let got = Committed::of(&body)?;
    let firsts = |id| -> Vec<i64> {
        got.aborted.iter().filter(|(of, _)| *of == id).map(|(_, first)| *first).collect()
    };
    let named = (firsts(one.id), firsts(two.id), got.aborted.len());
    let expected = (vec![0, 6, 8], vec![1], 4);
    body.require(named == expected, format!("{expected:?}"), || format!("{:?}", got.aborted))?;
    got.expect(&["kept"])?;
    read_committed(cx, &log).await?.expect(&["kept"])
}
