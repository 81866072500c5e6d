//! Any bytes at all: no panic, in a build that checks arithmetic.

use bytes::{Bytes, BytesMut};
use kconform_wire::records::{Batch, Breakage, Codec, Marker, MessageSet, Record, read};
use proptest::prelude::*;

/// Well-formed entries of every format and codec to start from.
fn seeds() -> Vec<Bytes> {
    let mut seeds = vec![
        Batch::end_marker(Marker::Abort, 1).encode(),
        Batch { last_offset_delta: 3, ..Batch::new() }.encode(),
        Batch { base_timestamp: i64::MAX, ..Batch::of(["a"]) }.encode(),
    ];
    for codec in Codec::all() {
        let headed = Record::of("value").with_header("h", "1").with_header("h", "2");
        seeds.push(Batch::of(["one", "two"]).push(headed).with_codec(codec).encode());
        for magic in 0..=1 {
            seeds.push(MessageSet::of(magic, ["one", "two"]).with_codec(codec).encode());
        }
    }
    seeds
}

/// Repairs the CRC of the first entry, so that a change behind it is looked at.
fn repair(raw: &mut BytesMut) {
    match raw.get(16) {
        Some(2) if raw.len() > 61 => {
            let crc = crc32c::crc32c(&raw[21..]);
            raw[17..21].copy_from_slice(&crc.to_be_bytes());
        }
        Some(0 | 1) if raw.len() > 16 => {
            let mut crc = flate2::Crc::new();
            crc.update(&raw[16..]);
            raw[12..16].copy_from_slice(&crc.sum().to_be_bytes());
        }
        _ => {}
    }
}

/// Reads, and uses everything that reading gives.
fn exercise(raw: Bytes) -> bool {
    let Ok(contents) = read(&raw) else { return false };
    let _ = contents.check_order();
    let _ = contents.next_offset();
    for record in contents.records() {
        let _ = (record.offset, record.timestamp);
    }
    for entry in &contents.entries {
        let _ = (entry.crc(), entry.payload());
    }
    for batch in contents.batches() {
        let _ = (batch.marker(), batch.encode());
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn mutated_entries(
        seed in 0..18_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        repaired in prop::bool::weighted(0.9),
    ) {
        let seeds = seeds();
        let mut raw = BytesMut::from(&seeds[seed % seeds.len()][..]);
        for (at, byte) in changes {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if repaired {
            repair(&mut raw);
        }
        exercise(raw.freeze());
    }

    /// Nothing but the records is random, behind a header and a CRC that fit.
    #[test]
    fn random_records(payload in prop::collection::vec(any::<u8>(), 0..80), count in -1..4_i32, codec in 0..5_u8) {
        let payload = Breakage::Payload(Bytes::from(payload));
        exercise(Batch::new().encode_broken(&[payload, Breakage::Count(count), Breakage::CodecId(codec)]));
    }

    #[test]
    fn random_bytes(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        exercise(Bytes::from(raw));
    }
}

#[test]
fn every_byte_of_every_seed_with_telling_values() {
    let mut read_well = 0_u32;
    let mut refused = 0_u32;
    for seed in seeds() {
        for at in 0..seed.len() {
            for byte in [0x00, 0x01, 0x7f, 0x80, 0xff, seed[at].wrapping_add(1), seed[at] ^ 0x80] {
                let mut raw = BytesMut::from(&seed[..]);
                raw[at] = byte;
                repair(&mut raw);
                if exercise(raw.freeze()) { read_well += 1 } else { refused += 1 }
            }
        }
    }
    // Both happen in plenty, or the mutations would prove nothing.
    assert!(read_well > 1000 && refused > 1000, "{read_well} read well, {refused} refused");
}

#[test]
fn the_seeds_are_sound() {
    for seed in seeds() {
        assert!(exercise(seed));
    }
}
