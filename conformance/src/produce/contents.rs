//! Produce (0): what becomes of keys, values, headers and timestamps.
//!
//! Message sets (versions 0 to 2) have no headers, and those of magic 0 (versions 0 and 1) no
//! timestamps.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::{Header, Record};

use super::answers::encoded;

scenarios![
    a_create_time_topic_keeps_the_producers_time,
    a_log_append_time_topic_tells_its_own_time,
    null_and_empty_stay_distinct,
    headers_survive_in_order,
];

const MINUTE: i64 = 60_000;
const APPEND_TIME: &str = "responses[0].partition_responses[0].log_append_time_ms";

/// On a topic with create time, log_append_time_ms is -1 and the records keep their timestamps;
/// with log append time it is the broker's time in milliseconds and equals the timestamp of every
/// record fetched back.
#[scenario("PRODUCE-002", api = Produce, versions = 2..)]
async fn a_create_time_topic_keeps_the_producers_time(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let records = aged(cx);
    let earliest = cx.wall_ms() - 10 * MINUTE;

    leader.ask(cx.produce(&to, records)?).await?.expect_ok()?.expect_number(APPEND_TIME, -1)?;
    let times = times(cx, &to).await?;
    let kept = matches!(times[..], [first, second] if second == first + MINUTE
        && (earliest - MINUTE..=earliest).contains(&first));
    require(kept, "the timestamps as sent, a minute apart", || format!("{times:?}"))
}

/// On a topic with create time, log_append_time_ms is -1 and the records keep their timestamps;
/// with log append time it is the broker's time in milliseconds and equals the timestamp of every
/// record fetched back.
#[scenario("PRODUCE-002", api = Produce, versions = 2..)]
async fn a_log_append_time_topic_tells_its_own_time(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("message.timestamp.type", "LogAppendTime");
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;

    let body = leader.ask(cx.produce(&to, aged(cx))?).await?.expect_ok()?;
    let told = body.at(APPEND_TIME)?;
    // Clocks may differ by minutes, but not by as much as the records are old.
    let now = cx.wall_ms();
    let near = matches!(told, Value::Int(told) if (told - now).abs() < 5 * MINUTE);
    body.require(near, format!("{APPEND_TIME} near {now}"), || told.to_string())?;
    let times: Vec<Value> = times(cx, &to).await?.into_iter().map(Value::Int).collect();
    body.require(times == [told.clone(), told.clone()], format!("{told} on both records"), || {
        format!("{times:?}")
    })
}

/// A null key, an empty key, a null value and an empty value survive unchanged and distinct.
#[scenario("PRODUCE-052", api = Produce)]
async fn null_and_empty_stay_distinct(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let (null, empty, some) = (None, Some(Bytes::new()), Some(Bytes::from_static(b"x")));
    let pairs = [(&null, &some), (&empty, &some), (&some, &null), (&some, &empty), (&null, &null)];
    let sent = pairs.map(|(key, value)| Record {
        key: key.clone(),
        value: value.clone(),
        ..Record::default()
    });

    leader.ask(cx.produce(&to, encoded(cx, Codec::None, &sent))?).await?.expect_ok()?;
    let stored = cx.read_log(&to, 0).await?;
    let stored: Vec<_> =
        stored.records().map(|record| (record.key.cloned(), record.value.cloned())).collect();
    let sent = pairs.map(|(key, value)| (key.clone(), value.clone()));
    require(stored == sent, &format!("keys and values {sent:?}"), || format!("{stored:?}"))
}

/// Headers survive in their order, duplicate keys, empty keys and all, and a null value (length -1)
/// stays distinct from an empty one.
#[scenario("PRODUCE-053", api = Produce, versions = 3..)]
async fn headers_survive_in_order(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let header = |key: &'static str, value: Option<&'static str>| Header {
        key: key.into(),
        value: value.map(|value| Bytes::from_static(value.as_bytes())),
    };
    let headers = vec![
        header("twice", Some("second")),
        header("a", None),
        header("twice", Some("first")),
        header("", Some("of an empty key")),
        header("b", Some("")),
    ];
    let sent = Record { headers: headers.clone(), ..Record::of("value") };

    leader.ask(cx.produce(&to, encoded(cx, Codec::None, &[sent]))?).await?.expect_ok()?;
    let stored = cx.read_log(&to, 0).await?;
    let stored: Vec<_> = stored.records().map(|record| record.headers.to_vec()).collect();
    require(stored == [headers.clone()], &format!("the headers {headers:?}"), || {
        format!("{stored:?}")
    })
}

/// Two records of ten and nine minutes ago.
fn aged(cx: &Cx) -> Bytes {
    let aged =
        |value, minutes: i64| Record { timestamp_delta: -minutes * MINUTE, ..Record::of(value) };
    encoded(cx, Codec::None, &[aged("older", 10), aged("old", 9)])
}

/// The timestamps in the log.
async fn times(cx: &Cx, of: &Partition) -> Result<Vec<i64>, Failure> {
    Ok(cx.read_log(of, 0).await?.records().map(|record| record.timestamp).collect())
}
