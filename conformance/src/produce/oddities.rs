//! Produce (0), version 3 on: what Apache Kafka lets pass although it is odd, and what it never
//! answers. Quirks, all of them: a broker may well be stricter.

use bytes::{Bytes, BytesMut};
use kconform_scenario::Ending;
use kconform_scenario::prelude::*;
use records::{Header, Record};

use super::answers::{BASE_OFFSET, expect_refused, raw_log, values};

scenarios![
    stray_bytes_behind_a_batch_are_dropped,
    null_records_are_not_answered,
    null_records_are_refused_or_cut_off,
    reserved_bits_are_not_looked_at,
    odd_offset_deltas_are_stored_as_sent,
    odd_offset_deltas_of_a_compressed_batch_are_refused,
    odd_offset_deltas_are_set_right_by_recompression,
    header_keys_need_not_be_text,
    an_epoch_of_minus_one_is_taken_for_one,
];

/// How long a broker that never answers is listened to.
const SILENCE: Duration = Duration::from_secs(1);

/// A complete batch that is followed by a few stray bytes (fewer than 12) or by a batch that is cut
/// short is accepted, and the stray bytes are dropped.
#[scenario(
    "PRODUCE-020", api = Produce, versions = 3..,
    vary = ["1 byte", "11 bytes", "a batch cut short"],
)]
async fn stray_bytes_behind_a_batch_are_dropped(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let whole = cx.batch(&["whole"]).encode();
    let second = cx.batch(&["cut short"]).encode();
    let stray = match cx.variant() {
        "1 byte" => Bytes::from_static(&[7]),
        "11 bytes" => Bytes::from_static(&[7; 11]),
        _ => second.slice(..second.len() - 1),
    };
    let mut records = BytesMut::from(&whole[..]);
    records.extend_from_slice(&stray);

    let reply = leader.ask(cx.produce(&to, records.freeze())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    cx.expect_next_offset(&to, 1).await?;
    let stored = cx.read_log(&to, 0).await?;
    let (stored, left) = (values(&stored), stored.partial);
    require(stored == ["whole", "next"] && left == 0, "two whole batches in the log", || {
        format!("{stored:?} and {left} stray bytes")
    })
}

/// Records that are null are never answered: the connection stays open and mute (from 3.8 on);
/// older releases answer UNKNOWN_SERVER_ERROR (-1) with base_offset -1, or close the connection.
#[scenario("PRODUCE-021", api = Produce, versions = 3.., needs = [Since(3, 8)])]
async fn null_records_are_not_answered(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let mut request = cx.produce(&to, Bytes::new())?;
    without_records(&mut request);
    leader.tell(request).await?.unanswered();
    leader.expect_silence(SILENCE).await?;
    cx.expect_next_offset(&to, 0).await
}

/// Records that are null are never answered: the connection stays open and mute (from 3.8 on);
/// older releases answer UNKNOWN_SERVER_ERROR (-1) with base_offset -1, or close the connection.
#[scenario("PRODUCE-021", api = Produce, versions = 3.., needs = [Before(3, 8)])]
async fn null_records_are_refused_or_cut_off(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let mut request = cx.produce(&to, Bytes::new())?;
    without_records(&mut request);
    let reply = leader.ask(request).await?;
    if matches!(reply.ending(), Ending::Closed { .. }) {
        reply.expect_closed()?;
        return cx.expect_next_offset(&to, 0).await;
    }
    expect_refused(cx, reply, UnknownServerError, &to, 0).await
}

/// The attributes of a record, and bit 6 (delete horizon) and the bits 7 to 15 of a batch's
/// attributes are not looked at: the batch is accepted and stored as it was sent.
#[scenario(
    "PRODUCE-054", api = Produce, versions = 3..,
    vary = ["record attributes", "batch attributes", "delete horizon"],
)]
async fn reserved_bits_are_not_looked_at(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let odd = match cx.variant() {
        "record attributes" => cx.batch(&[]).push(Record { attributes: 0x7f, ..Record::of("odd") }),
        "delete horizon" => Batch { attributes_extra: 0x40, ..cx.batch(&["odd"]) },
        // All of them but the sign bit.
        _ => Batch { attributes_extra: 0x7f80, ..cx.batch(&["odd"]) },
    };
    let sent = odd.encode();
    leader.ask(cx.produce(&to, sent.clone())?).await?.expect_ok()?;
    expect_stored(cx, &to, &sent).await
}

/// An uncompressed batch whose records have other offset deltas than 0, 1, 2 and so on, while count
/// and last_offset_delta agree, is accepted and stored as it was sent; a compressed one is refused
/// with UNKNOWN_SERVER_ERROR (-1) and not appended where the topic keeps its codec, and accepted
/// and rebuilt with the right deltas where the topic changes it.
#[scenario("PRODUCE-055", api = Produce, versions = 3..)]
async fn odd_offset_deltas_are_stored_as_sent(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let sent = misplaced(cx).encode();
    let reply = leader.ask(cx.produce(&to, sent.clone())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    expect_stored(cx, &to, &sent).await
}

/// An uncompressed batch whose records have other offset deltas than 0, 1, 2 and so on, while count
/// and last_offset_delta agree, is accepted and stored as it was sent; a compressed one is refused
/// with UNKNOWN_SERVER_ERROR (-1) and not appended where the topic keeps its codec, and accepted
/// and rebuilt with the right deltas where the topic changes it.
#[scenario("PRODUCE-055", api = Produce, versions = 3..)]
async fn odd_offset_deltas_of_a_compressed_batch_are_refused(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let sent = misplaced(cx).with_codec(Codec::Gzip).encode();
    let reply = leader.ask(cx.produce(&to, sent)?).await?;
    expect_refused(cx, reply, UnknownServerError, &to, 0).await
}

/// An uncompressed batch whose records have other offset deltas than 0, 1, 2 and so on, while count
/// and last_offset_delta agree, is accepted and stored as it was sent; a compressed one is refused
/// with UNKNOWN_SERVER_ERROR (-1) and not appended where the topic keeps its codec, and accepted
/// and rebuilt with the right deltas where the topic changes it.
#[scenario("PRODUCE-055", api = Produce, versions = 3..)]
async fn odd_offset_deltas_are_set_right_by_recompression(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("compression.type", "uncompressed");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let sent = misplaced(cx).with_codec(Codec::Gzip).encode();
    leader.ask(cx.produce(&to, sent)?).await?.expect_ok()?;
    let stored = cx.read_log(&to, 0).await?;
    let offsets: Vec<i64> = stored.records().map(|record| record.offset).collect();
    require(offsets == [0, 1], "the records at offsets 0 and 1", || format!("{offsets:?}"))
}

/// The key of a header is stored as it was sent, also where its bytes are no UTF-8.
#[scenario("PRODUCE-090", api = Produce, versions = 3..)]
async fn header_keys_need_not_be_text(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let header = Header { key: Bytes::from_static(&[0xff, 0xc0, 0x80]), value: None };
    let record = Record { headers: vec![header], ..Record::of("odd") };
    let sent = cx.batch(&[]).push(record).encode();
    let reply = leader.ask(cx.produce(&to, sent.clone())?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    expect_stored(cx, &to, &sent).await
}

/// A batch with a producer id and producer_epoch -1 is accepted and stored as it was sent; with a
/// lower epoch it is refused with INVALID_PRODUCER_EPOCH (47).
#[scenario("PRODUCE-092", api = Produce, versions = 3.., vary = ["-1", "-2"])]
async fn an_epoch_of_minus_one_is_taken_for_one(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let epoch = if cx.variant() == "-1" { -1 } else { -2 };
    let sent = cx.batch(&["odd"]).idempotent(1 << 53, epoch, 0).encode();
    let reply = leader.ask(cx.produce(&to, sent.clone())?).await?;
    if cx.variant() == "-2" {
        return expect_refused(cx, reply, InvalidProducerEpoch, &to, 0).await;
    }
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    expect_stored(cx, &to, &sent).await
}

/// Two records that both say that they are the second.
fn misplaced(cx: &Cx) -> Batch {
    let mut batch = cx.batch(&["a", "b"]);
    for record in &mut batch.records {
        record.offset_delta = 1;
    }
    batch
}

fn without_records(request: &mut kafka_protocol::messages::ProduceRequest) {
    for topic in &mut request.topic_data {
        for partition in &mut topic.partition_data {
            partition.records = None;
        }
    }
}

/// The act: the log holds this batch and nothing else, byte for byte but for what the broker sets:
/// base offset, leader epoch and CRC, all of them before the attributes at byte 21.
async fn expect_stored(cx: &Cx, to: &Partition, sent: &Bytes) -> Outcome {
    let stored = raw_log(cx, to).await?;
    let (got, want) = (stored.get(21..), sent.get(21..));
    require(got == want, "the batch as it was sent, from its attributes on", || {
        format!("{got:02x?} in place of {want:02x?}")
    })
}
