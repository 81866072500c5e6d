//! Metadata (3): what the caller may do, as sets of bits (KIP-430, version 8): bit n stands for the
//! operation with number n.
//!
//! The cluster's set went to DescribeCluster with version 11.

use kafka_protocol::messages::MetadataRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource, allowed};
use kconform_scenario::wire::sasl::scram::Hash;

scenarios![
    cluster_operations_are_told_when_asked_for,
    cluster_operations_need_the_right_to_describe,
    topic_operations_are_told_when_asked_for,
    topic_operations_are_those_that_are_allowed,
    topic_operations_are_told_of_topics_that_are_missing,
];

const CLUSTER_OPERATIONS: &str = "cluster_authorized_operations";
const TOPIC_OPERATIONS: &str = "topics[0].topic_authorized_operations";

/// Not asked for.
const NOT_TOLD: i64 = i32::MIN as i64;
/// CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE.
const ALL_ON_CLUSTER: i64 = 8096;
/// READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
const ALL_ON_TOPIC: i64 = 3576;

/// cluster_authorized_operations (versions 8 to 10) is -2147483648 where it was not asked for.
/// Asked for, it is 8096 (bits 5, 7, 8, 9, 10, 11 and 12) without an authorizer or for a super
/// user; with one and without DESCRIBE on the cluster it is 0, even when another operation (CREATE)
/// is allowed, and with DESCRIBE and CREATE it has bits 5 and 8.
#[scenario("META-029", api = Metadata, versions = 8..=10, vary = ["asked for", "not asked for"])]
async fn cluster_operations_are_told_when_asked_for(cx: &mut Cx) -> Outcome {
    let asked = cx.variant() == "asked for";
    let body = cx.connect().await?.ask(cluster(asked)).await?.expect_ok()?;
    body.expect_number(CLUSTER_OPERATIONS, if asked { ALL_ON_CLUSTER } else { NOT_TOLD })
}

/// cluster_authorized_operations (versions 8 to 10) is -2147483648 where it was not asked for.
/// Asked for, it is 8096 (bits 5, 7, 8, 9, 10, 11 and 12) without an authorizer or for a super
/// user; with one and without DESCRIBE on the cluster it is 0, even when another operation (CREATE)
/// is allowed, and with DESCRIBE and CREATE it has bits 5 and 8.
#[scenario("META-029", api = Metadata, versions = 8..=10, needs = [
    Authorizer, Listener(Listener::SaslPlaintext)
])]
async fn cluster_operations_need_the_right_to_describe(cx: &mut Cx) -> Outcome {
    // A user of the case's own: rights on the cluster are nobody else's business.
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = cx.log_in_as(&name, &password, Mechanism::ScramSha256).await?;
    cx.create_acl(allowed(&name, Resource::Cluster, Operation::Create)).await?;
    // When a later right is seen, the earlier one counts too.
    let seen = cx.name("seen");
    cx.grant(&mut conn, &name, Resource::Topic(&seen), Operation::Describe).await?;
    conn.ask(cluster(true)).await?.expect_ok()?.expect_number(CLUSTER_OPERATIONS, 0)?;

    cx.create_acl(allowed(&name, Resource::Cluster, Operation::Describe)).await?;
    let both = Operation::Create as i64;
    let both = 1 << both | 1 << (Operation::Describe as i64);
    let mut tries = cx.tries("the right to describe to be seen", Duration::from_secs(15));
    loop {
        let body = conn.ask(cluster(true)).await?.expect_ok()?;
        if body.cluster_authorized_operations != 0 {
            return body.expect_number(CLUSTER_OPERATIONS, both);
        }
        tries.expect("no operations").await?;
    }
}

/// topic_authorized_operations is -2147483648 where it was not asked for. Asked for, it is 3576
/// (bits 3, 4, 5, 6, 7, 8, 10 and 11) without an authorizer or for a super user; with one it has
/// bit n for each operation n that is allowed, implied ones included: READ brings bits 3 and 8,
/// ALTER_CONFIGS bits 11 and 10.
#[scenario("META-030", api = Metadata, versions = 8.., vary = ["asked for", "not asked for"])]
async fn topic_operations_are_told_when_asked_for(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let asked = cx.variant() == "asked for";
    let request = requests::metadata(cx.version(), &[&own.topic])
        .with_include_topic_authorized_operations(asked);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    body.expect_number(TOPIC_OPERATIONS, if asked { ALL_ON_TOPIC } else { NOT_TOLD })
}

/// topic_authorized_operations is -2147483648 where it was not asked for. Asked for, it is 3576
/// (bits 3, 4, 5, 6, 7, 8, 10 and 11) without an authorizer or for a super user; with one it has
/// bit n for each operation n that is allowed, implied ones included: READ brings bits 3 and 8,
/// ALTER_CONFIGS bits 11 and 10.
#[scenario("META-030", api = Metadata, versions = 8.., vary = ["read", "alter configs"], needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")
])]
async fn topic_operations_are_those_that_are_allowed(cx: &mut Cx) -> Outcome {
    use Operation::{AlterConfigs, Describe, DescribeConfigs, Read};
    let topic = cx.topic().await?;
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    let (listener, role) = (Listener::SaslPlaintext, Role::Unprivileged);
    let mut conn = cx.log_in(listener, role, Mechanism::Plain).await?;
    let right = Resource::Topic(&topic.name);
    let told = if cx.variant() == "read" {
        cx.grant(&mut conn, &name, right, Read).await?;
        bits(&[Read, Describe])
    } else {
        // The right to describe, given last, tells when both are seen.
        cx.create_acl(allowed(&name, right, AlterConfigs)).await?;
        cx.grant(&mut conn, &name, right, Describe).await?;
        bits(&[AlterConfigs, DescribeConfigs, Describe])
    };
    let request = requests::metadata(cx.version(), &[&topic.name])
        .with_include_topic_authorized_operations(true);
    conn.ask(request).await?.expect_ok()?.expect_number(TOPIC_OPERATIONS, told)
}

/// Where topic_authorized_operations is asked for, it is also filled in for a topic that does not
/// exist, beside UNKNOWN_TOPIC_OR_PARTITION (3).
#[scenario("META-031", api = Metadata, versions = 8..)]
async fn topic_operations_are_told_of_topics_that_are_missing(cx: &mut Cx) -> Outcome {
    let request = requests::metadata(cx.version(), &[&cx.name("unknown")])
        .with_include_topic_authorized_operations(true);
    let reply = cx.connect().await?.ask(request).await?;
    reply.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)?;
    reply.expect_answer()?.expect_number(TOPIC_OPERATIONS, ALL_ON_TOPIC)
}

/// A question about no topics, with or without the operations on the cluster.
fn cluster(asked: bool) -> MetadataRequest {
    MetadataRequest::default()
        .with_topics(Some(Vec::new()))
        .with_allow_auto_topic_creation(false)
        .with_include_cluster_authorized_operations(asked)
}

/// The set of these operations.
fn bits(operations: &[Operation]) -> i64 {
    operations.iter().fold(0, |set, operation| set | 1 << (*operation as i64))
}
