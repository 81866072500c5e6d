//! ApiVersions (18) in versions that the broker does not know: the one API that answers them (KIP-511).
//!
//! These cases stand at version 0, in whose layout the refusal comes. Brokers before 2.4, whose refusal has no entry
//! (APIV-006), are not covered.

use kafka_protocol::messages::ApiVersionsRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::framed;

scenarios![
    a_version_above_the_highest_is_answered_in_the_layout_of_version_0,
    a_negative_version_is_answered_like_one_above_the_highest,
    a_too_new_request_without_header_tags_closes,
    unknown_header_tags_of_a_too_new_request_are_ignored,
];

/// A version above the broker's highest, the next one as well as 32767, is answered in the layout
/// of v0: response header v0, error_code UNSUPPORTED_VERSION (35), an array with a count of four
/// bytes, no throttle time. api_keys holds exactly one entry, ApiVersions (18) with its range. The
/// request body is not parsed, be it empty, garbage or valid, but the request header is read as v2
/// (APIV-021). The connection stays usable for a retry.
#[scenario("APIV-005", api = ApiVersions, versions = 0, vary = [
    "next_empty", "next_garbage", "next_valid", "highest_empty", "highest_garbage", "highest_valid"
])]
async fn a_version_above_the_highest_is_answered_in_the_layout_of_version_0(
    cx: &mut Cx,
) -> Outcome {
    let version = if cx.variant().starts_with("next") { above_the_highest(cx)? } else { i16::MAX };
    let body = match cx.variant().rsplit('_').next() {
        Some("empty") => &b""[..],
        Some("garbage") => &[0xff; 64],
        // Name, software version and an empty tag section, as in version 3.
        _ => b"\x09kconform\x041.0\0",
    };
    let mut conn = cx.connect().await?;
    let reply = conn.ask_bytes(keys::ApiVersions, version, body).await;
    expect_own_range_alone(cx, &reply)?;
    conn.ask(ApiVersionsRequest::default()).await?.expect_ok().map(drop)
}

/// A negative version such as -1 counts as unsupported: it gets the answer of APIV-005, not a
/// close.
#[scenario("APIV-007", api = ApiVersions, versions = 0)]
async fn a_negative_version_is_answered_like_one_above_the_highest(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let reply = conn.ask_bytes(keys::ApiVersions, -1, &b""[..]).await;
    expect_own_range_alone(cx, &reply)?;
    conn.ask(ApiVersionsRequest::default()).await?.expect_ok().map(drop)
}

/// A version above the broker's highest is read with request header v2: without a tag section after
/// client_id (header v1, nothing after it) the broker closes instead of answering
/// UNSUPPORTED_VERSION (35); unknown header tags are ignored.
#[scenario("APIV-021", api = ApiVersions, versions = 0)]
async fn a_too_new_request_without_header_tags_closes(cx: &mut Cx) -> Outcome {
    let version = above_the_highest(cx)?;
    let mut conn = cx.connect().await?;
    let mut header = conn.header(keys::ApiVersions, version);
    header.header_version = Some(1);
    conn.send_raw(header.frame(&[])).await;
    conn.expect_close().await
}

/// A version above the broker's highest is read with request header v2: without a tag section after
/// client_id (header v1, nothing after it) the broker closes instead of answering
/// UNSUPPORTED_VERSION (35); unknown header tags are ignored.
#[scenario("APIV-021", api = ApiVersions, versions = 0)]
async fn unknown_header_tags_of_a_too_new_request_are_ignored(cx: &mut Cx) -> Outcome {
    let version = above_the_highest(cx)?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::ApiVersions, version);
    // One tagged field: number 99, two bytes.
    let frame = framed(&[&header.bytes(b"\x01\x63\x02kc")]);
    conn.send_raw(frame.clone()).await;
    let reply = conn.reply_to(&header, frame).await;
    expect_own_range_alone(cx, &reply)
}

/// The version after the highest that the target advertises.
fn above_the_highest(cx: &Cx) -> Result<i16, Failure> {
    let highest = own_range(cx)?.1;
    highest.checked_add(1).ok_or_else(|| {
        Failure::blocked("a version above the highest", format!("{highest} is the last there is"))
    })
}

fn own_range(cx: &Cx) -> Result<(i16, i16), Failure> {
    let range = cx.facts().apis.get(&keys::ApiVersions).copied();
    range.ok_or_else(|| Failure::blocked("a target that lists ApiVersions", "it does not"))
}

/// The refusal of KIP-511: layout of version 0, UNSUPPORTED_VERSION, and where ApiVersions itself can be asked.
fn expect_own_range_alone(cx: &Cx, reply: &Reply<()>) -> Outcome {
    let (min, max) = own_range(cx)?;
    reply.expect_error_at("error_code", UnsupportedVersion)?;
    let body = reply.clone().expect_answer()?;
    let expected = {
        let mut bytes = vec![0, 35, 0, 0, 0, 1, 0, 18];
        bytes.extend(min.to_be_bytes());
        bytes.extend(max.to_be_bytes());
        bytes
    };
    body.require(
        body.bytes()[..] == expected[..],
        format!("error code, a count of 1, and (18, {min}, {max}): {expected:02x?}"),
        || format!("{:02x?}", &body.bytes()[..]),
    )
}
