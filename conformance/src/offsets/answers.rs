//! What the scenarios of ListOffsets share: records with times of their own, requests for several
//! partitions, and the results in an answer.

use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, ListOffsetsResponse};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use records::Record;

/// A partition index that no topic of the suite has.
pub(super) const NO_SUCH_INDEX: i32 = 100_000;

/// Timestamp -1 of ListOffsets: the end of the log.
pub(super) const END: i64 = -1;

/// Timestamp -2 of ListOffsets: the start of the log.
pub(super) const START: i64 = -2;

/// Timestamp -3 of ListOffsets: the greatest time of a record (KIP-734).
pub(super) const GREATEST_TIME: i64 = -3;

/// First version of ListOffsets that names leader epochs (KIP-320).
pub(super) const EPOCHS_FROM: i16 = 4;

/// What ListOffsets finds: offset, timestamp and leader epoch.
pub(super) type Found = (i64, i64, i32);

/// No such record: all three of them -1.
pub(super) const NOTHING: Found = (-1, -1, -1);

/// A time of which records may be: in the past, and not so far in it that retention takes them.
pub(super) fn base_time(cx: &Cx) -> i64 {
    cx.wall_ms() - 60_000
}

/// One batch of records with these timestamps.
pub(super) fn timed(times: &[i64]) -> Batch {
    let base = times.first().copied().unwrap_or_default();
    let record =
        |time: &i64| Record { timestamp_delta: time - base, ..Record::of(format!("at {time}")) };
    times.iter().map(record).fold(Batch::new().with_timestamp(base), Batch::push)
}

/// Set-up: writes a batch of one record for each of these timestamps.
pub(super) async fn write_at(cx: &Cx, to: &Partition, times: &[i64]) -> Outcome {
    for time in times {
        cx.append(to, timed(&[*time]).encode()).await?;
    }
    Ok(())
}

/// One ListOffsets of several partitions in this order, each for its timestamp.
pub(super) fn list_all(parts: &[(&Partition, i64)]) -> ListOffsetsRequest {
    let mut all = ListOffsetsRequest::default().with_replica_id(BrokerId(-1));
    for (of, timestamp) in parts {
        for topic in requests::list_offsets(of, *timestamp).topics {
            match all.topics.last_mut().filter(|last| last.name == topic.name) {
                Some(last) => last.partitions.extend(topic.partitions),
                None => all.topics.push(topic),
            }
        }
    }
    all
}

/// The request with this current_leader_epoch on every partition.
pub(super) fn with_epoch(mut request: ListOffsetsRequest, epoch: i32) -> ListOffsetsRequest {
    for partition in request.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        partition.current_leader_epoch = epoch;
    }
    request
}

/// The epoch of the partition's leader, by the metadata, where this version of ListOffsets tells
/// epochs; else -1, as the answer's default.
pub(super) async fn leader_epoch(cx: &Cx, of: &Partition) -> Result<i32, Failure> {
    if cx.version() < EPOCHS_FROM { Ok(-1) } else { Ok(cx.leadership(of).await?.epoch) }
}

/// The answer's results for this partition: code, offset, timestamp and leader epoch.
pub(super) fn results(body: &ListOffsetsResponse, of: &Partition) -> Vec<(Code, Found)> {
    let topics = body.topics.iter().filter(|topic| topic.name.as_str() == of.topic);
    let results = topics
        .flat_map(|topic| &topic.partitions)
        .filter(|partition| partition.partition_index == of.index);
    results
        .map(|result| {
            let found = (result.offset, result.timestamp, result.leader_epoch);
            (Code(result.error_code), found)
        })
        .collect()
}

/// The act: the answer says this of the partition, once. Versions before 4 tell no epoch.
#[track_caller]
pub(super) fn expect_result(
    cx: &Cx,
    body: &Body<ListOffsetsResponse>,
    of: &Partition,
    code: Code,
    found: Found,
) -> Outcome {
    let (offset, timestamp, epoch) = found;
    let epoch = if cx.version() < EPOCHS_FROM { -1 } else { epoch };
    let got = results(body, of);
    let text = |(code, (offset, timestamp, epoch)): &(Code, Found)| {
        format!("{code}, offset {offset}, timestamp {timestamp}, leader_epoch {epoch}")
    };
    let expected = (code, (offset, timestamp, epoch));
    body.require(got == [expected], text(&expected), || {
        got.iter().map(text).collect::<Vec<_>>().join("; ")
    })
}

/// The act: asks for this timestamp of the partition, and this is found.
pub(super) async fn expect_found(
    cx: &Cx,
    leader: &mut Conn,
    of: &Partition,
    timestamp: i64,
    found: Found,
) -> Outcome {
    let body = leader.ask(requests::list_offsets(of, timestamp)).await?.expect_answer()?;
    expect_result(cx, &body, of, Code::NONE, found)
}

/// The act: the only partition of the answer is refused with this code, and nothing is found.
#[track_caller]
pub(super) fn expect_refused(
    cx: &Cx,
    reply: Reply<ListOffsetsResponse>,
    of: &Partition,
    code: ResponseError,
) -> Outcome {
    expect_result(cx, &reply.expect_answer()?, of, code.into(), NOTHING)
}
