//! Records without the right to write or read them: Produce (0), Fetch (1), ListOffsets (2).
//!
//! From version 13 on, Produce and Fetch name topics by id (KIP-516). Not covered: transactional batches.

use kafka_protocol::messages::ProduceResponse;
use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::allowed::{expect_past, missing, unprivileged};

scenarios![
    produce_is_refused_for_the_topic_alone_that_may_not_be_written,
    produce_without_acks_closes_the_connection_when_refused,
    produce_does_not_tell_whether_a_topic_exists,
    fetch_needs_the_right_to_read,
    list_offsets_needs_the_right_to_describe,
];

/// Produce without WRITE on a topic answers TOPIC_AUTHORIZATION_FAILED (29) and base_offset -1 for
/// each of its partitions (from version 13 on by topic id too), while the topics of the same
/// request that may be written are written; with acks = 0 and a partition that is refused, the
/// connection is closed.
#[scenario("AUTHZ-006", api = Produce, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn produce_is_refused_for_the_topic_alone_that_may_not_be_written(cx: &mut Cx) -> Outcome {
    let (denied, granted) = (cx.partition().await?, cx.topic().await?.partition(0));
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Topic(&granted.topic);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Write).await?;

    let mut request = cx.produce(&denied, cx.records(&["denied"])?)?;
    request.topic_data.extend(cx.produce(&granted, cx.records(&["granted"])?)?.topic_data);
    let body = somebody.conn.ask(request).await?.expect_answer()?;
    let told = (result(&body, &denied), result(&body, &granted));
    let expected = (Some((TopicAuthorizationFailed.into(), -1)), Some((Code::NONE, 0)));
    body.require(told == expected, format!("{expected:?}"), || format!("{told:?}"))
}

/// Produce without WRITE on a topic answers TOPIC_AUTHORIZATION_FAILED (29) and base_offset -1 for
/// each of its partitions (from version 13 on by topic id too), while the topics of the same
/// request that may be written are written; with acks = 0 and a partition that is refused, the
/// connection is closed.
#[scenario("AUTHZ-006", api = Produce, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn produce_without_acks_closes_the_connection_when_refused(cx: &mut Cx) -> Outcome {
    let denied = cx.partition().await?;
    let mut somebody = unprivileged(cx).await?;
    let request = cx.produce(&denied, cx.records(&["denied"])?)?.with_acks(0);
    somebody.conn.tell(request).await?.unanswered();
    somebody.conn.expect_close().await
}

/// Produce to a topic that does not exist, without WRITE on its name, answers
/// TOPIC_AUTHORIZATION_FAILED (29) as for one that exists; from version 13 on an unknown topic id
/// answers UNKNOWN_TOPIC_ID (100).
#[scenario("AUTHZ-008", api = Produce, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn produce_does_not_tell_whether_a_topic_exists(cx: &mut Cx) -> Outcome {
    let missing = missing(cx);
    let mut somebody = unprivileged(cx).await?;
    let request = cx.produce(&missing, cx.records(&["nowhere"])?)?;
    // Topic ids (v13, KIP-516) are not guessable, so that nothing is given away.
    let refusal = if cx.version() < 13 { TopicAuthorizationFailed } else { UnknownTopicId };
    somebody.conn.ask(request).await?.expect_error(refusal)
}

/// Fetch without READ on a topic (DESCRIBE is not enough) answers TOPIC_AUTHORIZATION_FAILED (29),
/// no records and a high_watermark of -1, whether the topic exists or not; from version 13 on an
/// unknown topic id answers UNKNOWN_TOPIC_ID (100).
#[scenario("AUTHZ-009", api = Fetch, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn fetch_needs_the_right_to_read(cx: &mut Cx) -> Outcome {
    let (existing, missing) = (cx.topic().await?.partition(0), missing(cx));
    cx.write(&existing, &["secret"]).await?;
    let mut somebody = unprivileged(cx).await?;
    let right = Resource::Topic(&existing.topic);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;

    for (partition, by_id) in [(&existing, TopicAuthorizationFailed), (&missing, UnknownTopicId)] {
        let reply = somebody.conn.ask(cx.fetch(partition, 0)?).await?;
        let refusal = if cx.version() < 13 { TopicAuthorizationFailed } else { by_id };
        reply.expect_error_at("responses[0].partitions[0].error_code", refusal)?;
        let mark = reply.at("responses[0].partitions[0].high_watermark")?;
        require(mark.as_int() == Some(-1), "high_watermark = -1", || mark.to_string())?;
        let records = reply.at("responses[0].partitions[0].records")?;
        let none = records.as_bytes().is_none_or(|bytes| bytes.is_empty());
        require(none, "no records", || records.to_string())?;
    }
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Read).await?;
    let (request, refusal) = (cx.fetch(&existing, 0)?, TopicAuthorizationFailed);
    expect_past(cx, &mut somebody.conn, &request, refusal).await?.expect_ok()?;
    Ok(())
}

/// ListOffsets without DESCRIBE on a topic answers TOPIC_AUTHORIZATION_FAILED (29) and offset -1.
#[scenario("AUTHZ-011", api = ListOffsets, needs = [Authorizer, Listener(Listener::SaslPlaintext),
           User(Role::Unprivileged, "PLAIN")])]
async fn list_offsets_needs_the_right_to_describe(cx: &mut Cx) -> Outcome {
    let partition = cx.topic().await?.partition(0);
    let mut somebody = unprivileged(cx).await?;
    let request = requests::list_offsets(&partition, -1);
    let reply = somebody.conn.ask(request.clone()).await?;
    reply.expect_error_at("topics[0].partitions[0].error_code", TopicAuthorizationFailed)?;
    if cx.version() > 0 {
        let offset = reply.at("topics[0].partitions[0].offset")?;
        require(offset.as_int() == Some(-1), "offset = -1", || offset.to_string())?;
    }
    let right = Resource::Topic(&partition.topic);
    cx.grant(&mut somebody.conn, &somebody.name, right, Operation::Describe).await?;
    somebody.conn.ask(request).await?.expect_ok()?;
    Ok(())
}

/// Code and base offset of the answer for this partition.
fn result(body: &ProduceResponse, of: &Partition) -> Option<(Code, i64)> {
    let topic = body.responses.iter().find(|topic| {
        topic.name.0.as_str() == of.topic
            || (topic.topic_id == of.topic_id && !topic.topic_id.is_nil())
    })?;
    let partition = topic.partition_responses.iter().find(|found| found.index == of.index)?;
    Some((Code(partition.error_code), partition.base_offset))
}
