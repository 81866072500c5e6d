//! What the writer writes, the reader reads: every codec, every shape of record and header.

use bytes::Bytes;
use kconform_wire::records::{
    Batch, Codec, Contents, EndMarker, Entry, Header, Marker, Message, MessageSet, Record, read,
};
use proptest::prelude::*;

fn only(contents: &Contents) -> &Batch {
    assert_eq!((contents.entries.len(), contents.partial), (1, 0));
    contents.batches().next().unwrap()
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        // Long enough that lengths take several bytes and codecs find something to do.
        (any::<u8>(), 0_usize..3000).prop_map(|(byte, times)| vec![byte; times]),
    ]
    .prop_map(Bytes::from)
}

fn any_record() -> impl Strategy<Value = Record> {
    let header =
        (any_bytes(), prop::option::of(any_bytes())).prop_map(|(key, value)| Header { key, value });
    (
        any::<i8>(),
        any::<i64>(),
        prop::option::of(any_bytes()),
        prop::option::of(any_bytes()),
        prop::collection::vec(header, 0..4),
    )
        .prop_map(|(attributes, timestamp_delta, key, value, headers)| Record {
            attributes,
            timestamp_delta,
            offset_delta: 0,
            key,
            value,
            headers,
        })
}

prop_compose! {
    fn any_batch()(
        records in prop::collection::vec((any_record(), 1..1000_i32), 0..12),
        codec in prop::sample::select(Codec::all().to_vec()),
        flags in any::<[bool; 3]>(),
        extra in any::<i16>(),
        times in any::<[i64; 2]>(),
        base_offset in 0..i64::MAX / 2,
        beyond in 0..1000_i32,
        epochs in any::<(i32, i64, i16, i32)>(),
    ) -> Batch {
        let mut batch = Batch {
            base_offset,
            partition_leader_epoch: epochs.0,
            codec,
            log_append_time: flags[0],
            transactional: flags[1],
            control: flags[2],
            attributes_extra: extra & !0x3f,
            base_timestamp: times[0],
            max_timestamp: times[1],
            producer_id: epochs.1,
            producer_epoch: epochs.2,
            base_sequence: epochs.3,
            ..Batch::new()
        };
        let mut offset = -1;
        for (mut record, gap) in records {
            offset += gap;
            record.offset_delta = offset;
            batch.records.push(record);
        }
        batch.last_offset_delta = offset.max(0) + beyond;
        batch
    }
}

proptest! {
    #[test]
    fn a_batch_comes_back_as_it_was(batch in any_batch()) {
        let raw = batch.encode();
        let contents = read(&raw).unwrap();
        prop_assert_eq!(only(&contents), &batch);
        prop_assert_eq!(contents.entries[0].raw(), &raw);
        prop_assert_eq!(only(&contents).encode(), raw);
    }

    #[test]
    fn several_batches_and_a_cut_one(first in any_batch(), second in any_batch(), cut in 0.0..1.0_f64) {
        let (first_raw, second_raw) = (first.encode(), second.encode());
        let cut = (second_raw.len() as f64 * cut) as usize;
        let field = Bytes::from([&first_raw[..], &second_raw[..cut]].concat());
        let contents = read(&field).unwrap();
        prop_assert_eq!(only_first(&contents), &first);
        prop_assert_eq!(contents.partial, cut);
    }

    #[test]
    fn message_sets_come_back(
        magic in 0..=1_i8,
        codec in prop::sample::select(Codec::all().to_vec()),
        first_offset in 0..1_i64 << 40,
        log_append_time in any::<bool>(),
        messages in prop::collection::vec((prop::option::of(any_bytes()), prop::option::of(any_bytes()), any::<i64>(), 1..50_i64), 1..8),
    ) {
        let log_append_time = log_append_time && magic > 0;
        let mut set = MessageSet { magic, codec, log_append_time, messages: Vec::new() };
        let mut offset = first_offset;
        for (key, value, timestamp, gap) in messages {
            let timestamp = if magic > 0 { timestamp } else { -1 };
            set.messages.push(Message { magic, offset, attributes: 0, timestamp, key, value });
            offset += gap;
        }
        let contents = read(&set.encode()).unwrap();
        prop_assert_eq!(contents.partial, 0);
        prop_assert_eq!(contents.next_offset(), set.messages.last().map(|last| last.offset + 1));
        let read: Vec<_> = contents.records().map(|r| (r.offset, r.key.cloned(), r.value.cloned())).collect();
        let sent: Vec<_> = set.messages.iter().map(|m| (m.offset, m.key.clone(), m.value.clone())).collect();
        prop_assert_eq!(read, sent);
        if codec == Codec::None {
            prop_assert_eq!(contents.entries.len(), set.messages.len());
        } else {
            prop_assert_eq!(&contents.entries, &vec![Entry::Wrapper(set.wrap(), set.encode())]);
        }
    }
}

fn only_first(contents: &Contents) -> &Batch {
    assert_eq!(contents.entries.len(), 1);
    contents.batches().next().unwrap()
}

#[test]
fn the_builder_keeps_its_own_fields_true() {
    let record = Record {
        timestamp_delta: 7,
        ..Record::of("c").with_header("h", "1").with_header("h", "2")
    };
    let batch = Batch::of(["a", "b"])
        .push(record)
        .record("k", "d")
        .with_timestamp(1000)
        .with_codec(Codec::Zstd)
        .idempotent(5, 1, 40)
        .transactional();
    assert_eq!((batch.last_offset_delta, batch.max_timestamp), (3, 1007));
    assert_eq!(batch.attributes(), 0b1_0100);
    let contents = read(&batch.encode()).unwrap();
    let seen: Vec<_> = contents
        .records()
        .map(|r| (r.offset, r.timestamp, r.key.cloned(), r.headers.len()))
        .collect();
    let key = Some(Bytes::from("k"));
    assert_eq!(
        seen,
        [(0, 1000, None, 0), (1, 1000, None, 0), (2, 1007, None, 2), (3, 1000, key, 0)]
    );
    assert_eq!(contents.next_offset(), Some(4));
}

#[test]
fn a_batch_of_a_given_size() {
    let sizes = (68..400).chain(8_100..8_500).chain([1_048_588, 1_048_589]);
    let skipped = sizes
        .filter(|size| match Batch::of_size(*size) {
            Some(batch) => {
                let raw = batch.encode();
                assert_eq!(raw.len(), *size);
                read(&raw).unwrap();
                false
            }
            None => true,
        })
        .count();
    // One for each length that outgrows one or two bytes: that of the value, then that of the record.
    assert_eq!(skipped, 4);
    assert_eq!(Batch::of_size(67), None);
    assert_eq!(Batch::of_size(0), None);
}

#[test]
fn a_batch_that_compaction_emptied_is_legal_and_counts() {
    for codec in Codec::all() {
        let batch = Batch { base_offset: 10, last_offset_delta: 4, codec, ..Batch::new() };
        let contents = read(&batch.encode()).unwrap();
        assert_eq!(contents.records().count(), 0);
        assert_eq!(contents.next_offset(), Some(15));
        assert_eq!(only(&contents), &batch);
    }
    assert_eq!(Batch::new().encode().len(), 61);
}

#[test]
fn null_and_empty_stay_apart() {
    let record = |key: Option<&'static str>, value: Option<&'static str>| Record {
        key: key.map(Bytes::from),
        value: value.map(Bytes::from),
        ..Record::default()
    };
    let batch =
        Batch::new().push(record(None, None)).push(record(Some(""), Some(""))).push(Record {
            headers: vec![Header { key: Bytes::new(), value: None }],
            ..Record::default()
        });
    let contents = read(&batch.encode()).unwrap();
    assert_eq!(only(&contents).records[0].key, None);
    assert_eq!(only(&contents).records[1].key, Some(Bytes::new()));
    assert_eq!(only(&contents).records[2].headers[0].value, None);
}

#[test]
fn markers_are_recognised_and_nothing_else_is() {
    for kind in [Marker::Commit, Marker::Abort] {
        let batch = Batch::end_marker(kind, 7).idempotent(9, 3, -1);
        let contents = read(&batch.encode()).unwrap();
        assert_eq!(only(&contents).marker(), Some(EndMarker { kind, coordinator_epoch: 7 }));
        assert_eq!(batch.attributes(), 0b11_0000);
        assert_eq!((batch.base_sequence, batch.last_offset_delta), (-1, 0));

        let data = Batch { control: false, ..batch };
        assert_eq!(data.marker(), None);
    }
    let control = |key: &'static [u8], value: &'static [u8]| {
        let batch = Batch::new().record(key, value);
        Batch { control: true, ..batch }.marker()
    };
    let value = b"\0\0\0\0\0\x07";
    let commit = Some(EndMarker { kind: Marker::Commit, coordinator_epoch: 7 });
    assert_eq!(control(b"\0\0\0\x01", value), commit);
    assert_eq!(control(b"\0\x01\0\x01more", b"\0\x01\0\0\0\x07more"), commit);
    assert_eq!(control(b"\0\0\0\x02", value), None);
    assert_eq!(control(b"\0\0\0", value), None);
    assert_eq!(control(b"\0\0\0\x01", b"\0\0\0\0\0"), None);
    assert_eq!(Batch { control: true, ..Batch::new() }.marker(), None);
}

#[test]
fn time_of_append_holds_for_every_record() {
    let mut batch = Batch::of(["a", "b"]).with_timestamp(5);
    batch.log_append_time = true;
    batch.max_timestamp = 999;
    let contents = read(&batch.encode()).unwrap();
    assert!(contents.records().all(|record| record.timestamp == 999));

    let mut set = MessageSet::of(1, ["a", "b"]).with_codec(Codec::Gzip);
    set.log_append_time = true;
    let mut wrapper = set.wrap();
    wrapper.timestamp = 999;
    let contents = read(&wrapper.encode()).unwrap();
    assert!(contents.records().all(|record| record.timestamp == 999));
}

#[test]
fn a_wrapper_of_magic_1_says_where_its_messages_lie() {
    let mut wrapper = MessageSet::of(1, ["a", "b", "c"]).with_codec(Codec::Snappy).wrap();
    wrapper.offset = 102;
    let contents = read(&wrapper.encode()).unwrap();
    let offsets: Vec<_> = contents.records().map(|record| record.offset).collect();
    assert_eq!(offsets, [100, 101, 102]);
    assert_eq!(contents.next_offset(), Some(103));
}

#[test]
fn order_across_entries_is_checked_when_asked() {
    let at = |base_offset| Batch { base_offset, ..Batch::of(["a", "b"]) }.encode();
    let field = |first: i64, second: i64| Bytes::from([at(first), at(second)].concat());
    read(&field(5, 7)).unwrap().check_order().unwrap();
    read(&field(5, 9)).unwrap().check_order().unwrap();
    let breach = read(&field(5, 6)).unwrap().check_order().unwrap_err();
    assert_eq!((breach.rule.name(), breach.entry, breach.at), ("offset-order", 1, at(5).len()));
    read(&field(0, 0)).unwrap().check_order().unwrap_err();
    assert_eq!(read(&Bytes::new()).unwrap(), Contents::default());
}
