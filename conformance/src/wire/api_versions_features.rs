//! ApiVersions (18): the features of the answer (KIP-584), and the ids of cluster and node in the request (KIP-1242).
//!
//! Features came with version 3 as tagged fields; version 4 shows those that start at 0, version 5 takes the ids.

use std::collections::BTreeMap;

use kafka_protocol::messages::ApiVersionsResponse;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::primitives::Reader;
use kconform_scenario::wire::schema::{Struct, Value};

use super::api_versions::{introduction, still_open};

scenarios![
    features_come_as_tagged_fields,
    features_that_start_at_0_are_hidden_from_version_3,
    finalized_features_have_one_level_above_0,
    no_migration_from_zookeeper_is_announced,
    the_ids_of_cluster_and_node_are_checked_together,
];

const METADATA_VERSION: &str = "metadata.version";

/// The features are tagged fields: tag 0 supported_features (name, min_version, max_version), tag 1
/// finalized_features_epoch (int64, >= 0 when known), tag 2 finalized_features (name,
/// max_version_level, min_version_level). KRaft lists metadata.version in both. Unset tags are left
/// out.
#[scenario("APIV-014", api = ApiVersions, versions = 3..)]
async fn features_come_as_tagged_fields(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    body.require(body.finalized_features_epoch >= 0, "finalized_features_epoch >= 0", || {
        body.finalized_features_epoch.to_string()
    })?;
    let (supported, finalized) = (supported(&body), finalized(&body));
    let upside_down = supported.iter().find(|(_, (min, max))| min > max);
    body.require(upside_down.is_none(), "min_version <= max_version for every feature", || {
        format!("{upside_down:?}")
    })?;
    let range = supported.get(METADATA_VERSION);
    let level = finalized.get(METADATA_VERSION);
    let fits = matches!((range, level), (Some((min, max)), Some((low, high)))
        if min <= low && low <= high && high <= max);
    body.require(fits, "metadata.version supported, and finalized inside that range", || {
        format!("supported {range:?}, finalized {level:?}")
    })?;
    let empty = tags(&body.bytes()[..])?.into_iter().find(|(_, size)| *size <= 1);
    body.require(empty.is_none(), "no tagged field without content", || format!("tag {empty:?}"))
}

/// Features whose lowest supported version is 0 are left out of supported_features at v3 and are
/// there from v4 on: kraft.version (3.9 and later), group.version and transaction.version (4.0 and
/// later), share.version and eligible.leader.replicas.version (4.1 and later), streams.version
/// (4.4). At v3 only metadata.version remains. finalized_features is the same in all versions.
#[scenario("APIV-015", api = ApiVersions, versions = 3.., needs = [Since(3, 9)])]
async fn features_that_start_at_0_are_hidden_from_version_3(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let other = if cx.version() == 3 { 4 } else { 3 };
    let beside = conn.ask_at(other, introduction(other), &[]).await?.ok()?;
    let body = conn.ask(introduction(cx.version())).await?.expect_ok()?;
    let supported = supported(&body);
    if cx.version() == 3 {
        body.require(supported.keys().eq([&METADATA_VERSION]), "metadata.version alone", || {
            format!("{supported:?}")
        })?;
    } else {
        // KIP-853; KIP-848, KIP-890 and KIP-1022; KIP-932 and KIP-966; KIP-1071.
        let four = ["group.version", "transaction.version"];
        let four_one = ["share.version", "eligible.leader.replicas.version"];
        let expected = ["kraft.version"]
            .into_iter()
            .chain(four.into_iter().filter(|_| cx.since(4, 0)))
            .chain(four_one.into_iter().filter(|_| cx.since(4, 1)))
            .chain(["streams.version"].into_iter().filter(|_| cx.since(4, 4)));
        for name in expected {
            let range = supported.get(name);
            body.require(matches!(range, Some((0, _))), format!("{name} from 0 on"), || {
                format!("{range:?}")
            })?;
        }
    }
    let (here, there) = (finalized(&body), finalized(&beside));
    body.require(here == there, format!("finalized as in version {other}: {there:?}"), || {
        format!("{here:?}")
    })
}

/// finalized_features leaves out features at level 0; the lowest and the highest level of each
/// entry are equal.
#[scenario("APIV-016", api = ApiVersions, versions = 3..)]
async fn finalized_features_have_one_level_above_0(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    let finalized = finalized(&body);
    body.require(
        !finalized.is_empty() && finalized.values().all(|(min, max)| min == max && *max > 0),
        "levels above 0, the lowest equal to the highest",
        || format!("{finalized:?}"),
    )
}

/// zk_migration_ready (tag 3) is false on every KRaft broker, hence never on the wire.
#[scenario("APIV-017", api = ApiVersions, versions = 3..)]
async fn no_migration_from_zookeeper_is_announced(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    let tags = tags(&body.bytes()[..])?;
    body.require(!tags.iter().any(|(tag, _)| *tag == 3), "no tag 3", || format!("{tags:?}"))
}

/// cluster_id and node_id are given both or neither. Neither (null and -1): no check, full list.
/// Exactly one of the two, right or wrong: INVALID_REQUEST (42), api_keys empty. Both, but not both
/// those of this broker (an empty string counts as given): REBOOTSTRAP_REQUIRED (129), api_keys
/// empty. Both those of this broker: full list. The connection stays open in all cases.
#[scenario("APIV-018", api = ApiVersions, versions = 5, vary = [
    "neither", "right", "cluster_alone", "node_alone", "wrong_cluster_alone", "wrong_node_alone",
    "wrong_cluster", "wrong_node", "empty_cluster"
])]
async fn the_ids_of_cluster_and_node_are_checked_together(cx: &mut Cx) -> Outcome {
    let unknown = || Failure::blocked("cluster id and brokers in the metadata", "none");
    let cluster = cx.facts().cluster_id.clone().ok_or_else(unknown)?;
    let node = cx.facts().brokers.first().map(|broker| broker.id).ok_or_else(unknown)?;
    let right = Some(cluster.as_str());
    let (cluster, node, code) = match cx.variant() {
        "neither" => (None, -1, Code::NONE),
        "right" => (right, node, Code::NONE),
        "cluster_alone" => (right, -1, InvalidRequest.into()),
        "node_alone" => (None, node, InvalidRequest.into()),
        "wrong_cluster_alone" => (Some("another"), -1, InvalidRequest.into()),
        "wrong_node_alone" => (None, i32::MAX, InvalidRequest.into()),
        "wrong_cluster" => (Some("another"), node, REBOOTSTRAP_REQUIRED),
        "wrong_node" => (right, i32::MAX, REBOOTSTRAP_REQUIRED),
        _ => (Some(""), node, REBOOTSTRAP_REQUIRED),
    };
    let request = Struct::new()
        .with("client_software_name", "kconform")
        .with("client_software_version", "1.0")
        .with("cluster_id", cluster.map(str::to_owned))
        .with("node_id", node);
    let mut conn = match cx.facts().brokers.first() {
        Some(broker) => cx.connect_broker(broker.id).await?,
        None => cx.connect().await?,
    };
    let asked = conn.ask_value(cx.key(), cx.version(), &Value::Struct(request)).await?;
    asked.expect_error_at("error_code", code)?;
    let body = asked.expect_answer()?;
    let listed = body.at("api_keys")?.as_array().map_or(0, <[Value]>::len);
    body.require(
        (listed > 0) == (code == Code::NONE),
        "keys exactly where there is no error",
        || format!("{listed} keys"),
    )?;
    still_open(cx, &mut conn).await
}

/// REBOOTSTRAP_REQUIRED, since 4.0 (KIP-1102).
const REBOOTSTRAP_REQUIRED: Code = Code(129);

/// Supported features: name to (min, max).
fn supported(body: &ApiVersionsResponse) -> BTreeMap<&str, (i16, i16)> {
    let features = body.supported_features.iter();
    features.map(|found| (found.name.as_str(), (found.min_version, found.max_version))).collect()
}

/// Finalized features: name to (min, max) level.
fn finalized(body: &ApiVersionsResponse) -> BTreeMap<&str, (i16, i16)> {
    let features = body.finalized_features.iter();
    features
        .map(|found| (found.name.as_str(), (found.min_version_level, found.max_version_level)))
        .collect()
}

/// The tags at the end of a body of version 3 or later, each with the size of its content: what is there and what a
/// reader fills in are not the same.
fn tags(body: &[u8]) -> Result<Vec<(u32, usize)>, Failure> {
    let mut reader = Reader::new(body);
    let mut read = || {
        reader.i16()?;
        for _ in 0..reader.compact_array_len()?.unwrap_or(0) {
            reader.take(6)?;
            reader.tags()?;
        }
        reader.i32()?;
        reader.tags()
    };
    let found = read().map_err(|fault| Failure::error(format!("the tag section: {fault:?}")))?;
    Ok(found.into_iter().map(|(tag, bytes)| (tag, bytes.len())).collect())
}
