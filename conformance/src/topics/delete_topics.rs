//! DeleteTopics (20): by name and, from version 6 on (KIP-516), by topic id.
//!
//! Version 4 is flexible, version 5 brought messages. The rights of those who delete stand in
//! `delete_topics_rights.rs`.

use kafka_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use kafka_protocol::messages::{DeleteTopicsResponse, TopicName};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use uuid::Uuid;

use super::topic_again;

scenarios![
    a_deleted_topic_is_gone_for_good,
    a_deleted_topic_is_unknown_by_its_id,
    a_topic_is_deleted_by_its_id,
    an_unknown_name_is_refused,
    an_unknown_id_is_refused,
    name_and_id_exclude_each_other,
    a_topic_named_twice_is_not_deleted,
    an_id_named_twice_is_not_deleted,
    name_and_id_of_one_topic_are_not_deleted,
    a_broker_may_be_told_not_to_delete,
    every_topic_has_its_result_in_any_order,
    the_old_id_never_leads_to_the_new_topic,
    nothing_is_deleted_without_an_error,
];

/// Where the one result of an answer says what became of it.
const CODE: &str = "responses[0].error_code";

/// How long a deletion may take to reach every log.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// A topic deleted by name is answered with error 0 and then disappears from Metadata; Produce and
/// Fetch by name then get UNKNOWN_TOPIC_OR_PARTITION (3), by id (version 13 and later of both)
/// UNKNOWN_TOPIC_ID (100), and a Produce does not bring the topic back.
#[scenario("DT-001", api = DeleteTopics)]
async fn a_deleted_topic_is_gone_for_good(cx: &mut Cx) -> Outcome {
    let gone = cx.topic().await?.partition(0);
    cx.write(&gone, &["a"]).await?;
    let mut conn = cx.leader(&gone).await?;
    let body = conn.ask(by_name(cx, &[&gone.topic])).await?.expect_ok()?;
    expect_results(&body, &[(Some(&gone.topic), Code::NONE)])?;
    expect_unlisted(cx, &mut conn, &gone).await?;

    let last_by_name = cx.newest(keys::Produce)?.min(cx.newest(keys::Fetch)?).min(12);
    let records = requests::records(last_by_name, &["b"], cx.wall_ms());
    let write = requests::produce(last_by_name, &gone, records);
    let read = requests::fetch(last_by_name, &gone, 0);
    let mut tries = cx.tries("the partition to be gone", GONE_WITHIN);
    loop {
        let written = conn.ask_at(last_by_name, write.clone(), &[]).await?.expect_answer()?;
        let read = conn.ask_at(last_by_name, read.clone(), &[]).await?.expect_answer()?;
        let written = written.responses.first().and_then(|topic| topic.partition_responses.first());
        let read = read.responses.first().and_then(|topic| topic.partitions.first());
        let got = (written.map(|it| it.error_code), read.map(|it| it.error_code));
        let unknown = Some(UnknownTopicOrPartition.code());
        if got == (unknown, unknown) {
            break;
        }
        tries.expect(format!("{got:?} for Produce and Fetch")).await?;
    }
    expect_unlisted(cx, &mut conn, &gone).await
}

/// A topic deleted by name is answered with error 0 and then disappears from Metadata; Produce and
/// Fetch by name then get UNKNOWN_TOPIC_OR_PARTITION (3), by id (version 13 and later of both)
/// UNKNOWN_TOPIC_ID (100), and a Produce does not bring the topic back.
#[scenario("DT-001", api = DeleteTopics, needs = [Api(keys::Fetch, 13)])]
async fn a_deleted_topic_is_unknown_by_its_id(cx: &mut Cx) -> Outcome {
    let gone = cx.topic().await?.partition(0);
    cx.write(&gone, &["a"]).await?;
    let mut conn = cx.leader(&gone).await?;
    conn.ask(by_name(cx, &[&gone.topic])).await?.expect_ok()?;

    let (fetch, produce) = (cx.newest(keys::Fetch)?, cx.newest(keys::Produce)?);
    let read = requests::fetch(fetch, &gone, 0);
    let mut tries = cx.tries("the id to be unknown", GONE_WITHIN);
    loop {
        let body = conn.ask(read.clone()).await?.expect_answer()?;
        let found = body.responses.first().and_then(|topic| topic.partitions.first());
        let code = Code(found.map_or(0, |found| found.error_code));
        if code == UnknownTopicId.into() {
            break;
        }
        tries.expect(code).await?;
    }
    if produce >= 13 {
        let records = requests::records(produce, &["b"], cx.wall_ms());
        let reply = conn.ask(requests::produce(produce, &gone, records)).await?;
        let code = "responses[0].partition_responses[0].error_code";
        reply.expect_error_at(code, UnknownTopicId)?;
    }
    expect_unlisted(cx, &mut conn, &gone).await
}

/// A topic deleted by topic_id, with a null name, is answered with error 0, its name and its id;
/// one that is deleted by name in version 6 is answered with its id, too.
#[scenario("DT-002", api = DeleteTopics, versions = 6.., vary = ["by id", "by name"])]
async fn a_topic_is_deleted_by_its_id(cx: &mut Cx) -> Outcome {
    let gone = cx.topic().await?.partition(0);
    let mut conn = cx.connect().await?;
    let request = if cx.variant() == "by id" {
        by_states(vec![of_id(gone.topic_id)])
    } else {
        by_name(cx, &[&gone.topic])
    };
    let body = conn.ask(request).await?.expect_ok()?;
    expect_results(&body, &[(Some(&gone.topic), Code::NONE)])?;
    let id = body.responses.first().map(|result| result.topic_id);
    body.require(id == Some(gone.topic_id), format!("topic_id = {}", gone.topic_id), || {
        format!("{id:?}")
    })?;
    expect_unlisted(cx, &mut conn, &gone).await
}

/// An unknown topic id (version 6) is answered with UNKNOWN_TOPIC_ID (100), that id and a null
/// name, an unknown name with UNKNOWN_TOPIC_OR_PARTITION (3).
#[scenario("DT-003", api = DeleteTopics)]
async fn an_unknown_name_is_refused(cx: &mut Cx) -> Outcome {
    let name = cx.name("topic");
    let body = cx.connect().await?.ask(by_name(cx, &[&name])).await?.expect_answer()?;
    expect_results(&body, &[(Some(&name), UnknownTopicOrPartition.into())])
}

/// An unknown topic id (version 6) is answered with UNKNOWN_TOPIC_ID (100), that id and a null
/// name, an unknown name with UNKNOWN_TOPIC_OR_PARTITION (3).
#[scenario("DT-003", api = DeleteTopics, versions = 6..)]
async fn an_unknown_id_is_refused(cx: &mut Cx) -> Outcome {
    let unknown = unlike(cx.partition().await?.topic_id);
    let request = by_states(vec![of_id(unknown)]);
    let body = cx.connect().await?.ask(request).await?.expect_answer()?;
    expect_results(&body, &[(None, UnknownTopicId.into())])?;
    let id = body.responses.first().map(|result| result.topic_id);
    body.require(id == Some(unknown), format!("topic_id = {unknown}"), || format!("{id:?}"))
}

/// An entry with both a name and an id, and one with neither (null name, zero id), is answered with
/// INVALID_REQUEST (42), and the topic stays.
#[scenario("DT-004", api = DeleteTopics, versions = 6.., vary = ["both", "neither"])]
async fn name_and_id_exclude_each_other(cx: &mut Cx) -> Outcome {
    let stays = cx.topic().await?.partition(0);
    let state = match cx.variant() {
        "both" => of_id(stays.topic_id).with_name(Some(TopicName(text(&stays.topic)))),
        _ => of_id(Uuid::nil()),
    };
    let mut conn = cx.connect().await?;
    let reply = conn.ask(by_states(vec![state])).await?;
    reply.expect_error_at(CODE, InvalidRequest)?;
    expect_listed(cx, &mut conn, &stays).await
}

/// A name, or an id, that stands twice in the request is answered once, with INVALID_REQUEST (42),
/// and the topic stays.
#[scenario("DT-005", api = DeleteTopics, versions = 1..)]
async fn a_topic_named_twice_is_not_deleted(cx: &mut Cx) -> Outcome {
    let stays = cx.topic().await?.partition(0);
    let mut conn = cx.connect().await?;
    let twice = by_name(cx, &[&stays.topic, &stays.topic]);
    let body = conn.ask(twice).await?.expect_answer()?;
    expect_results(&body, &[(Some(&stays.topic), InvalidRequest.into())])?;
    expect_listed(cx, &mut conn, &stays).await
}

/// A name, or an id, that stands twice in the request is answered once, with INVALID_REQUEST (42),
/// and the topic stays.
#[scenario("DT-005", api = DeleteTopics, versions = 6..)]
async fn an_id_named_twice_is_not_deleted(cx: &mut Cx) -> Outcome {
    let stays = cx.topic().await?.partition(0);
    let mut conn = cx.connect().await?;
    let twice = by_states(vec![of_id(stays.topic_id), of_id(stays.topic_id)]);
    let body = conn.ask(twice).await?.expect_answer()?;
    let got: Vec<_> =
        body.responses.iter().map(|result| (result.topic_id, Code(result.error_code))).collect();
    let expected = [(stays.topic_id, Code::from(InvalidRequest))];
    body.require(got == expected, format!("{expected:?}"), || format!("{got:?}"))?;
    expect_listed(cx, &mut conn, &stays).await
}

/// A topic that stands in the request by its name and again by its id is answered with
/// INVALID_REQUEST (42), and stays.
#[scenario("DT-006", api = DeleteTopics, versions = 6..)]
async fn name_and_id_of_one_topic_are_not_deleted(cx: &mut Cx) -> Outcome {
    let stays = cx.topic().await?.partition(0);
    let mut conn = cx.connect().await?;
    let name = DeleteTopicState::default().with_name(Some(TopicName(text(&stays.topic))));
    let body = conn.ask(by_states(vec![name, of_id(stays.topic_id)])).await?.expect_answer()?;
    let got: Vec<Code> = body.responses.iter().map(|result| Code(result.error_code)).collect();
    let refused = !got.is_empty() && got.iter().all(|code| *code == InvalidRequest.into());
    body.require(refused, "INVALID_REQUEST (42) alone", || format!("{got:?}"))?;
    expect_listed(cx, &mut conn, &stays).await
}

/// With delete.topic.enable=false on the broker every topic is refused with TOPIC_DELETION_DISABLED
/// (73), in versions 0 to 2 with INVALID_REQUEST (42), and stays.
#[scenario("DT-007", api = DeleteTopics, needs = [Shape("locked-topics")])]
async fn a_broker_may_be_told_not_to_delete(cx: &mut Cx) -> Outcome {
    let stays = cx.topic().await?.partition(0);
    let mut conn = cx.connect().await?;
    let body = conn.ask(by_name(cx, &[&stays.topic])).await?.expect_answer()?;
    // Version 3 brought the code.
    let code = if cx.version() < 3 { InvalidRequest } else { TopicDeletionDisabled };
    expect_results(&body, &[(Some(&stays.topic), code.into())])?;
    expect_listed(cx, &mut conn, &stays).await
}

/// The results stand in no particular order; each topic has one.
#[scenario("DT-010", api = DeleteTopics, versions = 1..)]
async fn every_topic_has_its_result_in_any_order(cx: &mut Cx) -> Outcome {
    let known = cx.topic().await?.name;
    let unknown: Vec<String> = (0..6).map(|_| cx.name("topic")).collect();
    let mut names: Vec<&str> = unknown.iter().map(String::as_str).collect();
    names.insert(3, &known);
    let body = cx.connect().await?.ask(by_name(cx, &names)).await?.expect_answer()?;
    let code = |name| if name == known { Code::NONE } else { UnknownTopicOrPartition.into() };
    let expected: Vec<_> = names.iter().map(|name| (Some(*name), code(*name))).collect();
    expect_results(&body, &expected)
}

/// When a topic was deleted and made again under the same name, a Fetch (version 13 and later) or
/// Produce (13 and later, 4.1 and later) with the old id is answered with UNKNOWN_TOPIC_ID (100),
/// and the new log is empty.
#[scenario("DT-011", api = DeleteTopics, versions = 6.., needs = [Api(keys::Fetch, 13)])]
async fn the_old_id_never_leads_to_the_new_topic(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?.partition(0);
    cx.write(&old, &["old"]).await?;
    let mut conn = cx.connect().await?;
    conn.ask(by_states(vec![of_id(old.topic_id)])).await?.expect_ok()?;
    expect_unlisted(cx, &mut conn, &old).await?;
    let new = topic_again(cx, &old).await?;

    let mut leader = cx.leader(&new).await?;
    let fetch = cx.newest(keys::Fetch)?;
    let reply = leader.ask(requests::fetch(fetch, &old, 0)).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", UnknownTopicId)?;
    let produce = cx.newest(keys::Produce)?;
    if produce >= 13 {
        let records = requests::records(produce, &["lost"], cx.wall_ms());
        let reply = leader.ask(requests::produce(produce, &old, records)).await?;
        let code = "responses[0].partition_responses[0].error_code";
        reply.expect_error_at(code, UnknownTopicId)?;
    }
    let body = leader.ask(requests::fetch(fetch, &new, 0)).await?.expect_ok()?;
    let found = body.responses.first().and_then(|topic| topic.partitions.first());
    let end = found.map(|found| found.high_watermark);
    body.require(end == Some(0), "an empty log", || format!("{found:?}"))
}

/// An empty list is answered with an empty list.
#[scenario("DT-012", api = DeleteTopics, versions = 1..)]
async fn nothing_is_deleted_without_an_error(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(by_name(cx, &[])).await?.expect_ok()?;
    expect_results(&body, &[])
}

/// A DeleteTopics of these names, laid out as the case's version wants it.
pub(super) fn by_name(cx: &Cx, names: &[&str]) -> DeleteTopicsRequest {
    let names = names.iter().map(|name| TopicName(text(*name)));
    if cx.version() < 6 {
        return DeleteTopicsRequest::default()
            .with_topic_names(names.collect())
            .with_timeout_ms(30_000);
    }
    by_states(names.map(|name| DeleteTopicState::default().with_name(Some(name))).collect())
}

/// A DeleteTopics of version 6 or later.
pub(super) fn by_states(topics: Vec<DeleteTopicState>) -> DeleteTopicsRequest {
    DeleteTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// A topic by its id alone.
pub(super) fn of_id(id: Uuid) -> DeleteTopicState {
    DeleteTopicState::default().with_name(None).with_topic_id(id)
}

/// An id that no topic has: it differs from one in its last bits, which are random.
pub(super) fn unlike(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ 0xffff)
}

/// The answer has these results, in whatever order.
pub(super) fn expect_results(
    body: &Body<DeleteTopicsResponse>,
    expected: &[(Option<&str>, Code)],
) -> Outcome {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let results = body.responses.iter();
    let mut got: Vec<_> = results
        .map(|result| (result.name.as_ref().map(|name| name.as_str()), Code(result.error_code)))
        .collect();
    got.sort_unstable();
    body.require(got == expected, format!("the results {expected:?}"), || format!("{got:?}"))
}

/// The metadata have the topic, under its id.
pub(super) async fn expect_listed(cx: &Cx, conn: &mut Conn, stays: &Partition) -> Outcome {
    let version = cx.newest(keys::Metadata)?;
    let body = conn.ask(requests::metadata(version, &[&stays.topic])).await?.expect_ok()?;
    let got = body.topics.first().map(|found| found.topic_id);
    body.require(got == Some(stays.topic_id), "the topic, as it was", || format!("{got:?}"))
}

/// The metadata come to have the topic no more.
async fn expect_unlisted(cx: &Cx, conn: &mut Conn, gone: &Partition) -> Outcome {
    let version = cx.newest(keys::Metadata)?;
    let mut tries = cx.tries("the topic to be gone", GONE_WITHIN);
    loop {
        let about = requests::metadata(version, &[&gone.topic]);
        let body = conn.ask(about).await?.expect_answer()?;
        let code = body.topics.first().map_or(0, |found| found.error_code);
        if code == UnknownTopicOrPartition.code() {
            return Ok(());
        }
        tries.expect(Code(code)).await?;
    }
}
