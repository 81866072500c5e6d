//! ListOffsets (2) of a leader that has just come into office and does not know how far the log is confirmed (KIP-207).
//!
//! The moment lasts where the partition has fewer replicas in sync than min.insync.replicas asks for: then the high
//! watermark stays where it was, below what the new leader holds (KAFKA-15583, since 3.7).

use kafka_protocol::messages::BrokerId;
use kconform_scenario::LEADER_ON_ITS_WAY;
use kconform_scenario::prelude::*;

use super::answers::{END, START};
use crate::in_sync::{Short, write};
use crate::transactions::leaders::move_leader;

scenarios![a_new_leader_does_not_know_the_end];

/// Where the answer for one partition has its code and its offset.
const ERROR: &str = "topics[0].partitions[0].error_code";
const OFFSET: &str = "topics[0].partitions[0].offset";
/// A time that no record has yet, an hour from now.
const AN_HOUR_MS: i64 = 3_600_000;
/// How long the replicas may take to confirm the end to each other.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);

/// A new leader whose high watermark lies below the start of its epoch does not know yet where the
/// log ends: a request for the end (timestamp -1), and one for a time that finds nothing below the
/// high watermark, is refused with OFFSET_NOT_AVAILABLE (78), in v1 to v4 with LEADER_NOT_AVAILABLE
/// (5); one for the start (-2) is answered. Once the high watermark has passed the start of the
/// epoch the end is told.
#[scenario(
    "LISTOFF-022", api = ListOffsets, versions = 1..,
    needs = [ThreeBrokers, Disruption, Since(3, 7)], slow,
)]
async fn a_new_leader_does_not_know_the_end(cx: &mut Cx) -> Outcome {
    let short = Short::new(cx, 2).await?;
    let moved = short.over(cx, ask(cx, &short).await).await?;

    let mut leader = cx.leader(&moved).await?;
    let mut tries = cx.tries("the end of the log", KNOWN_WITHIN);
    loop {
        let reply = leader.ask(requests::list_offsets(&moved, END)).await?;
        match reply.errors()?.iter().find(|(_, code)| *code != Code::NONE) {
            Some((_, code)) => tries.expect(code).await?,
            None => return reply.expect_ok()?.expect_number(OFFSET, short.end + 1),
        }
    }
}

/// The act, while the new leader does not know; gives the partition as it is led now.
async fn ask(cx: &Cx, short: &Short) -> Result<Partition, Failure> {
    write(cx, &short.to, "not confirmed", 1).await?.ok()?;
    replicated(cx, short).await?;
    let moved = move_leader(cx, &short.to).await?;
    let mut leader = cx.leader(&moved).await?;
    let start = requests::list_offsets(&moved, START);
    let version = cx.newest(keys::ListOffsets)?;
    // In office once it answers this.
    cx.settle_at(&mut leader, version, &start, LEADER_ON_ITS_WAY).await?.ok()?;
    // KIP-207: older clients do not know the code.
    let refusal = if cx.version() < 5 { LeaderNotAvailable } else { OffsetNotAvailable };
    for asked in [END, cx.wall_ms() + AN_HOUR_MS] {
        let reply = leader.ask(requests::list_offsets(&moved, asked)).await?;
        reply.expect_error_at(ERROR, refusal)?;
    }
    leader.ask(start).await?.expect_ok()?.expect_number(OFFSET, 0)?;
    Ok(moved)
}

/// Waits until every replica in sync has the record, however far it is confirmed: a debugging client (-2) sees the end of a
/// replica's own log.
async fn replicated(cx: &Cx, short: &Short) -> Outcome {
    let request = requests::list_offsets(&short.to, END).with_replica_id(BrokerId(-2));
    let mut tries = cx.tries("the replicas in sync to have the record", KNOWN_WITHIN);
    for broker in &short.in_sync {
        let mut conn = cx.connect_broker(*broker).await?;
        loop {
            let body = conn.ask_newest(request.clone()).await?.ok()?;
            let found = body.topics.first().and_then(|topic| topic.partitions.first());
            match found.map(|partition| partition.offset) {
                Some(end) if end > short.end => break,
                other => tries.again(format!("an end of {other:?} at broker {broker}")).await?,
            }
        }
    }
    Ok(())
}
