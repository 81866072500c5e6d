//! What a SASL listener serves before anybody is logged in: ApiVersions (18), and nothing else but SaslHandshake.
//!
//! Not covered: a second ApiVersions (closed by some releases), and bytes that are no request.

use kafka_protocol::messages::ApiVersionsRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::requests::metadata;

use super::login::agreed;

scenarios![
    api_versions_is_answered_before_authentication,
    an_api_versions_that_is_too_new_is_told_the_versions_before_authentication,
    metadata_before_authentication_closes_the_connection,
    produce_before_authentication_closes_the_connection,
    metadata_after_the_handshake_is_answered_with_the_error_and_a_close,
    api_versions_after_the_handshake_is_answered_with_the_error_and_a_close,
];

/// On a listener that demands SASL, ApiVersions is answered before any handshake, in every version
/// that is offered, with the same list of APIs as after authentication.
#[scenario("SASL-001", api = ApiVersions, needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn api_versions_is_answered_before_authentication(cx: &mut Cx) -> Outcome {
    let mut known =
        cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let list = known.ask(api_versions(cx.version())).await?.ok()?.at("api_keys")?;

    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    let before = conn.ask(api_versions(cx.version())).await?.expect_ok()?;
    let got = before.at("api_keys")?;
    before.require(got == list, "the list that a logged-in client gets", || got.to_string())
}

/// Before authentication, an ApiVersions request in a version that the broker does not offer is
/// answered in the layout of version 0 with UNSUPPORTED_VERSION (35) and the versions of
/// ApiVersions that it does offer; the connection stays open and ApiVersions can be asked again.
#[scenario("SASL-002", api = ApiVersions, versions = 0, needs = [Listener(Listener::SaslPlaintext)])]
async fn an_api_versions_that_is_too_new_is_told_the_versions_before_authentication(
    cx: &mut Cx,
) -> Outcome {
    let newest = cx.facts().apis.get(&keys::ApiVersions).map_or(0, |(_, newest)| *newest);
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    // The body of version 3; what a later one adds cannot be known.
    let reply = conn.ask_bytes(keys::ApiVersions, newest + 1, &b"\x09kconform\x020\0"[..]).await;
    reply.expect_error_at("error_code", UnsupportedVersion)?;
    let body = reply.expect_answer()?;
    let (key, last) = (body.at("api_keys[0].api_key")?, body.at("api_keys[0].max_version")?);
    let told =
        (key.as_int(), last.as_int()) == (Some(keys::ApiVersions.into()), Some(newest.into()));
    body.require(told, format!("ApiVersions to version {newest}"), || {
        format!("API {key} to {last}")
    })?;
    conn.ask(api_versions(0)).await?.expect_ok()?;
    Ok(())
}

/// A request other than ApiVersions and SaslHandshake, such as Metadata or Produce, that comes
/// before authentication is not answered: the broker closes the connection without sending a byte,
/// and does not execute the request.
#[scenario("SASL-009", api = Metadata, needs = [Listener(Listener::SaslPlaintext)])]
async fn metadata_before_authentication_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(metadata(cx.version(), &[])).await?.expect_closed()?;
    cx.still_serves().await
}

/// A request other than ApiVersions and SaslHandshake, such as Metadata or Produce, that comes
/// before authentication is not answered: the broker closes the connection without sending a byte,
/// and does not execute the request.
#[scenario("SASL-009", api = Produce, needs = [Listener(Listener::SaslPlaintext)])]
async fn produce_before_authentication_closes_the_connection(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let records = cx.records(&["unknown"])?;
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(cx.produce(&partition, records)?).await?.expect_closed()?;
    cx.still_serves().await?;
    let mut leader = cx.leader(&partition).await?;
    let end = leader.ask_newest(requests::list_offsets(&partition, -1)).await?.ok()?;
    let end = end.at("topics[0].partitions[0].offset")?;
    require(end.as_int() == Some(0), "nothing written", || format!("an end offset of {end}"))
}

/// After a SaslHandshake of version 1, any request but SaslAuthenticate (a second SaslHandshake
/// too) is answered in the layout of its own API with ILLEGAL_SASL_STATE (34), and then the
/// connection is closed; ApiVersions carries the code at the top, Metadata on each topic and
/// without brokers.
#[scenario("SASL-010", api = Metadata, needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn metadata_after_the_handshake_is_answered_with_the_error_and_a_close(
    cx: &mut Cx,
) -> Outcome {
    let mut conn = agreed(cx, "PLAIN").await?;
    let reply = conn.ask(metadata(cx.version(), &[&cx.name("topic")])).await?;
    reply.expect_error_at("topics[0].error_code", IllegalSaslState)?;
    let body = reply.expect_answer()?;
    body.require(body.brokers.is_empty(), "no brokers", || format!("{}", body.brokers.len()))?;
    conn.expect_close().await
}

/// After a SaslHandshake of version 1, any request but SaslAuthenticate (a second SaslHandshake
/// too) is answered in the layout of its own API with ILLEGAL_SASL_STATE (34), and then the
/// connection is closed; ApiVersions carries the code at the top, Metadata on each topic and
/// without brokers.
#[scenario("SASL-010", api = ApiVersions, needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn api_versions_after_the_handshake_is_answered_with_the_error_and_a_close(
    cx: &mut Cx,
) -> Outcome {
    let mut conn = agreed(cx, "PLAIN").await?;
    conn.ask(api_versions(cx.version())).await?.expect_error(IllegalSaslState)?;
    conn.expect_close().await
}

/// ApiVersions as a client of this version asks it.
fn api_versions(version: i16) -> ApiVersionsRequest {
    let request = ApiVersionsRequest::default();
    if version < 3 {
        return request;
    }
    request.with_client_software_name(text("kconform")).with_client_software_version(text("1"))
}
