//! Fetch (1) after the only broker was killed and started again: what was stored is as it was, and what was kept in memory
//! is gone.

use bytes::Bytes;
use kafka_protocol::messages::FetchResponse;
use kconform_scenario::LEADER_ON_ITS_WAY;
use kconform_scenario::prelude::*;

use crate::offsets::leader_epochs::expect_end;
use crate::restarts::{End, restart};

scenarios![a_restart_changes_no_batch];

/// Where the answer to one partition's Produce says at which offset it is.
const BASE_OFFSET: &str = "responses[0].partition_responses[0].base_offset";

/// Restarting the broker changes neither offsets, bytes nor timestamps of stored batches; a
/// duplicate of the last idempotent batch is still recognised; OffsetForLeaderEpoch of the epoch
/// from before ends at the restart. The leader epoch goes up, but for a broker that died and came
/// back within its session where eligible.leader.replicas.version is not finalized (up to 3.9):
/// there it may stay.
#[scenario(
    "BATCH-017", also = ["FETCH-049"], api = OffsetForLeaderEpoch, versions = 2..,
    vary = ["killed", "stopped"], needs = [Shape("mortal-alone"), Restart], exclusive, slow,
)]
async fn a_restart_changes_no_batch(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let log = topic.partition(0);
    let mut leader = cx.leader(&log).await?;
    let (id, epoch) = cx.producer_id(&mut leader, None).await?;
    cx.append(&log, cx.batch(&["a", "b"]).idempotent(id, epoch, 0).encode()).await?;
    let last = cx.batch(&["c"]).idempotent(id, epoch, 2).encode();
    cx.append(&log, last.clone()).await?;
    let all = requests::fetch(cx.newest(keys::Fetch)?, &log, 0);
    let full = leader.ask_newest(all.clone().with_session_epoch(0)).await?.ok()?;
    let (session, stored, before) = (full.session_id, bytes(&full), cx.leadership(&log).await?);
    let end = if cx.variant() == "killed" { End::Kill } else { End::Stop };
    restart(cx, end, &topic).await?;

    let mut leader = cx.leader(&log).await?;
    let next = all.clone().with_session_id(session).with_session_epoch(1).with_topics(Vec::new());
    if session > 0 {
        leader.ask_newest(next).await?.expect_error_at("error_code", FetchSessionIdNotFound)?;
    }
    let body = leader.ask_newest(all).await?.expect_ok()?;
    let found = bytes(&body);
    body.require(!stored.is_empty() && found == stored, "the bytes from before", || {
        format!("{} bytes, {} of which were written", found.len(), stored.len())
    })?;
    let version = cx.newest(keys::Produce)?;
    let again = requests::produce(version, &log, last);
    let body = cx.settle_at(&mut leader, version, &again, LEADER_ON_ITS_WAY).await?.expect_ok()?;
    body.expect_number(BASE_OFFSET, 2)?;
    let after = cx.leadership(&log).await?.epoch;
    // KIP-966: only then does the controller take a broker that died for out of sync.
    let noticed = cx.facts().feature("eligible.leader.replicas.version") >= 1;
    let least = before.epoch + i32::from(end == End::Stop || noticed);
    require(after >= least, &format!("a leader epoch of {least} or more"), || after.to_string())?;
    expect_end(cx, &mut leader, &log, before.epoch, (before.epoch, 3)).await
}

/// The record bytes of the only partition of the answer.
fn bytes(body: &FetchResponse) -> Bytes {
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    found.and_then(|partition| partition.records.clone()).unwrap_or_default()
}
