//! Fetch (1): positions in, at the end of, and outside the log, and the offsets that come with the
//! records.
//!
//! Versions 0 and 1 get records converted to magic 0, versions 2 and 3 to magic 1, later ones the
//! batches of the log. Version 4 brought the last stable offset, version 5 the log start offset.

use kconform_scenario::prelude::*;

use super::answers::{LONG_WAIT, SOON, contents, expect_offsets, result, values};

scenarios![
    every_record_from_the_offset_on_is_returned_in_order,
    a_batch_is_returned_whole,
    the_end_of_the_log_is_a_valid_position,
    a_position_past_the_end_is_out_of_range_at_once,
    a_position_before_the_start_is_out_of_range,
    the_log_start_offset_follows_deleted_records,
    the_high_watermark_is_one_past_the_last_record,
    the_last_stable_offset_equals_the_high_watermark_without_transactions,
];

const HIGH_WATERMARK: &str = "responses[0].partitions[0].high_watermark";

/// A Fetch from an offset inside the log is answered with error 0 and every visible record from
/// that offset on, in the order of their offsets, within the limits of size.
#[scenario("FETCH-001", api = Fetch)]
async fn every_record_from_the_offset_on_is_returned_in_order(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    for values in [&["a", "b"][..], &["c"], &["d", "e"]] {
        cx.write(&from, values).await?;
    }
    let mut leader = cx.leader(&from).await?;

    let body = leader.ask(cx.fetch(&from, 2)?).await?.expect_ok()?;
    let got = values(&contents(&body, &from)?);
    let sent = [(2, "c"), (3, "d"), (4, "e")].map(|(offset, value)| (offset, value.to_owned()));
    body.require(got == sent, format!("the records {sent:?}"), || format!("{got:?}"))
}

/// When the offset lies in the middle of a batch, the whole batch is returned: the first record may
/// lie before the offset asked for, and the client filters.
#[scenario("FETCH-002", api = Fetch, versions = 4..)]
async fn a_batch_is_returned_whole(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    cx.write(&from, &["c", "d", "e"]).await?;
    let mut leader = cx.leader(&from).await?;

    let body = leader.ask(cx.fetch(&from, 3)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[2, 3, 4])
}

/// A Fetch from the log end offset is answered with error 0, no records, and high_watermark = that
/// offset.
#[scenario("FETCH-003", api = Fetch)]
async fn the_end_of_the_log_is_a_valid_position(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut leader = cx.leader(&from).await?;

    let body = leader.ask(cx.fetch(&from, 2)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[])?;
    body.expect_number(HIGH_WATERMARK, 2)
}

/// A Fetch from an offset greater than the log end offset is answered with OFFSET_OUT_OF_RANGE (1)
/// at once, without the wait that it allows.
#[scenario("FETCH-004", api = Fetch)]
async fn a_position_past_the_end_is_out_of_range_at_once(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut leader = cx.leader(&from).await?;

    let request = cx.fetch(&from, 3)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let reply = leader.ask(request).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", OffsetOutOfRange)?;
    let body = reply.expect_answer()?;
    body.require(body.took() < SOON, "an answer at once", || format!("{:?}", body.took()))
}

/// A Fetch from an offset before the log start offset (after DeleteRecords), or from a negative
/// one, is answered with OFFSET_OUT_OF_RANGE (1).
#[scenario("FETCH-005", api = Fetch, vary = ["before the start", "negative"])]
async fn a_position_before_the_start_is_out_of_range(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    cx.write(&from, &["c"]).await?;
    cx.delete_records(&from, 2).await?;
    let mut leader = cx.leader(&from).await?;

    let offset = if cx.variant() == "negative" { -1 } else { 1 };
    let reply = leader.ask(cx.fetch(&from, offset)?).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", OffsetOutOfRange)?;
    let body = reply.expect_answer()?;
    let empty = result(&body, &from)?.records.as_ref().is_none_or(bytes::Bytes::is_empty);
    body.require(empty, "no records", || format!("{:?}", result(&body, &from)))
}

/// log_start_offset is the partition's earliest offset, and moves when records are deleted.
#[scenario("FETCH-008", api = Fetch, versions = 5..)]
async fn the_log_start_offset_follows_deleted_records(cx: &mut Cx) -> Outcome {
    const START: &str = "responses[0].partitions[0].log_start_offset";
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b", "c"]).await?;
    let mut leader = cx.leader(&from).await?;

    leader.ask(cx.fetch(&from, 3)?).await?.expect_ok()?.expect_number(START, 0)?;
    cx.delete_records(&from, 2).await?;
    leader.ask(cx.fetch(&from, 3)?).await?.expect_ok()?.expect_number(START, 2)
}

/// high_watermark is the end of what can be read uncommitted; on an idle partition with one replica
/// it is the last offset produced, plus 1.
#[scenario("FETCH-009", api = Fetch)]
async fn the_high_watermark_is_one_past_the_last_record(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?.expect_number(HIGH_WATERMARK, 0)?;

    let base = cx.write(&from, &["a", "b", "c"]).await?;
    // The write waited for every replica in sync, so the mark has passed it.
    let body = leader.ask(cx.fetch(&from, 1)?).await?.expect_ok()?;
    body.expect_number(HIGH_WATERMARK, base + 3)
}

/// last_stable_offset is filled in for both isolation levels, and equals high_watermark while no
/// transaction is open.
#[scenario("FETCH-010", api = Fetch, versions = 4.., vary = ["read_uncommitted", "read_committed"])]
async fn the_last_stable_offset_equals_the_high_watermark_without_transactions(
    cx: &mut Cx,
) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a", "b"]).await?;
    let mut leader = cx.leader(&from).await?;
    let isolation = i8::from(cx.variant() == "read_committed");

    let body =
        leader.ask(cx.fetch(&from, 0)?.with_isolation_level(isolation)).await?.expect_ok()?;
    body.expect_number(HIGH_WATERMARK, 2)?;
    body.expect_number("responses[0].partitions[0].last_stable_offset", 2)
}
