//! Metadata (3) without names: what null and an empty list mean, and the brokers of the answer.
//!
//! Version 1 brought null for all topics, racks and the controller, version 2 the cluster id, version 3 the throttle time.
//! Dead brokers and uneven listeners (META-011 to META-015) are not covered.

use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest};
use kconform_scenario::prelude::*;

use super::named;

scenarios![
    null_topics_list_all_topics,
    an_empty_list_of_topics_lists_brokers_alone,
    an_empty_list_of_topics_means_all_in_version_0,
    every_listed_broker_can_be_reached,
    an_unset_rack_is_null,
    every_broker_names_the_same_cluster,
    the_controller_is_a_listed_broker,
    topics_that_the_caller_may_not_describe_are_absent_from_the_list,
    the_throttle_time_comes_first,
    the_error_of_the_whole_comes_last,
];

/// With topics null the answer lists all topics that the caller may describe, and nothing is
/// created, whatever the flag for auto-creation says.
#[scenario("META-001", api = Metadata, versions = 1..)]
async fn null_topics_list_all_topics(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let body = cx.connect().await?.ask(all_topics()).await?.expect_answer()?;
    let found = named(&body.topics, &own.topic);
    body.require(
        found.is_some_and(|topic| topic.error_code == 0 && !topic.partitions.is_empty()),
        format!("{} among all topics, with partitions", own.topic),
        || format!("{found:?} among {} topics", body.topics.len()),
    )
}

/// With an empty array of topics the answer has no topics; brokers, cluster_id (v2+) and
/// controller_id are filled all the same.
#[scenario("META-002", api = Metadata, versions = 1..)]
async fn an_empty_list_of_topics_lists_brokers_alone(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(no_topics()).await?.expect_ok()?;
    body.require(body.topics.is_empty(), "no topics", || format!("{}", body.topics.len()))?;
    body.require(!body.brokers.is_empty(), "brokers", || "none".to_owned())?;
    if cx.version() >= 2 {
        let cluster = body.at("cluster_id")?;
        body.require(cluster.as_str().is_some(), "a cluster id", || cluster.to_string())?;
    }
    let controller = body.controller_id.0;
    let known =
        controller == -1 || body.brokers.iter().any(|broker| broker.node_id.0 == controller);
    body.require(known, "a listed broker as controller, or -1", || controller.to_string())
}

/// With an empty array of topics the answer lists all topics: v0 has no null.
#[scenario("META-003", api = Metadata, versions = 0)]
async fn an_empty_list_of_topics_means_all_in_version_0(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    let body = cx.connect().await?.ask(request).await?.expect_answer()?;
    let found = named(&body.topics, &own.topic);
    body.require(
        found.is_some_and(|topic| topic.error_code == 0 && !topic.partitions.is_empty()),
        format!("{} among all topics, with partitions", own.topic),
        || format!("{found:?} among {} topics", body.topics.len()),
    )
}

/// The answer lists every live broker with its node_id, host and port of the listener on which the
/// request arrived, and connecting there works.
#[scenario("META-004", api = Metadata)]
async fn every_listed_broker_can_be_reached(cx: &mut Cx) -> Outcome {
    // Version 0 has no list of no topics, so one topic is named.
    let own = cx.partition().await?;
    let request = requests::metadata(cx.version(), &[&own.topic]);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    body.require(!body.brokers.is_empty(), "at least one broker", || "none".to_owned())?;
    for broker in &body.brokers {
        let address = format!("{}:{}", broker.host.as_str(), broker.port);
        let unreachable = |why: String| {
            body.require(false, format!("broker {} at {address}", broker.node_id.0), || why)
        };
        let Ok(port) = u16::try_from(broker.port) else {
            return unreachable("no such port".to_owned());
        };
        let mut conn = match cx.connect_address(broker.host.as_str(), port).await {
            Ok(conn) => conn,
            Err(Failure::Blocked(finding)) => return unreachable(finding.got),
            Err(other) => return Err(other),
        };
        conn.ask_at(0, ApiVersionsRequest::default(), &[]).await?.expect_ok()?;
    }
    Ok(())
}

/// Each broker has a rack, which is null where none is set. v0 has no rack.
#[scenario("META-005", api = Metadata, versions = 1.., needs = [Config("broker.id")])]
async fn an_unset_rack_is_null(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(no_topics()).await?.expect_ok()?;
    for broker in &body.brokers {
        let rack = broker.rack.as_deref();
        body.require(rack != Some(""), "a rack that is null where it is unset", || {
            format!("an empty rack of broker {}", broker.node_id.0)
        })?;
        // The settings are those of one broker.
        let settings = &cx.facts().configs;
        if settings.get("broker.id") == Some(&broker.node_id.0.to_string()) {
            let set = settings.get("broker.rack").map(String::as_str);
            body.require(rack == set, format!("the rack of its setting, {set:?}"), || {
                format!("{rack:?}")
            })?;
        }
    }
    Ok(())
}

/// cluster_id is not null, and the same from every broker and over time. Below v2 there is none.
#[scenario("META-006", api = Metadata, versions = 2.., needs = [ThreeBrokers])]
async fn every_broker_names_the_same_cluster(cx: &mut Cx) -> Outcome {
    let mut first = None;
    for broker in &cx.facts().brokers {
        let mut conn = cx.connect_broker(broker.id).await?;
        for _time in ["once", "again"] {
            let body = conn.ask(no_topics()).await?.expect_ok()?;
            let cluster = body.at("cluster_id")?;
            let first = first.get_or_insert_with(|| cluster.clone());
            let same = !cluster.is_null() && cluster == *first;
            body.require(same, format!("cluster id {first}"), || {
                format!("{cluster} from broker {}", broker.id)
            })?;
        }
    }
    Ok(())
}

/// controller_id is -1 or the node_id of a broker in the list. On KRaft it is any live broker and
/// may change between requests.
#[scenario("META-007", api = Metadata, versions = 1..)]
async fn the_controller_is_a_listed_broker(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(no_topics()).await?.expect_ok()?;
    let ids: Vec<i32> = body.brokers.iter().map(|broker| broker.node_id.0).collect();
    let controller = body.controller_id.0;
    body.require(
        controller == -1 || ids.contains(&controller),
        format!("controller_id -1 or one of {ids:?}"),
        || controller.to_string(),
    )
}

/// With topics null and an authorizer, topics that the caller may not describe are absent; they are
/// not reported as TOPIC_AUTHORIZATION_FAILED (29).
#[scenario("META-033", api = Metadata, versions = 1.., needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")
])]
async fn topics_that_the_caller_may_not_describe_are_absent_from_the_list(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let nobody = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain);
    let body = nobody.await?.ask(all_topics()).await?.expect_answer()?;
    // Not even with an error. Others may be listed with one: topics that were deleted just now.
    let shown = named(&body.topics, &own.topic);
    body.require(shown.is_none(), format!("{} left out", own.topic), || format!("{shown:?}"))
}

/// throttle_time_ms is the first field of the body.
#[scenario("META-037", api = Metadata, versions = 3..)]
async fn the_throttle_time_comes_first(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(no_topics()).await?.expect_ok()?;
    let first = body.bytes().get(..4).and_then(|bytes| bytes.try_into().ok());
    let throttle = first.map(i32::from_be_bytes);
    // A request quota throttles by one second at most.
    body.require(throttle.is_some_and(|ms| (0..=1000).contains(&ms)), "0 to 1000 ms", || {
        format!("{throttle:?}")
    })?;
    let unheard = body.brokers.iter().find(|broker| !(1..=65_535).contains(&broker.port));
    body.require(unheard.is_none(), "brokers with ports after it", || format!("{unheard:?}"))
}

/// The error_code of the whole answer is its last field, before the tags, and 0. Brokers of 4.x do
/// not give REBOOTSTRAP_REQUIRED (129) there themselves; clients may meet it from proxies
/// (KIP-1102).
#[scenario("META-036", api = Metadata, versions = 13..)]
async fn the_error_of_the_whole_comes_last(cx: &mut Cx) -> Outcome {
    let body = cx.connect().await?.ask(no_topics()).await?.expect_ok()?;
    body.expect_number("error_code", 0)?;
    // No topics, the error, no tags.
    let end = body.bytes().len().checked_sub(4).and_then(|at| body.bytes().get(at..));
    body.require(end == Some(&[1, 0, 0, 0]), "bytes 01 0000 00 at the end", || format!("{end:?}"))
}

/// All topics; nothing is created whatever the flag says, which is true where there is one.
fn all_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(true)
}

fn no_topics() -> MetadataRequest {
    all_topics().with_topics(Some(Vec::new()))
}
