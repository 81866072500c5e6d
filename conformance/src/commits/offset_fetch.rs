//! OffsetFetch (9): what is stored for a group, for whom, and where errors stand.
//!
//! Version 2 brought the error of the group and null for all topics, 5 the leader epoch (KIP-320),
//! 7 `require_stable` (KIP-447, see `transactional_offsets.rs`), 8 several groups (KIP-709), 9
//! member id and epoch (KIP-848), 10 topic ids. Version 0 read from ZooKeeper. Not covered: members
//! of KIP-848 groups, and groups of several coordinators.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::offsets::{Commit, GROUP_ERROR, Lookup, Stored, TOPIC_IDS, ghost, group_path, stored};
use crate::groups::members::{GRACE, Member, coordinator, join};

scenarios![
    no_offset_is_no_error,
    null_topics_are_all_topics,
    an_unknown_group_has_no_topics,
    each_group_gets_an_answer_of_its_own,
    a_refusal_stands_with_the_group,
    a_refusal_stands_with_each_partition,
    topic_ids_lead_to_offsets,
    a_topic_made_again_has_no_offsets,
    the_leader_epoch_is_told,
    every_state_of_a_group_answers,
    the_version_of_zookeeper_is_refused,
];

/// Whether the group's own error, where the version has one, is this.
fn group_error(reply: &Reply<()>, version: i16, index: usize, code: Code) -> Outcome {
    if version < GROUP_ERROR {
        return Ok(());
    }
    reply.clone().expect_error_at(&format!("{}error_code", group_path(version, index)), code)
}

/// A partition without a committed offset, a topic or partition index that does not exist, and a
/// group that does not exist are no error: offset -1, leader epoch -1, metadata "", error 0 for
/// partition and group. Version 10, which names topics by id, answers an unknown id with
/// UNKNOWN_TOPIC_ID (100) for the partition.
#[scenario(
    "OFFFETCH-001",
    api = OffsetFetch,
    versions = 1..,
    vary = ["never committed", "unknown topic", "unknown partition", "unknown group"]
)]
async fn no_offset_is_no_error(cx: &mut Cx) -> Outcome {
    let (group, partition, other) = (cx.group(), cx.partition().await?, cx.partition().await?);
    let (version, mut expected) = (cx.version(), Stored::nothing(cx.version()));
    let mut conn = coordinator(cx, &group).await?;
    if cx.variant() != "unknown group" {
        Commit::to(&group).offset(&other, 42).ask(cx, &mut conn).await?.ok()?;
    }
    let asked = match cx.variant() {
        "unknown topic" => ghost(cx),
        "unknown partition" => Partition { index: 100_000, ..partition },
        _ => partition,
    };
    if version >= TOPIC_IDS && cx.variant() == "unknown topic" {
        expected = expected.refused(UnknownTopicId);
    }
    let reply = Lookup::of(&group, &[&asked]).ask(cx, &mut conn).await?;
    group_error(&reply, version, 0, Code::NONE)?;
    let body = reply.expect_answer()?;
    let seen = stored(&body, version, 0, &asked)?;
    body.require(seen.as_ref() == Some(&expected), format!("{expected:?}"), || format!("{seen:?}"))
}

/// From version 2 on null topics ask for every partition for which the group has an offset; for a
/// group that does not exist that is an empty list, and no error.
#[scenario("OFFFETCH-002", api = OffsetFetch, versions = 2..)]
async fn null_topics_are_all_topics(cx: &mut Cx) -> Outcome {
    let (group, first, second) = (cx.group(), cx.partition().await?, cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&first, 41).offset(&second, 42).ask(cx, &mut conn).await?.ok()?;
    let body = Lookup::all(&group).ask(cx, &mut conn).await?.expect_ok()?;
    for (partition, offset) in [(&first, 41), (&second, 42)] {
        let seen = stored(&body, cx.version(), 0, partition)?;
        let expected = Some(Stored::at(cx.version(), offset, -1, ""));
        body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    }
    Ok(())
}

/// From version 2 on null topics ask for every partition for which the group has an offset; for a
/// group that does not exist that is an empty list, and no error.
#[scenario("OFFFETCH-002", api = OffsetFetch, versions = 2..)]
async fn an_unknown_group_has_no_topics(cx: &mut Cx) -> Outcome {
    let group = cx.group();
    let mut conn = coordinator(cx, &group).await?;
    let body = Lookup::all(&group).ask(cx, &mut conn).await?.expect_ok()?;
    let topics = body.at(&format!("{}topics", group_path(cx.version(), 0)))?;
    body.require(topics == Value::Array(Vec::new()), "no topics", || topics.to_string())
}

/// From version 8 on one request asks for several groups, some by their topics and some with null
/// for all; the answer has one entry for each group, with an error of its own.
#[scenario("OFFFETCH-004", api = OffsetFetch, versions = 8..)]
async fn each_group_gets_an_answer_of_its_own(cx: &mut Cx) -> Outcome {
    let (version, partition) = (cx.version(), cx.partition().await?);
    // All three on one coordinator, which one broker is.
    let (known, whole, unknown) = (cx.group(), cx.group(), cx.group());
    if cx.facts().brokers.len() > 1 {
        return Err(Failure::NotRun(
            "a target of one broker, the coordinator of all groups".into(),
        ));
    }
    let mut conn = coordinator(cx, &known).await?;
    Commit::to(&known).offset(&partition, 41).ask(cx, &mut conn).await?.ok()?;
    Commit::to(&whole).offset(&partition, 42).ask(cx, &mut conn).await?.ok()?;
    let lookup = Lookup::of(&known, &[&partition]).and_all(&whole).and(&unknown, &[&partition]);
    let body = lookup.ask(cx, &mut conn).await?.expect_ok()?;
    let groups = body.at("groups")?;
    let groups = groups.as_array().unwrap_or_default();
    for (group, offset) in [(&known, 41), (&whole, 42), (&unknown, -1)] {
        let named = |value: &Value| value.at("group_id").ok() == Some(&Value::from(group.clone()));
        let entries: Vec<usize> =
            (0..).zip(groups).filter(|(_, value)| named(value)).map(|(index, _)| index).collect();
        let &[index] = entries.as_slice() else {
            return body.require(false, format!("one entry for {group}"), || {
                format!("{} entries", entries.len())
            });
        };
        let seen = stored(&body, version, index, &partition)?;
        let expected = Some(Stored::at(version, offset, -1, ""));
        body.require(seen == expected, format!("{group}: {expected:?}"), || format!("{seen:?}"))?;
    }
    Ok(())
}

/// From version 2 on an error of the group (COORDINATOR_LOAD_IN_PROGRESS (14),
/// COORDINATOR_NOT_AVAILABLE (15), NOT_COORDINATOR (16), GROUP_AUTHORIZATION_FAILED (30)) stands at
/// the top of the answer, and from version 8 on in the group's entry, in both with no topics.
#[scenario(
    "OFFFETCH-006",
    api = OffsetFetch,
    versions = 2..,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")]
)]
async fn a_refusal_stands_with_the_group(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    coordinator(cx, &group).await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let reply = Lookup::of(&group, &[&partition]).ask(cx, &mut conn).await?;
    group_error(&reply, cx.version(), 0, GroupAuthorizationFailed.into())?;
    let body = reply.expect_answer()?;
    let topics = body.at(&format!("{}topics", group_path(cx.version(), 0)))?;
    body.require(topics == Value::Array(Vec::new()), "no topics", || topics.to_string())
}

/// Version 1 has no place for an error of the group: NOT_COORDINATOR (16) or
/// GROUP_AUTHORIZATION_FAILED (30) stands with every partition that was asked for, with offset -1
/// and metadata "" (3.7 and 3.8 lose a GROUP_AUTHORIZATION_FAILED and answer with no partition).
#[scenario(
    "OFFFETCH-007",
    api = OffsetFetch,
    versions = 1..=1,
    needs = [Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")]
)]
async fn a_refusal_stands_with_each_partition(cx: &mut Cx) -> Outcome {
    let (group, first, second) = (cx.group(), cx.partition().await?, cx.partition().await?);
    coordinator(cx, &group).await?;
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let body = Lookup::of(&group, &[&first, &second]).ask(cx, &mut conn).await?.expect_answer()?;
    let refused = Stored::nothing(1).refused(GroupAuthorizationFailed);
    // Before 3.9 the error of the group is lost on the way into version 1.
    let expected = if cx.since(3, 9) { Some(refused) } else { None };
    for partition in [&first, &second] {
        let seen = stored(&body, 1, 0, partition)?;
        body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    }
    Ok(())
}

/// From version 10 on topics are named by topic id, in the answer too and with null topics as well.
/// An unknown id is answered with UNKNOWN_TOPIC_ID (100) and offset -1, a known id with an unknown
/// partition with offset -1 and error 0. A topic that is made again under its name has offset -1
/// and error 0 under its new id, and its old id is unknown.
#[scenario("OFFFETCH-012", api = OffsetFetch, versions = 10.., vary = ["listed", "null topics"])]
async fn topic_ids_lead_to_offsets(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&partition, 42).ask(cx, &mut conn).await?.ok()?;
    let lookup = match cx.variant() {
        "listed" => Lookup::of(&group, &[&partition]),
        _ => Lookup::all(&group),
    };
    let body = lookup.ask(cx, &mut conn).await?.expect_ok()?;
    let seen = stored(&body, cx.version(), 0, &partition)?;
    let expected = Some(Stored::at(cx.version(), 42, -1, ""));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// From version 10 on topics are named by topic id, in the answer too and with null topics as well.
/// An unknown id is answered with UNKNOWN_TOPIC_ID (100) and offset -1, a known id with an unknown
/// partition with offset -1 and error 0. A topic that is made again under its name has offset -1
/// and error 0 under its new id, and its old id is unknown.
#[scenario("OFFFETCH-012", api = OffsetFetch, versions = 10..)]
async fn a_topic_made_again_has_no_offsets(cx: &mut Cx) -> Outcome {
    let (group, topic) = (cx.group(), cx.topic().await?);
    let old = topic.partition(0);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&old, 42).ask(cx, &mut conn).await?.ok()?;
    conn.ask(requests::delete_topic(cx.newest(keys::DeleteTopics)?, &topic.name)).await?.ok()?;
    conn.ask(requests::create_topic(&topic.name, &TopicSpec::default())).await?.ok()?;
    let mut tries = cx.tries("the new topic to be ready", GRACE);
    let new = loop {
        let ready = cx.topic_ready(&topic.name, 1).await?;
        if ready.id != topic.id {
            break ready.partition(0);
        }
        tries.again("the old one").await?;
    };

    let mut tries = cx.tries("the old topic id to be unknown", GRACE);
    loop {
        let body = Lookup::of(&group, &[&old]).ask(cx, &mut conn).await?.expect_answer()?;
        let seen = stored(&body, cx.version(), 0, &old)?;
        if seen == Some(Stored::nothing(cx.version()).refused(UnknownTopicId)) {
            break;
        }
        tries.expect(format!("{seen:?}")).await?;
    }
    let body = Lookup::of(&group, &[&new]).ask(cx, &mut conn).await?.expect_ok()?;
    let seen = stored(&body, cx.version(), 0, &new)?;
    let expected = Some(Stored::nothing(cx.version()));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// From version 5 on the answer has the committed_leader_epoch; below it the field does not exist.
#[scenario("OFFFETCH-014", api = OffsetFetch, versions = 1.., needs = [Api(keys::OffsetCommit, 6)])]
async fn the_leader_epoch_is_told(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let commit = Commit::to(&group).entry(&partition, 42, 5, Some("noted"));
    commit.ask(cx, &mut conn).await?.ok()?;
    let body = Lookup::of(&group, &[&partition]).ask(cx, &mut conn).await?.expect_ok()?;
    let seen = stored(&body, cx.version(), 0, &partition)?;
    let expected = Some(Stored::at(cx.version(), 42, 5, "noted"));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// OffsetFetch answers in every state of a group (Stable, PreparingRebalance, CompletingRebalance,
/// Empty), for groups that do not exist, and for clients that are no members.
#[scenario(
    "OFFFETCH-015",
    api = OffsetFetch,
    versions = 1..,
    vary = ["Stable", "PreparingRebalance", "CompletingRebalance", "Empty"]
)]
async fn every_state_of_a_group_answers(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&partition, 42).ask(cx, &mut conn).await?.ok()?;
    let mut joining = None;
    match cx.variant() {
        "Empty" => {}
        "CompletingRebalance" => {
            Member::joining(cx, join(cx, &group)?).await?;
        }
        state => {
            let mut member = Member::alone(cx, &group).await?;
            if state == "PreparingRebalance" {
                joining = Some(member.disturb(cx, join(cx, &group)?).await?);
            }
        }
    }
    let body = Lookup::of(&group, &[&partition]).ask(cx, &mut conn).await?.expect_ok()?;
    drop(joining);
    let seen = stored(&body, cx.version(), 0, &partition)?;
    let expected = Some(Stored::at(cx.version(), 42, -1, ""));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))
}

/// Version 0 read offsets from ZooKeeper. Brokers up to 3.9 advertise it, and without ZooKeeper
/// refuse every partition with UNSUPPORTED_VERSION (35); later ones do not advertise it.
#[scenario("OFFFETCH-019", api = OffsetFetch, versions = 0..=0)]
async fn the_version_of_zookeeper_is_refused(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let reply = Lookup::of(&group, &[&partition]).ask(cx, &mut conn).await?;
    reply.expect_error(UnsupportedVersion)
}
