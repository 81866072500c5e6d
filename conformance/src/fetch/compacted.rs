//! Fetch (1): logs with gaps, as compaction leaves them.
//!
//! How soon a broker compacts is its own affair (`log.cleaner.backoff.ms`, 15 s by default).

use bytes::Bytes;
use kconform_scenario::prelude::*;
use records::{Contents, Record};

use super::answers::{contents, values};

scenarios![what_compaction_leaves_keeps_offsets_and_headers];

/// On a compacted topic the records that are left keep their offsets, keys, values and headers; a
/// Fetch from an offset whose record is gone is answered with error 0 and the records behind it.
#[scenario("FETCH-086", api = Fetch, versions = 4.., slow)]
async fn what_compaction_leaves_keeps_offsets_and_headers(cx: &mut Cx) -> Outcome {
    let from = compacted(cx).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    let read = contents(&body, &from)?;
    let got = values(&read);
    let left = [(1, "b"), (2, "c"), (3, "a again"), (4, "d")];
    let left = left.map(|(offset, value)| (offset, value.to_owned()));
    // An answer may end with a segment of the log; the first batch has two records left.
    let so_far = got.len() >= 2 && left.starts_with(&got);
    body.require(so_far, format!("records as in {left:?}, the first two at least"), || {
        format!("{got:?}")
    })?;
    let headers = headers(&read);
    let expected: Vec<_> = got.iter().map(|(_, value)| format!("of {value}")).collect();
    body.require(headers == expected, format!("the headers {expected:?}"), || {
        format!("{headers:?}")
    })
}

/// A partition with records at the offsets 1 to 4: that at 0 has given way to the later one of its
/// key.
async fn compacted(cx: &Cx) -> Result<Partition, Failure> {
    let spec = TopicSpec::default()
        .config("cleanup.policy", "compact")
        .config("min.cleanable.dirty.ratio", "0.001")
        .config("segment.ms", 1_000);
    let from = cx.topic_with(spec).await?.partition(0);
    // By their times each of these batches begins a segment, and all but the last are compacted.
    let now = cx.wall_ms();
    let batches = [
        (now - 10_000, &[("a", "a"), ("b", "b"), ("c", "c")][..]),
        (now - 5_000, &[("a", "a again")]),
        (now, &[("d", "d")]),
    ];
    for (time, records) in batches {
        let batch = Batch::new().with_timestamp(time);
        let batch = records.iter().fold(batch, |batch, (key, value)| {
            let record = Record { key: Some(Bytes::from(*key)), ..Record::of(*value) };
            batch.push(record.with_header("whose", format!("of {value}")))
        });
        cx.append(&from, batch.encode()).await?;
    }
    let mut tries = cx.tries("the log to be compacted", Duration::from_secs(40));
    loop {
        let read = cx.read_log(&from, 0).await?;
        let first = read.records().next().map(|record| record.offset);
        if first == Some(1) {
            return Ok(from);
        }
        tries.again(format!("first record at {first:?}")).await?;
    }
}

/// The values of all headers, in their order.
fn headers(contents: &Contents) -> Vec<Bytes> {
    let headers = contents.records().flat_map(|record| record.headers);
    headers.filter_map(|header| header.value.clone()).collect()
}
