//! A target that dies: suspects, waiting, conviction, giving up.

use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use kconform_report::Verdict;
use kconform_scenario::prelude::*;
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::{options, run_all};

fn no_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new()))
}

/// An innocent case that takes a while.
#[scenario("TEST-301", api = Metadata, versions = 6..=8)]
async fn an_innocent_case(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    for _ in 0..20 {
        cx.sleep(Duration::from_millis(10)).await;
        conn.ask_without(no_topics(), &["allow_auto_topic_creation"]).await?.expect_ok()?;
    }
    Ok(())
}

/// The case that kills the target: version 4 is what the broker dies of.
#[scenario("TEST-302", api = Metadata, versions = 4)]
async fn the_killer(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    cx.sleep(Duration::from_millis(50)).await;
    conn.ask(no_topics()).await?.expect_ok()?;
    Ok(())
}

/// A case that fails after a while.
#[scenario("TEST-303", api = Metadata, versions = 5)]
async fn a_case_in_time(cx: &mut Cx) -> Outcome {
    cx.sleep(Duration::from_millis(1200)).await;
    let mut conn = cx.connect().await?;
    conn.ask(no_topics()).await?.expect_closed()
}

fn verdict(done: &kconform_harness::Done, part: &str) -> Vec<Verdict> {
    let records = done.records.iter().filter(|record| record.name.contains(part));
    records.map(|record| record.verdict).collect()
}

#[test]
fn the_killer_is_convicted_and_the_innocent_pass() {
    let script = Script::always(keys::Metadata, Lie::Die(Duration::from_millis(400))).at(4);
    let broker = ScriptedBroker::lying(script);
    let (done, told) = run_all(&broker, &[&an_innocent_case, &the_killer], options());
    assert_eq!(verdict(&done, "an_innocent_case"), [Verdict::Passed; 3], "{:#?}", done.records);
    assert_eq!(verdict(&done, "the_killer"), [Verdict::Failed]);
    let killer = done.records.iter().find(|record| record.name.contains("the_killer")).unwrap();
    assert_eq!(killer.finding.as_ref().unwrap().expected, "the target to survive this case");
    assert!(told.iter().any(|line| line.contains("the target is lost")), "{told:?}");
    assert!(!done.lost);
    assert_eq!(done.records.len(), done.planned);
}

#[test]
fn without_leave_suspects_are_listed_and_not_run_again() {
    let script = Script::once(keys::Metadata, Lie::Die(Duration::from_millis(400))).at(4);
    let broker = ScriptedBroker::lying(script);
    let options = kconform_harness::Options { convict: false, ..options() };
    let (done, _) = run_all(&broker, &[&an_innocent_case, &the_killer], options);
    assert_eq!(verdict(&done, "the_killer"), [Verdict::Blocked]);
    let killer = done.records.iter().find(|record| record.name.contains("the_killer")).unwrap();
    assert!(killer.reason.as_ref().unwrap().contains("--allow-disruptive"));
    assert_eq!(done.records.len(), done.planned);
}

#[test]
fn a_target_that_does_not_come_back_ends_the_run() {
    let script = Script::always(keys::Metadata, Lie::Die(Duration::from_secs(60))).at(4);
    let broker = ScriptedBroker::lying(script);
    let options =
        kconform_harness::Options { target_wait: Duration::from_millis(700), jobs: 1, ..options() };
    let (done, _) = run_all(&broker, &[&the_killer, &an_innocent_case], options);
    assert!(done.lost);
    assert_eq!(verdict(&done, "the_killer"), [Verdict::Blocked]);
    assert_eq!(verdict(&done, "an_innocent_case"), [Verdict::NotRun; 3]);
    assert_eq!(done.records.len(), done.planned);
}

#[test]
fn a_failure_while_the_target_stood_still_says_so() {
    let notes = |broker: &ScriptedBroker| {
        let (done, _) = run_all(broker, &[&a_case_in_time], options());
        assert_eq!(verdict(&done, "a_case_in_time"), [Verdict::Failed]);
        done.records[0].notes.join("\n")
    };
    // The second question of the sentinel comes unbidden, while the case is in flight.
    let late = Script::once(keys::ApiVersions, Lie::Late(Duration::from_millis(2300))).at(0);
    let told = notes(&ScriptedBroker::lying(late.after(1)));
    assert!(told.contains("the target answered nobody for 2."), "{told}");
    assert_eq!(notes(&ScriptedBroker::honest()), "");
}
