//! SCRAM-SHA-256 and SCRAM-SHA-512 (KIP-84, RFC 5802) in SaslAuthenticate (36): the exchange, and tampered messages.
//!
//! Not covered: extensions of the first message, and messages out of order.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::sasl::scram::{
    Client, Hash, MIN_ITERATIONS, ServerFirst, encode_name,
};

use super::login::{agreed, expect_refused, expect_served, first, hash, token, user};

scenarios![
    the_full_exchange_proves_both_sides,
    a_wrong_password_and_an_unknown_user_get_the_same_text,
    a_proof_that_was_tampered_with_is_refused,
    a_final_message_with_another_nonce_is_refused,
    a_header_that_asks_for_channel_binding_is_refused,
    an_authorization_id_of_the_user_itself_is_accepted,
    another_authorization_id_is_refused,
    escaped_commas_and_equals_signs_are_accepted_in_user_names,
    other_escapes_are_refused_in_user_names,
    a_mechanism_without_a_credential_is_refused,
];

/// SCRAM is the whole exchange of RFC 5802: the server's nonce begins with the client's and is
/// longer, its iterations are those of the stored credential (at least 4096), and its last message
/// carries a server signature (`v=`) that verifies.
#[scenario("SASL-024", api = SaslAuthenticate, vary = ["SCRAM-SHA-256", "SCRAM-SHA-512"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn the_full_exchange_proves_both_sides(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, cx.variant())?;
    let nonce = cx.nonce();
    let mut client = Client::new(hash(cx.variant())?, &name, &password, &nonce);
    let mut conn = agreed(cx, cx.variant()).await?;

    let body = conn.ask(token(client.client_first())).await?.expect_ok()?;
    let server = ServerFirst::read(&body.auth_bytes)
        .map_err(|error| Failure::failed("the server's first message", error.to_string()))?;
    let extends = server.nonce.starts_with(&nonce) && server.nonce.len() > nonce.len();
    body.require(extends, format!("a nonce that goes on after {nonce}"), || server.nonce.clone())?;
    body.require(server.iterations >= MIN_ITERATIONS, "at least 4096 iterations", || {
        server.iterations.to_string()
    })?;

    let message = client.prove(&server, &client.without_proof(&server.nonce));
    let body = conn.ask(token(message)).await?.expect_ok()?;
    client
        .verify(&body.auth_bytes)
        .map_err(|error| Failure::failed("the server's own proof", error.to_string()))?;
    expect_served(cx, &mut conn).await
}

/// A SCRAM login with a wrong password or a forged proof is answered with
/// SASL_AUTHENTICATION_FAILED (58) at the final message, one as an unknown user at the first
/// message (or, after a challenge for show, at the final one); both carry the same error message,
/// which names nothing but the mechanism.
#[scenario("SASL-025", api = SaslAuthenticate, vary = ["SCRAM-SHA-256", "SCRAM-SHA-512"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn a_wrong_password_and_an_unknown_user_get_the_same_text(cx: &mut Cx) -> Outcome {
    let (name, _) = user(cx, cx.variant())?;
    let (hash, password) = (hash(cx.variant())?, cx.name("password"));
    let mut conn = agreed(cx, cx.variant()).await?;
    let mut client = Client::new(hash, &name, &password, &cx.nonce());
    let server = first(&mut conn, &client).await?;
    let message = client.prove(&server, &client.without_proof(&server.nonce));
    let wrong = expect_refused(&mut conn, message).await?;

    let mut conn = agreed(cx, cx.variant()).await?;
    let stranger = Client::new(hash, &cx.name("user"), &password, &cx.nonce());
    let unknown = refused_at_either_step(&mut conn, stranger).await?;
    require(wrong == unknown, "one text for both", || format!("{wrong:?} and {unknown:?}"))
}

/// A SCRAM login with a wrong password or a forged proof is answered with
/// SASL_AUTHENTICATION_FAILED (58) at the final message, one as an unknown user at the first
/// message (or, after a challenge for show, at the final one); both carry the same error message,
/// which names nothing but the mechanism.
#[scenario("SASL-025", api = SaslAuthenticate, vary = ["SCRAM-SHA-256", "SCRAM-SHA-512"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn a_proof_that_was_tampered_with_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, cx.variant())?;
    let mut conn = agreed(cx, cx.variant()).await?;
    let mut client = Client::new(hash(cx.variant())?, &name, &password, &cx.nonce());
    let server = first(&mut conn, &client).await?;
    let mut message = client.prove(&server, &client.without_proof(&server.nonce));
    // One of the base64 digits of the proof.
    if let Some(digit) = message.iter_mut().nth_back(8) {
        *digit = if *digit == b'A' { b'B' } else { b'A' };
    }
    expect_refused(&mut conn, message).await?;
    Ok(())
}

/// A SCRAM final message whose nonce is not exactly the one of the server's first message (another
/// one, the client's part alone, one cut short, one made longer) is answered with
/// SASL_AUTHENTICATION_FAILED (58), even with a proof that is right for it.
#[scenario("SASL-026", api = SaslAuthenticate, vary = ["other", "client-part", "truncated", "extended"],
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "SCRAM-SHA-256")])]
async fn a_final_message_with_another_nonce_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "SCRAM-SHA-256")?;
    let own = cx.nonce();
    let mut client = Client::new(Hash::Sha256, &name, &password, &own);
    let mut conn = agreed(cx, "SCRAM-SHA-256").await?;
    let server = first(&mut conn, &client).await?;
    let nonce = match cx.variant() {
        "other" => cx.nonce(),
        "client-part" => own,
        "truncated" => server.nonce.chars().take(server.nonce.chars().count() - 1).collect(),
        _ => format!("{}0", server.nonce),
    };
    // The proof is right for what the message says.
    let message = client.prove(&server, &client.without_proof(&nonce));
    expect_refused(&mut conn, message).await?;
    Ok(())
}

/// A SCRAM first message is answered with SASL_AUTHENTICATION_FAILED (58) unless its GS2 header is
/// `n,` and an optional authorization id and a comma: `p=tls-unique,,` and `y,,`, which speak of
/// channel binding, an empty header, `n,` and `x,,` are refused.
#[scenario("SASL-028", api = SaslAuthenticate,
           vary = ["tls-unique", "could-bind", "empty", "one-comma", "unknown-flag"],
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "SCRAM-SHA-256")])]
async fn a_header_that_asks_for_channel_binding_is_refused(cx: &mut Cx) -> Outcome {
    let header = match cx.variant() {
        "tls-unique" => "p=tls-unique,,",
        "could-bind" => "y,,",
        "empty" => "",
        "one-comma" => "n,",
        _ => "x,,",
    };
    let (name, password) = user(cx, "SCRAM-SHA-256")?;
    let client = Client::new(Hash::Sha256, &name, &password, &cx.nonce()).with_gs2_header(header);
    let mut conn = agreed(cx, "SCRAM-SHA-256").await?;
    expect_refused(&mut conn, client.client_first()).await?;
    Ok(())
}

/// A SCRAM login whose authorization id (`a=`) equals the user is accepted; one with another
/// authorization id is answered with SASL_AUTHENTICATION_FAILED (58), although the password is
/// right.
#[scenario("SASL-029", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "SCRAM-SHA-512")])]
async fn an_authorization_id_of_the_user_itself_is_accepted(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "SCRAM-SHA-512")?;
    let client = Client::new(Hash::Sha512, &name, &password, &cx.nonce()).with_authzid(&name);
    let mut conn = agreed(cx, "SCRAM-SHA-512").await?;
    expect_login(cx, &mut conn, client).await
}

/// A SCRAM login whose authorization id (`a=`) equals the user is accepted; one with another
/// authorization id is answered with SASL_AUTHENTICATION_FAILED (58), although the password is
/// right.
#[scenario("SASL-029", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "SCRAM-SHA-512"),
                    User(Role::SecondUnprivileged, "PLAIN")])]
async fn another_authorization_id_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "SCRAM-SHA-512")?;
    let (other, _) = cx.credentials(Role::SecondUnprivileged)?;
    let client = Client::new(Hash::Sha512, &name, &password, &cx.nonce()).with_authzid(&other);
    let mut conn = agreed(cx, "SCRAM-SHA-512").await?;
    refused_at_either_step(&mut conn, client).await?;
    Ok(())
}

/// SCRAM user names with a comma and an equals sign log in when these are sent as `=2C` and `=3D`;
/// a bare `=` or any other escape (`=41`, `=2c`) is answered with SASL_AUTHENTICATION_FAILED (58).
#[scenario("SASL-030", api = SaslAuthenticate, needs = [Listener(Listener::SaslPlaintext)])]
async fn escaped_commas_and_equals_signs_are_accepted_in_user_names(cx: &mut Cx) -> Outcome {
    let (name, password) = odd_user(cx).await?;
    let client = Client::new(Hash::Sha256, &name, &password, &cx.nonce());
    let mut conn = agreed(cx, "SCRAM-SHA-256").await?;
    expect_login(cx, &mut conn, client).await
}

/// SCRAM user names with a comma and an equals sign log in when these are sent as `=2C` and `=3D`;
/// a bare `=` or any other escape (`=41`, `=2c`) is answered with SASL_AUTHENTICATION_FAILED (58).
#[scenario("SASL-030", api = SaslAuthenticate, vary = ["raw", "other-escape", "lower-case"],
           needs = [Listener(Listener::SaslPlaintext)])]
async fn other_escapes_are_refused_in_user_names(cx: &mut Cx) -> Outcome {
    let (name, password) = odd_user(cx).await?;
    let encoded = match cx.variant() {
        "raw" => name.replace(',', "=2C"),
        "other-escape" => encode_name(&name).replace('A', "=41"),
        _ => encode_name(&name).replace("=2C", "=2c"),
    };
    let client = Client::new(Hash::Sha256, &name, &password, &cx.nonce());
    let mut conn = agreed(cx, "SCRAM-SHA-256").await?;
    refused_at_either_step(&mut conn, client.with_encoded_user(&encoded)).await?;
    Ok(())
}

/// A user with a credential for SCRAM-SHA-256 alone who logs in with SCRAM-SHA-512 is answered with
/// SASL_AUTHENTICATION_FAILED (58).
#[scenario("SASL-032", api = SaslAuthenticate, needs = [Listener(Listener::SaslPlaintext)])]
async fn a_mechanism_without_a_credential_is_refused(cx: &mut Cx) -> Outcome {
    let (name, password) = cx.scram_user(Hash::Sha256).await?;
    let mut conn = agreed(cx, "SCRAM-SHA-512").await?;
    let client = Client::new(Hash::Sha512, &name, &password, &cx.nonce());
    refused_at_either_step(&mut conn, client).await?;
    Ok(())
}

/// A fresh user whose name needs escapes.
async fn odd_user(cx: &Cx) -> Result<(String, String), Failure> {
    let (name, password) = (cx.name("user,=A"), cx.name("password"));
    cx.scram_user_named(&name, &password, Hash::Sha256).await?;
    Ok((name, password))
}

/// The act: this client logs in, and is served.
async fn expect_login(cx: &Cx, conn: &mut Conn, mut client: Client) -> Outcome {
    let body = conn.ask(token(client.client_first())).await?.expect_ok()?;
    let message = client
        .client_final(&body.auth_bytes)
        .map_err(|error| Failure::failed("the server's first message", error.to_string()))?;
    conn.ask(token(message)).await?.expect_ok()?;
    expect_served(cx, conn).await
}

/// The act: the login is refused at the first message, or (after a challenge that gives nothing away) at the last.
async fn refused_at_either_step(conn: &mut Conn, mut client: Client) -> Result<String, Failure> {
    let reply = conn.ask(token(client.client_first())).await?;
    if reply.at("error_code")?.as_int() == Some(0) {
        let body = reply.expect_answer()?;
        let server = ServerFirst::read(&body.auth_bytes)
            .map_err(|error| Failure::failed("the server's first message", error.to_string()))?;
        let message = client.prove(&server, &client.without_proof(&server.nonce));
        return expect_refused(conn, message).await;
    }
    super::login::expect_refusal(conn, reply).await
}
