//! Whether the ranges that ApiVersions lists are true: every API, in every version that is offered, and the one after.
//!
//! Requests are well formed and harmless: they name nothing that exists, list no items, or ask for what anybody may see.
//! A body made of defaults is not enough, as some are never answered and some would change the cluster.

use kafka_protocol::messages::ApiVersionsRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{self, Direction, Struct, Value};

use super::api_versions::introduction;

scenarios![
    every_advertised_version_is_parsed_and_answered,
    the_version_above_each_range_closes_the_connection,
    produce_is_listed_from_version_0_and_serves_from_3,
    telemetry_subscriptions_are_served_unlisted,
    pushed_telemetry_is_judged_unlisted,
];

/// The advertised ranges are honoured: for every advertised key and version the broker parses a
/// well-formed request and answers it, and a request in the version above the range closes the
/// connection (for ApiVersions see APIV-005). The lowest versions of Produce are the exception of
/// APIV-009.
#[scenario("APIV-008", api = Each)]
async fn every_advertised_version_is_parsed_and_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = harmless(cx.key(), cx.version(), &cx.name("nobody"))?;
    let reply = conn.ask_value(cx.key(), cx.version(), &request).await?;
    reply.expect_answer().map(drop)
}

/// The advertised ranges are honoured: for every advertised key and version the broker parses a
/// well-formed request and answers it, and a request in the version above the range closes the
/// connection (for ApiVersions see APIV-005). The lowest versions of Produce are the exception of
/// APIV-009.
#[scenario("APIV-008", api = ApiVersions, versions = 0)]
async fn the_version_above_each_range_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let body = conn.ask(ApiVersionsRequest::default()).await?.ok()?;
    for entry in body.api_keys.iter().filter(|entry| entry.api_key != keys::ApiVersions) {
        let Some(above) = entry.max_version.checked_add(1) else { continue };
        let mut conn = cx.connect().await?;
        let request = well_formed(entry.api_key, entry.max_version)?;
        conn.ask_bytes(entry.api_key, above, request).await.expect_closed()?;
    }
    cx.still_serves().await
}

/// Produce is advertised from version 0 on although a request of version 0, 1 or 2 closes the
/// connection.
#[scenario("APIV-009", api = ApiVersions, vary = ["v0", "v1", "v2"], needs = [Since(4, 0)])]
async fn produce_is_listed_from_version_0_and_serves_from_3(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let body = conn.ask(introduction(cx.version())).await?.expect_ok()?;
    let listed = body.api_keys.iter().find(|entry| entry.api_key == keys::Produce);
    body.require(listed.is_some_and(|entry| entry.min_version == 0), "Produce from 0 on", || {
        format!("{listed:?}")
    })?;
    let version = match cx.variant() {
        "v0" => 0,
        "v1" => 1,
        _ => 2,
    };
    let request = harmless(keys::Produce, version, "nobody")?;
    conn.ask_value(keys::Produce, version, &request).await?.expect_closed()?;
    cx.still_serves().await
}

/// Telemetry APIs are served although they are not listed: GetTelemetrySubscriptions v0 answers
/// error_code 0, and PushTelemetry v0 with a body of defaults INVALID_REQUEST (42).
#[scenario("APIV-022", api = GetTelemetrySubscriptions, versions = 0)]
async fn telemetry_subscriptions_are_served_unlisted(cx: &mut Cx) -> Outcome {
    let request = harmless(cx.key(), cx.version(), "nobody")?;
    let mut conn = cx.connect().await?;
    conn.ask_value(cx.key(), cx.version(), &request).await?.expect_ok().map(drop)
}

/// Telemetry APIs are served although they are not listed: GetTelemetrySubscriptions v0 answers
/// error_code 0, and PushTelemetry v0 with a body of defaults INVALID_REQUEST (42).
#[scenario("APIV-022", api = PushTelemetry, versions = 0)]
async fn pushed_telemetry_is_judged_unlisted(cx: &mut Cx) -> Outcome {
    let request = harmless(cx.key(), cx.version(), "nobody")?;
    let mut conn = cx.connect().await?;
    conn.ask_value(cx.key(), cx.version(), &request).await?.expect_error(InvalidRequest)
}

/// A well-formed request that every broker answers and that changes nothing: every field at its default, but for those
/// whose default would not be answered, would not be well formed, or would do something.
fn harmless(key: i16, version: i16, name: &str) -> Result<Value, Failure> {
    let request = schema::default_value(key, version, Direction::Request);
    let mut request =
        request.ok_or_else(|| Failure::error(format!("no table for API {key} v{version}")))?;
    for (field, value) in instead_of_defaults(key, name) {
        if request.at(field).is_ok() {
            request.set(field, value).map_err(|error| Failure::error(error.to_string()))?;
        }
    }
    Ok(request)
}

/// The bytes of a harmless request: an empty body would close the connection in any version. Empty where our tables end.
fn well_formed(key: i16, version: i16) -> Result<Vec<u8>, Failure> {
    match harmless(key, version, "nobody") {
        Ok(request) => schema::encode(key, version, Direction::Request, &request)
            .map_err(|error| Failure::error(error.to_string())),
        Err(_) => Ok(Vec::new()),
    }
}

/// Fields that must not have their default, each where the version has it; `name` is one that nobody has.
fn instead_of_defaults(key: i16, name: &str) -> Vec<(&'static str, Value)> {
    match key {
        // acks 0 is never answered.
        keys::Produce => vec![("acks", (-1).into())],
        // Older definitions have no default: 0 would speak as follower 0.
        keys::Fetch | keys::ListOffsets => vec![("replica_id", (-1).into())],
        keys::OffsetCommit | keys::OffsetDelete => vec![("group_id", name.into())],
        // Without a group, brokers before 4.1 do not answer.
        keys::OffsetFetch => {
            vec![("group_id", name.into()), ("groups", one([("group_id", name.into())]))]
        }
        keys::FindCoordinator => {
            vec![("key", name.into()), ("coordinator_keys", vec![name].into())]
        }
        keys::ApiVersions => vec![
            ("client_software_name", "kconform".into()),
            ("client_software_version", "1.0".into()),
        ],
        keys::InitProducerId => vec![("transactional_id", Value::Null)],
        // Without a transaction there is no answer; verifying one adds nothing to it.
        keys::AddPartitionsToTxn => {
            let transaction = [
                ("transactional_id", name.into()),
                ("producer_id", (-1).into()),
                ("producer_epoch", (-1).into()),
                ("verify_only", true.into()),
            ];
            vec![("transactions", one(transaction))]
        }
        // Type, operation and permission 0 are UNKNOWN and cannot be parsed; 1 is ANY, resource type 2 a topic.
        keys::DescribeAcls => vec![
            ("resource_type_filter", 2.into()),
            ("resource_name_filter", name.into()),
            ("principal_filter", Value::Null),
            ("host_filter", Value::Null),
            ("operation", 1.into()),
            ("permission_type", 1.into()),
        ],
        // Without a renewer of a wrong type a token would be made.
        keys::CreateDelegationToken => vec![
            ("owner_principal_type", Value::Null),
            ("owner_principal_name", Value::Null),
            (
                "renewers",
                one([("principal_type", "Nobody".into()), ("principal_name", name.into())]),
            ),
        ],
        // A question for all users is not answered to everybody.
        keys::DescribeUserScramCredentials => vec![("users", one([("name", name.into())]))],
        keys::DescribeQuorum => {
            let partitions = one([("partition_index", 0.into())]);
            let log = [("topic_name", "__cluster_metadata".into()), ("partitions", partitions)];
            vec![("topics", one(log))]
        }
        keys::UpdateFeatures => vec![("validate_only", true.into())],
        // Node 0 may exist.
        keys::UnregisterBroker => vec![("broker_id", i32::MAX.into())],
        keys::UnregisterController => vec![("controller_id", i32::MAX.into())],
        // An empty list asks for all topics.
        keys::DescribeTopicPartitions => vec![("topics", one([("name", name.into())]))],
        // Epoch -1 ends a session, and there is none. Releases to 4.1 answer -1 to a member id that is no uuid in base64.
        keys::ShareFetch | keys::ShareAcknowledge => vec![
            ("group_id", name.into()),
            ("member_id", "kconformAAAAAAAAAAAAAA".into()),
            ("share_session_epoch", (-1).into()),
        ],
        // The id of another cluster is refused before anything is looked at.
        keys::AddRaftVoter | keys::RemoveRaftVoter => {
            vec![("cluster_id", name.into()), ("voter_id", i32::MAX.into())]
        }
        _ => Vec::new(),
    }
}

/// An array of one struct with these fields; the others are at their default.
fn one<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    let item = fields.into_iter().fold(Struct::new(), |item, (name, value)| item.with(name, value));
    vec![item].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that no version knows would be passed over in silence.
    #[test]
    fn every_exception_names_a_field_of_its_request() {
        for api in schema::apis() {
            for (field, _) in instead_of_defaults(api.key(), "nobody") {
                let known = api.versions(Direction::Request).any(|version| {
                    schema::default_value(api.key(), version, Direction::Request)
                        .is_some_and(|request| request.at(field).is_ok())
                });
                assert!(known, "{} has no field {field}", api.name());
            }
        }
    }

    #[test]
    fn every_harmless_request_can_be_written() {
        for api in schema::apis() {
            for version in api.versions(Direction::Request) {
                let request = harmless(api.key(), version, "nobody");
                let Ok(request) = request else { continue };
                let written = schema::encode(api.key(), version, Direction::Request, &request);
                assert!(written.is_ok(), "{} v{version}: {written:?}", api.name());
            }
        }
    }
}
