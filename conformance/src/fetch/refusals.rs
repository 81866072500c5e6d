//! Fetch (1): what comes with an error of a partition, and requests that make little sense.
//!
//! Apache Kafka 3.x sends null records in some error answers, 4.0 and later never do. Not covered:
//! partitions that may not be read beside known and unknown topic ids in one request.

use bytes::Bytes;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};
use kconform_scenario::wire::schema::Value;

use super::answers::{
    ERROR, LONG_WAIT, NO_SUCH_INDEX, RECORDS, at_once, expect_code, expect_no_topics,
    expect_offsets, expect_value, fetch_all, listed, no_such_topic, result, unknown,
};
use super::epochs::with_epoch;
use super::limits::limited;

scenarios![
    a_position_out_of_range_comes_without_offsets,
    a_negative_limit_is_an_error_of_the_partition,
    an_unknown_isolation_level_is_an_error,
    a_topic_that_may_not_be_read_leaves_the_others_alone,
    a_fetch_of_nothing_is_answered_at_once,
    a_partition_named_twice_is_answered_once,
    records_are_empty_and_not_null_where_the_partition_is_refused,
    records_are_empty_and_not_null_for_an_unknown_epoch,
    the_zero_topic_id_beside_an_unknown_one_fails,
    the_zero_and_an_unknown_topic_id_alone_are_refused_each,
];

/// With OFFSET_OUT_OF_RANGE (1) the partition shows high_watermark -1, last_stable_offset -1,
/// log_start_offset -1 and empty records.
#[scenario("FETCH-006", api = Fetch, versions = 4..)]
async fn a_position_out_of_range_comes_without_offsets(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let body = leader.ask(cx.fetch(&from, 5)?).await?.expect_answer()?;
    expect_code(&body, &from, OffsetOutOfRange)?;
    body.expect_number("responses[0].partitions[0].high_watermark", -1)?;
    body.expect_number("responses[0].partitions[0].last_stable_offset", -1)?;
    if cx.version() >= 5 {
        body.expect_number("responses[0].partitions[0].log_start_offset", -1)?;
    }
    let records = body.at(RECORDS)?;
    body.require(records == Value::Bytes(Bytes::new()), "no records", || records.to_string())
}

/// A negative partition_max_bytes where there are records to read is answered with
/// UNKNOWN_SERVER_ERROR (-1) and no records on that partition; the connection serves on.
#[scenario("FETCH-029", api = Fetch, versions = 4..)]
async fn a_negative_limit_is_an_error_of_the_partition(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(limited(cx.fetch(&from, 0)?, -1)).await?;
    reply.expect_error_at(ERROR, UnknownServerError)?;
    expect_value(&reply, RECORDS, &Value::Bytes(Bytes::new()))?;
    // The connection lives on.
    let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])
}

/// isolation_level 2 is answered with UNKNOWN_SERVER_ERROR (-1): in versions 4 to 6 on each
/// partition, in 7 to 12 on each partition and at the top, from 13 on at the top alone, without
/// topics. The records beside it are null on 3.x and empty from 4.0 on. Where every topic asked for
/// was unknown, version 4 answered 3.
#[scenario("FETCH-058", api = Fetch, versions = 4..)]
async fn an_unknown_isolation_level_is_an_error(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    let reply = leader.ask(cx.fetch(&from, 0)?.with_isolation_level(2)).await?;
    if cx.version() >= 7 {
        reply.expect_error_at("error_code", UnknownServerError)?;
    }
    if cx.version() >= 13 {
        return expect_value(&reply, "responses", &Value::Array(Vec::new()));
    }
    reply.expect_error_at(ERROR, UnknownServerError)?;
    // KAFKA-18269 took the nulls out of Fetch answers.
    let none = if cx.since(4, 0) { Value::Bytes(Bytes::new()) } else { Value::Null };
    expect_value(&reply, RECORDS, &none)
}

/// Without READ on a topic (DESCRIBE is not enough) its partitions, existing or not, are answered
/// with TOPIC_AUTHORIZATION_FAILED (29), high_watermark -1 and no records, and the other partitions
/// are served. By name (versions 4 to 12) an unknown topic gets 29 as well; by id (13 and later) an
/// unknown id gets UNKNOWN_TOPIC_ID (100).
#[scenario("FETCH-065", api = Fetch, versions = 4.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn a_topic_that_may_not_be_read_leaves_the_others_alone(cx: &mut Cx) -> Outcome {
    let denied = cx.topic().await?.partition(0);
    let granted = cx.topic().await?.partition(0);
    for to in [&denied, &granted] {
        cx.write(to, &["a"]).await?;
    }
    let absent = Partition { index: NO_SUCH_INDEX, ..denied.clone() };
    let missing = unknown(cx, &denied);
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    let listener = Listener::SaslPlaintext;
    let mut conn = cx.log_in(listener, Role::Unprivileged, Mechanism::Plain).await?;
    for (of, right) in [(&denied, Operation::Describe), (&granted, Operation::Read)] {
        cx.grant(&mut conn, &user, Resource::Topic(&of.topic), right).await?;
    }

    let parts = [(&denied, 0), (&absent, 0), (&missing, 0), (&granted, 0)];
    let body = conn.ask(fetch_all(cx, &parts)?).await?.expect_answer()?;
    expect_offsets(&body, &granted, &[0])?;
    // Ids cannot be guessed, so that 100 gives nothing away (KIP-516).
    let of_missing = if cx.version() < 13 { TopicAuthorizationFailed } else { UnknownTopicId };
    let refused = TopicAuthorizationFailed;
    for (of, code) in [(&denied, refused), (&absent, refused), (&missing, of_missing)] {
        expect_code(&body, of, code)?;
        let found = result(&body, of)?;
        let bare = found.high_watermark == -1 && found.records.as_ref().is_none_or(Bytes::is_empty);
        body.require(bare, "high_watermark -1 and no records", || format!("{found:?}"))?;
    }
    Ok(())
}

/// A Fetch of no topics outside a session is answered at once with error 0 and no topics.
#[scenario("FETCH-066", api = Fetch, versions = 4..)]
async fn a_fetch_of_nothing_is_answered_at_once(cx: &mut Cx) -> Outcome {
    let any = cx.partition().await?;
    let mut leader = cx.leader(&any).await?;
    let request = cx.fetch(&any, 0)?.with_topics(Vec::new()).with_min_bytes(1);
    let body = leader.ask(request.with_max_wait_ms(LONG_WAIT)).await?.expect_ok()?;
    expect_no_topics(&body)?;
    at_once(&body)
}

/// A partition that is named twice in one request is answered once, from the offset named last.
#[scenario("FETCH-068", api = Fetch, versions = 4.., vary = ["0 then 2", "2 then 0"])]
async fn a_partition_named_twice_is_answered_once(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    for value in ["a", "b", "c"] {
        cx.write(&from, &[value]).await?;
    }
    let mut leader = cx.leader(&from).await?;
    let (first, second, expected) =
        if cx.variant() == "0 then 2" { (0, 2, &[2][..]) } else { (2, 0, &[0, 1, 2][..]) };
    let body = leader.ask(fetch_all(cx, &[(&from, first), (&from, second)])?).await?.expect_ok()?;
    let got = listed(&body, &[&from]);
    body.require(got == [Some(0)], "one result", || format!("{got:?}"))?;
    expect_offsets(&body, &from, expected)
}

/// The records of a partition that is refused (1, 3, 75, 100) have zero length and are not null.
/// Null comes from 3.x alone: in answers that are an error as a whole (FETCH-058, versions 4 to
/// 12), and with 76 or 35; from 4.0 on those have zero length too.
#[scenario("FETCH-069", api = Fetch, versions = 4..)]
async fn records_are_empty_and_not_null_where_the_partition_is_refused(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let past = Partition { index: NO_SUCH_INDEX, ..from.clone() };
    let missing = unknown(cx, &from);
    let mut leader = cx.leader(&from).await?;
    let parts = [(&from, 9), (&past, 0), (&missing, 0)];
    let body = leader.ask(fetch_all(cx, &parts)?).await?.expect_answer()?;
    let codes = [OffsetOutOfRange, UnknownTopicOrPartition, no_such_topic(cx)];
    for ((of, _), code) in parts.into_iter().zip(codes) {
        expect_code(&body, of, code)?;
        let records = &result(&body, of)?.records;
        body.require(records.as_ref().is_some_and(Bytes::is_empty), "records of no bytes", || {
            format!("{records:?}")
        })?;
    }
    Ok(())
}

/// The records of a partition that is refused (1, 3, 75, 100) have zero length and are not null.
/// Null comes from 3.x alone: in answers that are an error as a whole (FETCH-058, versions 4 to
/// 12), and with 76 or 35; from 4.0 on those have zero length too.
#[scenario("FETCH-069", api = Fetch, versions = 9..)]
async fn records_are_empty_and_not_null_for_an_unknown_epoch(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let epoch = cx.leadership(&from).await?.epoch;
    let reply = leader.ask(with_epoch(cx.fetch(&from, 0)?, epoch + 1)).await?;
    reply.expect_error_at(ERROR, UnknownLeaderEpoch)?;
    expect_value(&reply, RECORDS, &Value::Bytes(Bytes::new()))
}

/// The zero topic id behind an unknown one and before another failed partition, outside a session
/// ([unknown id, zero id, good partition, unknown index of a known id]), is answered at the top
/// with UNKNOWN_SERVER_ERROR (-1) and no topics (a NullPointerException in the broker), and the
/// connection serves on; a broker that answers 100 and 3 on the partitions is right too. An unknown
/// and the zero id alone get 100 each outside a session; in a full Fetch that opens a session they
/// got -1 on 3.9 and 4.1.
#[scenario("FETCH-075", api = Fetch, versions = 13..)]
async fn the_zero_topic_id_beside_an_unknown_one_fails(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    cx.write(&good, &["a"]).await?;
    let absent = Partition { index: NO_SUCH_INDEX, ..good.clone() };
    let (missing, zero) = (unknown(cx, &good), zero(&good));
    let mut leader = cx.leader(&good).await?;
    let parts = [(&missing, 0), (&zero, 0), (&good, 0), (&absent, 0)];
    let reply = leader.ask(fetch_all(cx, &parts)?).await?;
    if reply.at("error_code")? == Value::Int(0) {
        let body = reply.expect_answer()?;
        expect_code(&body, &missing, UnknownTopicId)?;
        expect_code(&body, &zero, UnknownTopicId)?;
        expect_code(&body, &absent, UnknownTopicOrPartition)?;
        expect_offsets(&body, &good, &[0])?;
    } else {
        reply.expect_error_at("error_code", UnknownServerError)?;
        expect_value(&reply, "responses", &Value::Array(Vec::new()))?;
    }
    // The connection serves on.
    let body = leader.ask(cx.fetch(&good, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &good, &[0])
}

/// The zero topic id behind an unknown one and before another failed partition, outside a session
/// ([unknown id, zero id, good partition, unknown index of a known id]), is answered at the top
/// with UNKNOWN_SERVER_ERROR (-1) and no topics (a NullPointerException in the broker), and the
/// connection serves on; a broker that answers 100 and 3 on the partitions is right too. An unknown
/// and the zero id alone get 100 each outside a session; in a full Fetch that opens a session they
/// got -1 on 3.9 and 4.1.
#[scenario("FETCH-075", api = Fetch, versions = 13..)]
async fn the_zero_and_an_unknown_topic_id_alone_are_refused_each(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    let (missing, zero) = (unknown(cx, &good), zero(&good));
    let mut leader = cx.leader(&good).await?;
    let body = leader.ask(fetch_all(cx, &[(&missing, 0), (&zero, 0)])?).await?.expect_answer()?;
    body.expect_number("error_code", 0)?;
    expect_code(&body, &missing, UnknownTopicId)?;
    expect_code(&body, &zero, UnknownTopicId)
}

/// The partition under the topic id that means none.
fn zero(like: &Partition) -> Partition {
    Partition { topic_id: uuid::Uuid::nil(), ..like.clone() }
}
