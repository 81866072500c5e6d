//! A SASL login step by step: what the scenarios of this family share.

use bytes::Bytes;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::sasl::scram::{Client, Hash, ServerFirst};

/// The version of SaslHandshake after which the messages of a mechanism travel in SaslAuthenticate requests.
const WITH_AUTHENTICATE: i16 = 1;

/// Asks for this mechanism.
pub(crate) fn handshake(mechanism: &str) -> SaslHandshakeRequest {
    SaslHandshakeRequest::default().with_mechanism(text(mechanism))
}

/// Carries this message of a mechanism.
pub(crate) fn token(message: impl Into<Bytes>) -> SaslAuthenticateRequest {
    SaslAuthenticateRequest::default().with_auth_bytes(message.into())
}

/// The hash of this SCRAM mechanism.
pub(crate) fn hash(mechanism: &str) -> Result<Hash, Failure> {
    match mechanism {
        "SCRAM-SHA-256" => Ok(Hash::Sha256),
        "SCRAM-SHA-512" => Ok(Hash::Sha512),
        other => Err(Failure::error(format!("{other} is no SCRAM mechanism"))),
    }
}

/// Name and password of the user without rights, who must be known to this mechanism.
pub(crate) fn user(cx: &Cx, mechanism: &str) -> Result<(String, String), Failure> {
    let role = Role::Unprivileged;
    let known = cx
        .facts()
        .users
        .get(&role)
        .is_some_and(|user| user.mechanisms.iter().any(|known| known == mechanism));
    if known {
        return cx.credentials(role);
    }
    Err(Failure::NotRun(format!(
        "a user known to {mechanism}, in the target file under [users.{}]",
        role.name()
    )))
}

/// A connection to the SASL listener on which this mechanism is agreed on and nobody is logged in yet.
pub(crate) async fn agreed(cx: &Cx, mechanism: &str) -> Result<Conn, Failure> {
    agreed_on(cx, Listener::SaslPlaintext, mechanism).await
}

/// Like [`agreed`], on another listener.
pub(crate) async fn agreed_on(
    cx: &Cx,
    listener: Listener,
    mechanism: &str,
) -> Result<Conn, Failure> {
    let mut conn = cx.connect_to(listener).await?;
    let reply = conn.ask_at(WITH_AUTHENTICATE, handshake(mechanism), &[]).await?;
    let enabled = reply.answered()?;
    if Code(enabled.error_code) == Code::from(UnsupportedSaslMechanism) {
        return Err(Failure::NotRun(format!(
            "a listener `{}` that enables {mechanism}",
            listener.name()
        )));
    }
    Ok(conn)
}

/// The message of PLAIN, without an authorization id.
pub(crate) fn plain(user: &str, password: &str) -> Vec<u8> {
    kconform_scenario::wire::sasl::plain::raw(&[b"", user.as_bytes(), password.as_bytes()])
}

/// The act: this message is refused with SASL_AUTHENTICATION_FAILED, a text and no bytes, and then the connection is
/// closed. Gives the text.
pub(crate) async fn expect_refused(
    conn: &mut Conn,
    message: impl Into<Bytes>,
) -> Result<String, Failure> {
    let reply = conn.ask(token(message)).await?;
    expect_refusal(conn, reply).await
}

/// The act: this reply is such a refusal, see [`expect_refused`].
pub(crate) async fn expect_refusal(
    conn: &mut Conn,
    reply: Reply<SaslAuthenticateResponse>,
) -> Result<String, Failure> {
    reply.expect_error_at("error_code", SaslAuthenticationFailed)?;
    let body = reply.expect_answer()?;
    body.require(body.auth_bytes.is_empty(), "empty auth_bytes", || {
        format!("{} bytes", body.auth_bytes.len())
    })?;
    let said = body.error_message.as_ref().map(ToString::to_string);
    body.require(said.is_some(), "an error message that is not null", || "null".to_owned())?;
    conn.expect_close().await?;
    Ok(said.unwrap_or_default())
}

/// The act: the connection is served as one that is logged in.
pub(crate) async fn expect_served(cx: &Cx, conn: &mut Conn) -> Outcome {
    let nothing = requests::metadata(cx.newest(keys::Metadata)?, &[]);
    conn.ask_newest(nothing).await?.expect_ok()?;
    Ok(())
}

/// Set-up: sends the first message of this client and gives the server's.
pub(crate) async fn first(conn: &mut Conn, client: &Client) -> Result<ServerFirst, Failure> {
    let body = conn.ask(token(client.client_first())).await?.ok()?;
    ServerFirst::read(&body.auth_bytes)
        .map_err(|error| Failure::blocked("the server's first message", error.to_string()))
}
