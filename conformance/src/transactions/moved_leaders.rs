//! What survives when a leader moves to another broker (three brokers): the state of producers and of their
//! transactions.

use kconform_scenario::LEADER_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::consumer::{Committed, committed};
use super::leaders::move_leader;
use super::writer::Writer;
use crate::producer::{PRODUCED, Producer, expect_base_offset, stable_at};

scenarios![a_new_leader_knows_the_producers, a_new_leader_knows_the_transactions];

/// How long a new leader may take to know what its followers have.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// When the leader of a partition moves, the new leader still answers each of the last five batches
/// of a producer with error 0 and its original offset and the sixth last with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), refuses a gap with 45 and takes the next sequence number;
/// nothing is appended twice. After a restart of the only replica just the last batch of each
/// producer is known and older ones get 45, since the snapshot keeps one batch.
#[scenario("IDEMP-016", api = Produce, versions = 3.., needs = [ThreeBrokers], slow)]
async fn a_new_leader_knows_the_producers(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut writer = Writer::to(cx, topic.partition(0)).await?;
    writer.singles(cx, 6).await?;
    writer.to = move_leader(cx, &writer.to).await?;
    writer.leader = cx.leader(&writer.to).await?;

    let fifth_last = cx.produce(&writer.to, writer.batch(cx, &["single"], 1).encode())?;
    let body = cx.settle(&mut writer.leader, &fifth_last, LEADER_ON_ITS_WAY).await?.expect_ok()?;
    expect_base_offset(&body, 1)?;
    let body = writer.send(cx, &writer.batch(cx, &["single"], 5)).await?.expect_ok()?;
    expect_base_offset(&body, 5)?;
    for refused in [0, 7] {
        let reply = writer.send(cx, &writer.batch(cx, &["single"], refused)).await?;
        reply.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    }
    let body = writer.send(cx, &writer.batch(cx, &["next"], 6)).await?.expect_ok()?;
    expect_base_offset(&body, 6)
}

/// A new leader knows the transactions of its partition: when the leader moves, a Fetch with
/// isolation_level 1 (read_committed) is still given the aborted ones in aborted_transactions and
/// nothing from the first open one on.
#[scenario("TXNVIS-016", api = Fetch, versions = 4.., needs = [ThreeBrokers], slow)]
async fn a_new_leader_knows_the_transactions(cx: &mut Cx) -> Outcome {
    let log = cx.topic().await?.partition(0);
    let (mut aborted, mut open) = (Producer::new(cx).await?, Producer::new(cx).await?);
    aborted.write(cx, &log, &["rolled back"], 0).await?;
    aborted.end(cx, Marker::Abort).await?;
    stable_at(cx, &log, 2).await?;
    cx.write(&log, &["plain"]).await?;
    open.write(cx, &log, &["undecided"], 0).await?;
    let log = move_leader(cx, &log).await?;

    let mut leader = cx.leader(&log).await?;
    let fetch = committed(cx, &log, 0)?;
    let mut tries = cx.tries("all that is committed from the new leader", READY_WITHIN);
    loop {
        let body = cx.settle(&mut leader, &fetch, LEADER_ON_ITS_WAY).await?.expect_ok()?;
        let got = Committed::of(&body)?;
        // It learns the high watermark from its followers; what it delivers before must be right too.
        if got.delivered.is_empty() && got.contents.next_offset().unwrap_or(0) < 3 {
            tries.expect("less").await?;
            continue;
        }
        let expected = [(aborted.id, 0)];
        body.require(
            got.aborted == expected,
            format!("aborted_transactions {expected:?}"),
            || format!("{:?}", got.aborted),
        )?;
        return got.expect(&["plain"]);
    }
}
