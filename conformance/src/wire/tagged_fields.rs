//! Tagged fields that the broker does not know (KIP-482): in the request header, at the end of a body, and inside it.

use bytes::Bytes;
use kafka_protocol::protocol::{Decodable, Request};
use kconform_scenario::prelude::*;
use kconform_scenario::requests::list_offsets;

use kconform_scenario::wire::schema::{self, Direction, Struct, Value};
use kconform_scenario::wire::typed;

use super::by_hand::{about_no_topic, ask, expect_no_topic};
use super::harmless;

scenarios![
    an_unknown_tag_in_the_header_of_metadata_is_ignored,
    an_unknown_tag_in_the_header_of_api_versions_is_ignored,
    an_unknown_tag_in_the_header_of_produce_is_ignored,
    unknown_tags_in_metadata_are_ignored,
    unknown_tags_in_produce_are_ignored,
    unknown_tags_in_fetch_are_ignored,
    unknown_tags_in_list_offsets_are_ignored,
];

/// A tag section with one field: tag 9999, three bytes.
const UNKNOWN_TAG: &[u8] = &[1, 0x8f, 0x4e, 3, b'a', b'b', b'c'];

/// An unknown tagged field in the request header (for example tag 9999 with 3 bytes) is ignored,
/// and the response is the normal one.
#[scenario("WIRE-012", api = Metadata, versions = 9..)]
async fn an_unknown_tag_in_the_header_of_metadata_is_ignored(cx: &mut Cx) -> Outcome {
    let request = about_no_topic(cx.version());
    let body = typed::request_body(&request, cx.version(), &[]).map_err(unsayable)?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::Metadata, cx.version());
    expect_no_topic(&ask(&mut conn, &header, UNKNOWN_TAG, &body).await)
}

/// An unknown tagged field in the request header (for example tag 9999 with 3 bytes) is ignored,
/// and the response is the normal one.
#[scenario("WIRE-012", api = ApiVersions, versions = 3..)]
async fn an_unknown_tag_in_the_header_of_api_versions_is_ignored(cx: &mut Cx) -> Outcome {
    let body = harmless::bytes(cx, keys::ApiVersions, cx.version())?;
    let mut conn = cx.connect().await?;
    let header = conn.header(keys::ApiVersions, cx.version());
    ask(&mut conn, &header, UNKNOWN_TAG, &body).await.expect_ok()?;
    Ok(())
}

/// An unknown tagged field in the request header (for example tag 9999 with 3 bytes) is ignored,
/// and the response is the normal one.
#[scenario("WIRE-012", api = Produce, versions = 9..)]
async fn an_unknown_tag_in_the_header_of_produce_is_ignored(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let request = cx.produce(&partition, cx.records(&["value"])?)?;
    let body = typed::request_body(&request, cx.version(), &[]).map_err(unsayable)?;
    let mut conn = cx.leader(&partition).await?;
    let header = conn.header(keys::Produce, cx.version());
    ask(&mut conn, &header, UNKNOWN_TAG, &body).await.expect_ok()?;
    Ok(())
}

/// Unknown tagged fields in the body, at top level and inside nested array elements, are ignored.
#[scenario("WIRE-013", api = Metadata, versions = 9..)]
async fn unknown_tags_in_metadata_are_ignored(cx: &mut Cx) -> Outcome {
    let request = tagged(&about_no_topic(cx.version()), cx.version())?;
    let mut conn = cx.connect().await?;
    expect_no_topic(&conn.ask_value(keys::Metadata, cx.version(), &request).await?)
}

/// Unknown tagged fields in the body, at top level and inside nested array elements, are ignored.
#[scenario("WIRE-013", api = Produce, versions = 9..)]
async fn unknown_tags_in_produce_are_ignored(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let request = cx.produce(&partition, cx.records(&["value"])?)?;
    let request = tagged(&request, cx.version())?;
    let mut conn = cx.leader(&partition).await?;
    let reply = conn.ask_value(keys::Produce, cx.version(), &request).await?.expect_ok()?;
    let offset = reply.at("responses[0].partition_responses[0].base_offset")?;
    reply.require(offset == Value::Int(0), "base_offset = 0", || offset.to_string())
}

/// Unknown tagged fields in the body, at top level and inside nested array elements, are ignored.
#[scenario("WIRE-013", api = Fetch, versions = 12..)]
async fn unknown_tags_in_fetch_are_ignored(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    cx.write(&partition, &["value"]).await?;
    let request = tagged(&cx.fetch(&partition, 0)?, cx.version())?;
    let mut conn = cx.leader(&partition).await?;
    let reply = conn.ask_value(keys::Fetch, cx.version(), &request).await?.expect_ok()?;
    let end = reply.at("responses[0].partitions[0].high_watermark")?;
    reply.require(end == Value::Int(1), "high_watermark = 1", || end.to_string())
}

/// Unknown tagged fields in the body, at top level and inside nested array elements, are ignored.
#[scenario("WIRE-013", api = ListOffsets, versions = 6..)]
async fn unknown_tags_in_list_offsets_are_ignored(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    cx.write(&partition, &["value"]).await?;
    let request = tagged(&list_offsets(&partition, -1), cx.version())?;
    let mut conn = cx.leader(&partition).await?;
    let reply = conn.ask_value(keys::ListOffsets, cx.version(), &request).await?.expect_ok()?;
    let end = reply.at("topics[0].partitions[0].offset")?;
    reply.require(end == Value::Int(1), "offset = 1", || end.to_string())
}

/// The request with an unknown tagged field in each of its structs, from the outermost to the innermost.
fn tagged<R>(request: &R, version: i16) -> Result<Value, Failure>
where
    R: Request + Decodable + PartialEq,
{
    let body = typed::request_body(request, version, &[]).map_err(unsayable)?;
    let value = schema::decode(R::KEY, version, Direction::Request, &body)
        .map_err(|breach| Failure::error(breach.to_string()))?;
    Ok(tag_each(&value))
}

fn tag_each(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(tag_each).collect()),
        Value::Struct(fields) => {
            let fields = fields.fields().map(|(name, value)| (name, tag_each(value)));
            let all = fields.fold(Struct::new(), |all, (name, value)| all.with(name, value));
            Value::Struct(all.with_unknown(9999, Bytes::from_static(b"abc")))
        }
        other => other.clone(),
    }
}

fn unsayable(error: typed::Unsayable) -> Failure {
    Failure::error(error.to_string())
}
