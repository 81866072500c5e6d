//! Produce (0) and Fetch (1): whatever batch is sent comes back: byte for byte where the broker keeps what producers
//! send, and else field for field.
//!
//! Timestamps stay within a day of now, or retention might take the records before they are read. Not covered: message
//! sets of magic 0 and 1.

use bytes::{Bytes, BytesMut};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Entry;
use kconform_scenario::wire::schema::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use records::{Header, Record};

use super::blob::{Blob, nullable};
use super::for_all::for_all;

scenarios![any_batch_comes_back_byte_for_byte, any_batch_comes_back_field_for_field];

/// First version of Produce that carries zstd (KIP-110).
const FIRST_WITH_ZSTD: i16 = 7;
/// The largest batch of a broker with default settings, `message.max.bytes`.
const LARGEST: i64 = 1_048_588;
/// Where the bytes begin that the broker keeps: behind base offset, length and leader epoch comes the magic.
const KEPT_FROM: usize = 16;
/// Where the leader epoch stands, which the broker sets.
const EPOCH: std::ops::Range<usize> = 12..16;

/// A record as it is drawn.
#[derive(Clone, Debug)]
struct Drawn {
    key: Option<Blob>,
    value: Option<Blob>,
    headers: Vec<(String, Option<Blob>)>,
    /// Milliseconds after the base timestamp.
    later: i32,
}

/// A batch as it is drawn.
#[derive(Clone, Debug)]
struct Sent {
    codec: Codec,
    /// What the producer writes where the leader's epoch will stand.
    epoch: i32,
    /// Milliseconds that the base timestamp is old; none for no timestamp.
    age: Option<u32>,
    records: Vec<Drawn>,
    /// Grows the last value until so few bytes are left to the largest batch; counted before compression.
    short_of_largest: Option<u16>,
}

/// What one case sends.
#[derive(Clone, Debug)]
struct Script {
    idempotent: bool,
    batches: Vec<Sent>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let header = ("\\PC{0,6}", nullable(300));
    (nullable(2_000), nullable(6_000), vec(header, 0..4), -900_000..900_000_i32)
        .prop_map(|(key, value, headers, later)| Drawn { key, value, headers, later })
}

fn sent(codecs: &'static [Codec], large: u32) -> impl Strategy<Value = Sent> {
    let age = prop_oneof![1 => Just(None), 6 => (0..80_000_000_u32).prop_map(Some)];
    let epoch = prop_oneof![3 => Just(-1), 1 => 0..1000_i32];
    let short = prop_oneof![24 => Just(None), large => (0..2_000_u16).prop_map(Some)];
    let codec = proptest::sample::select(codecs);
    (codec, epoch, age, vec(drawn(), 1..12), short).prop_map(
        |(codec, epoch, age, records, short_of_largest)| Sent {
            codec,
            epoch,
            age,
            records,
            short_of_largest,
        },
    )
}

fn script(version: i16, large: u32) -> impl Strategy<Value = Script> {
    const ALL: &[Codec] = &Codec::all();
    let codecs = if version < FIRST_WITH_ZSTD { &ALL[..4] } else { ALL };
    (any::<bool>(), vec(sent(codecs, large), 1..5))
        .prop_map(|(idempotent, batches)| Script { idempotent, batches })
}

impl Sent {
    /// The batch, with its base timestamp counted back from `now`.
    fn batch(&self, now: i64, largest: i64) -> Batch {
        let base_timestamp = self.age.map_or(-1, |age| now - i64::from(age));
        let empty = Batch {
            partition_leader_epoch: self.epoch,
            base_timestamp,
            max_timestamp: base_timestamp,
            ..Batch::new()
        };
        let mut batch = self.records.iter().fold(empty, |batch, drawn| {
            // A batch without timestamps has none at all.
            let later = if self.age.is_some() { drawn.later.into() } else { 0 };
            batch.push(drawn.record(later))
        });
        if let Some(short) = self.short_of_largest {
            grow(&mut batch, largest - i64::from(short));
        }
        batch.with_codec(self.codec)
    }
}

impl Drawn {
    fn record(&self, timestamp_delta: i64) -> Record {
        let headers = self.headers.iter().map(|(key, value)| Header {
            key: Bytes::copy_from_slice(key.as_bytes()),
            value: value.map(Blob::bytes),
        });
        Record {
            timestamp_delta,
            key: self.key.map(Blob::bytes),
            value: self.value.map(Blob::bytes),
            headers: headers.collect(),
            ..Record::default()
        }
    }
}

/// Gives the last record a value with which the batch, not compressed, has so many bytes, or up to two fewer: its
/// length is said twice in varints, which grow by themselves.
fn grow(batch: &mut Batch, target: i64) {
    let mut length = 0;
    for _ in 0..4 {
        let Some(last) = batch.records.last_mut() else { return };
        last.value = Some(Blob::of(usize::try_from(length).unwrap_or(0), 1));
        let size = i64::try_from(batch.encode().len()).unwrap_or(i64::MAX);
        if (target - 2..=target).contains(&size) {
            return;
        }
        length += target - size;
    }
}

/// Whatever record batch a producer sends (any codec, keys, values and headers that are null or
/// empty or long, any timestamps, up to the largest size), a Fetch returns it byte for byte but for
/// base_offset and partition_leader_epoch, as long as the topic's compression.type is producer and
/// its message.timestamp.type CreateTime.
#[scenario("PROP-001", api = Produce, versions = 3.., vary = ["seed_3"])]
async fn any_batch_comes_back_byte_for_byte(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    keeps_what_is_sent(cx)?;
    for_all(cx, script(cx.version(), 1), async |script| byte_for_byte(cx, script).await).await
}

/// The defaults of the topics are such that batches are kept as they are, as far as it can be told.
fn keeps_what_is_sent(cx: &Cx) -> Outcome {
    for (name, value) in
        [("compression.type", "producer"), ("log.message.timestamp.type", "CreateTime")]
    {
        if cx.facts().configs.get(name).is_some_and(|found| found != value) {
            return Err(Failure::NotRun(format!("a broker with {name}={value}")));
        }
    }
    Ok(())
}

async fn byte_for_byte(cx: &Cx, script: &Script) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let largest = cx.facts().config_number("message.max.bytes").unwrap_or(LARGEST).min(LARGEST);
    let offered = cx.facts().offers(keys::InitProducerId, 0);
    let producer = if script.idempotent && offered {
        Some(cx.producer_id(&mut leader, None).await?)
    } else {
        None
    };
    let (mut end, mut kept) = (0, Vec::new());
    for sent in &script.batches {
        let mut batch = sent.batch(cx.wall_ms(), largest);
        if let Some((id, epoch)) = producer {
            batch = batch.idempotent(id, epoch, i32::try_from(end).unwrap_or(i32::MAX));
        }
        let bytes = batch.encode();
        let body = leader.ask(cx.produce(&to, bytes.clone())?).await?.expect_ok()?;
        body.expect_number("responses[0].partition_responses[0].base_offset", end)?;
        kept.push((end, bytes));
        end += i64::from(batch.last_offset_delta) + 1;
    }
    let entries = fetched(cx, &mut leader, &to, end).await?;
    require(entries.len() == kept.len(), &format!("{} batches", kept.len()), || {
        format!("{} batches", entries.len())
    })?;
    for (entry, (base, bytes)) in entries.iter().zip(kept) {
        let mut want = BytesMut::from(&*bytes);
        want[..8].copy_from_slice(&base.to_be_bytes());
        same_bytes(base, &want, entry.raw())?;
    }
    Ok(())
}

/// Everything from offset 0 to this end, in as many fetches as it takes.
async fn fetched(
    cx: &Cx,
    leader: &mut Conn,
    of: &Partition,
    end: i64,
) -> Result<Vec<Entry>, Failure> {
    let (mut next, mut entries) = (0, Vec::new());
    while next < end {
        let request = requests::fetch(cx.newest(keys::Fetch)?, of, next);
        let body = leader.ask_newest(request).await?.expect_ok()?;
        let found = body.responses.first().and_then(|topic| topic.partitions.first());
        let bytes = found.and_then(|partition| partition.records.clone()).unwrap_or_default();
        let contents = records::read(&bytes).map_err(|breach| {
            Failure::failed("records in their format", format!("{breach}, from offset {next}"))
        })?;
        let behind = contents.next_offset().filter(|behind| *behind > next);
        let Some(behind) = behind else {
            let expected = format!("records from offset {next} on, of a log that ends at {end}");
            return Err(Failure::failed(expected, format!("{} bytes", bytes.len())));
        };
        next = behind;
        entries.extend(contents.entries);
    }
    Ok(entries)
}

fn same_bytes(base: i64, want: &[u8], got: &[u8]) -> Outcome {
    let differ = |at: &usize| !EPOCH.contains(at) && want.get(*at) != got.get(*at);
    let Some(at) = (0..want.len().max(got.len())).find(differ) else { return Ok(()) };
    let said = |bytes: &[u8]| match bytes.get(at) {
        Some(byte) => format!("{byte:#04x} of {} bytes", bytes.len()),
        None => format!("an end after {} bytes", bytes.len()),
    };
    let part = if at < KEPT_FROM { "header" } else { "batch" };
    let expected = format!("the {part} at offset {base} as it was sent: at {at} {}", said(want));
    Err(Failure::failed(expected, said(got)))
}

/// Whatever record batch a producer sends to a topic with another compression.type than producer,
/// or with message.timestamp.type LogAppendTime, a Fetch returns its records with the same keys,
/// values and headers in the same order at consecutive offsets, compressed as the topic says, with
/// their own timestamps or with the time of append that the answer to the Produce named.
#[scenario("PROP-002", api = Produce, versions = 9, vary = ["seed_1", "seed_2"])]
async fn any_batch_comes_back_field_for_field(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    let types = proptest::sample::select(
        &["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"][..],
    );
    let strategy = (types, any::<bool>(), script(cx.version(), 0));
    for_all(cx, strategy, async |(compression, append_time, script)| {
        field_for_field(cx, compression, *append_time, script).await
    })
    .await
}

async fn field_for_field(
    cx: &Cx,
    compression: &str,
    append_time: bool,
    script: &Script,
) -> Outcome {
    let timestamps = if append_time { "LogAppendTime" } else { "CreateTime" };
    let spec = TopicSpec::default()
        .config("compression.type", compression)
        .config("message.timestamp.type", timestamps);
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let (mut end, mut expected) = (0, Vec::new());
    for sent in &script.batches {
        let batch = sent.batch(cx.wall_ms(), LARGEST);
        let body = leader.ask(cx.produce(&to, batch.encode())?).await?.expect_ok()?;
        body.expect_number("responses[0].partition_responses[0].base_offset", end)?;
        let named = body.at("responses[0].partition_responses[0].log_append_time_ms")?;
        let named = if let Value::Int(time) = named { time } else { -1 };
        body.require(
            (named >= 0) == append_time,
            format!("log_append_time_ms of {timestamps}"),
            || named.to_string(),
        )?;
        let codec = match compression {
            "producer" => batch.codec.name(),
            "uncompressed" => Codec::None.name(),
            other => other,
        };
        for record in &batch.records {
            let timestamp = if append_time { named } else { batch.timestamp(record) };
            expected.push(Seen::new(codec, end, timestamp, record));
            end += 1;
        }
    }
    let mut got = Vec::new();
    for entry in fetched(cx, &mut leader, &to, end).await? {
        let Entry::Batch(batch, _) = entry else {
            return Err(Failure::failed("batches of magic 2", "messages of an older format"));
        };
        got.extend(batch.records.iter().map(|record| {
            let offset = batch.base_offset + i64::from(record.offset_delta);
            Seen::new(batch.codec.name(), offset, batch.timestamp(record), record)
        }));
    }
    if let Some(at) =
        (0..expected.len().max(got.len())).find(|at| expected.get(*at) != got.get(*at))
    {
        let expected = format!("record {at} of {}: {:?}", expected.len(), expected.get(at));
        return Err(Failure::failed(expected, format!("of {}: {:?}", got.len(), got.get(at))));
    }
    Ok(())
}

/// What must be the same of a record.
#[derive(Debug, PartialEq)]
struct Seen {
    codec: String,
    offset: i64,
    timestamp: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Vec<Header>,
}

impl Seen {
    fn new(codec: &str, offset: i64, timestamp: i64, record: &Record) -> Self {
        let Record { key, value, headers, .. } = record.clone();
        Self { codec: codec.to_owned(), offset, timestamp, key, value, headers }
    }
}
