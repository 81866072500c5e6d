//! Fetch (1): what a fetch session (KIP-227, version 7) is bound to, and what ends or replaces it.
//!
//! Sessions name topics as their version does, by id from 13 on (KIP-516). That
//! sessions are gone when the broker is started again is asked in `batches/restarts.rs`.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{
    expect_code, expect_no_topics, expect_offsets, expect_value, fetch_all, listed, result,
};
use super::session_changes::forgotten;
use super::sessions::{Session, next, refused};

scenarios![
    epoch_zero_replaces_a_session,
    forgetting_every_partition_ends_the_session,
    a_partition_in_error_is_repeated_until_it_recovers,
    a_session_does_not_change_between_names_and_ids,
    another_connection_may_continue_a_session,
    ids_that_were_never_given_are_refused,
    partitions_take_turns,
    a_moved_start_of_the_log_is_news,
    without_room_for_sessions_every_fetch_is_a_full_one,
];

/// A Fetch with a session's id and session_epoch 0 closes that session and opens a new one under
/// another id; an unknown id is no error there.
#[scenario("FETCH-045", api = Fetch, versions = 7.., vary = ["known id", "unknown id"])]
async fn epoch_zero_replaces_a_session(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut session = Session::open(cx, &[(&from, 1)]).await?;
    let old = session.id;
    if cx.variant() == "unknown id" {
        session.leader.ask(next(cx, &from, old, -1)?).await?.ok()?;
    }

    let full = cx.fetch(&from, 0)?.with_session_id(old).with_session_epoch(0);
    let body = session.leader.ask(full).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    let id = body.session_id;
    body.require(id >= 0 && id != old, format!("a session_id other than {old}"), || {
        id.to_string()
    })?;
    refused(session.leader.ask(next(cx, &from, old, 1)?).await?, FetchSessionIdNotFound)?;
    if id == 0 {
        cx.note("no fetch session was granted");
        return Ok(());
    }
    let body = session.leader.ask(next(cx, &from, id, 1)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[0])?;
    Session { id, ..session }.close(cx, &from).await
}

/// A Fetch that takes the last partitions out of its session ends the session: the answer has
/// session_id 0 and no topics, and afterwards the id is unknown (FETCH_SESSION_ID_NOT_FOUND, 70).
#[scenario("FETCH-046", api = Fetch, versions = 7..)]
async fn forgetting_every_partition_ends_the_session(cx: &mut Cx) -> Outcome {
    let [one, other] = cx.partitions().await?;
    cx.write(&one, &["a"]).await?;
    let mut session = Session::open(cx, &[(&one, 0), (&other, 0)]).await?;
    let all = vec![forgotten(cx, &one), forgotten(cx, &other)];
    let forget = next(cx, &one, session.id, 1)?.with_forgotten_topics_data(all);
    let body = session.leader.ask(forget).await?.expect_ok()?;
    body.expect_number("session_id", 0)?;
    expect_no_topics(&body)?;
    refused(session.leader.ask(next(cx, &one, session.id, 2)?).await?, FetchSessionIdNotFound)
}

/// A partition in error is listed in every incremental answer; once it recovers it is listed once
/// more, even without records.
#[scenario("FETCH-047", api = Fetch, versions = 7..)]
async fn a_partition_in_error_is_repeated_until_it_recovers(cx: &mut Cx) -> Outcome {
    let [idle, bad] = cx.partitions().await?;
    let both = [&idle, &bad];
    let mut session = Session::open(cx, &[(&idle, 0), (&bad, 2)]).await?;
    for epoch in [1, 2] {
        let body = session.leader.ask(next(cx, &bad, session.id, epoch)?).await?.expect_answer()?;
        let got = listed(&body, &both);
        body.require(got == [Some(1)], "the partition in error alone", || format!("{got:?}"))?;
        expect_code(&body, &bad, OffsetOutOfRange)?;
    }
    // Now the position is the end of the log, where there is nothing to read.
    cx.write(&bad, &["a", "b"]).await?;
    let body = session.leader.ask(next(cx, &bad, session.id, 3)?).await?.expect_ok()?;
    let got = listed(&body, &both);
    body.require(got == [Some(1)], "the partition that recovered", || format!("{got:?}"))?;
    expect_offsets(&body, &bad, &[])?;
    let body = session.leader.ask(next(cx, &bad, session.id, 4)?).await?.expect_ok()?;
    expect_no_topics(&body)?;
    session.close(cx, &bad).await
}

/// A session that was opened in version 12 or lower and is continued in 13 or higher, or the other
/// way round, is refused at the top with FETCH_SESSION_TOPIC_ID_ERROR (106), session_id 0 and no
/// topics.
#[scenario("FETCH-048", api = Fetch, versions = 7..)]
async fn a_session_does_not_change_between_names_and_ids(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let newest = cx.newest(keys::Fetch)?;
    if newest < 13 {
        return Err(Failure::NotRun("Fetch v13, which names topics by id".to_owned()));
    }
    let other = if cx.version() < 13 { newest } else { 12 };
    let mut leader = cx.leader(&from).await?;
    let open = requests::fetch(other, &from, 0).with_session_epoch(0);
    let id = leader.ask_at(other, open, &[]).await?.ok()?.session_id;
    if id == 0 {
        return Err(Failure::NotRun("room in the broker's cache of fetch sessions".to_owned()));
    }
    refused(leader.ask(next(cx, &from, id, 1)?).await?, FetchSessionTopicIdError)?;
    leader.ask_at(other, next(cx, &from, id, -1)?, &[]).await?.ok().map(drop)
}

/// A session is not bound to a connection: another one may continue it. Sessions are gone when the
/// broker is started again (70 then).
#[scenario("FETCH-049", api = Fetch, versions = 7..)]
async fn another_connection_may_continue_a_session(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let Session { leader, id } = Session::open(cx, &[(&from, 0)]).await?;
    drop(leader);
    let mut other = cx.leader(&from).await?;
    let body = other.ask(next(cx, &from, id, 1)?).await?.expect_ok()?;
    body.expect_number("session_id", id.into())?;
    expect_offsets(&body, &from, &[0])?;
    Session { leader: other, id }.close(cx, &from).await
}

/// From 3.8 on, a session_id far outside the ranges of the cache's shards (2147483647, 2147483640
/// or -2147483648, say) with a session_epoch greater than 0 is answered at the top with
/// UNKNOWN_SERVER_ERROR (-1), no topics, and the session_id of the request; before 3.8, and for
/// small negative ids (-1, -2, -100), with FETCH_SESSION_ID_NOT_FOUND (70) and session_id 0.
#[scenario(
    "FETCH-050", api = Fetch, versions = 7..,
    vary = ["2147483647", "2147483640", "-2147483648", "-2", "-100"],
)]
async fn ids_that_were_never_given_are_refused(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let id: i32 = cx.variant().parse().unwrap_or(0);
    let reply = leader.ask(next(cx, &from, id, 1)?).await?;
    // The cache is split into shards by ranges of ids since 3.8 (KIP-1017), for small numbers too.
    if (-100..=0).contains(&id) || !cx.since(3, 8) {
        return refused(reply, FetchSessionIdNotFound);
    }
    reply.expect_error_at("error_code", UnknownServerError)?;
    expect_value(&reply, "responses", &Value::Array(Vec::new()))?;
    expect_value(&reply, "session_id", &Value::Int(id.into()))
}

/// A partition of a session that returned records goes to the end of the session's order, so that
/// with a small max_bytes the partitions of incremental Fetches take turns.
#[scenario("FETCH-078", api = Fetch, versions = 7..)]
async fn partitions_take_turns(cx: &mut Cx) -> Outcome {
    let all = cx.partitions::<3>().await?;
    for to in &all {
        cx.write(to, &["a"]).await?;
    }
    let [one, other, last] = &all;
    // Nothing is read when the session is opened, so that nobody had a turn yet.
    let mut session = Session::open(cx, &[(one, 1), (other, 1), (last, 1)]).await?;
    let mut turns = Vec::new();
    for epoch in 1..=3 {
        let request = match epoch {
            1 => fetch_all(cx, &[(one, 0), (other, 0), (last, 0)])?,
            _ => next(cx, one, session.id, epoch)?,
        };
        let request = request.with_session_id(session.id).with_session_epoch(epoch);
        let body = session.leader.ask(request.with_max_bytes(1)).await?.expect_ok()?;
        for (of, at) in all.iter().zip(0..) {
            let records = result(&body, of).ok().and_then(|found| found.records.as_ref());
            if records.is_some_and(|records| !records.is_empty()) {
                turns.push(at);
            }
        }
    }
    require(turns == [0, 1, 2], "each partition served in its turn", || format!("{turns:?}"))?;
    session.close(cx, one).await
}

/// An incremental Fetch (the session's id, session_epoch 1, 2 and so on) without topics fetches all
/// partitions of the session. The response has the same session_id and only the partitions that
/// have records at the offset which the session knows (sent again each time until the client moves
/// the offset), a changed high_watermark or log_start_offset, an error, a preferred replica or a
/// divergence.
#[scenario("FETCH-038", api = Fetch, versions = 7..)]
async fn a_moved_start_of_the_log_is_news(cx: &mut Cx) -> Outcome {
    let [cut, idle] = cx.partitions().await?;
    for to in [&cut, &idle] {
        cx.write(to, &["a", "b"]).await?;
    }
    let mut session = Session::open(cx, &[(&cut, 2), (&idle, 2)]).await?;
    cx.delete_records(&cut, 1).await?;
    let body = session.leader.ask(next(cx, &cut, session.id, 1)?).await?.expect_ok()?;
    let got = listed(&body, &[&cut, &idle]);
    body.require(got == [Some(0)], "the partition that was cut, alone", || format!("{got:?}"))?;
    body.expect_number("responses[0].partitions[0].log_start_offset", 1)?;
    expect_offsets(&body, &cut, &[])?;
    session.close(cx, &cut).await
}

/// A Fetch with session_epoch 0 is a full one: the response lists every partition, and has a
/// session_id greater than 0 if the broker grants a session, which session_epoch 1 then continues.
/// session_id 0 is legal too (the cache is full, or there are no sessions).
#[scenario("FETCH-037", api = Fetch, versions = 7.., needs = [Shape("small-requests")])]
async fn without_room_for_sessions_every_fetch_is_a_full_one(cx: &mut Cx) -> Outcome {
    let [full, empty] = cx.partitions().await?;
    cx.write(&full, &["a"]).await?;
    let mut leader = cx.leader(&full).await?;
    for _ in 0..2 {
        let request = fetch_all(cx, &[(&empty, 0), (&full, 0)])?.with_session_epoch(0);
        let body = leader.ask(request).await?.expect_ok()?;
        body.expect_number("session_id", 0)?;
        expect_offsets(&body, &empty, &[])?;
        expect_offsets(&body, &full, &[0])?;
    }
    Ok(())
}
