//! Throttling by byte rates (KIP-219): the answer comes at once and names a time for which the connection is not read.
//!
//! Quotas are set for a client id that only the case uses. A rate is measured over the last ten to eleven seconds, so
//! that a quota of R bytes a second throttles once 10 to 11 R bytes have passed. A first request of 9 R comes near that
//! line; small ones of R/2 cross it by less than a second of throttle time, as long as the quota is in force by then.

use kconform_scenario::prelude::*;
use kconform_scenario::requests::list_offsets;

use super::request_quota::{expect_held, limited};

scenarios![produce_is_throttled_by_its_connection, fetch_is_throttled_by_its_connection];

const BYTES_A_SECOND: f64 = 5_000.0;
/// Sizes of the first record, and of those that cross the line.
const LARGE: usize = 45_000;
const SMALL: usize = 2_500;
/// A throttle time that can be told from the ordinary time of an answer.
const TELLING_MS: i32 = 300;
const SOON: Duration = Duration::from_secs(10);

/// Quota throttling: the response is sent at once with throttle_time_ms > 0, then the broker stops
/// reading that connection for that long, so that the next request on it, of any API, waits. Other
/// connections are not held. This holds for Produce (producer_byte_rate; error 0, and the records
/// are appended), Fetch (consumer_byte_rate; the answer that carries a throttle time has no records
/// and, outside a fetch session, error 0) and, with request_percentage, for every API that names a
/// throttle time, Metadata and ApiVersions for example. A request_percentage throttle is at most
/// 1000 ms a time with default windows; byte-rate throttles are not capped so (40 s for one 50 kB
/// record set at 1000 B/s).
#[scenario("WIRE-039", api = Produce, versions = 6.., slow)]
async fn produce_is_throttled_by_its_connection(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let client = limited(cx, "producer_byte_rate", BYTES_A_SECOND).await?;
    let mut conn = cx.leader(&partition).await?;
    conn.client_id(Some(&client));
    let large = cx.produce(&partition, cx.records(&[&"v".repeat(LARGE)])?)?;
    conn.ask(large).await?.ok()?;
    let mut written = 1;
    let mut tries = cx.tries("a throttled Produce", SOON);
    let throttled = loop {
        let small = cx.produce(&partition, cx.records(&[&"v".repeat(SMALL)])?)?;
        let reply = conn.ask(small).await?.expect_ok()?;
        written += 1;
        if reply.throttle_time_ms >= TELLING_MS {
            break (reply.throttle_time_ms, reply.took());
        }
        tries.expect(format!("throttle_time_ms = {}", reply.throttle_time_ms)).await?;
    };
    expect_held(cx, &mut conn, throttled).await?;
    // The throttled records are appended like all others.
    let end = conn.ask(list_offsets(&partition, -1)).await?.expect_ok()?;
    let end = end.at("topics[0].partitions[0].offset")?;
    require(end.as_int() == Some(written), &format!("{written} records"), || end.to_string())
}

/// Quota throttling: the response is sent at once with throttle_time_ms > 0, then the broker stops
/// reading that connection for that long, so that the next request on it, of any API, waits. Other
/// connections are not held. This holds for Produce (producer_byte_rate; error 0, and the records
/// are appended), Fetch (consumer_byte_rate; the answer that carries a throttle time has no records
/// and, outside a fetch session, error 0) and, with request_percentage, for every API that names a
/// throttle time, Metadata and ApiVersions for example. A request_percentage throttle is at most
/// 1000 ms a time with default windows; byte-rate throttles are not capped so (40 s for one 50 kB
/// record set at 1000 B/s).
#[scenario("WIRE-039", api = Fetch, versions = 8.., slow)]
async fn fetch_is_throttled_by_its_connection(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    cx.write(&partition, &[&"v".repeat(LARGE)]).await?;
    let small = cx.write(&partition, &[&"v".repeat(SMALL)]).await?;
    let client = limited(cx, "consumer_byte_rate", BYTES_A_SECOND).await?;
    let mut conn = cx.leader(&partition).await?;
    conn.client_id(Some(&client));
    conn.ask(cx.fetch(&partition, 0)?).await?.ok()?;
    let mut tries = cx.tries("a throttled Fetch", SOON);
    let throttled = loop {
        let reply = conn.ask(cx.fetch(&partition, small)?).await?.expect_ok()?;
        if reply.throttle_time_ms > 0 {
            let partitions = reply.responses.iter().flat_map(|topic| &topic.partitions);
            let bytes: usize = partitions.filter_map(|p| p.records.as_ref()).map(|r| r.len()).sum();
            reply.require(bytes == 0, "no records in a throttled answer", || bytes.to_string())?;
        }
        if reply.throttle_time_ms >= TELLING_MS {
            break (reply.throttle_time_ms, reply.took());
        }
        tries.expect(format!("throttle_time_ms = {}", reply.throttle_time_ms)).await?;
    };
    expect_held(cx, &mut conn, throttled).await
}
