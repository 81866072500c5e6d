//! Each breakage changes what it names, and nothing else.

use bytes::Bytes;
use kconform_wire::records::{Batch, Breakage, Codec, Header, Record, Rule, read};

const CRC: std::ops::Range<usize> = 17..21;

fn batch() -> Batch {
    let headed =
        Record { key: Some(Bytes::from("key")), ..Record::of("value") }.with_header("h", "1");
    Batch::of(["first"]).push(headed).with_timestamp(1_700_000_000_000)
}

/// Which bytes differ between the batch as it should be and as it was broken; both must be equally long.
fn changed(breakage: Breakage) -> (Bytes, Vec<usize>) {
    let right = batch().encode();
    let broken = batch().encode_broken(&[breakage]);
    assert_eq!(right.len(), broken.len());
    let differs = (0..right.len()).filter(|&at| right[at] != broken[at]).collect();
    (broken, differs)
}

/// Asserts that bytes in `field` changed, and besides it only the CRC (which must fit, if it was to).
fn only_field(breakage: Breakage, field: std::ops::Range<usize>, under_crc: bool) -> Bytes {
    let (broken, differs) = changed(breakage.clone());
    let allowed = |at: &usize| field.contains(at) || (under_crc && CRC.contains(at));
    assert!(differs.iter().all(allowed), "{breakage:?} changed {differs:?}");
    assert!(differs.iter().any(|at| field.contains(at)), "{breakage:?} changed {differs:?}");
    if breakage != Breakage::Crc(1) {
        assert_eq!(broken[CRC], crc32c::crc32c(&broken[21..]).to_be_bytes(), "{breakage:?}");
    }
    broken
}

fn rule(bytes: &Bytes) -> Rule {
    read(bytes).unwrap_err().rule
}

#[test]
fn header_fields() {
    let count = only_field(Breakage::Count(7), 57..61, true);
    assert_eq!(rule(&count), Rule::Count { claimed: 7, found: 2 });
    let count = only_field(Breakage::Count(-1), 57..61, true);
    assert_eq!(rule(&count), Rule::Count { claimed: -1, found: 0 });
    let count = only_field(Breakage::Count(1), 57..61, true);
    assert!(matches!(rule(&count), Rule::Junk { .. }));

    let last = only_field(Breakage::LastOffsetDelta(0), 23..27, true);
    assert_eq!(rule(&last), Rule::LastOffsetDelta { claimed: 0, needed: 1 });
    let last = only_field(Breakage::LastOffsetDelta(5), 23..27, true);
    assert_eq!(read(&last).unwrap().next_offset(), Some(6));

    let codec = only_field(Breakage::CodecId(6), 22..23, true);
    assert_eq!(rule(&codec), Rule::UnknownCodec(6));
    let codec = only_field(Breakage::CodecId(1), 22..23, true);
    assert!(matches!(rule(&codec), Rule::Codec { codec: Codec::Gzip, .. }));

    let magic = only_field(Breakage::Magic(3), 16..17, false);
    assert_eq!(rule(&magic), Rule::Magic(3));

    let length = only_field(Breakage::Length(0), 8..12, false);
    assert_eq!(rule(&length), Rule::Length { claimed: 0, least: 49 });
    let length = only_field(Breakage::Length(i32::MAX), 8..12, false);
    assert_eq!(read(&length).unwrap().partial, length.len());
}

#[test]
fn the_crc() {
    let broken = only_field(Breakage::Crc(1), 17..21, false);
    let right = batch().encode();
    assert_eq!(broken[20], right[20] ^ 1);
    let Rule::Crc { claimed, computed } = rule(&broken) else { panic!("no crc breach") };
    assert_eq!(claimed ^ computed, 1);
    // Flipping nothing breaks nothing.
    assert_eq!(batch().encode_broken(&[Breakage::Crc(0)]), right);
}

#[test]
fn the_records() {
    // Record 0 is at 61, its length one byte; record 1 follows.
    let second = 62 + usize::from(batch().encode()[61] >> 1);
    let short = only_field(Breakage::RecordLength { record: 0, length: 8 }, 61..62, true);
    assert_eq!(rule(&short), Rule::FieldLength { field: "value", claimed: 5, left: 3 });
    let long =
        only_field(Breakage::RecordLength { record: 1, length: 60 }, second..second + 1, true);
    assert!(matches!(rule(&long), Rule::FieldLength { field: "record", claimed: 60, .. }));
    let negative = only_field(Breakage::RecordLength { record: 0, length: -1 }, 61..62, true);
    assert!(matches!(rule(&negative), Rule::FieldLength { field: "record", claimed: -1, .. }));
    let wide = only_field(Breakage::RecordLength { record: 0, length: 12 }, 61..62, true);
    assert_eq!(rule(&wide), Rule::RecordLength { claimed: 12, used: 11 });

    // The header count is what stands before `\x02h\x021`, the last four bytes.
    let end = batch().encode().len();
    let negative =
        only_field(Breakage::HeaderCount { record: 1, count: -2 }, end - 5..end - 4, true);
    assert_eq!(rule(&negative), Rule::HeaderCount { claimed: -2, left: 4 });
    let many = only_field(Breakage::HeaderCount { record: 1, count: 2 }, end - 5..end - 4, true);
    assert_eq!(rule(&many), Rule::Ended("header key"));
}

#[test]
fn a_null_header_key() {
    let broken = batch().encode_broken(&[Breakage::NullHeaderKey { record: 1, header: 0 }]);
    let breach = read(&broken).unwrap_err();
    assert_eq!(
        (breach.rule, breach.record, breach.at),
        (Rule::NullHeaderKey, Some(1), broken.len() - 3)
    );
    assert_eq!(broken[17..21], crc32c::crc32c(&broken[21..]).to_be_bytes());
    assert_eq!(broken.len(), batch().encode().len() - 1);
}

#[test]
fn payload_and_junk() {
    for codec in Codec::all() {
        let batch = batch().with_codec(codec);
        let right = batch.encode();
        let given = batch.encode_broken(&[Breakage::Payload(Bytes::from("garbage"))]);
        assert_eq!(&given[61..], b"garbage");
        let same: Vec<_> =
            (0..61).filter(|at| !(8..12).contains(at) && !CRC.contains(at)).collect();
        assert!(same.iter().all(|&at| right[at] == given[at]));
        let breach = read(&given).unwrap_err();
        if codec == Codec::None {
            assert_eq!(breach.record, Some(0));
        } else {
            assert!(
                matches!(breach.rule, Rule::Codec { codec: found, .. } if found == codec),
                "{breach}"
            );
        }

        let junk = batch.encode_broken(&[Breakage::Junk(Bytes::from("abc"))]);
        let breach = read(&junk).unwrap_err();
        assert_eq!(
            (&breach.rule, breach.decompressed),
            (&Rule::Junk { bytes: 3 }, codec != Codec::None)
        );
    }
}

#[test]
fn cut_anywhere_it_is_a_partial_entry() {
    let whole = batch().encode();
    for at in 0..=whole.len() + 1 {
        let cut = batch().encode_broken(&[Breakage::TruncateAt(at)]);
        assert_eq!(cut, whole.slice(..at.min(whole.len())));
        let contents = read(&cut).unwrap();
        assert_eq!(contents.partial, if at >= whole.len() { 0 } else { at });
    }
}

#[test]
fn breakages_combine() {
    let broken =
        batch().encode_broken(&[Breakage::Count(9), Breakage::Crc(0xff), Breakage::Length(20)]);
    assert_eq!(broken[57..61], 9_i32.to_be_bytes());
    assert_eq!(broken[8..12], 20_i32.to_be_bytes());
    let crc = crc32c::crc32c(&broken[21..]) ^ 0xff;
    assert_eq!(broken[CRC], crc.to_be_bytes());
}

#[test]
fn fields_lie_without_a_breakage() {
    let lie = Batch { max_timestamp: 1, attributes_extra: 0x40, ..batch() };
    let header = Header { key: Bytes::from(&b"\xff\xfe"[..]), value: None };
    let lie = lie.push(Record { headers: vec![header.clone(), header], ..Record::default() });
    let lie = Batch { max_timestamp: 1, ..lie };
    let contents = read(&lie.encode()).unwrap();
    assert_eq!(contents.batches().collect::<Vec<_>>(), [&lie]);
}
