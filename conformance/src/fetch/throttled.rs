//! Fetch (1): what a throttled consumer gets (`consumer_byte_rate`), in and outside a fetch
//! session.
//!
//! A rate is measured over the last ten to eleven seconds, so that a quota of R bytes a second
//! throttles once 10 to 11 R bytes have passed: a first request of 9 R comes near that line, and
//! some of R cross it. Nobody waits for the throttle time here, nor judges how long it is.

use kafka_protocol::messages::alter_client_quotas_request::{
    AlterClientQuotasRequest, EntityData, EntryData, OpData,
};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;

use super::answers::{expect_no_topics, expect_offsets};
use super::sessions::{Session, next};

scenarios![
    a_throttled_full_fetch_opens_no_session,
    a_throttled_incremental_fetch_keeps_the_session,
];

const BYTES_A_SECOND: f64 = 5_000.0;
/// Sizes of the first record, and of those that cross the line.
const LARGE: usize = 45_000;
const SMALL: usize = 5_000;
const WITHIN: Duration = Duration::from_secs(20);

/// When the consumer's byte rate is exceeded, the answer has throttle_time_ms greater than 0, error
/// 0 and no topics; its session_id is 0 for a full Fetch and the session's for an incremental one,
/// whose session_epoch counts as used.
#[scenario("FETCH-067", api = Fetch, versions = 7.., slow)]
async fn a_throttled_full_fetch_opens_no_session(cx: &mut Cx) -> Outcome {
    let (from, mut leader) = near_the_line(cx).await?;
    let mut tries = cx.tries("a throttled Fetch", WITHIN);
    loop {
        let body = leader.ask(cx.fetch(&from, 1)?.with_session_epoch(0)).await?.expect_ok()?;
        if body.throttle_time_ms > 0 {
            expect_no_topics(&body)?;
            return body.expect_number("session_id", 0);
        }
        expect_offsets(&body, &from, &[1])?;
        // A session that is not wanted must not take a place in the broker's cache.
        leader.ask(next(cx, &from, body.session_id, -1)?).await?.ok()?;
        tries.expect("throttle_time_ms = 0").await?;
    }
}

/// When the consumer's byte rate is exceeded, the answer has throttle_time_ms greater than 0, error
/// 0 and no topics; its session_id is 0 for a full Fetch and the session's for an incremental one,
/// whose session_epoch counts as used.
#[scenario("FETCH-067", api = Fetch, versions = 7.., slow)]
async fn a_throttled_incremental_fetch_keeps_the_session(cx: &mut Cx) -> Outcome {
    let (from, mut leader) = near_the_line(cx).await?;
    let Session { leader: mut unlimited, id } = Session::open(cx, &[(&from, 1)]).await?;
    let mut tries = cx.tries("a throttled Fetch", WITHIN);
    let mut epoch = 1;
    loop {
        let body = leader.ask(next(cx, &from, id, epoch)?).await?.expect_ok()?;
        body.expect_number("session_id", id.into())?;
        epoch += 1;
        if body.throttle_time_ms > 0 {
            expect_no_topics(&body)?;
            break;
        }
        expect_offsets(&body, &from, &[1])?;
        tries.expect("throttle_time_ms = 0").await?;
    }
    // The throttled request has taken its epoch: the next one is due, and a client without a quota
    // need not wait.
    let body = unlimited.ask(next(cx, &from, id, epoch)?).await?.expect_ok()?;
    body.expect_number("session_id", id.into())?;
    expect_offsets(&body, &from, &[1])?;
    Session { leader: unlimited, id }.close(cx, &from).await
}

/// A partition with a small record at offset 1, and a connection to its leader whose client has
/// almost used up its quota.
async fn near_the_line(cx: &Cx) -> Result<(Partition, Conn), Failure> {
    let from = cx.partition().await?;
    cx.write(&from, &[&"v".repeat(LARGE)]).await?;
    cx.write(&from, &[&"v".repeat(SMALL)]).await?;
    let client = cx.name("client");
    cx.undo(Undo::ClientQuota(client.clone()));
    let entity = EntityData::default()
        .with_entity_type(text("client-id"))
        .with_entity_name(Some(text(&client)));
    let op = OpData::default().with_key(text("consumer_byte_rate")).with_value(BYTES_A_SECOND);
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    cx.connect().await?.ask(request).await?.ok()?;
    let mut leader = cx.leader(&from).await?;
    leader.client_id(Some(&client));
    leader.ask(cx.fetch(&from, 0)?).await?.ok()?;
    Ok((from, leader))
}
