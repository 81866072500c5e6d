//! Fetch (1): partitions of a fetch session that are moved, added, forgotten and taken up again
//! (KIP-227, version 7).
//!
//! Sessions name topics as their version does, by id from 13 on. Partitions whose
//! topic is deleted have a file of their own.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::fetch_request::ForgottenTopic;
use kconform_scenario::prelude::*;

use super::answers::{NO_SUCH_INDEX, expect_offsets, listed};
use super::sessions::{Session, next};

scenarios![
    a_partition_named_again_moves,
    a_partition_named_anew_is_added,
    a_forgotten_partition_is_gone,
];

/// A partition named in an incremental request gets the offset and limits given there, or is added
/// to the session, and the requests after it use the new values. An added partition is listed once
/// even when it is empty.
#[scenario("FETCH-040", api = Fetch, versions = 7..)]
async fn a_partition_named_again_moves(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    for value in ["a", "b", "c"] {
        cx.write(&from, &[value]).await?;
    }
    let mut session = Session::open(cx, &[(&from, 0)]).await?;

    let moved = cx.fetch(&from, 2)?.with_session_id(session.id).with_session_epoch(1);
    let body = session.leader.ask(moved).await?.expect_ok()?;
    expect_offsets(&body, &from, &[2])?;
    let body = session.leader.ask(next(cx, &from, session.id, 2)?).await?.expect_ok()?;
    expect_offsets(&body, &from, &[2])?;
    session.close(cx, &from).await
}

/// A partition named in an incremental request gets the offset and limits given there, or is added
/// to the session, and the requests after it use the new values. An added partition is listed once
/// even when it is empty.
#[scenario("FETCH-040", api = Fetch, versions = 7..)]
async fn a_partition_named_anew_is_added(cx: &mut Cx) -> Outcome {
    let [old, added] = cx.partitions().await?;
    let mut session = Session::open(cx, &[(&old, 0)]).await?;

    let add = cx.fetch(&added, 0)?.with_session_id(session.id).with_session_epoch(1);
    let body = session.leader.ask(add).await?.expect_ok()?;
    let got = listed(&body, &[&old, &added]);
    body.require(got == [Some(1)], "the added partition alone", || format!("{got:?}"))?;
    let body = session.leader.ask(next(cx, &old, session.id, 2)?).await?.expect_ok()?;
    body.require(body.responses.is_empty(), "no topics", || format!("{:?}", body.responses))?;

    cx.write(&added, &["news"]).await?;
    let body = session.leader.ask(next(cx, &old, session.id, 3)?).await?.expect_ok()?;
    expect_offsets(&body, &added, &[0])?;
    session.close(cx, &old).await
}

/// forgotten_topics_data takes partitions out of the session: they are no longer listed even when
/// they are written to, and can be added again. Forgetting a partition or topic that is not in the
/// session is ignored.
#[scenario("FETCH-041", api = Fetch, versions = 7..)]
async fn a_forgotten_partition_is_gone(cx: &mut Cx) -> Outcome {
    let [kept, gone] = cx.partitions().await?;
    let mut session = Session::open(cx, &[(&kept, 0), (&gone, 0)]).await?;
    for to in [&kept, &gone] {
        cx.write(to, &["news"]).await?;
    }
    let mut forgotten = forgotten(cx, &gone);
    forgotten.partitions.push(NO_SUCH_INDEX);

    let forget = next(cx, &kept, session.id, 1)?.with_forgotten_topics_data(vec![forgotten]);
    let both = [&kept, &gone];
    for request in [forget, next(cx, &kept, session.id, 2)?] {
        let body = session.leader.ask(request).await?.expect_ok()?;
        let got = listed(&body, &both);
        body.require(got == [Some(0)], "the partition that stays, alone", || format!("{got:?}"))?;
    }
    let again = cx.fetch(&gone, 0)?.with_session_id(session.id).with_session_epoch(3);
    let body = session.leader.ask(again).await?.expect_ok()?;
    expect_offsets(&body, &gone, &[0])?;
    session.close(cx, &kept).await
}

/// This partition as one that is taken out of the session.
pub(super) fn forgotten(cx: &Cx, gone: &Partition) -> ForgottenTopic {
    let forgotten = ForgottenTopic::default().with_partitions(vec![gone.index]);
    if cx.version() >= 13 {
        forgotten.with_topic_id(gone.topic_id)
    } else {
        forgotten.with_topic(TopicName(text(&gone.topic)))
    }
}
