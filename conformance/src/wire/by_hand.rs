//! Requests and pieces of requests made by hand, byte by byte: what the scenarios of this family share.

use bytes::Bytes;
use kafka_protocol::messages::MetadataRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::{Header, framed};

/// A topic name that no broker accepts, so that no request about it creates a topic, in any version.
pub(super) const IMPOSSIBLE_TOPIC: &str = "no/such topic";

/// A Metadata request with a short answer: about a topic that cannot exist. Its answer says INVALID_TOPIC_EXCEPTION.
pub(super) fn about_no_topic(version: i16) -> MetadataRequest {
    requests::metadata(version, &[IMPOSSIBLE_TOPIC])
}

/// Checks that this is the answer to [`about_no_topic`].
pub(super) fn expect_no_topic<B>(reply: &Reply<B>) -> Outcome {
    reply.expect_error_at("topics[0].error_code", InvalidTopicException)
}

/// Sends a request under this header, with these bytes in place of its tag section, and waits for the reply.
pub(super) async fn ask(conn: &mut Conn, header: &Header, tags: &[u8], body: &[u8]) -> Reply<()> {
    let frame = framed(&[&header.bytes(tags), body]);
    conn.send_raw(frame.clone()).await;
    conn.reply_to(header, frame).await
}

/// The case's variant as a number.
pub(super) fn number<T: std::str::FromStr>(cx: &Cx) -> Result<T, Failure> {
    cx.variant().parse().map_err(|_| Failure::error(format!("variant {}", cx.variant())))
}

/// An unsigned varint in exactly this many bytes, minimal or not.
pub(super) fn padded(value: u32, width: usize) -> Vec<u8> {
    let groups = (0..width).map(|at| u8::try_from(u64::from(value) >> (7 * at) & 0x7f));
    let mut bytes: Vec<u8> = groups.map(|group| group.unwrap_or(0) | 0x80).collect();
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    bytes
}

/// What follows the list of topics in a Metadata request, without the tag section: allow_auto_topic_creation (v4+),
/// include_cluster_authorized_operations (v8 to v10) and include_topic_authorized_operations (v8+), all false.
pub(super) fn after_topics(version: i16) -> &'static [u8] {
    match version {
        ..=3 => &[],
        4..=7 => &[0],
        8..=10 => &[0; 3],
        11.. => &[0; 2],
    }
}

/// The topic id that comes before a topic's name in a Metadata request of v10 and later: none.
pub(super) fn before_name(version: i16) -> &'static [u8] {
    if version >= 10 { &[0; 16] } else { &[] }
}

/// The act: the connection closes without an answer, and others are served.
pub(super) async fn expect_closed(cx: &Cx, reply: &Reply<()>) -> Outcome {
    reply.expect_closed()?;
    cx.still_serves().await
}

/// Parts, one after the other.
pub(super) fn joined(parts: &[&[u8]]) -> Bytes {
    parts.concat().into()
}
