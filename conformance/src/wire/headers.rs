//! Request and response headers: their versions, correlation ids, and headers that are cut.
//!
//! Request header v1 belongs to non-flexible request versions, v2 to flexible ones (KIP-482). The response header of
//! ApiVersions has no tag section in any version (KIP-511).

use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::{Header, framed};
use kconform_scenario::wire::schema::{self, Direction};

use super::by_hand::{self, about_no_topic, ask, expect_no_topic, number};
use super::harmless;

scenarios![
    the_correlation_id_comes_back_as_it_was,
    request_header_v1_ends_with_the_client_id,
    request_header_v2_has_a_tag_section,
    the_response_header_follows_the_request_version,
    an_api_versions_response_has_no_tags_in_its_header,
    a_frame_shorter_than_its_header_closes_the_connection,
    a_client_id_that_is_cut_closes_the_connection,
    a_flexible_header_without_tag_section_closes_the_connection,
];

/// Response correlation_id equals the request's int32 exactly, including 0, negatives and values
/// reused on the same connection; it is never validated.
#[scenario("WIRE-002", api = Metadata, vary = ["0", "-1", "-2147483648", "2147483647"])]
async fn the_correlation_id_comes_back_as_it_was(cx: &mut Cx) -> Outcome {
    let id: i32 = number(cx)?;
    let mut conn = cx.connect().await?;
    // Every answer is held to the id of its request.
    for _ in 0..2 {
        conn.next_correlation(id);
        expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)?;
    }
    Ok(())
}

/// Request header v1: api_key int16, api_version int16, correlation_id int32, client_id nullable
/// string with int16 length (-1 = null).
#[scenario("WIRE-006", api = Metadata, versions = ..=8, vary = ["named", "null"])]
async fn request_header_v1_ends_with_the_client_id(cx: &mut Cx) -> Outcome {
    let body = metadata_body(cx)?;
    let mut conn = cx.connect().await?;
    let client_id: &[u8] = if cx.variant() == "null" { b"\xff\xff" } else { b"\x00\x05kc-id" };
    let header = conn.header(keys::Metadata, cx.version());
    let frame = framed(&[&[0, 3], &cx.version().to_be_bytes(), &[0; 4], client_id, &body]);
    conn.send_raw(frame.clone()).await;
    expect_no_topic(&conn.reply_to(&header, frame).await)
}

/// Request header v2: the same fields, client_id still int16-length (not compact), then one
/// tagged-field section.
#[scenario("WIRE-007", api = Metadata, versions = 9.., vary = ["named", "null"])]
async fn request_header_v2_has_a_tag_section(cx: &mut Cx) -> Outcome {
    let body = metadata_body(cx)?;
    let mut conn = cx.connect().await?;
    let client_id: &[u8] = if cx.variant() == "null" { b"\xff\xff" } else { b"\x00\x05kc-id" };
    let header = conn.header(keys::Metadata, cx.version());
    let start = [&[0, 3][..], &cx.version().to_be_bytes(), &[0; 4], client_id].concat();
    let frame = framed(&[&start, &[0], &body]);
    conn.send_raw(frame.clone()).await;
    expect_no_topic(&conn.reply_to(&header, frame).await)
}

/// The response header is v0 (correlation_id only) for non-flexible request versions and v1
/// (correlation_id, then one tagged-field section) for flexible ones, ApiVersions excepted
/// (WIRE-011).
#[scenario("WIRE-010", api = Metadata)]
async fn the_response_header_follows_the_request_version(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let reply = conn.ask(about_no_topic(cx.version())).await?;
    let header: &[u8] = if cx.version() >= 9 { &[0, 0, 0, 0, 0] } else { &[0, 0, 0, 0] };
    expect_header(&reply, header)?;
    expect_no_topic(&reply)
}

/// ApiVersions responses always use response header v0, even at v3+.
#[scenario("WIRE-011", api = ApiVersions)]
async fn an_api_versions_response_has_no_tags_in_its_header(cx: &mut Cx) -> Outcome {
    let body = harmless::bytes(cx, keys::ApiVersions, cx.version())?;
    let mut conn = cx.connect().await?;
    let reply = conn.ask_bytes(keys::ApiVersions, cx.version(), body).await;
    expect_header(&reply, &[0, 0, 0, 0])?;
    reply.expect_ok()?;
    Ok(())
}

/// A frame that ends inside the request header closes the connection: 1, 2, 3, 4 (api_key and
/// api_version alone), 6, 8 or 9 bytes, a header cut inside client_id, a client_id length beyond
/// the frame, or a flexible header without its tag section.
#[scenario("WIRE-023", api = Metadata, versions = 1, vary = ["1", "2", "3", "4", "6", "8", "9"])]
async fn a_frame_shorter_than_its_header_closes_the_connection(cx: &mut Cx) -> Outcome {
    let bytes: usize = number(cx)?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version()).bytes(&[]);
    conn.send_raw(framed(&[&header[..bytes]])).await;
    conn.expect_close().await
}

/// A frame that ends inside the request header closes the connection: 1, 2, 3, 4 (api_key and
/// api_version alone), 6, 8 or 9 bytes, a header cut inside client_id, a client_id length beyond
/// the frame, or a flexible header without its tag section.
#[scenario("WIRE-023", api = Metadata, vary = ["cut", "beyond-the-frame"])]
async fn a_client_id_that_is_cut_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let Header { key, version, correlation, .. } = conn.header(keys::Metadata, cx.version());
    let client_id: &[u8] = if cx.variant() == "cut" { b"\x00\x08kcon" } else { b"\x7f\xff" };
    let start = [&key.to_be_bytes()[..], &version.to_be_bytes(), &correlation.to_be_bytes()];
    conn.send_raw(framed(&[&start.concat(), client_id])).await;
    conn.expect_close().await
}

/// A frame that ends inside the request header closes the connection: 1, 2, 3, 4 (api_key and
/// api_version alone), 6, 8 or 9 bytes, a header cut inside client_id, a client_id length beyond
/// the frame, or a flexible header without its tag section.
#[scenario("WIRE-023", api = Metadata, versions = 9..)]
async fn a_flexible_header_without_tag_section_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version());
    let reply = ask(&mut conn, &header, &[], &[]).await;
    by_hand::expect_closed(cx, &reply).await
}

/// The body of [`about_no_topic`].
fn metadata_body(cx: &Cx) -> Result<bytes::Bytes, Failure> {
    kconform_scenario::wire::typed::request_body(&about_no_topic(cx.version()), cx.version(), &[])
        .map_err(|error| Failure::error(error.to_string()))
}

/// The answer's frame begins with this header, and the body right behind it reads in the version of the request.
fn expect_header<B>(reply: &Reply<B>, header: &[u8]) -> Outcome {
    let expected = format!("a response header of {} bytes, then the body", header.len());
    let Some(frame) = reply.frame() else { return Err(reply.violated(expected, reply.describe())) };
    let (key, version) = (reply.exchange().key, reply.exchange().version);
    match frame.strip_prefix(header) {
        Some(body) => schema::walk(key, version, Direction::Response, body)
            .map_err(|breach| reply.violated(expected, breach.to_string())),
        None => Err(reply.violated(expected, format!("{:02x?}", &frame[..frame.len().min(8)]))),
    }
}
