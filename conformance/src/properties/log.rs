//! Produce (0), Fetch (1), ListOffsets (2) and DeleteRecords (21) in any order, against a model of the log that is a
//! list of batches and a start.
//!
//! Not covered: more than one partition in a Fetch, sessions, logs of several segments.

use bytes::{Bytes, BytesMut};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use super::blob::{Blob, blob};
use super::for_all::for_all;

scenarios![any_order_of_writes_and_reads_shows_one_log, any_timestamp_is_found];

/// First version of Fetch with log_start_offset in its answers.
const FIRST_WITH_START: i16 = 5;
/// Milliseconds of an hour: as far as timestamps are apart. Retention is far from that.
const HOUR: i64 = 3_600_000;

/// A place in the log, as a part of 255 of its length.
#[derive(Clone, Copy, Debug)]
struct Spot(u8);

impl Spot {
    /// The offset between these two, both included.
    fn between(self, first: i64, last: i64) -> i64 {
        first + (last - first) * i64::from(self.0) / 255
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Appends a batch of these values.
    Append { codec: Codec, values: Vec<Blob> },
    /// Fetches from a place that may lie one before the start or one behind the end.
    Fetch { from: Spot, partition_max: u16, max: u16, committed: bool },
    /// Deletes what is before a place.
    Trim(Spot),
    /// Asks for both ends.
    Ends,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    const CODECS: &[Codec] = &[Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4];
    let spot = || any::<u8>().prop_map(Spot);
    // Bytes: few, so that fetches end in the middle of batches, or more than there can be.
    let bytes = || prop_oneof![3 => 0..600_u16, 1 => Just(u16::MAX)];
    let append = (proptest::sample::select(CODECS), vec(blob(400), 1..5))
        .prop_map(|(codec, values)| Step::Append { codec, values });
    let fetch = (spot(), bytes(), bytes(), any::<bool>()).prop_map(
        |(from, partition_max, max, committed)| Step::Fetch { from, partition_max, max, committed },
    );
    vec(
        prop_oneof![5 => append, 8 => fetch, 1 => spot().prop_map(Step::Trim), 1 => Just(Step::Ends)],
        1..20,
    )
}

/// What the log must be.
#[derive(Debug, Default)]
struct Model {
    /// Base offset, next offset and bytes of each batch; the leader's epoch is zero in them.
    batches: Vec<(i64, i64, Bytes)>,
    start: i64,
    end: i64,
}

impl Model {
    fn append(&mut self, batch: &Batch, bytes: &Bytes) {
        let (base, end) = (self.end, self.end + i64::from(batch.last_offset_delta) + 1);
        let mut stored = BytesMut::from(&**bytes);
        stored[..8].copy_from_slice(&base.to_be_bytes());
        blank_epoch(&mut stored);
        self.batches.push((base, end, stored.freeze()));
        self.end = end;
    }

    /// What is wrong with these bytes as the answer to a fetch from this offset, of at most so many bytes unless one
    /// batch is larger (KIP-74).
    fn judge(&self, from: i64, most: usize, got: &[u8]) -> Result<(), String> {
        let batches: Vec<&Bytes> = self
            .batches
            .iter()
            .filter(|(_, next, _)| *next > from)
            .map(|(_, _, bytes)| bytes)
            .collect();
        let first = batches.first().map_or(0, |bytes| bytes.len());
        if got.len() > most.max(first) {
            return Err(format!("{} bytes, of at most {}", got.len(), most.max(first)));
        }
        if got.len() < first {
            return Err(format!("{} bytes, the first batch has {first}", got.len()));
        }
        let mut rest = got;
        for (index, want) in batches.into_iter().enumerate() {
            let (piece, behind) = rest.split_at(want.len().min(rest.len()));
            let mut piece = BytesMut::from(piece);
            blank_epoch(&mut piece);
            if let Some(at) = (0..piece.len()).find(|at| piece[*at] != want[*at]) {
                return Err(format!("batch {index} differs at byte {at}"));
            }
            rest = behind;
        }
        if rest.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", rest.len())) }
    }
}

/// The leader's epoch is not known, and not judged here.
fn blank_epoch(batch: &mut [u8]) {
    batch.iter_mut().skip(12).take(4).for_each(|byte| *byte = 0);
}

/// In whatever order batches are produced, records deleted, and fetches made from any offset with
/// any limits and either isolation level, each answer shows the same log: the batches as they were
/// appended, from the one that holds the fetch offset on, at least one whole and no more bytes than
/// allowed beyond it; high_watermark, last_stable_offset and log_start_offset as they are;
/// OFFSET_OUT_OF_RANGE (1) before the start and behind the end.
#[scenario("PROP-003", api = Fetch, versions = 4.., vary = ["seed_c"])]
async fn any_order_of_writes_and_reads_shows_one_log(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    for_all(cx, steps(), async |steps| history(cx, steps).await).await
}

async fn history(cx: &Cx, steps: &[Step]) -> Outcome {
    let log = cx.partition().await?;
    let mut leader = cx.leader(&log).await?;
    let mut model = Model::default();
    let now = cx.wall_ms();
    for step in steps {
        match step {
            Step::Append { codec, values } => {
                let batch = Batch::of(values.iter().map(|value| value.bytes()));
                let batch = batch.with_timestamp(now).with_codec(*codec);
                let bytes = batch.encode();
                let body = leader.ask(cx.produce(&log, bytes.clone())?).await?.expect_ok()?;
                let path = "responses[0].partition_responses[0].base_offset";
                body.expect_number(path, model.end)?;
                model.append(&batch, &bytes);
            }
            Step::Fetch { from, partition_max, max, committed } => {
                let from = from.between(model.start - 1, model.end + 1);
                let mut request = cx
                    .fetch(&log, from)?
                    .with_max_bytes((*max).into())
                    .with_isolation_level((*committed).into());
                for partition in request.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
                    partition.partition_max_bytes = (*partition_max).into();
                }
                let most = usize::from(*max.min(partition_max));
                judge(cx, &model, from, most, leader.ask(request).await?)?;
            }
            Step::Trim(spot) if cx.facts().offers(keys::DeleteRecords, 0) => {
                let before = spot.between(model.start, model.end);
                cx.delete_records(&log, before).await?;
                model.start = before;
            }
            Step::Trim(_) => {}
            Step::Ends => {
                for (timestamp, offset) in [(-2, model.start), (-1, model.end)] {
                    let request = requests::list_offsets(&log, timestamp);
                    let body = leader.ask(request).await?.expect_ok()?;
                    body.expect_number("topics[0].partitions[0].offset", offset)?;
                }
            }
        }
    }
    Ok(())
}

fn judge(
    cx: &Cx,
    model: &Model,
    from: i64,
    most: usize,
    reply: Reply<kafka_protocol::messages::FetchResponse>,
) -> Outcome {
    const PARTITION: &str = "responses[0].partitions[0]";
    if from < model.start || from > model.end {
        return reply.expect_error_at(&format!("{PARTITION}.error_code"), OffsetOutOfRange);
    }
    let body = reply.expect_ok()?;
    body.expect_number(&format!("{PARTITION}.high_watermark"), model.end)?;
    body.expect_number(&format!("{PARTITION}.last_stable_offset"), model.end)?;
    if cx.version() >= FIRST_WITH_START {
        body.expect_number(&format!("{PARTITION}.log_start_offset"), model.start)?;
    }
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    let bytes = found.and_then(|partition| partition.records.clone()).unwrap_or_default();
    let judged = model.judge(from, most, &bytes);
    let expected = format!("the log from offset {from} on, in at most {most} bytes or one batch");
    body.require(judged.is_ok(), expected, || judged.err().unwrap_or_default())
}

/// Whatever timestamps the records of a log have, in whatever order, ListOffsets with a timestamp
/// gives offset and timestamp of the first record whose timestamp is that or later, and -1 for both
/// where there is none.
#[scenario("PROP-004", api = ListOffsets, versions = 1.., vary = ["seed_1"])]
async fn any_timestamp_is_found(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    // Milliseconds within an hour; few of them, so that some are the same.
    let time = || (0..24_u8).prop_map(|part| i64::from(part) * (HOUR / 24));
    let batches = vec((any::<bool>(), vec(time(), 1..6)), 1..6);
    let asked = vec((time(), -1..=1_i64), 2..6);
    for_all(cx, (batches, asked), async |(batches, asked)| times(cx, batches, asked).await).await
}

async fn times(cx: &Cx, batches: &[(bool, Vec<i64>)], asked: &[(i64, i64)]) -> Outcome {
    let log = cx.partition().await?;
    let mut leader = cx.leader(&log).await?;
    let base = cx.wall_ms() - HOUR;
    let mut timestamps = Vec::new();
    for (packed, times) in batches {
        let first = times.first().copied().unwrap_or_default();
        let empty = Batch { base_timestamp: base + first, ..Batch::new() };
        let batch = times.iter().fold(empty, |batch, time| {
            let timestamp_delta = time - first;
            batch.push(records::Record { timestamp_delta, ..records::Record::of("timed") })
        });
        let batch = batch.with_codec(if *packed { Codec::Gzip } else { Codec::None });
        leader.ask(cx.produce(&log, batch.encode())?).await?.ok()?;
        timestamps.extend(times.iter().map(|time| base + time));
    }
    for (time, beside) in asked {
        let time = base + time + beside;
        let found = (0..).zip(&timestamps).find(|(_, timestamp)| **timestamp >= time);
        let want = found.map_or((-1, -1), |(offset, timestamp)| (offset, *timestamp));
        let body = leader.ask(requests::list_offsets(&log, time)).await?.expect_ok()?;
        let number = |field: &str| match body.at(&format!("topics[0].partitions[0].{field}"))? {
            Value::Int(number) => Ok(number),
            other => Err(Failure::error(format!("{field} is {other}"))),
        };
        let got = (number("offset")?, number("timestamp")?);
        let expected = format!("offset and timestamp {want:?} for the timestamp {time}");
        body.require(got == want, expected, || format!("{got:?}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn model() -> (Model, Vec<u8>) {
        let mut model = Model::default();
        let mut log = Vec::new();
        for value in ["one", "two", "three"] {
            let batch = Batch::of([value, value]);
            model.append(&batch, &batch.encode());
            log.extend(
                Batch { base_offset: model.end - 2, partition_leader_epoch: 7, ..batch }.encode(),
            );
        }
        (model, log)
    }

    #[test]
    fn an_answer_may_end_anywhere_behind_its_first_batch() {
        let (model, log) = model();
        let first = model.batches[0].2.len();
        for length in first..=log.len() {
            assert_eq!(model.judge(1, log.len(), &log[..length]), Ok(()), "{length}");
        }
        assert_eq!(model.judge(2, log.len(), &log[first..]), Ok(()));
        assert_eq!(model.judge(0, 0, &log[..first]), Ok(()), "one batch, whatever the limit");
        assert_eq!(model.judge(6, 100, &[]), Ok(()));
    }

    #[test]
    fn whatever_else_an_answer_holds_is_told() {
        let (model, log) = model();
        let first = model.batches[0].2.len();
        let wrong = |from, most, bytes: &[u8]| model.judge(from, most, bytes).unwrap_err();
        assert!(wrong(0, log.len(), &log[first..]).contains("batch 0 differs at byte 7"));
        assert!(wrong(0, log.len(), &[]).contains("0 bytes, the first batch has"));
        assert!(wrong(0, first, &log).contains("of at most"));
        assert!(
            wrong(6, 100, &log[..1]).contains("of at most 100")
                || wrong(6, 100, &log[..1]).contains("too many")
        );
        let mut flipped = log.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(wrong(0, log.len(), &flipped).contains("batch 2 differs"));
        // A batch that is there twice, and one that is left out.
        let twice = [&log[..first], &log].concat();
        assert!(wrong(0, twice.len(), &twice).contains("batch 1 differs"));
        let gap = [&log[..first], &log[2 * first..]].concat();
        assert!(wrong(0, gap.len(), &gap).contains("batch 1 differs"));
    }
}
