//! Record and replay: what was judged live is judged the same from the recording, and a case that takes its path from
//! anything but its session is found out at once.

use std::time::{Duration, Instant};

use kafka_protocol::messages::MetadataRequest;
use kconform_harness::recording::{self, FORMAT, Head};
use kconform_harness::{ReplayOptions, replay};
use kconform_report::{Replay, Verdict};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::{Matching, What};
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::{Told, options, record, run_all, suite};

fn all_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new()))
}

/// A case that looks at the clock of the machine.
#[scenario("TEST-201", api = Metadata, versions = 1)]
pub(crate) async fn the_std_clock_decides(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let id = i32::try_from(Instant::now().elapsed().as_nanos() % 1000).unwrap_or(0)
        + i32::try_from(
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
                % 1_000_000,
        )
        .unwrap_or(0);
    conn.next_correlation(id);
    conn.ask_without(all_topics(), &["allow_auto_topic_creation"]).await?.expect_ok()?;
    Ok(())
}

/// A case that starts a task.
#[scenario("TEST-202", api = Metadata, versions = 1)]
async fn a_task_is_spawned(cx: &mut Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let _ = tokio::spawn(async {}).await;
    conn.ask_without(all_topics(), &["allow_auto_topic_creation"]).await?.expect_ok()?;
    Ok(())
}

/// A case that sleeps on the runtime's clock.
#[scenario("TEST-203", api = Metadata, versions = 1)]
async fn a_tokio_timer_is_waited_for(cx: &mut Cx) -> Outcome {
    cx.connect().await?;
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

/// Two connections wait at once, and the answers come in an order of their own.
#[scenario("TEST-204", api = Metadata, versions = 1)]
async fn two_connections_wait_at_once(cx: &mut Cx) -> Outcome {
    let (mut one, mut two) = (cx.connect().await?, cx.connect().await?);
    let first = async {
        for _ in 0..20 {
            one.ask_without(all_topics(), &["allow_auto_topic_creation"]).await?.expect_ok()?;
            cx.name("drawn");
        }
        Ok::<_, Failure>(())
    };
    let second = async {
        for _ in 0..20 {
            two.ask_without(all_topics(), &["allow_auto_topic_creation"]).await?.expect_ok()?;
            cx.sleep(Duration::from_micros(50)).await;
            cx.name("drawn");
        }
        Ok::<_, Failure>(())
    };
    let (first, second) = tokio::join!(first, second);
    first.and(second)
}

#[test]
fn clocks_tasks_and_timers_of_others_are_found_out() {
    let broker = ScriptedBroker::honest();
    for scenario in [&the_std_clock_decides, &a_task_is_spawned, &a_tokio_timer_is_waited_for] {
        let record = record(&broker, scenario, 1);
        assert!(
            matches!(record.replay, Replay::Unstable(_)),
            "{}: {:?}",
            record.name,
            record.replay
        );
    }
}

#[test]
fn concurrent_waits_replay_in_the_order_of_their_recording() {
    let broker = ScriptedBroker::honest();
    for _ in 0..20 {
        let record = record(&broker, &two_connections_wait_at_once, 1);
        assert_eq!((record.verdict, &record.replay), (Verdict::Passed, &Replay::Same));
    }
}

/// Writes what a run recorded, and reads it back.
fn recorded(broker: &ScriptedBroker) -> (tempfile::TempDir, Vec<(Head, Vec<recording::Recorded>)>) {
    let scenarios = [&two_connections_wait_at_once, &super::verdicts::metadata_is_answered];
    let (done, _) = run_all(broker, &scenarios, options());
    assert!(!done.recorded.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let head = Head {
        format: FORMAT,
        product: "a scripted broker".to_owned(),
        date: "2026-01-02".to_owned(),
        facts: done.facts.as_ref().clone(),
    };
    recording::write(folder.path(), None, &head, done.recorded).unwrap();
    let files = recording::read_folder(folder.path()).unwrap();
    (folder, files)
}

fn play(
    files: &[(Head, Vec<recording::Recorded>)],
    matching: Matching,
) -> Vec<kconform_report::Record> {
    let suite = suite(&[&two_connections_wait_at_once, &super::verdicts::metadata_is_answered]);
    let options = ReplayOptions {
        filter: Default::default(),
        matching,
        again: "kconform conform --replay".to_owned(),
    };
    replay(&suite, files, &options, &Told::default()).records
}

#[test]
fn a_recording_on_disk_replays_to_the_same_verdicts() {
    let lying = ScriptedBroker::lying(Script::always(keys::Metadata, Lie::OneTooMany).at(4));
    for broker in [ScriptedBroker::honest(), lying] {
        let (_folder, files) = recorded(&broker);
        for matching in [Matching::Strict, Matching::Lenient] {
            let records = play(&files, matching);
            for case in files.iter().flat_map(|(_, cases)| cases) {
                let record = records.iter().find(|record| record.name == case.name).unwrap();
                assert!(
                    case.verdict.starts_with(record.verdict.name()),
                    "{}: {record:#?}",
                    case.verdict
                );
            }
        }
    }
}

#[test]
fn a_changed_event_turns_the_case() {
    let (_folder, mut files) = recorded(&ScriptedBroker::honest());
    for (_, cases) in &mut files {
        for case in cases.iter_mut() {
            let frame = case.events.iter_mut().rev().find_map(|event| match &mut event.what {
                What::Frame { bytes } => Some(bytes),
                _ => None,
            });
            let frame = frame.unwrap();
            let mut longer = frame.0.to_vec();
            longer.push(0);
            frame.0 = longer.into();
        }
    }
    for record in play(&files, Matching::Lenient)
        .iter()
        .filter(|record| record.verdict != Verdict::Unsupported)
    {
        assert_eq!(record.verdict, Verdict::Failed, "{}: {:?}", record.name, record.reason);
    }
}

#[test]
fn a_changed_send_or_a_missing_event_is_drift() {
    let (_folder, files) = recorded(&ScriptedBroker::honest());
    let change = |change: &dyn Fn(&mut Vec<kconform_scenario::wire::Event>)| {
        let mut files = files.clone();
        files.iter_mut().flat_map(|(_, cases)| cases).for_each(|case| change(&mut case.events));
        play(&files, Matching::Strict)
    };
    let shorter = change(&|events| drop(events.pop()));
    let resent = change(&|events| {
        let sent = events.iter_mut().find_map(|event| match &mut event.what {
            What::Send { bytes, .. } => Some(bytes),
            _ => None,
        });
        let sent = sent.unwrap();
        let mut other = sent.0.to_vec();
        *other.last_mut().unwrap() ^= 1;
        sent.0 = other.into();
    });
    let longer = change(&|events| events.push(events.last().unwrap().clone()));
    for records in [shorter, resent, longer] {
        for record in records.iter().filter(|record| record.verdict != Verdict::Unsupported) {
            assert_eq!(record.verdict, Verdict::Error, "{}", record.name);
            assert!(
                record.reason.as_ref().unwrap().contains("drift at event"),
                "{:?}",
                record.reason
            );
        }
    }
}
