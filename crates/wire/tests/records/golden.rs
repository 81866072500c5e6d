//! Bytes that Apache's own classes wrote, under `fixtures/frames/records`.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use kconform_wire::records::{
    Batch, Codec, Contents, Entry, Header, Marker, Message, MessageSet, Record, read,
};

const START: i64 = 1_700_000_000_000;

/// The bytes of a fixture: hex with spaces, `#` starts a comment.
fn frame(name: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/frames/records");
    let text = fs::read_to_string(folder.join(name).with_extension("hex")).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn lorem() -> Bytes {
    Bytes::from("lorem ipsum dolor sit amet, ".repeat(6))
}

/// The three records that every `magic…` fixture holds: key, value.
fn keys_and_values() -> [(Option<Bytes>, Option<Bytes>); 3] {
    [
        (Some(Bytes::from("k")), Some(lorem())),
        (None, Some(Bytes::new())),
        (Some(Bytes::new()), None),
    ]
}

fn check(name: &str, magic: i8, entries: usize) -> Contents {
    let contents = read(&frame(name)).unwrap_or_else(|breach| panic!("{name}: {breach}"));
    assert_eq!((contents.entries.len(), contents.partial), (entries, 0), "{name}");
    assert_eq!(contents.next_offset(), Some(103), "{name}");
    contents.check_order().unwrap();

    let times = if magic == 0 { [-1; 3] } else { [START, START + 5, START + 3] };
    let found: Vec<_> = contents
        .records()
        .map(|record| (record.offset, record.timestamp, record.key.cloned(), record.value.cloned()))
        .collect();
    let wanted: Vec<_> = keys_and_values()
        .into_iter()
        .zip(times)
        .zip(100..)
        .map(|(((key, value), time), offset)| (offset, time, key, value))
        .collect();
    assert_eq!(found, wanted, "{name}");
    contents
}

#[test]
fn batches_in_every_codec() {
    for codec in Codec::all() {
        let name = format!("magic2-{codec}");
        let contents = check(&name, 2, 1);
        let Entry::Batch(batch, raw) = &contents.entries[0] else { panic!("{name}") };
        assert_eq!((batch.codec, batch.base_offset, batch.last_offset_delta), (codec, 100, 2));
        assert_eq!((batch.base_timestamp, batch.max_timestamp), (START, START + 5));
        let header = |key: &'static str, value: Option<&'static str>| Header {
            key: Bytes::from(key),
            value: value.map(Bytes::from),
        };
        let headers = [header("h", Some("1")), header("h", Some("2")), header("n", None)];
        assert_eq!(batch.records[0].headers, headers);
        assert_eq!(contents.entries[0].payload(), raw.slice(61..));
        assert_eq!(contents.entries[0].crc().to_be_bytes(), raw[17..21]);
    }
}

#[test]
fn message_sets_in_every_codec() {
    for magic in 0..=1 {
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
            let name = format!("magic{magic}-{codec}");
            let contents = check(&name, magic, if codec == Codec::None { 3 } else { 1 });
            if let Entry::Wrapper(wrapper, _) = &contents.entries[0] {
                assert_eq!((wrapper.codec, wrapper.magic, wrapper.offset), (codec, magic, 102));
            }
        }
    }
}

#[test]
fn a_batch_written_here_is_the_same_bytes() {
    let [(k0, v0), (k1, v1), (k2, v2)] = keys_and_values();
    let first = Record { key: k0, value: v0, ..Record::default() }
        .with_header("h", "1")
        .with_header("h", "2");
    let mut first = first;
    first.headers.push(Header { key: Bytes::from("n"), value: None });
    let mut batch = Batch::new()
        .with_timestamp(START)
        .push(first)
        .push(Record { key: k1, value: v1, timestamp_delta: 5, ..Record::default() })
        .push(Record { key: k2, value: v2, timestamp_delta: 3, ..Record::default() });
    batch.base_offset = 100;
    assert_eq!(batch.encode(), frame("magic2-none"));
}

#[test]
fn message_sets_written_here_are_the_same_bytes() {
    for magic in 0..=1 {
        let times = if magic == 0 { [-1; 3] } else { [START, START + 5, START + 3] };
        let mut set = MessageSet::new(magic);
        for (((key, value), timestamp), offset) in
            keys_and_values().into_iter().zip(times).zip(100..)
        {
            set.messages.push(Message { magic, offset, attributes: 0, timestamp, key, value });
        }
        assert_eq!(set.encode(), frame(&format!("magic{magic}-none")));
    }
}

#[test]
fn transactional_batches_markers_and_emptied_batches() {
    let mut batch = Batch::new()
        .with_timestamp(START)
        .record("a", "1")
        .push(Record { key: Some(Bytes::from("b")), timestamp_delta: 1, ..Record::of("2") })
        .idempotent(4000, 3, 12)
        .transactional();
    (batch.base_offset, batch.partition_leader_epoch) = (7, 5);
    (batch.log_append_time, batch.max_timestamp) = (true, START + 999);
    let written = frame("transactional-log-append-time");
    let contents = read(&written).unwrap();
    assert_eq!(contents.batches().collect::<Vec<_>>(), [&batch]);
    assert_eq!(batch.encode(), written);

    for (kind, name) in [(Marker::Abort, "marker-abort"), (Marker::Commit, "marker-commit")] {
        let mut batch = Batch::end_marker(kind, 17).idempotent(4000, 3, -1).with_timestamp(START);
        (batch.base_offset, batch.partition_leader_epoch) = (55, 5);
        let contents = read(&frame(name)).unwrap();
        assert_eq!(contents.batches().next().unwrap().marker(), batch.marker());
        assert_eq!(batch.encode(), frame(name));
    }

    let mut emptied = Batch::new().idempotent(4000, 3, 12);
    (emptied.base_offset, emptied.last_offset_delta, emptied.partition_leader_epoch) = (10, 4, 5);
    let written = frame("emptied-by-compaction");
    let contents = read(&written).unwrap();
    let read = contents.batches().next().unwrap();
    (emptied.base_timestamp, emptied.max_timestamp) = (read.base_timestamp, START);
    assert_eq!(read, &emptied);
    assert_eq!(contents.next_offset(), Some(15));
    assert_eq!(emptied.encode(), written);
}
