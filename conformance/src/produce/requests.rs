//! Produce (0): the request as a whole: acknowledgements beside other errors, partitions named
//! twice or not at all, the timeout, and the order of answers and closes.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::produce_request::TopicProduceData;
use kconform_scenario::prelude::*;

use super::answers::{
    BASE_OFFSET, NO_SUCH_INDEX, expect_code, produce_all, result, unknown_id, values,
};

scenarios![
    a_partition_keeps_its_own_error_beside_bad_acks,
    records_keep_their_own_error_beside_bad_acks,
    a_partition_named_twice_gets_the_last_batch,
    a_request_without_partitions_is_answered_without_results,
    the_throttle_time_ends_the_body,
    the_timeout_does_not_matter_with_acks_1,
    earlier_answers_come_before_the_close,
    requests_with_and_without_an_answer_may_alternate,
];

/// With acks other than -1, 0 and 1, a partition that fails an earlier check keeps its own error
/// (UNKNOWN_TOPIC_OR_PARTITION (3), TOPIC_AUTHORIZATION_FAILED (29), INVALID_RECORD (87) for
/// records that are not one batch); only the others get INVALID_REQUIRED_ACKS (21).
#[scenario("PRODUCE-007", api = Produce)]
async fn a_partition_keeps_its_own_error_beside_bad_acks(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    let missing = Partition { index: NO_SUCH_INDEX, ..good.clone() };
    let mut leader = cx.leader(&good).await?;
    let parts = [(&good, cx.records(&["a"])?), (&missing, cx.records(&["b"])?)];
    let body = leader.ask(produce_all(cx, &parts)?.with_acks(2)).await?.expect_answer()?;
    expect_code(&body, &good, InvalidRequiredAcks)?;
    expect_code(&body, &missing, UnknownTopicOrPartition)
}

/// With acks other than -1, 0 and 1, a partition that fails an earlier check keeps its own error
/// (UNKNOWN_TOPIC_OR_PARTITION (3), TOPIC_AUTHORIZATION_FAILED (29), INVALID_RECORD (87) for
/// records that are not one batch); only the others get INVALID_REQUIRED_ACKS (21).
#[scenario("PRODUCE-007", api = Produce, versions = 3..)]
async fn records_keep_their_own_error_beside_bad_acks(cx: &mut Cx) -> Outcome {
    let [good, bad] = cx.partitions().await?;
    let mut leader = cx.leader(&good).await?;
    let parts = [(&good, cx.records(&["a"])?), (&bad, bytes::Bytes::new())];
    let body = leader.ask(produce_all(cx, &parts)?.with_acks(2)).await?.expect_answer()?;
    expect_code(&body, &good, InvalidRequiredAcks)?;
    expect_code(&body, &bad, InvalidRecord)
}

/// A request that names one partition twice (in one topic entry or in two entries of the same
/// topic) gets one result for it, with error 0, and only the last batch is appended.
#[scenario(
    "PRODUCE-056", api = Produce, versions = 3..,
    vary = ["one topic entry", "two topic entries"],
)]
async fn a_partition_named_twice_gets_the_last_batch(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let (first, last) = (cx.records(&["first"])?, cx.records(&["last"])?);
    let request = if cx.variant() == "one topic entry" {
        produce_all(cx, &[(&to, first), (&to, last)])?
    } else {
        let mut request = cx.produce(&to, first)?;
        request.topic_data.extend(cx.produce(&to, last)?.topic_data);
        request
    };

    let body = leader.ask(request).await?.expect_ok()?;
    let results: usize = body.responses.iter().map(|topic| topic.partition_responses.len()).sum();
    body.require(results == 1, "one result", || format!("{results} results"))?;
    let offset = result(&body, &to)?.base_offset;
    body.require(offset == 0, "base_offset = 0", || offset.to_string())?;
    let stored = values(&cx.read_log(&to, 0).await?);
    require(stored == ["last"], "the last batch alone in the log", || format!("{stored:?}"))
}

/// A request without topics is answered without results: the answer has no topics. So is a request
/// whose topic entry has no partitions, even where the topic does not exist.
#[scenario(
    "PRODUCE-057", api = Produce, versions = 3..,
    vary = ["no topics", "no partitions", "no partitions of an unknown topic"],
)]
async fn a_request_without_partitions_is_answered_without_results(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let mut topic = TopicProduceData::default();
    let unknown = cx.variant() == "no partitions of an unknown topic";
    if cx.version() >= 13 {
        topic.topic_id = if unknown { unknown_id(&known) } else { known.topic_id };
    } else {
        topic.name = TopicName(text(if unknown { cx.name("topic") } else { known.topic.clone() }));
    }
    let mut request = cx.produce(&known, cx.records(&["nowhere"])?)?;
    request.topic_data = if cx.variant() == "no topics" { vec![] } else { vec![topic] };

    let body = leader.ask(request).await?.expect_answer()?;
    body.require(body.responses.is_empty(), "no topics in the answer", || {
        format!("{} topics", body.responses.len())
    })
}

/// The body of the answer begins with the results, and throttle_time_ms is its last field before
/// the tagged ones: 0 for a client without a quota.
#[scenario("PRODUCE-070", api = Produce, versions = 1..)]
async fn the_throttle_time_ends_the_body(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let body = leader.ask(cx.produce(&to, cx.records(&["a"])?)?).await?.expect_ok()?;
    // From version 9 on arrays are compact, and an empty section of tagged fields comes last.
    let (begin, end): (&[u8], &[u8]) =
        if cx.version() < 9 { (&[0, 0, 0, 1], &[0; 4]) } else { (&[2], &[0; 5]) };
    let bytes = body.bytes();
    body.require(bytes.starts_with(begin), "the number of topics, 1, first", || {
        format!("{bytes:02x?}")
    })?;
    body.require(bytes.ends_with(end), "a throttle time of 0 last", || format!("{bytes:02x?}"))
}

/// With acks = 1 a timeout_ms of 0 or less has no effect: the write is answered with error 0.
#[scenario("PRODUCE-073", api = Produce, versions = 3.., vary = ["0", "-1"])]
async fn the_timeout_does_not_matter_with_acks_1(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let timeout = if cx.variant() == "0" { 0 } else { -1 };
    let request = cx.produce(&to, cx.records(&["in no time"])?)?.with_acks(1);
    let reply = leader.ask(request.with_timeout_ms(timeout)).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    cx.expect_next_offset(&to, 2).await
}

/// The close of PRODUCE-005 comes after the answers to earlier requests of that connection;
/// requests sent behind the failing one get no answer.
#[scenario("PRODUCE-079", api = Produce)]
async fn earlier_answers_come_before_the_close(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let missing = Partition { index: NO_SUCH_INDEX, ..to.clone() };

    let earlier = leader.tell(cx.produce(&to, cx.records(&["earlier"])?)?).await?;
    let failing = cx.produce(&missing, cx.records(&["lost"])?)?.with_acks(0);
    leader.tell(failing).await?.unanswered();
    leader.tell(cx.produce(&to, cx.records(&["later"])?)?).await?.unanswered();

    leader.answer(earlier).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    leader.expect_close().await
}

/// Requests with acks = 0 may stand between others on one connection: the others are answered, in
/// their order, and every record is appended in the order of the requests.
#[scenario("PRODUCE-093", api = Produce)]
async fn requests_with_and_without_an_answer_may_alternate(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let mut sent = Vec::new();
    for [silent, told] in [["a", "b"], ["c", "d"]] {
        let request = cx.produce(&to, cx.records(&[silent])?)?.with_acks(0);
        leader.tell(request).await?.unanswered();
        sent.push(leader.tell(cx.produce(&to, cx.records(&[told])?)?).await?);
    }
    for (sent, offset) in sent.into_iter().zip([1, 3]) {
        leader.answer(sent).await?.expect_ok()?.expect_number(BASE_OFFSET, offset)?;
    }
    let stored = values(&cx.read_log(&to, 0).await?);
    require(stored == ["a", "b", "c", "d"], "the four records in order", || format!("{stored:?}"))
}
