//! Produce (0): batches that are refused because they break a rule of the format, one rule at a
//! time.
//!
//! Versions 3 and later take one record batch of magic 2 a partition; versions 0 to 2 take message
//! sets, of which only the checksum is tried here. Compressed payloads that do not decompress
//! are in `payloads`.

use bytes::{Bytes, BytesMut};
use kconform_scenario::prelude::*;
use records::{Breakage, Header, MessageSet, Record};

use super::answers::refused;

scenarios![
    a_wrong_checksum_is_refused,
    empty_records_are_refused,
    two_batches_for_one_partition_are_refused,
    an_old_message_set_is_refused,
    a_batch_cut_short_is_refused,
    an_unknown_magic_is_refused,
    a_base_offset_of_the_clients_is_refused,
    a_last_offset_delta_that_contradicts_the_count_is_refused,
    a_batch_without_records_is_refused,
    a_count_that_the_records_contradict_is_refused,
    a_malformed_record_is_refused,
    a_control_batch_from_a_client_is_refused,
];

/// A batch whose CRC does not match its bytes (one byte behind the CRC field is changed) is refused
/// with CORRUPT_MESSAGE (2), and nothing is appended.
#[scenario("PRODUCE-014", api = Produce)]
async fn a_wrong_checksum_is_refused(cx: &mut Cx) -> Outcome {
    let records = damaged(&cx.records(&["damaged"])?);
    refused(cx, records, CorruptMessage).await
}

/// Empty records (length 0) are refused with INVALID_RECORD (87); before release 2.4 with
/// CORRUPT_MESSAGE (2).
#[scenario("PRODUCE-015", api = Produce, versions = 3..)]
async fn empty_records_are_refused(cx: &mut Cx) -> Outcome {
    refused(cx, Bytes::new(), InvalidRecord).await
}

/// Two batches for one partition in one request are refused with INVALID_RECORD (87), and nothing
/// is appended.
#[scenario("PRODUCE-016", api = Produce, versions = 3..)]
async fn two_batches_for_one_partition_are_refused(cx: &mut Cx) -> Outcome {
    let mut two = BytesMut::from(&cx.batch(&["a"]).encode()[..]);
    two.extend_from_slice(&cx.batch(&["b"]).encode());
    refused(cx, two.freeze(), InvalidRecord).await
}

/// A message set of magic 0 or 1 in place of the record batch is refused with INVALID_RECORD (87).
#[scenario("PRODUCE-017", api = Produce, versions = 3.., vary = ["magic 0", "magic 1"])]
async fn an_old_message_set_is_refused(cx: &mut Cx) -> Outcome {
    let magic = if cx.variant() == "magic 0" { 0 } else { 1 };
    refused(cx, MessageSet::of(magic, ["old"]).encode(), InvalidRecord).await
}

/// A batch that is cut short anywhere, from 4 bytes left to one byte missing, or whose length field
/// says more bytes than are present, counts as no batch and is refused with INVALID_RECORD (87).
#[scenario(
    "PRODUCE-018", api = Produce, versions = 3..,
    vary = ["4 bytes left", "half", "one byte missing", "length too large"],
)]
async fn a_batch_cut_short_is_refused(cx: &mut Cx) -> Outcome {
    let whole = cx.batch(&["cut short"]).encode();
    let records = match cx.variant() {
        "4 bytes left" => whole.slice(..4),
        "half" => whole.slice(..whole.len() / 2),
        "one byte missing" => whole.slice(..whole.len() - 1),
        _ => cx.batch(&["cut short"]).encode_broken(&[Breakage::Length(1_000)]),
    };
    refused(cx, records, InvalidRecord).await
}

/// When the first batch of any partition has a magic outside 0 to 2, or a size field below 14,
/// every partition of the request is refused with CORRUPT_MESSAGE (2) and an error_message: the
/// scan for transactional batches fails before any partition is looked at by itself.
#[scenario("PRODUCE-019", api = Produce, versions = 3.., vary = ["magic 3", "magic -1", "size 13"])]
async fn an_unknown_magic_is_refused(cx: &mut Cx) -> Outcome {
    let breakage = match cx.variant() {
        "magic 3" => Breakage::Magic(3),
        "magic -1" => Breakage::Magic(-1),
        _ => Breakage::Length(13),
    };
    refused(cx, cx.batch(&["strange"]).encode_broken(&[breakage]), CorruptMessage).await
}

/// A base_offset other than 0 in the batch header is refused with INVALID_RECORD (87).
#[scenario("PRODUCE-022", api = Produce, versions = 3..)]
async fn a_base_offset_of_the_clients_is_refused(cx: &mut Cx) -> Outcome {
    let batch = Batch { base_offset: 5, ..cx.batch(&["placed"]) };
    refused(cx, batch.encode(), InvalidRecord).await
}

/// A batch whose last_offset_delta + 1 differs from its records_count is refused with
/// INVALID_RECORD (87).
#[scenario(
    "PRODUCE-023", api = Produce, versions = 3..,
    vary = ["too small", "too large", "negative"],
)]
async fn a_last_offset_delta_that_contradicts_the_count_is_refused(cx: &mut Cx) -> Outcome {
    let delta = match cx.variant() {
        "too small" => 0,
        "too large" => 7,
        _ => -1,
    };
    let records = cx.batch(&["a", "b"]).encode_broken(&[Breakage::LastOffsetDelta(delta)]);
    refused(cx, records, InvalidRecord).await
}

/// A records_count of 0 or below is refused with INVALID_RECORD (87).
#[scenario("PRODUCE-024", api = Produce, versions = 3.., vary = ["0", "-1"])]
async fn a_batch_without_records_is_refused(cx: &mut Cx) -> Outcome {
    let records = if cx.variant() == "0" {
        // The delta agrees with the count, so that nothing but the count is wrong.
        Batch { last_offset_delta: -1, ..cx.batch(&[]) }.encode()
    } else {
        cx.batch(&["a"]).encode_broken(&[Breakage::Count(-1), Breakage::LastOffsetDelta(-2)])
    };
    refused(cx, records, InvalidRecord).await
}

/// A records_count larger than the number of records present, or bytes left after the last record,
/// are refused with INVALID_RECORD (87), the CRC being correct.
#[scenario(
    "PRODUCE-025", api = Produce, versions = 3..,
    vary = ["count too large", "junk", "compressed junk"],
)]
async fn a_count_that_the_records_contradict_is_refused(cx: &mut Cx) -> Outcome {
    let batch = cx.batch(&["a", "b"]);
    let junk = Breakage::Junk(Bytes::from_static(&[0; 5]));
    let records = match cx.variant() {
        "count too large" => {
            batch.encode_broken(&[Breakage::Count(3), Breakage::LastOffsetDelta(2)])
        }
        "junk" => batch.encode_broken(&[junk]),
        _ => batch.with_codec(Codec::Gzip).encode_broken(&[junk]),
    };
    refused(cx, records, InvalidRecord).await
}

/// A malformed record in a batch with a correct CRC (a negative header count, a null header key;
/// uncompressed also a record length that does not match its fields) is refused with INVALID_RECORD
/// (87).
#[scenario(
    "PRODUCE-026", api = Produce, versions = 3..,
    vary = ["header count", "header key", "record length"],
)]
async fn a_malformed_record_is_refused(cx: &mut Cx) -> Outcome {
    let header = Header { key: "header".into(), value: None };
    let record = Record { headers: vec![header], ..Record::of("malformed") };
    let batch = cx.batch(&[]).push(record);
    let breakage = match cx.variant() {
        "header count" => Breakage::HeaderCount { record: 0, count: -1 },
        "header key" => Breakage::NullHeaderKey { record: 0, header: 0 },
        _ => Breakage::RecordLength { record: 0, length: 5 },
    };
    refused(cx, batch.encode_broken(&[breakage]), InvalidRecord).await
}

/// A batch with the control bit (bit 5 of the attributes) from a client is refused with
/// INVALID_RECORD (87).
#[scenario("PRODUCE-027", api = Produce, versions = 3.., vary = ["plain", "marker"])]
async fn a_control_batch_from_a_client_is_refused(cx: &mut Cx) -> Outcome {
    let batch = if cx.variant() == "plain" {
        Batch { control: true, ..cx.batch(&["forged"]) }
    } else {
        // A commit marker like the coordinator's, but for the transactional bit, which would ask
        // for other checks.
        let marker = Batch::end_marker(records::Marker::Commit, 0).with_timestamp(cx.wall_ms());
        Batch { transactional: false, ..marker.idempotent(1, 0, -1) }
    };
    refused(cx, batch.encode(), InvalidRecord).await
}

/// The same records with one byte of the last value changed, which no checksum covers up.
pub(super) fn damaged(records: &Bytes) -> Bytes {
    let mut damaged = BytesMut::from(&records[..]);
    // The last byte but one is of the value in every format: a record batch ends with its count of
    // headers.
    if let Some(at) = damaged.len().checked_sub(2) {
        damaged[at] ^= 0x55;
    }
    damaged.freeze()
}
