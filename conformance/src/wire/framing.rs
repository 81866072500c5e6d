//! Frames: length prefix, limits of the length, bytes that are no frame, and frames that arrive in pieces or together.
//!
//! Where a row is about frames and no API matters, its cases speak ApiVersions v0.
//!
//! The shape `small-requests` is a broker with `socket.request.max.bytes=65536` and `connections.max.idle.ms=3000`.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::framed;

use super::by_hand::{self, about_no_topic, ask, expect_no_topic, joined, number, padded};
use super::harmless;

scenarios![
    every_answer_fills_its_frame_exactly,
    a_negative_length_closes_the_connection,
    a_length_beyond_the_limit_closes_before_any_body,
    a_frame_of_exactly_the_limit_is_served,
    a_frame_of_one_byte_more_than_the_limit_is_refused,
    an_empty_frame_closes_the_connection,
    first_bytes_of_another_protocol_close_the_connection,
    bytes_of_another_protocol_after_a_request_close_the_connection,
    an_unfinished_frame_ends_with_its_sender,
    a_request_may_arrive_byte_by_byte,
    requests_may_arrive_in_one_segment,
];

/// Apache's default of `socket.request.max.bytes`, which holds where the target does not show its settings.
const DEFAULT_LIMIT: i64 = 104_857_600;

fn limit(cx: &Cx) -> i64 {
    cx.facts().config_number("socket.request.max.bytes").unwrap_or(DEFAULT_LIMIT)
}

/// Each request and response is an int32 big-endian length (not counting itself) followed by
/// exactly that many bytes; a response body parses completely with 0 bytes left over.
#[scenario("WIRE-001", also = ["WIRE-010"], api = Each)]
async fn every_answer_fills_its_frame_exactly(cx: &mut Cx) -> Outcome {
    let body = harmless::body(cx, cx.key(), cx.version())?;
    let mut conn = cx.connect().await?;
    // The walk over every answer refuses a byte too few or too many, in the header that belongs to the version.
    conn.ask_value(cx.key(), cx.version(), &body).await?.expect_answer()?;
    Ok(())
}

/// A negative frame length closes the connection.
#[scenario("WIRE-019", api = ApiVersions, versions = 0, vary = ["-1", "-2147483648"])]
async fn a_negative_length_closes_the_connection(cx: &mut Cx) -> Outcome {
    let length: i32 = number(cx)?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::ApiVersions, cx.version());
    conn.send_raw([&length.to_be_bytes(), &header.bytes(&[])[..]].concat()).await;
    conn.expect_close().await
}

/// A frame length greater than socket.request.max.bytes (default 104857600) closes the connection
/// as soon as the 4 length bytes are read; the body need not be sent.
#[scenario("WIRE-020", api = ApiVersions, versions = 0, vary = ["one-more", "largest"])]
async fn a_length_beyond_the_limit_closes_before_any_body(cx: &mut Cx) -> Outcome {
    let length = if cx.variant() == "largest" { i64::from(i32::MAX) } else { limit(cx) + 1 };
    let length = i32::try_from(length)
        .map_err(|_| Failure::NotRun("a socket.request.max.bytes below 2147483647".to_owned()))?;
    let mut conn = cx.connect().await?;
    conn.send_raw(Bytes::copy_from_slice(&length.to_be_bytes())).await;
    conn.expect_close().await
}

/// The limit is inclusive: a frame whose length equals socket.request.max.bytes is read and
/// answered, one byte more closes the connection.
#[scenario("WIRE-021", api = Metadata, versions = 9.., needs = [Shape("small-requests")])]
async fn a_frame_of_exactly_the_limit_is_served(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let reply = ask_with_length(cx, &mut conn, limit(cx)).await?;
    reply.expect_answer()?;
    Ok(())
}

/// The limit is inclusive: a frame whose length equals socket.request.max.bytes is read and
/// answered, one byte more closes the connection.
#[scenario("WIRE-021", api = Metadata, versions = 9.., needs = [Shape("small-requests")])]
async fn a_frame_of_one_byte_more_than_the_limit_is_refused(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let reply = ask_with_length(cx, &mut conn, limit(cx) + 1).await?;
    by_hand::expect_closed(cx, &reply).await
}

/// A frame of length 0 closes the connection: there is no header in it.
#[scenario("WIRE-022", api = ApiVersions, versions = 0)]
async fn an_empty_frame_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.send_raw(framed(&[])).await;
    conn.expect_close().await
}

/// Bytes of another protocol ("GET / HTTP/1.1", a TLS ClientHello, an SSH banner) read as an
/// oversized frame length and close the connection, as the first bytes of a connection and after a
/// valid request.
#[scenario("WIRE-030", api = ApiVersions, versions = 0,
    vary = ["http-get", "http-post", "tls-client-hello", "ssh-banner"])]
async fn first_bytes_of_another_protocol_close_the_connection(cx: &mut Cx) -> Outcome {
    let bytes = foreign(cx)?;
    let mut conn = cx.connect().await?;
    conn.send_raw(bytes).await;
    conn.expect_close().await
}

/// Bytes of another protocol ("GET / HTTP/1.1", a TLS ClientHello, an SSH banner) read as an
/// oversized frame length and close the connection, as the first bytes of a connection and after a
/// valid request.
#[scenario("WIRE-030", api = ApiVersions, versions = 0,
    vary = ["http-get", "http-post", "tls-client-hello", "ssh-banner"])]
async fn bytes_of_another_protocol_after_a_request_close_the_connection(cx: &mut Cx) -> Outcome {
    let bytes = foreign(cx)?;
    let mut conn = cx.connect().await?;
    conn.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await.ok()?;
    conn.send_raw(bytes).await;
    conn.expect_close().await
}

/// When the client ends an incomplete frame by closing its sending side, the broker closes the
/// connection without a response, and other connections are not affected.
#[scenario("WIRE-031", api = ApiVersions, versions = 0,
    vary = ["in-the-length", "in-the-header", "before-the-last-byte"])]
async fn an_unfinished_frame_ends_with_its_sender(cx: &mut Cx) -> Outcome {
    let mut neighbour = cx.connect().await?;
    let mut conn = cx.connect().await?;
    let frame = conn.header(keys::ApiVersions, cx.version()).frame(&[]);
    let end = match cx.variant() {
        "in-the-length" => 2,
        "in-the-header" => 9,
        _ => frame.len() - 1,
    };
    conn.send_raw(frame.slice(..end)).await;
    conn.shut().await;
    conn.expect_close().await?;
    neighbour.ask_bytes(keys::ApiVersions, 0, Bytes::new()).await.expect_ok()?;
    Ok(())
}

/// A request dribbled one byte per TCP segment, splits inside the length prefix included, is served
/// normally.
#[scenario("WIRE-033", api = Metadata)]
async fn a_request_may_arrive_byte_by_byte(cx: &mut Cx) -> Outcome {
    let body = harmless::bytes(cx, keys::Metadata, cx.version())?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version());
    let frame = header.frame(&body);
    for at in 0..frame.len() {
        conn.send_raw(frame.slice(at..=at)).await;
        // Long enough for the byte to leave, and to be read, on its own.
        cx.sleep(Duration::from_millis(1)).await;
    }
    conn.reply_to(&header, frame).await.expect_ok()?;
    Ok(())
}

/// Several requests coalesced in one TCP segment are all served.
#[scenario("WIRE-034", api = Metadata)]
async fn requests_may_arrive_in_one_segment(cx: &mut Cx) -> Outcome {
    let body = harmless::bytes(cx, keys::Metadata, cx.version())?;
    let mut conn = cx.connect().await?;
    let headers: Vec<_> = (0..5).map(|_| conn.header(keys::Metadata, cx.version())).collect();
    let frames: Vec<_> = headers.iter().map(|header| header.frame(&body)).collect();
    conn.send_raw(frames.concat()).await;
    for (header, frame) in headers.iter().zip(frames) {
        conn.reply_to(header, frame).await.expect_ok()?;
    }
    expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)
}

/// Asks Metadata in a frame of this length; an unknown tagged field at the end of the body fills it.
async fn ask_with_length(cx: &Cx, conn: &mut Conn, length: i64) -> Result<Reply<()>, Failure> {
    let header = conn.header(keys::Metadata, cx.version());
    // No topics (compact 1), then one field with tag 9999, whose length takes three bytes.
    let start = [&[1][..], by_hand::after_topics(cx.version()), &[1, 0x8f, 0x4e]].concat();
    let taken = header.bytes(&[0]).len() + start.len() + 3;
    let filled = usize::try_from(length).unwrap_or(0).saturating_sub(taken);
    let size = u32::try_from(filled).map_err(|error| Failure::error(error.to_string()))?;
    let body = joined(&[&start, &padded(size, 3), &vec![0; filled]]);
    Ok(ask(conn, &header, &[0], &body).await)
}

/// What clients of other protocols say first.
fn foreign(cx: &Cx) -> Result<Bytes, Failure> {
    Ok(Bytes::from_static(match cx.variant() {
        "http-get" => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "http-post" => b"POST /topics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        "ssh-banner" => b"SSH-2.0-OpenSSH_9.6\r\n",
        // A handshake record of TLS 1.0 with a ClientHello of TLS 1.2: one cipher suite, no extensions.
        "tls-client-hello" => {
            b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\
            0123456789abcdef0123456789abcdef\x00\x00\x02\x13\x01\x01\x00"
        }
        other => return Err(Failure::error(format!("variant {other}"))),
    }))
}
