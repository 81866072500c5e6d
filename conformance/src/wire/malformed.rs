//! Bodies that do not parse, and one that is followed by more: too short, too long, null where nothing is nullable.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::frame::framed;
use kconform_scenario::wire::schema::primitives::Writer;

use super::by_hand::{self, after_topics, ask};
use super::harmless;

scenarios![
    a_body_that_ends_early_closes_the_connection,
    bytes_after_the_body_are_ignored,
    produce_without_topics_closes_the_connection,
    fetch_without_topics_closes_the_connection,
    metadata_v0_without_topics_closes_the_connection,
    metadata_about_a_nameless_topic_closes_the_connection,
];

/// A frame with a valid header whose body ends early (before its last byte) closes the connection;
/// it is not answered with INVALID_REQUEST (42).
#[scenario("WIRE-024", api = Each)]
async fn a_body_that_ends_early_closes_the_connection(cx: &mut Cx) -> Outcome {
    let body = harmless::bytes(cx, cx.key(), cx.version())?;
    let mut conn = cx.connect().await?;
    // A version whose body is empty loses the last byte of its header instead.
    let whole = [&conn.header(cx.key(), cx.version()).bytes(&[0]), &body[..]].concat();
    conn.send_raw(framed(&[&whole[..whole.len() - 1]])).await;
    conn.expect_close().await
}

/// Extra bytes after a complete body, inside the frame, are ignored, and the normal response is
/// sent.
#[scenario("WIRE-025", api = Each)]
async fn bytes_after_the_body_are_ignored(cx: &mut Cx) -> Outcome {
    let mut body = harmless::bytes(cx, cx.key(), cx.version())?;
    body.extend_from_slice(b"\x00\x01surplus");
    let mut conn = cx.connect().await?;
    conn.ask_bytes(cx.key(), cx.version(), body).await.expect_answer()?;
    Ok(())
}

/// A null (length -1, or compact 0) for a non-nullable array or string closes the connection:
/// Produce topic_data, Fetch topics, Metadata v0 topics, a topic name in Metadata up to v9.
#[scenario("WIRE-026", api = Produce)]
async fn produce_without_topics_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut body = Writer::new();
    // Transactional id null.
    match cx.version() {
        ..=2 => &mut body,
        3..=8 => body.put_i16(-1),
        9.. => body.put_uvarint(0),
    };
    body.put_i16(-1).put_i32(1000);
    null_array(&mut body, cx.version() >= 9);
    close_after(cx, body, cx.version() >= 9).await
}

/// A null (length -1, or compact 0) for a non-nullable array or string closes the connection:
/// Produce topic_data, Fetch topics, Metadata v0 topics, a topic name in Metadata up to v9.
#[scenario("WIRE-026", api = Fetch)]
async fn fetch_without_topics_closes_the_connection(cx: &mut Cx) -> Outcome {
    let version = cx.version();
    let flexible = version >= 12;
    let mut body = Writer::new();
    if version <= 14 {
        // Replica id: a consumer.
        body.put_i32(-1);
    }
    // No wait, no minimum.
    body.put_i32(0).put_i32(0);
    if version >= 3 {
        body.put_i32(1 << 20);
    }
    if version >= 4 {
        body.put_i8(0);
    }
    if version >= 7 {
        // No session.
        body.put_i32(0).put_i32(-1);
    }
    null_array(&mut body, flexible);
    // Nothing forgotten, no rack.
    match version {
        ..=6 => &mut body,
        7..=10 => body.put_i32(0),
        11 => body.put_i32(0).put_i16(0),
        12.. => body.put_uvarint(1).put_uvarint(1),
    };
    close_after(cx, body, flexible).await
}

/// A null (length -1, or compact 0) for a non-nullable array or string closes the connection:
/// Produce topic_data, Fetch topics, Metadata v0 topics, a topic name in Metadata up to v9.
#[scenario("WIRE-026", api = Metadata, versions = 0)]
async fn metadata_v0_without_topics_closes_the_connection(cx: &mut Cx) -> Outcome {
    let mut body = Writer::new();
    null_array(&mut body, false);
    close_after(cx, body, false).await
}

/// A null (length -1, or compact 0) for a non-nullable array or string closes the connection:
/// Produce topic_data, Fetch topics, Metadata v0 topics, a topic name in Metadata up to v9.
#[scenario("WIRE-026", api = Metadata, versions = ..=9)]
async fn metadata_about_a_nameless_topic_closes_the_connection(cx: &mut Cx) -> Outcome {
    let flexible = cx.version() >= 9;
    let mut body = Writer::new();
    if flexible {
        // One topic; its name null; no tags.
        body.put(&[2, 0, 0]);
    } else {
        body.put_i32(1).put_i16(-1);
    }
    body.put(after_topics(cx.version()));
    close_after(cx, body, flexible).await
}

fn null_array(body: &mut Writer, flexible: bool) {
    if flexible {
        body.put_uvarint(0)
    } else {
        body.put_i32(-1)
    };
}

/// Asks with this body, and an empty tag section where there is one; the connection must close.
async fn close_after(cx: &Cx, mut body: Writer, flexible: bool) -> Outcome {
    if flexible {
        body.put_uvarint(0);
    }
    let mut conn = cx.connect().await?;
    let header = conn.header(cx.key(), cx.version());
    let reply = ask(&mut conn, &header, &[0], &Bytes::from(body.into_vec())).await;
    by_hand::expect_closed(cx, &reply).await
}
