//! LeaveGroup (13): members that leave, and members that somebody else removes.
//!
//! Version 3 brought lists of members and instance ids (KIP-345), version 5 the reason (KIP-800).
//! Before version 3 the member's own error stands at the top of the answer.

use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, LeaveGroupRequest, LeaveGroupResponse,
};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

use super::members::{
    GRACE, LEAVING_TOGETHER, MEMBER_ID_FIRST, Member, coordinator, identity, join, join_static,
    leave,
};

scenarios![
    a_member_leaves,
    an_unknown_member_cannot_leave,
    each_member_gets_an_answer_of_its_own,
    nobody_leaves_an_unknown_group,
    an_operator_removes_a_static_member,
    an_identity_that_fits_nobody_is_unknown,
    the_wrong_id_for_an_instance_is_fenced,
    an_id_that_was_never_used_can_leave,
    the_others_hear_of_it,
    the_last_member_leaves_an_empty_group,
    a_member_that_waits_to_join_is_told,
    an_empty_group_id_is_refused,
];

/// The answer has error 0 at the top and these entries in any order: member id, instance id, code.
#[track_caller]
fn expect_entries<const N: usize>(
    body: &Body<LeaveGroupResponse>,
    mut expected: [(&str, Option<&str>, Code); N],
) -> Outcome {
    let mut seen: Vec<_> = body
        .members
        .iter()
        .map(|member| {
            (&*member.member_id, member.group_instance_id.as_deref(), Code(member.error_code))
        })
        .collect();
    seen.sort_unstable();
    expected.sort_unstable();
    body.require(
        body.error_code == 0 && seen == expected,
        format!("error 0 and {expected:?}"),
        || format!("error {} and {seen:?}", body.error_code),
    )
}

/// A LeaveGroup of these members; they are not checked against the version.
fn leave_all(group: &str, members: &[(&str, Option<&str>)]) -> LeaveGroupRequest {
    let members = members.iter().map(|(id, instance)| identity(id, *instance));
    LeaveGroupRequest::default().with_group_id(GroupId(text(group))).with_members(members.collect())
}

/// Up to version 2 a member that leaves is answered with error 0 at the top; a member that the
/// group does not know, and any member of a group that does not exist, with UNKNOWN_MEMBER_ID (25)
/// at the top.
#[scenario("LEAVEGROUP-001", api = LeaveGroup, versions = 0..=2)]
async fn a_member_leaves(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    member.conn.ask(member.leave(cx)?).await?.expect_ok()?;
    member.conn.ask(member.heartbeat()).await?.expect_error(UnknownMemberId)
}

/// Up to version 2 a member that leaves is answered with error 0 at the top; a member that the
/// group does not know, and any member of a group that does not exist, with UNKNOWN_MEMBER_ID (25)
/// at the top.
#[scenario(
    "LEAVEGROUP-001",
    api = LeaveGroup,
    versions = 0..=2,
    vary = ["unknown member", "unknown group"]
)]
async fn an_unknown_member_cannot_leave(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    if cx.variant() == "unknown member" {
        Member::alone(cx, &group).await?;
    }
    let mut conn = coordinator(cx, &group).await?;
    conn.ask(leave(cx, &group, "whoever")?).await?.expect_error(UnknownMemberId)
}

/// From version 3 on LeaveGroup takes a list of members; the answer has error 0 at the top and one
/// entry for each of them, which repeats its member id and instance id and has an error of its own.
#[scenario("LEAVEGROUP-002", api = LeaveGroup, versions = 3..)]
async fn each_member_gets_an_answer_of_its_own(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, follower) =
        Member::pair_as(cx, join(cx, &group)?, join_static(cx, &group, "instance")?).await?;
    let request = leave_all(
        &group,
        &[(&follower.id, Some("instance")), ("whoever", None), (&leader.id, None)],
    );
    let body = leader.conn.ask(request).await?.expect_answer()?;
    let expected = [
        (&*follower.id, Some("instance"), Code::NONE),
        ("whoever", None, UnknownMemberId.into()),
        (&*leader.id, None, Code::NONE),
    ];
    expect_entries(&body, expected)
}

/// From version 3 on LeaveGroup for a group that does not exist is answered with error 0 at the top
/// and UNKNOWN_MEMBER_ID (25) in every entry, each repeating its member id and instance id.
#[scenario("LEAVEGROUP-003", api = LeaveGroup, versions = 3..)]
async fn nobody_leaves_an_unknown_group(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let request = leave_all(&group, &[("first", None), ("second", Some("instance"))]);
    let body = conn.ask(request).await?.expect_answer()?;
    let unknown = UnknownMemberId.into();
    expect_entries(&body, [("first", None, unknown), ("second", Some("instance"), unknown)])
}

/// From version 3 on an entry with an empty member id and the instance id of a static member
/// removes that member, with error 0: so an operator removes one that is gone.
#[scenario("LEAVEGROUP-004", api = LeaveGroup, versions = 3..)]
async fn an_operator_removes_a_static_member(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let mut operator = coordinator(cx, &group).await?;
    operator.ask(leave_all(&group, &[("", Some("instance"))])).await?.expect_ok()?;
    member.conn.ask(member.heartbeat()).await?.expect_error(UnknownMemberId)
}

/// From version 3 on an entry that fits nobody is answered with UNKNOWN_MEMBER_ID (25): an empty
/// member id with no instance id or with one that the group does not know, and likewise a known
/// member id with an instance id that the group does not know.
#[scenario(
    "LEAVEGROUP-005",
    api = LeaveGroup,
    versions = 3..,
    vary = ["neither", "unknown instance", "known member, unknown instance"]
)]
async fn an_identity_that_fits_nobody_is_unknown(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    let entry = match cx.variant() {
        "neither" => ("", None),
        "unknown instance" => ("", Some("nobody")),
        _ => (&*member.id, Some("nobody")),
    };
    let reply = member.conn.ask(leave_all(&group, &[entry])).await?;
    reply.expect_error_at("members[0].error_code", UnknownMemberId)?;
    member.conn.ask(member.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// From version 3 on an entry with a known instance id and a member id other than its own, unknown
/// or another member's, is answered with FENCED_INSTANCE_ID (82), and the member stays.
#[scenario("LEAVEGROUP-006", api = LeaveGroup, versions = 3.., vary = ["unknown", "another's"])]
async fn the_wrong_id_for_an_instance_is_fenced(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (leader, mut member) =
        Member::pair_as(cx, join(cx, &group)?, join_static(cx, &group, "instance")?).await?;
    let id = if cx.variant() == "unknown" { "whoever" } else { &*leader.id };
    let reply = member.conn.ask(leave_all(&group, &[(id, Some("instance"))])).await?;
    reply.expect_error_at("members[0].error_code", FencedInstanceId)?;
    member.conn.ask(member.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A member id that MEMBER_ID_REQUIRED (79) handed out and that has not joined yet can leave, with
/// error 0; a JoinGroup with it is then refused with UNKNOWN_MEMBER_ID (25).
#[scenario("LEAVEGROUP-007", api = LeaveGroup, needs = [Api(keys::JoinGroup, MEMBER_ID_FIRST)])]
async fn an_id_that_was_never_used_can_leave(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let request = join(cx, &group)?;
    let given = conn.ask(request.clone()).await?.answered()?.member_id.clone();
    conn.ask(leave(cx, &group, &given)?).await?.expect_ok()?;
    conn.ask(request.with_member_id(given)).await?.expect_error(UnknownMemberId)
}

/// After a member left a stable group, the heartbeats of the others are answered with
/// REBALANCE_IN_PROGRESS (27); when it was the last, the group is empty at once, and DeleteGroups
/// succeeds.
#[scenario("LEAVEGROUP-008", api = LeaveGroup)]
async fn the_others_hear_of_it(cx: &mut Cx) -> Outcome {
    let (mut leader, mut follower) = Member::pair(cx, &cx.group()).await?;
    follower.conn.ask(follower.leave(cx)?).await?.expect_ok()?;
    let mut tries = cx.tries("REBALANCE_IN_PROGRESS for the leader", GRACE);
    loop {
        let seen = Code(leader.conn.ask(leader.heartbeat()).await?.expect_answer()?.error_code);
        if seen == RebalanceInProgress.into() {
            return Ok(());
        }
        tries.expect(seen).await?;
    }
}

/// After a member left a stable group, the heartbeats of the others are answered with
/// REBALANCE_IN_PROGRESS (27); when it was the last, the group is empty at once, and DeleteGroups
/// succeeds.
#[scenario("LEAVEGROUP-008", api = LeaveGroup)]
async fn the_last_member_leaves_an_empty_group(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    member.conn.ask(member.leave(cx)?).await?.expect_ok()?;
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(&group))]);
    member.conn.ask(delete).await?.expect_ok()?;
    Ok(())
}

/// A member whose JoinGroup waits for the end of a rebalance, and that another connection removes,
/// gets its JoinGroup answered with UNKNOWN_MEMBER_ID (25).
#[scenario("LEAVEGROUP-009", api = LeaveGroup)]
async fn a_member_that_waits_to_join_is_told(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) = Member::pair(cx, &group).await?;
    // The leader that joins again waits for the follower.
    let waiting = leader.conn.tell(leader.joined.clone()).await?;
    follower.sees(cx, RebalanceInProgress).await?;
    follower.conn.ask(leader.leave(cx)?).await?.expect_ok()?;
    leader.conn.answer(waiting).await?.expect_error(UnknownMemberId)
}

/// LeaveGroup with an empty group id is refused with INVALID_GROUP_ID (24), from version 3 on at
/// the top and with an empty members list.
#[scenario("LEAVEGROUP-010", api = LeaveGroup)]
async fn an_empty_group_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut conn = coordinator(cx, "").await?;
    let reply = conn.ask(leave(cx, "", "whoever")?).await?;
    reply.clone().expect_error_at("error_code", InvalidGroupId)?;
    let body = reply.expect_answer()?;
    body.require(
        cx.version() < LEAVING_TOGETHER || body.members.is_empty(),
        "no members in the answer",
        || format!("{} members", body.members.len()),
    )
}
