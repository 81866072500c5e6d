//! Sessions that end unless the client logs in anew (KIP-368): SaslHandshake and SaslAuthenticate on a live connection.
//!
//! Needs a listener with `connections.max.reauth.ms`. Not covered: another mechanism, and a second renewal within one
//! second.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::sasl::scram::Client;

use super::login::{agreed_on, expect_refused, expect_served, handshake, hash, plain, token, user};

scenarios![
    a_login_is_told_how_long_its_session_lasts,
    a_renewed_session_outlives_the_first,
    a_session_that_was_not_renewed_is_closed_on_the_next_request,
    a_renewal_as_somebody_else_is_refused,
];

/// On a listener with `connections.max.reauth.ms`, a successful PLAIN or SCRAM login tells that
/// number as `session_lifetime_ms`.
#[scenario("SASL-044", api = SaslAuthenticate, versions = 1.., vary = ["PLAIN", "SCRAM-SHA-256"],
           needs = [Listener(Listener::Reauth)])]
async fn a_login_is_told_how_long_its_session_lasts(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, cx.variant())?;
    let mut conn = agreed_on(cx, Listener::Reauth, cx.variant()).await?;
    let message = if cx.variant() == "PLAIN" {
        plain(&name, &password)
    } else {
        let mut client = Client::new(hash(cx.variant())?, &name, &password, &cx.nonce());
        let body = conn.ask(token(client.client_first())).await?.ok()?;
        client
            .client_final(&body.auth_bytes)
            .map_err(|error| Failure::blocked("the server's first message", error.to_string()))?
    };
    let body = conn.ask(token(message)).await?.expect_ok()?;
    let told = body.session_lifetime_ms;
    body.require(told > 0, "a session_lifetime_ms above 0", || told.to_string())?;
    let set = cx.facts().config_number(&format!(
        "listener.name.reauth.{}.connections.max.reauth.ms",
        cx.variant().to_ascii_lowercase()
    ));
    let set = set.unwrap_or(told);
    body.require(told == set, format!("session_lifetime_ms = {set}"), || told.to_string())
}

/// On a listener with `connections.max.reauth.ms`, a SaslHandshake and SaslAuthenticate of the same
/// principal on the live connection succeed and begin a new session: other requests then work, also
/// after the end of the first one.
#[scenario("SASL-045", api = SaslAuthenticate, slow,
           needs = [Listener(Listener::Reauth), User(Role::Unprivileged, "PLAIN")])]
async fn a_renewed_session_outlives_the_first(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    for _ in 0..ROUNDS {
        let (mut conn, lifetime) = session(cx, &name, &password).await?;
        let ends = cx.now() + lifetime;

        cx.sleep(lifetime / 4).await;
        let renewed_at = cx.now();
        conn.ask_at(1, handshake("PLAIN"), &[]).await?.expect_ok()?;
        let renewed = conn.ask(token(plain(&name, &password))).await?.expect_ok()?;
        if cx.version() >= 1 {
            let told = renewed.session_lifetime_ms;
            renewed.require(told > 0, "a new session_lifetime_ms", || told.to_string())?;
        }
        expect_served(cx, &mut conn).await?;
        cx.sleep(ends.saturating_sub(cx.now()) + AFTER).await;
        let served = expect_served(cx, &mut conn).await;
        if served.is_ok() || cx.now() < renewed_at + lifetime {
            return served;
        }
    }
    Err(Failure::blocked("an answer before the second session ends", "a later one each time"))
}

/// A client that has not authenticated anew when its session ends (`connections.max.reauth.ms`)
/// finds its connection closed without a byte on its next request.
#[scenario("SASL-046", api = SaslAuthenticate, slow,
           needs = [Listener(Listener::Reauth), User(Role::Unprivileged, "PLAIN")])]
async fn a_session_that_was_not_renewed_is_closed_on_the_next_request(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let (mut conn, lifetime) = session(cx, &name, &password).await?;
    cx.sleep(lifetime + AFTER).await;
    let nothing = requests::metadata(cx.newest(keys::Metadata)?, &[]);
    conn.ask_newest(nothing).await?.expect_closed()?;
    cx.still_serves().await
}

/// Authenticating anew on a live connection as another principal is answered with
/// SASL_AUTHENTICATION_FAILED (58) and an error message that names both, and then the connection is
/// closed.
#[scenario("SASL-047", api = SaslAuthenticate,
           needs = [Listener(Listener::Reauth), User(Role::Unprivileged, "PLAIN"),
                    User(Role::SecondUnprivileged, "PLAIN")])]
async fn a_renewal_as_somebody_else_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let (other, secret) = cx.credentials(Role::SecondUnprivileged)?;
    let (mut conn, _) = session(cx, &name, &password).await?;
    conn.ask_at(1, handshake("PLAIN"), &[]).await?.ok()?;
    let text = expect_refused(&mut conn, plain(&other, &secret)).await?;
    let names = text.contains(&name) && text.contains(&other);
    require(names, &format!("a text that names {name} and {other}"), || text.clone())
}

/// A loaded target may take so long over an answer that the second session is over too; then it is asked once more.
const ROUNDS: u32 = 3;

/// What a clock may be behind.
const AFTER: Duration = Duration::from_millis(300);

/// The longest session that a case waits for.
const LONGEST: Duration = Duration::from_secs(6);

/// Set-up: a connection that is logged in for as long as is told.
async fn session(cx: &Cx, name: &str, password: &str) -> Result<(Conn, Duration), Failure> {
    let mut conn = agreed_on(cx, Listener::Reauth, "PLAIN").await?;
    // Version 0 does not tell.
    let mut first = agreed_on(cx, Listener::Reauth, "PLAIN").await?;
    let told = first.ask_newest(token(plain(name, password))).await?.ok()?.session_lifetime_ms;
    conn.ask(token(plain(name, password))).await?.ok()?;
    let lifetime = Duration::from_millis(u64::try_from(told).unwrap_or(0));
    if lifetime.is_zero() || lifetime > LONGEST {
        return Err(Failure::NotRun(format!(
            "a listener `{}` with connections.max.reauth.ms of at most {} s (it is {told} ms)",
            Listener::Reauth.name(),
            LONGEST.as_secs()
        )));
    }
    Ok((conn, lifetime))
}
