//! Compression: framing, checksums, and what a hostile stream may not do.

use bytes::Bytes;
use kconform_wire::records::{Codec, CodecError, Limits, MessageSet, Rule, read, read_within};
use proptest::prelude::*;

const CAP: usize = 1 << 20;

fn corrupt(codec: Codec, packed: &[u8]) -> String {
    match codec.decompress(&Bytes::copy_from_slice(packed), CAP) {
        Err(CodecError::Corrupt(reason)) => reason,
        other => panic!("{codec}: {other:?}"),
    }
}

proptest! {
    #[test]
    fn every_codec_gives_back_what_it_got(seed in prop::collection::vec(any::<u8>(), 0..200), times in 0..300_usize) {
        let plain = Bytes::from(seed.repeat(times));
        for codec in Codec::all() {
            let packed = codec.compress(&plain);
            prop_assert_eq!(codec.decompress(&packed, plain.len()).unwrap(), plain.clone());
            prop_assert_eq!(codec.compress(&plain), packed);
        }
    }

    #[test]
    fn garbage_is_refused_without_a_panic(packed in prop::collection::vec(any::<u8>(), 0..300)) {
        for codec in Codec::all() {
            let _ = codec.decompress(&Bytes::from(packed.clone()), CAP);
        }
    }
}

#[test]
fn ids_and_names() {
    for (id, codec) in Codec::all().into_iter().enumerate() {
        assert_eq!(usize::from(codec.id()), id);
        assert_eq!(Codec::from_id(codec.id()), Some(codec));
    }
    assert_eq!(Codec::from_id(5), None);
    assert_eq!(Codec::all().map(Codec::name), ["none", "gzip", "snappy", "lz4", "zstd"]);
}

#[test]
fn the_cap_is_the_cap() {
    let plain = vec![7; 100_000];
    for codec in Codec::all() {
        let packed = codec.compress(&plain);
        assert!(codec.decompress(&packed, plain.len()).is_ok());
        let cap = plain.len() - 1;
        assert_eq!(codec.decompress(&packed, cap), Err(CodecError::TooLarge { cap }), "{codec}");
    }
}

#[test]
fn a_stream_cut_short_is_refused() {
    let plain: Vec<u8> = (0..50_000_u32).flat_map(|n| (n * n).to_be_bytes()).collect();
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let packed = codec.compress(&plain);
        for missing in [1, 3, 4, 5, 9, packed.len() / 2] {
            corrupt(codec, &packed[..packed.len() - missing]);
        }
    }
}

#[test]
fn bytes_after_the_stream_are_refused() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let packed = [&codec.compress(b"some records")[..], b"junk"].concat();
        corrupt(codec, &packed);
    }
}

#[test]
fn snappy_is_framed_as_snappy_java_frames_it() {
    let plain = vec![b'x'; 70_000];
    let packed = Codec::Snappy.compress(&plain);
    assert_eq!(&packed[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let mut rest = &packed[16..];
    let mut sizes = Vec::new();
    while let Some((size, after)) = rest.split_first_chunk::<4>() {
        let (block, after) = after.split_at(u32::from_be_bytes(*size) as usize);
        sizes.push(snap::raw::decompress_len(block).unwrap());
        rest = after;
    }
    assert_eq!(sizes, [32_768, 32_768, 70_000 - 65_536]);
}

#[test]
fn bare_snappy_is_read_too() {
    let bare = snap::raw::Encoder::new().compress_vec(b"bare bare bare bare").unwrap();
    let read = Codec::Snappy.decompress(&Bytes::from(bare), CAP).unwrap();
    assert_eq!(read, &b"bare bare bare bare"[..]);
}

#[test]
fn a_snappy_block_may_not_claim_what_it_cannot_hold() {
    // Five bytes of varint that claim 4 GiB, bare and framed.
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x00];
    assert!(corrupt(Codec::Snappy, &claim).contains("claims more"));
    let framed = [&b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x07"[..], &claim].concat();
    assert!(corrupt(Codec::Snappy, &framed).contains("claims more"));
    corrupt(Codec::Snappy, b"\x82SNAPPY\0\0\0");
    corrupt(Codec::Snappy, b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0");
    corrupt(Codec::Snappy, b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\xff\xff\xff\xff");
    // The densest snappy there is stays readable: one literal, then copies of 64 bytes.
    let dense = snap::raw::Encoder::new().compress_vec(&vec![0; 60_000]).unwrap();
    assert_eq!(Codec::Snappy.decompress(&Bytes::from(dense), CAP).unwrap().len(), 60_000);
}

#[test]
fn lz4_has_a_right_header_checksum_except_in_magic_0() {
    let value = "lorem ipsum dolor sit amet, ".repeat(6);
    let packed = |magic| {
        let set = MessageSet::of(magic, [value.clone()]).with_codec(Codec::Lz4);
        let raw = set.encode();
        let start = raw.windows(4).position(|four| four == [0x04, 0x22, 0x4d, 0x18]).unwrap();
        raw.slice(start..)
    };
    // As Apache writes them for the same flags (see the fixtures).
    assert_eq!(packed(0)[4..7], [0x60, 0x40, 0x1a]);
    assert_eq!(packed(1)[4..7], [0x60, 0x40, 0x82]);
    assert_eq!(Codec::Lz4.compress(value.as_bytes())[4..7], [0x60, 0x40, 0x82]);

    // The broken one is for magic 0 alone.
    let broken = packed(0);
    corrupt(Codec::Lz4, &broken);
}

#[test]
fn magic_0_takes_either_lz4_checksum_and_no_third() {
    let set = MessageSet::of(0, ["a", "b"]).with_codec(Codec::Lz4);
    let with_checksum = |checksum: u8| {
        let mut raw = set.encode().to_vec();
        let start = raw.windows(4).position(|four| four == [0x04, 0x22, 0x4d, 0x18]).unwrap();
        raw[start + 6] = checksum;
        let mut crc = flate2::Crc::new();
        crc.update(&raw[16..]);
        raw[12..16].copy_from_slice(&crc.sum().to_be_bytes());
        read(&Bytes::from(raw))
    };
    assert_eq!(with_checksum(0x1a).unwrap().records().count(), 2);
    assert_eq!(with_checksum(0x82).unwrap().records().count(), 2);
    let breach = with_checksum(0x55).unwrap_err();
    assert!(matches!(breach.rule, Rule::Codec { codec: Codec::Lz4, .. }));
}

#[test]
fn the_budget_is_shared_by_all_entries() {
    let one = kconform_wire::records::Batch::of([vec![0; 10_000]]).with_codec(Codec::Gzip).encode();
    let field = Bytes::from(one.repeat(5));
    let limits = |decompressed, items| Limits { decompressed, items };
    assert_eq!(read_within(&field, limits(60_000, 5)).unwrap().entries.len(), 5);
    let breach = read_within(&field, limits(45_000, 5)).unwrap_err();
    assert_eq!(breach.rule, Rule::Limit { what: "decompressed bytes", limit: 45_000 });
    assert_eq!(breach.entry, 4);
    let breach = read_within(&field, limits(60_000, 3)).unwrap_err();
    assert_eq!((breach.rule.name(), breach.entry), ("limit", 3));
}
