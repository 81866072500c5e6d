//! OffsetCommit (8) and the groups themselves after the only broker was killed and started again.

use kconform_scenario::COORDINATOR_ON_ITS_WAY;
use kconform_scenario::prelude::*;

use super::offsets::{Commit, Lookup, Stored, stored};
use crate::groups::members::{Member, coordinator};
use crate::restarts::{End, restart};

scenarios![a_group_outlives_its_coordinator];

/// A committed offset, its metadata and its leader epoch survive the restart of their coordinator;
/// so does a stable group: its members have the same generation, Heartbeat is answered with 0, and
/// SyncGroup with the assignment from before.
#[scenario(
    "OFFCOMMIT-019", api = Heartbeat, needs = [Shape("mortal-alone"), Restart], exclusive, slow,
)]
async fn a_group_outlives_its_coordinator(cx: &mut Cx) -> Outcome {
    let (group, topic) = (cx.group(), cx.topic().await?);
    let of = topic.partition(0);
    let mut member = Member::alone(cx, &group).await?;
    let commit = Commit::by(&member).entry(&of, 42, 5, Some("kept"));
    commit.ask(cx, &mut member.conn).await?.ok()?;
    restart(cx, End::Kill, &topic).await?;

    member.conn = coordinator(cx, &group).await?;
    let beat = member.heartbeat();
    cx.settle(&mut member.conn, &beat, COORDINATOR_ON_ITS_WAY).await?.expect_ok()?;
    let body = member.conn.ask(member.sync(cx, &[])?).await?.expect_ok()?;
    body.require(body.assignment == b"all"[..], "the assignment `all`", || {
        format!("{:?}", body.assignment)
    })?;
    let body = Lookup::of(&group, &[&of]).ask(cx, &mut member.conn).await?.expect_ok()?;
    let version = cx.newest(keys::OffsetFetch)?;
    let (found, kept) = (stored(&body, version, 0, &of)?, Stored::at(version, 42, 5, "kept"));
    body.require(found.as_ref() == Some(&kept), format!("{kept:?}"), || format!("{found:?}"))
}
