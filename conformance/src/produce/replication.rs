//! Produce (0) and the other replicas: where the leader is, how many replicas must have a record,
//! and how long the leader waits for them.
//!
//! A partition comes below its min.insync.replicas without any broker's death: a replica that is
//! being added counts among the replicas, and a throttle keeps it out of sync. An ISR that shrinks
//! while a write waits for it takes a broker that dies, see `restarts.rs`.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{BASE_OFFSET, ERROR, NO_SUCH_INDEX, expect_code, result};

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
#[scenario("PRODUCE-047", api = Produce, needs = [ThreeBrokers, Disruption], exclusive)]
async fn too_few_replicas_in_sync_refuse_acks_all(cx: &mut Cx) -> Outcome {
    let short = Short::new(cx).await?;
    let mut leader = cx.leader(&short.to).await?;
    let reply = leader.ask(cx.produce(&short.to, cx.records(&["for all"])?)?).await?;
    reply.expect_error_at(ERROR, NotEnoughReplicas)?;
    reply.expect_answer()?.expect_number(BASE_OFFSET, -1)?;
    let one = cx.produce(&short.to, cx.records(&["for one"])?)?.with_acks(1);
    leader.ask(one).await?.expect_ok()?.expect_number(BASE_OFFSET, short.end)?;
    short.over(cx).await
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
#[scenario(
    "PRODUCE-051", api = Produce, needs = [ThreeBrokers, Disruption, Since(3, 7)],
    exclusive,
)]
async fn a_write_below_min_insync_replicas_is_not_seen(cx: &mut Cx) -> Outcome {
    let short = Short::new(cx).await?;
    let mut leader = cx.leader(&short.to).await?;
    let one = cx.produce(&short.to, cx.records(&["for one"])?)?.with_acks(1);
    leader.ask(one).await?.expect_ok()?.expect_number(BASE_OFFSET, short.end)?;
    // Longer than the follower in sync needs to fetch it.
    cx.sleep(Duration::from_millis(700)).await;
    let end = cx.log_ends(&short.to).await?.end;
    require(end == short.seen, &format!("a high watermark of {}", short.seen), || end.to_string())?;
    short.over(cx).await?;
    seen(cx, &short.to, short.end + 1).await
}

const PATIENCE: Duration = Duration::from_secs(10);

/// A partition below its min.insync.replicas of 3: of its three replicas one is being added and
/// throttled, so that two are in sync.
pub(crate) struct Short {
    pub(crate) to: Partition,
    throttled: i32,
    /// The end of the log.
    pub(crate) end: i64,
    /// The high watermark.
    seen: i64,
}

impl Short {
    pub(crate) async fn new(cx: &Cx) -> Result<Self, Failure> {
        let spec = TopicSpec::default()
            .replication(2)
            .config("min.insync.replicas", 3)
            .config("follower.replication.throttled.replicas", "*");
        let to = cx.topic_with(spec).await?.partition(0);
        // More than a follower gets at once, so that the throttle stops it behind the first fetch.
        let end = 3;
        let mut leader = cx.leader(&to).await?;
        for _ in 0..end {
            let large = Batch::of([Bytes::from(vec![b'x'; 700_000])]).with_timestamp(cx.wall_ms());
            let large = requests::produce(cx.newest(keys::Produce)?, &to, large.encode());
            leader.ask_newest(large.with_acks(1)).await?.ok()?;
        }
        seen(cx, &to, end).await?;
        let mut replicas = replicas(cx, &to).await?;
        let mut brokers = cx.facts().brokers.iter().map(|broker| broker.id);
        let throttled = brokers.find(|id| !replicas.contains(id));
        let throttled =
            throttled.ok_or_else(|| Failure::blocked("a broker without a replica", "none"))?;
        throttle(cx, throttled, Some("1")).await?;
        let mut short = Self { to, throttled, end, seen: end };
        replicas.push(throttled);
        if let Err(failure) = short.come_about(cx, &replicas).await {
            short.over(cx).await?;
            return Err(failure);
        }
        Ok(short)
    }

    /// Adds the replica, and waits until the leader counts it.
    async fn come_about(&mut self, cx: &Cx, wanted: &[i32]) -> Outcome {
        reassign(cx, &self.to, Some(wanted)).await?;
        let mut tries = cx.tries("a leader that counts three replicas", PATIENCE);
        while replicas(cx, &self.to).await?.len() < 3 {
            tries.again("two replicas").await?;
        }
        let mut leader = cx.leader(&self.to).await?;
        loop {
            let version = cx.newest(keys::Produce)?;
            let records = requests::records(version, &["probe"], cx.wall_ms());
            let probe = requests::produce(version, &self.to, records).with_acks(1);
            leader.ask_newest(probe).await?.ok()?;
            self.end += 1;
            // Longer than the follower in sync needs to fetch it.
            cx.sleep(Duration::from_millis(500)).await;
            self.seen = cx.log_ends(&self.to).await?.end;
            // It has told of the replica before it counts it. Then it holds the high watermark
            // back, which older releases never did.
            if self.seen < self.end || !cx.since(3, 7) {
                return Ok(());
            }
            tries.again(format!("a high watermark of {}", self.seen)).await?;
        }
    }

    /// Takes the replica away again: two of two are in sync.
    pub(crate) async fn over(&self, cx: &Cx) -> Outcome {
        let cancelled = reassign(cx, &self.to, None).await;
        throttle(cx, self.throttled, None).await?;
        cancelled
    }
}

/// Sets the rate at which this broker fetches throttled replicas, in bytes a second, or takes it back.
async fn throttle(cx: &Cx, broker: i32, rate: Option<&str>) -> Outcome {
    let name = "follower.replication.throttled.rate";
    let request = requests::broker_setting(Some(broker), name, rate);
    cx.connect_broker(broker).await?.ask_newest(request).await?.ok().map(drop)
}

/// Moves the partition to these replicas, or takes such a move back.
async fn reassign(cx: &Cx, of: &Partition, to: Option<&[i32]>) -> Outcome {
    let order = requests::reassignment(of, to);
    cx.connect().await?.ask_newest(order).await?.ok().map(drop)
}

/// The replicas of the partition, as its leader tells them.
async fn replicas(cx: &Cx, of: &Partition) -> Result<Vec<i32>, Failure> {
    let mut conn = cx.leader(of).await?;
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&of.topic]);
    let body = conn.ask_newest(about).await?.ok()?;
    let found = body.topics.iter().flat_map(|topic| &topic.partitions);
    let mut found = found.filter(|partition| partition.partition_index == of.index);
    let partition = found.next().ok_or_else(|| Failure::blocked("the partition", "none"))?;
    Ok(partition.replica_nodes.iter().map(|id| id.0).collect())
}

/// The act: consumers come to see the log up to this end.
async fn seen(cx: &Cx, of: &Partition, wanted: i64) -> Outcome {
    let mut tries = cx.tries(format!("a high watermark of {wanted}"), PATIENCE);
    loop {
        let end = cx.log_ends(of).await?.end;
        if end == wanted {
            return Ok(());
        }
        tries.expect(end).await?;
    }
}
