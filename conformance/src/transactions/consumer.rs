//! What a consumer makes of a Fetch: records, markers, and what it must not deliver.

use std::collections::BTreeSet;

use bytes::Bytes;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::{Contents, Marker};

/// A fetch of committed data from this offset, in the version at which Fetch goes in this case.
pub(super) fn committed(cx: &Cx, from: &Partition, offset: i64) -> Result<FetchRequest, Failure> {
    Ok(cx.fetch(from, offset)?.with_isolation_level(1))
}

/// After the act: everything in the partition as a consumer of committed data gets it, at the newest version of Fetch.
pub(super) async fn read_committed(cx: &Cx, of: &Partition) -> Result<Committed, Failure> {
    let mut leader = cx.leader(of).await?;
    let request = requests::fetch(cx.newest(keys::Fetch)?, of, 0).with_isolation_level(1);
    let body = leader.ask_newest(request).await?.ok()?;
    Committed::of(&body)
}

/// The only partition of the answer.
pub(super) fn partition(body: &FetchResponse) -> Result<&PartitionData, Failure> {
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    found.ok_or_else(|| Failure::failed("the partition that was asked for", "none"))
}

/// The records of the only partition of the answer, read strictly.
pub(super) fn contents(body: &FetchResponse) -> Result<Contents, Failure> {
    let bytes = partition(body)?.records.clone().unwrap_or_default();
    records::read(&bytes)
        .map_err(|breach| Failure::failed("records in their format", breach.to_string()))
}

/// The values of all records but those of control batches, in the order of the log.
pub(super) fn values(contents: &Contents) -> Vec<String> {
    values_of(contents.batches().filter(|batch| !batch.control))
}

/// An answer to a fetch of committed data, as `CompletedFetch` of the Java consumer reads it.
#[derive(Debug)]
pub(super) struct Committed {
    /// What is in the answer.
    pub(super) contents: Contents,
    /// Producer id and first offset of the aborted transactions that the answer names.
    pub(super) aborted: Vec<(i64, i64)>,
    /// The values that a consumer hands on: without markers and aborted records.
    pub(super) delivered: Vec<String>,
}

impl Committed {
    /// Reads the answer.
    pub(super) fn of(body: &FetchResponse) -> Result<Self, Failure> {
        let contents = contents(body)?;
        let named = partition(body)?.aborted_transactions.as_deref().unwrap_or_default();
        let aborted: Vec<_> =
            named.iter().map(|txn| (txn.producer_id.0, txn.first_offset)).collect();
        let mut to_come = aborted.clone();
        to_come.sort_by_key(|(_, first)| *first);
        let mut to_come = to_come.into_iter().peekable();
        let mut undone = BTreeSet::new();
        let kept = contents.batches().filter(|batch| {
            while let Some((id, _)) = to_come.next_if(|(_, first)| *first < batch.next_offset()) {
                undone.insert(id);
            }
            if batch.marker().is_some_and(|marker| marker.kind == Marker::Abort) {
                undone.remove(&batch.producer_id);
            }
            let undone = batch.transactional && undone.contains(&batch.producer_id);
            !batch.control && !undone
        });
        let delivered = values_of(kept);
        Ok(Self { contents, aborted, delivered })
    }

    /// The act: a consumer hands on just these values.
    #[track_caller]
    pub(super) fn expect(&self, values: &[&str]) -> Outcome {
        require(
            self.delivered == values,
            &format!("a consumer of committed data to deliver {values:?}"),
            || format!("{:?}", self.delivered),
        )
    }
}

fn values_of<'a>(batches: impl Iterator<Item = &'a Batch>) -> Vec<String> {
    let records = batches.flat_map(|batch| &batch.records);
    let value = |value: &Bytes| String::from_utf8_lossy(value).into_owned();
    records.map(|record| record.value.as_ref().map(value).unwrap_or_default()).collect()
}
