//! DescribeProducers (61): what a partition knows of its producers, for whoever looks for the one that holds it up.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::ProducerState;
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, TopicName};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::wire::records::Marker;

use super::writer::Writer;
use crate::producer::{Producer, last_stable, stable_at};

scenarios![
    an_idempotent_producer_is_shown,
    a_transactional_producer_is_shown,
    a_partition_that_is_not_there_is_refused,
    a_topic_of_others_is_refused,
    a_broker_without_a_replica_refuses,
    the_transaction_that_holds_back_readers_is_found,
];

/// Where the answer says what became of one partition.
const DESCRIBED: &str = "topics[0].partitions[0].error_code";

/// DescribeProducers, asked of a leader, names the producers that the partition knows, each with
/// producer id, epoch, last sequence number, timestamp of its last batch, coordinator_epoch (-1
/// until its first marker on the partition, inside its first transaction too) and
/// current_txn_start_offset (-1 outside of a transaction). After a marker the last sequence number
/// stays where the epoch stayed, and is -1 where the marker brought a new one.
#[scenario("DESCPROD-001", api = DescribeProducers)]
async fn an_idempotent_producer_is_shown(cx: &mut Cx) -> Outcome {
    let mut writer = Writer::new(cx).await?;
    writer.singles(cx, 2).await?;
    let last = writer.batch(cx, &["a", "b", "c"], 2);
    writer.send(cx, &last).await?.ok()?;
    let body = writer.leader.ask(describe(&writer.to)).await?.expect_ok()?;
    expect(&body, &[shown(writer.id, writer.epoch, 4, last.max_timestamp, -1, -1)])
}

/// DescribeProducers, asked of a leader, names the producers that the partition knows, each with
/// producer id, epoch, last sequence number, timestamp of its last batch, coordinator_epoch (-1
/// until its first marker on the partition, inside its first transaction too) and
/// current_txn_start_offset (-1 outside of a transaction). After a marker the last sequence number
/// stays where the epoch stayed, and is -1 where the marker brought a new one.
#[scenario(
    "DESCPROD-001", api = DescribeProducers, vary = ["open", "ended by v4", "ended by v5", "next"],
)]
async fn a_transactional_producer_is_shown(cx: &mut Cx) -> Outcome {
    let by_5 = cx.variant() == "ended by v5";
    if by_5 && cx.facts().feature("transaction.version") < 1 {
        return Err(Failure::NotRun("feature transaction.version finalized at 1 or above".into()));
    }
    let log = cx.partition().await?;
    cx.write(&log, &["before"]).await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["a", "b"], 0).await?;
    if cx.variant() != "open" {
        let end = producer.end_txn(Marker::Commit);
        let version = if by_5 { 5 } else { cx.newest(keys::EndTxn)?.min(4) };
        producer.coordinator.ask_at(version, end, &[]).await?.ok()?;
        stable_at(cx, &log, 4).await?;
    }
    if cx.variant() == "next" {
        producer.write(cx, &log, &["c"], 2).await?;
    }
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(describe(&log)).await?.expect_ok()?;
    let found = only(&body)?;
    // The marker of version 5 brings a new epoch, in which nothing was written yet.
    let (epoch, sequence, start) = match cx.variant() {
        "open" => (producer.epoch, 1, 1),
        "ended by v4" => (producer.epoch, 1, -1),
        "ended by v5" => (producer.epoch + 1, -1, -1),
        _ => (producer.epoch, 2, 4),
    };
    let (at, by) = (found.last_timestamp, found.coordinator_epoch);
    expect(&body, &[shown(producer.id, epoch, sequence, at, by, start)])?;
    let marked = cx.variant() != "open";
    body.require((by >= 0) == marked, "a coordinator epoch once there is a marker, else -1", || {
        by.to_string()
    })
}

/// DescribeProducers answers for each partition by itself: an unknown topic or partition gets
/// UNKNOWN_TOPIC_OR_PARTITION (3), a topic name that cannot be INVALID_TOPIC_EXCEPTION (17), a
/// topic without READ (DESCRIBE is not enough) TOPIC_AUTHORIZATION_FAILED (29), and a partition of
/// which the broker has no replica NOT_LEADER_OR_FOLLOWER (6); a follower answers 0 from its own
/// log.
#[scenario(
    "DESCPROD-002", api = DescribeProducers,
    vary = ["unknown topic", "unknown partition", "impossible name"],
)]
async fn a_partition_that_is_not_there_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let (asked, refusal) = match cx.variant() {
        "unknown topic" => {
            (Partition { topic: cx.name("nowhere"), ..partition }, UnknownTopicOrPartition)
        }
        "unknown partition" => {
            (Partition { index: 1_000_000, ..partition }, UnknownTopicOrPartition)
        }
        _ => (Partition { topic: "no such/name".to_owned(), ..partition }, InvalidTopicException),
    };
    let mut conn = cx.connect().await?;
    let reply = conn.ask(describe(&asked)).await?;
    reply.expect_error_at(DESCRIBED, refusal)
}

/// DescribeProducers answers for each partition by itself: an unknown topic or partition gets
/// UNKNOWN_TOPIC_OR_PARTITION (3), a topic name that cannot be INVALID_TOPIC_EXCEPTION (17), a
/// topic without READ (DESCRIBE is not enough) TOPIC_AUTHORIZATION_FAILED (29), and a partition of
/// which the broker has no replica NOT_LEADER_OR_FOLLOWER (6); a follower answers 0 from its own
/// log.
#[scenario(
    "DESCPROD-002", api = DescribeProducers,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn a_topic_of_others_is_refused(cx: &mut Cx) -> Outcome {
    let partition = cx.topic().await?.partition(0);
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let right = Resource::Topic(&partition.topic);
    cx.grant(&mut stranger, &name, right, Operation::Describe).await?;
    let reply = stranger.ask(describe(&partition)).await?;
    reply.expect_error_at(DESCRIBED, TopicAuthorizationFailed)
}

/// DescribeProducers answers for each partition by itself: an unknown topic or partition gets
/// UNKNOWN_TOPIC_OR_PARTITION (3), a topic name that cannot be INVALID_TOPIC_EXCEPTION (17), a
/// topic without READ (DESCRIBE is not enough) TOPIC_AUTHORIZATION_FAILED (29), and a partition of
/// which the broker has no replica NOT_LEADER_OR_FOLLOWER (6); a follower answers 0 from its own
/// log.
#[scenario(
    "DESCPROD-002", api = DescribeProducers, needs = [ThreeBrokers],
    vary = ["no replica", "follower"],
)]
async fn a_broker_without_a_replica_refuses(cx: &mut Cx) -> Outcome {
    let follower = cx.variant() == "follower";
    let replicas = if follower { 3 } else { 1 };
    let topic = cx.topic_with(TopicSpec::default().replication(replicas)).await?;
    let partition = topic.partition(0);
    let mut writer = Writer::to(cx, partition.clone()).await?;
    if follower {
        writer.singles(cx, 1).await?;
    }
    let other = cx.bystander(&partition, follower).await?;
    let mut other = cx.connect_knowing(other, &partition).await?;
    if !follower {
        let reply = other.ask(describe(&partition)).await?;
        return reply.expect_error_at(DESCRIBED, NotLeaderOrFollower);
    }
    // The follower may be a moment behind.
    let mut tries = cx.tries("the follower to know the producer", Duration::from_secs(10));
    loop {
        let body = other.ask(describe(&partition)).await?.expect_ok()?;
        if body
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .any(|one| one.active_producers.iter().any(|known| known.producer_id.0 == writer.id))
        {
            return Ok(());
        }
        tries.expect("it does not").await?;
    }
}

/// While a transaction is open, current_txn_start_offset of its producer is the offset of its first
/// record on the partition, and where no transaction is older that is the last stable offset: so
/// the transaction that holds back readers can be found.
#[scenario("DESCPROD-003", api = DescribeProducers)]
async fn the_transaction_that_holds_back_readers_is_found(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let (mut first, mut second) = (Producer::new(cx).await?, Producer::new(cx).await?);
    cx.write(&log, &["before"]).await?;
    first.write(cx, &log, &["held"], 0).await?;
    second.write(cx, &log, &["behind"], 0).await?;
    first.write(cx, &log, &["held"], 1).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(describe(&log)).await?.expect_ok()?;
    let mut starts: Vec<_> = producers(&body)?
        .iter()
        .map(|known| (known.current_txn_start_offset, known.producer_id.0))
        .collect();
    starts.sort_unstable();
    let expected = vec![(1, first.id), (2, second.id)];
    body.require(starts == expected, format!("{expected:?}"), || format!("{starts:?}"))?;
    let stable = last_stable(cx, &log).await?;
    require(stable == 1, "the last stable offset 1", || stable.to_string())
}

/// A question for one partition.
pub(super) fn describe(of: &Partition) -> DescribeProducersRequest {
    let topic = TopicRequest::default()
        .with_name(TopicName(text(&of.topic)))
        .with_partition_indexes(vec![of.index]);
    DescribeProducersRequest::default().with_topics(vec![topic])
}

/// The producers of the one partition of the answer.
#[track_caller]
pub(super) fn producers(
    body: &Body<DescribeProducersResponse>,
) -> Result<&[ProducerState], Failure> {
    let found = body.topics.first().and_then(|topic| topic.partitions.first());
    let found = found.ok_or_else(|| Failure::failed("one partition", "none"))?;
    Ok(&found.active_producers)
}

/// The only producer of the one partition of the answer.
#[track_caller]
pub(super) fn only(body: &Body<DescribeProducersResponse>) -> Result<&ProducerState, Failure> {
    match producers(body)? {
        [only] => Ok(only),
        several => Err(Failure::failed("one producer", format!("{several:?}"))),
    }
}

fn shown(id: i64, epoch: i16, sequence: i32, at: i64, by: i32, start: i64) -> ProducerState {
    ProducerState::default()
        .with_producer_id(id.into())
        .with_producer_epoch(epoch.into())
        .with_last_sequence(sequence)
        .with_last_timestamp(at)
        .with_coordinator_epoch(by)
        .with_current_txn_start_offset(start)
}

/// The act: the partition knows just these producers.
#[track_caller]
fn expect(body: &Body<DescribeProducersResponse>, expected: &[ProducerState]) -> Outcome {
    let found = producers(body)?;
    body.require(found == expected, format!("{expected:?}"), || format!("{found:?}"))
}
