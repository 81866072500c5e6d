//! The walker against kafka-protocol's decoder, over the same megabyte: it must take at most a quarter of the time.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, FetchResponse, MetadataResponse, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kconform_schema::{Direction, decode, walk};

const MEGABYTE: usize = 1 << 20;

fn benches(criterion: &mut Criterion) {
    for version in [1, 12] {
        let body = grown(|topics| bytes(&metadata(topics, version), version));
        compare::<MetadataResponse>(
            criterion.benchmark_group(format!("metadata-{version}")),
            3,
            version,
            body,
        );
    }
    for (name, records) in [("small", 100), ("large", 16_000)] {
        for version in [4, 12] {
            let body = grown(|topics| bytes(&fetch(topics, records), version));
            compare::<FetchResponse>(
                criterion.benchmark_group(format!("fetch-{version}-{name}")),
                1,
                version,
                body,
            );
        }
    }
}

fn compare<T: Decodable>(
    mut group: BenchmarkGroup<'_, WallTime>,
    key: i16,
    version: i16,
    body: Bytes,
) {
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("walk", |bencher| {
        bencher.iter(|| walk(key, version, Direction::Response, black_box(&body)).unwrap());
    });
    group.bench_function("kafka-protocol", |bencher| {
        let input = || black_box(body.clone());
        bencher.iter_batched(
            input,
            |mut body| T::decode(&mut body, version).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("value", |bencher| {
        let decoded = || decode(key, version, Direction::Response, black_box(&body)).unwrap();
        bencher.iter_with_large_drop(decoded);
    });
    group.finish();
}

/// The smallest body of whole topics that reaches a megabyte.
fn grown(body: impl Fn(usize) -> Bytes) -> Bytes {
    let topics = (1..).find(|topics| body(*topics).len() >= MEGABYTE);
    body(topics.unwrap_or(1))
}

fn bytes(message: &impl Encodable, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes, version).unwrap();
    bytes.freeze()
}

fn metadata(topics: usize, version: i16) -> MetadataResponse {
    let brokers = (0..3).map(|id| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(id))
            .with_host(StrBytes::from_string(format!("broker-{id}.example.test")))
            .with_port(9092)
    });
    let partitions = (0..24).map(|index| {
        let epoch = if version < 7 { -1 } else { 5 };
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(index % 3))
            .with_leader_epoch(epoch)
            .with_replica_nodes(vec![BrokerId(0), BrokerId(1), BrokerId(2)])
            .with_isr_nodes(vec![BrokerId(0), BrokerId(1), BrokerId(2)])
    });
    let partitions: Vec<_> = partitions.collect();
    let topic = |index: usize| {
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_string(format!("topic-{index:06}")))))
            .with_partitions(partitions.clone())
    };
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_topics((0..topics).map(topic).collect())
}

/// Topics of sixteen partitions with `records` bytes of records each.
fn fetch(topics: usize, records: usize) -> FetchResponse {
    let partition = |index| {
        PartitionData::default()
            .with_partition_index(index)
            .with_high_watermark(1_000)
            .with_last_stable_offset(1_000)
            .with_aborted_transactions(Some(Vec::new()))
            .with_records(Some(Bytes::from(vec![0; records])))
    };
    let topic = |index: usize| {
        FetchableTopicResponse::default()
            .with_topic(TopicName(StrBytes::from_string(format!("topic-{index:06}"))))
            .with_partitions((0..16).map(partition).collect())
    };
    FetchResponse::default().with_responses((0..topics).map(topic).collect())
}

criterion_group!(walking, benches);
criterion_main!(walking);
