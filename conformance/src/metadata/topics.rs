//! Metadata (3) of topics by name: those that exist, those that do not, those that cannot, and those not to be seen.
//!
//! Version 1 brought is_internal, version 4 the flag for auto-creation, version 7 leader epochs, version 10 topic ids.
//! What a restart changes (META-010's growing epoch, META-014) is not covered.

use kafka_protocol::messages::ListOffsetsRequest;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kconform_scenario::prelude::*;
use kconform_scenario::{Body, Undo};

use super::named;

scenarios![
    an_existing_topic_has_all_its_partitions_and_leaders,
    the_leader_epoch_is_that_of_the_leader,
    an_unknown_topic_is_reported_and_not_created,
    an_unknown_topic_is_created_where_the_broker_allows_it,
    an_unknown_topic_is_not_created_where_the_broker_forbids_it,
    an_illegal_name_is_refused,
    a_name_of_249_characters_is_legal,
    each_name_is_answered_by_itself,
    a_name_asked_for_twice_is_answered_once,
    internal_topics_are_marked,
    the_mark_of_internal_topics_follows_the_name,
    a_topic_not_to_be_described_looks_the_same_whether_it_exists,
];

/// An existing topic has error_code 0 and every partition from 0 to n-1 exactly once, in any order;
/// the leader of each is in brokers, in its replicas and in its in-sync replicas.
#[scenario("META-008", api = Metadata)]
async fn an_existing_topic_has_all_its_partitions_and_leaders(cx: &mut Cx) -> Outcome {
    let topic = cx.topic_with(TopicSpec::default().partitions(3)).await?;
    let request = requests::metadata(cx.version(), &[&topic.name]);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    let found = only(&body, &body.topics, &topic.name)?;
    let mut indices: Vec<i32> = found.partitions.iter().map(|p| p.partition_index).collect();
    indices.sort_unstable();
    body.require(indices == [0, 1, 2], "partitions 0, 1 and 2, once each", || {
        format!("{indices:?}")
    })?;
    for partition in &found.partitions {
        let leader = partition.leader_id;
        body.require(
            body.brokers.iter().any(|broker| broker.node_id == leader)
                && partition.replica_nodes.contains(&leader)
                && partition.isr_nodes.contains(&leader),
            "a leader among brokers, replicas and in-sync replicas",
            || format!("{partition:?}"),
        )?;
    }
    Ok(())
}

/// leader_epoch is >= 0 for a partition with a leader, never decreases, and grows by at least 1
/// when the leader moves or a sole replica dies and returns; it equals what ListOffsets v4+
/// (latest) and the headers of batches show.
#[scenario("META-010", api = Metadata, versions = 7..)]
async fn the_leader_epoch_is_that_of_the_leader(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let mut leader = cx.leader(&own).await?;
    let end: ListOffsetsRequest = requests::list_offsets(&own, -1);
    let latest = leader.ask(end).await?.ok()?.at("topics[0].partitions[0].leader_epoch")?;
    let request = requests::metadata(cx.version(), &[&own.topic]);
    let body = leader.ask(request).await?.expect_ok()?;
    let found = only(&body, &body.topics, &own.topic)?;
    let epoch = found.partitions.iter().find(|p| p.partition_index == own.index);
    let epoch = epoch.map(|partition| i64::from(partition.leader_epoch));
    body.require(
        epoch.is_some_and(|epoch| epoch >= 0) && epoch == latest.as_int(),
        format!("leader_epoch {latest}, as ListOffsets says, and not negative"),
        || format!("{epoch:?}"),
    )
}

/// An unknown topic, asked for with allow_auto_topic_creation false, is answered
/// UNKNOWN_TOPIC_OR_PARTITION (3) with its name, no partitions, a topic_id of zero (v10+) and
/// is_internal false. It is not created: a request with topics null does not list it.
#[scenario("META-016", api = Metadata, versions = 4..)]
async fn an_unknown_topic_is_reported_and_not_created(cx: &mut Cx) -> Outcome {
    let name = cx.name("unknown");
    let mut conn = cx.connect().await?;
    let reply = conn.ask(requests::metadata(cx.version(), &[&name])).await?;
    reply.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)?;
    let body = reply.expect_answer()?;
    let found = only(&body, &body.topics, &name)?;
    body.require(
        found.partitions.is_empty() && found.topic_id.is_nil() && !found.is_internal,
        "no partitions, no topic id, not internal",
        || format!("{found:?}"),
    )?;
    expect_absent(cx, &mut conn, &name).await
}

/// Where the broker is configured to create topics automatically, a request for an unknown topic
/// makes it (v4+: when the flag is true): within a bounded time (about 0.1 s seen) later requests
/// answer error_code 0 with num.partitions partitions. For the first answer see META-018.
#[scenario("META-017", api = Metadata, needs = [
    Config("auto.create.topics.enable"), Config("num.partitions")
])]
async fn an_unknown_topic_is_created_where_the_broker_allows_it(cx: &mut Cx) -> Outcome {
    creates_topics(cx, true)?;
    let partitions = cx.facts().config_number("num.partitions");
    let name = cx.name("auto");
    cx.undo(Undo::Topic(name.clone()));
    let mut conn = cx.connect().await?;
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    let mut tries = cx.tries(format!("topic {name} to be created"), Duration::from_secs(30));
    loop {
        let body = conn.ask(request.clone()).await?.expect_answer()?;
        let found = only(&body, &body.topics, &name)?;
        if found.error_code == 0 {
            let got = i64::try_from(found.partitions.len()).ok();
            return body.require(got == partitions, format!("{partitions:?} partitions"), || {
                format!("{got:?}")
            });
        }
        tries.expect(Code(found.error_code)).await?;
    }
}

/// Where the broker has auto.create.topics.enable=false, an unknown topic is answered
/// UNKNOWN_TOPIC_OR_PARTITION (3) even with the flag true, and nothing is created.
#[scenario("META-019", api = Metadata, needs = [Shape("locked-topics")])]
async fn an_unknown_topic_is_not_created_where_the_broker_forbids_it(cx: &mut Cx) -> Outcome {
    creates_topics(cx, false)?;
    let name = cx.name("auto");
    cx.undo(Undo::Topic(name.clone()));
    let mut conn = cx.connect().await?;
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    let reply = conn.ask(request).await?;
    reply.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)?;
    expect_absent(cx, &mut conn, &name).await
}

/// An illegal topic name (empty, ".", "..", 250 characters, "a b", "a/b", "a\b", "a,b", "a:b",
/// non-ASCII, NUL or newline inside) is answered INVALID_TOPIC_EXCEPTION (17) with the name and no
/// partitions, whether the flag is true or false. A name of 249 legal characters is legal.
#[scenario("META-020", api = Metadata, vary = [
    "empty", "dot", "two_dots", "250_characters", "space", "slash", "backslash", "comma", "colon",
    "non_ascii", "nul", "newline"
])]
async fn an_illegal_name_is_refused(cx: &mut Cx) -> Outcome {
    let long = "a".repeat(250);
    let name = match cx.variant() {
        "empty" => "",
        "dot" => ".",
        "two_dots" => "..",
        "250_characters" => &long,
        "space" => "a b",
        "slash" => "a/b",
        "backslash" => "a\\b",
        "comma" => "a,b",
        "colon" => "a:b",
        "non_ascii" => "ä",
        "nul" => "a\0b",
        _ => "a\nb",
    };
    let request = requests::metadata(cx.version(), &[name]).with_allow_auto_topic_creation(true);
    let reply = cx.connect().await?.ask(request).await?;
    reply.expect_error_at("topics[0].error_code", InvalidTopicException)?;
    let body = reply.expect_answer()?;
    let found = only(&body, &body.topics, name)?;
    body.require(found.partitions.is_empty(), "no partitions", || format!("{found:?}"))
}

/// An illegal topic name (empty, ".", "..", 250 characters, "a b", "a/b", "a\b", "a,b", "a:b",
/// non-ASCII, NUL or newline inside) is answered INVALID_TOPIC_EXCEPTION (17) with the name and no
/// partitions, whether the flag is true or false. A name of 249 legal characters is legal.
#[scenario("META-020", api = Metadata, versions = 4..)]
async fn a_name_of_249_characters_is_legal(cx: &mut Cx) -> Outcome {
    let name = format!("{:a<249}", cx.name("long"));
    let request = requests::metadata(cx.version(), &[&name]);
    let reply = cx.connect().await?.ask(request).await?;
    // Without the flag a legal name is merely unknown.
    reply.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// A request for known, unknown and illegal names is answered with one entry per distinct name,
/// each with an error_code of its own; the known ones are unaffected.
#[scenario("META-021", api = Metadata, versions = 4..)]
async fn each_name_is_answered_by_itself(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let (known, unknown, illegal) = (own.topic.as_str(), cx.name("unknown"), "a b");
    let request = requests::metadata(cx.version(), &[illegal, known, &unknown]);
    let body = cx.connect().await?.ask(request).await?.expect_answer()?;
    body.require(body.topics.len() == 3, "three entries", || body.topics.len().to_string())?;
    let expected = [
        (known, Code::NONE),
        (unknown.as_str(), UnknownTopicOrPartition.into()),
        (illegal, InvalidTopicException.into()),
    ];
    for (name, code) in expected {
        let found = named(&body.topics, name);
        let got = found.map(|topic| Code(topic.error_code));
        body.require(got == Some(code), format!("{code} for {name:?}"), || format!("{got:?}"))?;
    }
    Ok(())
}

/// The same name twice in one request is answered with exactly one entry.
#[scenario("META-022", api = Metadata)]
async fn a_name_asked_for_twice_is_answered_once(cx: &mut Cx) -> Outcome {
    let own = cx.partition().await?;
    let request = requests::metadata(cx.version(), &[&own.topic, &own.topic]);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    only(&body, &body.topics, &own.topic).map(drop)
}

/// is_internal is true for __consumer_offsets and __transaction_state (3.9 and later: also for
/// __share_group_state) and false otherwise, also for other names that begin with two underscores.
#[scenario("META-023", api = Metadata, versions = 1.., vary = ["groups", "transactions"])]
async fn internal_topics_are_marked(cx: &mut Cx) -> Outcome {
    // Asking for a coordinator creates its topic.
    let (internal, mut conn) = match cx.variant() {
        "groups" => ("__consumer_offsets", cx.group_coordinator(&cx.group()).await?),
        _ => ("__transaction_state", cx.txn_coordinator(&cx.txn_id()).await?),
    };
    let (own, likeness) = (cx.partition().await?, format!("__{}", cx.name("unknown")));
    let mut names = vec![internal, &own.topic];
    // Older versions would create it.
    if cx.version() >= 4 {
        names.push(&likeness);
    }
    let request = requests::metadata(cx.version(), &names);
    let body = conn.ask(request).await?.expect_answer()?;
    for name in names {
        let found = named(&body.topics, name);
        let marked = found.map(|topic| topic.is_internal);
        let expected = name == internal;
        body.require(marked == Some(expected), format!("{name}: is_internal {expected}"), || {
            format!("{marked:?}")
        })?;
    }
    Ok(())
}

/// is_internal follows the name, not the topic: it is true for __consumer_offsets,
/// __transaction_state and (from 3.9 on) __share_group_state also beside UNKNOWN_TOPIC_OR_PARTITION
/// (3), and false for __cluster_metadata.
#[scenario("META-041", api = Metadata, versions = 4.., vary = [
    "__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"
])]
async fn the_mark_of_internal_topics_follows_the_name(cx: &mut Cx) -> Outcome {
    let request = requests::metadata(cx.version(), &[cx.variant()]);
    let body = cx.connect().await?.ask(request).await?.expect_answer()?;
    let found = only(&body, &body.topics, cx.variant())?;
    let code = Code(found.error_code);
    body.require(
        [Code::NONE, UnknownTopicOrPartition.into()].contains(&code),
        "error 0 or 3, as the topic was needed yet or not",
        || code.to_string(),
    )?;
    let internal = match cx.variant() {
        "__cluster_metadata" => false,
        // KIP-932
        "__share_group_state" => cx.since(3, 9),
        _ => true,
    };
    let got = found.is_internal;
    body.require(got == internal, format!("is_internal {internal}"), || got.to_string())
}

/// A topic that the caller may not describe is answered TOPIC_AUTHORIZATION_FAILED (29) with its
/// name, a topic_id of zero (v10+) and no partitions, in the same way whether or not it exists and
/// whatever the flag for auto-creation says; nothing is created.
#[scenario("META-032", api = Metadata, versions = 1.., vary = ["existing", "missing"], needs = [
    Authorizer, Listener(Listener::SaslPlaintext), User(Role::Unprivileged, "PLAIN")
])]
async fn a_topic_not_to_be_described_looks_the_same_whether_it_exists(cx: &mut Cx) -> Outcome {
    let name = match cx.variant() {
        "existing" => cx.partition().await?.topic,
        _ => cx.name("missing"),
    };
    let mut conn = cx.log_in(Listener::SaslPlaintext, Role::Unprivileged, Mechanism::Plain).await?;
    let request = requests::metadata(cx.version(), &[&name]).with_allow_auto_topic_creation(true);
    let reply = conn.ask(request).await?;
    reply.expect_error_at("topics[0].error_code", TopicAuthorizationFailed)?;
    let body = reply.expect_answer()?;
    let found = only(&body, &body.topics, &name)?;
    body.require(
        found.partitions.is_empty() && found.topic_id.is_nil() && !found.is_internal,
        "no partitions, no topic id, not internal",
        || format!("{found:?}"),
    )?;
    if cx.variant() == "missing" {
        expect_absent(cx, &mut cx.connect().await?, &name).await?;
    }
    Ok(())
}

/// The one entry of the answer, which must be for this name.
pub(super) fn only<'a, B>(
    body: &Body<B>,
    topics: &'a [MetadataResponseTopic],
    name: &str,
) -> Result<&'a MetadataResponseTopic, Failure> {
    let names: Vec<Option<&str>> =
        topics.iter().map(|topic| topic.name.as_ref().map(|name| name.as_str())).collect();
    body.require(names == [Some(name)], format!("one entry, for {name:?}"), || {
        format!("{names:?}")
    })?;
    topics.first().ok_or_else(|| Failure::error("a list of one name without a topic"))
}

/// Nobody has made this topic: it is not among all topics.
pub(super) async fn expect_absent(cx: &Cx, conn: &mut Conn, name: &str) -> Outcome {
    let all = requests::metadata(cx.version(), &[]).with_topics(None);
    let body = conn.ask_at(cx.version().max(1), all, &[]).await?.expect_answer()?;
    let found = named(&body.topics, name);
    body.require(found.is_none(), format!("no topic {name}"), || format!("{found:?}"))
}

/// Goes on only where the broker's setting is this one.
pub(super) fn creates_topics(cx: &Cx, wanted: bool) -> Outcome {
    const SETTING: &str = "auto.create.topics.enable";
    let set = cx.facts().configs.get(SETTING).is_some_and(|value| value == "true");
    if set == wanted {
        return Ok(());
    }
    Err(Failure::NotRun(format!("a broker with {SETTING}={wanted}")))
}
