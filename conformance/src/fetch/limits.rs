//! Fetch (1): limits of size, which never keep a consumer from going on (KIP-74, version 3).
//!
//! Version 3 brought max_bytes for the whole answer; before, a batch over the limit of its
//! partition was cut.

use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;

use super::answers::{NO_SUCH_INDEX, contents, expect_offsets, fetch_all, listed, offsets, result};

scenarios![
    the_first_batch_is_returned_although_it_is_over_the_limits,
    limits_of_one_byte_still_give_one_batch,
    later_partitions_get_no_more_than_fits,
    partitions_are_answered_in_the_order_of_the_request,
    no_more_bytes_come_than_the_limits_say,
    the_broker_caps_the_size_of_an_answer,
];

/// When the first batch is larger than partition_max_bytes and max_bytes, the first partition in
/// the order of the request that has records still returns that one batch whole (KIP-74).
#[scenario("FETCH-023", api = Fetch, versions = 3..)]
async fn the_first_batch_is_returned_although_it_is_over_the_limits(cx: &mut Cx) -> Outcome {
    let [empty, large, late] = cx.partitions().await?;
    for to in [&large, &late] {
        cx.write(to, &[&"large ".repeat(200)]).await?;
        cx.write(to, &["next"]).await?;
    }
    let mut leader = cx.leader(&large).await?;

    let request = fetch_all(cx, &[(&empty, 0), (&large, 0), (&late, 0)])?;
    let request = limited(request, 300).with_max_bytes(300);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &empty, &[])?;
    expect_offsets(&body, &large, &[0])?;
    // The rest of the answer has no room for a batch that is larger than all of it.
    expect_offsets(&body, &late, &[])
}

/// max_bytes 1 and partition_max_bytes 1 still return one whole batch, and so does
/// partition_max_bytes 0 for the first partition that has records.
#[scenario("FETCH-024", api = Fetch, versions = 3.., vary = ["1", "0"])]
async fn limits_of_one_byte_still_give_one_batch(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    cx.write(&from, &["b"]).await?;
    let mut leader = cx.leader(&from).await?;

    let of_partition = i32::from(cx.variant() == "1");
    let request = limited(cx.fetch(&from, 0)?, of_partition).with_max_bytes(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])
}

/// Behind the first partition that has records, the limits are hard: a later partition returns only
/// what fits, and its last batch may be cut. Clients must drop an incomplete batch at the end.
#[scenario("FETCH-025", api = Fetch, versions = 4.., vary = ["partition_max_bytes", "max_bytes"])]
async fn later_partitions_get_no_more_than_fits(cx: &mut Cx) -> Outcome {
    let [first, later] = cx.partitions().await?;
    for to in [&first, &later] {
        for value in ["a", "b", "c"] {
            cx.write(to, &[&value.repeat(100)]).await?;
        }
    }
    let mut leader = cx.leader(&first).await?;
    // Header (61 bytes), record of 100 bytes and its seven small fields: between one batch and two.
    const ROOM: i32 = 250;
    let request = fetch_all(cx, &[(&first, 0), (&later, 0)])?;
    let request = match cx.variant() {
        "max_bytes" => request.with_max_bytes(3 * 170 + ROOM),
        _ => limited(request, ROOM),
    };

    let body = leader.ask(request).await?.expect_ok()?;
    let all: &[i64] = if cx.variant() == "max_bytes" { &[0, 1, 2] } else { &[0] };
    expect_offsets(&body, &first, all)?;
    let size = |of| result(&body, of).map(|it| it.records.as_ref().map_or(0, bytes::Bytes::len));
    let taken = size(&first)? + size(&later)?;
    let most = if cx.variant() == "max_bytes" { 3 * 170 + 250 } else { 2 * 250 };
    body.require(taken <= most, format!("at most {most} bytes of records"), || taken.to_string())?;
    // One batch fits; a broker that returns nothing here is right too.
    let got = offsets(&contents(&body, &later)?);
    body.require(matches!(got[..], [] | [0]), "no record but the first one", || format!("{got:?}"))
}

/// The partitions of the response keep the order of the request where they reach the log; those
/// that fail an earlier check (3, 29, 100) come after them.
#[scenario("FETCH-026", api = Fetch, versions = 3..)]
async fn partitions_are_answered_in_the_order_of_the_request(cx: &mut Cx) -> Outcome {
    let [a, b, c] = cx.partitions().await?;
    cx.write(&a, &["a"]).await?;
    let bad = Partition { index: NO_SUCH_INDEX, ..b.clone() };
    let mut leader = cx.leader(&a).await?;

    let order = [&c, &bad, &a, &b];
    let body = leader.ask(fetch_all(cx, &order.map(|of| (of, 0)))?).await?.expect_answer()?;
    let got = listed(&body, &order);
    let expected = [Some(0), Some(2), Some(3), Some(1)];
    body.require(
        got == expected,
        format!("the partitions asked for in the order {expected:?}"),
        || format!("{got:?}"),
    )
}

/// The records of a partition never take more bytes than the larger of partition_max_bytes and its
/// first batch, and those of all partitions never more than the larger of max_bytes and the first
/// batch; batches that just fit are returned whole.
#[scenario("FETCH-027", api = Fetch, versions = 4.., vary = ["partition_max_bytes", "max_bytes"])]
async fn no_more_bytes_come_than_the_limits_say(cx: &mut Cx) -> Outcome {
    let [first, later] = cx.partitions().await?;
    let batch = Batch::of(["a".repeat(200)]).with_timestamp(cx.wall_ms()).encode();
    for to in [&first, &later] {
        for _ in 0..3 {
            cx.append(to, batch.clone()).await?;
        }
    }
    let mut leader = cx.leader(&first).await?;
    let whole = i32::try_from(batch.len()).unwrap_or(i32::MAX);
    let request = fetch_all(cx, &[(&first, 0), (&later, 0)])?;
    // Exactly two batches of each partition, or two of one and one of the other.
    let request = limited(request, 2 * whole);
    let (request, of_later, most) = match cx.variant() {
        "max_bytes" => (request.with_max_bytes(3 * whole), &[0][..], 3 * batch.len()),
        _ => (request, &[0, 1][..], 4 * batch.len()),
    };
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &first, &[0, 1])?;
    expect_offsets(&body, &later, of_later)?;
    let size = |of| result(&body, of).map(|it| it.records.as_ref().map_or(0, bytes::Bytes::len));
    let taken = (size(&first)?, size(&later)?);
    let expected = (2 * batch.len(), most - 2 * batch.len());
    body.require(taken == expected, format!("{expected:?} bytes of records"), || {
        format!("{taken:?}")
    })
}

/// max_bytes is capped at the broker's fetch.max.bytes (default 57671680).
#[scenario("FETCH-028", api = Fetch, versions = 4.., needs = [Shape("small-requests"),
           Config("fetch.max.bytes")])]
async fn the_broker_caps_the_size_of_an_answer(cx: &mut Cx) -> Outcome {
    let [first, later] = cx.partitions().await?;
    let cap = cx.facts().config_number("fetch.max.bytes").unwrap_or(0);
    let most = usize::try_from(cap).unwrap_or(0);
    let value = "a".repeat(most * 2 / 3);
    for to in [&first, &later] {
        cx.write(to, &[&value]).await?;
    }
    let mut leader = cx.leader(&first).await?;
    let body = leader.ask(fetch_all(cx, &[(&first, 0), (&later, 0)])?).await?.expect_ok()?;
    expect_offsets(&body, &first, &[0])?;
    expect_offsets(&body, &later, &[])?;
    let size = |of| result(&body, of).map(|it| it.records.as_ref().map_or(0, bytes::Bytes::len));
    let taken = size(&first)? + size(&later)?;
    body.require(taken <= most, format!("at most {most} bytes of records"), || taken.to_string())
}

/// The request with this partition_max_bytes on every partition.
pub(super) fn limited(mut request: FetchRequest, bytes: i32) -> FetchRequest {
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.partition_max_bytes = bytes;
        }
    }
    request
}
