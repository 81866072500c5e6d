//! Batches after compaction. Read with Fetch (1), version 4 on.

use kconform_scenario::Ending;
use kconform_scenario::prelude::*;
use records::{Header, Record};

use super::log::{STRANGER, fetched};

scenarios![a_compacted_batch_keeps_its_place, reading_goes_on_behind_a_compacted_batch];

/// After compaction a batch keeps base_offset, last_offset_delta, producer id, epoch and sequence
/// though it has fewer records, each with its own headers. A batch without any record left
/// disappears, unless it is the last one of its producer: that stays, with a count of 0 (61 bytes).
#[scenario("BATCH-013", api = Fetch, versions = 4.., also = ["BATCH-022"], slow)]
async fn a_compacted_batch_keeps_its_place(cx: &mut Cx) -> Outcome {
    let (_, compacted) = compacted(cx).await?;
    let got: Vec<Shape> = compacted.iter().map(shape).collect();
    let expected: Vec<Shape> = vec![
        (0, 2, (STRANGER, 4, 0), vec![("k2".to_owned(), "of k2".to_owned())]),
        (4, 0, (STRANGER + 1, 5, 7), vec![]),
        (
            5,
            1,
            (-1, -1, -1),
            vec![("k1".to_owned(), "of k1".to_owned()), ("k3".to_owned(), "of k3".to_owned())],
        ),
    ];
    require(got == expected, &format!("{expected:?}"), || format!("{got:?}"))
}

/// A reader goes on at base_offset + last_offset_delta + 1 of a batch, also where compaction removed
/// its last records: a Fetch from there does not begin with the same batch again.
#[scenario("BATCH-015", api = Fetch, versions = 4.., slow)]
async fn reading_goes_on_behind_a_compacted_batch(cx: &mut Cx) -> Outcome {
    let (to, compacted) = compacted(cx).await?;
    let next = compacted.first().map_or(0, Batch::next_offset);
    require(next == 3, "offset 3 behind the first batch", || next.to_string())?;
    let behind = first_segment(cx, &to, next).await?;
    let bases: Vec<i64> = behind.iter().map(|batch| batch.base_offset).collect();
    require(bases == [4, 5], "the batches from offset 4 on", || format!("{bases:?}"))
}

/// Base offset, last offset delta, producer with epoch and sequence, and key and header of each
/// record.
type Shape = (i64, i32, (i64, i16, i32), Vec<(String, String)>);

fn shape(batch: &Batch) -> Shape {
    let text = |bytes: &bytes::Bytes| String::from_utf8_lossy(bytes).into_owned();
    let records = batch.records.iter().map(|record| {
        let headers: Vec<String> = record.headers.iter().map(|header| text(&header.key)).collect();
        (record.key.as_ref().map(text).unwrap_or_default(), headers.join(", "))
    });
    let producer = (batch.producer_id, batch.producer_epoch, batch.base_sequence);
    (batch.base_offset, batch.last_offset_delta, producer, records.collect())
}

/// A log of five batches that was compacted, and the first four: of the first the second record is
/// left, the second is gone, the third is the last of its producer and has no record left, and
/// nothing happened to the others.
async fn compacted(cx: &Cx) -> Result<(Partition, Vec<Batch>), Failure> {
    const MINUTE: i64 = 60_000;
    let spec = TopicSpec::default()
        .config("cleanup.policy", "compact")
        .config("min.cleanable.dirty.ratio", "0.0")
        .config("segment.ms", MINUTE);
    let to = cx.topic_with(spec).await?.partition(0);
    let old = cx.wall_ms() - 10 * MINUTE;
    let keyed = |keys: &[&'static str], time| {
        keys.iter().fold(Batch::new().with_timestamp(time), |batch, key| {
            let header = Header { key: format!("of {key}").into(), value: None };
            batch.push(Record {
                key: Some((*key).into()),
                headers: vec![header],
                ..Record::of("v")
            })
        })
    };
    cx.append(&to, keyed(&["k1", "k2", "k3"], old).idempotent(STRANGER, 4, 0).encode()).await?;
    cx.append(&to, keyed(&["k1"], old).encode()).await?;
    cx.append(&to, keyed(&["k3"], old).idempotent(STRANGER + 1, 5, 7).encode()).await?;
    cx.append(&to, keyed(&["k1", "k3"], old).encode()).await?;
    // So much later by its timestamp that it begins a segment; the newest one is not compacted.
    cx.append(&to, keyed(&["k4"], old + 5 * MINUTE).encode()).await?;

    let mut tries = cx.tries("the log to be compacted", Duration::from_secs(40));
    while !was_compacted(cx, &to).await? {
        tries.again("every record").await?;
    }
    let left = first_segment(cx, &to, 0).await?;
    Ok((to, left))
}

/// Set-up: whether records are missing. A broker may cut a connection off while it replaces the
/// segment that it is sending.
async fn was_compacted(cx: &Cx, of: &Partition) -> Result<bool, Failure> {
    let request = requests::fetch(cx.newest(keys::Fetch)?, of, 0);
    let reply = cx.leader(of).await?.ask_newest(request).await?;
    let Ending::Answered(answer) = reply.ending() else { return Ok(false) };
    let found = answer.responses.first().and_then(|topic| topic.partitions.first());
    let bytes = found.and_then(|partition| partition.records.clone()).unwrap_or_default();
    let Ok(contents) = records::read(&bytes) else { return Ok(false) };
    let left = contents.records().filter(|record| record.offset < 7).count();
    Ok((1..7).contains(&left))
}

/// The batches from this offset on and before the fifth; a broker may read segment by segment.
async fn first_segment(cx: &Cx, of: &Partition, offset: i64) -> Result<Vec<Batch>, Failure> {
    let contents = fetched(cx, of, offset).await?;
    Ok(contents.batches().filter(|batch| batch.base_offset < 7).cloned().collect())
}
