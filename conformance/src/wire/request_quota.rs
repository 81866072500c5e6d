//! Throttling by the share of time that requests take (request_percentage, KIP-124), and what all throttles have in
//! common: the answer comes at once, the connection is held, others are not (KIP-219).

use kafka_protocol::messages::AlterClientQuotasRequest;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;

use super::by_hand::about_no_topic;
use super::harmless;

scenarios![metadata_is_throttled_by_its_connection, api_versions_is_throttled_by_its_connection,];

/// So small a share that every request exceeds it.
const PERCENT: f64 = 0.0001;

/// Quota throttling: the response is sent at once with throttle_time_ms > 0, then the broker stops
/// reading that connection for that long, so that the next request on it, of any API, waits. Other
/// connections are not held. This holds for Produce (producer_byte_rate; error 0, and the records
/// are appended), Fetch (consumer_byte_rate; the answer that carries a throttle time has no records
/// and, outside a fetch session, error 0) and, with request_percentage, for every API that names a
/// throttle time, Metadata and ApiVersions for example. A request_percentage throttle is at most
/// 1000 ms a time with default windows; byte-rate throttles are not capped so (40 s for one 50 kB
/// record set at 1000 B/s).
#[scenario("WIRE-039", api = Metadata, versions = 6.., slow)]
async fn metadata_is_throttled_by_its_connection(cx: &mut Cx) -> Outcome {
    request_is_throttled(cx).await
}

/// Quota throttling: the response is sent at once with throttle_time_ms > 0, then the broker stops
/// reading that connection for that long, so that the next request on it, of any API, waits. Other
/// connections are not held. This holds for Produce (producer_byte_rate; error 0, and the records
/// are appended), Fetch (consumer_byte_rate; the answer that carries a throttle time has no records
/// and, outside a fetch session, error 0) and, with request_percentage, for every API that names a
/// throttle time, Metadata and ApiVersions for example. A request_percentage throttle is at most
/// 1000 ms a time with default windows; byte-rate throttles are not capped so (40 s for one 50 kB
/// record set at 1000 B/s).
#[scenario("WIRE-039", api = ApiVersions, versions = 2.., slow)]
async fn api_versions_is_throttled_by_its_connection(cx: &mut Cx) -> Outcome {
    request_is_throttled(cx).await
}

async fn request_is_throttled(cx: &Cx) -> Outcome {
    let body = harmless::bytes(cx, cx.key(), cx.version())?;
    let client = limited(cx, "request_percentage", PERCENT).await?;
    let mut conn = cx.connect().await?;
    conn.client_id(Some(&client));
    let mut tries = cx.tries("a throttled answer", Duration::from_secs(10));
    let throttled = loop {
        let reply = conn.ask_bytes(cx.key(), cx.version(), body.clone()).await.expect_answer()?;
        let throttle = reply.at("throttle_time_ms")?.as_int().unwrap_or(0);
        if throttle > 0 {
            break (i32::try_from(throttle).unwrap_or(i32::MAX), reply.took());
        }
        tries.expect("throttle_time_ms = 0").await?;
    };
    expect_held(cx, &mut conn, throttled).await
}

/// A client id of the case's own with this quota.
pub(super) async fn limited(cx: &Cx, quota: &'static str, value: f64) -> Result<String, Failure> {
    let client = cx.name("client");
    cx.undo(Undo::ClientQuota(client.clone()));
    let entity = EntityData::default()
        .with_entity_type(text("client-id"))
        .with_entity_name(Some(text(&client)));
    let op = OpData::default().with_key(text(quota)).with_value(value);
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    cx.connect().await?.ask(request).await?.ok()?;
    Ok(client)
}

/// The act: an answer with this throttle time came before the time was over; the next request on the connection waits
/// for the rest of it, while another connection is served.
pub(super) async fn expect_held(cx: &Cx, conn: &mut Conn, throttled: (i32, Duration)) -> Outcome {
    let (throttle_ms, took) = throttled;
    // The broker counts from some moment between the request and its answer.
    let asked = cx.now().saturating_sub(took);
    let throttle = Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0));
    require(took < throttle, &format!("the answer before its {throttle_ms} ms are over"), || {
        format!("after {} ms", took.as_millis())
    })?;
    let version = cx.newest(keys::Metadata)?;
    let next = conn.tell_at(version, about_no_topic(version), &[]).await?;
    let mut other = cx.connect().await?;
    let free = other.ask_at(version, about_no_topic(version), &[]).await?.expect_answer()?;
    free.require(free.took() < throttle, "an answer at once on another connection", || {
        format!("after {} ms", free.took().as_millis())
    })?;
    let held = conn.answer(next).await?.expect_answer()?;
    let passed = cx.now().saturating_sub(asked);
    held.require(
        passed + SLACK >= throttle,
        format!("the next answer on the connection when {throttle_ms} ms are over"),
        || format!("after {} ms", passed.as_millis()),
    )
}

/// The broker's clock counts in milliseconds, and its timers may be early by a tick.
const SLACK: Duration = Duration::from_millis(20);
