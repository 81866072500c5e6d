//! Faults that only a strict reader sees, each named with its place.

use bytes::{BufMut, Bytes, BytesMut};
use kconform_wire::records::{
    Batch, Breakage, Codec, Message, MessageSet, Record, RecordsBreach, Rule, read,
};

/// A batch with this bytes for records and this count.
fn with_records(count: i32, records: &'static [u8]) -> Result<(), RecordsBreach> {
    let payload = Breakage::Payload(Bytes::from_static(records));
    read(&Batch::new().encode_broken(&[payload, Breakage::Count(count)])).map(drop)
}

fn breach(count: i32, records: &'static [u8]) -> (usize, Rule) {
    let breach = with_records(count, records).unwrap_err();
    (breach.at - 61, breach.rule)
}

#[test]
fn records_to_the_byte() {
    // length 6, attributes 0, deltas 0, key and value null, no headers
    with_records(1, b"\x0c\0\0\0\x01\x01\0").unwrap();
    // The same length in two bytes is unusual and legal.
    with_records(1, b"\x8c\0\0\0\0\x01\x01\0").unwrap();

    assert_eq!(breach(1, b""), (0, Rule::Count { claimed: 1, found: 0 }));
    assert_eq!(breach(0, b"\0"), (0, Rule::Junk { bytes: 1 }));
    assert_eq!(breach(1, b"\x8c"), (0, Rule::Ended("record length")));
    assert_eq!(breach(1, b"\xff\xff\xff\xff\xff\xff"), (0, Rule::Varint("record length")));
    let short = Rule::FieldLength { field: "record", claimed: 6, left: 5 };
    assert_eq!(breach(1, b"\x0c\0\0\0\x01\x01"), (0, short));
    assert_eq!(breach(1, b"\x00"), (1, Rule::Ended("record attributes")));
    assert_eq!(breach(1, b"\x0a\0\0\0\x01\x01"), (6, Rule::Ended("header count")));
    let key = Rule::FieldLength { field: "key", claimed: -2, left: 2 };
    assert_eq!(breach(1, b"\x0c\0\0\0\x03\x01\0"), (4, key));
    let headers = Rule::HeaderCount { claimed: 1, left: 1 };
    assert_eq!(breach(1, b"\x0e\0\0\0\x01\x01\x02\0"), (6, headers));
    let junk = Rule::RecordLength { claimed: 7, used: 6 };
    assert_eq!(breach(1, b"\x0e\0\0\0\x01\x01\0\0"), (7, junk));
}

#[test]
fn offset_deltas_ascend() {
    let record = |offset_delta| Record { offset_delta, ..Record::default() };
    let with = |deltas: &[i32], last_offset_delta| {
        let records = deltas.iter().map(|delta| record(*delta)).collect();
        read(&Batch { records, last_offset_delta, ..Batch::new() }.encode()).map(drop)
    };
    with(&[0, 1, 5], 9).unwrap();
    let order = |found, previous| Rule::OffsetOrder { found, previous };
    assert_eq!(with(&[0, 0], 1).unwrap_err().rule, order(0, 0));
    assert_eq!(with(&[3, 1], 3).unwrap_err().rule, order(1, 3));
    assert_eq!(with(&[-1, 0], 0).unwrap_err().rule, order(-1, -1));
    let breach = with(&[0, 1, 5], 4).unwrap_err();
    assert_eq!((breach.rule, breach.at), (Rule::LastOffsetDelta { claimed: 4, needed: 5 }, 23));
    assert_eq!(with(&[], -1).unwrap_err().rule, Rule::LastOffsetDelta { claimed: -1, needed: 0 });
}

#[test]
fn offsets_stay_within_64_bits() {
    let at = |base_offset, last_offset_delta| {
        read(&Batch { base_offset, last_offset_delta, ..Batch::new() }.encode()).map(drop)
    };
    at(i64::MAX - 2, 1).unwrap();
    assert_eq!(at(i64::MAX - 1, 1).unwrap_err().rule, Rule::OffsetOverflow);
    assert_eq!(at(i64::MAX, i32::MAX).unwrap_err().rule, Rule::OffsetOverflow);
    assert_eq!(at(-1, 0).unwrap_err().rule.name(), "offset-order");
}

#[test]
fn timestamps_may_be_anything() {
    let late = Record { timestamp_delta: i64::MAX, ..Record::of("a") };
    let batch = Batch::new().with_timestamp(i64::MAX).push(late);
    let contents = read(&batch.encode()).unwrap();
    // As Java adds.
    assert_eq!(contents.records().next().unwrap().timestamp, -2);
}

#[test]
fn a_breach_names_its_place() {
    let good = Batch::of(["a"]).encode();
    let bad = Batch::of(["a", "b"])
        .with_codec(Codec::Zstd)
        .encode_broken(&[Breakage::HeaderCount { record: 1, count: 3 }]);
    let breach = read(&Bytes::from([&good[..], &bad].concat())).unwrap_err();
    assert_eq!(
        breach.to_string(),
        "records: entry 1, record 1, decompressed byte 15: header count says 3 with 0 bytes left"
    );
    let bad = Batch::of(["a"]).encode_broken(&[Breakage::Crc(0x10)]);
    let breach = read(&Bytes::from([&good[..], &bad].concat())).unwrap_err();
    assert_eq!((breach.entry, breach.record, breach.at), (1, None, good.len() + 17));
}

/// A message set of magic 1 inside a compressed message, whose bytes are given.
fn wrapped(inner: &[u8]) -> Result<(), RecordsBreach> {
    let value = Some(Codec::Gzip.compress(inner));
    let message = Message { attributes: 1, value, offset: 9, ..Message::new(1, "") };
    read(&message.encode()).map(drop)
}

#[test]
fn compressed_messages() {
    let inner = |message: Message| message.encode();
    let plain = Message::new(1, "a");
    wrapped(&inner(plain.clone())).unwrap();
    assert_eq!(wrapped(b"").unwrap_err().rule, Rule::EmptyWrapper);

    let other = wrapped(&inner(Message { magic: 0, ..plain.clone() })).unwrap_err();
    assert_eq!(other.rule, Rule::Nested { wrapper: 1, inner: 0, codec: 0 });
    let twice = wrapped(&inner(Message { attributes: 1, ..plain.clone() })).unwrap_err();
    assert_eq!((twice.rule.name(), twice.record, twice.decompressed), ("nested", Some(0), true));

    let second = inner(plain.clone());
    let same_offset = wrapped(&[&second[..], &second].concat()).unwrap_err();
    assert_eq!(same_offset.rule, Rule::OffsetOrder { found: 0, previous: 0 });
    assert_eq!((same_offset.record, same_offset.at), (Some(1), second.len()));

    let cut = wrapped(&second[..second.len() - 1]).unwrap_err();
    assert!(matches!(cut.rule, Rule::FieldLength { field: "message", .. }));
    let mut bad = BytesMut::from(&second[..]);
    bad[16] = 2;
    assert_eq!(wrapped(&bad).unwrap_err().rule.name(), "crc");
}

#[test]
fn messages_to_the_byte() {
    let raw = MessageSet::of(0, ["abc"]).encode();
    let with_crc = |change: fn(&mut BytesMut)| {
        let mut raw = BytesMut::from(&raw[..]);
        change(&mut raw);
        let mut crc = flate2::Crc::new();
        crc.update(&raw[16..]);
        raw[12..16].copy_from_slice(&crc.sum().to_be_bytes());
        let size = raw.len() as u32 - 12;
        raw[8..12].copy_from_slice(&size.to_be_bytes());
        read(&raw.freeze()).map(drop)
    };
    with_crc(|_| ()).unwrap();
    assert_eq!(with_crc(|raw| raw.put_u8(0)).unwrap_err().rule, Rule::Junk { bytes: 1 });
    let value = with_crc(|raw| raw[25] = 4).unwrap_err();
    assert_eq!(
        (value.rule, value.at),
        (Rule::FieldLength { field: "value", claimed: 4, left: 3 }, 22)
    );
    assert_eq!(with_crc(|raw| raw[17] = 7).unwrap_err().rule, Rule::UnknownCodec(7));
    assert_eq!(
        with_crc(|raw| raw[16] = 1).unwrap_err().rule,
        Rule::Length { claimed: 17, least: 22 }
    );

    let mut flipped = BytesMut::from(&raw[..]);
    flipped[26] ^= 1;
    assert_eq!(read(&flipped.freeze()).unwrap_err().rule.name(), "crc");
    let mut small = BytesMut::from(&raw[..]);
    small[11] = 13;
    assert_eq!(read(&small.freeze()).unwrap_err().rule, Rule::Length { claimed: 13, least: 14 });
}
