//! WriteTxnMarkers (27): the request by which coordinators end a transaction on its partitions, and by which an operator
//! ends one that its coordinator forgot. Version 2 says by which protocol the transaction is (KIP-1228).
//!
//! Markers are written on test brokers alone: they end transactions behind their coordinator's back.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::{Struct, Value};

use super::known_to_partitions::{describe, only};
use crate::producer::{Producer, last_stable, stable_at};

scenarios![
    a_principal_without_the_right_writes_no_marker,
    each_partition_gets_its_own_answer,
    nothing_asked_is_nothing_answered,
    a_late_marker_is_refused,
    a_marker_that_is_due_is_written,
    a_marker_of_the_second_protocol_has_a_higher_epoch,
    a_repeated_marker_of_the_second_protocol_is_accepted,
    a_hanging_transaction_is_ended_by_hand,
];

/// Where the answer says what became of the marker on the first partition.
const WRITTEN: &str = "markers[0].topics[0].partitions[0].error_code";

/// WriteTxnMarkers needs CLUSTER_ACTION or ALTER on the cluster: without it each partition gets
/// CLUSTER_AUTHORIZATION_FAILED (31), and nothing is written. Where there is no authorizer it is
/// accepted from anybody.
#[scenario(
    "WTM-001", api = WriteTxnMarkers,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn a_principal_without_the_right_writes_no_marker(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    let mut stranger =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let marker = MarkerOf::producer(&producer, Marker::Abort);
    let reply = marker.ask(cx, &mut stranger, &[&log]).await?;
    reply.expect_error_at(WRITTEN, ClusterAuthorizationFailed)?;
    let stable = last_stable(cx, &log).await?;
    require(stable == 0, "the transaction open at offset 0", || stable.to_string())
}

/// WriteTxnMarkers answers for each partition by itself: an unknown topic or partition gets
/// UNKNOWN_TOPIC_OR_PARTITION (3), and the others get their marker; an empty list of markers gets
/// an empty list.
#[scenario("WTM-002", api = WriteTxnMarkers, needs = [Disruption, Loopback])]
async fn each_partition_gets_its_own_answer(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let nowhere = Partition { topic: cx.name("nowhere"), index: 0, ..log.clone() };
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    let marker = MarkerOf::producer(&producer, Marker::Abort);
    let reply = marker.ask(cx, &mut leader, &[&log, &nowhere]).await?;
    let mut codes: Vec<_> = reply.errors()?.into_iter().map(|(_, code)| code).collect();
    codes.sort();
    let expected = [Code::NONE, UnknownTopicOrPartition.into()];
    require(codes == expected, &format!("{expected:?}"), || format!("{codes:?}"))?;
    stable_at(cx, &log, 2).await
}

/// WriteTxnMarkers answers for each partition by itself: an unknown topic or partition gets
/// UNKNOWN_TOPIC_OR_PARTITION (3), and the others get their marker; an empty list of markers gets
/// an empty list.
#[scenario("WTM-002", api = WriteTxnMarkers, needs = [Disruption, Loopback])]
async fn nothing_asked_is_nothing_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let nothing = Struct::new().with("markers", Vec::<Value>::new()).into();
    let body = conn.ask_value(cx.key(), cx.version(), &nothing).await?.expect_answer()?;
    let markers = body.at("markers")?;
    body.require(markers == Value::Array(Vec::new()), "an empty list", || markers.to_string())
}

/// A marker with a lower producer epoch than the partition has seen is refused with
/// INVALID_PRODUCER_EPOCH (47), one with a lower coordinator epoch with
/// TRANSACTION_COORDINATOR_FENCED (52), and nothing is written; one with the same or higher ones is
/// written (0).
#[scenario(
    "WTM-003", api = WriteTxnMarkers, needs = [Disruption, Loopback],
    vary = ["lower producer epoch", "lower coordinator epoch"],
)]
async fn a_late_marker_is_refused(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?.successor(cx).await?;
    producer.write(cx, &log, &["first"], 0).await?;
    let mut leader = cx.leader(&log).await?;
    // Ends the first transaction, and leaves a coordinator epoch that can be undercut.
    let first = MarkerOf { coordinator_epoch: 5, ..MarkerOf::producer(&producer, Marker::Abort) };
    first.ask(cx, &mut leader, &[&log]).await?.ok()?;
    producer.write(cx, &log, &["second"], 1).await?;
    let (late, refusal) = if cx.variant() == "lower producer epoch" {
        (MarkerOf { epoch: first.epoch - 1, ..first }, InvalidProducerEpoch)
    } else {
        (MarkerOf { coordinator_epoch: 4, ..first }, TransactionCoordinatorFenced)
    };
    late.ask(cx, &mut leader, &[&log]).await?.expect_error_at(WRITTEN, refusal)?;
    let stable = last_stable(cx, &log).await?;
    require(stable == 2, "the second transaction open at offset 2", || stable.to_string())
}

/// A marker with a lower producer epoch than the partition has seen is refused with
/// INVALID_PRODUCER_EPOCH (47), one with a lower coordinator epoch with
/// TRANSACTION_COORDINATOR_FENCED (52), and nothing is written; one with the same or higher ones is
/// written (0).
#[scenario(
    "WTM-003", api = WriteTxnMarkers, needs = [Disruption, Loopback],
    vary = ["same epochs", "higher producer epoch", "higher coordinator epoch"],
)]
async fn a_marker_that_is_due_is_written(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    let mut marker = MarkerOf::producer(&producer, Marker::Commit);
    match cx.variant() {
        "higher producer epoch" => marker.epoch += 1,
        "higher coordinator epoch" => marker.coordinator_epoch += 1,
        _ => {}
    }
    let mut leader = cx.leader(&log).await?;
    marker.ask(cx, &mut leader, &[&log]).await?.expect_ok()?;
    stable_at(cx, &log, 2).await
}

/// WriteTxnMarkers v2 carries the transaction_version of the transaction: with 2 the marker's epoch
/// must be higher than the transaction's (the same one is refused with INVALID_PRODUCER_EPOCH (47)
/// and not written while the transaction is open, and accepted as a retry where none is), with 0
/// the same epoch ends the open transaction.
#[scenario(
    "WTM-004", api = WriteTxnMarkers, versions = 2.., needs = [Disruption, Loopback],
    vary = ["same epoch", "higher epoch", "same epoch, first protocol"],
)]
async fn a_marker_of_the_second_protocol_has_a_higher_epoch(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    let mut marker = MarkerOf::producer(&producer, Marker::Commit);
    marker.protocol = if cx.variant().ends_with("first protocol") { 0 } else { 2 };
    marker.epoch += i16::from(cx.variant() == "higher epoch");
    let mut leader = cx.leader(&log).await?;
    let reply = marker.ask(cx, &mut leader, &[&log]).await?;
    if cx.variant() == "same epoch" {
        reply.expect_error_at(WRITTEN, InvalidProducerEpoch)?;
        let stable = last_stable(cx, &log).await?;
        return require(stable == 0, "the transaction open at offset 0", || stable.to_string());
    }
    reply.expect_ok()?;
    stable_at(cx, &log, 2).await
}

/// WriteTxnMarkers v2 carries the transaction_version of the transaction: with 2 the marker's epoch
/// must be higher than the transaction's (the same one is refused with INVALID_PRODUCER_EPOCH (47)
/// and not written while the transaction is open, and accepted as a retry where none is), with 0
/// the same epoch ends the open transaction.
#[scenario("WTM-004", api = WriteTxnMarkers, versions = 2.., needs = [Disruption, Loopback])]
async fn a_repeated_marker_of_the_second_protocol_is_accepted(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["open"], 0).await?;
    let marker = MarkerOf {
        protocol: 2,
        epoch: producer.epoch + 1,
        ..MarkerOf::producer(&producer, Marker::Commit)
    };
    let mut leader = cx.leader(&log).await?;
    marker.ask(cx, &mut leader, &[&log]).await?.ok()?;
    stable_at(cx, &log, 2).await?;
    marker.ask(cx, &mut leader, &[&log]).await?.expect_ok()?;
    Ok(())
}

/// A transaction that holds back readers can be ended by hand from what DescribeProducers shows of
/// it: an abort marker with that producer id and epoch, and coordinator epoch 0 where it shows -1,
/// is accepted, and the last stable offset moves on.
#[scenario("WTM-006", api = WriteTxnMarkers, needs = [Disruption, Loopback])]
async fn a_hanging_transaction_is_ended_by_hand(cx: &mut Cx) -> Outcome {
    let log = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &log, &["hanging"], 0).await?;
    cx.write(&log, &["held back"]).await?;
    let mut leader = cx.leader(&log).await?;
    let body = leader.ask(describe(&log)).await?.ok()?;
    let found = only(&body)?;
    let marker = MarkerOf {
        producer_id: found.producer_id.0,
        epoch: i16::try_from(found.producer_epoch).unwrap_or(-1),
        decision: Marker::Abort,
        coordinator_epoch: found.coordinator_epoch.max(0),
        protocol: 0,
    };
    marker.ask(cx, &mut leader, &[&log]).await?.expect_ok()?;
    stable_at(cx, &log, 3).await?;
    super::consumer::read_committed(cx, &log).await?.expect(&["held back"])
}

/// A marker to be written.
#[derive(Clone, Copy, Debug)]
struct MarkerOf {
    producer_id: i64,
    epoch: i16,
    decision: Marker,
    coordinator_epoch: i32,
    /// `transaction_version`, from version 2 of the request on: 0 for the first protocol.
    protocol: i8,
}

impl MarkerOf {
    /// For the open transaction of this producer, as a coordinator of epoch 0 and the first protocol writes it.
    fn producer(producer: &Producer, decision: Marker) -> Self {
        let (producer_id, epoch) = (producer.id, producer.epoch);
        Self { producer_id, epoch, decision, coordinator_epoch: 0, protocol: 0 }
    }

    /// Sends it for these partitions of different topics, in the version of the case.
    async fn ask(
        self,
        cx: &Cx,
        conn: &mut Conn,
        partitions: &[&Partition],
    ) -> Result<Reply<()>, Failure> {
        let topics = partitions.iter().map(|of| {
            let indexes = vec![Value::from(of.index)];
            let topic = Struct::new().with("name", of.topic.clone());
            topic.with("partition_indexes", indexes).into()
        });
        let mut marker = Struct::new()
            .with("producer_id", self.producer_id)
            .with("producer_epoch", self.epoch)
            .with("transaction_result", self.decision == Marker::Commit)
            .with("topics", topics.collect::<Vec<Value>>())
            .with("coordinator_epoch", self.coordinator_epoch);
        if cx.version() >= 2 {
            marker = marker.with("transaction_version", self.protocol);
        }
        let request = Struct::new().with("markers", vec![Value::from(marker)]).into();
        conn.ask_value(cx.key(), cx.version(), &request).await
    }
}
