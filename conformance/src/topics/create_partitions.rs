//! CreatePartitions (37): topics that grow.
//!
//! Version 2 is flexible, version 3 may be throttled (KIP-599). Requests that are refused stand in
//! `create_partitions_shape.rs`.

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use kafka_protocol::messages::{BrokerId, CreatePartitionsResponse, TopicName};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

scenarios![
    a_topic_grows_and_keeps_what_it_has,
    a_topic_grows_onto_the_brokers_that_are_named,
    a_dry_run_changes_nothing,
    clients_at_work_see_the_new_partitions,
    a_result_without_error_has_no_message,
    very_many_new_partitions_are_refused,
];

/// A count greater than the present one is answered with error 0; the new partitions appear with
/// leaders, on the brokers of the assignments where these are given, and the old ones keep their
/// records and offsets. Metadata may name a new leader some ms before that broker takes up its
/// duty: a Produce or ListOffsets sent at once may get NOT_LEADER_OR_FOLLOWER (6), and 3, 5 and 6
/// are asked again.
#[scenario("CP-001", api = CreatePartitions)]
async fn a_topic_grows_and_keeps_what_it_has(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let old = topic.partition(0);
    cx.write(&old, &["a", "b"]).await?;
    let mut conn = cx.connect().await?;
    let body = conn.ask(grow(vec![to(&topic.name, 3)])).await?.expect_ok()?;
    expect_results(&body, &[(&topic.name, Code::NONE)])?;

    let grown = expect_grown(cx, &topic.name, 3).await?;
    body.require(grown.id == topic.id, format!("topic id {}", topic.id), || grown.id.to_string())?;
    for index in [1, 2] {
        let base = cx.write(&grown.partition(index), &["first"]).await?;
        body.require(base == 0, "the first record of a new partition at 0", || base.to_string())?;
    }
    let kept = cx.read_log(&old, 0).await?;
    let got: Vec<_> = kept.records().map(|record| (record.offset, record.value.cloned())).collect();
    let expected = [(0, Some("a".into())), (1, Some("b".into()))];
    body.require(got == expected, "the old records", || format!("{got:?}"))
}

/// A count greater than the present one is answered with error 0; the new partitions appear with
/// leaders, on the brokers of the assignments where these are given, and the old ones keep their
/// records and offsets. Metadata may name a new leader some ms before that broker takes up its
/// duty: a Produce or ListOffsets sent at once may get NOT_LEADER_OR_FOLLOWER (6), and 3, 5 and 6
/// are asked again.
#[scenario("CP-001", api = CreatePartitions)]
async fn a_topic_grows_onto_the_brokers_that_are_named(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().replication(1)).await?;
    let Some(last) = cx.facts().brokers.iter().map(|broker| broker.id).max() else {
        return Err(Failure::blocked("brokers", "none"));
    };
    let assigned = to(&topic.name, 2).with_assignments(Some(vec![on(&[last])]));
    cx.connect().await?.ask(grow(vec![assigned])).await?.expect_ok()?;
    let grown = expect_grown(cx, &topic.name, 2).await?;
    let leader = grown.partition(1).leader;
    require(leader == last, &format!("partition 1 led by broker {last}"), || leader.to_string())
}

/// With validate_only the answer has the code that it would have without, and nothing changes.
#[scenario("CP-004", api = CreatePartitions, vary = ["valid", "too few", "unknown topic"])]
async fn a_dry_run_changes_nothing(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let missing = cx.name("topic");
    let (name, count, code) = match cx.variant() {
        "valid" => (&topic.name, 3, Code::NONE),
        "too few" => (&topic.name, 1, InvalidPartitions.into()),
        _ => (&missing, 3, UnknownTopicOrPartition.into()),
    };
    let mut conn = cx.connect().await?;
    let request = grow(vec![to(name, count)]).with_validate_only(true);
    let body = conn.ask(request).await?.expect_answer()?;
    expect_results(&body, &[(name, code)])?;
    expect_unchanged(cx, &topic).await
}

/// Clients that are connected already see the new partitions once they ask for metadata again, and
/// records without a key can be written to them and read from them.
#[scenario("CP-008", api = CreatePartitions)]
async fn clients_at_work_see_the_new_partitions(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let old = topic.partition(0);
    let mut client = cx.leader(&old).await?;
    client.ask(requests::fetch(cx.newest(keys::Fetch)?, &old, 0)).await?.ok()?;
    cx.connect().await?.ask(grow(vec![to(&topic.name, 2)])).await?.expect_ok()?;

    let version = cx.newest(keys::Metadata)?;
    let mut tries = cx.tries("the new partition in the metadata", GROWN_WITHIN);
    loop {
        let about = requests::metadata(version, &[&topic.name]);
        let body = client.ask(about).await?.expect_answer()?;
        let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
        let led = partitions.filter(|partition| partition.leader_id.0 >= 0).count();
        if led == 2 {
            break;
        }
        tries.expect(format!("{led} partitions led")).await?;
    }
    let new = cx.topic_ready(&topic.name, 2).await?.partition(1);
    // A record without a key, which may go to any partition.
    cx.write(&new, &["a"]).await?;
    let read = cx.read_log(&new, 0).await?;
    let got = read.next_offset();
    require(got == Some(1), "the record in the new partition", || format!("{got:?}"))
}

/// error_message is null in a result without error.
#[scenario("CP-009", api = CreatePartitions)]
async fn a_result_without_error_has_no_message(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let body = cx.connect().await?.ask(grow(vec![to(&topic.name, 2)])).await?.expect_ok()?;
    let message = body.results.first().map(|result| result.error_message.clone());
    body.require(message == Some(None), "error_message = null", || format!("{message:?}"))
}

/// More than 10,000 new partitions in one request are refused with POLICY_VIOLATION (44) by 4.4,
/// and with UNKNOWN_SERVER_ERROR (-1) by 3.9.2, 4.0.2, 4.1.2, 4.2.1 and 4.3.1; exactly 10,000 get
/// error 0 (asked with validate_only).
#[scenario("CP-010", api = CreatePartitions, versions = 3.., vary = ["10,000", "10,001"])]
async fn very_many_new_partitions_are_refused(cx: &mut Cx) -> Outcome {
    const CODE: &str = "results[0].error_code";
    let topic = cx.topic().await?;
    // One partition is there already.
    let count = if cx.variant() == "10,000" { 10_001 } else { 10_002 };
    let request = grow(vec![to(&topic.name, count)]).with_validate_only(true);
    let reply = cx.connect().await?.ask(request).await?;
    match (cx.variant(), cx.since(4, 4)) {
        ("10,000", _) => reply.expect_error_at(CODE, Code::NONE),
        (_, true) => reply.expect_error_at(CODE, PolicyViolation),
        // The limit of the controller's batches was an internal error before.
        (_, false) => reply.expect_error_at(CODE, UnknownServerError),
    }
}

/// How long new partitions may take to be led.
const GROWN_WITHIN: Duration = Duration::from_secs(20);

/// A CreatePartitions of these topics.
pub(super) fn grow(topics: Vec<CreatePartitionsTopic>) -> CreatePartitionsRequest {
    CreatePartitionsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// A topic that is to have this many partitions, wherever the controller puts them.
pub(super) fn to(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default()
        .with_name(TopicName(text(name)))
        .with_count(count)
        .with_assignments(None)
}

/// The brokers of one new partition.
pub(super) fn on(brokers: &[i32]) -> CreatePartitionsAssignment {
    let ids = brokers.iter().copied().map(BrokerId).collect();
    CreatePartitionsAssignment::default().with_broker_ids(ids)
}

/// The answer has these results, in whatever order.
pub(super) fn expect_results(
    body: &Body<CreatePartitionsResponse>,
    expected: &[(&str, Code)],
) -> Outcome {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let results = body.results.iter();
    let mut got: Vec<_> =
        results.map(|result| (result.name.as_str(), Code(result.error_code))).collect();
    got.sort_unstable();
    body.require(got == expected, format!("the results {expected:?}"), || format!("{got:?}"))
}

/// The topic comes to have this many partitions, each led.
pub(super) async fn expect_grown(cx: &Cx, name: &str, count: i32) -> Result<Topic, Failure> {
    match cx.topic_ready(name, count).await {
        Err(Failure::Blocked(finding)) => Err(Failure::Failed(finding)),
        other => other,
    }
}

/// The topic still has the partitions that it had.
pub(super) async fn expect_unchanged(cx: &Cx, topic: &Topic) -> Outcome {
    let version = cx.newest(keys::Metadata)?;
    let about = requests::metadata(version, &[&topic.name]);
    let body = cx.connect().await?.ask(about).await?.expect_ok()?;
    let got = body.topics.first().map(|found| (found.topic_id, found.partitions.len()));
    let expected = Some((topic.id, topic.leaders.len()));
    body.require(got == expected, format!("topic id and partitions {expected:?}"), || {
        format!("{got:?}")
    })
}
