//! SyncGroup (14): the leader hands assignments in, every member takes its own out.
//!
//! Version 3 brought instance ids (KIP-345), version 5 protocol type and name (KIP-559). Not
//! covered: members that never send a SyncGroup (KAFKA-12431's timeout), and a coordinator that is
//! still loading.

use kafka_protocol::messages::GroupId;
use kconform_scenario::prelude::*;

use super::members::{
    CONSUMER, Member, RANGE, coordinator, join, join_static, protocol, subscription,
};

scenarios![
    an_unknown_group_knows_no_member,
    an_empty_group_id_is_refused,
    the_member_is_checked_before_the_generation,
    an_absent_protocol_is_refused_first,
    another_protocol_is_refused,
    followers_wait_for_the_leader,
    a_member_left_out_gets_an_empty_assignment,
    assignments_of_a_follower_are_ignored,
    a_stable_group_repeats_its_assignments,
    a_rebalance_refuses_the_present_generation,
    a_new_rebalance_releases_waiting_members,
    the_wrong_id_for_an_instance_is_fenced,
    an_unknown_instance_is_refused,
    the_answer_names_the_protocol,
    bytes_of_any_kind_are_passed_on,
];

/// SyncGroup is refused with UNKNOWN_MEMBER_ID (25) for a group that does not exist, and with
/// INVALID_GROUP_ID (24) for an empty group id.
#[scenario("SYNCGROUP-001", api = SyncGroup)]
async fn an_unknown_group_knows_no_member(cx: &mut Cx) -> Outcome {
    let (mut member, group) = (Member::alone(cx, &cx.group()).await?, cx.group());
    let mut conn = coordinator(cx, &group).await?;
    let request = member.sync(cx, &[])?.with_group_id(GroupId(text(&group)));
    conn.ask(request).await?.expect_error(UnknownMemberId)?;
    member.conn.ask(member.heartbeat()).await?.ok()?;
    Ok(())
}

/// SyncGroup is refused with UNKNOWN_MEMBER_ID (25) for a group that does not exist, and with
/// INVALID_GROUP_ID (24) for an empty group id.
#[scenario("SYNCGROUP-001", api = SyncGroup)]
async fn an_empty_group_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.sync(cx, &[])?.with_group_id(GroupId(text("")));
    member.conn.ask(request).await?.expect_error(InvalidGroupId)
}

/// SyncGroup is refused with UNKNOWN_MEMBER_ID (25) for a member that the group does not know, even
/// if the generation is wrong too, and with ILLEGAL_GENERATION (22) for a known member with another
/// generation than the present one.
#[scenario(
    "SYNCGROUP-002",
    api = SyncGroup,
    vary = ["unknown member", "both wrong", "older", "newer"]
)]
async fn the_member_is_checked_before_the_generation(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let (request, now) = (member.sync(cx, &[])?, member.generation);
    let (request, refusal) = match cx.variant() {
        "unknown member" => (request.with_member_id(text("whoever")), UnknownMemberId),
        "both wrong" => {
            (request.with_member_id(text("whoever")).with_generation_id(now + 1), UnknownMemberId)
        }
        "older" => (request.with_generation_id(now - 1), IllegalGeneration),
        _ => (request.with_generation_id(now + 1), IllegalGeneration),
    };
    member.conn.ask(request).await?.expect_error(refusal)
}

/// From version 5 on a SyncGroup whose protocol_type or protocol_name is null is refused with
/// INCONSISTENT_GROUP_PROTOCOL (23), even if its member and generation are wrong: member, instance
/// id, generation and the comparison of the names are checked after that, in this order.
#[scenario("SYNCGROUP-003", api = SyncGroup, versions = 5.., vary = ["type", "name"])]
async fn an_absent_protocol_is_refused_first(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.sync(cx, &[])?.with_member_id(text("whoever")).with_generation_id(99);
    let request = if cx.variant() == "type" {
        request.with_protocol_type(None)
    } else {
        request.with_protocol_name(None)
    };
    member.conn.ask(request).await?.expect_error(InconsistentGroupProtocol)
}

/// From version 5 on a SyncGroup whose protocol_type or protocol_name is not the group's, the empty
/// string included, is refused with INCONSISTENT_GROUP_PROTOCOL (23); the answer has both null and
/// an empty assignment.
#[scenario(
    "SYNCGROUP-004",
    api = SyncGroup,
    versions = 5..,
    vary = ["other type", "other name", "empty type", "empty name"]
)]
async fn another_protocol_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.sync(cx, &[])?;
    let request = match cx.variant() {
        "other type" => request.with_protocol_type(Some(text("connect"))),
        "other name" => request.with_protocol_name(Some(text("sticky"))),
        "empty type" => request.with_protocol_type(Some(text(""))),
        _ => request.with_protocol_name(Some(text(""))),
    };
    let reply = member.conn.ask(request).await?;
    reply.clone().expect_error(InconsistentGroupProtocol)?;
    let body = reply.expect_answer()?;
    body.require(
        body.protocol_type.is_none() && body.protocol_name.is_none() && body.assignment.is_empty(),
        "both protocol fields null, no assignment",
        || format!("{:?}, {:?}, {:?}", body.protocol_type, body.protocol_name, body.assignment),
    )
}

/// The SyncGroup of a follower is not answered before the leader's has come; then every member gets
/// exactly the bytes that the leader gave for its member id.
#[scenario("SYNCGROUP-005", api = SyncGroup)]
async fn followers_wait_for_the_leader(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let waiting = follower.conn.tell(follower.sync(cx, &[])?).await?;
    follower.conn.expect_silence(Duration::from_millis(100)).await?;

    let assignments = [
        (follower.id.clone(), &b"for the follower"[..]),
        (leader.id.clone(), &b"for the leader"[..]),
    ];
    let led = leader.conn.ask(leader.sync(cx, &assignments)?).await?.expect_ok()?;
    let followed = follower.conn.answer(waiting).await?.expect_ok()?;
    led.require(led.assignment == "for the leader", "the leader's bytes", || {
        format!("{:?}", led.assignment)
    })?;
    followed.require(followed.assignment == "for the follower", "the follower's bytes", || {
        format!("{:?}", followed.assignment)
    })
}

/// A member that the leader's assignments leave out is answered with error 0 and an empty
/// assignment.
#[scenario("SYNCGROUP-006", api = SyncGroup)]
async fn a_member_left_out_gets_an_empty_assignment(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let assignments = [(leader.id.clone(), &b"everything"[..])];
    leader.conn.ask(leader.sync(cx, &assignments)?).await?.ok()?;
    let body = follower.conn.ask(follower.sync(cx, &[])?).await?.expect_ok()?;
    body.require(body.assignment.is_empty(), "an empty assignment", || {
        format!("{:?}", body.assignment)
    })
}

/// Assignments in the SyncGroup of a member that is not the leader are ignored: every member gets
/// what the leader gave it.
#[scenario("SYNCGROUP-008", api = SyncGroup)]
async fn assignments_of_a_follower_are_ignored(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let to_both = |bytes: &'static [u8]| [(leader.id.clone(), bytes), (follower.id.clone(), bytes)];
    let (wrong, right) = (to_both(b"usurped"), to_both(b"given"));
    let waiting = follower.conn.tell(follower.sync(cx, &wrong)?).await?;
    follower.conn.expect_silence(Duration::from_millis(100)).await?;
    let led = leader.conn.ask(leader.sync(cx, &right)?).await?.expect_ok()?;
    let followed = follower.conn.answer(waiting).await?.expect_ok()?;
    let got = [&led.assignment, &followed.assignment];
    led.require(got == ["given"; 2], "what the leader gave, for both", || format!("{got:?}"))
}

/// In a stable group the SyncGroup of any member with the present generation returns its stored
/// assignment at once, as often as it asks; a leader that sends other assignments changes nothing
/// by it.
#[scenario("SYNCGROUP-009", api = SyncGroup)]
async fn a_stable_group_repeats_its_assignments(cx: &mut Cx) -> Outcome {
    let (mut leader, mut follower) = Member::pair(cx, &cx.group()).await?;
    let other = [(leader.id.clone(), &b"other"[..]), (follower.id.clone(), &b"other"[..])];
    let led = leader.conn.ask(leader.sync(cx, &other)?).await?.expect_ok()?;
    led.require(led.assignment == "leader's", "the leader's stored assignment", || {
        format!("{:?}", led.assignment)
    })?;
    for _ in 0..2 {
        let followed = follower.conn.ask(follower.sync(cx, &[])?).await?.expect_ok()?;
        followed.require(
            followed.assignment == "follower's",
            "the follower's stored assignment",
            || format!("{:?}", followed.assignment),
        )?;
    }
    Ok(())
}

/// While members are asked to join again (PreparingRebalance), a SyncGroup with the present
/// generation is refused with REBALANCE_IN_PROGRESS (27).
#[scenario("SYNCGROUP-010", api = SyncGroup)]
async fn a_rebalance_refuses_the_present_generation(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    let _joining = member.disturb(cx, join(cx, &group)?).await?;
    let sync = member.sync(cx, &[])?;
    member.conn.ask(sync).await?.expect_error(RebalanceInProgress)
}

/// A SyncGroup that waits for the leader's assignments is answered with REBALANCE_IN_PROGRESS (27)
/// when a new rebalance begins.
#[scenario("SYNCGROUP-011", api = SyncGroup)]
async fn a_new_rebalance_releases_waiting_members(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let waiting = follower.conn.tell(follower.sync(cx, &[])?).await?;
    follower.conn.expect_silence(Duration::from_millis(100)).await?;
    let other = protocol(RANGE, subscription(&["subscribed", "another"], b""));
    let joining = leader.conn.tell(leader.joined.clone().with_protocols(vec![other])).await?;
    follower.conn.answer(waiting).await?.expect_error(RebalanceInProgress)?;
    follower.rejoin().await?.ok()?;
    leader.conn.answer(joining).await?.ok()?;
    Ok(())
}

/// SyncGroup is refused with FENCED_INSTANCE_ID (82) when the member id is not the one that the
/// instance id belongs to, and with UNKNOWN_MEMBER_ID (25) when the group does not know the
/// instance id, even if the member id is right.
#[scenario("SYNCGROUP-013", api = SyncGroup, versions = 3..)]
async fn the_wrong_id_for_an_instance_is_fenced(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let request = member.sync(cx, &[])?.with_member_id(text("whoever"));
    member.conn.ask(request).await?.expect_error(FencedInstanceId)
}

/// SyncGroup is refused with FENCED_INSTANCE_ID (82) when the member id is not the one that the
/// instance id belongs to, and with UNKNOWN_MEMBER_ID (25) when the group does not know the
/// instance id, even if the member id is right.
#[scenario("SYNCGROUP-013", api = SyncGroup, versions = 3..)]
async fn an_unknown_instance_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.sync(cx, &[])?.with_group_instance_id(Some(text("nobody")));
    member.conn.ask(request).await?.expect_error(UnknownMemberId)
}

/// From version 5 on the answer to an accepted SyncGroup carries the group's protocol_type and
/// protocol_name.
#[scenario("SYNCGROUP-014", api = SyncGroup, versions = 5..)]
async fn the_answer_names_the_protocol(cx: &mut Cx) -> Outcome {
    let mut member = Member::joining(cx, join(cx, &cx.group())?).await?;
    let body = member.conn.ask(member.sync(cx, &[])?).await?.expect_ok()?;
    let named = (body.protocol_type.as_deref(), body.protocol_name.as_deref());
    body.require(named == (Some(CONSUMER), Some(RANGE)), format!("{CONSUMER}, {RANGE}"), || {
        format!("{named:?}")
    })
}

/// Metadata and assignments are opaque to the coordinator: for a protocol type other than
/// "consumer" bytes of any kind, none included, come back unchanged, the metadata in the leader's
/// members list and the assignment in each member's SyncGroup.
#[scenario("SYNCGROUP-016", api = SyncGroup, vary = ["no bytes", "every byte"])]
async fn bytes_of_any_kind_are_passed_on(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let bytes: Vec<u8> = if cx.variant() == "no bytes" { Vec::new() } else { (0..=255).collect() };
    let request = join(cx, &group)?
        .with_protocol_type(text("another"))
        .with_protocols(vec![protocol("opaque", bytes.clone())]);
    let (mut member, joined) = Member::first(cx, request).await?;
    let metadata = joined.members.first().map(|member| member.metadata.to_vec());
    joined.require(metadata.as_ref() == Some(&bytes), "the metadata that was sent", || {
        format!("{metadata:?}")
    })?;
    let assignments = [(member.id.clone(), &*bytes)];
    let body = member.conn.ask(member.sync(cx, &assignments)?).await?.expect_ok()?;
    body.require(body.assignment == bytes, "the assignment that was sent", || {
        format!("{:?}", body.assignment)
    })
}
