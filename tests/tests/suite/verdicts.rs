//! Each verdict, reached.

use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use kconform_harness::plan::Filter;
use kconform_report::{Replay, Verdict};
use kconform_scenario::prelude::*;
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::{options, record, run_all};

/// Metadata is answered.
#[scenario("TEST-101", api = Metadata)]
async fn metadata_is_answered(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    conn.ask_without(request, &["allow_auto_topic_creation"]).await?.expect_ok()?;
    Ok(())
}

/// A topic is needed first.
#[scenario("TEST-102", api = Metadata, versions = 1)]
async fn a_topic_is_needed_first(cx: &mut Cx) -> Outcome {
    cx.topic().await?;
    Ok(())
}

/// Three brokers are needed.
#[scenario("TEST-103", api = Metadata, versions = 1, needs = [ThreeBrokers])]
async fn three_brokers_are_needed(_cx: &mut Cx) -> Outcome {
    Ok(())
}

/// The case panics.
#[scenario("TEST-104", api = Metadata, versions = 1)]
async fn the_case_panics(cx: &mut Cx) -> Outcome {
    cx.connect().await?;
    panic!("on purpose")
}

/// The case never ends, on nothing that the broker does.
#[scenario("TEST-105", api = Metadata, versions = 1)]
async fn the_case_hangs(cx: &mut Cx) -> Outcome {
    cx.connect().await?;
    std::future::pending().await
}

/// The target offers no SASL listener.
#[scenario("TEST-106", api = Metadata, versions = 1)]
async fn a_listener_is_missing(cx: &mut Cx) -> Outcome {
    cx.connect_to(Listener::SaslPlaintext).await?;
    Ok(())
}

/// Nobody offers this API here.
#[scenario("TEST-107", api = InitProducerId, versions = 1)]
async fn an_api_is_not_offered(_cx: &mut Cx) -> Outcome {
    Ok(())
}

#[test]
fn passed_unsupported_not_run_and_error() {
    let broker = ScriptedBroker::honest();
    assert_eq!(record(&broker, &metadata_is_answered, 9).verdict, Verdict::Passed);

    let newer = record(&broker, &metadata_is_answered, 13);
    assert_eq!(newer.verdict, Verdict::Unsupported);
    assert_eq!(newer.refusal.as_deref(), Some("closed the connection"));
    let missing = record(&broker, &an_api_is_not_offered, 1);
    assert_eq!(missing.verdict, Verdict::Unsupported);
    assert_eq!(missing.reason.as_deref(), Some("InitProducerId is not offered"));

    let brokers = record(&broker, &three_brokers_are_needed, 1);
    assert_eq!(brokers.verdict, Verdict::NotRun);
    assert_eq!(brokers.reason.as_deref(), Some("three brokers (there are 1)"));
    assert_eq!(record(&broker, &a_listener_is_missing, 1).verdict, Verdict::NotRun);

    let panicked = record(&broker, &the_case_panics, 1);
    assert_eq!(panicked.verdict, Verdict::Error);
    let reason = panicked.reason.unwrap();
    assert!(reason.contains("verdicts.rs") && reason.contains("on purpose"), "{reason}");
}

#[test]
fn blocked_when_the_set_up_is_refused_or_hangs() {
    let refused = ScriptedBroker::lying(Script::always(keys::CreateTopics, Lie::Error(41)));
    let record = record(&refused, &a_topic_is_needed_first, 1);
    assert_eq!(record.verdict, Verdict::Blocked);
    assert!(record.reason.unwrap().contains("NOT_CONTROLLER (41)"));
    assert_eq!(record.replay, Replay::Same);
}

#[test]
fn failed_when_what_is_not_offered_is_served() {
    // It says that it offers up to 12 and answers 13 all the same: as 12 would be.
    let broker = ScriptedBroker::serving_unadvertised(13);
    let record = record(&broker, &metadata_is_answered, 13);
    assert_eq!(record.verdict, Verdict::Failed, "{record:#?}");
}

#[test]
fn a_case_that_leaves_its_recording_is_unstable() {
    let broker = ScriptedBroker::honest();
    let record = record(&broker, &super::replays::the_std_clock_decides, 1);
    assert!(matches!(record.replay, Replay::Unstable(_)), "{:?}", record.replay);
}

#[test]
fn fail_fast_leaves_the_rest_not_run() {
    let broker = ScriptedBroker::lying(Script::always(keys::Metadata, Lie::TrailingByte).at(3));
    let options = kconform_harness::Options { fail_fast: true, jobs: 1, ..options() };
    let (done, _) = run_all(&broker, &[&metadata_is_answered], options);
    let count = |verdict| done.records.iter().filter(|record| record.verdict == verdict).count();
    assert_eq!((count(Verdict::Failed), count(Verdict::Passed)), (1, 3));
    assert!(done.records.iter().any(|record| {
        record.reason.as_deref() == Some("another case had failed (--fail-fast)")
    }));
}

#[test]
fn repeated_and_shuffled_runs_keep_every_case() {
    let broker = ScriptedBroker::honest();
    let options = kconform_harness::Options { repeat: 3, seed: Some(7), ..options() };
    let (done, _) = run_all(&broker, &[&metadata_is_answered], options);
    assert_eq!(done.records.len(), done.planned);
    assert_eq!(done.planned % 3, 0);
}

#[test]
fn a_deadline_names_what_was_waited_for() {
    let broker = ScriptedBroker::honest();
    let filter = Filter { versions: Some(1..=1), ..Filter::default() };
    let options =
        kconform_harness::Options { filter, deadline: Duration::from_millis(300), ..options() };
    let (done, _) = run_all(&broker, &[&the_case_hangs], options);
    let record = &done.records[0];
    assert_eq!(record.verdict, Verdict::Blocked);
    assert!(record.reason.as_ref().unwrap().contains("hung"), "{:?}", record.reason);
}
