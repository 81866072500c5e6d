//! DeleteRecords (21): the start of a log is moved (KIP-107).
//!
//! The same in every version. Not covered: followers that stopped answering, for which the leader
//! waits until they count as dead.

use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use kafka_protocol::messages::{BrokerId, DeleteRecordsResponse, TopicName};
use kconform_scenario::prelude::*;
use kconform_scenario::{Body, Ends};

use super::answers::{END, START};

scenarios![
    the_log_starts_at_the_offset,
    a_deleted_offset_is_out_of_range,
    everything_up_to_the_high_watermark_is_deleted,
    the_start_never_moves_back,
    a_compacted_topic_that_also_deletes_is_trimmed,
    every_follower_moves_its_start,
    the_leader_has_moved_when_the_time_is_up,
    a_batch_is_kept_that_holds_the_start,
    the_last_offset_of_a_partition_wins,
    nothing_asked_is_nothing_answered,
    without_followers_nobody_waits,
];

/// An offset from the log start offset to the high watermark is answered with error 0 and
/// low_watermark = that offset. Afterwards the log starts there: ListOffsets -2 gives it, a Fetch
/// below it is answered with OFFSET_OUT_OF_RANGE (1), and Produce and Fetch (from version 5 on)
/// show it as log_start_offset.
#[scenario("DELREC-001", api = DeleteRecords, vary = ["the start", "inside", "the high watermark"])]
async fn the_log_starts_at_the_offset(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    for value in ["a", "b", "c"] {
        cx.write(&of, &[value]).await?;
    }
    let offset = match cx.variant() {
        "the start" => 0,
        "inside" => 2,
        _ => 3,
    };
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, offset, offset).await?;
    let ends = cx.log_ends(&of).await?;
    let expected = Ends { start: offset, end: 3 };
    require(ends == expected, &format!("{expected:?}"), || format!("{ends:?}"))?;
    let start = "responses[0].partition_responses[0].log_start_offset";
    let more = cx.produce(&of, cx.records(&["d"])?)?;
    leader.ask(more).await?.expect_ok()?.expect_number(start, offset)?;
    let read = leader.ask(cx.fetch(&of, offset)?).await?.expect_ok()?;
    read.expect_number("responses[0].partitions[0].log_start_offset", offset)
}

/// An offset from the log start offset to the high watermark is answered with error 0 and
/// low_watermark = that offset. Afterwards the log starts there: ListOffsets -2 gives it, a Fetch
/// below it is answered with OFFSET_OUT_OF_RANGE (1), and Produce and Fetch (from version 5 on)
/// show it as log_start_offset.
#[scenario("DELREC-001", api = DeleteRecords)]
async fn a_deleted_offset_is_out_of_range(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    cx.write(&of, &["b"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, 1, 1).await?;
    let reply = leader.ask(cx.fetch(&of, 0)?).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", OffsetOutOfRange)
}

/// Offset -1 deletes everything up to the high watermark, which is then the low_watermark of the
/// answer; the next record still gets the next offset.
#[scenario("DELREC-002", api = DeleteRecords)]
async fn everything_up_to_the_high_watermark_is_deleted(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b", "c"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, -1, 3).await?;
    let ends = cx.log_ends(&of).await?;
    require(ends == Ends { start: 3, end: 3 }, "a log from 3 to 3", || format!("{ends:?}"))?;
    cx.expect_next_offset(&of, 3).await
}

/// An offset below the log start offset is answered with error 0 and low_watermark = the log start
/// offset, and changes nothing.
#[scenario("DELREC-005", api = DeleteRecords)]
async fn the_start_never_moves_back(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b", "c"]).await?;
    cx.delete_records(&of, 2).await?;
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, 1, 2).await?;
    let start = cx.log_ends(&of).await?.start;
    require(start == 2, "a log that starts at 2", || start.to_string())
}

/// On a topic whose cleanup.policy is compact alone, DeleteRecords is refused with POLICY_VIOLATION
/// (44) and low_watermark -1, and nothing is deleted; with compact,delete it is allowed.
#[scenario("DELREC-006", api = DeleteRecords)]
async fn a_compacted_topic_that_also_deletes_is_trimmed(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("cleanup.policy", "compact,delete");
    let of = cx.topic_with(spec).await?.partition(0);
    for value in ["a", "b"] {
        cx.append(&of, Batch::new().with_timestamp(cx.wall_ms()).record("k", value).encode())
            .await?;
    }
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, 1, 1).await
}

/// With followers the answer comes after every live follower has moved its log start offset too.
/// Where that takes longer than timeout_ms it is REQUEST_TIMED_OUT (7) with the lowest start of a
/// live replica as low_watermark, though the leader has moved already. A follower that stopped
/// answering a moment ago still counts as live.
#[scenario("DELREC-011", api = DeleteRecords, needs = [ThreeBrokers])]
async fn every_follower_moves_its_start(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(3)).await?.partition(0);
    cx.write(&of, &["a", "b", "c"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, 2, 2).await?;
    for broker in cx.facts().brokers.iter().map(|broker| broker.id) {
        let mut conn = cx.connect_broker(broker).await?;
        // A debugger asks any replica for its own view (LISTOFF-020).
        let view = requests::list_offsets(&of, START).with_replica_id(BrokerId(-2));
        let body = conn.ask(view).await?.expect_ok()?;
        body.expect_number("topics[0].partitions[0].offset", 2)?;
    }
    Ok(())
}

/// With followers the answer comes after every live follower has moved its log start offset too.
/// Where that takes longer than timeout_ms it is REQUEST_TIMED_OUT (7) with the lowest start of a
/// live replica as low_watermark, though the leader has moved already. A follower that stopped
/// answering a moment ago still counts as live.
#[scenario("DELREC-011", api = DeleteRecords, needs = [ThreeBrokers])]
async fn the_leader_has_moved_when_the_time_is_up(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(3)).await?.partition(0);
    cx.write(&of, &["a", "b", "c"]).await?;
    let mut leader = cx.leader(&of).await?;
    // Followers learn of a new start with one fetch, and tell theirs with the next.
    let request = delete(&[(&of, 2)]).with_timeout_ms(1);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_results(&body, &of, &[(RequestTimedOut.into(), 0)])?;
    let body = leader.ask(requests::list_offsets(&of, START)).await?.expect_ok()?;
    body.expect_number("topics[0].partitions[0].offset", 2)
}

/// The offset may lie in the middle of a batch; a Fetch from it returns the whole batch, the
/// records below the offset included.
#[scenario("DELREC-012", api = DeleteRecords)]
async fn a_batch_is_kept_that_holds_the_start(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    cx.write(&of, &["b", "c", "d"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_trimmed(&mut leader, &of, 3, 3).await?;
    let read = cx.read_log(&of, 3).await?;
    let offsets: Vec<_> = read.records().map(|record| record.offset).collect();
    require(offsets == [1, 2, 3], "the whole batch, offsets 1 to 3", || format!("{offsets:?}"))
}

/// A partition that the request names twice gets one result, and the last offset wins, even a lower
/// one.
#[scenario("DELREC-013", api = DeleteRecords, vary = ["lower first", "higher first"])]
async fn the_last_offset_of_a_partition_wins(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b", "c"]).await?;
    let (first, last) = if cx.variant() == "lower first" { (1, 2) } else { (2, 1) };
    let mut leader = cx.leader(&of).await?;
    let body = leader.ask(delete(&[(&of, first), (&of, last)])).await?.expect_answer()?;
    expect_results(&body, &of, &[(Code::NONE, last)])?;
    let start = cx.log_ends(&of).await?.start;
    require(start == last, &format!("a log that starts at {last}"), || start.to_string())
}

/// A request without topics, or with a topic without partitions, is answered with no topics. With a
/// timeout_ms of 0 or less the answer is still error 0 when there is no follower to wait for.
#[scenario("DELREC-015", api = DeleteRecords, vary = ["no topics", "no partitions"])]
async fn nothing_asked_is_nothing_answered(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let mut leader = cx.leader(&of).await?;
    let mut request = delete(&[(&of, 0)]);
    if cx.variant() == "no topics" {
        request.topics.clear();
    }
    request.topics.iter_mut().for_each(|topic| topic.partitions.clear());
    let body = leader.ask(request).await?.expect_answer()?;
    body.require(body.topics.is_empty(), "no topics", || format!("{:?}", body.topics))
}

/// A request without topics, or with a topic without partitions, is answered with no topics. With a
/// timeout_ms of 0 or less the answer is still error 0 when there is no follower to wait for.
#[scenario("DELREC-015", api = DeleteRecords, vary = ["0", "-1"])]
async fn without_followers_nobody_waits(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    cx.write(&of, &["a", "b"]).await?;
    let mut leader = cx.leader(&of).await?;
    let limit = if cx.variant() == "0" { 0 } else { -1 };
    let body = leader.ask(delete(&[(&of, 1)]).with_timeout_ms(limit)).await?.expect_answer()?;
    expect_results(&body, &of, &[(Code::NONE, 1)])?;
    let body = leader.ask(requests::list_offsets(&of, END)).await?.expect_ok()?;
    body.expect_number("topics[0].partitions[0].offset", 2)
}

/// One DeleteRecords of several partitions in this order, each up to its offset, within 30 s.
pub(super) fn delete(parts: &[(&Partition, i64)]) -> DeleteRecordsRequest {
    let mut topics: Vec<DeleteRecordsTopic> = Vec::new();
    for (of, offset) in parts {
        let partition =
            DeleteRecordsPartition::default().with_partition_index(of.index).with_offset(*offset);
        let name = TopicName(text(&of.topic));
        match topics.last_mut().filter(|last| last.name == name) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(
                DeleteRecordsTopic::default().with_name(name).with_partitions(vec![partition]),
            ),
        }
    }
    DeleteRecordsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// The act: deletes up to this offset, without error and with this low watermark.
async fn expect_trimmed(conn: &mut Conn, of: &Partition, offset: i64, low: i64) -> Outcome {
    let body = conn.ask(delete(&[(of, offset)])).await?.expect_answer()?;
    expect_results(&body, of, &[(Code::NONE, low)])
}

/// The act: these are the answer's results for the partition: code and low watermark.
#[track_caller]
pub(super) fn expect_results(
    body: &Body<DeleteRecordsResponse>,
    of: &Partition,
    expected: &[(Code, i64)],
) -> Outcome {
    let topics = body.topics.iter().filter(|topic| topic.name.as_str() == of.topic);
    let results = topics
        .flat_map(|topic| &topic.partitions)
        .filter(|result| result.partition_index == of.index)
        .map(|result| (Code(result.error_code), result.low_watermark));
    let got: Vec<_> = results.collect();
    let text = |results: &[(Code, i64)]| {
        let text = |(code, low): &(Code, i64)| format!("{code}, low_watermark {low}");
        results.iter().map(text).collect::<Vec<_>>().join("; ")
    };
    body.require(got == expected, text(expected), || text(&got))
}
