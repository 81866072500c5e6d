//! CreatePartitions (37): what is refused, and who is.

use kconform_scenario::prelude::*;
use kconform_scenario::principals::{Operation, Resource};

use super::create_partitions::{expect_grown, expect_results, expect_unchanged, grow, on, to};

scenarios![
    a_topic_never_shrinks,
    an_unknown_topic_does_not_grow,
    assignments_that_do_not_fit_are_refused,
    a_topic_named_twice_does_not_grow,
    who_may_not_alter_a_topic_learns_nothing,
];

/// A count equal to the present one or below it, 0 and negative ones included, is refused with
/// INVALID_PARTITIONS (37), and the topic stays as it is.
#[scenario("CP-002", api = CreatePartitions, vary = ["equal", "fewer", "0", "-1"])]
async fn a_topic_never_shrinks(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().partitions(3)).await?;
    let count = match cx.variant() {
        "equal" => 3,
        "fewer" => 2,
        "0" => 0,
        _ => -1,
    };
    let body = cx.connect().await?.ask(grow(vec![to(&topic.name, count)])).await?;
    let body = body.expect_answer()?;
    expect_results(&body, &[(&topic.name, InvalidPartitions.into())])?;
    expect_unchanged(cx, &topic).await
}

/// An unknown topic is answered with UNKNOWN_TOPIC_OR_PARTITION (3) and is not created.
#[scenario("CP-003", api = CreatePartitions)]
async fn an_unknown_topic_does_not_grow(cx: &mut Cx) -> Outcome {
    let name = cx.name("topic");
    let mut conn = cx.connect().await?;
    let body = conn.ask(grow(vec![to(&name, 2)])).await?.expect_answer()?;
    expect_results(&body, &[(&name, UnknownTopicOrPartition.into())])?;
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&name]);
    conn.ask(about).await?.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// Assignments that are not as many as the partitions to be added (an empty list included), or that
/// name an unregistered broker, a broker twice, no broker, or another number of brokers than the
/// topic has replicas, are refused with INVALID_REPLICA_ASSIGNMENT (39).
#[scenario(
    "CP-005", api = CreatePartitions,
    vary = ["one too few", "one too many", "none", "unregistered broker", "broker twice",
            "no broker"],
)]
async fn assignments_that_do_not_fit_are_refused(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().replication(1)).await?;
    let broker = topic.partition(0).leader;
    let unregistered = cx.facts().brokers.iter().map(|broker| broker.id).max().unwrap_or(0) + 100;
    let good = on(&[broker]);
    // Two partitions are added, each of which needs an assignment with one broker.
    let assignments = match cx.variant() {
        "one too few" => vec![good],
        "one too many" => vec![good.clone(), good.clone(), good],
        "none" => Vec::new(),
        "unregistered broker" => vec![good, on(&[unregistered])],
        "broker twice" => vec![good, on(&[broker, broker])],
        _ => vec![good, on(&[])],
    };
    let assigned = to(&topic.name, 3).with_assignments(Some(assignments));
    let body = cx.connect().await?.ask(grow(vec![assigned])).await?.expect_answer()?;
    expect_results(&body, &[(&topic.name, InvalidReplicaAssignment.into())])?;
    expect_unchanged(cx, &topic).await
}

/// A topic that stands twice in the request has one result, INVALID_REQUEST (42), and stays as it
/// is; the other topics of the request grow.
#[scenario("CP-006", api = CreatePartitions)]
async fn a_topic_named_twice_does_not_grow(cx: &mut Cx) -> Outcome {
    let (twice, once) = (cx.topic().await?, cx.topic().await?);
    let all = vec![to(&twice.name, 2), to(&once.name, 2), to(&twice.name, 2)];
    let body = cx.connect().await?.ask(grow(all)).await?.expect_answer()?;
    expect_results(&body, &[(&twice.name, InvalidRequest.into()), (&once.name, Code::NONE)])?;
    expect_grown(cx, &once.name, 2).await?;
    expect_unchanged(cx, &twice).await
}

/// Without ALTER on a topic (DESCRIBE is not enough) the answer is TOPIC_AUTHORIZATION_FAILED (29),
/// whether the topic exists or not.
#[scenario("CP-007", api = CreatePartitions, needs = [Authorizer,
           Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")])]
async fn who_may_not_alter_a_topic_learns_nothing(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let missing = cx.name("topic");
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let (user, _) = cx.credentials(Role::Unprivileged)?;
    for name in [&topic.name, &missing] {
        cx.grant(&mut conn, &user, Resource::Topic(name), Operation::Describe).await?;
    }
    let both = grow(vec![to(&topic.name, 2), to(&missing, 2)]);
    let body = conn.ask(both).await?.expect_answer()?;
    let refused = TopicAuthorizationFailed.into();
    expect_results(&body, &[(&topic.name, refused), (&missing, refused)])?;
    expect_unchanged(cx, &topic).await
}
