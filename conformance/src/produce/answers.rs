//! What the scenarios of Produce share: records in the format of each version, requests to several
//! partitions, and the shape of a refusal.

use bytes::Bytes;
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::{Contents, Message, MessageSet, Record};
use uuid::Uuid;

/// A partition index that no topic of the suite has.
pub(super) const NO_SUCH_INDEX: i32 = 100_000;

/// Where the only result of an answer says its base offset.
pub(super) const BASE_OFFSET: &str = "responses[0].partition_responses[0].base_offset";

/// Where it says its error code.
pub(super) const ERROR: &str = "responses[0].partition_responses[0].error_code";

/// These records in the format of the case's version: message sets of magic 0 (versions 0 and 1)
/// and 1 (version 2), which have no headers, a record batch from 3 on. Their times are deltas to
/// now; magic 0 has none.
pub(super) fn encoded(cx: &Cx, codec: Codec, records: &[Record]) -> Bytes {
    let now = cx.wall_ms();
    let records = records.iter().cloned();
    let magic = match cx.version() {
        0 | 1 => 0,
        2 => 1,
        _ => {
            let batch = records.fold(Batch::new().with_timestamp(now), Batch::push);
            return batch.with_codec(codec).encode();
        }
    };
    let empty = MessageSet { codec, ..MessageSet::new(magic) };
    let message = |record: Record| Message {
        timestamp: now.saturating_add(record.timestamp_delta),
        key: record.key,
        value: record.value,
        ..Message::new(magic, "")
    };
    records.fold(empty, |set, record| set.push(message(record))).encode()
}

/// One Produce to several partitions in this order, acks = all.
pub(super) fn produce_all(
    cx: &Cx,
    parts: &[(&Partition, Bytes)],
) -> Result<ProduceRequest, Failure> {
    let mut all = ProduceRequest::default().with_transactional_id(None).with_acks(-1);
    all.timeout_ms = 30_000;
    for (to, records) in parts {
        for topic in cx.produce(to, records.clone())?.topic_data {
            match all.topic_data.last_mut() {
                Some(last) if last.name == topic.name && last.topic_id == topic.topic_id => {
                    last.partition_data.extend(topic.partition_data);
                }
                _ => all.topic_data.push(topic),
            }
        }
    }
    Ok(all)
}

/// The answer's result for this partition.
pub(super) fn result<'a>(
    body: &'a Body<ProduceResponse>,
    of: &Partition,
) -> Result<&'a PartitionProduceResponse, Failure> {
    result_in(body, of).ok_or_else(|| {
        Failure::failed(format!("a result for {}-{}", of.topic, of.index), "an answer without it")
    })
}

/// The result for this partition in an answer, if it is there.
pub(super) fn result_in<'a>(
    answer: &'a ProduceResponse,
    of: &Partition,
) -> Option<&'a PartitionProduceResponse> {
    let topics = answer.responses.iter().filter(|topic| {
        if topic.name.is_empty() {
            topic.topic_id == of.topic_id
        } else {
            topic.name.as_str() == of.topic
        }
    });
    let mut results = topics.flat_map(|topic| &topic.partition_responses);
    results.find(|result| result.index == of.index)
}

/// The act: this partition's result has this code, and base offset -1 where it is an error.
#[track_caller]
pub(super) fn expect_code(
    body: &Body<ProduceResponse>,
    of: &Partition,
    code: impl Into<Code>,
) -> Outcome {
    let (result, code) = (result(body, of)?, code.into());
    let right = result.error_code == code.0 && (code == Code::NONE || result.base_offset == -1);
    body.require(right, format!("{code} for {}-{}", of.topic, of.index), || {
        format!("{} and base_offset {}", Code(result.error_code), result.base_offset)
    })
}

/// The codec with this name.
pub(super) fn codec(name: &str) -> Result<Codec, Failure> {
    let found = Codec::all().into_iter().find(|codec| codec.name() == name);
    found.ok_or_else(|| Failure::error(format!("no codec {name}")))
}

/// These records for one partition are refused with this code, and nothing is appended to its log
/// of one record.
pub(super) async fn refused(cx: &Cx, records: Bytes, code: impl Into<Code>) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, code, &to, 1).await
}

/// The only partition is refused with this code and base offset -1, and `next` is still the next
/// offset.
pub(super) async fn expect_refused(
    cx: &Cx,
    reply: Reply<ProduceResponse>,
    code: impl Into<Code>,
    to: &Partition,
    next: i64,
) -> Outcome {
    reply.expect_error_at(ERROR, code)?;
    let base_offset = reply.at(BASE_OFFSET)?;
    if base_offset != Value::Int(-1) {
        return Err(reply.violated(format!("{BASE_OFFSET} = -1"), base_offset.to_string()));
    }
    cx.expect_next_offset(to, next).await
}

/// The values of these records as text.
pub(super) fn values(contents: &Contents) -> Vec<String> {
    let value = |value: Option<&Bytes>| match value {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => "(null)".to_owned(),
    };
    contents.records().map(|record| value(record.value)).collect()
}

/// An id that differs from a known one in its last bits, which are random.
pub(super) fn unknown_id(known: &Partition) -> Uuid {
    Uuid::from_u128(known.topic_id.as_u128() ^ 0xffff)
}

/// What a consumer reads from the start on, unread: for records that break their format.
pub(super) async fn raw_log(cx: &Cx, of: &Partition) -> Result<Bytes, Failure> {
    let mut leader = cx.leader(of).await?;
    let body = leader.ask_newest(requests::fetch(cx.newest(keys::Fetch)?, of, 0)).await?.ok()?;
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    Ok(found.and_then(|partition| partition.records.clone()).unwrap_or_default())
}
