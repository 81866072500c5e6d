//! OffsetCommit (8): who may store an offset. What is stored is in `stored_offsets.rs`.
//!
//! Version 1 brought generation and member id, 7 the instance id (KIP-345), 9 the groups of
//! KIP-848. Version 0 wrote to ZooKeeper. Not covered: members of KIP-848 groups.

use kafka_protocol::messages::{DescribeGroupsRequest, GroupId};
use kconform_scenario::prelude::*;

use super::offsets::{Commit, committed};
use crate::groups::members::{GRACE, Member, coordinator, join, join_static, newer_coordinator};

scenarios![
    a_client_without_membership_stores_offsets,
    an_empty_group_takes_offsets_from_anybody,
    an_empty_group_refuses_generations,
    strangers_are_kept_out_of_a_live_group,
    a_member_of_the_generation_commits,
    nothing_is_stored_before_the_assignment,
    the_member_is_checked_before_the_generation,
    an_unknown_group_has_no_generation,
    an_unknown_group_is_named_as_such,
    the_instance_is_checked_before_the_generation,
    a_principal_without_read_stores_nothing,
    the_version_of_zookeeper_is_refused,
];

/// The state and protocol type that DescribeGroups shows.
async fn described(conn: &mut Conn, group: &str) -> Result<(String, String), Failure> {
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
    let body = conn.ask(request).await?.answered()?;
    match body.groups.first() {
        Some(group) => Ok((group.group_state.to_string(), group.protocol_type.to_string())),
        None => Err(Failure::blocked("a description of the group", "none")),
    }
}

/// A client that is no member (generation -1, empty member id) stores offsets under a group id that
/// nobody has used: error 0 for the partition, and DescribeGroups shows the group as Empty with an
/// empty protocol type.
#[scenario("OFFCOMMIT-001", api = OffsetCommit, versions = 1..)]
async fn a_client_without_membership_stores_offsets(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&partition, 42).ask(cx, &mut conn).await?.expect_ok()?;
    let mut tries = cx.tries("the group to be Empty, of no protocol type", GRACE);
    loop {
        let seen = described(&mut conn, &group).await?;
        if (&*seen.0, &*seen.1) == ("Empty", "") {
            break;
        }
        tries.expect(format!("{seen:?}")).await?;
    }
    let seen = committed(cx, &mut conn, &group, &partition).await?;
    seen.expect_offset(42)
}

/// A group that exists and has no members accepts a commit with generation -1, whatever its member
/// id, and refuses one with a generation >= 0 and an unknown member id with UNKNOWN_MEMBER_ID (25).
#[scenario(
    "OFFCOMMIT-002",
    api = OffsetCommit,
    versions = 1..,
    vary = ["no member id", "some member id"]
)]
async fn an_empty_group_takes_offsets_from_anybody(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone(cx, &group).await?;
    Commit::by(&member).offset(&partition, 1).ask(cx, &mut member.conn).await?.ok()?;
    member.conn.ask(member.leave(cx)?).await?.ok()?;
    let id = if cx.variant() == "no member id" { "" } else { "whoever" };
    let commit = Commit::to(&group).member(id).offset(&partition, 2);
    commit.ask(cx, &mut member.conn).await?.expect_ok()?;
    let seen = committed(cx, &mut member.conn, &group, &partition).await?;
    seen.expect_offset(2)
}

/// A group that exists and has no members accepts a commit with generation -1, whatever its member
/// id, and refuses one with a generation >= 0 and an unknown member id with UNKNOWN_MEMBER_ID (25).
#[scenario("OFFCOMMIT-002", api = OffsetCommit, versions = 1..)]
async fn an_empty_group_refuses_generations(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone(cx, &group).await?;
    Commit::by(&member).offset(&partition, 1).ask(cx, &mut member.conn).await?.ok()?;
    member.conn.ask(member.leave(cx)?).await?.ok()?;
    let commit = Commit::by(&member).member("whoever").offset(&partition, 2);
    commit.ask(cx, &mut member.conn).await?.expect_error(UnknownMemberId)?;
    let seen = committed(cx, &mut member.conn, &group, &partition).await?;
    seen.expect_offset(1)
}

/// A group with members refuses a commit with generation -1 on every partition and stores nothing:
/// with UNKNOWN_MEMBER_ID (25) when the member id is empty or unknown, with ILLEGAL_GENERATION (22)
/// when it is that of a live member.
#[scenario(
    "OFFCOMMIT-003",
    api = OffsetCommit,
    versions = 1..,
    vary = ["no member id", "unknown member", "live member"]
)]
async fn strangers_are_kept_out_of_a_live_group(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone(cx, &group).await?;
    let (id, refusal) = match cx.variant() {
        "no member id" => ("", UnknownMemberId),
        "unknown member" => ("whoever", UnknownMemberId),
        _ => (&*member.id, IllegalGeneration),
    };
    let commit = Commit::to(&group).member(id).offset(&partition, 42);
    commit.ask(cx, &mut member.conn).await?.expect_error(refusal)?;
    let seen = committed(cx, &mut member.conn, &group, &partition).await?;
    seen.expect_offset(-1)
}

/// The commit of a member with the present generation is accepted in a stable group and while
/// members are asked to join again (PreparingRebalance).
#[scenario(
    "OFFCOMMIT-004",
    api = OffsetCommit,
    versions = 1..,
    vary = ["Stable", "PreparingRebalance"]
)]
async fn a_member_of_the_generation_commits(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone(cx, &group).await?;
    let mut joining = None;
    if cx.variant() == "PreparingRebalance" {
        joining = Some(member.disturb(cx, join(cx, &group)?).await?);
    }
    let commit = Commit::by(&member).offset(&partition, 42);
    commit.ask(cx, &mut member.conn).await?.expect_ok()?;
    let seen = committed(cx, &mut member.conn, &group, &partition).await?;
    drop(joining);
    seen.expect_offset(42)
}

/// While a group waits for its assignments (CompletingRebalance), the commit of a member with the
/// present generation is refused on every partition with REBALANCE_IN_PROGRESS (27) and nothing is
/// stored; a wrong generation (22) and an unknown member (25) are checked before that.
#[scenario(
    "OFFCOMMIT-005",
    api = OffsetCommit,
    versions = 1..,
    vary = ["member", "wrong generation", "unknown member"]
)]
async fn nothing_is_stored_before_the_assignment(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::joining(cx, join(cx, &group)?).await?;
    let commit = Commit::by(&member).offset(&partition, 42);
    let (commit, refusal) = match cx.variant() {
        "member" => (commit, RebalanceInProgress),
        "wrong generation" => (commit.generation(member.generation + 1), IllegalGeneration),
        _ => (commit.member("whoever"), UnknownMemberId),
    };
    commit.ask(cx, &mut member.conn).await?.expect_error(refusal)?;
    let seen = committed(cx, &mut member.conn, &group, &partition).await?;
    seen.expect_offset(-1)
}

/// In a stable group the commit of a known member with another generation than the present one is
/// refused with ILLEGAL_GENERATION (22), and that of an unknown member with UNKNOWN_MEMBER_ID (25),
/// even if its generation is wrong too.
#[scenario(
    "OFFCOMMIT-006",
    api = OffsetCommit,
    versions = 1..,
    vary = ["older", "newer", "unknown member", "both wrong"]
)]
async fn the_member_is_checked_before_the_generation(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut member = Member::alone(cx, &cx.group()).await?;
    let (commit, now) = (Commit::by(&member).offset(&partition, 42), member.generation);
    let (commit, refusal) = match cx.variant() {
        "older" => (commit.generation(now - 1), IllegalGeneration),
        "newer" => (commit.generation(now + 1), IllegalGeneration),
        "unknown member" => (commit.member("whoever"), UnknownMemberId),
        _ => (commit.member("whoever").generation(now + 1), UnknownMemberId),
    };
    commit.ask(cx, &mut member.conn).await?.expect_error(refusal)
}

/// Up to version 8 a commit with a generation >= 0 to a group that does not exist is refused on
/// every partition with ILLEGAL_GENERATION (22), and no group comes about.
#[scenario("OFFCOMMIT-007", api = OffsetCommit, versions = 1..=8, vary = ["0", "5"])]
async fn an_unknown_group_has_no_generation(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let generation = if cx.variant() == "0" { 0 } else { 5 };
    let commit = Commit::to(&group).member("whoever").generation(generation).offset(&partition, 42);
    commit.ask(cx, &mut conn).await?.expect_error(IllegalGeneration)?;
    let seen = described(&mut conn, &group).await?;
    require(seen.0 == "Dead", "no such group: state Dead", || format!("{seen:?}"))
}

/// From version 9 on a commit with a generation >= 0 to a group that does not exist is refused with
/// ILLEGAL_GENERATION (22) by the classic coordinator (up to 3.9), and with GROUP_ID_NOT_FOUND (69)
/// by the newer one (4.0 and later, and 3.9 with KIP-848 on).
#[scenario("OFFCOMMIT-008", api = OffsetCommit, versions = 9..)]
async fn an_unknown_group_is_named_as_such(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).member("whoever").generation(5).offset(&partition, 42);
    // KIP-848 gave version 9 the code.
    let refusal = if newer_coordinator(cx) { GroupIdNotFound } else { IllegalGeneration };
    commit.ask(cx, &mut conn).await?.expect_error(refusal)
}

/// From version 7 on a commit with the instance id of another member id is refused with
/// FENCED_INSTANCE_ID (82), before the generation is looked at, and one with an instance id that
/// the group does not know with UNKNOWN_MEMBER_ID (25).
#[scenario(
    "OFFCOMMIT-009",
    api = OffsetCommit,
    versions = 7..,
    vary = ["another's", "wrong generation too", "unknown instance"]
)]
async fn the_instance_is_checked_before_the_generation(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut member = Member::alone_as(cx, join_static(cx, &group, "instance")?).await?;
    let commit = Commit::by(&member).offset(&partition, 42);
    let (commit, refusal) = match cx.variant() {
        "another's" => (commit.member("whoever"), FencedInstanceId),
        "wrong generation too" => (commit.member("whoever").generation(99), FencedInstanceId),
        _ => (commit.instance("nobody"), UnknownMemberId),
    };
    commit.ask(cx, &mut member.conn).await?.expect_error(refusal)
}

/// A principal without READ on the group is refused on every partition with
/// GROUP_AUTHORIZATION_FAILED (30); one without READ on a topic with TOPIC_AUTHORIZATION_FAILED
/// (29) on that topic's partitions alone, while the others are stored.
#[scenario(
    "OFFCOMMIT-022",
    api = OffsetCommit,
    versions = 1..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")]
)]
async fn a_principal_without_read_stores_nothing(cx: &mut Cx) -> Outcome {
    let (group, first, second) = (cx.group(), cx.partition().await?, cx.partition().await?);
    let mut admin = coordinator(cx, &group).await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let commit = Commit::to(&group).offset(&first, 41).offset(&second, 42);
    let reply = commit.ask(cx, &mut conn).await?;
    let seen: Vec<_> = reply.errors()?.into_iter().map(|(_, code)| code).collect();
    let refused = Code::from(GroupAuthorizationFailed);
    reply
        .expect_answer()?
        .require(seen == [refused; 2], format!("{refused} twice"), || format!("{seen:?}"))?;
    let seen = committed(cx, &mut admin, &group, &first).await?;
    seen.expect_offset(-1)
}

/// Version 0 stored offsets in ZooKeeper. Brokers up to 3.9 advertise it, and without ZooKeeper
/// refuse every partition with UNSUPPORTED_VERSION (35); later ones do not advertise it.
#[scenario("OFFCOMMIT-023", api = OffsetCommit, versions = 0..=0)]
async fn the_version_of_zookeeper_is_refused(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).offset(&partition, 42);
    commit.ask(cx, &mut conn).await?.expect_error(UnsupportedVersion)
}
