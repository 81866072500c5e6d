//! A body for every API and version that a broker may be asked at any time: well formed, and without effect. Bodies of
//! defaults are not that: some ask for everything, some are never answered, and replica id 0 means "I am follower 0".

use kconform_scenario::prelude::*;

use kconform_scenario::wire::schema::{self, Direction, Struct, Value};

/// The body of a request that has no effect, in a version that our tables know.
pub(super) fn body(cx: &Cx, key: i16, version: i16) -> Result<Value, Failure> {
    let unknown = || Failure::error(format!("API key {key} v{version} is not in our tables"));
    let mut body = schema::default_value(key, version, Direction::Request).ok_or_else(unknown)?;
    for (field, value) in changes(cx, key, version) {
        // A field that the version lacks needs no change.
        if let Ok(place) = body.at_mut(field) {
            *place = value;
        }
    }
    Ok(body)
}

/// [`body`] as bytes.
pub(super) fn bytes(cx: &Cx, key: i16, version: i16) -> Result<Vec<u8>, Failure> {
    schema::encode(key, version, Direction::Request, &body(cx, key, version)?)
        .map_err(|error| Failure::error(error.to_string()))
}

/// What must not stand at its default.
fn changes(cx: &Cx, key: i16, version: i16) -> Vec<(&'static str, Value)> {
    let nobody = Value::Int(i64::from(i32::MAX));
    let name = |kind| Value::Str(cx.name(kind));
    match key {
        // Acks = 0, the default, is not answered.
        keys::Produce => vec![("acks", Value::Int(-1))],
        keys::Fetch | keys::ListOffsets | keys::OffsetForLeaderEpoch => {
            vec![("replica_id", Value::Int(-1))]
        }
        // An empty list of groups is not answered before 4.1.
        keys::OffsetFetch if version >= 8 => {
            let group = Struct::new().with("group_id", cx.group());
            vec![("groups", Value::Array(vec![Value::Struct(group)]))]
        }
        keys::OffsetFetch => vec![("group_id", name("group"))],
        // An empty list of transactions is not answered.
        keys::AddPartitionsToTxn if version >= 4 => {
            let topic = Struct::new()
                .with("name", cx.name("topic"))
                .with("partitions", Value::Array(vec![Value::Int(0)]));
            let transaction = Struct::new()
                .with("transactional_id", cx.txn_id())
                .with("topics", Value::Array(vec![Value::Struct(topic)]));
            vec![("transactions", Value::Array(vec![Value::Struct(transaction)]))]
        }
        // A token would be made, were it not for a renewer of a type that does not exist.
        keys::CreateDelegationToken => {
            let renewer = Struct::new()
                .with("principal_type", "Nobody".to_owned())
                .with("principal_name", "nobody".to_owned());
            vec![("renewers", Value::Array(vec![Value::Struct(renewer)]))]
        }
        // Anything, where 0 is no value that a filter may have.
        keys::DescribeAcls => {
            ["resource_type_filter", "pattern_type_filter", "operation", "permission_type"]
                .map(|field| (field, Value::Int(1)))
                .to_vec()
        }
        // The end of a session that does not exist. 4.1 answers -1 where there is no group.
        keys::ShareFetch | keys::ShareAcknowledge => vec![
            ("group_id", name("group")),
            ("member_id", Value::Str("AAAAAAAAAAAAAAAAAAAAAQ".to_owned())),
            ("share_session_epoch", Value::Int(-1)),
        ],
        keys::UpdateFeatures => vec![("validate_only", Value::Bool(true))],
        keys::UnregisterBroker => vec![("broker_id", nobody)],
        keys::UnregisterController => vec![("controller_id", nobody)],
        keys::AddRaftVoter | keys::RemoveRaftVoter => {
            vec![("cluster_id", name("cluster")), ("voter_id", nobody)]
        }
        keys::ApiVersions => vec![
            ("client_software_name", Value::Str("kconform".to_owned())),
            ("client_software_version", Value::Str("1".to_owned())),
        ],
        _ => Vec::new(),
    }
}
