//! Fetch (1): brokers that do not lead the partition: followers that serve consumers near them
//! (KIP-392, version 11), and brokers that name the leader (KIP-951, version 16).
//!
//! Needs three brokers, and for the preferred replica a rack for each of them.

use kafka_protocol::messages::FetchResponse;
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

use super::answers::{ERROR, LONG_WAIT, at_once, expect_code, expect_offsets, result};
use super::epochs::with_epoch;

scenarios![
    an_old_consumer_is_not_served_by_a_follower,
    a_follower_serves_what_is_replicated,
    a_follower_ends_the_wait_when_records_arrive,
    a_follower_checks_the_epoch_first,
    a_follower_fences_an_old_epoch,
    the_leader_names_a_replica_in_the_rack,
    without_a_replica_in_the_rack_the_leader_serves,
    a_broker_that_does_not_lead_names_the_leader,
    a_fenced_consumer_is_told_the_leader,
    an_old_leader_names_the_new_one,
    a_leader_that_moves_away_ends_the_wait,
];

const PREFERRED: &str = "responses[0].partitions[0].preferred_read_replica";
const LEADER: &str = "responses[0].partitions[0].current_leader";

/// A consumer's Fetch sent to a follower is refused with NOT_LEADER_OR_FOLLOWER (6) at once up to
/// version 10; from version 11 on (KIP-392) the follower serves the records up to its high
/// watermark.
#[scenario("FETCH-016", api = Fetch, versions = 4..=10, needs = [ThreeBrokers])]
async fn an_old_consumer_is_not_served_by_a_follower(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    cx.write(&from, &["a"]).await?;
    let mut follower = follower(cx, &from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let body = follower.ask(request).await?.expect_answer()?;
    expect_code(&body, &from, NotLeaderOrFollower)?;
    at_once(&body)
}

/// A consumer's Fetch sent to a follower is refused with NOT_LEADER_OR_FOLLOWER (6) at once up to
/// version 10; from version 11 on (KIP-392) the follower serves the records up to its high
/// watermark.
#[scenario("FETCH-016", api = Fetch, versions = 11.., needs = [ThreeBrokers])]
async fn a_follower_serves_what_is_replicated(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut follower = follower(cx, &from).await?;
    // A follower learns with its next fetch what all replicas in sync have.
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let body = follower.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1])?;
    body.expect_number("responses[0].partitions[0].high_watermark", 2)?;
    body.expect_number(PREFERRED, -1)
}

/// A Fetch that waits at a follower is answered when replication brings records there, well before
/// max_wait_ms.
#[scenario("FETCH-081", api = Fetch, versions = 11.., needs = [ThreeBrokers])]
async fn a_follower_ends_the_wait_when_records_arrive(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    let mut follower = follower(cx, &from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let waiting = follower.tell(request).await?;
    // Long enough for the broker to find nothing and begin to wait.
    cx.sleep(Duration::from_millis(100)).await;
    cx.write(&from, &["news"]).await?;
    let body = follower.answer(waiting).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    at_once(&body)
}

/// The leader epoch is checked before leadership: a follower answers FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) rather than NOT_LEADER_OR_FOLLOWER (6) when current_leader_epoch is
/// lower or higher than its own.
#[scenario("FETCH-019", api = Fetch, versions = 9.., needs = [ThreeBrokers])]
async fn a_follower_checks_the_epoch_first(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    let epoch = cx.leadership(&from).await?.epoch;
    let mut follower = follower(cx, &from).await?;
    let body = follower.ask(with_epoch(cx.fetch(&from, 0)?, epoch + 1)).await?.expect_answer()?;
    expect_code(&body, &from, UnknownLeaderEpoch)?;
    // With the right epoch it is the leader check that decides, up to version 10.
    let body = follower.ask(with_epoch(cx.fetch(&from, 0)?, epoch)).await?.expect_answer()?;
    let code = if cx.version() < 11 { NotLeaderOrFollower.into() } else { Code::NONE };
    expect_code(&body, &from, code)
}

/// The leader epoch is checked before leadership: a follower answers FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) rather than NOT_LEADER_OR_FOLLOWER (6) when current_leader_epoch is
/// lower or higher than its own.
#[scenario("FETCH-019", api = Fetch, versions = 9.., needs = [ThreeBrokers])]
async fn a_follower_fences_an_old_epoch(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&from).await?.epoch;
    let mut others: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    others.retain(|id| *id != from.leader);
    others.truncate(2);
    let leader = move_to(cx, &from, &others).await?;
    others.retain(|id| *id != leader);
    let Some(follower) = others.first() else {
        return Err(Failure::blocked("a follower", format!("broker {leader} alone")));
    };
    let mut follower = cx.connect_broker(*follower).await?;
    let mut tries = cx.tries("the follower to know the new epoch", Duration::from_secs(10));
    loop {
        let request = with_epoch(cx.fetch(&from, 0)?, old);
        let body = follower.ask(request).await?.expect_answer()?;
        let got = Code(result(&body, &from)?.error_code);
        if got == FencedLeaderEpoch.into() {
            return Ok(());
        }
        tries.expect(got).await?;
    }
}

/// With RackAwareReplicaSelector on the broker and a replica in sync in the consumer's rack, the
/// leader answers with error 0, the id of that replica in preferred_read_replica, and no records,
/// at once.
#[scenario("FETCH-060", api = Fetch, versions = 11.., needs = [ThreeBrokers,
           Config("replica.selector.class")])]
async fn the_leader_names_a_replica_in_the_rack(cx: &mut Cx) -> Outcome {
    let from = replicated(cx).await?;
    cx.write(&from, &["a"]).await?;
    let near = another(cx, from.leader)?;
    let rack = rack_of(cx, near)?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 1)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    for request in [request, cx.fetch(&from, 0)?] {
        let body = leader.ask(request.with_rack_id(text(&rack))).await?.expect_ok()?;
        body.expect_number(PREFERRED, near.into())?;
        expect_offsets(&body, &from, &[])?;
        at_once(&body)?;
    }
    Ok(())
}

/// With a rack_id in which there is no replica, or without a replica selector on the broker, the
/// leader serves the records itself, with preferred_read_replica -1.
#[scenario("FETCH-059", api = Fetch, versions = 11..)]
async fn without_a_replica_in_the_rack_the_leader_serves(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_rack_id(text("a-rack-of-nobody"));
    let body = leader.ask(request).await?.expect_ok()?;
    body.expect_number(PREFERRED, -1)?;
    expect_offsets(&body, &from, &[0])
}

/// From version 16 on (KIP-951), NOT_LEADER_OR_FOLLOWER (6) and FENCED_LEADER_EPOCH (74) come with
/// the leader and its epoch in current_leader (tag 1 of the partition) and its endpoint in
/// node_endpoints (tag 0 at the top). Versions 12 to 15 leave current_leader at -1.
#[scenario("FETCH-017", api = Fetch, versions = 12.., needs = [ThreeBrokers])]
async fn a_broker_that_does_not_lead_names_the_leader(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let epoch = cx.leadership(&from).await?.epoch;
    let mut stranger = cx.connect_knowing(another(cx, from.leader)?, &from).await?;
    let body = stranger.ask(cx.fetch(&from, 0)?).await?.expect_answer()?;
    expect_code(&body, &from, NotLeaderOrFollower)?;
    expect_leader(cx, &body, from.leader, epoch)
}

/// From version 16 on (KIP-951), NOT_LEADER_OR_FOLLOWER (6) and FENCED_LEADER_EPOCH (74) come with
/// the leader and its epoch in current_leader (tag 1 of the partition) and its endpoint in
/// node_endpoints (tag 0 at the top). Versions 12 to 15 leave current_leader at -1.
#[scenario("FETCH-017", api = Fetch, versions = 12.., needs = [ThreeBrokers])]
async fn a_fenced_consumer_is_told_the_leader(cx: &mut Cx) -> Outcome {
    let (from, [_, new]) = moved(cx).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(with_epoch(cx.fetch(&from, 0)?, 0)).await?.expect_answer()?;
    expect_code(&body, &from, FencedLeaderEpoch)?;
    expect_leader(cx, &body, from.leader, new)
}

/// After a partition has moved to another broker, its old leader answers NOT_LEADER_OR_FOLLOWER
/// (6), from version 16 on with the new leader and its epoch in current_leader and its endpoint in
/// node_endpoints.
#[scenario("FETCH-082", api = Fetch, versions = 4.., needs = [ThreeBrokers])]
async fn an_old_leader_names_the_new_one(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    cx.write(&from, &["a"]).await?;
    let mut old = cx.leader(&from).await?;
    let to = another(cx, from.leader)?;
    move_to(cx, &from, &[to]).await?;
    let mut tries = cx.tries("the old leader to step down", Duration::from_secs(10));
    loop {
        let body = old.ask(cx.fetch(&from, 0)?).await?.expect_answer()?;
        if Code(result(&body, &from)?.error_code) == Code::NONE {
            // The metadata of the broker that was asked may be ahead of the old leader's.
            tries.expect("it still serves").await?;
            continue;
        }
        expect_code(&body, &from, NotLeaderOrFollower)?;
        let epoch = cx.leadership(&from).await?.epoch;
        return if cx.version() < 16 { Ok(()) } else { expect_leader(cx, &body, to, epoch) };
    }
}

/// A Fetch that waits at a leader which then loses the partition is answered with
/// NOT_LEADER_OR_FOLLOWER (6), without the rest of the wait.
#[scenario("FETCH-083", api = Fetch, versions = 4.., needs = [ThreeBrokers])]
async fn a_leader_that_moves_away_ends_the_wait(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let mut old = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let waiting = old.tell(request).await?;
    // Long enough for the broker to find nothing and begin to wait.
    cx.sleep(Duration::from_millis(100)).await;
    move_to(cx, &from, &[another(cx, from.leader)?]).await?;
    let reply = old.answer(waiting).await?;
    reply.expect_error_at(ERROR, NotLeaderOrFollower)?;
    let body = reply.expect_answer()?;
    body.require(body.took() < LEFT_WITHIN, "an answer once the partition has moved", || {
        format!("after {:?}", body.took())
    })
}

/// A reassignment takes its time, the more so on a loaded cluster; still less than the wait.
const LEFT_WITHIN: Duration = Duration::from_secs(8);

/// A broker other than this one.
pub(super) fn another(cx: &Cx, than: i32) -> Result<i32, Failure> {
    let mut others = cx.facts().brokers.iter().map(|broker| broker.id);
    others
        .find(|id| *id != than)
        .ok_or_else(|| Failure::blocked("a second broker", format!("broker {than} alone")))
}

/// A partition that every broker of three has a replica of.
pub(super) async fn replicated(cx: &Cx) -> Result<Partition, Failure> {
    Ok(cx.topic_with(TopicSpec::default().replication(3)).await?.partition(0))
}

/// A connection to a broker that follows the leader of this partition, and has taken up that duty.
pub(super) async fn follower(cx: &Cx, of: &Partition) -> Result<Conn, Failure> {
    let mut conn = cx.connect_broker(another(cx, of.leader)?).await?;
    let version = cx.newest(keys::Fetch)?;
    let request = requests::fetch(version, of, 0);
    let on_its_way = [Code(3), Code(5), Code(6), Code(100)];
    cx.settle_at(&mut conn, version, &request, &on_its_way).await?.ok()?;
    Ok(conn)
}

/// A partition with one replica that has moved from one broker to another: where it is now, and the
/// leader epochs before and after.
async fn moved(cx: &Cx) -> Result<(Partition, [i32; 2]), Failure> {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&from).await?.epoch;
    let from = cx.move_to(&from, another(cx, from.leader)?).await?;
    cx.write(&from, &["a"]).await?;
    let new = cx.leadership(&from).await?.epoch;
    Ok((from, [old, new]))
}

/// Moves the partition to these brokers, none of which had it, and gives the one that leads it then,
/// with a new epoch. What the old leader does meanwhile is the scenario's matter, so this waits for
/// no more than that.
async fn move_to(cx: &Cx, what: &Partition, brokers: &[i32]) -> Result<i32, Failure> {
    let mut conn = cx.connect().await?;
    conn.ask_newest(requests::reassignment(what, Some(brokers))).await?.ok()?;
    let mut tries = cx.tries("the partition to move", Duration::from_secs(30));
    loop {
        let leader = cx.leadership(what).await?.leader;
        if brokers.contains(&leader) {
            return Ok(leader);
        }
        tries.again(format!("led by broker {leader}")).await?;
    }
}

/// The rack of this broker, by the metadata.
fn rack_of(cx: &Cx, id: i32) -> Result<String, Failure> {
    let broker = cx.facts().brokers.iter().find(|broker| broker.id == id);
    broker
        .and_then(|broker| broker.rack.clone())
        .ok_or_else(|| Failure::NotRun("a rack for each broker (broker.rack)".to_owned()))
}

/// From version 16 on the answer names this leader with this epoch, and where it is; before, nobody.
fn expect_leader(cx: &Cx, body: &Body<FetchResponse>, leader: i32, epoch: i32) -> Outcome {
    if cx.version() < 16 {
        body.expect_number(&format!("{LEADER}.leader_id"), -1)?;
        return body.expect_number(&format!("{LEADER}.leader_epoch"), -1);
    }
    body.expect_number(&format!("{LEADER}.leader_id"), leader.into())?;
    body.expect_number(&format!("{LEADER}.leader_epoch"), epoch.into())?;
    let Some(known) = cx.facts().brokers.iter().find(|broker| broker.id == leader) else {
        return Err(Failure::blocked(format!("broker {leader}"), "none"));
    };
    let got: Vec<_> = body
        .node_endpoints
        .iter()
        .map(|node| {
            (
                node.node_id.0,
                node.host.to_string(),
                node.port,
                node.rack.as_ref().map(|r| r.to_string()),
            )
        })
        .collect();
    let expected = (leader, known.host.clone(), i32::from(known.port), known.rack.clone());
    body.require(got == [expected.clone()], format!("the endpoint {expected:?}"), || {
        format!("{got:?}")
    })
}
