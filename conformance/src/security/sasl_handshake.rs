//! SaslHandshake (17): the choice of a mechanism, and where it may stand.
//!
//! After version 0 the messages of the mechanism travel bare; version 1 brought SaslAuthenticate (KIP-152).
//! Not covered: versions that are not offered, and the handshake on a listener without SASL.

use kafka_protocol::messages::SaslHandshakeResponse;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::sasl::scram::Client;

use super::login::{agreed, expect_served, handshake, hash, plain, user};

scenarios![
    a_known_mechanism_is_accepted_with_the_list_of_all,
    an_unknown_mechanism_is_refused_with_the_list_and_a_close,
    mechanism_names_are_case_sensitive,
    a_second_handshake_is_answered_with_the_error_and_a_close,
    a_handshake_after_authentication_is_refused_and_the_connection_stays,
    bare_plain_after_version_0_is_accepted,
    bare_scram_after_version_0_is_accepted,
    a_refused_bare_message_closes_the_connection,
];

/// A SaslHandshake that names an enabled mechanism is answered with error 0 and the list of all
/// mechanisms that the listener enables, not only the one chosen.
#[scenario("SASL-005", api = SaslHandshake, vary = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn a_known_mechanism_is_accepted_with_the_list_of_all(cx: &mut Cx) -> Outcome {
    let mechanism = cx.variant();
    user(cx, mechanism)?;
    let mut other = cx.connect_to(Listener::SaslPlaintext).await?;
    let enabled = other.ask(handshake("NONE")).await?.answered()?;
    let enabled = mechanisms(&enabled);

    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    let body = conn.ask(handshake(mechanism)).await?.expect_ok()?;
    let got = mechanisms(&body);
    body.require(got.iter().any(|name| name == mechanism), format!("{mechanism} listed"), || {
        format!("{got:?}")
    })?;
    body.require(got == enabled, format!("all of {enabled:?}"), || format!("{got:?}"))
}

/// A SaslHandshake with an unknown or an empty mechanism is answered with
/// UNSUPPORTED_SASL_MECHANISM (33) and the list of enabled mechanisms, and then the connection is
/// closed; answer and close may come late together (`connection.failed.authentication.delay.ms`,
/// 100 by default; 300 ms on an idle broker).
#[scenario("SASL-006", api = SaslHandshake, vary = ["unknown", "empty"],
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn an_unknown_mechanism_is_refused_with_the_list_and_a_close(cx: &mut Cx) -> Outcome {
    let mechanism = if cx.variant() == "empty" { String::new() } else { cx.name("MECHANISM") };
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    let reply = conn.ask(handshake(&mechanism)).await?;
    reply.expect_error_at("error_code", UnsupportedSaslMechanism)?;
    let body = reply.expect_answer()?;
    let got = mechanisms(&body);
    body.require(got.iter().any(|name| name == "PLAIN"), "PLAIN listed", || format!("{got:?}"))?;
    conn.expect_close().await
}

/// Mechanism names are case-sensitive: where PLAIN is enabled, a SaslHandshake with `plain` is
/// answered with UNSUPPORTED_SASL_MECHANISM (33).
#[scenario("SASL-007", api = SaslHandshake,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn mechanism_names_are_case_sensitive(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(handshake("plain")).await?.expect_error(UnsupportedSaslMechanism)?;
    conn.expect_close().await
}

/// After a SaslHandshake of version 1, any request but SaslAuthenticate (a second SaslHandshake
/// too) is answered in the layout of its own API with ILLEGAL_SASL_STATE (34), and then the
/// connection is closed; ApiVersions carries the code at the top, Metadata on each topic and
/// without brokers.
#[scenario("SASL-010", api = SaslHandshake,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_second_handshake_is_answered_with_the_error_and_a_close(cx: &mut Cx) -> Outcome {
    let mut conn = agreed(cx, "PLAIN").await?;
    conn.ask(handshake("PLAIN")).await?.expect_error(IllegalSaslState)?;
    conn.expect_close().await
}

/// After authentication, where sessions have no end, SaslHandshake is answered with
/// ILLEGAL_SASL_STATE (34) and SaslAuthenticate with the same code and an error message; the
/// connection stays usable.
#[scenario("SASL-016", api = SaslHandshake,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_handshake_after_authentication_is_refused_and_the_connection_stays(
    cx: &mut Cx,
) -> Outcome {
    let role = Role::Unprivileged;
    let mut conn = cx.log_in(Listener::SaslPlaintext, role, Mechanism::Plain).await?;
    conn.ask(handshake("PLAIN")).await?.expect_error(IllegalSaslState)?;
    expect_served(cx, &mut conn).await
}

/// After a SaslHandshake of version 0 the messages of the mechanism travel bare, as a size of 4
/// bytes and the bytes without any Kafka header, for PLAIN and SCRAM alike; the success of PLAIN is
/// answered with a size of 0. A message that is refused, or a SaslAuthenticate request in its
/// place, closes the connection without a byte.
#[scenario("SASL-011", api = SaslHandshake, versions = 0,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn bare_plain_after_version_0_is_accepted(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(handshake("PLAIN")).await?.ok()?;
    let answer = bare(&mut conn, &plain(&name, &password)).await?;
    require(answer.is_empty(), "a size of 0", || format!("{} bytes", answer.len()))?;
    expect_served(cx, &mut conn).await
}

/// After a SaslHandshake of version 0 the messages of the mechanism travel bare, as a size of 4
/// bytes and the bytes without any Kafka header, for PLAIN and SCRAM alike; the success of PLAIN is
/// answered with a size of 0. A message that is refused, or a SaslAuthenticate request in its
/// place, closes the connection without a byte.
#[scenario("SASL-011", api = SaslHandshake, versions = 0, vary = ["SCRAM-SHA-256", "SCRAM-SHA-512"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn bare_scram_after_version_0_is_accepted(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, cx.variant())?;
    let mut client = Client::new(hash(cx.variant())?, &name, &password, &cx.nonce());
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(handshake(cx.variant())).await?.ok()?;
    let wrong = |got: String| Failure::failed("a message of the mechanism, bare", got);
    let first = bare(&mut conn, &client.client_first()).await?;
    let last = client.client_final(&first).map_err(|error| wrong(error.to_string()))?;
    let verifier = bare(&mut conn, &last).await?;
    client.verify(&verifier).map_err(|error| wrong(error.to_string()))?;
    expect_served(cx, &mut conn).await
}

/// After a SaslHandshake of version 0 the messages of the mechanism travel bare, as a size of 4
/// bytes and the bytes without any Kafka header, for PLAIN and SCRAM alike; the success of PLAIN is
/// answered with a size of 0. A message that is refused, or a SaslAuthenticate request in its
/// place, closes the connection without a byte.
#[scenario("SASL-011", api = SaslHandshake, versions = 0, vary = ["wrong-password", "sasl-authenticate"],
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_refused_bare_message_closes_the_connection(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    conn.ask(handshake("PLAIN")).await?.ok()?;
    if cx.variant() == "wrong-password" {
        send_bare(&mut conn, &plain(&name, &cx.name("password"))).await;
    } else {
        conn.tell(super::login::token(plain(&name, &password))).await?.unanswered();
    }
    conn.expect_close().await
}

/// The mechanisms of an answer, sorted.
fn mechanisms(body: &SaslHandshakeResponse) -> Vec<String> {
    let mut names: Vec<String> = body.mechanisms.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

/// Sends a message of the mechanism without any Kafka header.
async fn send_bare(conn: &mut Conn, message: &[u8]) {
    conn.send_secret(kconform_scenario::wire::frame::framed(&[message]), SIZE_PREFIX).await;
}

const SIZE_PREFIX: usize = 4;

/// Sends a message of the mechanism without any Kafka header, and gives the answer, which has none either.
async fn bare(conn: &mut Conn, message: &[u8]) -> Result<bytes::Bytes, Failure> {
    send_bare(conn, message).await;
    match conn.receive().await {
        Received::Frame(answer) => Ok(answer),
        Received::Closed { .. } => Err(Failure::failed("a bare message in answer", "a close")),
        _ => Err(Failure::failed("a bare message in answer", "nothing")),
    }
}
