//! Produce (0) and the other replicas: where the leader is, how many replicas must have a record,
//! and how long the leader waits for them.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{BASE_OFFSET, ERROR, NO_SUCH_INDEX, expect_code, result};
use crate::in_sync::{Short, seen};

/// How long replication may take, or its end.
const PATIENCE: Duration = Duration::from_secs(20);

scenarios![
    a_broker_that_does_not_lead_names_the_leader,
    no_leader_is_named_without_need,
    too_few_replicas_in_sync_refuse_acks_all,
    one_replica_is_enough_for_itself,
    a_write_that_is_not_replicated_in_time_is_kept,
    a_write_below_min_insync_replicas_is_not_seen,
];

/// With NOT_LEADER_OR_FOLLOWER (6) the partition's current_leader (tag 0) holds the leader's id and
/// epoch, and node_endpoints of the answer (tag 0) its host and port; on success and with other
/// errors neither is there.
#[scenario(
    "PRODUCE-012", api = Produce, versions = 10..,
    needs = [ThreeBrokers, Since(3, 7)],
)]
async fn a_broker_that_does_not_lead_names_the_leader(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let brokers = &cx.facts().brokers;
    let other = brokers.iter().find(|broker| broker.id != to.leader);
    let leader = brokers.iter().find(|broker| broker.id == to.leader);
    let (Some(other), Some(leader)) = (other, leader) else {
        return Err(Failure::blocked("a leader and another broker", format!("{brokers:?}")));
    };
    let mut conn = cx.connect_knowing(other.id, &to).await?;
    let reply = conn.ask(cx.produce(&to, cx.records(&["astray"])?)?).await?;
    reply.expect_error_at(ERROR, NotLeaderOrFollower)?;
    let body = reply.expect_answer()?;
    let told = &result(&body, &to)?.current_leader;
    let told = (told.leader_id.0, told.leader_epoch);
    body.require(told == (leader.id, 0), format!("leader {} in epoch 0", leader.id), || {
        format!("{told:?}")
    })?;
    let nodes = body.node_endpoints.iter();
    let nodes: Vec<_> =
        nodes.map(|node| (node.node_id.0, node.host.to_string(), node.port)).collect();
    let expected = vec![(leader.id, leader.host.clone(), i32::from(leader.port))];
    body.require(nodes == expected, format!("{expected:?}"), || format!("{nodes:?}"))
}

/// With NOT_LEADER_OR_FOLLOWER (6) the partition's current_leader (tag 0) holds the leader's id and
/// epoch, and node_endpoints of the answer (tag 0) its host and port; on success and with other
/// errors neither is there.
#[scenario(
    "PRODUCE-012", api = Produce, versions = 10..,
    vary = ["success", "unknown partition"],
)]
async fn no_leader_is_named_without_need(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let (to, code) = match cx.variant() {
        "success" => (to, Code::NONE),
        _ => (Partition { index: NO_SUCH_INDEX, ..to }, UnknownTopicOrPartition.into()),
    };
    let body = leader.ask(cx.produce(&to, cx.records(&["a"])?)?).await?.expect_answer()?;
    expect_code(&body, &to, code)?;
    let told = &result(&body, &to)?.current_leader;
    let told = (told.leader_id.0, told.leader_epoch, body.node_endpoints.len());
    body.require(told == (-1, -1, 0), "no current_leader and no node_endpoints", || {
        format!("leader {} in epoch {} and {} nodes", told.0, told.1, told.2)
    })
}

/// Where fewer replicas are in sync than min.insync.replicas asks for, a write with acks = -1 is
/// refused with NOT_ENOUGH_REPLICAS (19) and not appended; with acks = 1 it is appended and answered
/// with 0.
#[scenario("PRODUCE-047", api = Produce, needs = [ThreeBrokers, Disruption])]
async fn too_few_replicas_in_sync_refuse_acks_all(cx: &mut Cx) -> Outcome {
    let mut short = Short::ordered(cx, 1).await?;
    let refused = refuse_acks_all(cx, &mut short).await;
    short.over(cx, refused).await
}

/// The act, from when the leader counts the replica that is being added.
async fn refuse_acks_all(cx: &Cx, short: &mut Short) -> Outcome {
    let mut leader = cx.leader(&short.to).await?;
    let mut tries = cx.tries("a refusal of acks = -1", PATIENCE);
    loop {
        let all = cx.produce(&short.to, cx.records(&["for all"])?)?;
        let reply = leader.ask(all).await?;
        let code = reply.at(ERROR)?;
        if code != Value::Int(0) && code != Value::Int(NotEnoughReplicasAfterAppend.code().into()) {
            reply.expect_error_at(ERROR, NotEnoughReplicas)?;
            reply.expect_answer()?.expect_number(BASE_OFFSET, -1)?;
            break;
        }
        short.end += 1;
        tries.expect(format!("error {code:?}")).await?;
    }
    let one = cx.produce(&short.to, cx.records(&["for one"])?)?.with_acks(1);
    leader.ask(one).await?.expect_ok()?.expect_number(BASE_OFFSET, short.end)
}

/// Where a partition has fewer replicas than min.insync.replicas asks for, and all of them are in
/// sync, a write with acks = -1 is answered with 0 (from 3.7 on; older releases refuse it with
/// NOT_ENOUGH_REPLICAS (19)).
#[scenario("PRODUCE-048", api = Produce)]
async fn one_replica_is_enough_for_itself(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().replication(1).config("min.insync.replicas", 2);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, cx.records(&["alone"])?)?).await?;
    // KAFKA-15583.
    if cx.since(3, 7) {
        reply.expect_ok()?.expect_number(BASE_OFFSET, 0)
    } else {
        reply.expect_error_at(ERROR, NotEnoughReplicas)
    }
}

/// A write with acks = -1 that the replicas in sync do not have within timeout_ms is answered with
/// REQUEST_TIMED_OUT (7) and the base_offset that it got: it was appended, and comes to be readable
/// as soon as they have it.
#[scenario("PRODUCE-050", api = Produce, needs = [ThreeBrokers])]
async fn a_write_that_is_not_replicated_in_time_is_kept(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(TopicSpec::default().replication(3)).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    // No follower has a record in no time; should one be lucky, the next will not.
    let mut tries = cx.tries("a write that followers are too slow for", PATIENCE);
    let mut offset = 0;
    loop {
        let hasty = cx.produce(&to, cx.records(&["hasty"])?)?.with_timeout_ms(0);
        let reply = leader.ask(hasty).await?;
        let late = reply.at(ERROR)? != Value::Int(0);
        if late {
            reply.expect_error_at(ERROR, RequestTimedOut)?;
        }
        reply.expect_answer()?.expect_number(BASE_OFFSET, offset)?;
        offset += 1;
        if late {
            break;
        }
        tries.expect("error 0").await?;
    }
    seen(cx, &to, offset).await
}

/// Below min.insync.replicas a write with acks = 1 is answered with 0 but consumers do not see it:
/// the high watermark stays until enough replicas are in sync again (from 3.7 on; in older releases
/// it goes on).
#[scenario("PRODUCE-051", api = Produce, needs = [ThreeBrokers, Disruption, Since(3, 7)])]
async fn a_write_below_min_insync_replicas_is_not_seen(cx: &mut Cx) -> Outcome {
    let short = Short::new(cx, 1).await?;
    short.over(cx, write_unseen(cx, &short).await).await?;
    seen(cx, &short.to, short.end + 1).await
}

/// The act. The leader is the only replica in sync: nobody else has to fetch the record first.
async fn write_unseen(cx: &Cx, short: &Short) -> Outcome {
    let mut leader = cx.leader(&short.to).await?;
    let one = cx.produce(&short.to, cx.records(&["for one"])?)?.with_acks(1);
    leader.ask(one).await?.expect_ok()?.expect_number(BASE_OFFSET, short.end)?;
    let end = cx.log_ends(&short.to).await?.end;
    require(end == short.mark, &format!("a high watermark of {}", short.mark), || end.to_string())
}
