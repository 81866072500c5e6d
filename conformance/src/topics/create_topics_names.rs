//! CreateTopics (19): names that are legal, that are not, and that get in each other's way.

use kconform_scenario::prelude::*;

use super::create_topics::{create, expect_absent, expect_ready, own_name, topic};

scenarios![
    an_empty_name_is_refused,
    one_and_two_dots_are_refused,
    a_name_has_249_characters_at_most,
    a_name_with_other_characters_is_refused,
    names_that_differ_in_dot_and_underscore_collide,
    a_name_given_twice_is_refused_once,
    the_log_of_the_cluster_is_no_topic,
];

/// An empty name is refused with INVALID_TOPIC_EXCEPTION (17).
#[scenario("CT-011", api = CreateTopics)]
async fn an_empty_name_is_refused(cx: &mut Cx) -> Outcome {
    expect_illegal(cx, "").await
}

/// The names "." and ".." are refused with INVALID_TOPIC_EXCEPTION (17).
#[scenario("CT-012", api = CreateTopics, vary = ["one", "two"])]
async fn one_and_two_dots_are_refused(cx: &mut Cx) -> Outcome {
    expect_illegal(cx, if cx.variant() == "one" { "." } else { ".." }).await
}

/// A name of 249 characters is accepted, one of 250 is refused with INVALID_TOPIC_EXCEPTION (17).
#[scenario("CT-013", api = CreateTopics, vary = ["249", "250"])]
async fn a_name_has_249_characters_at_most(cx: &mut Cx) -> Outcome {
    if cx.variant() == "250" {
        return expect_illegal(cx, &format!("{:a<250}", cx.name("long"))).await;
    }
    let name = format!("{:a<249}", cx.name("long"));
    cx.undo(kconform_scenario::Undo::Topic(name.clone()));
    cx.connect().await?.ask(create(vec![topic(&name)])).await?.expect_ok()?;
    expect_ready(cx, &name, 1).await.map(drop)
}

/// A name with any character outside A-Z, a-z, 0-9, dot, underscore and dash (space, slash, colon,
/// asterisk, non-ASCII letter, NUL) is refused with INVALID_TOPIC_EXCEPTION (17).
#[scenario("CT-014", api = CreateTopics, vary = [
    "space", "slash", "colon", "asterisk", "non_ascii", "nul"
])]
async fn a_name_with_other_characters_is_refused(cx: &mut Cx) -> Outcome {
    let odd = match cx.variant() {
        "space" => ' ',
        "slash" => '/',
        "colon" => ':',
        "asterisk" => '*',
        "non_ascii" => 'ä',
        _ => '\0',
    };
    expect_illegal(cx, &format!("{}{odd}", cx.name("odd"))).await
}

/// While a.b exists, a_b is refused as colliding with INVALID_TOPIC_EXCEPTION (17), and the
/// reverse; dashes never collide; a.b itself is refused with TOPIC_ALREADY_EXISTS (36), not 17.
#[scenario("CT-015", api = CreateTopics, vary = [
    "underscore_after_dot", "dot_after_underscore", "dash_after_dot", "itself"
])]
async fn names_that_differ_in_dot_and_underscore_collide(cx: &mut Cx) -> Outcome {
    let first = own_name(cx, if cx.variant() == "dot_after_underscore" { "a_b" } else { "a.b" });
    let (second, code) = match cx.variant() {
        "underscore_after_dot" => (first.replace('.', "_"), InvalidTopicException.into()),
        "dot_after_underscore" => (first.replace('_', "."), InvalidTopicException.into()),
        "dash_after_dot" => (first.replace('.', "-"), Code::NONE),
        _ => (first.clone(), TopicAlreadyExists.into()),
    };
    cx.undo(kconform_scenario::Undo::Topic(second.clone()));
    let mut conn = cx.connect().await?;
    conn.ask_newest(create(vec![topic(&first)])).await?.ok()?;
    let reply = conn.ask(create(vec![topic(&second)])).await?;
    reply.expect_error_at("topics[0].error_code", code)
}

/// The same name twice in one request is answered with exactly one result for it, INVALID_REQUEST
/// (42), and that topic is not created; other topics of the request are unaffected.
#[scenario("CT-017", api = CreateTopics)]
async fn a_name_given_twice_is_refused_once(cx: &mut Cx) -> Outcome {
    let (twice, beside) = (own_name(cx, "twice"), own_name(cx, "beside"));
    let specs = vec![topic(&twice), topic(&beside), topic(&twice).with_num_partitions(2)];
    let mut conn = cx.connect().await?;
    let body = conn.ask(create(specs)).await?.expect_answer()?;
    let mut results: Vec<(&str, Code)> =
        body.topics.iter().map(|found| (found.name.as_str(), Code(found.error_code))).collect();
    results.sort_unstable();
    let mut expected = [(twice.as_str(), InvalidRequest.into()), (&beside, Code::NONE)];
    expected.sort_unstable();
    body.require(results == expected, format!("{expected:?}"), || format!("{results:?}"))?;
    expect_ready(cx, &beside, 1).await?;
    expect_absent(&mut conn, &twice).await
}

/// A topic of the name __cluster_metadata is refused with INVALID_REQUEST (42); before 3.9 with
/// TOPIC_AUTHORIZATION_FAILED (29), even for a caller that may do everything.
#[scenario("CT-031", api = CreateTopics)]
async fn the_log_of_the_cluster_is_no_topic(cx: &mut Cx) -> Outcome {
    let reply = cx.connect().await?.ask(create(vec![topic("__cluster_metadata")])).await?;
    // KAFKA-16975: it had been TOPIC_AUTHORIZATION_FAILED, even for who may do everything.
    let refusal = if cx.since(3, 9) { InvalidRequest } else { TopicAuthorizationFailed };
    reply.expect_error_at("topics[0].error_code", refusal)
}

/// The name is refused as illegal.
async fn expect_illegal(cx: &Cx, name: &str) -> Outcome {
    let reply = cx.connect().await?.ask(create(vec![topic(name)])).await?;
    reply.expect_error_at("topics[0].error_code", InvalidTopicException)
}
