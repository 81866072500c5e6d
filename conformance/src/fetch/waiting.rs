//! Fetch (1): min_bytes and max_wait_ms: who waits, for how long, and what ends the wait.
//!
//! The same in every version.

use kconform_scenario::prelude::*;

use super::answers::{
    LONG_WAIT, NO_SUCH_INDEX, SOON, at_once, expect_code, expect_offsets, fetch_all, no_such_topic,
    result, unknown,
};

scenarios![
    without_data_the_answer_comes_after_the_wait,
    data_that_arrives_ends_the_wait,
    nobody_waits_who_asks_for_nothing,
    too_few_bytes_are_returned_after_the_wait,
    bytes_are_counted_over_all_partitions,
    an_error_ends_the_wait,
    a_partition_that_does_not_exist_leaves_the_wait_alone,
    partitions_that_do_not_exist_are_not_waited_for,
];

/// Short enough for a suite of seconds, long enough to tell it from an answer at once.
const WAIT: i32 = 500;

/// With min_bytes 1 and no data, the answer comes after about max_wait_ms, with error 0 and no
/// records.
#[scenario("FETCH-030", api = Fetch)]
async fn without_data_the_answer_comes_after_the_wait(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(WAIT).with_min_bytes(1);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[])?;
    waited(body.took())
}

/// Data that arrives during the wait completes the Fetch promptly, well before max_wait_ms.
#[scenario("FETCH-031", api = Fetch)]
async fn data_that_arrives_ends_the_wait(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let waiting = leader.tell(request).await?;
    // Long enough for the broker to find nothing and begin to wait.
    cx.sleep(Duration::from_millis(100)).await;

    cx.write(&from, &["news"]).await?;
    let body = leader.answer(waiting).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    require(body.took() < SOON, &format!("an answer within {SOON:?}"), || {
        format!("after {:?}", body.took())
    })
}

/// With min_bytes 0, or max_wait_ms 0 or negative, the answer comes at once.
#[scenario("FETCH-032", api = Fetch, vary = ["min_bytes 0", "max_wait_ms 0", "max_wait_ms -1"])]
async fn nobody_waits_who_asks_for_nothing(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let (bytes, wait) = match cx.variant() {
        "min_bytes 0" => (0, LONG_WAIT),
        "max_wait_ms 0" => (1, 0),
        _ => (1, -1),
    };
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(wait).with_min_bytes(bytes);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[])?;
    require(body.took() < SOON, "an answer at once", || format!("after {:?}", body.took()))
}

/// With min_bytes larger than what there is, the broker waits for max_wait_ms and then returns what
/// there is; min_bytes is counted over all partitions.
#[scenario("FETCH-033", api = Fetch)]
async fn too_few_bytes_are_returned_after_the_wait(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["little"]).await?;
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(WAIT).with_min_bytes(100_000);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    waited(body.took())
}

/// With min_bytes larger than what there is, the broker waits for max_wait_ms and then returns what
/// there is; min_bytes is counted over all partitions.
#[scenario("FETCH-033", api = Fetch)]
async fn bytes_are_counted_over_all_partitions(cx: &mut Cx) -> Outcome {
    let [one, other] = cx.partitions().await?;
    let value = "x".repeat(1_000);
    for to in [&one, &other] {
        cx.write(to, &[&value]).await?;
    }
    let mut leader = cx.leader(&one).await?;
    // More than either partition has, less than both have.
    let request = fetch_all(cx, &[(&one, 0), (&other, 0)])?.with_min_bytes(1_500);
    let body = leader.ask(request.with_max_wait_ms(LONG_WAIT)).await?.expect_ok()?;
    for from in [&one, &other] {
        expect_offsets(&body, from, &[0])?;
    }
    require(body.took() < SOON, "an answer at once", || format!("after {:?}", body.took()))
}

/// An error that a partition meets when its log is read (1, 6, 74, 75) ends the wait of the whole
/// Fetch at once.
#[scenario("FETCH-034", api = Fetch)]
async fn an_error_ends_the_wait(cx: &mut Cx) -> Outcome {
    let [idle, bad] = cx.partitions().await?;
    let mut leader = cx.leader(&idle).await?;
    let request = fetch_all(cx, &[(&idle, 0), (&bad, 7)])?.with_min_bytes(1);
    let body = leader.ask(request.with_max_wait_ms(LONG_WAIT)).await?.expect_answer()?;
    let code = Code(result(&body, &bad)?.error_code);
    body.require(code == OffsetOutOfRange.into(), "OFFSET_OUT_OF_RANGE (1)", || code.to_string())?;
    expect_offsets(&body, &idle, &[])?;
    require(body.took() < SOON, "an answer at once", || format!("after {:?}", body.took()))
}

/// Errors that are found before the log is read (3, 29, 100) do not end the wait: an unknown topic
/// beside an idle partition is answered after max_wait_ms. If every partition asked for has such an
/// error, the answer comes at once.
#[scenario("FETCH-035", api = Fetch, versions = 4..)]
async fn a_partition_that_does_not_exist_leaves_the_wait_alone(cx: &mut Cx) -> Outcome {
    let idle = cx.partition().await?;
    let missing = unknown(cx, &idle);
    let mut leader = cx.leader(&idle).await?;
    let request = fetch_all(cx, &[(&missing, 0), (&idle, 0)])?.with_min_bytes(1);
    let body = leader.ask(request.with_max_wait_ms(WAIT)).await?.expect_answer()?;
    expect_code(&body, &missing, no_such_topic(cx))?;
    expect_offsets(&body, &idle, &[])?;
    waited(body.took())
}

/// Errors that are found before the log is read (3, 29, 100) do not end the wait: an unknown topic
/// beside an idle partition is answered after max_wait_ms. If every partition asked for has such an
/// error, the answer comes at once.
#[scenario("FETCH-035", api = Fetch, versions = 4..)]
async fn partitions_that_do_not_exist_are_not_waited_for(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let missing = unknown(cx, &known);
    let absent = Partition { index: NO_SUCH_INDEX, ..known.clone() };
    let mut leader = cx.leader(&known).await?;
    let request = fetch_all(cx, &[(&missing, 0), (&absent, 0)])?.with_min_bytes(1);
    let body = leader.ask(request.with_max_wait_ms(LONG_WAIT)).await?.expect_answer()?;
    expect_code(&body, &missing, no_such_topic(cx))?;
    expect_code(&body, &absent, UnknownTopicOrPartition)?;
    at_once(&body)
}

/// The answer came after [`WAIT`]: a little earlier is a matter of clocks, later one of load.
fn waited(took: Duration) -> Outcome {
    let wait = Duration::from_millis(WAIT.unsigned_abs().into());
    let about = wait * 9 / 10..wait + SOON;
    require(about.contains(&took), &format!("an answer after {WAIT} ms"), || {
        format!("after {} ms", took.as_millis())
    })
}
