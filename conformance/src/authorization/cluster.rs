//! What needs rights on the cluster or on configurations: refused within the API's own answer, on a connection that
//! stays.
//!
//! Not covered: acts that would do harm where the refusal is missing (unregistering brokers, finalizing features).

use kafka_protocol::messages::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use kafka_protocol::messages::{
    CreateAclsRequest, DeleteAclsRequest, DescribeClientQuotasRequest,
    ListPartitionReassignmentsRequest,
};
use kafka_protocol::protocol::{Decodable, Request};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource, allowed};

use super::acls::{describing, removing};
use super::allowed::unprivileged;

scenarios![
    describe_configs_of_a_broker_is_refused,
    list_partition_reassignments_is_refused,
    describe_client_quotas_is_refused,
    describe_acls_is_refused,
    create_acls_is_refused,
    delete_acls_is_refused,
];

/// A denial on the level of the cluster is said in the API's own answer at the client's version,
/// and the connection stays usable: CLUSTER_AUTHORIZATION_FAILED (31) from ElectLeaders (version 1
/// on), AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum, UpdateFeatures,
/// UnregisterBroker, client quotas, SCRAM credentials, DescribeLogDirs (version 3 on),
/// DescribeConfigs of a broker, AlterReplicaLogDirs and AddRaftVoter; CreateTopics answers
/// TOPIC_AUTHORIZATION_FAILED (29) for each topic.
#[scenario("AUTHZ-031", api = DescribeConfigs, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn describe_configs_of_a_broker_is_refused(cx: &mut Cx) -> Outcome {
    const BROKER: i8 = 4;
    let broker = cx.facts().brokers.first().map_or(0, |broker| broker.id);
    let resource = DescribeConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text(broker.to_string()))
        .with_configuration_keys(None);
    refused(cx, DescribeConfigsRequest::default().with_resources(vec![resource])).await
}

/// A denial on the level of the cluster is said in the API's own answer at the client's version,
/// and the connection stays usable: CLUSTER_AUTHORIZATION_FAILED (31) from ElectLeaders (version 1
/// on), AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum, UpdateFeatures,
/// UnregisterBroker, client quotas, SCRAM credentials, DescribeLogDirs (version 3 on),
/// DescribeConfigs of a broker, AlterReplicaLogDirs and AddRaftVoter; CreateTopics answers
/// TOPIC_AUTHORIZATION_FAILED (29) for each topic.
#[scenario("AUTHZ-031", api = ListPartitionReassignments, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn list_partition_reassignments_is_refused(cx: &mut Cx) -> Outcome {
    refused(cx, ListPartitionReassignmentsRequest::default().with_topics(None)).await
}

/// A denial on the level of the cluster is said in the API's own answer at the client's version,
/// and the connection stays usable: CLUSTER_AUTHORIZATION_FAILED (31) from ElectLeaders (version 1
/// on), AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum, UpdateFeatures,
/// UnregisterBroker, client quotas, SCRAM credentials, DescribeLogDirs (version 3 on),
/// DescribeConfigs of a broker, AlterReplicaLogDirs and AddRaftVoter; CreateTopics answers
/// TOPIC_AUTHORIZATION_FAILED (29) for each topic.
#[scenario("AUTHZ-031", api = DescribeClientQuotas, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn describe_client_quotas_is_refused(cx: &mut Cx) -> Outcome {
    refused(cx, DescribeClientQuotasRequest::default()).await
}

/// Without DESCRIBE on the cluster, DescribeAcls is answered with CLUSTER_AUTHORIZATION_FAILED (31)
/// at the top; without ALTER on it, CreateAcls is so answered for each ACL and DeleteAcls for each
/// filter. ALTER on the cluster alone does for both.
#[scenario("ACL-014", api = DescribeAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn describe_acls_is_refused(cx: &mut Cx) -> Outcome {
    refused(cx, describing(&cx.name("topic"))).await
}

/// Without DESCRIBE on the cluster, DescribeAcls is answered with CLUSTER_AUTHORIZATION_FAILED (31)
/// at the top; without ALTER on it, CreateAcls is so answered for each ACL and DeleteAcls for each
/// filter. ALTER on the cluster alone does for both.
#[scenario("ACL-014", api = CreateAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn create_acls_is_refused(cx: &mut Cx) -> Outcome {
    let topic = cx.name("topic");
    let (name, _) = cx.credentials(Role::Unprivileged)?;
    cx.undo(Undo::AclsOf(format!("User:{name}")));
    let acl = allowed(&name, Resource::Topic(&topic), Operation::Read);
    refused(cx, CreateAclsRequest::default().with_creations(vec![acl])).await
}

/// Without DESCRIBE on the cluster, DescribeAcls is answered with CLUSTER_AUTHORIZATION_FAILED (31)
/// at the top; without ALTER on it, CreateAcls is so answered for each ACL and DeleteAcls for each
/// filter. ALTER on the cluster alone does for both.
#[scenario("ACL-014", api = DeleteAcls, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn delete_acls_is_refused(cx: &mut Cx) -> Outcome {
    let filters = vec![removing(&cx.name("topic"))];
    refused(cx, DeleteAclsRequest::default().with_filters(filters)).await
}

/// The act: the user without rights gets CLUSTER_AUTHORIZATION_FAILED, and is served on the same connection.
async fn refused<R>(cx: &Cx, request: R) -> Outcome
where
    R: Request + Decodable + PartialEq,
{
    let mut somebody = unprivileged(cx).await?;
    somebody.conn.ask(request).await?.expect_error(ClusterAuthorizationFailed)?;
    let nothing = requests::metadata(cx.newest(keys::Metadata)?, &[]);
    somebody.conn.ask_newest(nothing).await?.expect_ok()?;
    Ok(())
}
