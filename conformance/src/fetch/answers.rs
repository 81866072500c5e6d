//! What the scenarios of Fetch share: requests for several partitions, and the results in an
//! answer.

use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::Contents;

/// Where an answer about one partition says what became of it.
pub(super) const ERROR: &str = "responses[0].partitions[0].error_code";

/// Where an answer about one partition has its records.
pub(super) const RECORDS: &str = "responses[0].partitions[0].records";

/// A partition index that no topic of the suite has.
pub(super) const NO_SUCH_INDEX: i32 = 100_000;

/// Far longer than an answer at once takes, and far shorter than [`LONG_WAIT`].
pub(super) const SOON: Duration = Duration::from_secs(4);

/// A max_wait_ms that nobody waits out in a case that passes.
pub(super) const LONG_WAIT: i32 = 10_000;

/// One Fetch of several partitions in this order, each from its offset.
pub(super) fn fetch_all(cx: &Cx, parts: &[(&Partition, i64)]) -> Result<FetchRequest, Failure> {
    let mut all: Option<FetchRequest> = None;
    for (from, offset) in parts {
        let request = cx.fetch(from, *offset)?;
        let Some(all) = &mut all else {
            all = Some(request);
            continue;
        };
        for topic in request.topics {
            match all.topics.last_mut() {
                Some(last) if last.topic == topic.topic && last.topic_id == topic.topic_id => {
                    last.partitions.extend(topic.partitions);
                }
                _ => all.topics.push(topic),
            }
        }
    }
    all.ok_or_else(|| Failure::error("a Fetch of no partition"))
}

/// The partitions of an answer in their order.
pub(super) fn listed(body: &Body<FetchResponse>, of: &[&Partition]) -> Vec<Option<usize>> {
    let results = body.responses.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |result| (topic, result.partition_index))
    });
    results
        .map(|(topic, index)| {
            of.iter().position(|of| {
                let same_topic = if topic.topic.is_empty() {
                    topic.topic_id == of.topic_id
                } else {
                    topic.topic.as_str() == of.topic
                };
                same_topic && of.index == index
            })
        })
        .collect()
}

/// The answer's result for this partition.
pub(super) fn result<'a>(
    body: &'a Body<FetchResponse>,
    of: &Partition,
) -> Result<&'a PartitionData, Failure> {
    let at = listed(body, &[of]).iter().position(Option::is_some);
    let mut results = body.responses.iter().flat_map(|topic| &topic.partitions);
    at.and_then(|at| results.nth(at)).ok_or_else(|| {
        Failure::failed(format!("a result for {}-{}", of.topic, of.index), "an answer without it")
    })
}

/// The records of the answer for this partition, read strictly; a cut entry at the end is legal.
pub(super) fn contents(body: &Body<FetchResponse>, of: &Partition) -> Result<Contents, Failure> {
    let bytes = result(body, of)?.records.clone().unwrap_or_default();
    let read = records::read(&bytes).and_then(|read| read.check_order().map(|()| read));
    read.map_err(|breach| Failure::failed("records that keep their format", breach.to_string()))
}

/// The offsets of these records, in their order.
pub(super) fn offsets(contents: &Contents) -> Vec<i64> {
    contents.records().map(|record| record.offset).collect()
}

/// Offsets and values of these records, in their order.
pub(super) fn values(contents: &Contents) -> Vec<(i64, String)> {
    let value = |value: Option<&bytes::Bytes>| {
        value.map_or_else(String::new, |value| String::from_utf8_lossy(value).into_owned())
    };
    contents.records().map(|record| (record.offset, value(record.value))).collect()
}

/// The result for this partition has this code.
pub(super) fn expect_code(
    body: &Body<FetchResponse>,
    of: &Partition,
    code: impl Into<Code>,
) -> Outcome {
    let (code, got) = (code.into(), Code(result(body, of)?.error_code));
    body.require(got == code, format!("{code} for {}-{}", of.topic, of.index), || got.to_string())
}

/// The answer has this value at the path. For answers with the code -1, which no other check takes.
#[track_caller]
pub(super) fn expect_value<B>(reply: &Reply<B>, path: &str, value: &Value) -> Outcome {
    let got = reply.at(path)?;
    if got == *value {
        return Ok(());
    }
    Err(reply.violated(format!("{path} = {value}"), got.to_string()))
}

/// The answer came at once.
pub(super) fn at_once(body: &Body<FetchResponse>) -> Outcome {
    body.require(body.took() < SOON, "an answer at once", || format!("after {:?}", body.took()))
}

/// The answer lists no topics.
pub(super) fn expect_no_topics(body: &Body<FetchResponse>) -> Outcome {
    body.require(body.responses.is_empty(), "no topics", || format!("{:?}", body.responses))
}

/// The partition by an id that no topic has. By name its topic has another name, too.
pub(super) fn unknown(cx: &Cx, like: &Partition) -> Partition {
    // An id that differs from a known one in its last bits, which are random.
    let topic_id = uuid::Uuid::from_u128(like.topic_id.as_u128() ^ 0xffff);
    Partition { topic: cx.name("topic"), topic_id, ..like.clone() }
}

/// The code for a topic that does not exist: topic ids (v13, KIP-516) have one of their own.
pub(super) fn no_such_topic(cx: &Cx) -> ResponseError {
    if cx.version() < 13 { UnknownTopicOrPartition } else { UnknownTopicId }
}

/// The result for this partition has error 0 and these records by offset.
pub(super) fn expect_offsets(
    body: &Body<FetchResponse>,
    of: &Partition,
    expected: &[i64],
) -> Outcome {
    let code = Code(result(body, of)?.error_code);
    body.require(code == Code::NONE, "NONE (0)", || code.to_string())?;
    let got = offsets(&contents(body, of)?);
    body.require(got == expected, format!("records at offsets {expected:?}"), || format!("{got:?}"))
}
