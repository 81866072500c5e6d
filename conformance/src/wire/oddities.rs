//! Requests that Apache Kafka answers with nothing at all, or with a close where an error code was to be expected.

use kafka_protocol::messages::DescribeAclsRequest;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

scenarios![
    add_partitions_to_txn_without_transactions_is_never_answered,
    offset_fetch_without_groups_is_never_answered_before_4_1,
    describe_acls_closes_on_an_unknown_enum,
];

/// How long the silence is watched; nothing else was seen in 25 s.
const SILENCE: Duration = Duration::from_millis(800);

/// A well-formed AddPartitionsToTxn v4+ with an empty transactions array is never answered, and the
/// connection is stuck: later requests on it are not served. OffsetFetch v8+ with an empty groups
/// array does the same on 3.7, 3.9 and 4.0, and gets an empty answer from 4.1 on.
#[scenario("WIRE-042", api = AddPartitionsToTxn, versions = 4..)]
async fn add_partitions_to_txn_without_transactions_is_never_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    tell_empty(cx, &mut conn).await;
    expect_stuck(&mut conn).await
}

/// A well-formed AddPartitionsToTxn v4+ with an empty transactions array is never answered, and the
/// connection is stuck: later requests on it are not served. OffsetFetch v8+ with an empty groups
/// array does the same on 3.7, 3.9 and 4.0, and gets an empty answer from 4.1 on.
#[scenario("WIRE-042", api = OffsetFetch, versions = 8..)]
async fn offset_fetch_without_groups_is_never_answered_before_4_1(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    if !cx.since(4, 1) {
        tell_empty(cx, &mut conn).await;
        return expect_stuck(&mut conn).await;
    }
    let empty = Value::Struct(Struct::new());
    let reply = conn.ask_value(keys::OffsetFetch, cx.version(), &empty).await?.expect_ok()?;
    let groups = reply.at("groups")?;
    reply.require(groups == Value::Array(Vec::new()), "no groups", || groups.to_string())
}

/// A filter enum of 0 (UNKNOWN) in the resource type, pattern type, operation or permission type of
/// DescribeAcls closes the connection; there is no error code for it.
#[scenario("WIRE-043", api = DescribeAcls, versions = 1..,
    vary = ["resource-type", "pattern-type", "operation", "permission-type"])]
async fn describe_acls_closes_on_an_unknown_enum(cx: &mut Cx) -> Outcome {
    const ANY: i8 = 1;
    let or_unknown = |field: &str| if cx.variant() == field { 0 } else { ANY };
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(or_unknown("resource-type"))
        .with_resource_name_filter(None)
        .with_pattern_type_filter(or_unknown("pattern-type"))
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(or_unknown("operation"))
        .with_permission_type(or_unknown("permission-type"));
    let mut conn = cx.connect().await?;
    conn.ask(request).await?.expect_closed()?;
    cx.still_serves().await
}

/// Sends the case's request with an empty list, and no more: both APIs have their list first, then at most a bool.
async fn tell_empty(cx: &Cx, conn: &mut Conn) {
    let body: &[u8] = if cx.key() == keys::OffsetFetch { &[1, 0, 0] } else { &[1, 0] };
    let header = conn.header(cx.key(), cx.version());
    conn.send_raw(header.frame(body)).await;
}

/// The act: neither what was sent nor the next request is answered, and the connection stays open.
async fn expect_stuck(conn: &mut Conn) -> Outcome {
    let next = conn.header(keys::ApiVersions, 0);
    conn.send_raw(next.frame(&[])).await;
    conn.expect_silence(SILENCE).await
}
