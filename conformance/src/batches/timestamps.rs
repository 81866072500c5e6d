//! Timestamps in a batch of magic 2, under create time and under log append time (KIP-32). Read with
//! Fetch (1), version 4 on.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::log::{fetched, only};

scenarios![
    a_wrong_largest_timestamp_is_set_right,
    log_append_time_is_the_time_of_every_record,
    each_record_keeps_its_own_time,
    log_append_time_leaves_the_producers_times_in_the_bytes,
];

const APPEND_TIME: &str = "responses[0].partition_responses[0].log_append_time_ms";

/// Where the max_timestamp that was sent is not the largest timestamp of the records, the broker
/// stores the true one, with a CRC that fits.
#[scenario("BATCH-006", api = Fetch, versions = 4.., vary = ["too large", "too small", "gzip"])]
async fn a_wrong_largest_timestamp_is_set_right(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let now = cx.wall_ms();
    let lie = if cx.variant() == "too small" { now - 100_000 } else { now + 100_000 };
    let sent = Batch { max_timestamp: lie, ..times(now, codec(cx)) };
    cx.append(&to, sent.encode()).await?;
    let (stored, _) = only(cx, &to, 0).await?;
    let got = (stored.base_timestamp, stored.max_timestamp);
    require(got == (now, now + 5), &format!("{now} to {}", now + 5), || format!("{got:?}"))
}

/// On a topic with log append time a batch has bit 3 of its attributes set, and max_timestamp is
/// the time of the append, the log_append_time_ms of the answer to its Produce; that is the
/// timestamp of every record, whatever base_timestamp and the deltas say.
#[scenario("BATCH-007", api = Fetch, versions = 4.., vary = ["none", "gzip"])]
async fn log_append_time_is_the_time_of_every_record(cx: &mut Cx) -> Outcome {
    let to = appending(cx).await?;
    let sent = times(cx.wall_ms() - 600_000, codec(cx)).encode();
    let request = requests::produce(cx.newest(keys::Produce)?, &to, sent);
    let told = cx.leader(&to).await?.ask_newest(request).await?.ok()?.at(APPEND_TIME)?;

    let contents = fetched(cx, &to, 0).await?;
    let batches: Vec<_> = contents
        .batches()
        .map(|batch| (batch.log_append_time, Value::Int(batch.max_timestamp)))
        .collect();
    require(
        batches == [(true, told.clone())],
        &format!("one batch with bit 3 and {told}"),
        || format!("{batches:?}"),
    )?;
    let now = cx.wall_ms();
    let near = matches!(told, Value::Int(told) if (told - now).abs() < 300_000);
    require(near, &format!("an append time near {now}"), || told.to_string())
}

/// Each record of a batch keeps its own timestamp, in whatever order they are, and max_timestamp is
/// the largest of them: as sent, and where the broker compresses anew.
#[scenario("BATCH-021", api = Fetch, versions = 4.., vary = ["as sent", "compressed anew"])]
async fn each_record_keeps_its_own_time(cx: &mut Cx) -> Outcome {
    let to = if cx.variant() == "as sent" {
        cx.partition().await?
    } else {
        let spec = TopicSpec::default().config("compression.type", "gzip");
        cx.topic_with(spec).await?.partition(0)
    };
    let now = cx.wall_ms();
    cx.append(&to, times(now, Codec::None).encode()).await?;
    let contents = fetched(cx, &to, 0).await?;
    let got: Vec<i64> = contents.records().map(|record| record.timestamp - now).collect();
    require(got == [0, 5, 3], &format!("{now}, 5 ms and 3 ms more"), || format!("{got:?}"))?;
    let largest: Vec<i64> = contents.batches().map(|batch| batch.max_timestamp - now).collect();
    require(largest == [5], "a max_timestamp 5 ms after the first", || format!("{largest:?}"))
}

/// On a topic with log append time base_timestamp and the deltas of the records stay as the producer
/// sent them, compressed or not: only bit 3 of the attributes, max_timestamp and crc change.
#[scenario("BATCH-020", api = Fetch, versions = 4.., vary = ["none", "gzip"])]
async fn log_append_time_leaves_the_producers_times_in_the_bytes(cx: &mut Cx) -> Outcome {
    let to = appending(cx).await?;
    let sent = times(cx.wall_ms() - 600_000, codec(cx));
    cx.append(&to, sent.encode()).await?;
    let (stored, raw) = only(cx, &to, 0).await?;
    require(stored.attributes() == sent.attributes() | 8, "the attributes with bit 3", || {
        stored.attributes().to_string()
    })?;
    require(stored.base_timestamp == sent.base_timestamp, "the producer's base_timestamp", || {
        format!("{} in place of {}", stored.base_timestamp, sent.base_timestamp)
    })?;
    require(raw.get(61..) == sent.encode().get(61..), "the bytes of the records as sent", || {
        format!("{raw:02x?}")
    })
}

/// Three records: at this time, 5 ms and 3 ms after it.
fn times(base: i64, codec: Codec) -> Batch {
    let mut batch = Batch::new().with_timestamp(base).with_codec(codec);
    for (value, timestamp_delta) in [("first", 0), ("last", 5), ("between", 3)] {
        batch = batch.push(records::Record { timestamp_delta, ..records::Record::of(value) });
    }
    batch
}

/// A partition of a topic with log append time.
async fn appending(cx: &Cx) -> Result<Partition, Failure> {
    let spec = TopicSpec::default().config("message.timestamp.type", "LogAppendTime");
    Ok(cx.topic_with(spec).await?.partition(0))
}

fn codec(cx: &Cx) -> Codec {
    if cx.variant() == "gzip" { Codec::Gzip } else { Codec::None }
}
