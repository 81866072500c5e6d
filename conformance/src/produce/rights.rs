//! Produce (0) without the right to write. More of it is in the family `authorization`.

use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::answers::{expect_code, unknown_id};

scenarios![topics_without_the_right_are_refused_by_themselves];

/// Without the right to WRITE on a topic its partitions are refused with TOPIC_AUTHORIZATION_FAILED
/// (29), whether the topic exists or not (by id, from version 13 on, an unknown one gets
/// UNKNOWN_TOPIC_ID (100)); the other topics of the request are written.
#[scenario(
    "PRODUCE-069", api = Produce, versions = 3..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")],
)]
async fn topics_without_the_right_are_refused_by_themselves(cx: &mut Cx) -> Outcome {
    let (denied, granted) = (cx.partition().await?, cx.topic().await?.partition(0));
    let missing =
        Partition { topic: cx.name("topic"), topic_id: unknown_id(&denied), ..denied.clone() };
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    cx.grant(&mut conn, &user, Resource::Topic(&granted.topic), Operation::Write).await?;

    let mut request = cx.produce(&denied, cx.records(&["denied"])?)?;
    for to in [&missing, &granted] {
        request.topic_data.extend(cx.produce(to, cx.records(&["sent"])?)?.topic_data);
    }
    let body = conn.ask(request).await?.expect_answer()?;
    expect_code(&body, &denied, TopicAuthorizationFailed)?;
    // Topic ids (KIP-516) cannot be guessed, so that nothing is given away.
    let of_missing = if cx.version() < 13 { TopicAuthorizationFailed } else { UnknownTopicId };
    expect_code(&body, &missing, of_missing)?;
    expect_code(&body, &granted, Code::NONE)?;
    cx.expect_next_offset(&granted, 1).await?;
    cx.expect_next_offset(&denied, 0).await
}
