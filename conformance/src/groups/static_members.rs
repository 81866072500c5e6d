//! JoinGroup (11) of static members (KIP-345): a restart under the same instance id keeps the place
//! in the group.
//!
//! Version 5 brought instance ids, version 9 `skip_assignment` (KIP-814), which lets a restarted
//! leader see the members.

use kconform_scenario::prelude::*;

use super::members::{Member, coordinator, join, join_static};
use crate::commits::offsets::Commit;

scenarios![
    the_leader_sees_instance_ids,
    a_restarted_leader_is_told_the_members,
    a_restarted_leader_of_an_old_version_does_not_lead,
    a_restarted_follower_keeps_its_assignment,
    a_restart_in_the_middle_of_a_rebalance_starts_a_new_one,
    the_predecessor_is_fenced,
    an_unknown_instance_id_with_a_member_id_is_refused,
];

/// In the leader's members list, group_instance_id is the instance id of a static member and null
/// for a dynamic one.
#[scenario("JOINGROUP-028", api = JoinGroup, versions = 5..)]
async fn the_leader_sees_instance_ids(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut leader = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let joining = leader.disturb(cx, join(cx, &group)?).await?;
    let led = leader.rejoin().await?.expect_ok()?;
    let (reply, ..) = joining.reply().await?;
    let dynamic = reply.ok()?.member_id.clone();
    let mut seen: Vec<_> = led
        .members
        .iter()
        .map(|member| (&*member.member_id, member.group_instance_id.as_deref()))
        .collect();
    let mut expected = [(&*leader.id, Some("instance")), (&*dynamic, None)];
    seen.sort_unstable();
    expected.sort_unstable();
    led.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// A static leader of a stable group that joins again with an empty member id is answered with
/// error 0, the same generation, a new member id which is the leader's too, skip_assignment true
/// and the whole members list, and no rebalance starts.
#[scenario("JOINGROUP-029", api = JoinGroup, versions = 9..)]
async fn a_restarted_leader_is_told_the_members(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut leader = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let body = leader.conn.ask(join_static(cx, &group, "instance")?).await?.expect_ok()?;
    body.require(
        *body.member_id != *leader.id && body.leader == body.member_id,
        "a new member id, which leads",
        || format!("member {}, leader {}, formerly {}", body.member_id, body.leader, leader.id),
    )?;
    let listed: Vec<_> = body.members.iter().map(|member| &member.member_id).collect();
    body.require(
        body.generation_id == leader.generation
            && body.skip_assignment
            && listed == [&body.member_id],
        format!("generation {}, skip_assignment, the new id as member", leader.generation),
        || format!("generation {}, {}, {listed:?}", body.generation_id, body.skip_assignment),
    )
}

/// Below version 9 a static leader of a stable group that joins again with an empty member id is
/// answered with error 0, the same generation, a new member id, an empty members list and the old
/// member id as the leader's, so that it does not act as leader; no rebalance starts.
#[scenario("JOINGROUP-030", api = JoinGroup, versions = 5..=8)]
async fn a_restarted_leader_of_an_old_version_does_not_lead(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut leader = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let body = leader.conn.ask(join_static(cx, &group, "instance")?).await?.expect_ok()?;
    body.require(
        *body.member_id != *leader.id && *body.leader == *leader.id,
        format!("a new member id, and {} as leader", leader.id),
        || format!("member {}, leader {}", body.member_id, body.leader),
    )?;
    body.require(
        body.generation_id == leader.generation && body.members.is_empty(),
        format!("generation {}, no members", leader.generation),
        || format!("generation {}, {} members", body.generation_id, body.members.len()),
    )
}

/// A static follower of a stable group that joins again with an empty member id and the same
/// protocols is answered with error 0, the same generation and a new member id; no rebalance
/// starts, and SyncGroup with the new id returns the old assignment.
#[scenario("JOINGROUP-031", api = JoinGroup, versions = 5..)]
async fn a_restarted_follower_keeps_its_assignment(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::pair_as(cx, join(cx, &group)?, join_static(cx, &group, "instance")?).await?;
    let body = follower.conn.ask(join_static(cx, &group, "instance")?).await?.expect_ok()?;
    body.require(
        body.generation_id == leader.generation && *body.member_id != *follower.id,
        format!("generation {} and a new member id", leader.generation),
        || format!("generation {}, member id {}", body.generation_id, body.member_id),
    )?;
    follower.id = body.member_id.to_string();
    let synced = follower.conn.ask(follower.sync(cx, &[])?).await?.expect_ok()?;
    synced.require(synced.assignment == "follower's", "the old assignment", || {
        format!("{:?}", synced.assignment)
    })?;
    leader.conn.ask(leader.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A static member that joins again with an empty member id while the group waits for its
/// assignments (CompletingRebalance) sets off a new rebalance.
#[scenario("JOINGROUP-032", api = JoinGroup, versions = 5..)]
async fn a_restart_in_the_middle_of_a_rebalance_starts_a_new_one(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join_static(cx, &group, "instance")?)
            .await?;
    let before = leader.generation;
    let sent = follower.conn.tell(join_static(cx, &group, "instance")?).await?;
    leader.sees(cx, RebalanceInProgress).await?;
    leader.rejoin().await?.expect_ok()?;
    let body = follower.conn.answer(sent).await?.expect_ok()?;
    let generations = [leader.generation, body.generation_id];
    body.require(
        generations == [before + 1; 2],
        format!("generation {} for both", before + 1),
        || format!("{generations:?}"),
    )
}

/// Once a static member was replaced by another one that joined with its instance id and an empty
/// member id, its old member id with that instance id is refused with FENCED_INSTANCE_ID (82) in
/// JoinGroup, SyncGroup, Heartbeat and OffsetCommit (from version 7 on).
#[scenario(
    "JOINGROUP-033",
    api = JoinGroup,
    versions = 5..,
    vary = ["JoinGroup", "SyncGroup", "Heartbeat", "OffsetCommit"]
)]
async fn the_predecessor_is_fenced(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let partition = cx.partition().await?;
    let mut old = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let mut conn = coordinator(cx, &group).await?;
    conn.ask(join_static(cx, &group, "instance")?).await?.ok()?;
    match cx.variant() {
        "JoinGroup" => old.conn.ask(old.joined.clone()).await?.expect_error(FencedInstanceId),
        "SyncGroup" => {
            let sync = old.sync(cx, &[])?;
            old.conn.ask(sync).await?.expect_error(FencedInstanceId)
        }
        "Heartbeat" => old.conn.ask(old.heartbeat()).await?.expect_error(FencedInstanceId),
        _ => {
            let commit = Commit::by(&old).offset(&partition, 7);
            commit.ask(cx, &mut old.conn).await?.expect_error(FencedInstanceId)
        }
    }
}

/// A JoinGroup with a non-empty member id and an instance id that the group has never seen is
/// refused with UNKNOWN_MEMBER_ID (25), whether that member id is unknown or belongs to a live
/// dynamic member; the answer repeats the member id.
#[scenario("JOINGROUP-035", api = JoinGroup, versions = 5.., vary = ["unknown", "dynamic"])]
async fn an_unknown_instance_id_with_a_member_id_is_refused(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    let id = if cx.variant() == "unknown" { "whoever" } else { &*member.id };
    let request = join_static(cx, &group, "instance")?.with_member_id(text(id));
    let reply = member.conn.ask(request).await?;
    reply.clone().expect_error(UnknownMemberId)?;
    let body = reply.expect_answer()?;
    body.require(*body.member_id == *id, format!("member id {id}"), || {
        format!("{:?}", body.member_id)
    })
}
