//! ListTransactions (66): the transactional ids of a broker. Version 1 added a filter by duration (KIP-994), version 2 one
//! by pattern (KIP-1152).

use kafka_protocol::messages::{ListTransactionsRequest, ListTransactionsResponse};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

use crate::producer::Producer;

scenarios![
    filters_narrow_the_list,
    an_unknown_state_is_echoed_and_matches_nothing,
    a_broker_lists_its_own_transactional_ids,
    transactions_are_filtered_by_their_age,
    transactional_ids_are_filtered_by_a_pattern,
    a_pattern_that_does_not_parse_is_refused,
];

/// ListTransactions names every transactional id that this broker coordinates, with its producer id
/// and state, and only those. producer_id_filters and state_filters (names as DescribeTransactions
/// has them, in that case) narrow the list, both together where both are given; state names that do
/// not exist come back in unknown_state_filters and match nothing.
#[scenario(
    "LISTTXN-001", api = ListTransactions,
    vary = [
        "no filter", "its producer id", "another producer id", "its state", "another state",
        "both", "its producer id, another state",
    ],
)]
async fn filters_narrow_the_list(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let (mut open, idle) = (Producer::new(cx).await?, Producer::new(cx).await?);
    open.add(cx, &[&partition]).await?;
    let (ids, states): (Vec<i64>, &[&str]) = match cx.variant() {
        "no filter" => (Vec::new(), &[]),
        "its producer id" => (vec![open.id, idle.id], &[]),
        "another producer id" => (vec![idle.id], &[]),
        "its state" => (Vec::new(), &["Ongoing", "PrepareAbort"]),
        "another state" => (Vec::new(), &["Empty"]),
        "both" => (vec![open.id], &["Ongoing"]),
        _ => (vec![open.id], &["Empty"]),
    };
    let wanted = !cx.variant().contains("another");
    let body = open.coordinator.ask(list(&ids, states)).await?.expect_ok()?;
    let found = entries(&body, &open.txn_id);
    let entry = (open.id, "Ongoing".to_owned());
    let expected = if wanted { vec![entry] } else { Vec::new() };
    body.require(found == expected, format!("{expected:?}"), || format!("{found:?}"))?;
    let foreign = body.transaction_states.iter().find(|one| {
        let state = one.transaction_state.as_str();
        !(ids.is_empty() || ids.contains(&one.producer_id.0))
            || !(states.is_empty() || states.contains(&state))
    });
    body.require(foreign.is_none(), "no entry that the filters leave out", || {
        format!("{foreign:?}")
    })
}

/// ListTransactions names every transactional id that this broker coordinates, with its producer id
/// and state, and only those. producer_id_filters and state_filters (names as DescribeTransactions
/// has them, in that case) narrow the list, both together where both are given; state names that do
/// not exist come back in unknown_state_filters and match nothing.
#[scenario("LISTTXN-001", api = ListTransactions, vary = ["Finished", "ongoing"])]
async fn an_unknown_state_is_echoed_and_matches_nothing(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut open = Producer::new(cx).await?;
    open.add(cx, &[&partition]).await?;
    let body = open.coordinator.ask(list(&[], &[cx.variant()])).await?.expect_ok()?;
    let unknown: Vec<&str> = body.unknown_state_filters.iter().map(|name| name.as_str()).collect();
    let expected = vec![cx.variant()];
    body.require(unknown == expected, format!("unknown_state_filters {expected:?}"), || {
        format!("{unknown:?}")
    })?;
    let count = body.transaction_states.len();
    body.require(count == 0, "an empty list", || format!("{count} entries"))
}

/// A broker does not list transactional ids of which another broker is the coordinator.
#[scenario("LISTTXN-004", api = ListTransactions, needs = [ThreeBrokers])]
async fn a_broker_lists_its_own_transactional_ids(cx: &mut Cx) -> Outcome {
    let producer = Producer::new(cx).await?;
    let brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    let mut listing = 0;
    for broker in brokers {
        let mut conn = cx.connect_broker(broker).await?;
        let body = conn.ask(list(&[producer.id], &[])).await?.expect_ok()?;
        listing += entries(&body, &producer.txn_id).len();
    }
    require(listing == 1, "an entry from one broker", || format!("{listing} entries"))
}

/// duration_filter (ListTransactions v1 and later) of 0 or more leaves transactions out that have
/// been open for a shorter time, in milliseconds; -1 is no filter. Ids without an open transaction
/// pass it, since they have no time of begin.
#[scenario("LISTTXN-002", api = ListTransactions, versions = 1.., vary = ["-1", "0", "an hour"])]
async fn transactions_are_filtered_by_their_age(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut open = Producer::new(cx).await?;
    open.write(cx, &partition, &["open"], 0).await?;
    let (duration, expected) = match cx.variant() {
        "-1" => (-1, 1),
        "0" => (0, 1),
        _ => (3_600_000, 0),
    };
    let request = list(&[open.id], &[]).with_duration_filter(duration);
    let body = open.coordinator.ask(request).await?.expect_ok()?;
    let count = entries(&body, &open.txn_id).len();
    body.require(count == expected, format!("{expected} entries"), || format!("{count} entries"))
}

/// transactional_id_pattern (ListTransactions v2 and later) is a regular expression of RE2 that the
/// whole transactional id must match; null and "" are no filter; one that does not parse, lookahead
/// included, is refused with INVALID_REGULAR_EXPRESSION (128) and an empty list.
#[scenario(
    "LISTTXN-003", api = ListTransactions, versions = 2..,
    vary = ["all of it", "part of it", "class", "empty", "null"],
)]
async fn transactional_ids_are_filtered_by_a_pattern(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let id = producer.txn_id.clone();
    let (pattern, expected) = match cx.variant() {
        "all of it" => (Some(id.clone()), 1),
        "part of it" => (id.get(1..).map(str::to_owned), 0),
        "class" => (Some(format!("[a-z]{}.*", id.get(1..8).unwrap_or_default())), 1),
        "empty" => (Some(String::new()), 1),
        _ => (None, 1),
    };
    let pattern = pattern.map(text);
    let request = list(&[producer.id], &[]).with_transactional_id_pattern(pattern);
    let body = producer.coordinator.ask(request).await?.expect_ok()?;
    let count = entries(&body, &id).len();
    body.require(count == expected, format!("{expected} entries"), || format!("{count} entries"))
}

/// transactional_id_pattern (ListTransactions v2 and later) is a regular expression of RE2 that the
/// whole transactional id must match; null and "" are no filter; one that does not parse, lookahead
/// included, is refused with INVALID_REGULAR_EXPRESSION (128) and an empty list.
#[scenario("LISTTXN-003", api = ListTransactions, versions = 2.., vary = ["(", "(?=kc).*"])]
async fn a_pattern_that_does_not_parse_is_refused(cx: &mut Cx) -> Outcome {
    let mut producer = Producer::new(cx).await?;
    let pattern = Some(text(cx.variant()));
    let request = list(&[producer.id], &[]).with_transactional_id_pattern(pattern);
    let reply = producer.coordinator.ask(request).await?;
    reply.expect_error_at("error_code", InvalidRegularExpression)?;
    let count = reply.expect_answer()?.transaction_states.len();
    require(count == 0, "an empty list", || format!("{count} entries"))
}

/// A question for the transactional ids with these producer ids and states; none is no filter.
fn list(producer_ids: &[i64], states: &[&str]) -> ListTransactionsRequest {
    ListTransactionsRequest::default()
        .with_producer_id_filters(producer_ids.iter().map(|id| (*id).into()).collect())
        .with_state_filters(states.iter().map(|state| text(*state)).collect())
        .with_duration_filter(-1)
        .with_transactional_id_pattern(None)
}

/// Producer id and state of the entries with this transactional id.
fn entries(body: &Body<ListTransactionsResponse>, txn_id: &str) -> Vec<(i64, String)> {
    let entries = body.transaction_states.iter();
    entries
        .filter(|one| one.transactional_id.as_str() == txn_id)
        .map(|one| (one.producer_id.0, one.transaction_state.to_string()))
        .collect()
}
