//! kafka-protocol as an independent reader and writer, as far as it can see: no duplicate headers, no empty or partial
//! batches, magic 2 only.

use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record as TheirRecord, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};
use kconform_wire::records::{Batch, Codec, Header, Record, read};
use proptest::prelude::*;

fn theirs(codec: Codec) -> Compression {
    match codec {
        Codec::None => Compression::None,
        Codec::Gzip => Compression::Gzip,
        Codec::Snappy => Compression::Snappy,
        Codec::Lz4 => Compression::Lz4,
        Codec::Zstd => Compression::Zstd,
    }
}

fn any_text() -> impl Strategy<Value = Bytes> {
    "[a-c]{0,60}".prop_map(Bytes::from)
}

prop_compose! {
    /// A batch that the other library can hold.
    fn a_common_batch()(
        records in prop::collection::vec(
            (prop::option::of(any_text()), prop::option::of(any_text()), 0..1_000_000_i64, prop::option::of(any_text())),
            1..10,
        ),
        codec in prop::sample::select(Codec::all().to_vec()),
        base_offset in 0..1_i64 << 40,
        ids in (0..1_i64 << 40, 0..i16::MAX, 0..1_000_000_i32),
        transactional in any::<bool>(),
    ) -> Batch {
        let mut batch = records.into_iter().fold(Batch::new(), |batch, (key, value, timestamp_delta, header)| {
            let headers = Vec::from([
                Header { key: Bytes::from("one"), value: header },
                Header { key: Bytes::from("two"), value: Some(Bytes::new()) },
            ]);
            batch.push(Record { key, value, timestamp_delta, headers, ..Record::default() })
        });
        batch.base_offset = base_offset;
        batch.partition_leader_epoch = 3;
        batch.transactional = transactional;
        batch.with_codec(codec).with_timestamp(1_700_000_000_000).idempotent(ids.0, ids.1, ids.2)
    }
}

fn their_records(batch: &Batch) -> Vec<TheirRecord> {
    let number = |record: &Record| i64::from(record.offset_delta);
    batch
        .records
        .iter()
        .map(|record| TheirRecord {
            transactional: batch.transactional,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: batch.partition_leader_epoch,
            producer_id: batch.producer_id,
            producer_epoch: batch.producer_epoch,
            timestamp_type: TimestampType::Creation,
            offset: batch.base_offset + number(record),
            sequence: batch.base_sequence + record.offset_delta,
            timestamp: batch.timestamp(record),
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record
                .headers
                .iter()
                .map(|header| {
                    (StrBytes::try_from(header.key.clone()).unwrap(), header.value.clone())
                })
                .collect::<IndexMap<_, _>>(),
        })
        .collect()
}

proptest! {
    #[test]
    fn it_reads_what_is_written_here(batch in a_common_batch()) {
        let mut raw = batch.encode();
        let set = RecordBatchDecoder::decode(&mut raw).unwrap();
        prop_assert_eq!(set.compression, theirs(batch.codec));
        prop_assert_eq!(set.records, their_records(&batch));
        prop_assert!(raw.is_empty());
    }

    #[test]
    fn what_it_writes_is_read_here(batch in a_common_batch()) {
        let mut raw = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: theirs(batch.codec) };
        RecordBatchEncoder::encode(&mut raw, &their_records(&batch), &options).unwrap();
        let contents = read(&raw.freeze()).unwrap();
        let found: Vec<_> = contents.records().map(|r| (r.offset, r.timestamp, r.key, r.value, r.headers)).collect();
        let sent: Vec<_> = batch
            .records
            .iter()
            .map(|r| (
                batch.base_offset + i64::from(r.offset_delta),
                batch.timestamp(r),
                r.key.as_ref(),
                r.value.as_ref(),
                &r.headers[..],
            ))
            .collect();
        prop_assert_eq!(found, sent);
    }
}
