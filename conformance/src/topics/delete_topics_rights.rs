//! DeleteTopics (20): who may delete, and what the others learn.

use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::delete_topics::{by_name, by_states, expect_listed, expect_results, of_id, unlike};

scenarios![
    who_may_not_see_a_topic_learns_nothing_by_its_name,
    who_may_see_but_not_delete_is_refused_by_name,
    who_may_not_delete_is_refused_by_id,
];

/// Without DESCRIBE on a name the answer is TOPIC_AUTHORIZATION_FAILED (29), whether the topic
/// exists or not; with DESCRIBE and without DELETE it is 29 where the topic exists and
/// UNKNOWN_TOPIC_OR_PARTITION (3) where it does not.
#[scenario("DT-008", api = DeleteTopics, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn who_may_not_see_a_topic_learns_nothing_by_its_name(cx: &mut Cx) -> Outcome {
    let existing = cx.topic().await?.partition(0);
    let missing = cx.name("topic");
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let both = by_name(cx, &[&existing.topic, &missing]);
    let body = conn.ask(both).await?.expect_answer()?;
    let refused = TopicAuthorizationFailed.into();
    expect_results(&body, &[(Some(&existing.topic), refused), (Some(&missing), refused)])?;
    expect_listed(cx, &mut cx.connect().await?, &existing).await
}

/// Without DESCRIBE on a name the answer is TOPIC_AUTHORIZATION_FAILED (29), whether the topic
/// exists or not; with DESCRIBE and without DELETE it is 29 where the topic exists and
/// UNKNOWN_TOPIC_OR_PARTITION (3) where it does not.
#[scenario("DT-008", api = DeleteTopics, versions = 1.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn who_may_see_but_not_delete_is_refused_by_name(cx: &mut Cx) -> Outcome {
    let existing = cx.topic().await?.partition(0);
    let missing = cx.name("topic");
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    for name in [&existing.topic, &missing] {
        cx.grant(&mut conn, &user, Resource::Topic(name), Operation::Describe).await?;
    }
    let both = by_name(cx, &[&existing.topic, &missing]);
    // The controller may see the right a little later than the broker that was asked about it.
    let mut tries = cx.tries("the right to be seen", Duration::from_secs(10));
    loop {
        let body = conn.ask(both.clone()).await?.expect_answer()?;
        let of_missing = body
            .responses
            .iter()
            .find(|result| result.name.as_ref().is_some_and(|name| name.as_str() == missing));
        let seen = of_missing
            .is_none_or(|result| Code(result.error_code) != TopicAuthorizationFailed.into());
        if seen {
            let refused = (Some(existing.topic.as_str()), TopicAuthorizationFailed.into());
            let unknown = (Some(missing.as_str()), UnknownTopicOrPartition.into());
            expect_results(&body, &[refused, unknown])?;
            return expect_listed(cx, &mut cx.connect().await?, &existing).await;
        }
        tries.expect("29 for both").await?;
    }
}

/// By id and without DESCRIBE on the topic the answer is TOPIC_AUTHORIZATION_FAILED (29) with a
/// null name, with DESCRIBE and without DELETE it is 29 with the name; an unknown id gets
/// UNKNOWN_TOPIC_ID (100) whoever asks.
#[scenario("DT-009", api = DeleteTopics, versions = 6.., needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn who_may_not_delete_is_refused_by_id(cx: &mut Cx) -> Outcome {
    let hidden = cx.topic().await?.partition(0);
    let seen = cx.topic().await?.partition(0);
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    cx.grant(&mut conn, &user, Resource::Topic(&seen.topic), Operation::Describe).await?;
    let ids = [hidden.topic_id, seen.topic_id, unlike(hidden.topic_id)];
    let request = by_states(ids.into_iter().map(of_id).collect());
    // The controller may see the right a little later than the broker that was asked about it.
    let mut tries = cx.tries("the right to be seen", Duration::from_secs(10));
    loop {
        let body = conn.ask(request.clone()).await?.expect_answer()?;
        if body.responses.iter().any(|result| result.name.is_some()) {
            let refused = TopicAuthorizationFailed.into();
            let of_seen = (Some(seen.topic.as_str()), refused);
            expect_results(&body, &[(None, refused), of_seen, (None, UnknownTopicId.into())])?;
            let named = body.responses.iter().find(|result| result.name.is_some());
            let id = named.map(|result| result.topic_id);
            body.require(id == Some(seen.topic_id), "the name beside its own id", || {
                format!("{id:?}")
            })?;
            return expect_listed(cx, &mut cx.connect().await?, &hidden).await;
        }
        tries.expect("no name").await?;
    }
}
