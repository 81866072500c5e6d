//! JoinGroup (11) of several members: leaders, generations, and what sets a rebalance off.
//!
//! Every case has two members on two connections. Not covered here: the vote on the protocol, and
//! who leads after a leader left.

use kafka_protocol::messages::JoinGroupResponse;
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

use super::members::{
    GRACE, Member, RANGE, coordinator, join, protocol, start_joining, subscription,
};

scenarios![
    only_the_leader_gets_the_members,
    a_rebalance_raises_the_generation_by_one,
    a_leader_that_joins_again_sets_off_a_rebalance,
    a_follower_that_joins_again_unchanged_disturbs_nobody,
    a_follower_with_a_new_subscription_sets_off_a_rebalance,
    a_lost_answer_is_given_again,
    a_new_subscription_releases_waiting_members,
    a_member_that_misses_the_rebalance_is_dropped,
];

/// When a rebalance ends, only the leader's answer has a members list; the followers get an empty
/// one and the leader's member id.
#[scenario("JOINGROUP-014", api = JoinGroup)]
async fn only_the_leader_gets_the_members(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut leader = Member::alone(cx, &group).await?;
    let joining = leader.disturb(cx, join(cx, &group)?).await?;
    let led = leader.rejoin().await?.expect_ok()?;
    let (reply, ..) = joining.reply().await?;
    let followed = reply.expect_ok()?;

    let mut listed: Vec<_> = led.members.iter().map(|member| &*member.member_id).collect();
    let mut both = [&*leader.id, &*followed.member_id];
    listed.sort_unstable();
    both.sort_unstable();
    led.require(listed == both, format!("members {both:?}"), || format!("{listed:?}"))?;
    let ids = [&*led.leader, &*followed.leader];
    led.require(ids == [&*leader.id; 2], format!("leader {} for both", leader.id), || {
        format!("{ids:?}")
    })?;
    followed.require(followed.members.is_empty(), "no members for the follower", || {
        format!("{} members", followed.members.len())
    })
}

/// Every rebalance that ends raises the generation by exactly 1, and all members of a generation
/// are told the same number.
#[scenario("JOINGROUP-015", api = JoinGroup)]
async fn a_rebalance_raises_the_generation_by_one(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut leader = Member::alone(cx, &group).await?;
    let before = leader.generation;
    let joining = leader.disturb(cx, join(cx, &group)?).await?;
    let led = leader.rejoin().await?.expect_ok()?;
    let (reply, ..) = joining.reply().await?;
    let followed = reply.expect_ok()?;
    expect_generation(&led, [led.generation_id, followed.generation_id], before + 1)
}

/// The leader of a stable group that joins again, even with the same metadata, sets off a
/// rebalance: the heartbeats of the other members are answered with REBALANCE_IN_PROGRESS (27)
/// until they have joined again, and the generation rises by 1.
#[scenario("JOINGROUP-016", api = JoinGroup)]
async fn a_leader_that_joins_again_sets_off_a_rebalance(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) = Member::pair(cx, &group).await?;
    let before = leader.generation;
    let sent = leader.conn.tell(leader.joined.clone()).await?;
    follower.comes_to_see(cx, RebalanceInProgress, GRACE).await?;
    follower.rejoin().await?.expect_ok()?;
    let led = leader.conn.answer(sent).await?.expect_ok()?;
    expect_generation(&led, [led.generation_id, follower.generation], before + 1)
}

/// A follower of a stable group that joins again with the same protocols is answered at once with
/// error 0, the present generation, the leader's id and an empty members list, and no rebalance
/// starts.
#[scenario("JOINGROUP-017", api = JoinGroup)]
async fn a_follower_that_joins_again_unchanged_disturbs_nobody(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) = Member::pair(cx, &group).await?;
    let body = follower.conn.ask(follower.joined.clone()).await?.expect_ok()?;
    let expected = format!("generation {}, leader {}, no members", leader.generation, leader.id);
    let same = body.generation_id == leader.generation
        && *body.leader == *leader.id
        && body.members.is_empty();
    body.require(same, expected, || {
        let count = body.members.len();
        format!("generation {}, leader {}, {count} members", body.generation_id, body.leader)
    })?;
    leader.conn.ask(leader.heartbeat()).await?.expect_ok()?;
    Ok(())
}

/// A follower of a stable group that joins again with other metadata sets off a rebalance: it is
/// not answered before the others have joined again, and the generation rises by 1.
#[scenario("JOINGROUP-018", api = JoinGroup)]
async fn a_follower_with_a_new_subscription_sets_off_a_rebalance(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) = Member::pair(cx, &group).await?;
    let before = leader.generation;
    let other = protocol(RANGE, subscription(&["subscribed", "another"], b""));
    let sent = follower.conn.tell(follower.joined.clone().with_protocols(vec![other])).await?;
    leader.comes_to_see(cx, RebalanceInProgress, GRACE).await?;
    leader.rejoin().await?.expect_ok()?;
    let followed = follower.conn.answer(sent).await?.expect_ok()?;
    expect_generation(&followed, [leader.generation, followed.generation_id], before + 1)
}

/// While a group waits for its assignments (CompletingRebalance), a member that joins again with
/// the same protocols, because its answer was lost, is answered at once with the present
/// generation, and the leader with the whole members list again.
#[scenario("JOINGROUP-019", api = JoinGroup, vary = ["leader", "follower"])]
async fn a_lost_answer_is_given_again(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (leader, follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let (mut member, listed) = if cx.variant() == "leader" { (leader, 2) } else { (follower, 0) };
    let body = member.conn.ask(member.joined.clone()).await?.expect_ok()?;
    let generation = member.generation;
    body.require(
        body.generation_id == generation && body.members.len() == listed,
        format!("generation {generation}, {listed} members"),
        || format!("generation {}, {} members", body.generation_id, body.members.len()),
    )
}

/// While a group waits for its assignments (CompletingRebalance), a member that joins again with
/// other protocols sets off a new rebalance, and every SyncGroup that waits is answered with
/// REBALANCE_IN_PROGRESS (27).
#[scenario("JOINGROUP-020", api = JoinGroup)]
async fn a_new_subscription_releases_waiting_members(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let (mut leader, mut follower) =
        Member::unassigned_pair(cx, join(cx, &group)?, join(cx, &group)?).await?;
    let waiting = follower.conn.tell(follower.sync(cx, &[])?).await?;
    // The rebalance may only begin once the SyncGroup waits; nothing but time tells.
    follower.conn.expect_silence(Duration::from_millis(100)).await?;
    let other = protocol(RANGE, subscription(&["subscribed", "another"], b""));
    let sent = leader.conn.tell(leader.joined.clone().with_protocols(vec![other])).await?;
    follower.conn.answer(waiting).await?.expect_error(RebalanceInProgress)?;

    follower.rejoin().await?.expect_ok()?;
    let led = leader.conn.answer(sent).await?.expect_ok()?;
    led.require(
        led.generation_id == leader.generation + 1,
        format!("generation {}", leader.generation + 1),
        || led.generation_id.to_string(),
    )
}

/// A rebalance ends once every known member has joined again, or else when the largest
/// rebalance_timeout_ms among the members has passed, whatever smaller value the joiner has; a
/// dynamic member that did not join by then is dropped even if it kept sending heartbeats, and its
/// next Heartbeat is refused with UNKNOWN_MEMBER_ID (25).
#[scenario("JOINGROUP-021", api = JoinGroup, versions = 1.., slow)]
async fn a_member_that_misses_the_rebalance_is_dropped(cx: &mut Cx) -> Outcome {
    const LARGEST: Duration = Duration::from_millis(1000);
    let group = cx.group();
    let timed = |ms| Ok::<_, Failure>(join(cx, &group)?.with_rebalance_timeout_ms(ms));
    let mut late = Member::alone_as(cx, timed(1000)?).await?;
    let conn = coordinator(cx, &group).await?;
    let joining = start_joining(cx, conn, timed(100)?).await?;
    let began = cx.now();
    late.sees(cx, RebalanceInProgress).await?;
    let (reply, ..) = joining.reply().await?;
    let took = cx.now() - began;
    let body = reply.expect_ok()?;
    body.require(
        took >= LARGEST - Duration::from_millis(100) && took < LARGEST + GRACE,
        format!("an answer after the largest rebalance timeout, {} ms", LARGEST.as_millis()),
        || format!("{} ms", took.as_millis()),
    )?;
    body.require(body.leader == body.member_id, "the joiner leads", || body.leader.to_string())?;
    late.conn.ask(late.heartbeat()).await?.expect_error(UnknownMemberId)
}

/// Both members are in this generation; the answer to one of them is the evidence.
#[track_caller]
fn expect_generation(
    body: &Body<JoinGroupResponse>,
    members: [i32; 2],
    generation: i32,
) -> Outcome {
    let expected = [generation; 2];
    body.require(members == expected, format!("generations {expected:?}"), || {
        format!("{members:?}")
    })
}
