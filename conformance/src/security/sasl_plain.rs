//! SaslAuthenticate (36) as such, and with PLAIN: what succeeds, what is refused and how.
//!
//! Version 1 brought `session_lifetime_ms` (KIP-368), version 2 is flexible. Not covered: names beyond ASCII, which
//! need a user of that kind, and versions that are not offered.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::sasl::plain::raw;

use super::login::{agreed, expect_refused, expect_served, handshake, plain, token, user};

scenarios![
    a_good_login_is_answered_with_an_empty_text_and_no_bytes,
    a_failed_login_is_answered_and_closed,
    an_authenticate_after_authentication_is_refused_and_the_connection_stays,
    correlation_ids_are_echoed_during_authentication,
    a_wrong_password_and_an_unknown_user_get_the_same_text,
    malformed_plain_messages_are_refused,
    an_authorization_id_of_the_user_itself_is_accepted,
    another_authorization_id_is_refused,
];

/// A successful PLAIN login is answered with error 0, an error message that is an empty string and
/// not null, empty auth_bytes, and from version 1 on `session_lifetime_ms`, where 0 means without
/// limit.
#[scenario("SASL-012", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_good_login_is_answered_with_an_empty_text_and_no_bytes(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = agreed(cx, "PLAIN").await?;
    let body = conn.ask(token(plain(&name, &password))).await?.expect_ok()?;
    body.require(body.auth_bytes.is_empty(), "empty auth_bytes", || {
        format!("{} bytes", body.auth_bytes.len())
    })?;
    let text = body.error_message.as_ref().map(ToString::to_string);
    body.require(text.as_deref() == Some(""), "an empty error_message", || format!("{text:?}"))?;
    if cx.version() >= 1 {
        let lifetime = body.session_lifetime_ms;
        let unlimited = cx.facts().config_number("connections.max.reauth.ms") == Some(0);
        let good = if unlimited { lifetime == 0 } else { lifetime >= 0 };
        let expected = if unlimited { "session_lifetime_ms = 0" } else { "a lifetime >= 0" };
        body.require(good, expected, || lifetime.to_string())?;
    }
    expect_served(cx, &mut conn).await
}

/// A failed login is answered with SASL_AUTHENTICATION_FAILED (58), an error message that is not
/// null and empty auth_bytes, and then the connection is closed; answer and close may come late
/// together (`connection.failed.authentication.delay.ms`, 100 by default, is a minimum; 300 ms on
/// an idle broker).
#[scenario("SASL-013", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_failed_login_is_answered_and_closed(cx: &mut Cx) -> Outcome {
    let (name, _) = user(cx, "PLAIN")?;
    let mut conn = agreed(cx, "PLAIN").await?;
    expect_refused(&mut conn, plain(&name, &cx.name("password"))).await?;
    Ok(())
}

/// After authentication, where sessions have no end, SaslHandshake is answered with
/// ILLEGAL_SASL_STATE (34) and SaslAuthenticate with the same code and an error message; the
/// connection stays usable.
#[scenario("SASL-016", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn an_authenticate_after_authentication_is_refused_and_the_connection_stays(
    cx: &mut Cx,
) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let role = Role::Unprivileged;
    let mut conn = cx.log_in(Listener::SaslPlaintext, role, Mechanism::Plain).await?;
    let reply = conn.ask(token(plain(&name, &password))).await?;
    reply.expect_error_at("error_code", IllegalSaslState)?;
    let body = reply.expect_answer()?;
    let text = body.error_message.as_ref().map(ToString::to_string).unwrap_or_default();
    body.require(!text.is_empty(), "an error message", || format!("{text:?}"))?;
    expect_served(cx, &mut conn).await
}

/// The answers to SaslHandshake and SaslAuthenticate echo the correlation ids of their requests.
#[scenario("SASL-019", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn correlation_ids_are_echoed_during_authentication(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = cx.connect_to(Listener::SaslPlaintext).await?;
    // The largest id is followed by the smallest.
    conn.next_correlation(i32::MAX);
    conn.ask_at(1, handshake("PLAIN"), &[]).await?.expect_ok()?;
    conn.ask(token(plain(&name, &password))).await?.expect_ok()?;
    Ok(())
}

/// PLAIN accepts an empty authorization id, the user and the right password, separated by NUL
/// bytes; a wrong password and an unknown user are both answered with SASL_AUTHENTICATION_FAILED
/// (58) and the same error message.
#[scenario("SASL-020", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_wrong_password_and_an_unknown_user_get_the_same_text(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut good = agreed(cx, "PLAIN").await?;
    good.ask(token(plain(&name, &password))).await?.expect_ok()?;

    let mut conn = agreed(cx, "PLAIN").await?;
    let wrong = expect_refused(&mut conn, plain(&name, &cx.name("password"))).await?;
    let mut conn = agreed(cx, "PLAIN").await?;
    let unknown = expect_refused(&mut conn, plain(&cx.name("user"), &password)).await?;
    require(wrong == unknown, "one text for both", || format!("{wrong:?} and {unknown:?}"))
}

/// A PLAIN message with an empty user, an empty password, or not exactly three parts separated by
/// NUL bytes (two or four) is answered with SASL_AUTHENTICATION_FAILED (58).
#[scenario("SASL-021", api = SaslAuthenticate,
           vary = ["empty-user", "empty-password", "two-parts", "four-parts"],
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn malformed_plain_messages_are_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let (name, password) = (name.as_bytes(), password.as_bytes());
    let message = match cx.variant() {
        "empty-user" => raw(&[b"", b"", password]),
        "empty-password" => raw(&[b"", name, b""]),
        "two-parts" => raw(&[name, password]),
        _ => raw(&[b"", name, password, b""]),
    };
    let mut conn = agreed(cx, "PLAIN").await?;
    expect_refused(&mut conn, message).await?;
    Ok(())
}

/// A PLAIN message whose authorization id equals the user is accepted; one with another
/// authorization id is answered with SASL_AUTHENTICATION_FAILED (58), although the password is
/// right.
#[scenario("SASL-022", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn an_authorization_id_of_the_user_itself_is_accepted(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = agreed(cx, "PLAIN").await?;
    let message = raw(&[name.as_bytes(), name.as_bytes(), password.as_bytes()]);
    conn.ask(token(message)).await?.expect_ok()?;
    expect_served(cx, &mut conn).await
}

/// A PLAIN message whose authorization id equals the user is accepted; one with another
/// authorization id is answered with SASL_AUTHENTICATION_FAILED (58), although the password is
/// right.
#[scenario("SASL-022", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN"),
                    User(Role::SecondUnprivileged, "PLAIN")])]
async fn another_authorization_id_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let (other, _) = cx.credentials(Role::SecondUnprivileged)?;
    let mut conn = agreed(cx, "PLAIN").await?;
    let message = raw(&[other.as_bytes(), name.as_bytes(), password.as_bytes()]);
    expect_refused(&mut conn, message).await?;
    Ok(())
}
