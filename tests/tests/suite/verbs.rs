//! Each check verb, seen passing against an honest broker and failing against one that breaks exactly its rule.

use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use kconform_report::Verdict;
use kconform_scenario::prelude::*;
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::record;

/// An answer comes and is well formed.
#[scenario("TEST-001", api = Metadata)]
async fn metadata_is_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.patience(Duration::from_millis(600));
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    conn.ask_without(request, &["allow_auto_topic_creation"]).await?.expect_answer()?;
    Ok(())
}

/// A produced record is answered with error code 0.
#[scenario("TEST-002", api = Produce, versions = 3..)]
async fn a_produce_is_accepted(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    conn.patience(Duration::from_millis(600));
    let request = cx.produce(&topic.partition(0), cx.records(&["a"])?)?;
    conn.ask(request).await?.expect_ok()?;
    Ok(())
}

/// A record for a partition that does not exist is refused.
#[scenario("TEST-003", api = Produce, versions = 3..)]
async fn an_unknown_partition_is_refused(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    let request = cx.produce(&topic.partition(9), cx.records(&["a"])?)?;
    conn.ask(request).await?.expect_error(UnknownTopicOrPartition)
}

/// The same, by the path of the error code.
#[scenario("TEST-004", api = Produce, versions = 3..)]
async fn an_unknown_partition_is_refused_at_its_path(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    let request = cx.produce(&topic.partition(9), cx.records(&["a"])?)?;
    conn.ask(request)
        .await?
        .expect_error_at("responses[0].partition_responses[0].error_code", UnknownTopicOrPartition)
}

/// A version that is not offered closes the connection.
#[scenario("TEST-005", api = Metadata, versions = 1)]
async fn an_unknown_version_is_closed(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    conn.patience(Duration::from_millis(600));
    let header = conn.header(keys::Metadata, 99);
    conn.send_raw(header.frame(&[0])).await;
    conn.expect_close().await
}

/// acks = 0 is not answered.
#[scenario("TEST-006", api = Produce, versions = 3..)]
async fn acks_0_is_not_answered(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut conn = cx.connect().await?;
    let request = cx.produce(&topic.partition(0), cx.records(&["a"])?)?.with_acks(0);
    conn.tell(request).await?.unanswered();
    conn.expect_silence(Duration::from_millis(100)).await
}

/// The cluster id is the broker's own.
#[scenario("TEST-007", api = Metadata, versions = 2..)]
async fn the_cluster_id_is_right(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    let body = conn.ask_without(request, &["allow_auto_topic_creation"]).await?.expect_ok()?;
    let id = body.cluster_id.as_ref().map(ToString::to_string);
    body.require(id.as_deref() == Some("another"), "cluster_id = another", || format!("{id:?}"))
}

/// The path of a field that this version lacks is our mistake.
#[scenario("TEST-008", api = Metadata, versions = 1)]
async fn a_field_of_another_version_is_read(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    conn.ask_without(request, &["allow_auto_topic_creation"]).await?.at("cluster_id")?;
    Ok(())
}

/// A field that this version cannot carry is our mistake, not a silent loss.
#[scenario("TEST-009", api = Metadata, versions = 1)]
async fn a_field_that_cannot_be_said_is_set(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = MetadataRequest::default()
        .with_topics(Some(Vec::new()))
        .with_allow_auto_topic_creation(false);
    conn.ask(request).await?.expect_ok()?;
    Ok(())
}

#[test]
fn an_honest_broker_passes() {
    let broker = ScriptedBroker::honest();
    for version in 0..=12 {
        assert_eq!(record(&broker, &metadata_is_answered, version).verdict, Verdict::Passed);
    }
    for version in 3..=11 {
        for scenario in [
            &a_produce_is_accepted,
            &an_unknown_partition_is_refused,
            &an_unknown_partition_is_refused_at_its_path,
            &acks_0_is_not_answered,
        ] {
            let record = record(&broker, scenario, version);
            assert_eq!(record.verdict, Verdict::Passed, "{record:#?}");
        }
    }
    assert_eq!(record(&broker, &an_unknown_version_is_closed, 1).verdict, Verdict::Passed);
    assert!(broker.topics().is_empty(), "topics stayed behind: {:?}", broker.topics());
}

/// A lie, where it is told, and what a finding must say of it.
fn fails(scenario: &'static kconform_scenario::Scenario, version: i16, script: Script, says: &str) {
    let broker = ScriptedBroker::lying(script.clone());
    let record = record(&broker, scenario, version);
    assert!(broker.lies_told() > 0, "{script:?} was never told");
    let finding = record.finding.clone().unwrap_or_default();
    let text =
        format!("{} {} {}", finding.expected, finding.got, finding.breach.unwrap_or_default());
    assert_eq!(record.verdict, Verdict::Failed, "{script:?}: {record:#?}");
    assert!(text.contains(says), "{script:?}: `{text}` does not say `{says}`");
    assert_eq!(record.replay, kconform_report::Replay::Same, "{script:?}");
}

#[test]
fn each_rule_of_the_wire_is_seen_broken() {
    // At version 5, which nothing but the act speaks.
    let lie = |lie| Script::always(keys::Metadata, lie).at(5);
    fails(&metadata_is_answered, 5, lie(Lie::WrongCorrelation), "correlation id");
    fails(&metadata_is_answered, 5, lie(Lie::TrailingByte), "after the last field");
    fails(&metadata_is_answered, 5, lie(Lie::MissingByte), "at byte");
    fails(&metadata_is_answered, 5, lie(Lie::NegativeLength), "-1");
    fails(&metadata_is_answered, 5, lie(Lie::Http), "claims");
    fails(&metadata_is_answered, 5, lie(Lie::Never), "no answer within");
    fails(&metadata_is_answered, 5, lie(Lie::Close), "closed without an answer");
    fails(&metadata_is_answered, 5, lie(Lie::CloseMidFrame), "incomplete frame");
    let flexible = |lie| Script::always(keys::Metadata, lie).at(9);
    fails(&metadata_is_answered, 9, flexible(Lie::MissingByte), "at byte");
    fails(&metadata_is_answered, 9, flexible(Lie::TrailingByte), "after the last field");
    fails(&a_produce_is_accepted, 5, Script::always(keys::Produce, Lie::NullArray).at(5), "null");
}

#[test]
fn each_verb_is_seen_failing() {
    let lie = |lie| Script::always(keys::Produce, lie);
    fails(&a_produce_is_accepted, 5, lie(Lie::Error(29)), "TOPIC_AUTHORIZATION_FAILED (29)");
    fails(&a_produce_is_accepted, 5, lie(Lie::Error(-1)), "(-1)");
    fails(&a_produce_is_accepted, 5, lie(Lie::OneShort), "0 results for");
    fails(&a_produce_is_accepted, 5, lie(Lie::OneTooMany), "2 results for");
    fails(&an_unknown_partition_is_refused, 5, lie(Lie::Error(0)), "NONE (0)");
    fails(&an_unknown_partition_is_refused, 5, lie(Lie::Close), "closed without an answer");
    fails(
        &an_unknown_partition_is_refused_at_its_path,
        5,
        lie(Lie::Error(6)),
        "NOT_LEADER_OR_FOLLOWER (6)",
    );
    fails(&acks_0_is_not_answered, 5, lie(Lie::AnswersTheUnanswered), "a frame of");
    let honest = ScriptedBroker::honest();
    let wrong = record(&honest, &the_cluster_id_is_right, 5);
    assert_eq!(wrong.verdict, Verdict::Failed);
    assert_eq!(wrong.finding.unwrap().got, "Some(\"scripted\")");
}

#[test]
fn a_late_answer_passes_and_is_timed() {
    let script = Script::always(keys::Metadata, Lie::Late(Duration::from_millis(200))).at(5);
    let record = record(&ScriptedBroker::lying(script), &metadata_is_answered, 5);
    assert_eq!(record.verdict, Verdict::Passed);
    assert!(record.took_us >= 200_000, "{} us", record.took_us);
}

#[test]
fn an_unknown_tag_is_a_note_and_no_finding() {
    let script = Script::always(keys::Metadata, Lie::UnknownTag).at(9);
    let record = record(&ScriptedBroker::lying(script), &metadata_is_answered, 9);
    assert_eq!(record.verdict, Verdict::Passed);
    assert!(record.notes.iter().any(|note| note.contains("77")), "{:?}", record.notes);
}

#[test]
fn what_a_version_lacks_is_our_mistake_on_both_ways() {
    let honest = ScriptedBroker::honest();
    for scenario in [&a_field_of_another_version_is_read, &a_field_that_cannot_be_said_is_set] {
        let record = record(&honest, scenario, 1);
        assert_eq!(record.verdict, Verdict::Error, "{record:#?}");
    }
}
