//! TLS: versions, what comes in clear, client certificates, and SASL over TLS.
//!
//! Not covered: principals out of certificates and their mapping, which need a listener without the other rules.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::tls::{Pem, TlsOptions, Versions, client_config};
use kconform_scenario::wire::{Dial, Tls};

use super::login::{agreed_on, expect_served, plain, token, user};

scenarios![
    tls_1_2_and_1_3_are_accepted,
    tls_1_0_and_1_1_are_refused,
    a_request_in_clear_gets_no_answer_on_a_tls_port,
    a_client_hello_closes_the_connection_where_no_tls_is_spoken,
    a_client_without_the_demanded_certificate_is_refused,
    a_client_with_an_untrusted_certificate_is_refused,
    the_certificate_bears_the_advertised_host,
    a_request_before_sasl_closes_the_connection_over_tls,
    a_login_over_tls_is_accepted,
];

/// A TLS listener accepts TLS 1.2 and TLS 1.3 by default and refuses TLS 1.0 and TLS 1.1.
#[scenario("TLS-001", api = ApiVersions, versions = 0, vary = ["1.2", "1.3"],
           needs = [Listener(Listener::Ssl)])]
async fn tls_1_2_and_1_3_are_accepted(cx: &mut Cx) -> Outcome {
    let versions = if cx.variant() == "1.2" { Versions::Only12 } else { Versions::Only13 };
    let options = TlsOptions { versions, verify: false, ..TlsOptions::default() };
    let opened = cx.attempt(Listener::Ssl, with(&options)?).await?;
    let mut conn = opened.map_err(|refused| {
        Failure::failed(format!("a session of TLS {}", cx.variant()), refused.to_string())
    })?;
    conn.ask_bytes(keys::ApiVersions, 0, &[][..]).await.expect_ok()?;
    Ok(())
}

/// A TLS listener accepts TLS 1.2 and TLS 1.3 by default and refuses TLS 1.0 and TLS 1.1.
#[scenario("TLS-001", api = ApiVersions, versions = 0, vary = ["1.0", "1.1"],
           needs = [Listener(Listener::Ssl)])]
async fn tls_1_0_and_1_1_are_refused(cx: &mut Cx) -> Outcome {
    // The same hello is good when it offers TLS 1.2: nothing but the version can be wrong with it.
    let mut good = in_clear(cx).await?;
    good.send_raw(client_hello(0x0303)).await;
    let answer = good.receive().await;
    if !is_record(&answer, HANDSHAKE) {
        return Err(Failure::blocked("a hello in answer to TLS 1.2", format!("{answer:?}")));
    }
    let mut conn = in_clear(cx).await?;
    conn.send_raw(client_hello(if cx.variant() == "1.0" { 0x0301 } else { 0x0302 })).await;
    expect_alert_or_close(cx, &mut conn).await
}

/// A Kafka request in clear on a TLS port gets no Kafka answer: nothing comes but, at most, a TLS
/// alert, and then the connection is closed.
#[scenario("TLS-002", api = ApiVersions, needs = [Listener(Listener::Ssl)])]
async fn a_request_in_clear_gets_no_answer_on_a_tls_port(cx: &mut Cx) -> Outcome {
    let mut conn = in_clear(cx).await?;
    let header = conn.header(keys::ApiVersions, cx.version());
    let body: &[u8] = if cx.version() < 3 { b"" } else { b"\x09kconform\x021\0" };
    conn.send_raw(header.frame(body)).await;
    expect_alert_or_close(cx, &mut conn).await
}

/// A TLS ClientHello where no TLS is spoken is read as a request of about 370 million bytes, more
/// than `socket.request.max.bytes` (104857600 by default), and closes the connection without a
/// byte.
#[scenario("TLS-003", api = ApiVersions, versions = 0)]
async fn a_client_hello_closes_the_connection_where_no_tls_is_spoken(cx: &mut Cx) -> Outcome {
    // Where the way in is itself TLS or SASL, the hello stands where a request must stand all the same.
    let mut conn = cx.connect().await?;
    conn.send_raw(client_hello(0x0303)).await;
    conn.expect_close().await
}

/// Where client certificates are demanded (`ssl.client.auth=required`), a client without one is
/// refused, in TLS 1.2 and 1.3; with TLS 1.3 the client may see it only when it reads for the first
/// time after its side of the handshake.
#[scenario("TLS-005", api = ApiVersions, versions = 0, vary = ["1.2", "1.3"],
           needs = [Listener(Listener::Mtls)])]
async fn a_client_without_the_demanded_certificate_is_refused(cx: &mut Cx) -> Outcome {
    let versions = if cx.variant() == "1.2" { Versions::Only12 } else { Versions::Only13 };
    let options = TlsOptions { versions, verify: false, ..TlsOptions::default() };
    expect_tls_refusal(cx, &options).await
}

/// Where client certificates are demanded, a client with a certificate that no trusted authority
/// signed is refused, in TLS 1.2 and 1.3, as one without a certificate is.
#[scenario("TLS-006", api = ApiVersions, versions = 0, vary = ["1.2", "1.3"],
           needs = [Listener(Listener::Mtls)])]
async fn a_client_with_an_untrusted_certificate_is_refused(cx: &mut Cx) -> Outcome {
    let versions = if cx.variant() == "1.2" { Versions::Only12 } else { Versions::Only13 };
    let pem = Pem::Text(UNTRUSTED.to_vec());
    let options = TlsOptions {
        versions,
        verify: false,
        client_cert_pem: Some(pem.clone()),
        client_key_pem: Some(pem),
        ..TlsOptions::default()
    };
    expect_tls_refusal(cx, &options).await
}

/// The certificate of a TLS listener bears the host that Metadata advertises for it, so that a
/// client which verifies names can connect to what it was told.
#[scenario("TLS-011", api = Metadata, needs = [Listener(Listener::Ssl)])]
async fn the_certificate_bears_the_advertised_host(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect_to(Listener::Ssl).await?;
    // In version 0 an empty list means all topics, which does no harm.
    let body = conn.ask(requests::metadata(cx.version(), &[])).await?.ok()?;
    let broker = body.brokers.first().ok_or_else(|| Failure::blocked("a broker", "none"))?;
    let (host, port) = (broker.host.to_string(), u16::try_from(broker.port).unwrap_or(0));
    let advertised = format!("{host}:{port}");
    let opened = cx
        .attempt(Listener::Ssl, |dial| {
            dial.host = host;
            dial.port = port;
            if let Some(tls) = &mut dial.tls {
                tls.server_name = None;
            }
        })
        .await?;
    let mut conn = opened.map_err(|refused| {
        Failure::failed(format!("a certificate for {advertised}"), refused.to_string())
    })?;
    conn.ask_bytes(keys::ApiVersions, 0, &[][..]).await.expect_ok()?;
    Ok(())
}

/// On a listener with SASL over TLS, SASL follows the TLS handshake: another request before it
/// closes the connection without an answer, a login then succeeds, and the principal is the one of
/// SASL even where the client has a certificate.
#[scenario("TLS-013", api = Metadata, needs = [Listener(Listener::SaslSsl)])]
async fn a_request_before_sasl_closes_the_connection_over_tls(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect_to(Listener::SaslSsl).await?;
    conn.ask(requests::metadata(cx.version(), &[])).await?.expect_closed()?;
    cx.still_serves().await
}

/// On a listener with SASL over TLS, SASL follows the TLS handshake: another request before it
/// closes the connection without an answer, a login then succeeds, and the principal is the one of
/// SASL even where the client has a certificate.
#[scenario("TLS-013", api = SaslAuthenticate,
           needs = [Listener(Listener::SaslSsl), User(Role::Unprivileged, "PLAIN")])]
async fn a_login_over_tls_is_accepted(cx: &mut Cx) -> Outcome {
    let (name, password) = user(cx, "PLAIN")?;
    let mut conn = agreed_on(cx, Listener::SaslSsl, "PLAIN").await?;
    conn.ask(token(plain(&name, &password))).await?.expect_ok()?;
    expect_served(cx, &mut conn).await
}

/// A certificate that signs itself, `CN=stranger`, and its key. Nobody trusts it.
const UNTRUSTED: &[u8] = include_bytes!("untrusted.pem");

/// Changes a dial to these TLS options.
fn with(options: &TlsOptions) -> Result<impl FnOnce(&mut Dial) + use<>, Failure> {
    let config = client_config(options).map_err(|error| Failure::error(error.to_string()))?;
    Ok(|dial: &mut Dial| {
        let server_name = dial.tls.take().and_then(|tls| tls.server_name);
        dial.tls = Some(Tls { config, server_name });
    })
}

/// The act: the listener that demands certificates refuses, during the handshake or (as TLS 1.3 allows) right after
/// it. Then a fresh connection is asked whether the broker still serves.
async fn expect_tls_refusal(cx: &Cx, options: &TlsOptions) -> Outcome {
    match cx.attempt(Listener::Mtls, with(options)?).await? {
        Err(refused) if refused.is_tls() => {}
        Err(other) => return Err(Failure::blocked("a TLS handshake", other.to_string())),
        Ok(mut conn) => conn.ask_bytes(keys::ApiVersions, 0, &[][..]).await.expect_closed()?,
    }
    cx.still_serves().await
}

/// A bare TCP connection to the TLS listener.
async fn in_clear(cx: &Cx) -> Result<Conn, Failure> {
    let opened = cx.attempt(Listener::Ssl, |dial| dial.tls = None).await?;
    opened.map_err(|refused| Failure::blocked("a TCP connection", refused.to_string()))
}

/// Content types of TLS records (RFC 8446, section 5.1).
const ALERT: i32 = 0x15;
const HANDSHAKE: i32 = 0x16;

/// Whether this is a TLS record of that type: as a length prefix it is beyond all limits.
fn is_record(received: &Received, kind: i32) -> bool {
    matches!(received, Received::BadLength(length) if length >> 16 == (kind << 8 | 0x03))
}

/// The act: an alert comes, or the connection closes, and nothing else. Then a fresh connection is asked whether the
/// broker still serves.
async fn expect_alert_or_close(cx: &Cx, conn: &mut Conn) -> Outcome {
    match conn.receive().await {
        Received::Closed { partial: 0, .. } => {}
        alert if is_record(&alert, ALERT) => {}
        other => return Err(Failure::failed("a TLS alert or a close", format!("{other:?}"))),
    }
    cx.still_serves().await
}

/// A ClientHello that offers this version and those before it, in the form that all versions read (RFC 5246, section
/// 7.4.1.2): suites of ECDHE and RSA, the curves secp256r1 and x25519.
fn client_hello(version: u16) -> Vec<u8> {
    const SUITES: [u16; 8] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc009, 0xc00a, 0xc013, 0xc014];
    const EXTENSIONS: &[u8] = b"\x00\x0a\x00\x06\x00\x04\x00\x17\x00\x1d\
        \x00\x0b\x00\x02\x01\x00\
        \x00\x0d\x00\x0a\x00\x08\x04\x03\x04\x01\x08\x04\x02\x01";
    let mut hello = version.to_be_bytes().to_vec();
    hello.extend([7; 32]);
    // No session id.
    hello.push(0);
    put_sized(&mut hello, &SUITES.map(u16::to_be_bytes).concat());
    // No compression.
    hello.extend([1, 0]);
    put_sized(&mut hello, EXTENSIONS);
    // A handshake message of type 1, whose length has three bytes.
    let mut message = vec![1, 0];
    put_sized(&mut message, &hello);
    // Type, and the version that records say during the hello.
    let mut record = vec![0x16, 0x03, 0x01];
    put_sized(&mut record, &message);
    record
}

/// Appends bytes behind their length of two bytes.
fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}
