//! What the scenarios about batches share: a Fetch in the case's version, and the batches in it.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use records::{Contents, Entry};

/// A producer id that nobody hands out; brokers take any.
pub(super) const STRANGER: i64 = 1 << 52;

/// Where the attributes begin. Base offset, leader epoch and CRC, which are the broker's to set,
/// stand before them.
pub(super) const ATTRIBUTES_AT: usize = 21;

/// The act: what a Fetch in the case's version reads from this offset on. Every rule of the format
/// is checked: sizes, CRC-32C, counts, varints, offset deltas.
pub(super) async fn fetched(cx: &Cx, of: &Partition, offset: i64) -> Result<Contents, Failure> {
    fetched_within(cx, of, offset, 1 << 20).await
}

/// [`fetched`], with this many bytes at most where the first batch fits into them.
pub(super) async fn fetched_within(
    cx: &Cx,
    of: &Partition,
    offset: i64,
    most: i32,
) -> Result<Contents, Failure> {
    let mut request = cx.fetch(of, offset)?;
    for topic in &mut request.topics {
        for partition in &mut topic.partitions {
            partition.partition_max_bytes = most;
        }
    }
    let mut leader = cx.leader(of).await?;
    let body = leader.ask(request).await?.expect_ok()?;
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    let bytes = found.and_then(|partition| partition.records.clone()).unwrap_or_default();
    let read = records::read(&bytes);
    body.require(read.is_ok(), "records in their format", || {
        read.as_ref().err().map(ToString::to_string).unwrap_or_default()
    })?;
    let contents = read.unwrap_or_default();
    let ordered = contents.check_order();
    body.require(ordered.is_ok(), "batches that do not overlap", || format!("{ordered:?}"))?;
    Ok(contents)
}

/// The only batch that a Fetch from this offset on reads, and its bytes.
pub(super) async fn only(cx: &Cx, of: &Partition, offset: i64) -> Result<(Batch, Bytes), Failure> {
    let contents = fetched(cx, of, offset).await?;
    match &contents.entries[..] {
        [Entry::Batch(batch, raw)] => Ok((batch.clone(), raw.clone())),
        others => Err(Failure::failed("one batch of magic 2", format!("{others:?}"))),
    }
}

/// Fails unless these bytes of a batch are those that were sent, from the attributes on.
#[track_caller]
pub(super) fn same_from_attributes(got: &Bytes, sent: &Bytes) -> Outcome {
    let (got, sent) = (got.get(ATTRIBUTES_AT..), sent.get(ATTRIBUTES_AT..));
    require(got == sent, "the batch as it was sent, from its attributes on", || {
        format!("{} in place of {}", hex(got), hex(sent))
    })
}

/// The first bytes of some in hexadecimal.
fn hex(bytes: Option<&[u8]>) -> String {
    let shown = bytes.map(|bytes| &bytes[..bytes.len().min(96)]);
    format!("{:02x?}", shown.unwrap_or_default())
}
