//! Heartbeat (12): what a member learns of its group, and what happens when it is not heard of any
//! more.
//!
//! Version 3 brought instance ids (KIP-345). Not covered: which other requests renew a session
//! (HEARTBEAT-008), and a coordinator that is still loading.

use kafka_protocol::messages::{DescribeGroupsRequest, GroupId};
use kconform_scenario::prelude::*;

use super::members::{GRACE, Member, coordinator, join, join_static, shortest_session_ms};
use crate::commits::offsets::{Commit, committed};

scenarios![
    a_member_of_a_stable_group_is_welcome,
    an_unknown_member_is_refused,
    an_empty_group_id_is_refused,
    another_generation_is_refused,
    a_rebalance_is_announced,
    a_group_that_waits_for_assignments_accepts_heartbeats,
    the_wrong_id_for_an_instance_is_fenced,
    an_unknown_instance_is_refused,
    an_instance_need_not_be_named,
    a_silent_member_is_removed,
    a_closed_connection_does_not_remove_the_member,
    a_group_whose_last_member_expired_is_empty,
    a_silent_static_member_is_removed,
];

/// In a stable group the Heartbeat of a member with the present generation is answered with error
/// 0.
#[scenario("HEARTBEAT-001", api = Heartbeat)]
async fn a_member_of_a_stable_group_is_welcome(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    member.conn.ask(member.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// Heartbeat is refused with UNKNOWN_MEMBER_ID (25) for a group that does not exist and for a
/// member that the group does not know, an empty member id and a wrong generation included, and
/// with INVALID_GROUP_ID (24) for an empty group id.
#[scenario(
    "HEARTBEAT-002",
    api = Heartbeat,
    vary = ["unknown group", "unknown member", "empty member id", "wrong generation too"]
)]
async fn an_unknown_member_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.heartbeat();
    let request = match cx.variant() {
        "unknown group" => {
            let group = cx.group();
            member.conn = coordinator(cx, &group).await?;
            request.with_group_id(GroupId(text(group)))
        }
        "unknown member" => request.with_member_id(text("whoever")),
        "empty member id" => request.with_member_id(text("")),
        _ => request.with_member_id(text("whoever")).with_generation_id(99),
    };
    member.conn.ask(request).await?.expect_error(UnknownMemberId)
}

/// Heartbeat is refused with UNKNOWN_MEMBER_ID (25) for a group that does not exist and for a
/// member that the group does not know, an empty member id and a wrong generation included, and
/// with INVALID_GROUP_ID (24) for an empty group id.
#[scenario("HEARTBEAT-002", api = Heartbeat)]
async fn an_empty_group_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.heartbeat().with_group_id(GroupId(text("")));
    member.conn.ask(request).await?.expect_error(InvalidGroupId)
}

/// The Heartbeat of a known member with another generation than the present one, older, newer or
/// -1, is refused with ILLEGAL_GENERATION (22), also while the group rebalances or waits for its
/// assignments.
#[scenario(
    "HEARTBEAT-003",
    api = Heartbeat,
    vary = ["older", "newer", "-1", "newer while preparing", "newer while completing"]
)]
async fn another_generation_is_refused(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut joiner = None;
    let mut member = match cx.variant() {
        "newer while completing" => Member::joining(cx, join(cx, &group)?).await?,
        _ => Member::alone(cx, &group).await?,
    };
    if cx.variant() == "newer while preparing" {
        joiner = Some(member.disturb(cx, join(cx, &group)?).await?);
    }
    let generation = match cx.variant() {
        "older" => member.generation - 1,
        "-1" => -1,
        _ => member.generation + 1,
    };
    let request = member.heartbeat().with_generation_id(generation);
    member.conn.ask(request).await?.expect_error(IllegalGeneration)?;
    drop(joiner);
    Ok(())
}

/// While members are asked to join again (PreparingRebalance), the Heartbeat of a member of the
/// present generation is answered with REBALANCE_IN_PROGRESS (27), and it renews the member's
/// session.
#[scenario("HEARTBEAT-004", api = Heartbeat, slow)]
async fn a_rebalance_is_announced(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = join(cx, &group)?.with_session_timeout_ms(session_ms(cx));
    let mut member = Member::alone_as(cx, request).await?;
    let _joining = member.disturb(cx, join(cx, &group)?).await?;
    renewed_by(cx, &mut member, RebalanceInProgress.into()).await
}

/// While a group waits for its assignments (CompletingRebalance), the Heartbeat of a member of the
/// present generation is answered with error 0, and it renews the member's session; up to 2.6.0 it
/// was answered with REBALANCE_IN_PROGRESS (27) and did not renew it.
#[scenario("HEARTBEAT-005", api = Heartbeat, slow)]
async fn a_group_that_waits_for_assignments_accepts_heartbeats(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let request = join(cx, &group)?.with_session_timeout_ms(session_ms(cx));
    let mut member = Member::joining(cx, request).await?;
    renewed_by(cx, &mut member, Code::NONE).await
}

/// Heartbeat is refused with FENCED_INSTANCE_ID (82), before the generation is looked at, when the
/// member id is empty or not the one that the instance id belongs to, and with UNKNOWN_MEMBER_ID
/// (25) when the group does not know the instance id; a static member that leaves its instance id
/// out is answered with error 0.
#[scenario(
    "HEARTBEAT-006",
    api = Heartbeat,
    versions = 3..,
    vary = ["empty", "wrong", "wrong generation too"]
)]
async fn the_wrong_id_for_an_instance_is_fenced(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let request = member.heartbeat();
    let request = match cx.variant() {
        "empty" => request.with_member_id(text("")),
        "wrong" => request.with_member_id(text("whoever")),
        _ => request.with_member_id(text("whoever")).with_generation_id(99),
    };
    member.conn.ask(request).await?.expect_error(FencedInstanceId)
}

/// Heartbeat is refused with FENCED_INSTANCE_ID (82), before the generation is looked at, when the
/// member id is empty or not the one that the instance id belongs to, and with UNKNOWN_MEMBER_ID
/// (25) when the group does not know the instance id; a static member that leaves its instance id
/// out is answered with error 0.
#[scenario("HEARTBEAT-006", api = Heartbeat, versions = 3..)]
async fn an_unknown_instance_is_refused(cx: &mut Cx) -> Outcome {
    let mut member = Member::alone(cx, &cx.group()).await?;
    let request = member.heartbeat().with_group_instance_id(Some(text("nobody")));
    member.conn.ask(request).await?.expect_error(UnknownMemberId)
}

/// Heartbeat is refused with FENCED_INSTANCE_ID (82), before the generation is looked at, when the
/// member id is empty or not the one that the instance id belongs to, and with UNKNOWN_MEMBER_ID
/// (25) when the group does not know the instance id; a static member that leaves its instance id
/// out is answered with error 0.
#[scenario("HEARTBEAT-006", api = Heartbeat, versions = 3..)]
async fn an_instance_need_not_be_named(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let request = member.heartbeat().with_group_instance_id(None);
    member.conn.ask(request).await?.expect_ok()?;
    Ok(())
}

/// A member that is not heard of for its session_timeout_ms is removed, and not before: its next
/// Heartbeat is refused with UNKNOWN_MEMBER_ID (25), the others' are answered with
/// REBALANCE_IN_PROGRESS (27), and once they have joined again the generation is higher by 1.
#[scenario("HEARTBEAT-007", api = Heartbeat, slow)]
async fn a_silent_member_is_removed(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let session = shortest_session_ms(cx);
    let silent = join(cx, &group)?.with_session_timeout_ms(session);
    let (mut leader, mut silent) = Member::pair_as(cx, join(cx, &group)?, silent).await?;
    let (began, before) = (cx.now(), leader.generation);
    // The broker cannot have heard of it before this is sent.
    silent.conn.ask(silent.heartbeat()).await?.ok()?;
    let session = Duration::from_millis(u64::try_from(session).unwrap_or(0));
    leader.comes_to_see(cx, RebalanceInProgress, session + GRACE).await?;
    let passed = cx.now() - began;
    require(
        passed >= session,
        &format!("the member to stay for {} ms", session.as_millis()),
        || format!("removed after {} ms", passed.as_millis()),
    )?;
    leader.rejoin().await?.expect_ok()?;
    require(leader.generation == before + 1, &format!("generation {}", before + 1), || {
        leader.generation.to_string()
    })?;
    silent.conn.ask(silent.heartbeat()).await?.expect_error(UnknownMemberId)
}

/// A member whose connection closes stays a member until its session timeout has passed: a
/// Heartbeat with its member id on another connection is answered with error 0.
#[scenario("HEARTBEAT-009", api = Heartbeat)]
async fn a_closed_connection_does_not_remove_the_member(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    member.conn.shut().await;
    // The broker closes its side once it has seen ours closed.
    if !matches!(member.conn.receive().await, Received::Closed { .. }) {
        return Err(Failure::blocked("the connection closed", "it is open"));
    }
    let mut other = coordinator(cx, &group).await?;
    other.ask(member.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A group whose last member expired is Empty: it keeps its protocol type and its offsets, and its
/// generation has risen by exactly 1, so that the next member that joins is told the last
/// generation + 2.
#[scenario("HEARTBEAT-010", api = Heartbeat, slow)]
async fn a_group_whose_last_member_expired_is_empty(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let partition = cx.partition().await?;
    let session = shortest_session_ms(cx);
    let mut member =
        Member::alone_as(cx, join(cx, &group)?.with_session_timeout_ms(session)).await?;
    Commit::by(&member).offset(&partition, 42).ask(cx, &mut member.conn).await?.ok()?;

    let session = Duration::from_millis(u64::try_from(session).unwrap_or(0));
    let mut tries = cx.tries("the group to be Empty", session + GRACE);
    let describe = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(&group))]);
    loop {
        let body = member.conn.ask(describe.clone()).await?.expect_ok()?;
        let seen = body.groups.first().map(|group| (&*group.group_state, &*group.protocol_type));
        if seen == Some(("Empty", "consumer")) {
            break;
        }
        tries.expect(format!("{seen:?}")).await?;
    }
    member.conn.ask(member.heartbeat()).await?.expect_error(UnknownMemberId)?;
    let stored = committed(cx, &mut member.conn, &group, &partition).await?;
    require(stored.offset == 42, "the offset 42", || stored.offset.to_string())?;
    let next = Member::joining(cx, join(cx, &group)?).await?;
    let expected = member.generation + 2;
    require(next.generation == expected, &format!("generation {expected}"), || {
        next.generation.to_string()
    })
}

/// A static member that is not heard of for its session timeout is removed like any other, and its
/// instance id is then unknown: a Heartbeat with it is refused with UNKNOWN_MEMBER_ID (25). Until
/// then a restart of the member keeps its assignment.
#[scenario("HEARTBEAT-013", api = Heartbeat, versions = 3.., slow)]
async fn a_silent_static_member_is_removed(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let session = shortest_session_ms(cx);
    let silent = join_static(cx, &group, "instance")?.with_session_timeout_ms(session);
    let (mut leader, mut silent) = Member::pair_as(cx, join(cx, &group)?, silent).await?;
    let session = Duration::from_millis(u64::try_from(session).unwrap_or(0));
    leader.comes_to_see(cx, RebalanceInProgress, session + GRACE).await?;
    silent.conn.ask(silent.heartbeat()).await?.expect_error(UnknownMemberId)
}

/// A session that is short, and long enough for the heartbeats of a broker under load.
fn session_ms(cx: &Cx) -> i32 {
    shortest_session_ms(cx).max(2000)
}

/// Heartbeats for a session and a half, five to a session, each of which must be answered with this code. Where the broker
/// may rightly have missed the member for a whole session, because an answer took so long, there is nothing to judge.
async fn renewed_by(cx: &Cx, member: &mut Member, code: Code) -> Outcome {
    let session = Duration::from_millis(u64::try_from(session_ms(cx)).unwrap_or(0));
    let mut heard = None;
    for _ in 0..8 {
        let sent = cx.now();
        let reply = member.conn.ask(member.heartbeat()).await?;
        let apart = cx.now() - heard.unwrap_or_default();
        let gone = reply.errors()?.iter().any(|(_, code)| *code == UnknownMemberId.into());
        if gone && apart >= session {
            let got = format!("{} ms between two heartbeats", apart.as_millis());
            return Err(Failure::blocked("answers that take less than a session", got));
        }
        reply.expect_error(code)?;
        heard = Some(sent);
        cx.sleep(session / 5).await;
    }
    Ok(())
}
