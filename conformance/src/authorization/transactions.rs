//! Transactional ids that one may not use: InitProducerId (22), AddPartitionsToTxn (24), AddOffsetsToTxn (25),
//! EndTxn (26), TxnOffsetCommit (28).
//!
//! Not covered: the batched form of AddPartitionsToTxn, which is for brokers, and transactional batches.

use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, EndTxnRequest, GroupId, TopicName, TransactionalId,
};
use kconform_scenario::TRANSACTION_ON_ITS_WAY;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::sasl::scram::Hash;
use kconform_scenario::wire::schema::{Struct, Value};

use super::allowed::{expect_past, expect_past_value, named, unprivileged};

scenarios![
    a_transactional_id_needs_the_right_to_write,
    idempotence_needs_the_right_to_write_some_topic,
    add_partitions_needs_the_right_to_write_the_transactional_id,
    add_partitions_adds_nothing_when_one_topic_is_refused,
    add_offsets_needs_the_transactional_id_and_then_the_group,
    end_txn_needs_the_right_to_write_the_transactional_id,
    txn_offset_commit_needs_the_transactional_id_then_the_group_then_the_topic,
];

const REFUSED: ResponseError = TransactionalIdAuthorizationFailed;

/// InitProducerId for a transactional id without WRITE on it answers
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53). Without a transactional id it needs IDEMPOTENT_WRITE
/// on the cluster or WRITE on any topic, by a literal or prefixed name and whether that exists or
/// not, and else answers CLUSTER_AUTHORIZATION_FAILED (31); WRITE that is both allowed and denied
/// on the same name does not count.
#[scenario("AUTHZ-020", api = InitProducerId, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_transactional_id_needs_the_right_to_write(cx: &mut Cx) -> Outcome {
    let id = cx.txn_id();
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::TransactionalId(&id);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let request = init_producer_id(Some(&id));
    somebody.conn.ask(request.clone()).await?.expect_error(REFUSED)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;
    expect_past(cx, &mut somebody.conn, &request, REFUSED).await?.expect_ok()?;
    Ok(())
}

/// InitProducerId for a transactional id without WRITE on it answers
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53). Without a transactional id it needs IDEMPOTENT_WRITE
/// on the cluster or WRITE on any topic, by a literal or prefixed name and whether that exists or
/// not, and else answers CLUSTER_AUTHORIZATION_FAILED (31); WRITE that is both allowed and denied
/// on the same name does not count.
#[scenario("AUTHZ-020", api = InitProducerId, needs = [Authorizer,
           Listener(Listener::SaslPlaintext)])]
async fn idempotence_needs_the_right_to_write_some_topic(cx: &mut Cx) -> Outcome {
    // A user of the case's own: a right that another case grants on any topic would do.
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = cx.log_in_as(&name, &password, Mechanism::ScramSha256).await?;
    let request = init_producer_id(None);
    let refusal = ClusterAuthorizationFailed;
    conn.ask(request.clone()).await?.expect_error(refusal)?;

    let topic = cx.name("missing");
    cx.grant(&mut conn, &name, Resource::Topic(&topic), Operation::Write).await?;
    expect_past(cx, &mut conn, &request, refusal).await?.expect_ok()?;
    Ok(())
}

/// AddPartitionsToTxn of versions 0 to 3 without WRITE on the transactional id answers
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for every partition; with it, a topic without WRITE
/// answers TOPIC_AUTHORIZATION_FAILED (29), also when it does not exist, and one that may be
/// written but does not exist UNKNOWN_TOPIC_OR_PARTITION (3), and then all the others answer
/// OPERATION_NOT_ATTEMPTED (55) and nothing is added.
#[scenario("AUTHZ-021", api = AddPartitionsToTxn, versions = ..=3, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn add_partitions_needs_the_right_to_write_the_transactional_id(cx: &mut Cx) -> Outcome {
    let (id, partition) = (cx.txn_id(), cx.partition().await?);
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::TransactionalId(&id);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let request = add_partitions(&id, (0, 0), &[&partition]);
    somebody.conn.ask(request).await?.expect_error(REFUSED)
}

/// AddPartitionsToTxn of versions 0 to 3 without WRITE on the transactional id answers
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for every partition; with it, a topic without WRITE
/// answers TOPIC_AUTHORIZATION_FAILED (29), also when it does not exist, and one that may be
/// written but does not exist UNKNOWN_TOPIC_OR_PARTITION (3), and then all the others answer
/// OPERATION_NOT_ATTEMPTED (55) and nothing is added.
#[scenario("AUTHZ-021", api = AddPartitionsToTxn, versions = ..=3, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn add_partitions_adds_nothing_when_one_topic_is_refused(cx: &mut Cx) -> Outcome {
    let (id, denied) = (cx.txn_id(), cx.partition().await?);
    let granted = cx.topic().await?.partition(0);
    let mut somebody = unprivileged(cx).await?;
    for right in [Resource::TransactionalId(&id), Resource::Topic(&granted.topic)] {
        cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;
    }
    let producer = cx.producer_id(&mut somebody.conn, Some(&id)).await?;
    let request = add_partitions(&id, producer, &[&denied, &granted]);
    let reply =
        cx.settle(&mut somebody.conn, &request, TRANSACTION_ON_ITS_WAY).await?.expect_answer()?;
    let code = |of: &Partition| {
        let topic = reply
            .results_by_topic_v3_and_below
            .iter()
            .find(|topic| topic.name.0.as_str() == of.topic)?;
        topic.results_by_partition.first().map(|result| Code(result.partition_error_code))
    };
    let told = (code(&denied), code(&granted));
    let expected = (Some(TopicAuthorizationFailed.into()), Some(OperationNotAttempted.into()));
    reply.require(told == expected, format!("{expected:?}"), || format!("{told:?}"))
}

/// AddOffsetsToTxn without WRITE on the transactional id answers
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53), and with it but without READ on the group
/// GROUP_AUTHORIZATION_FAILED (30).
#[scenario("AUTHZ-023", api = AddOffsetsToTxn, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn add_offsets_needs_the_transactional_id_and_then_the_group(cx: &mut Cx) -> Outcome {
    let (id, group) = (cx.txn_id(), cx.group());
    let mut somebody = unprivileged(cx).await?;
    let request = AddOffsetsToTxnRequest::default()
        .with_transactional_id(TransactionalId(text(&*id)))
        .with_group_id(GroupId(text(&*group)));
    somebody.conn.ask(request.clone()).await?.expect_error(REFUSED)?;

    let right = Resource::TransactionalId(&id);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;
    let reply = expect_past(cx, &mut somebody.conn, &request, REFUSED).await?;
    reply.expect_error(GroupAuthorizationFailed)
}

/// EndTxn and TxnOffsetCommit without WRITE on the transactional id answer
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53); with it, TxnOffsetCommit answers
/// GROUP_AUTHORIZATION_FAILED (30) without READ on the group, and then TOPIC_AUTHORIZATION_FAILED
/// (29) for each topic without READ.
#[scenario("AUTHZ-024", api = EndTxn, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn end_txn_needs_the_right_to_write_the_transactional_id(cx: &mut Cx) -> Outcome {
    let id = cx.txn_id();
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::TransactionalId(&id);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    let request = EndTxnRequest::default().with_transactional_id(TransactionalId(text(&*id)));
    somebody.conn.ask(request.clone()).await?.expect_error(REFUSED)?;

    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;
    // Nobody has taken the transactional id yet.
    let reply = expect_past(cx, &mut somebody.conn, &request, REFUSED).await?;
    reply.expect_error(InvalidProducerIdMapping)
}

/// EndTxn and TxnOffsetCommit without WRITE on the transactional id answer
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53); with it, TxnOffsetCommit answers
/// GROUP_AUTHORIZATION_FAILED (30) without READ on the group, and then TOPIC_AUTHORIZATION_FAILED
/// (29) for each topic without READ.
#[scenario("AUTHZ-024", api = TxnOffsetCommit, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn txn_offset_commit_needs_the_transactional_id_then_the_group_then_the_topic(
    cx: &mut Cx,
) -> Outcome {
    let (id, group, denied) = (cx.txn_id(), cx.group(), cx.partition().await?);
    let mut somebody = unprivileged(cx).await?;
    let offset = Struct::new().with("committed_offset", 0).with("committed_metadata", "");
    let topic = named(cx, &denied, TXN_OFFSETS_BY_ID_FROM, offset);
    let request = Value::Struct(
        Struct::new()
            .with("transactional_id", id.as_str())
            .with("group_id", group.as_str())
            .with("topics", vec![topic]),
    );
    let reply = somebody.conn.ask_value(cx.key(), cx.version(), &request).await?;
    reply.expect_error(REFUSED)?;

    let right = Resource::TransactionalId(&id);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;
    let refusal = GroupAuthorizationFailed;
    expect_past_value(cx, &mut somebody.conn, &request, REFUSED).await?.expect_error(refusal)?;

    let right = Resource::Group(&group);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    let reply = expect_past_value(cx, &mut somebody.conn, &request, refusal).await?;
    reply.expect_error(TopicAuthorizationFailed)
}

/// First version of TxnOffsetCommit that names topics by id.
const TXN_OFFSETS_BY_ID_FROM: i16 = 6;

/// AddPartitionsToTxn as a client asks it, for this producer id and epoch.
fn add_partitions(
    txn_id: &str,
    (id, epoch): (i64, i16),
    to: &[&Partition],
) -> AddPartitionsToTxnRequest {
    let topics = to.iter().map(|to| {
        AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(&*to.topic)))
            .with_partitions(vec![to.index])
    });
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(TransactionalId(text(txn_id)))
        .with_v3_and_below_producer_id(id.into())
        .with_v3_and_below_producer_epoch(epoch)
        .with_v3_and_below_topics(topics.collect())
}
