//! No bytes make the reader take more memory than its limits allow. One test, so that nothing else allocates.
#![allow(clippy::unwrap_used)]

use std::alloc::System;

use bytes::Bytes;
use kconform_wire::records::{
    Batch, Breakage, Codec, Limits, MessageSet, Record, read, read_within,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes allocated by `act`, growth and freed ones too: more than were ever held at once.
fn allocated(act: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    act();
    region.change().bytes_allocated
}

#[test]
fn memory_is_bounded_by_the_limits() {
    let limits = Limits { decompressed: 1 << 20, items: 10_000 };
    // A vector that doubles allocates twice what it ends with; a decoder of gzip or lz4 has buffers of its own.
    let for_bytes = 3 * limits.decompressed;
    let for_items = 2 * limits.items * (size_of::<Record>() + 64);

    // Streams that grow a thousandfold, in batches and in old messages.
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bomb = codec.compress(&vec![0; 8 << 20]);
        let batch = Batch::new().with_codec(codec);
        let batch = batch.encode_broken(&[Breakage::Payload(bomb), Breakage::Count(1)]);
        let set = MessageSet::of(1, [vec![0; 8 << 20]]).with_codec(codec).encode();
        for raw in [batch, set] {
            let used = allocated(|| {
                let breach = read_within(&raw, limits).unwrap_err();
                assert_eq!(breach.rule.name(), "limit", "{codec}: {breach}");
            });
            assert!(used < for_bytes, "{codec}: {used} bytes");
        }
    }

    // Counts and sizes that promise gigabytes.
    let claims = [
        (vec![Breakage::Count(i32::MAX)], Codec::None),
        (vec![Breakage::HeaderCount { record: 0, count: i64::from(i32::MAX) }], Codec::None),
        (vec![Breakage::RecordLength { record: 0, length: i64::from(i32::MAX) }], Codec::None),
        (vec![Breakage::Length(i32::MAX)], Codec::None),
        (vec![Breakage::Payload(Bytes::from_static(b"\xff\xff\xff\xff\x0f\0\0"))], Codec::Snappy),
        // An lz4 frame with blocks of 4 MiB and eight bytes of content size, all set.
        (
            vec![Breakage::Payload(Bytes::from_static(
                b"\x04\x22\x4d\x18\x68\x70\xff\xff\xff\xff\xff\xff\xff\xff\0",
            ))],
            Codec::Lz4,
        ),
    ];
    for (breakages, codec) in claims {
        let raw = Batch::of(["value"]).with_codec(codec).encode_broken(&breakages);
        let used = allocated(|| drop(read_within(&raw, limits)));
        assert!(used < 100_000, "{breakages:?}: {used} bytes");
    }

    // The smallest records and headers there are, more than the limit lets through.
    let records = vec![Record::default(); limits.items + 1];
    let small = records.into_iter().fold(Batch::new(), Batch::push).encode();
    let headers = Batch::new().push(Record {
        headers: vec![
            kconform_wire::records::Header { key: Bytes::new(), value: None };
            limits.items
        ],
        ..Record::default()
    });
    for raw in [small, headers.encode()] {
        let used = allocated(|| {
            assert_eq!(read_within(&raw, limits).unwrap_err().rule.name(), "limit");
        });
        assert!(used < for_items, "{used} bytes");
        read(&raw).unwrap();
    }
}
