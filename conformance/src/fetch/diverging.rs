//! Fetch (1): the epoch of the last record that a consumer read (KIP-595, version 12), by which it
//! learns that its log was cut back.
//!
//! A second epoch needs a second leader, so that most of this needs several brokers.

use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;

use super::answers::{ERROR, LONG_WAIT, RECORDS, at_once, expect_offsets};
use super::followers::another;

scenarios![
    a_position_past_the_end_of_its_epoch_diverges,
    an_epoch_that_never_was_is_out_of_range,
    the_epoch_of_the_records_is_served,
    a_position_before_the_start_is_out_of_range_and_does_not_diverge,
];

const DIVERGING: &str = "responses[0].partitions[0].diverging_epoch";

/// When last_fetched_epoch is older than the epoch at fetch_offset, and fetch_offset lies past the
/// end of that older epoch, the answer has error 0, no records, and the end of the older epoch in
/// diverging_epoch (tag 0: epoch and end_offset), at once.
#[scenario("FETCH-020", api = Fetch, versions = 12.., needs = [ThreeBrokers])]
async fn a_position_past_the_end_of_its_epoch_diverges(cx: &mut Cx) -> Outcome {
    let (from, old) = of_two_epochs(cx).await?;
    let mut leader = cx.leader(&from).await?;
    // Two records of the old epoch end at 2, so that nobody read up to 3 in it.
    let request = read_in(cx.fetch(&from, 3)?, old);
    let request = request.with_max_wait_ms(LONG_WAIT).with_min_bytes(1_000);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[])?;
    body.expect_number(&format!("{DIVERGING}.epoch"), old.into())?;
    body.expect_number(&format!("{DIVERGING}.end_offset"), 2)?;
    at_once(&body)
}

/// A last_fetched_epoch larger than any epoch of the log is refused with OFFSET_OUT_OF_RANGE (1);
/// the epoch of the record before fetch_offset passes the check, and -1 skips it.
#[scenario("FETCH-021", api = Fetch, versions = 12..)]
async fn an_epoch_that_never_was_is_out_of_range(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let epoch = cx.leadership(&from).await?.epoch;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(read_in(cx.fetch(&from, 1)?, epoch + 5)).await?;
    reply.expect_error_at(ERROR, OffsetOutOfRange)?;
    let body = reply.expect_answer()?;
    body.expect_number(&format!("{DIVERGING}.epoch"), -1)?;
    let records = body.at(RECORDS)?;
    let none = records.as_bytes().is_some_and(|bytes| bytes.is_empty());
    body.require(none, "no records", || records.to_string())
}

/// A last_fetched_epoch larger than any epoch of the log is refused with OFFSET_OUT_OF_RANGE (1);
/// the epoch of the record before fetch_offset passes the check, and -1 skips it.
#[scenario("FETCH-021", api = Fetch, versions = 12.., vary = ["current", "-1"])]
async fn the_epoch_of_the_records_is_served(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    cx.write(&from, &["b"]).await?;
    let current = cx.leadership(&from).await?.epoch;
    let mut leader = cx.leader(&from).await?;
    let epoch = if cx.variant() == "-1" { -1 } else { current };
    let body = leader.ask(read_in(cx.fetch(&from, 1)?, epoch)).await?.expect_ok()?;
    expect_offsets(&body, &from, &[1])?;
    body.expect_number(&format!("{DIVERGING}.epoch"), -1)?;
    body.expect_number(&format!("{DIVERGING}.end_offset"), -1)
}

/// A fetch_offset before the log start offset is answered with OFFSET_OUT_OF_RANGE (1) and no
/// diverging_epoch, also when last_fetched_epoch is an old one.
#[scenario("FETCH-022", api = Fetch, versions = 12..)]
async fn a_position_before_the_start_is_out_of_range_and_does_not_diverge(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b", "c"]).await?;
    cx.delete_records(&from, 2).await?;
    let epoch = cx.leadership(&from).await?.epoch;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(read_in(cx.fetch(&from, 1)?, epoch)).await?;
    reply.expect_error_at(ERROR, OffsetOutOfRange)?;
    reply.expect_answer()?.expect_number(&format!("{DIVERGING}.epoch"), -1)
}

/// The request with this last_fetched_epoch on every partition.
fn read_in(mut request: FetchRequest, epoch: i32) -> FetchRequest {
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.last_fetched_epoch = epoch;
        }
    }
    request
}

/// A partition with two records of one leader epoch, which is given too, and two of a later one.
async fn of_two_epochs(cx: &Cx) -> Result<(Partition, i32), Failure> {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&from).await?.epoch;
    cx.write(&from, &["a", "b"]).await?;
    let from = cx.move_to(&from, another(cx, from.leader)?).await?;
    cx.write(&from, &["c", "d"]).await?;
    Ok((from, old))
}
