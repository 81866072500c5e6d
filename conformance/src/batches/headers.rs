//! The header of a batch of magic 2: which of its fields the broker sets, and which it leaves as
//! the producer sent them. Read with Fetch (1), version 4 on.

use bytes::{BufMut, BytesMut};
use kconform_scenario::prelude::*;

use super::log::{STRANGER, fetched, only, same_from_attributes};

scenarios![
    a_batch_is_laid_out_as_magic_2,
    base_offsets_are_those_assigned,
    the_leader_epoch_is_the_leaders,
    the_leader_epoch_is_that_of_the_write,
    the_checksum_is_the_producers,
    a_batch_is_stored_as_sent,
    a_plain_batch_has_no_producer,
];

/// A fetched batch is laid out as base_offset (8 bytes), length (4), partition_leader_epoch (4),
/// magic (1), which is 2, crc (4), attributes (2), last_offset_delta (4), base_timestamp (8),
/// max_timestamp (8), producer_id (8), producer_epoch (2), base_sequence (4), records_count (4) and
/// the records; length counts the bytes from partition_leader_epoch on.
#[scenario("BATCH-001", api = Fetch, versions = 4..)]
async fn a_batch_is_laid_out_as_magic_2(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let now = cx.wall_ms();
    let mut sent = cx.batch(&["a", "b"]).with_timestamp(now).idempotent(STRANGER, 7, 3);
    sent.max_timestamp = now + 5;
    if let Some(last) = sent.records.last_mut() {
        last.timestamp_delta = 5;
    }
    let sent_bytes = sent.encode();
    cx.append(&to, sent_bytes.clone()).await?;

    let (_, raw) = only(cx, &to, 1).await?;
    let mut fields = BytesMut::new();
    fields.put_i16(0);
    fields.put_i32(1);
    fields.put_i64(now);
    fields.put_i64(now + 5);
    fields.put_i64(STRANGER);
    fields.put_i16(7);
    fields.put_i32(3);
    fields.put_i32(2);
    let length = u32::try_from(raw.len().saturating_sub(12)).unwrap_or(u32::MAX);
    let laid_out = raw.starts_with(&1_i64.to_be_bytes())
        && raw.get(8..12) == Some(&length.to_be_bytes()[..])
        && raw.get(16) == Some(&2)
        && raw.get(21..61) == Some(&fields[..])
        && raw.get(61..) == sent_bytes.get(61..);
    require(laid_out, &format!("offset 1, length {length}, magic 2, then {fields:02x?}"), || {
        format!("{raw:02x?}")
    })
}

/// base_offset is the offset that the broker assigned, whatever stood there; batches that follow
/// one another do not overlap, and each record's offset is base_offset plus its delta.
#[scenario("BATCH-002", api = Fetch, versions = 4..)]
async fn base_offsets_are_those_assigned(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    for values in [&["a"][..], &["b", "c", "d"], &["e", "f"]] {
        cx.append(&to, cx.batch(values).encode()).await?;
    }
    let contents = fetched(cx, &to, 0).await?;
    let bases: Vec<i64> = contents.batches().map(|batch| batch.base_offset).collect();
    require(bases == [0, 1, 4], "base offsets 0, 1 and 4", || format!("{bases:?}"))?;
    let offsets: Vec<i64> = contents.records().map(|record| record.offset).collect();
    require(offsets == [0, 1, 2, 3, 4, 5], "offsets 0 to 5", || format!("{offsets:?}"))
}

/// partition_leader_epoch is overwritten with the leader's epoch whatever the producer sent, and
/// equals the leader_epoch of Metadata (version 7 and later) at the time of the write.
#[scenario("BATCH-003", api = Fetch, versions = 4.., vary = ["-1", "0", "12345"])]
async fn the_leader_epoch_is_the_leaders(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let partition_leader_epoch = match cx.variant() {
        "-1" => -1,
        "0" => 0,
        _ => 12_345,
    };
    let sent = Batch { partition_leader_epoch, ..cx.batch(&["epoch"]) };
    cx.append(&to, sent.encode()).await?;
    let epoch = leader_epoch(cx, &to).await?;
    let (stored, _) = only(cx, &to, 0).await?;
    let got = stored.partition_leader_epoch;
    require(got == epoch && epoch >= 0, &format!("the leader epoch of Metadata, {epoch}"), || {
        got.to_string()
    })
}

/// partition_leader_epoch is overwritten with the leader's epoch whatever the producer sent, and
/// equals the leader_epoch of Metadata (version 7 and later) at the time of the write.
#[scenario("BATCH-003", api = Fetch, versions = 4.., needs = [ThreeBrokers])]
async fn the_leader_epoch_is_that_of_the_write(cx: &mut Cx) -> Outcome {
    let to = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let before = leader_epoch(cx, &to).await?;
    cx.append(&to, cx.batch(&["old leader"]).encode()).await?;
    let to = cx.move_to(&to, cx.bystander(&to, false).await?).await?;
    let after = leader_epoch(cx, &to).await?;
    cx.append(&to, cx.batch(&["new leader"]).encode()).await?;

    let contents = fetched(cx, &to, 0).await?;
    let got: Vec<i32> = contents.batches().map(|batch| batch.partition_leader_epoch).collect();
    let right = got == [before, after] && before < after;
    require(right, &format!("one batch of each leader epoch, {before} < {after}"), || {
        format!("{got:?}")
    })
}

/// crc is the CRC-32C of the bytes from the attributes to the end, and is right on every complete
/// batch; base_offset and partition_leader_epoch lie outside of it, so that a batch in which the
/// broker changes nothing else keeps the producer's CRC.
#[scenario("BATCH-004", api = Fetch, versions = 4.., vary = ["none", "gzip"])]
async fn the_checksum_is_the_producers(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let codec = if cx.variant() == "gzip" { Codec::Gzip } else { Codec::None };
    let sent = cx.batch(&["a", "b"]).with_codec(codec).encode();
    cx.append(&to, sent.clone()).await?;
    // That it is right is among what `only` checks.
    let (_, raw) = only(cx, &to, 1).await?;
    let (got, sent) = (raw.get(17..21), sent.get(17..21));
    require(got == sent, &format!("the producer's CRC, {sent:02x?}"), || format!("{got:02x?}"))
}

/// On a topic with create time, a batch that is not compressed, or with the codec that the topic
/// keeps, comes back as it was sent from its attributes on: codec, timestamps, producer id, epoch
/// and sequence, and the bytes of the records.
#[scenario(
    "BATCH-005", api = Fetch, versions = 4..,
    vary = ["none", "gzip", "snappy", "lz4", "zstd"],
)]
async fn a_batch_is_stored_as_sent(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let codec = Codec::all().into_iter().find(|codec| codec.name() == cx.variant());
    let codec = codec.ok_or_else(|| Failure::error("a codec without a name"))?;
    let sent = cx.batch(&["a", "b", "c"]).idempotent(STRANGER, 2, 11).with_codec(codec).encode();
    cx.append(&to, sent.clone()).await?;
    let (_, raw) = only(cx, &to, 1).await?;
    same_from_attributes(&raw, &sent)
}

/// A batch of a producer without an id carries producer_id -1, producer_epoch -1 and base_sequence
/// -1, as it was sent.
#[scenario("BATCH-009", api = Fetch, versions = 4..)]
async fn a_plain_batch_has_no_producer(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.append(&to, cx.batch(&["plain"]).encode()).await?;
    let (stored, _) = only(cx, &to, 0).await?;
    let got = (stored.producer_id, stored.producer_epoch, stored.base_sequence);
    require(got == (-1, -1, -1), "producer id, epoch and sequence -1", || format!("{got:?}"))
}

/// The leader epoch of the partition, as its leader tells it.
async fn leader_epoch(cx: &Cx, of: &Partition) -> Result<i32, Failure> {
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&of.topic]);
    let body = cx.leader(of).await?.ask_newest(about).await?.ok()?;
    let mut partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
    let ours = partitions.find(|partition| partition.partition_index == of.index);
    Ok(ours.map_or(-1, |partition| partition.leader_epoch))
}
