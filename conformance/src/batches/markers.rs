//! The batches of a transaction and its marker (KIP-98). Read with Fetch (1), version 4 on.

use kconform_scenario::prelude::*;
use records::{Contents, Marker};

use super::log::fetched;
use crate::producer::{FIRST_IMPLICIT_ADD, LAST_END_WITHOUT_BUMP, Producer, decision};

scenarios![
    attributes_tell_codec_transaction_and_marker,
    a_marker_is_a_control_batch_of_its_producer,
    a_marker_of_the_second_protocol_has_the_next_epoch,
    a_marker_tells_how_the_transaction_ended,
];

/// The attributes of a batch are its codec in bits 0 to 2, its timestamp type in bit 3, whether it
/// is transactional in bit 4, whether it is a control batch in bit 5, and, from 3.1 on, whether it
/// has a delete horizon from compaction in bit 6; the other bits are 0.
#[scenario("BATCH-008", api = Fetch, versions = 4..)]
async fn attributes_tell_codec_transaction_and_marker(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.append(&to, cx.batch(&["plain"]).with_codec(Codec::Lz4).encode()).await?;
    ended(cx, &to, Marker::Commit, LAST_END_WITHOUT_BUMP).await?;
    let contents = with_marker(cx, &to).await?;
    let got: Vec<i16> = contents.batches().map(Batch::attributes).collect();
    // LZ4; gzip and transactional; transactional and control.
    require(got == [3, 17, 48], "attributes 3, 17 and 48", || format!("{got:?}"))
}

/// A transaction's marker is a control batch: bits 4 and 5 of the attributes set and codec 0, one
/// record, the producer id of the transaction, base_sequence -1. Its producer_epoch is that of the
/// transaction when it was ended with EndTxn version 0 to 4, and one more when with version 5 or
/// later.
#[scenario("BATCH-010", api = Fetch, versions = 4..)]
async fn a_marker_is_a_control_batch_of_its_producer(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let (id, epoch) = ended(cx, &to, Marker::Commit, LAST_END_WITHOUT_BUMP).await?;
    expect_marker(&with_marker(cx, &to).await?, id, epoch)
}

/// A transaction's marker is a control batch: bits 4 and 5 of the attributes set and codec 0, one
/// record, the producer id of the transaction, base_sequence -1. Its producer_epoch is that of the
/// transaction when it was ended with EndTxn version 0 to 4, and one more when with version 5 or
/// later.
#[scenario(
    "BATCH-010", api = Fetch, versions = 4..,
    needs = [Api(keys::EndTxn, 5), Feature("transaction.version", 2)],
)]
async fn a_marker_of_the_second_protocol_has_the_next_epoch(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let (id, epoch) = ended(cx, &to, Marker::Commit, LAST_END_WITHOUT_BUMP + 1).await?;
    expect_marker(&with_marker(cx, &to).await?, id, epoch + 1)
}

/// The key of a control record is version 0 and type (2 bytes each), which is 0 for an abort and 1
/// for a commit; its value is version 0 (2 bytes) and coordinator_epoch (4 bytes). Readers must
/// ignore types that they do not know, and further bytes.
#[scenario("BATCH-011", api = Fetch, versions = 4.., vary = ["commit", "abort"])]
async fn a_marker_tells_how_the_transaction_ended(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let decision = decision(cx)?;
    ended(cx, &to, decision, LAST_END_WITHOUT_BUMP).await?;
    let contents = with_marker(cx, &to).await?;
    let Some(marker) = contents.records().last() else {
        return Err(Failure::failed("a marker", "no records"));
    };
    let key: &[u8] = if decision == Marker::Commit { &[0, 0, 0, 1] } else { &[0, 0, 0, 0] };
    let got = marker.key.map(|key| &key[..]);
    require(got == Some(key), &format!("the key {key:02x?}"), || format!("{got:02x?}"))?;
    let value = marker.value.map(|value| &value[..]);
    // The epoch of the coordinator is as large as its log has had leaders.
    let epoch = value.filter(|value| value.len() == 6 && value.starts_with(&[0, 0, 0]));
    require(epoch.is_some(), "version 0 and an epoch >= 0 of 4 bytes", || format!("{value:02x?}"))
}

/// Set-up: one gzip batch of two records in a transaction of a fresh producer, ended by this version
/// of EndTxn. Gives producer id and epoch.
async fn ended(
    cx: &Cx,
    to: &Partition,
    decision: Marker,
    end_version: i16,
) -> Result<(i64, i16), Failure> {
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[to]).await?;
    let records = producer.batch(cx, &["in", "a transaction"], 0).with_codec(Codec::Gzip);
    let version = cx.newest(keys::Produce)?.min(FIRST_IMPLICIT_ADD - 1);
    producer.append(cx, to, &records, version).await?;
    producer.end_at(cx, decision, cx.newest(keys::EndTxn)?.min(end_version)).await?;
    Ok((producer.id, producer.epoch))
}

/// The act: what the log holds once the marker is there. EndTxn answers before that.
async fn with_marker(cx: &Cx, of: &Partition) -> Result<Contents, Failure> {
    let mut tries = cx.tries("the marker of the transaction", Duration::from_secs(20));
    loop {
        let contents = fetched(cx, of, 0).await?;
        if contents.batches().any(|batch| batch.control) {
            return Ok(contents);
        }
        tries.expect(format!("{} batches", contents.entries.len())).await?;
    }
}

/// The last batch is a marker of this producer and epoch.
fn expect_marker(contents: &Contents, id: i64, epoch: i16) -> Outcome {
    let last = contents.batches().last();
    let got = last.map(|batch| {
        let producer = (batch.producer_id, batch.producer_epoch, batch.base_sequence);
        (batch.attributes(), batch.records.len(), batch.last_offset_delta, producer)
    });
    let expected = Some((48, 1, 0, (id, epoch, -1)));
    let what = "attributes 48, one record, delta 0, producer, epoch, sequence";
    require(got == expected, &format!("{what}: {expected:?}"), || format!("{got:?}"))
}
