//! ApiVersions (18): the request, the list of keys and ranges, and who may ask for it.
//!
//! Version 3 brought the client's software name and version (KIP-511), flexible encoding and the features (KIP-584), version
//! 4 the features that start at 0, version 5 the check of cluster and node id (KIP-1242). Too new versions stand in
//! `api_versions_refusals.rs`, features and ids in `api_versions_features.rs`, whether the ranges are true in
//! `advertised_ranges.rs`. APIV-006 needs a broker before 2.4 and has no scenario.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest};
use kconform_scenario::prelude::*;

scenarios![
    the_list_names_each_key_once_with_its_range,
    a_client_that_introduces_itself_gets_the_full_list,
    an_invalid_software_name_or_version_is_refused,
    a_software_name_of_300_characters_is_accepted,
    no_name_is_checked_before_version_3,
    the_list_has_no_duplicates_and_the_keys_that_every_client_needs,
    the_list_is_the_same_before_and_after_the_login,
    the_telemetry_apis_are_listed_both_or_neither,
    unstable_versions_are_not_listed,
    the_list_can_be_asked_for_again_at_any_time,
    every_broker_lists_the_same_ranges,
];

/// An ApiVersions request with an empty body is answered with error_code 0 and an array of
/// (api_key, min_version, max_version), one entry per key, min_version <= max_version; from v1 on
/// throttle_time_ms follows the array and does not come before it.
#[scenario("APIV-001", api = ApiVersions, versions = ..=2)]
async fn the_list_names_each_key_once_with_its_range(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    // The strict reading of the answer proves the place of the throttle time.
    let body = conn.ask(ApiVersionsRequest::default()).await?.expect_ok()?;
    let keys: BTreeSet<i16> = body.api_keys.iter().map(|entry| entry.api_key).collect();
    body.require(
        !keys.is_empty() && keys.len() == body.api_keys.len(),
        "one entry per API key, and at least one",
        || format!("{} entries for {} keys", body.api_keys.len(), keys.len()),
    )?;
    let upside_down = body.api_keys.iter().find(|entry| entry.min_version > entry.max_version);
    body.require(upside_down.is_none(), "min_version <= max_version for every key", || {
        format!("{upside_down:?}")
    })
}

/// A request with a client_software_name and client_software_version that are valid, as compact
/// strings before a tag section, is answered with error_code 0 and the full list of keys. The
/// answer has response header v0, like every ApiVersions answer (WIRE-011).
#[scenario("APIV-002", api = ApiVersions, versions = 3..)]
async fn a_client_that_introduces_itself_gets_the_full_list(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let anonymous = conn.ask_at(0, ApiVersionsRequest::default(), &[]).await?.ok()?;
    let body = conn.ask(introduction(cx.version())).await?.expect_ok()?;
    let (full, got) = (ranges(&anonymous.api_keys), ranges(&body.api_keys));
    body.require(got == full, format!("the keys and ranges of version 0: {full:?}"), || {
        format!("{got:?}")
    })
}

/// When client_software_name or client_software_version is empty, begins or ends with a dash or a
/// dot, or holds a character outside A-Z, a-z, 0-9, dash and dot (space, underscore, slash, colon,
/// newline, non-ASCII), the broker answers INVALID_REQUEST (42) with empty api_keys and without
/// features, and the connection stays open. 300 characters are accepted.
#[scenario("APIV-003", api = ApiVersions, versions = 3.., vary = [
    "empty_name", "empty_version", "leading_dash", "trailing_dot", "space", "underscore", "slash",
    "colon", "newline", "non_ascii"
])]
async fn an_invalid_software_name_or_version_is_refused(cx: &mut Cx) -> Outcome {
    let (name, version) = match cx.variant() {
        "empty_name" => ("", "1.0"),
        "empty_version" => ("kconform", ""),
        "leading_dash" => ("-kconform", "1.0"),
        "trailing_dot" => ("kconform", "1.0."),
        "space" => ("kcon form", "1.0"),
        "underscore" => ("kconform", "1_0"),
        "slash" => ("kcon/form", "1.0"),
        "colon" => ("kconform", "1:0"),
        "newline" => ("kconform\n", "1.0"),
        _ => ("kcönform", "1.0"),
    };
    let mut conn = cx.connect().await?;
    let reply = conn.ask(software(name, version)).await?;
    reply.expect_error_at("error_code", InvalidRequest)?;
    let body = reply.expect_answer()?;
    body.require(
        body.api_keys.is_empty()
            && body.supported_features.is_empty()
            && body.finalized_features.is_empty()
            && body.finalized_features_epoch == -1,
        "neither keys nor features",
        || format!("{:?}", *body),
    )?;
    still_open(cx, &mut conn).await
}

/// When client_software_name or client_software_version is empty, begins or ends with a dash or a
/// dot, or holds a character outside A-Z, a-z, 0-9, dash and dot (space, underscore, slash, colon,
/// newline, non-ASCII), the broker answers INVALID_REQUEST (42) with empty api_keys and without
/// features, and the connection stays open. 300 characters are accepted.
#[scenario("APIV-003", api = ApiVersions, versions = 3.., vary = ["name", "version"])]
async fn a_software_name_of_300_characters_is_accepted(cx: &mut Cx) -> Outcome {
    let long = "k".repeat(300);
    let request = match cx.variant() {
        "name" => software(&long, "1.0"),
        _ => software("kconform", &long),
    };
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    body.require(!body.api_keys.is_empty(), "the list of keys", || "an empty list".to_owned())
}

/// These versions carry no client software name and version, and the check of APIV-003 does not
/// apply to them: whatever the client_id in the header (null, empty, only symbols), the answer is
/// error_code 0 with the full list.
#[scenario("APIV-004", api = ApiVersions, versions = ..=2, vary = ["null", "empty", "symbols"])]
async fn no_name_is_checked_before_version_3(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.client_id(match cx.variant() {
        "null" => None,
        "empty" => Some(""),
        _ => Some("-_/:\n "),
    });
    let body = conn.ask(ApiVersionsRequest::default()).await?.expect_ok()?;
    let got = ranges(&body.api_keys);
    let full = &cx.facts().apis;
    body.require(got == *full, format!("the keys and ranges {full:?}"), || format!("{got:?}"))
}

/// No api_key is listed twice, and on a broker listener at least Produce (0), Fetch (1),
/// ListOffsets (2), Metadata (3) and ApiVersions (18) are listed. The order is not promised.
#[scenario("APIV-010", api = ApiVersions)]
async fn the_list_has_no_duplicates_and_the_keys_that_every_client_needs(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    let listed = ranges(&body.api_keys);
    body.require(listed.len() == body.api_keys.len(), "each key once", || {
        format!("{} entries for {} keys", body.api_keys.len(), listed.len())
    })?;
    let needed = [keys::Produce, keys::Fetch, keys::ListOffsets, keys::Metadata, keys::ApiVersions];
    let missing: Vec<i16> = needed.into_iter().filter(|key| !listed.contains_key(key)).collect();
    body.require(missing.is_empty(), format!("at least the keys {needed:?}"), || {
        format!("{missing:?} missing")
    })
}

/// The list does not depend on authentication: on a SASL listener ApiVersions before the login
/// returns the same keys and ranges as after it.
#[scenario("APIV-011", api = ApiVersions, needs = [
    Listener(Listener::SaslPlaintext), User(Role::Super, "PLAIN")
])]
async fn the_list_is_the_same_before_and_after_the_login(cx: &mut Cx) -> Outcome {
    let known = cx.log_in(Listener::SaslPlaintext, Role::Super, Mechanism::Plain);
    let after = known.await?.ask(introduction(cx.version())).await?.ok()?;
    let mut stranger = cx.connect_to(Listener::SaslPlaintext).await?;
    let before = stranger.ask(introduction(cx.version())).await?.expect_ok()?;
    let (after, got) = (ranges(&after.api_keys), ranges(&before.api_keys));
    before.require(got == after, format!("the list after the login: {after:?}"), || {
        format!("{got:?}")
    })
}

/// GetTelemetrySubscriptions (71) and PushTelemetry (72) are listed both or neither, and only if a
/// telemetry receiver plugin is configured.
#[scenario("APIV-012", api = ApiVersions)]
async fn the_telemetry_apis_are_listed_both_or_neither(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    let listed = ranges(&body.api_keys);
    let telemetry = [keys::GetTelemetrySubscriptions, keys::PushTelemetry];
    let found = telemetry.iter().filter(|key| listed.contains_key(key)).count();
    body.require(
        found != 1,
        "GetTelemetrySubscriptions (71) and PushTelemetry (72), or neither",
        || "one of the two".to_owned(),
    )?;
    // The reporter that every broker has by default receives no telemetry of clients.
    let reporters = cx.facts().configs.get("metric.reporters").map(String::as_str);
    let no_plugin = matches!(reporters, Some("" | "org.apache.kafka.common.metrics.JmxReporter"));
    body.require(found == 0 || !no_plugin, "neither, as there is no telemetry receiver", || {
        "both".to_owned()
    })
}

/// Versions that a release calls unstable are hidden unless unstable.api.versions.enable is set.
/// Before 4.1 all share group APIs (76-79, 83-87) are absent; in 4.1 InitProducerId 6, OffsetCommit
/// 10, OffsetFetch 10, StreamsGroupHeartbeat (88) and StreamsGroupDescribe (89); from 4.2 on
/// InitProducerId 6.
#[scenario("APIV-013", api = ApiVersions)]
async fn unstable_versions_are_not_listed(cx: &mut Cx) -> Outcome {
    let mut hidden = vec![(keys::InitProducerId, 6)];
    // KIP-932 was early access in 4.0 and a preview in 4.1, KIP-1071 became a preview in 4.1.
    if !cx.since(4, 1) {
        hidden.extend((76..=79).chain(83..=87).map(|key| (key, 0)));
    } else if !cx.since(4, 2) {
        hidden.extend([(keys::OffsetCommit, 10), (keys::OffsetFetch, 10)]);
        hidden.extend([(keys::StreamsGroupHeartbeat, 0), (keys::StreamsGroupDescribe, 0)]);
    }
    let body = cx.connect().await?.ask(introduction(cx.version())).await?.expect_ok()?;
    let listed = ranges(&body.api_keys);
    let shown: Vec<&(i16, i16)> = hidden
        .iter()
        .filter(|(key, version)| listed.get(key).is_some_and(|(_, max)| max >= version))
        .collect();
    body.require(shown.is_empty(), "no version that its release calls unstable", || {
        format!("(API key, version) {shown:?}")
    })
}

/// ApiVersions can be sent repeatedly and at any time on a connection, and is answered with the
/// list each time.
#[scenario("APIV-019", api = ApiVersions)]
async fn the_list_can_be_asked_for_again_at_any_time(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.ask(introduction(cx.version())).await?.ok()?;
    let again = conn.ask(introduction(cx.version())).await?.expect_ok()?;
    conn.ask(MetadataRequest::default().with_topics(Some(Vec::new()))).await?.ok()?;
    let later = conn.ask(introduction(cx.version())).await?.expect_ok()?;
    let (first, got) = (ranges(&again.api_keys), ranges(&later.api_keys));
    later
        .require(got == first, format!("the same list as before: {first:?}"), || format!("{got:?}"))
}

/// All brokers of one cluster list the same keys and ranges, outside a rolling upgrade.
#[scenario("APIV-020", api = ApiVersions, needs = [ThreeBrokers])]
async fn every_broker_lists_the_same_ranges(cx: &mut Cx) -> Outcome {
    let mut first = None;
    for broker in &cx.facts().brokers {
        let mut conn = cx.connect_broker(broker.id).await?;
        let body = conn.ask(introduction(cx.version())).await?.expect_ok()?;
        let got = ranges(&body.api_keys);
        let first = first.get_or_insert_with(|| got.clone());
        body.require(got == *first, format!("the list of the first broker: {first:?}"), || {
            format!("{got:?} from broker {}", broker.id)
        })?;
    }
    Ok(())
}

/// A request as a client of today sends it: with name and version where `version` has them.
pub(super) fn introduction(version: i16) -> ApiVersionsRequest {
    if version >= 3 { software("kconform", "1.0") } else { ApiVersionsRequest::default() }
}

fn software(name: &str, version: &str) -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text(name))
        .with_client_software_version(text(version))
}

/// The list, by key: its order is not promised.
pub(super) fn ranges(entries: &[ApiVersion]) -> BTreeMap<i16, (i16, i16)> {
    entries.iter().map(|entry| (entry.api_key, (entry.min_version, entry.max_version))).collect()
}

/// A refusal leaves the connection open: a sound request on it is answered.
pub(super) async fn still_open(cx: &Cx, conn: &mut Conn) -> Outcome {
    conn.ask(introduction(cx.version())).await?.expect_ok().map(drop)
}
