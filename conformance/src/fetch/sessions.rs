//! Fetch (1): fetch sessions (KIP-227, version 7): opened, continued, mistaken and closed.
//!
//! A broker may refuse a session with id 0; what a session does is then not run. Sessions name
//! topics as their version does, by id from 13 on. Not covered: eviction from the cache, which
//! begins when a session was not used for two minutes.

use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kconform_scenario::prelude::*;

use super::answers::{LONG_WAIT, SOON, expect_offsets, fetch_all, listed};

scenarios![
    a_fetch_without_a_session_lists_every_partition,
    a_full_fetch_opens_a_session,
    an_incremental_fetch_lists_what_has_news,
    an_idle_incremental_fetch_lists_nothing,
    an_unknown_session_is_refused,
    a_wrong_session_epoch_is_refused_and_the_session_survives,
    a_closed_session_is_unknown,
];

/// A Fetch with session_epoch -1 and session_id 0 is outside any session: the response has
/// session_id 0 and every partition asked for, empty or not.
#[scenario("FETCH-036", api = Fetch, versions = 7..)]
async fn a_fetch_without_a_session_lists_every_partition(cx: &mut Cx) -> Outcome {
    let [full, empty] = cx.partitions().await?;
    cx.write(&full, &["a"]).await?;
    let mut leader = cx.leader(&full).await?;
    let body = leader.ask(fetch_all(cx, &[(&empty, 0), (&full, 0)])?).await?.expect_ok()?;
    body.expect_number("session_id", 0)?;
    expect_offsets(&body, &empty, &[])?;
    expect_offsets(&body, &full, &[0])
}

/// A Fetch with session_epoch 0 is a full one: the response lists every partition, and has a
/// session_id greater than 0 if the broker grants a session, which session_epoch 1 then continues.
/// session_id 0 is legal too (the cache is full, or there are no sessions).
#[scenario("FETCH-037", api = Fetch, versions = 7..)]
async fn a_full_fetch_opens_a_session(cx: &mut Cx) -> Outcome {
    let [full, empty] = cx.partitions().await?;
    cx.write(&full, &["a"]).await?;
    let mut leader = cx.leader(&full).await?;

    let request = fetch_all(cx, &[(&empty, 0), (&full, 0)])?.with_session_epoch(0);
    let body = leader.ask(request).await?.expect_ok()?;
    expect_offsets(&body, &empty, &[])?;
    expect_offsets(&body, &full, &[0])?;
    let id = body.session_id;
    body.require(id >= 0, "a session_id of 0 or more", || id.to_string())?;
    if id == 0 {
        cx.note("no fetch session was granted");
        return Ok(());
    }
    let next = leader.ask(next(cx, &full, id, 1)?).await?.expect_ok()?;
    next.expect_number("session_id", id.into())?;
    Session { leader, id }.close(cx, &full).await
}

/// An incremental Fetch (the session's id, session_epoch 1, 2 and so on) without topics fetches all
/// partitions of the session. The response has the same session_id and only the partitions that
/// have records at the offset which the session knows (sent again each time until the client moves
/// the offset), a changed high_watermark or log_start_offset, an error, a preferred replica or a
/// divergence.
#[scenario("FETCH-038", api = Fetch, versions = 7..)]
async fn an_incremental_fetch_lists_what_has_news(cx: &mut Cx) -> Outcome {
    let [full, idle, later] = cx.partitions().await?;
    cx.write(&full, &["a"]).await?;
    let parts = [(&full, 0), (&idle, 0), (&later, 0)];
    let mut session = Session::open(cx, &parts).await?;

    let all = parts.map(|(of, _)| of);
    let first = session.leader.ask(next(cx, &full, session.id, 1)?).await?.expect_ok()?;
    first.expect_number("session_id", session.id.into())?;
    let got = listed(&first, &all);
    first.require(got == [Some(0)], "the first partition alone", || format!("{got:?}"))?;
    expect_offsets(&first, &full, &[0])?;

    cx.write(&later, &["b"]).await?;
    let second = session.leader.ask(next(cx, &full, session.id, 2)?).await?.expect_ok()?;
    let mut got = listed(&second, &all);
    got.sort_unstable();
    second
        .require(got == [Some(0), Some(2)], "the partitions with records", || format!("{got:?}"))?;
    expect_offsets(&second, &full, &[0])?;
    expect_offsets(&second, &later, &[0])?;
    session.close(cx, &full).await
}

/// An incremental Fetch of a session in which nothing happens lists no topics, after max_wait_ms.
#[scenario("FETCH-039", api = Fetch, versions = 7..)]
async fn an_idle_incremental_fetch_lists_nothing(cx: &mut Cx) -> Outcome {
    let [one, other] = cx.partitions().await?;
    cx.write(&one, &["read already"]).await?;
    let mut session = Session::open(cx, &[(&one, 1), (&other, 0)]).await?;

    let wait = next(cx, &one, session.id, 1)?.with_max_wait_ms(300).with_min_bytes(1);
    let body = session.leader.ask(wait).await?.expect_ok()?;
    body.require(body.responses.is_empty(), "no topics", || format!("{:?}", body.responses))?;
    body.expect_number("session_id", session.id.into())?;
    session.close(cx, &one).await
}

/// An unknown session_id (also 0, also a small negative one) with a session_epoch greater than 0 is
/// refused at the top with FETCH_SESSION_ID_NOT_FOUND (70), session_id 0 and no topics, at once.
#[scenario("FETCH-042", api = Fetch, versions = 7.., vary = ["never given", "0", "-1"])]
async fn an_unknown_session_is_refused(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let mut leader = cx.leader(&from).await?;
    let id = match cx.variant() {
        "0" => 0,
        "-1" => -1,
        _ => {
            // A neighbour of a real one: ids are drawn at random.
            let session = Session::open(cx, &[(&from, 0)]).await?;
            let id = session.id ^ 0x55;
            session.close(cx, &from).await?;
            id
        }
    };
    let request = cx.fetch(&from, 0)?.with_session_id(id).with_session_epoch(1);
    let request = request.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    refused(leader.ask(request).await?, FetchSessionIdNotFound)
}

/// A wrong session_epoch (one repeated, one skipped, or a negative one below -1) is refused at the
/// top with INVALID_FETCH_SESSION_EPOCH (71), session_id 0 and no topics; the session survives, and
/// the epoch that was due still works.
#[scenario("FETCH-043", api = Fetch, versions = 7.., vary = ["repeated", "skipped", "-2"])]
async fn a_wrong_session_epoch_is_refused_and_the_session_survives(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut session = Session::open(cx, &[(&from, 0)]).await?;
    session.leader.ask(next(cx, &from, session.id, 1)?).await?.ok()?;
    let wrong = match cx.variant() {
        "repeated" => 1,
        "skipped" => 3,
        _ => -2,
    };
    let refusal = session.leader.ask(next(cx, &from, session.id, wrong)?).await?;
    refused(refusal, InvalidFetchSessionEpoch)?;

    let due = session.leader.ask(next(cx, &from, session.id, 2)?).await?.expect_ok()?;
    due.expect_number("session_id", session.id.into())?;
    expect_offsets(&due, &from, &[0])?;
    session.close(cx, &from).await
}

/// A Fetch with a session's id and session_epoch -1 closes the session and is answered as one
/// without a session (session_id 0); afterwards the id is unknown (70). It may name no topics, to
/// close and no more; an unknown id is no error there.
#[scenario("FETCH-044", api = Fetch, versions = 7.., vary = ["with topics", "without topics"])]
async fn a_closed_session_is_unknown(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    cx.write(&from, &["a"]).await?;
    let mut session = Session::open(cx, &[(&from, 1)]).await?;
    let close = |request: FetchRequest| request.with_session_id(session.id).with_session_epoch(-1);

    if cx.variant() == "with topics" {
        let body = session.leader.ask(close(cx.fetch(&from, 0)?)).await?.expect_ok()?;
        body.expect_number("session_id", 0)?;
        expect_offsets(&body, &from, &[0])?;
    } else {
        let closed = close(cx.fetch(&from, 0)?.with_topics(Vec::new()));
        // Twice: the second time the id is unknown already.
        for request in [closed.clone(), closed] {
            let body = session.leader.ask(request).await?.expect_ok()?;
            body.expect_number("session_id", 0)?;
            body.require(body.responses.is_empty(), "no topics", || {
                format!("{:?}", body.responses)
            })?;
        }
    }
    refused(session.leader.ask(next(cx, &from, session.id, 1)?).await?, FetchSessionIdNotFound)
}

/// A session that set-up opened, and the connection that it was opened on.
pub(super) struct Session {
    pub(super) leader: Conn,
    pub(super) id: i32,
}

impl Session {
    /// Opens a session over these partitions at the case's version.
    pub(super) async fn open(cx: &Cx, parts: &[(&Partition, i64)]) -> Result<Self, Failure> {
        let Some((first, _)) = parts.first() else {
            return Err(Failure::error("a session without partitions"));
        };
        let mut leader = cx.leader(first).await?;
        let request = fetch_all(cx, parts)?.with_session_epoch(0);
        // Partitions may be in error here, as some cases want them.
        let id = leader.ask(request).await?.answered()?.session_id;
        if id == 0 {
            return Err(Failure::NotRun("room in the broker's cache of fetch sessions".to_owned()));
        }
        Ok(Self { leader, id })
    }

    /// Closes the session, so that it does not take a place in the broker's cache until it is
    /// evicted.
    pub(super) async fn close(mut self, cx: &Cx, any: &Partition) -> Outcome {
        let close = next(cx, any, self.id, -1)?;
        self.leader.ask(close).await?.ok().map(drop)
    }
}

/// An incremental Fetch of this session that changes nothing in it: no topics, and no wait.
pub(super) fn next(cx: &Cx, any: &Partition, id: i32, epoch: i32) -> Result<FetchRequest, Failure> {
    let request = cx.fetch(any, 0)?.with_topics(Vec::new());
    Ok(request.with_session_id(id).with_session_epoch(epoch))
}

/// A refusal at the top: this code, session_id 0, no topics, at once.
pub(super) fn refused(reply: Reply<FetchResponse>, code: ResponseError) -> Outcome {
    reply.expect_error_at("error_code", code)?;
    let body = reply.expect_answer()?;
    body.expect_number("session_id", 0)?;
    body.require(body.responses.is_empty(), "no topics", || format!("{:?}", body.responses))?;
    body.require(body.took() < SOON, "an answer at once", || format!("{:?}", body.took()))
}
