//! Fetch (1): how requests and answers are laid out, seen in their bytes.
//!
//! Version 1 brought the throttle time, version 7 the error and the session at the top, version 12
//! tagged fields, version 15 took replica_id out of the body (KIP-903).

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;

use super::answers::{RECORDS, expect_offsets};
use super::sessions::{Session, next};

scenarios![
    the_answer_begins_with_throttle_time_error_and_session,
    a_consumer_names_no_replica,
    the_cluster_id_of_a_consumer_is_not_checked,
    the_high_watermark_of_a_consumer_is_ignored,
];

/// throttle_time_ms comes first in the answer; from version 7 on error_code and session_id follow
/// it.
#[scenario("FETCH-070", api = Fetch, versions = 1..)]
async fn the_answer_begins_with_throttle_time_error_and_session(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let full = if cx.version() < 7 { -1 } else { 0 };
    let body = leader.ask(cx.fetch(&from, 0)?.with_session_epoch(full)).await?.expect_ok()?;
    let begins = |with: &[u8]| body.bytes().starts_with(with);
    let bytes = || format!("{:?}", body.bytes());
    if cx.version() < 7 {
        let expected = "four bytes of throttle time 0, then one topic";
        return body.require(begins(&[0, 0, 0, 0, 0, 0, 0, 1]), expected, bytes);
    }
    body.require(begins(&[0; 6]), "throttle time 0 and error 0 in six bytes", bytes)?;
    let id = body.bytes().get(6..).and_then(|rest| rest.first_chunk::<4>());
    let id = id.map_or(0, |bytes| i32::from_be_bytes(*bytes));
    if id == 0 {
        return Err(Failure::NotRun("room in the broker's cache of fetch sessions".to_owned()));
    }
    // What stands behind the error is the session's id: it goes on under it.
    let news = leader.ask(next(cx, &from, id, 1)?).await?.expect_ok()?;
    news.expect_number("session_id", id.into())?;
    Session { leader, id }.close(cx, &from).await
}

/// From version 15 on, replica_id is no field of the body but part of tag 1, replica_state, which a
/// consumer leaves out or fills with -1.
#[scenario("FETCH-071", api = Fetch, versions = 15.., vary = ["left out", "-1"])]
async fn a_consumer_names_no_replica(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut leader = cx.leader(&from).await?;
    let body = bytes_of_a_fetch(&from, cx.variant() == "-1");
    let body = leader.ask_bytes(keys::Fetch, cx.version(), body).await.expect_ok()?;
    let records = body.at(RECORDS)?;
    let read = records.as_bytes().map(|bytes| records::read(&Bytes::copy_from_slice(bytes)));
    let got = read.and_then(Result::ok).and_then(|read| read.next_offset());
    body.require(got == Some(2), "the records at offsets 0 and 1", || records.to_string())
}

/// A cluster_id (tag 0 of the request) that is not the cluster's is not checked for consumers.
#[scenario("FETCH-072", api = Fetch, versions = 12..)]
async fn the_cluster_id_of_a_consumer_is_not_checked(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_cluster_id(Some(text("another-cluster")));
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])
}

/// high_watermark, a tag of the partitions in the request (KIP-1166), is ignored for consumers.
#[scenario("FETCH-073", api = Fetch, versions = 18.., vary = ["0", "far ahead"])]
async fn the_high_watermark_of_a_consumer_is_ignored(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut leader = cx.leader(&from).await?;
    let mark = if cx.variant() == "0" { 0 } else { 1 << 40 };
    let body = leader.ask(with_high_watermark(cx.fetch(&from, 0)?, mark)).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0, 1])?;
    body.expect_number("responses[0].partitions[0].high_watermark", 2)
}

fn with_high_watermark(mut request: FetchRequest, mark: i64) -> FetchRequest {
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.high_watermark = mark;
        }
    }
    request
}

/// The body of a consumer's Fetch of one partition from offset 0, version 15 and later, by hand:
/// without replica_state, or with one that says -1.
fn bytes_of_a_fetch(from: &Partition, replica_state: bool) -> Bytes {
    const ONE: u8 = 2;
    const NONE: u8 = 1;
    let mut body = BytesMut::new();
    body.put_i32(0); // max_wait_ms
    body.put_i32(0); // min_bytes
    body.put_i32(1 << 20); // max_bytes
    body.put_i8(0); // isolation_level
    body.put_i32(0); // session_id
    body.put_i32(-1); // session_epoch
    body.put_u8(ONE); // topics
    body.put_slice(from.topic_id.as_bytes());
    body.put_u8(ONE); // partitions
    body.put_i32(from.index);
    body.put_i32(-1); // current_leader_epoch
    body.put_i64(0); // fetch_offset
    body.put_i32(-1); // last_fetched_epoch
    body.put_i64(-1); // log_start_offset
    body.put_i32(1 << 20); // partition_max_bytes
    body.put_slice(&[0, 0]); // no tagged fields of the partition, none of the topic
    body.put_u8(NONE); // forgotten_topics_data
    body.put_u8(NONE); // rack_id, empty
    if replica_state {
        body.put_slice(&[1, 1, 13]); // one tagged field: number 1, 13 bytes
        body.put_i32(-1); // replica_id
        body.put_i64(-1); // replica_epoch
        body.put_u8(0);
    } else {
        body.put_u8(0);
    }
    body.freeze()
}
