//! The rights that the requests of a transaction take (with an authorizer).

use kafka_protocol::messages::add_partitions_to_txn_response::AddPartitionsToTxnPartitionResult;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::offsets::{COMMITTED, Offsets, add_group, add_offsets};
use crate::producer::Producer;

scenarios![
    the_transactional_id_of_another_takes_no_partitions,
    one_topic_without_the_right_keeps_all_out,
    offsets_take_the_right_to_the_transactional_id,
    offsets_take_the_right_to_the_group,
    offsets_are_committed_with_three_rights,
];

/// AddPartitionsToTxn from a principal without WRITE on the transactional id is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for each partition; with it, a topic without WRITE
/// gets TOPIC_AUTHORIZATION_FAILED (29), all other partitions get OPERATION_NOT_ATTEMPTED (55), and
/// nothing is added.
#[scenario(
    "ADDPART-007", api = AddPartitionsToTxn, versions = 0..=3,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn the_transactional_id_of_another_takes_no_partitions(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut owner = Producer::new(cx).await?;
    let (_, mut stranger) = stranger(cx).await?;
    let reply = stranger.ask(owner.add_partitions(&[&partition])).await?;
    reply.expect_error(TransactionalIdAuthorizationFailed)?;
    let state = owner.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// AddPartitionsToTxn from a principal without WRITE on the transactional id is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53) for each partition; with it, a topic without WRITE
/// gets TOPIC_AUTHORIZATION_FAILED (29), all other partitions get OPERATION_NOT_ATTEMPTED (55), and
/// nothing is added.
#[scenario(
    "ADDPART-007", api = AddPartitionsToTxn, versions = 0..=3,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn one_topic_without_the_right_keeps_all_out(cx: &mut Cx) -> Outcome {
    let (denied, granted) = (cx.partition().await?, cx.topic().await?.partition(0));
    let mut owner = Producer::new(cx).await?;
    let (name, mut stranger) = stranger(cx).await?;
    for right in [Resource::TransactionalId(&owner.txn_id), Resource::Topic(&granted.topic)] {
        cx.grant(&mut stranger, &name, right, Operation::Write).await?;
    }
    let body = stranger.ask(owner.add_partitions(&[&denied, &granted])).await?.expect_answer()?;
    let topics = body.results_by_topic_v3_and_below.iter();
    let mut results: Vec<_> = topics
        .flat_map(|topic| {
            let code = |result: &AddPartitionsToTxnPartitionResult| {
                (topic.name.0.to_string(), Code(result.partition_error_code))
            };
            topic.results_by_partition.iter().map(code)
        })
        .collect();
    let mut expected = vec![
        (denied.topic, TopicAuthorizationFailed.into()),
        (granted.topic, OperationNotAttempted.into()),
    ];
    results.sort();
    expected.sort();
    body.require(results == expected, format!("{expected:?}"), || format!("{results:?}"))?;
    let state = owner.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// AddOffsetsToTxn from a principal without WRITE on the transactional id is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53), whatever its rights on the group; with it, but
/// without READ on the group, with GROUP_AUTHORIZATION_FAILED (30).
#[scenario(
    "ADDOFF-003", api = AddOffsetsToTxn,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn offsets_take_the_right_to_the_transactional_id(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let owner = Producer::new(cx).await?;
    let (name, mut stranger) = stranger(cx).await?;
    cx.grant(&mut stranger, &name, Resource::Group(&group), Operation::Read).await?;
    let reply = stranger.ask(add_offsets(&owner, &group)).await?;
    reply.expect_error(TransactionalIdAuthorizationFailed)
}

/// AddOffsetsToTxn from a principal without WRITE on the transactional id is refused with
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53), whatever its rights on the group; with it, but
/// without READ on the group, with GROUP_AUTHORIZATION_FAILED (30).
#[scenario(
    "ADDOFF-003", api = AddOffsetsToTxn,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn offsets_take_the_right_to_the_group(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut owner = Producer::new(cx).await?;
    let (name, mut stranger) = stranger(cx).await?;
    let right = Resource::TransactionalId(&owner.txn_id);
    cx.grant(&mut stranger, &name, right, Operation::Write).await?;
    let request = add_offsets(&owner, &group);
    stranger.ask(request.clone()).await?.expect_error(GroupAuthorizationFailed)?;
    let state = owner.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// TxnOffsetCommit is refused for each partition with TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53)
/// from a principal without WRITE on the transactional id, with GROUP_AUTHORIZATION_FAILED (30)
/// without READ on the group, and for a topic without READ with TOPIC_AUTHORIZATION_FAILED (29).
#[scenario(
    "TXNOFF-011", api = TxnOffsetCommit,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
    vary = ["transactional id", "group", "topic"],
)]
async fn offsets_are_committed_with_three_rights(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.topic().await?.partition(0));
    let mut owner = Producer::new(cx).await?;
    add_group(cx, &mut owner, &group).await?;
    let (name, mut stranger) = stranger(cx).await?;
    let topic = partition.topic.clone();
    let rights = [
        ("transactional id", Resource::TransactionalId(&owner.txn_id), Operation::Write),
        ("group", Resource::Group(&group), Operation::Read),
        ("topic", Resource::Topic(&topic), Operation::Read),
    ];
    for (_, right, operation) in rights.into_iter().filter(|(what, ..)| *what != cx.variant()) {
        cx.grant(&mut stranger, &name, right, operation).await?;
    }
    let refusal = match cx.variant() {
        "transactional id" => TransactionalIdAuthorizationFailed,
        "group" => GroupAuthorizationFailed,
        _ => TopicAuthorizationFailed,
    };
    let reply = Offsets::of(&group).at(&partition, 1).ask(cx, &owner, &mut stranger).await?;
    reply.expect_error_at(COMMITTED, refusal)
}

/// The user without rights, in a session of its own: the name, and a connection.
async fn stranger(cx: &Cx) -> Result<(String, Conn), Failure> {
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    Ok((name, conn))
}
