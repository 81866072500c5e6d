//! JoinGroup (11): how a member gets into a classic group, and what keeps it out.
//!
//! Version 1 brought the rebalance timeout, 4 the member id that is handed out first (KIP-394), 5
//! instance ids (KIP-345), 7 the protocol type in the answer (KIP-559), 8 the reason (KIP-800), 9
//! `skip_assignment` (KIP-814). Rebalances are in `rebalance.rs`, static members in
//! `static_members.rs`. Not covered: group.max.size, which needs a broker of its own.

use kafka_protocol::messages::{DescribeGroupsRequest, GroupId};
use kconform_scenario::prelude::*;

use super::members::{
    CONSUMER, GRACE, Member, RANGE, coordinator, first_to_join, join, join_static, protocol,
    shortest_session_ms, subscription,
};

scenarios![
    a_new_member_is_first_given_an_id,
    the_id_that_was_handed_out_joins,
    an_old_client_joins_without_an_id,
    a_static_member_joins_without_an_id,
    an_empty_group_id_is_refused,
    a_session_timeout_out_of_range_is_refused,
    a_member_id_of_an_unknown_group_is_unknown,
    an_unknown_member_id_is_refused,
    a_group_without_protocols_is_not_formed,
    a_joiner_of_another_protocol_type_is_refused,
    a_joiner_without_a_common_protocol_is_refused,
    an_id_that_was_never_used_is_forgotten,
    a_refusal_names_no_protocol,
    an_answer_names_the_protocol_type_and_protocol,
    a_principal_without_read_cannot_join,
];

/// A new dynamic member, whose JoinGroup has an empty member id and no instance id, is answered at
/// once, without the initial rebalance delay, with MEMBER_ID_REQUIRED (79), a non-empty member id,
/// generation -1 and no members.
#[scenario("JOINGROUP-001", api = JoinGroup, versions = 4..)]
async fn a_new_member_is_first_given_an_id(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let reply = conn.ask(join(cx, &group)?).await?;
    reply.clone().expect_error(MemberIdRequired)?;
    let body = reply.expect_answer()?;
    body.require(!body.member_id.is_empty(), "a member id", || "an empty one".to_owned())?;
    body.require(
        body.generation_id == -1 && body.members.is_empty(),
        "generation -1, no members",
        || format!("generation {}, {} members", body.generation_id, body.members.len()),
    )
}

/// A JoinGroup with the member id that MEMBER_ID_REQUIRED (79) handed out joins the new group:
/// error 0, generation 1, the same member id, which is also the leader, protocol_name is a protocol
/// that it offered, and members holds exactly this member with the metadata bytes that it sent.
#[scenario("JOINGROUP-002", api = JoinGroup, versions = 4..)]
async fn the_id_that_was_handed_out_joins(cx: &mut Cx) -> Outcome {
    let (reply, _, request) = first_to_join(cx, join(cx, &cx.group())?).await?;
    let given = request.member_id.clone();
    let body = reply.expect_ok()?;
    body.require(body.generation_id == 1, "generation 1", || body.generation_id.to_string())?;
    body.require(
        body.member_id == given && body.leader == given,
        format!("member and leader {given}"),
        || format!("member {}, leader {}", body.member_id, body.leader),
    )?;
    body.require(
        body.protocol_name.as_deref() == Some(RANGE),
        format!("protocol {RANGE}"),
        || format!("{:?}", body.protocol_name),
    )?;
    let sent = request.protocols.first().map(|protocol| protocol.metadata.clone());
    let seen: Vec<_> = body.members.iter().map(|m| (&m.member_id, Some(&m.metadata))).collect();
    body.require(seen == [(&given, sent.as_ref())], "this member with its metadata alone", || {
        format!("{seen:?}")
    })
}

/// Below version 4 a JoinGroup with an empty member id joins directly: error 0, with a member id of
/// the coordinator's making and without MEMBER_ID_REQUIRED (79).
#[scenario("JOINGROUP-003", api = JoinGroup, versions = 0..=3)]
async fn an_old_client_joins_without_an_id(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let body = conn.ask(join(cx, &group)?).await?.expect_ok()?;
    body.require(
        !body.member_id.is_empty() && body.leader == body.member_id,
        "a member id, which is the leader's too",
        || format!("member {:?}, leader {:?}", body.member_id, body.leader),
    )?;
    body.require(body.generation_id == 1, "generation 1", || body.generation_id.to_string())
}

/// A JoinGroup with an instance id and an empty member id joins directly, without
/// MEMBER_ID_REQUIRED (79): error 0 and a member id of the coordinator's making.
#[scenario("JOINGROUP-004", api = JoinGroup, versions = 5..)]
async fn a_static_member_joins_without_an_id(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let body = conn.ask(join_static(cx, &group, "instance")?).await?.expect_ok()?;
    body.require(
        !body.member_id.is_empty() && body.leader == body.member_id,
        "a member id, which is the leader's too",
        || format!("member {:?}, leader {:?}", body.member_id, body.leader),
    )?;
    body.require(body.generation_id == 1, "generation 1", || body.generation_id.to_string())
}

/// A JoinGroup with an empty group id is refused with INVALID_GROUP_ID (24).
#[scenario("JOINGROUP-006", api = JoinGroup)]
async fn an_empty_group_id_is_refused(cx: &mut Cx) -> Outcome {
    let mut conn = coordinator(cx, "").await?;
    conn.ask(join(cx, "")?).await?.expect_error(InvalidGroupId)
}

/// A session_timeout_ms below group.min.session.timeout.ms (6000 by default), zero and negative
/// included, or above group.max.session.timeout.ms (1800000 by default) is refused with
/// INVALID_SESSION_TIMEOUT (26); the answer repeats the member id of the request, and no group
/// comes about.
#[scenario("JOINGROUP-007", api = JoinGroup, vary = ["below", "zero", "negative", "above"])]
async fn a_session_timeout_out_of_range_is_refused(cx: &mut Cx) -> Outcome {
    let limit = |name: &str, default| cx.facts().config_number(name).unwrap_or(default);
    let timeout = match cx.variant() {
        "below" => limit("group.min.session.timeout.ms", 6000) - 1,
        "zero" => 0,
        "negative" => -1,
        _ => limit("group.max.session.timeout.ms", 1_800_000).saturating_add(1),
    };
    let Ok(timeout) = i32::try_from(timeout) else {
        return Err(Failure::NotRun(
            "a group.max.session.timeout.ms below the largest int32".to_owned(),
        ));
    };
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let request =
        join(cx, &group)?.with_session_timeout_ms(timeout).with_member_id(text("whoever"));
    let reply = conn.ask(request).await?;
    reply.clone().expect_error(InvalidSessionTimeout)?;
    let body = reply.expect_answer()?;
    body.require(&*body.member_id == "whoever", "member id \"whoever\"", || {
        format!("{:?}", body.member_id)
    })?;
    let describe = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(&group))]);
    let body = conn.ask(describe).await?.answered()?;
    let state = body.groups.first().map(|group| group.group_state.to_string());
    body.require(state.as_deref() == Some("Dead"), "no such group: state Dead", || {
        format!("{state:?}")
    })
}

/// A JoinGroup with a non-empty member id into a group that does not exist is refused with
/// UNKNOWN_MEMBER_ID (25), never with GROUP_ID_NOT_FOUND (69).
#[scenario("JOINGROUP-008", api = JoinGroup)]
async fn a_member_id_of_an_unknown_group_is_unknown(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let request = join(cx, &group)?.with_member_id(text("whoever"));
    conn.ask(request).await?.expect_error(UnknownMemberId)
}

/// A JoinGroup with a non-empty member id that the group does not know is refused with
/// UNKNOWN_MEMBER_ID (25), and the answer repeats that member id.
#[scenario("JOINGROUP-009", api = JoinGroup)]
async fn an_unknown_member_id_is_refused(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    let reply = member.conn.ask(join(cx, &group)?.with_member_id(text("whoever"))).await?;
    reply.clone().expect_error(UnknownMemberId)?;
    let body = reply.expect_answer()?;
    body.require(&*body.member_id == "whoever", "member id \"whoever\"", || {
        format!("{:?}", body.member_id)
    })
}

/// A JoinGroup into a group without members is refused with INCONSISTENT_GROUP_PROTOCOL (23) when
/// it offers no protocol, and when its protocol type is empty; from version 4 on this comes before
/// MEMBER_ID_REQUIRED (79).
#[scenario("JOINGROUP-010", api = JoinGroup, vary = ["no protocol", "empty protocol type"])]
async fn a_group_without_protocols_is_not_formed(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let request = join(cx, &group)?;
    let request = if cx.variant() == "no protocol" {
        request.with_protocols(Vec::new())
    } else {
        request.with_protocol_type(text(""))
    };
    conn.ask(request).await?.expect_error(InconsistentGroupProtocol)
}

/// A JoinGroup with another protocol type than that of the group's members is refused with
/// INCONSISTENT_GROUP_PROTOCOL (23), even if the names of its protocols are those of the members.
#[scenario("JOINGROUP-011", api = JoinGroup)]
async fn a_joiner_of_another_protocol_type_is_refused(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut member = Member::alone(cx, &group).await?;
    let mut other = coordinator(cx, &group).await?;
    let stranger = join(cx, &group)?.with_protocol_type(text("connect"));
    other.ask(stranger).await?.expect_error(InconsistentGroupProtocol)?;
    member.conn.ask(member.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A JoinGroup is refused with INCONSISTENT_GROUP_PROTOCOL (23), without effect on the group,
/// unless it offers at least one protocol that every present member supports: an empty list is not
/// enough, nor is a protocol that only some of the members share.
#[scenario("JOINGROUP-012", api = JoinGroup, vary = ["none", "foreign", "shared with one"])]
async fn a_joiner_without_a_common_protocol_is_refused(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let offer = |names: &[&str]| -> Result<_, Failure> {
        let offered = names.iter().map(|name| protocol(name, subscription(&["subscribed"], b"")));
        Ok(join(cx, &group)?.with_protocols(offered.collect()))
    };
    let (mut leader, _follower) =
        Member::pair_as(cx, offer(&[RANGE, "sticky"])?, offer(&[RANGE, "lonely"])?).await?;
    let stranger = match cx.variant() {
        "none" => offer(&[])?,
        "foreign" => offer(&["foreign"])?,
        _ => offer(&["lonely", "sticky"])?,
    };
    let mut other = coordinator(cx, &group).await?;
    other.ask(stranger).await?.expect_error(InconsistentGroupProtocol)?;
    leader.conn.ask(leader.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A member id that MEMBER_ID_REQUIRED (79) handed out and that nobody used is forgotten once its
/// session timeout has passed: a JoinGroup with it is then refused with UNKNOWN_MEMBER_ID (25).
#[scenario("JOINGROUP-024", api = JoinGroup, versions = 4.., slow)]
async fn an_id_that_was_never_used_is_forgotten(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    Member::alone(cx, &group).await?;
    let session = shortest_session_ms(cx);
    let mut conn = coordinator(cx, &group).await?;
    let request = join(cx, &group)?.with_session_timeout_ms(session);
    let given = conn.ask(request.clone()).await?.answered()?.member_id.clone();
    // The attempt itself would use the id, so it can be made but once.
    let session = Duration::from_millis(u64::try_from(session).unwrap_or(0));
    cx.sleep(session + Duration::from_millis(1000)).await;
    conn.patience(session + GRACE);
    conn.ask(request.with_member_id(given)).await?.expect_error(UnknownMemberId)
}

/// A JoinGroup that is refused names no protocol: protocol_name is the empty string up to version 6
/// and null from version 7 on, where protocol_type is null too. One that is accepted names both
/// from version 7 on; below it protocol_type does not exist.
#[scenario("JOINGROUP-027", api = JoinGroup)]
async fn a_refusal_names_no_protocol(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let reply = conn.ask(join(cx, &group)?.with_member_id(text("whoever"))).await?;
    reply.clone().expect_error(UnknownMemberId)?;
    let body = reply.expect_answer()?;
    let name = body.at("protocol_name")?;
    if cx.version() < 7 {
        return body.require(name.as_str() == Some(""), "protocol_name \"\"", || name.to_string());
    }
    let kind = body.at("protocol_type")?;
    body.require(name.is_null() && kind.is_null(), "protocol_name and protocol_type null", || {
        format!("{name}, {kind}")
    })
}

/// A JoinGroup that is refused names no protocol: protocol_name is the empty string up to version 6
/// and null from version 7 on, where protocol_type is null too. One that is accepted names both
/// from version 7 on; below it protocol_type does not exist.
#[scenario("JOINGROUP-027", api = JoinGroup, versions = 7..)]
async fn an_answer_names_the_protocol_type_and_protocol(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (reply, ..) = first_to_join(cx, join(cx, &group)?).await?;
    let body = reply.expect_ok()?;
    body.require(
        body.protocol_type.as_deref() == Some(CONSUMER)
            && body.protocol_name.as_deref() == Some(RANGE),
        format!("{CONSUMER}, {RANGE}"),
        || format!("{:?}, {:?}", body.protocol_type, body.protocol_name),
    )
}

/// A principal without READ on the group is refused with GROUP_AUTHORIZATION_FAILED (30).
#[scenario(
    "JOINGROUP-039",
    api = JoinGroup,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")]
)]
async fn a_principal_without_read_cannot_join(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    coordinator(cx, &group).await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    conn.ask(join(cx, &group)?).await?.expect_error(GroupAuthorizationFailed)
}
