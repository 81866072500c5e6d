//! API keys and versions that the broker does not speak: the connection closes. Only ApiVersions is answered (KIP-511).
//!
//! The bodies are well formed as far as a layout exists for the version, so that a broker which accepts it shows.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::Header;
use kconform_scenario::wire::schema::{self, Direction};

use super::by_hand::{self, ask, number};
use super::harmless;

scenarios![
    an_unknown_api_key_closes_the_connection,
    an_api_of_other_listeners_closes_the_connection,
    a_version_above_the_maximum_is_refused,
    a_version_below_the_minimum_is_refused,
];

/// A request with an api_key that the broker does not know (32000 or -1, for example) closes the
/// connection; no error response exists for it.
#[scenario("WIRE-015", api = ApiVersions, versions = 0, vary = ["32000", "-1", "1000", "-32768"])]
async fn an_unknown_api_key_closes_the_connection(cx: &mut Cx) -> Outcome {
    let key: i16 = number(cx)?;
    let mut conn = cx.connect().await?;
    let header = Header { key, ..conn.header(keys::ApiVersions, 0) };
    conn.send_raw(header.frame(&[])).await;
    conn.expect_close().await
}

/// A real api_key that the listener does not expose closes the connection and is not listed by
/// ApiVersions: LeaderAndIsr (4), StopReplica (5), UpdateMetadata (6) and ControlledShutdown (7),
/// on KRaft brokers of 3.x too, Vote (52), BeginQuorumEpoch (53), EndQuorumEpoch (54),
/// AlterPartition (56), Envelope (58), FetchSnapshot (59), BrokerRegistration (62), BrokerHeartbeat
/// (63), AllocateProducerIds (67), ControllerRegistration (70), AssignReplicasToDirs (73),
/// UpdateRaftVoter (82). Not all unlisted keys close: GetTelemetrySubscriptions (71) and
/// PushTelemetry (72) do not (APIV-022).
#[scenario("WIRE-016", api = ApiVersions, versions = 0, needs = [Disruption],
    vary = ["LeaderAndIsr", "StopReplica", "UpdateMetadata", "ControlledShutdown", "Vote",
        "BeginQuorumEpoch", "EndQuorumEpoch", "AlterPartition", "Envelope", "FetchSnapshot",
        "BrokerRegistration", "BrokerHeartbeat", "AllocateProducerIds", "ControllerRegistration",
        "AssignReplicasToDirs", "UpdateRaftVoter"])]
async fn an_api_of_other_listeners_closes_the_connection(cx: &mut Cx) -> Outcome {
    let api = schema::api_named(cx.variant())
        .ok_or_else(|| Failure::error(format!("variant {}", cx.variant())))?;
    let version = *api.versions(Direction::Request).start();
    require(!cx.facts().apis.contains_key(&api.key()), "ApiVersions does not list it", || {
        format!("it lists {}", api.name())
    })?;
    let body = harmless::bytes(cx, api.key(), version)?;
    let mut conn = cx.connect().await?;
    let reply = conn.ask_bytes(api.key(), version, body).await;
    by_hand::expect_closed(cx, &reply).await
}

/// A known api_key with a version above the broker's maximum closes the connection without a
/// response; only ApiVersions is answered, with UNSUPPORTED_VERSION (35), see APIV-005.
#[scenario("WIRE-017", api = Each)]
async fn a_version_above_the_maximum_is_refused(cx: &mut Cx) -> Outcome {
    let (_, max) = advertised(cx);
    // The case of the highest version asks for the first one above it, the next case for the second.
    let reply = ask_for(cx, max + 1 + (max - cx.version()), 2).await?;
    match cx.key() {
        keys::ApiVersions => reply.expect_error_at("error_code", UnsupportedVersion),
        _ => by_hand::expect_closed(cx, &reply).await,
    }
}

/// A version below the broker's minimum, or a negative one, closes the connection without a
/// response (ApiVersions may answer UNSUPPORTED_VERSION (35) instead, APIV-007). On 4.x such are
/// Fetch 3, ListOffsets 0, OffsetForLeaderEpoch 1 and their like, and Produce 2 although 0 is
/// advertised (APIV-009); on 3.9 every minimum is 0, so that only negative versions are below it.
#[scenario("WIRE-018", api = Each)]
async fn a_version_below_the_minimum_is_refused(cx: &mut Cx) -> Outcome {
    let (min, _) = advertised(cx);
    // The case of the lowest version asks for the one below the minimum, the next case for the one below that.
    let reply = ask_for(cx, min - 1 - (cx.version() - min), 1).await?;
    if cx.key() == keys::ApiVersions && reply.expect_closed().is_err() {
        return reply.expect_error_at("error_code", UnsupportedVersion);
    }
    by_hand::expect_closed(cx, &reply).await
}

/// The versions of the case's API that the target advertises, and means.
fn advertised(cx: &Cx) -> (i16, i16) {
    let own = (cx.version(), cx.version());
    match cx.facts().apis.get(&cx.key()).copied().unwrap_or(own) {
        // Advertised from 0 on for the sake of old clients, served from 3 on: KAFKA-18659.
        (0, max) if cx.key() == keys::Produce && cx.since(4, 0) => (3, max),
        range => range,
    }
}

/// Asks for this version of the case's API, with the body of the nearest version that the tables know; outside of them
/// the header is of the version given.
async fn ask_for(cx: &Cx, version: i16, header_version: i16) -> Result<Reply<()>, Failure> {
    let known = schema::api(cx.key()).map_or(0..=0, |api| api.versions(Direction::Request));
    let nearest = version.clamp(*known.start(), *known.end());
    let body = harmless::bytes(cx, cx.key(), nearest)?;
    let mut conn = cx.connect().await?;
    let mut header = conn.header(cx.key(), version);
    if version != nearest {
        header.header_version = Some(header_version);
    }
    Ok(ask(&mut conn, &header, &[0], &body).await)
}
