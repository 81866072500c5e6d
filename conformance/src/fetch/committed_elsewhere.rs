//! Fetch (1): committed records from brokers other than the one that wrote them: a follower
//! (KIP-392, version 11), and a leader that took the partition over.
//!
//! Which transactions were aborted is kept beside the log, and has to get to every replica.

use kconform_scenario::prelude::*;

use super::answers::expect_offsets;
use super::followers::{another, follower, replicated};
use super::isolation::{listed_as_aborted, mark_and_stable};
use crate::transaction::Transaction;

scenarios![a_follower_knows_the_transactions, a_new_leader_knows_the_transactions,];

/// How long a replica may take to learn what it has not been told yet.
const LEARNT_WITHIN: Duration = Duration::from_secs(10);

/// A follower serves isolation_level 1 as the leader does: records below the last stable offset,
/// with the list of the aborted transactions.
#[scenario("FETCH-087", api = Fetch, versions = 11.., needs = [ThreeBrokers])]
async fn a_follower_knows_the_transactions(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    let mut open = Transaction::open(cx, &from).await?;
    let aborted = ended_and_open(cx, &from, &mut open).await?;
    let mut conn = follower(cx, &from).await?;
    let mut tries = cx.tries("the follower to have all that is written", LEARNT_WITHIN);
    loop {
        let request = cx.fetch(&from, 0)?.with_isolation_level(1);
        let body = conn.ask(request).await?.expect_ok()?;
        let ends = mark_and_stable(&body, &from)?;
        if ends.0 < 4 {
            tries.expect(format!("high watermark {}", ends.0)).await?;
            continue;
        }
        body.require(ends == (4, 2), "high_watermark 4, last_stable_offset 2", || {
            format!("{ends:?}")
        })?;
        expect_offsets(&body, &from, &[0, 1])?;
        let got = listed_as_aborted(&body, &from)?;
        body.require(got == [(aborted, 0)], format!("{aborted} aborted from 0 on"), || {
            format!("{got:?}")
        })?;
        return open.end(cx, false, 5).await;
    }
}

/// After a partition has moved to another broker, the new leader lists the aborted transactions in
/// aborted_transactions, and keeps last_stable_offset before a transaction that is still open.
#[scenario("FETCH-088", api = Fetch, versions = 4.., needs = [ThreeBrokers])]
async fn a_new_leader_knows_the_transactions(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let mut open = Transaction::open(cx, &from).await?;
    let aborted = ended_and_open(cx, &from, &mut open).await?;
    let from = cx.move_to(&from, another(cx, from.leader)?).await?;
    cx.write(&from, &["behind"]).await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_isolation_level(1);
    let body = leader.ask(request).await?.expect_ok()?;
    let ends = mark_and_stable(&body, &from)?;
    body.require(ends == (5, 2), "high_watermark 5, last_stable_offset 2", || format!("{ends:?}"))?;
    expect_offsets(&body, &from, &[0, 1])?;
    let got = listed_as_aborted(&body, &from)?;
    body.require(got == [(aborted, 0)], format!("{aborted} aborted from 0 on"), || {
        format!("{got:?}")
    })?;
    open.to = from;
    open.end(cx, false, 6).await
}

/// Four offsets: an aborted record and its marker, a record of the open transaction, and one of
/// nobody's. Gives the producer id of the first.
async fn ended_and_open(cx: &Cx, to: &Partition, open: &mut Transaction) -> Result<i64, Failure> {
    let mut aborted = Transaction::open(cx, to).await?;
    aborted.write(cx, "aborted").await?;
    aborted.end(cx, false, 2).await?;
    open.write(cx, "open").await?;
    cx.write(to, &["plain"]).await?;
    Ok(aborted.producer.id)
}
