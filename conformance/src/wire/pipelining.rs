//! Several requests on one connection: in order, one at a time, in mixed versions, after errors, and before a half-close.

use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, BrokerId};
use kconform_scenario::prelude::*;
use kconform_scenario::requests::{Coordinator, find_coordinator, list_offsets};
use kconform_scenario::wire::typed;

use super::by_hand::{about_no_topic, expect_no_topic, harmless_bytes, number};

scenarios![
    pipelined_requests_are_answered_in_order,
    a_waiting_fetch_holds_what_follows,
    produce_without_acks_is_not_answered,
    requests_before_a_half_close_are_answered,
    versions_may_be_mixed_on_a_connection,
    an_error_leaves_the_connection_usable,
    a_connection_may_begin_with_any_request,
];

/// Requests pipelined on one connection are answered in the order sent, whatever their API.
#[scenario("WIRE-003", api = Fetch)]
async fn pipelined_requests_are_answered_in_order(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut conn = cx.leader(&partition).await?;
    let slow = conn.tell(waiting(cx, &partition, 100)?).await?;
    let version = cx.version_of(keys::Metadata)?;
    let metadata = conn.tell(about_no_topic(version)).await?;
    let offsets = conn.tell(list_offsets(&partition, -1)).await?;
    let version = cx.version_of(keys::FindCoordinator)?;
    let found = find_coordinator(version, Coordinator::Group, &cx.group());
    let coordinator = conn.tell(found).await?;
    // Every answer is held to the correlation id of the request whose turn it is.
    conn.answer(slow).await?.expect_ok()?;
    expect_no_topic(&conn.answer(metadata).await?)?;
    conn.answer(offsets).await?.expect_ok()?;
    conn.answer(coordinator).await?.expect_answer()?;
    Ok(())
}

/// Processing on one connection is strictly serial: when a Metadata request is sent right behind a
/// Fetch that waits (empty partition, max_wait_ms 300, min_bytes 1), the Metadata answer arrives
/// only after the Fetch answer, about 300 ms later.
#[scenario("WIRE-004", api = Fetch)]
async fn a_waiting_fetch_holds_what_follows(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut conn = cx.leader(&partition).await?;
    let slow = conn.tell(waiting(cx, &partition, 300)?).await?;
    let version = cx.version_of(keys::Metadata)?;
    let fast = conn.tell(about_no_topic(version)).await?;
    conn.answer(slow).await?.expect_ok()?;
    let reply = conn.answer(fast).await?;
    expect_no_topic(&reply)?;
    let took = reply.took();
    require(took >= Duration::from_millis(290), "Metadata answered after about 300 ms", || {
        format!("after {} ms", took.as_millis())
    })
}

/// After a successful acks=0 Produce no response frame is sent; the next frame read belongs to the
/// next request.
#[scenario("WIRE-005", api = Produce)]
async fn produce_without_acks_is_not_answered(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut conn = cx.leader(&partition).await?;
    let request = cx.produce(&partition, cx.records(&["value"])?)?.with_acks(0);
    conn.tell(request).await?.unanswered();
    // Where there are followers, the end that a consumer sees moves when they have the record too.
    let mut tries = cx.tries("the record to be appended", Duration::from_secs(10));
    loop {
        let end = conn.ask(list_offsets(&partition, -1)).await?.expect_ok()?;
        let end = end.at("topics[0].partitions[0].offset")?;
        if end.as_int() == Some(1) {
            return Ok(());
        }
        tries.expect(format!("end offset {end}")).await?;
    }
}

/// When the client sends n complete requests (1, 2, 5, 20, mixed APIs, among them a Fetch that
/// waits 700 ms) and then closes its sending side, all n responses are still delivered in order;
/// then the broker closes.
#[scenario("WIRE-032", api = ApiVersions, versions = 0, vary = ["1", "2", "5", "20"])]
async fn requests_before_a_half_close_are_answered(cx: &mut Cx) -> Outcome {
    let requests: usize = number(cx)?;
    let partition = cx.partition().await?;
    let mut conn = cx.leader(&partition).await?;
    let mut sent = Vec::new();
    for at in 0..requests {
        let (key, body) = match at % 3 {
            0 => (keys::Fetch, fetch_bytes(cx, &partition, if at == 0 { 700 } else { 0 })?),
            1 => (keys::ApiVersions, Bytes::new()),
            _ => (keys::Metadata, harmless_bytes(cx, keys::Metadata, 1)?.into()),
        };
        let version = if key == keys::Metadata { 1 } else { cx.version_of(key)? };
        let header = conn.header(key, version);
        let frame = header.frame(&body);
        conn.send_raw(frame.clone()).await;
        sent.push((header, frame));
    }
    conn.shut().await;
    for (header, frame) in sent {
        conn.reply_to(&header, frame).await.expect_ok()?;
    }
    conn.expect_close().await
}

/// Different API versions of one API may be mixed on one connection; each response follows its own
/// request's version.
#[scenario("WIRE-035", api = Metadata)]
async fn versions_may_be_mixed_on_a_connection(cx: &mut Cx) -> Outcome {
    let (oldest, newest) = cx.facts().apis.get(&keys::Metadata).copied().unwrap_or((0, 0));
    let newest = newest.min(cx.newest(keys::Metadata)?);
    let mut conn = cx.connect().await?;
    for version in [newest, cx.version(), oldest, cx.version()] {
        let reply = conn.ask_at(version, about_no_topic(version), &[]).await?;
        expect_no_topic(&reply)?;
    }
    Ok(())
}

/// An error code in a response leaves the connection usable: after a request about an unknown
/// topic, a valid one on the same connection is served.
#[scenario("WIRE-036", api = ListOffsets, versions = 1..)]
async fn an_error_leaves_the_connection_usable(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let nowhere = Partition { topic: cx.name("nowhere"), ..partition.clone() };
    let mut conn = cx.leader(&partition).await?;
    let refused = conn.ask(list_offsets(&nowhere, -1)).await?;
    refused.expect_error(UnknownTopicOrPartition)?;
    conn.ask(list_offsets(&partition, -1)).await?.expect_ok()?;
    Ok(())
}

/// On a listener without authentication the first request need not be ApiVersions.
#[scenario("WIRE-037", api = Metadata)]
async fn a_connection_may_begin_with_any_request(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    expect_no_topic(&conn.ask(about_no_topic(cx.version())).await?)?;
    let later = ApiVersionsRequest::default();
    conn.ask_at(0, later, &["client_software_name", "client_software_version"])
        .await?
        .expect_ok()?;
    Ok(())
}

/// A Fetch of an empty partition that waits so long for the first byte.
fn waiting(
    cx: &Cx,
    partition: &Partition,
    wait_ms: i32,
) -> Result<kafka_protocol::messages::FetchRequest, Failure> {
    Ok(cx
        .fetch(partition, 0)?
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1))
}

fn fetch_bytes(cx: &Cx, partition: &Partition, wait_ms: i32) -> Result<Bytes, Failure> {
    typed::request_body(&waiting(cx, partition, wait_ms)?, cx.version_of(keys::Fetch)?, &[])
        .map_err(|error| Failure::error(error.to_string()))
}
