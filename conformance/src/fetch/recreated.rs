//! Fetch (1): topics that are deleted, and made again under the same name, while somebody reads
//! them.
//!
//! By id (KIP-516, version 13) the old topic stays gone; by name nobody can tell it from the new
//! one.

use kconform_scenario::prelude::*;

use super::answers::{
    ERROR, LONG_WAIT, at_once, expect_code, expect_offsets, listed, no_such_topic, result,
};
use super::sessions::{Session, next};
use crate::topics::{delete_topic, topic_again};

scenarios![
    a_deleted_topic_is_unknown,
    a_deleted_topic_ends_the_wait,
    the_old_id_of_a_topic_made_again_is_unknown,
    a_session_by_id_never_reads_the_topic_made_again,
    a_session_by_name_reads_the_topic_made_again,
];

/// How long a deletion may take to reach the logs.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// After its topic was deleted, a partition is answered with UNKNOWN_TOPIC_OR_PARTITION (3) by name
/// and UNKNOWN_TOPIC_ID (100) by id, and high_watermark -1; for a moment it may still be served, or
/// answered with 3 or NOT_LEADER_OR_FOLLOWER (6).
#[scenario("FETCH-079", api = Fetch, versions = 4..)]
async fn a_deleted_topic_is_unknown(cx: &mut Cx) -> Outcome {
    let from = cx.topic().await?.partition(0);
    cx.write(&from, &["a"]).await?;
    let mut leader = cx.leader(&from).await?;
    delete(cx, &from).await?;
    let mut tries = cx.tries("the deleted topic to be unknown", GONE_WITHIN);
    loop {
        let body = leader.ask(cx.fetch(&from, 0)?).await?.expect_answer()?;
        let got = Code(result(&body, &from)?.error_code);
        if got == no_such_topic(cx).into() {
            return body.expect_number("responses[0].partitions[0].high_watermark", -1);
        }
        let fading = [Code::NONE, NotLeaderOrFollower.into(), UnknownTopicOrPartition.into()];
        body.require(fading.contains(&got), "0, 3 or 6 for a moment", || got.to_string())?;
        tries.expect(got).await?;
    }
}

/// A Fetch that waits is answered with UNKNOWN_TOPIC_OR_PARTITION (3) when its topic is deleted,
/// without the rest of the wait.
#[scenario("FETCH-080", api = Fetch, versions = 4..)]
async fn a_deleted_topic_ends_the_wait(cx: &mut Cx) -> Outcome {
    let from = cx.topic().await?.partition(0);
    let mut leader = cx.leader(&from).await?;
    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let waiting = leader.tell(request).await?;
    // Long enough for the broker to find nothing and begin to wait.
    cx.sleep(Duration::from_millis(100)).await;
    delete(cx, &from).await?;
    let reply = leader.answer(waiting).await?;
    reply.expect_error_at(ERROR, UnknownTopicOrPartition)?;
    at_once(&reply.expect_answer()?)
}

/// A Fetch outside a session that names the id of a topic which was deleted and made again under
/// the same name is answered with UNKNOWN_TOPIC_ID (100), never with records of the new topic.
#[scenario("FETCH-013", api = Fetch, versions = 13..)]
async fn the_old_id_of_a_topic_made_again_is_unknown(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?.partition(0);
    let new = made_again(cx, &old).await?;
    cx.write(&new, &["new"]).await?;
    let mut leader = cx.leader(&new).await?;
    let reply = leader.ask(cx.fetch(&old, 0)?).await?;
    reply.expect_error_at(ERROR, UnknownTopicId)?;
    let body = reply.expect_answer()?;
    let found = result(&body, &old)?;
    let empty = found.records.as_ref().is_none_or(bytes::Bytes::is_empty);
    body.require(empty, "no records of the new topic", || format!("{found:?}"))?;
    let body = leader.ask(cx.fetch(&new, 0)?).await?.expect_ok()?;
    expect_offsets(&body, &new, &[0])
}

/// In a session by id, the partition of a deleted topic comes back with UNKNOWN_TOPIC_OR_PARTITION
/// (3) (outside a session with 100). After the topic was made again under the same name it comes
/// back with INCONSISTENT_TOPIC_ID (103) and no records in every following answer, never with 100
/// and never with records of the new topic.
#[scenario("FETCH-014", api = Fetch, versions = 13..)]
async fn a_session_by_id_never_reads_the_topic_made_again(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?.partition(0);
    let mut session = Session::open(cx, &[(&old, 0)]).await?;
    delete(cx, &old).await?;
    let mut epochs = 1..;
    let deleted = UnknownTopicOrPartition;
    coded(cx, &mut session, &old, &mut epochs, deleted, &[]).await?;
    let new = topic_again(cx, &old).await?;
    cx.write(&new, &["new"]).await?;
    coded(cx, &mut session, &old, &mut epochs, InconsistentTopicId, &[deleted.into()]).await?;
    for _ in 0..2 {
        // It stays so.
        coded(cx, &mut session, &old, &mut epochs, InconsistentTopicId, &[]).await?;
    }
    session.close(cx, &old).await
}

/// When the topic of a session by name is deleted and made again, the session goes on against the
/// new topic: with its records, or with OFFSET_OUT_OF_RANGE (1) where the known offset is past the
/// new end.
#[scenario("FETCH-077", api = Fetch, versions = 7..=12, vary = ["inside", "past the end"])]
async fn a_session_by_name_reads_the_topic_made_again(cx: &mut Cx) -> Outcome {
    let old = cx.topic().await?.partition(0);
    cx.write(&old, &["a", "b", "c"]).await?;
    let offset = if cx.variant() == "inside" { 0 } else { 3 };
    let mut session = Session::open(cx, &[(&old, offset)]).await?;
    let new = made_again(cx, &old).await?;
    cx.write(&new, &["new"]).await?;
    let body = session.leader.ask(next(cx, &old, session.id, 1)?).await?.expect_answer()?;
    body.expect_number("session_id", session.id.into())?;
    if cx.variant() == "inside" {
        expect_offsets(&body, &new, &[0])?;
    } else {
        expect_code(&body, &new, OffsetOutOfRange)?;
    }
    session.close(cx, &old).await
}

/// Continues the session until the partition comes back with this code, and without records. No
/// codes but these passing ones come before, and answers that do not list it.
async fn coded(
    cx: &Cx,
    session: &mut Session,
    of: &Partition,
    epochs: &mut std::ops::RangeFrom<i32>,
    code: ResponseError,
    passing: &[Code],
) -> Outcome {
    let mut tries = cx.tries(format!("{code:?} for the partition"), GONE_WITHIN);
    for epoch in epochs {
        let body = session.leader.ask(next(cx, of, session.id, epoch)?).await?.expect_answer()?;
        body.expect_number("session_id", session.id.into())?;
        if listed(&body, &[of]).is_empty() {
            tries.expect("an answer without the partition").await?;
            continue;
        }
        let found = result(&body, of)?;
        let empty = found.records.as_ref().is_none_or(bytes::Bytes::is_empty);
        body.require(empty, "no records", || format!("{found:?}"))?;
        let got = Code(found.error_code);
        if got == code.into() {
            return Ok(());
        }
        body.require(passing.contains(&got), Code::from(code).to_string(), || got.to_string())?;
        tries.expect(got).await?;
    }
    Ok(())
}

/// Deletes the partition's topic.
async fn delete(cx: &Cx, of: &Partition) -> Outcome {
    let mut conn = cx.connect().await?;
    delete_topic(cx, &mut conn, &of.topic).await
}

/// Deletes the partition's topic and makes it again.
async fn made_again(cx: &Cx, old: &Partition) -> Result<Partition, Failure> {
    delete(cx, old).await?;
    topic_again(cx, old).await
}
