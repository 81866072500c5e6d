//! DeleteRecords (21): what is refused, and deletes nothing.
//!
//! The same in every version.

use kafka_protocol::messages::DeleteRecordsResponse;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::answers::NO_SUCH_INDEX;
use super::delete_records::{delete, expect_results};

scenarios![
    an_offset_after_the_high_watermark_is_refused,
    a_negative_offset_is_refused,
    a_compacted_topic_is_not_trimmed,
    an_internal_topic_is_not_trimmed,
    an_unknown_partition_is_refused,
    a_broker_that_does_not_lead_refuses,
    the_right_to_delete_is_asked_for,
    results_are_independent_of_each_other,
];

/// An offset greater than the high watermark is refused with OFFSET_OUT_OF_RANGE (1) and
/// low_watermark -1, and nothing is deleted.
#[scenario("DELREC-003", api = DeleteRecords)]
async fn an_offset_after_the_high_watermark_is_refused(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let mut leader = cx.leader(&of).await?;
    let reply = leader.ask(delete(&[(&of, 3)])).await?;
    expect_refused(reply, &of, OffsetOutOfRange)?;
    untouched(cx, &of).await
}

/// An offset below -1 is refused with OFFSET_OUT_OF_RANGE (1) and low_watermark -1, and nothing is
/// deleted.
#[scenario("DELREC-004", api = DeleteRecords, vary = ["-2", "least"])]
async fn a_negative_offset_is_refused(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let mut leader = cx.leader(&of).await?;
    let offset = if cx.variant() == "-2" { -2 } else { i64::MIN };
    let reply = leader.ask(delete(&[(&of, offset)])).await?;
    expect_refused(reply, &of, OffsetOutOfRange)?;
    untouched(cx, &of).await
}

/// On a topic whose cleanup.policy is compact alone, DeleteRecords is refused with POLICY_VIOLATION
/// (44) and low_watermark -1, and nothing is deleted; with compact,delete it is allowed.
#[scenario("DELREC-006", api = DeleteRecords)]
async fn a_compacted_topic_is_not_trimmed(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("cleanup.policy", "compact");
    let of = cx.topic_with(spec).await?.partition(0);
    for key in ["a", "b"] {
        cx.append(&of, Batch::new().with_timestamp(cx.wall_ms()).record(key, "v").encode()).await?;
    }
    let mut leader = cx.leader(&of).await?;
    let reply = leader.ask(delete(&[(&of, 1)])).await?;
    expect_refused(reply, &of, PolicyViolation)?;
    untouched(cx, &of).await
}

/// An internal topic (__consumer_offsets, __transaction_state) is refused with
/// INVALID_TOPIC_EXCEPTION (17) and low_watermark -1.
#[scenario("DELREC-007", api = DeleteRecords, vary = ["__consumer_offsets", "__transaction_state"])]
async fn an_internal_topic_is_not_trimmed(cx: &mut Cx) -> Outcome {
    // Looking the coordinator up is what creates the topic.
    let mut conn = match cx.variant() {
        "__consumer_offsets" => cx.group_coordinator(&cx.group()).await?,
        _ => cx.txn_coordinator(&cx.txn_id()).await?,
    };
    let known = cx.partition().await?;
    let of = Partition { topic: cx.variant().to_owned(), index: 0, ..known };
    // Offset 0, so that a broker which does not look at the topic deletes nothing.
    expect_refused(conn.ask(delete(&[(&of, 0)])).await?, &of, InvalidTopicException)
}

/// An unknown topic, or a partition index that is out of range or negative, is answered with
/// UNKNOWN_TOPIC_OR_PARTITION (3) and low_watermark -1.
#[scenario(
    "DELREC-008", api = DeleteRecords,
    vary = ["unknown topic", "unknown index", "negative index"],
)]
async fn an_unknown_partition_is_refused(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let of = match cx.variant() {
        "unknown topic" => Partition { topic: cx.name("topic"), ..known },
        "unknown index" => Partition { index: NO_SUCH_INDEX, ..known },
        _ => Partition { index: -1, ..known },
    };
    expect_refused(leader.ask(delete(&[(&of, 0)])).await?, &of, UnknownTopicOrPartition)
}

/// A broker that does not lead the partition, follower or without a replica, answers with
/// NOT_LEADER_OR_FOLLOWER (6) and low_watermark -1, and nothing is deleted.
#[scenario(
    "DELREC-009", api = DeleteRecords, vary = ["follower", "no replica"], needs = [ThreeBrokers],
)]
async fn a_broker_that_does_not_lead_refuses(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(2)).await?.partition(0);
    cx.write(&of, &["a", "b"]).await?;
    let broker = cx.bystander(&of, cx.variant() == "follower").await?;
    let mut conn = cx.connect_knowing(broker, &of).await?;
    expect_refused(conn.ask(delete(&[(&of, 1)])).await?, &of, NotLeaderOrFollower)?;
    untouched(cx, &of).await
}

/// Without DELETE on the topic (ALTER and WRITE are not enough) the answer is
/// TOPIC_AUTHORIZATION_FAILED (29) and low_watermark -1, and nothing is deleted; DELETE alone
/// suffices.
#[scenario(
    "DELREC-010", api = DeleteRecords,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn the_right_to_delete_is_asked_for(cx: &mut Cx) -> Outcome {
    let of = cx.topic().await?.partition(0);
    cx.write(&of, &["a", "b"]).await?;
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let (listener, role) = (Listener::SaslPlaintext, Role::Unprivileged);
    let mut conn = cx.log_in(listener, role, Mechanism::Plain).await?;
    let right = Resource::Topic(&of.topic);
    for operation in [Operation::Alter, Operation::Write] {
        cx.grant(&mut conn, &name, right, operation).await?;
    }
    expect_refused(conn.ask(delete(&[(&of, 1)])).await?, &of, TopicAuthorizationFailed)?;
    untouched(cx, &of).await?;

    cx.grant(&mut conn, &name, right, Operation::Delete).await?;
    let mut tries = cx.tries("the right to delete to be seen", Duration::from_secs(15));
    loop {
        let body = conn.ask(delete(&[(&of, 1)])).await?.expect_answer()?;
        match expect_results(&body, &of, &[(TopicAuthorizationFailed.into(), -1)]) {
            Ok(()) => tries.expect("TOPIC_AUTHORIZATION_FAILED").await?,
            Err(_) => return expect_results(&body, &of, &[(Code::NONE, 1)]),
        }
    }
}

/// Each partition of the request has a result of its own: refusals of some do not keep the records
/// of others.
#[scenario("DELREC-014", api = DeleteRecords)]
async fn results_are_independent_of_each_other(cx: &mut Cx) -> Outcome {
    let [good, beyond] = cx.partitions().await?;
    cx.write(&good, &["a", "b"]).await?;
    cx.write(&beyond, &["a", "b"]).await?;
    let unknown = Partition { topic: cx.name("topic"), ..good.clone() };
    let mut leader = cx.leader(&good).await?;
    let request = delete(&[(&beyond, 3), (&unknown, 0), (&good, 1)]);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_results(&body, &beyond, &[(OffsetOutOfRange.into(), -1)])?;
    expect_results(&body, &unknown, &[(UnknownTopicOrPartition.into(), -1)])?;
    expect_results(&body, &good, &[(Code::NONE, 1)])?;
    untouched(cx, &beyond).await
}

/// The act: the only partition of the answer is refused with this code and low watermark -1.
#[track_caller]
fn expect_refused(
    reply: Reply<DeleteRecordsResponse>,
    of: &Partition,
    code: ResponseError,
) -> Outcome {
    expect_results(&reply.expect_answer()?, of, &[(code.into(), -1)])
}

/// The log still starts at its first record.
async fn untouched(cx: &Cx, of: &Partition) -> Outcome {
    let start = cx.log_ends(of).await?.start;
    require(start == 0, "a log that starts at 0", || start.to_string())
}
