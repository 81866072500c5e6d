//! Fetch (1): limits of size, which never keep a consumer from going on (KIP-74, version 3).
//!
//! Version 3 brought max_bytes for the whole answer; before, a batch over the limit of its
//! partition was cut. Not covered: the broker's own fetch.max.bytes.

use kafka_protocol::messages::FetchRequest;
use kconform_scenario::prelude::*;

use super::answers::{NO_SUCH_INDEX, contents, expect_offsets, fetch_all, listed, offsets, result};

scenarios![
    the_first_batch_is_returned_although_it_is_over_the_limits,
    limits_of_one_byte_still_give_one_batch,
    later_partitions_get_no_more_than_fits,
    partitions_are_answered_in_the_order_of_the_request,
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

/// The request with this partition_max_bytes on every partition.
fn limited(mut request: FetchRequest, bytes: i32) -> FetchRequest {
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.partition_max_bytes = bytes;
        }
    }
    request
}
