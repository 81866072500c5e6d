//! OffsetCommit (8): what is stored, and what OffsetFetch makes of it.
//!
//! Version 6 brought the leader epoch (KIP-320), version 10 topic ids (KIP-848). Not covered:
//! retention, and what survives a restart.

use kconform_scenario::prelude::*;

use super::offsets::{Commit, LEADER_EPOCHS, Lookup, Stored, TOPIC_IDS, committed, ghost, stored};
use crate::groups::members::{GRACE, coordinator};

scenarios![
    a_missing_partition_does_not_hold_up_the_others,
    metadata_may_be_as_long_as_the_limit,
    null_metadata_comes_back_empty,
    the_leader_epoch_comes_back,
    the_empty_group_id_stores_offsets,
    offsets_may_go_anywhere,
    offsets_of_a_deleted_topic_vanish,
    topic_ids_lead_to_topics,
    a_commit_is_seen_at_once,
];

/// A commit for a topic that does not exist, or for a partition index beyond the topic's or below
/// zero, is refused for that partition with UNKNOWN_TOPIC_OR_PARTITION (3), an unknown topic id in
/// version 10 with UNKNOWN_TOPIC_ID (100), and nothing is stored for it; the other partitions of
/// the request are stored with error 0.
#[scenario(
    "OFFCOMMIT-010",
    api = OffsetCommit,
    versions = 1..,
    vary = ["topic", "beyond", "negative"]
)]
async fn a_missing_partition_does_not_hold_up_the_others(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let missing = match cx.variant() {
        "topic" => ghost(cx),
        "beyond" => Partition { index: 100_000, ..partition.clone() },
        _ => Partition { index: -1, ..partition.clone() },
    };
    let by_id = cx.version() >= TOPIC_IDS && cx.variant() == "topic";
    let refusal = if by_id { UnknownTopicId } else { UnknownTopicOrPartition };
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).offset(&missing, 41).offset(&partition, 42);
    let errors = commit.ask(cx, &mut conn).await?;
    let mut seen: Vec<_> = errors.errors()?.into_iter().map(|(_, code)| code).collect();
    seen.sort_unstable();
    let expected = [Code::NONE, refusal.into()];
    errors
        .expect_answer()?
        .require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    let seen = committed(cx, &mut conn, &group, &partition).await?;
    seen.expect_offset(42)?;
    let seen = committed(cx, &mut conn, &group, &missing).await?;
    seen.expect_offset(-1)
}

/// Metadata of exactly offset.metadata.max.bytes characters (4096 by default) is stored; longer
/// metadata is refused for its partition with OFFSET_METADATA_TOO_LARGE (12), the former offset of
/// which stays, while the others of the request are stored.
#[scenario("OFFCOMMIT-011", api = OffsetCommit, versions = 1..)]
async fn metadata_may_be_as_long_as_the_limit(cx: &mut Cx) -> Outcome {
    let limit = cx.facts().config_number("offset.metadata.max.bytes").unwrap_or(4096);
    let longest = "m".repeat(usize::try_from(limit).unwrap_or(4096));
    let (group, first, second) = (cx.group(), cx.partition().await?, cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&first, 1).ask(cx, &mut conn).await?.ok()?;
    let commit = Commit::to(&group).entry(&first, 2, -1, Some(&format!("{longest}m"))).entry(
        &second,
        3,
        -1,
        Some(&longest),
    );
    let reply = commit.ask(cx, &mut conn).await?;
    let mut seen: Vec<_> = reply.errors()?.into_iter().map(|(_, code)| code).collect();
    seen.sort_unstable();
    let expected = [Code::NONE, OffsetMetadataTooLarge.into()];
    reply
        .expect_answer()?
        .require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    let kept = committed(cx, &mut conn, &group, &first).await?;
    let new = committed(cx, &mut conn, &group, &second).await?;
    require(
        kept.offset == 1 && new.offset == 3 && new.metadata.as_ref() == Some(&longest),
        "offset 1 as before, offset 3 with its whole metadata",
        || {
            let length = new.metadata.as_ref().map(String::len);
            format!("offsets {} and {}, {length:?} characters", kept.offset, new.offset)
        },
    )
}

/// A commit with null metadata is stored, and OffsetFetch returns the metadata as an empty string.
#[scenario("OFFCOMMIT-013", api = OffsetCommit, versions = 1..)]
async fn null_metadata_comes_back_empty(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).entry(&partition, 42, -1, None);
    commit.ask(cx, &mut conn).await?.expect_ok()?;
    let seen = committed(cx, &mut conn, &group, &partition).await?;
    require(
        seen.offset == 42 && seen.metadata.as_deref() == Some(""),
        "offset 42, metadata \"\"",
        || format!("{seen:?}"),
    )
}

/// The committed_leader_epoch of a commit, which it has from version 6 on, is returned by
/// OffsetFetch from version 5 on; it is -1 when none was given or the commit was of an older
/// version.
#[scenario("OFFCOMMIT-014", api = OffsetCommit, versions = 1.., vary = ["given", "not given"])]
async fn the_leader_epoch_comes_back(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let given = cx.variant() == "given" && cx.version() >= LEADER_EPOCHS;
    let epoch = if given { 5 } else { -1 };
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).entry(&partition, 42, epoch, Some("noted"));
    commit.ask(cx, &mut conn).await?.expect_ok()?;
    let seen = committed(cx, &mut conn, &group, &partition).await?;
    let version = cx.version_of(keys::OffsetFetch)?;
    let expected = Stored::at(version, 42, epoch.into(), "noted");
    require(seen == expected, &format!("{expected:?}"), || format!("{seen:?}"))
}

/// The empty group id is accepted by OffsetCommit and OffsetFetch of a client that is no member.
#[scenario("OFFCOMMIT-015", api = OffsetCommit, versions = 1..)]
async fn the_empty_group_id_stores_offsets(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut conn = coordinator(cx, "").await?;
    Commit::to("").offset(&partition, 42).ask(cx, &mut conn).await?.expect_ok()?;
    let seen = committed(cx, &mut conn, "", &partition).await?;
    seen.expect_offset(42)
}

/// Commits may go backwards, repeat an offset, and lie beyond the end of the log, up to 2^63 - 1:
/// each is stored as given.
#[scenario(
    "OFFCOMMIT-016",
    api = OffsetCommit,
    versions = 1..,
    vary = ["beyond", "backwards", "again"]
)]
async fn offsets_may_go_anywhere(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let (first, second) = match cx.variant() {
        "beyond" => (0, i64::MAX),
        "backwards" => (i64::MAX, 7),
        _ => (7, 7),
    };
    Commit::to(&group).offset(&partition, first).ask(cx, &mut conn).await?.ok()?;
    Commit::to(&group).offset(&partition, second).ask(cx, &mut conn).await?.expect_ok()?;
    let seen = committed(cx, &mut conn, &group, &partition).await?;
    seen.expect_offset(second)
}

/// Once a topic is deleted, the offsets that were committed for it vanish soon after, so that
/// OffsetFetch by name says -1; those of other topics stay, and so does a group that still holds
/// offsets.
#[scenario("OFFCOMMIT-021", api = OffsetCommit, versions = 1..)]
async fn offsets_of_a_deleted_topic_vanish(cx: &mut Cx) -> Outcome {
    let (group, kept, topic) = (cx.group(), cx.partition().await?, cx.topic().await?);
    let doomed = topic.partition(0);
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).offset(&doomed, 41).offset(&kept, 42);
    commit.ask(cx, &mut conn).await?.ok()?;
    conn.ask(requests::delete_topic(cx.newest(keys::DeleteTopics)?, &topic.name)).await?.ok()?;

    let version = cx.newest(keys::OffsetFetch)?.min(TOPIC_IDS - 1);
    let mut tries = cx.tries("the offset of the deleted topic to vanish", GRACE);
    loop {
        let lookup = Lookup::of(&group, &[&doomed, &kept]);
        let body = lookup.ask_at(version, &mut conn).await?.expect_ok()?;
        let offset = |of| stored(&body, version, 0, of).map(|found| found.map(|one| one.offset));
        let (gone, stays) = (offset(&doomed)?, offset(&kept)?);
        body.require(stays == Some(42), "offset 42 for the other topic", || format!("{stays:?}"))?;
        if gone == Some(-1) {
            return Ok(());
        }
        tries.expect(format!("{gone:?}")).await?;
    }
}

/// From version 10 on topics are named by topic id, in the answer too: an id that is unknown or
/// zero is refused with UNKNOWN_TOPIC_ID (100), a known id with an unknown partition with
/// UNKNOWN_TOPIC_OR_PARTITION (3), and what is stored is seen by an OffsetFetch that names the
/// topic.
#[scenario(
    "OFFCOMMIT-024",
    api = OffsetCommit,
    versions = 10..,
    vary = ["known", "unknown", "zero", "unknown partition"]
)]
async fn topic_ids_lead_to_topics(cx: &mut Cx) -> Outcome {
    let (group, mut partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let refusal = match cx.variant() {
        "known" => None,
        "unknown" => {
            partition = ghost(cx);
            Some(UnknownTopicId)
        }
        "zero" => {
            partition.topic_id = uuid::Uuid::nil();
            Some(UnknownTopicId)
        }
        _ => {
            partition.index = 100_000;
            Some(UnknownTopicOrPartition)
        }
    };
    let reply = Commit::to(&group).offset(&partition, 42).ask(cx, &mut conn).await?;
    let id = reply.at("topics[0].topic_id")?.as_uuid();
    if id != Some(*partition.topic_id.as_bytes()) {
        return Err(reply.violated(format!("topic id {}", partition.topic_id), format!("{id:?}")));
    }
    if let Some(refusal) = refusal {
        return reply.expect_error(refusal);
    }
    reply.expect_ok()?;
    let by_name = TOPIC_IDS - 1;
    let body = Lookup::of(&group, &[&partition]).ask_at(by_name, &mut conn).await?.answered()?;
    let seen = stored(&body, by_name, 0, &partition)?;
    let expected = Some(Stored::at(by_name, 42, -1, ""));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// A commit that was answered with error 0 is seen by an OffsetFetch that is sent right after it,
/// on any connection to the coordinator.
#[scenario("OFFCOMMIT-029", api = OffsetCommit, versions = 1..)]
async fn a_commit_is_seen_at_once(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut writer = coordinator(cx, &group).await?;
    let mut reader = coordinator(cx, &group).await?;
    for offset in 1..=5 {
        Commit::to(&group).offset(&partition, offset).ask(cx, &mut writer).await?.expect_ok()?;
        let seen = committed(cx, &mut reader, &group, &partition).await?;
        seen.expect_offset(offset)?;
    }
    Ok(())
}
