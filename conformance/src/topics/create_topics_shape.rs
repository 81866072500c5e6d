//! CreateTopics (19): numbers of partitions and replicas, replicas placed by hand, and settings.

use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::{BrokerId, MetadataRequest};
use kconform_scenario::prelude::*;

use super::create_topics::{create, expect_absent, expect_ready, own_name, setting, topic};

scenarios![
    a_topic_needs_partitions,
    a_topic_needs_replicas,
    more_replicas_than_brokers_are_refused,
    an_unknown_setting_is_refused,
    a_senseless_setting_is_refused,
    a_null_setting_is_refused,
    settings_that_contradict_each_other_are_refused,
    replicas_stand_where_they_were_placed,
    numbers_beside_placed_replicas_are_refused,
    replicas_that_cannot_be_placed_are_refused,
    placed_lists_of_different_lengths_are_refused,
];

/// num_partitions of 0 or less than -1, with a valid replication factor, is refused with
/// INVALID_PARTITIONS (37).
#[scenario("CT-007", api = CreateTopics, vary = ["zero", "minus_two"])]
async fn a_topic_needs_partitions(cx: &mut Cx) -> Outcome {
    let count = if cx.variant() == "zero" { 0 } else { -2 };
    let spec = topic(&own_name(cx, "partitions")).with_num_partitions(count);
    expect_refusal(cx, spec, InvalidPartitions).await
}

/// replication_factor of 0 or less than -1 is refused with INVALID_REPLICATION_FACTOR (38).
#[scenario("CT-008", api = CreateTopics, vary = ["zero", "minus_two"])]
async fn a_topic_needs_replicas(cx: &mut Cx) -> Outcome {
    let count = if cx.variant() == "zero" { 0 } else { -2 };
    let spec = topic(&own_name(cx, "replicas")).with_replication_factor(count);
    expect_refusal(cx, spec, InvalidReplicationFactor).await
}

/// A replication factor greater than the number of registered brokers is refused with
/// INVALID_REPLICATION_FACTOR (38).
#[scenario("CT-009", api = CreateTopics)]
async fn more_replicas_than_brokers_are_refused(cx: &mut Cx) -> Outcome {
    let brokers = i16::try_from(cx.facts().brokers.len()).unwrap_or(i16::MAX);
    let spec = topic(&own_name(cx, "replicas")).with_replication_factor(brokers.saturating_add(1));
    expect_refusal(cx, spec, InvalidReplicationFactor).await
}

/// An unknown config key is refused with INVALID_CONFIG (40), and the topic is not created.
#[scenario("CT-018", api = CreateTopics)]
async fn an_unknown_setting_is_refused(cx: &mut Cx) -> Outcome {
    let settings = vec![setting("retention.millis", Some("1000"))];
    let spec = topic(&own_name(cx, "setting")).with_configs(settings);
    expect_refusal(cx, spec, InvalidConfig).await
}

/// A config value that cannot be parsed or is out of range (retention.ms=abc,
/// min.insync.replicas=0, cleanup.policy=foo) is refused with INVALID_CONFIG (40).
#[scenario("CT-019", api = CreateTopics, vary = ["unparsable", "out_of_range", "unknown_word"])]
async fn a_senseless_setting_is_refused(cx: &mut Cx) -> Outcome {
    let senseless = match cx.variant() {
        "unparsable" => setting("retention.ms", Some("abc")),
        "out_of_range" => setting("min.insync.replicas", Some("0")),
        _ => setting("cleanup.policy", Some("foo")),
    };
    let spec = topic(&own_name(cx, "setting")).with_configs(vec![senseless]);
    expect_refusal(cx, spec, InvalidConfig).await
}

/// A null config value is refused with INVALID_CONFIG (40).
#[scenario("CT-020", api = CreateTopics)]
async fn a_null_setting_is_refused(cx: &mut Cx) -> Outcome {
    let spec = topic(&own_name(cx, "setting")).with_configs(vec![setting("retention.ms", None)]);
    expect_refusal(cx, spec, InvalidConfig).await
}

/// min.compaction.lag.ms greater than max.compaction.lag.ms is refused with INVALID_CONFIG (40).
#[scenario("CT-021", api = CreateTopics)]
async fn settings_that_contradict_each_other_are_refused(cx: &mut Cx) -> Outcome {
    let settings = vec![
        setting("min.compaction.lag.ms", Some("2000")),
        setting("max.compaction.lag.ms", Some("1000")),
    ];
    let spec = topic(&own_name(cx, "setting")).with_configs(settings);
    expect_refusal(cx, spec, InvalidConfig).await
}

/// Replicas placed by hand, one list of brokers per partition, with num_partitions -1 and
/// replication_factor -1 are answered with error_code 0; Metadata shows exactly those replica
/// lists, and the first replica of each leads.
#[scenario("CT-022", api = CreateTopics)]
async fn replicas_stand_where_they_were_placed(cx: &mut Cx) -> Outcome {
    // On one broker the two lists are equal; on several the order of each list tells.
    let mut brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).take(2).collect();
    let ascending = brokers.clone();
    brokers.reverse();
    let lists = [brokers, ascending];
    let name = own_name(cx, "placed");
    let spec = placed(&name, &[(0, &lists[0]), (1, &lists[1])]);
    let mut conn = cx.connect().await?;
    conn.ask(create(vec![spec])).await?.expect_ok()?;
    expect_ready(cx, &name, 2).await?;

    let asked: MetadataRequest = requests::metadata(4, &[&name]);
    let body = conn.ask_newest(asked).await?.expect_ok()?;
    for partition in body.topics.iter().flat_map(|topic| &topic.partitions) {
        let replicas: Vec<i32> = partition.replica_nodes.iter().map(|broker| broker.0).collect();
        let wanted = if partition.partition_index == 0 { &lists[0] } else { &lists[1] };
        body.require(
            replicas == *wanted && wanted.first() == Some(&partition.leader_id.0),
            format!("replicas {wanted:?}, led by the first"),
            || format!("{partition:?}"),
        )?;
    }
    Ok(())
}

/// Replicas placed by hand together with num_partitions or replication_factor other than -1 are
/// refused with INVALID_REQUEST (42).
#[scenario("CT-023", api = CreateTopics, vary = ["partitions", "replicas"])]
async fn numbers_beside_placed_replicas_are_refused(cx: &mut Cx) -> Outcome {
    let broker = a_broker(cx)?;
    let spec = placed(&own_name(cx, "placed"), &[(0, &[broker])]);
    let spec = match cx.variant() {
        "partitions" => spec.with_num_partitions(1),
        _ => spec.with_replication_factor(1),
    };
    expect_refusal(cx, spec, InvalidRequest).await
}

/// Replicas placed by hand are refused with INVALID_REPLICA_ASSIGNMENT (39) when a list names a
/// broker that is not registered, names a broker twice or is empty, when lists have different
/// lengths, when a partition index is repeated, or when the indexes are not 0 to n-1.
#[scenario("CT-024", api = CreateTopics, vary = [
    "unknown_broker", "broker_twice", "no_replicas", "partition_twice", "gap"
])]
async fn replicas_that_cannot_be_placed_are_refused(cx: &mut Cx) -> Outcome {
    let (name, broker) = (own_name(cx, "placed"), a_broker(cx)?);
    let spec = match cx.variant() {
        "unknown_broker" => placed(&name, &[(0, &[i32::MAX])]),
        "broker_twice" => placed(&name, &[(0, &[broker, broker])]),
        "no_replicas" => placed(&name, &[(0, &[])]),
        "partition_twice" => placed(&name, &[(0, &[broker]), (0, &[broker])]),
        _ => placed(&name, &[(0, &[broker]), (2, &[broker])]),
    };
    expect_refusal(cx, spec, InvalidReplicaAssignment).await
}

/// Replicas placed by hand are refused with INVALID_REPLICA_ASSIGNMENT (39) when a list names a
/// broker that is not registered, names a broker twice or is empty, when lists have different
/// lengths, when a partition index is repeated, or when the indexes are not 0 to n-1.
#[scenario("CT-024", api = CreateTopics, needs = [ThreeBrokers])]
async fn placed_lists_of_different_lengths_are_refused(cx: &mut Cx) -> Outcome {
    let brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).take(2).collect();
    let shorter = brokers.get(..1).unwrap_or_default();
    let spec = placed(&own_name(cx, "placed"), &[(0, &brokers), (1, shorter)]);
    expect_refusal(cx, spec, InvalidReplicaAssignment).await
}

/// The topic is refused with this code, and does not exist afterwards.
async fn expect_refusal(cx: &Cx, spec: CreatableTopic, code: ResponseError) -> Outcome {
    let name = spec.name.to_string();
    let mut conn = cx.connect().await?;
    let reply = conn.ask(create(vec![spec])).await?;
    reply.expect_error_at("topics[0].error_code", code)?;
    expect_absent(&mut conn, &name).await
}

/// A topic whose replicas are placed by hand: partition and its brokers.
fn placed(name: &str, partitions: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = partitions.iter().map(|(index, brokers)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*index)
            .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
    });
    topic(name)
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(assignments.collect())
}

fn a_broker(cx: &Cx) -> Result<i32, Failure> {
    let broker = cx.facts().brokers.first().map(|broker| broker.id);
    broker.ok_or_else(|| Failure::blocked("a broker in the metadata", "none"))
}
