//! Properties against a broker that keeps them, and against one that does not: what fails is made smaller, names its
//! seed, and is repeated by its name.

use kconform_harness::Options;
use kconform_harness::mutation::{Sensitivity, sensitivities};
use kconform_harness::plan::{Filter, with_fresh_seeds};
use kconform_harness::recording::{FORMAT, Head};
use kconform_report::{Record, Replay, Verdict};
use kconform_scenario::{Scenario, keys};
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::{options, run_all, suite};

const BYTES: &str = "properties::batches::any_batch_comes_back_byte_for_byte";
const LOG: &str = "properties::log::any_order_of_writes_and_reads_shows_one_log";
const TIMES: &str = "properties::log::any_timestamp_is_found";
const FETCH: &str = "properties::requests::any_fetch_is_answered";
const PRODUCE: &str = "properties::requests::any_produce_is_answered";
const LIST_OFFSETS: &str = "properties::requests::any_list_offsets_is_answered";
const METADATA: &str = "properties::requests::any_metadata_is_answered";

fn property(path: &str) -> &'static Scenario {
    let scenarios = conformance::scenarios();
    scenarios.into_iter().find(|scenario| scenario.path() == path).unwrap()
}

/// The record of this case, named with any seed.
fn exact(broker: &ScriptedBroker, path: &str, version: i16, seed: &str) -> Record {
    let name = format!("{path}::v{version}::{seed}");
    let filter = Filter { exact: vec![name.clone()], ..Filter::default() };
    let (done, _) = run_all(broker, &[property(path)], Options { filter, ..options() });
    let [record] = <[Record; 1]>::try_from(done.records).unwrap();
    assert_eq!(record.name, name);
    record
}

fn got(record: &Record) -> &str {
    assert_eq!(record.verdict, Verdict::Failed, "{record:#?}");
    assert_eq!(record.replay, Replay::Same, "{record:#?}");
    &record.finding.as_ref().unwrap().got
}

#[test]
fn a_broker_that_keeps_them_passes() {
    let broker = ScriptedBroker::honest();
    for (path, version) in
        [(BYTES, 9), (LOG, 11), (FETCH, 11), (PRODUCE, 11), (LIST_OFFSETS, 7), (METADATA, 9)]
    {
        for seed in ["seed_1", "seed_2", "seed_3", "seed_beef"] {
            let record = exact(&broker, path, version, seed);
            assert_eq!(record.verdict, Verdict::Passed, "{record:#?}");
            assert_eq!(record.replay, Replay::Same);
        }
    }
}

#[test]
fn a_lie_is_found_made_small_and_named_with_its_seed() {
    let broker = ScriptedBroker::lying(Script::always(keys::Fetch, Lie::FirstBatchMissing));
    let record = exact(&broker, LOG, 11, "seed_c");
    let got = got(&record);
    assert!(got.contains("from seed_c"), "{got}");
    // One batch and one fetch of it are enough, whatever was drawn.
    assert_eq!((got.matches("Append").count(), got.matches("Fetch").count()), (1, 1), "{got}");
    assert!(record.again.contains("::v11::seed_c"), "{record:#?}");
}

#[test]
fn a_batch_that_changes_on_its_way_is_found() {
    let broker = ScriptedBroker::lying(Script::always(keys::Fetch, Lie::ShiftedTimes));
    assert!(got(&exact(&broker, BYTES, 9, "seed_1")).contains("0x"));
    assert!(got(&exact(&broker, LOG, 11, "seed_c")).contains("differs at byte"));
}

#[test]
fn a_changed_recording_turns_each_red() {
    // The recorded case passed and made nothing smaller; the changed one must fail all the same.
    let scenarios = [BYTES, LOG, FETCH, PRODUCE, LIST_OFFSETS, METADATA].map(property);
    let broker = ScriptedBroker::honest();
    let filter = Filter { versions: Some(5..=5), ..Filter::default() };
    let (done, _) = run_all(&broker, &scenarios, Options { filter, ..options() });
    assert_eq!(done.recorded.len(), scenarios.len());
    let head = Head {
        format: FORMAT,
        product: "scripted".to_owned(),
        date: "2026-11-21".to_owned(),
        facts: (*done.facts).clone(),
    };
    let files = [(head, done.recorded)];
    let looked = sensitivities(&suite(&scenarios), &files, &Filter::default(), 2);
    assert_eq!(looked.len(), scenarios.len());
    for (name, sensitivity) in looked {
        assert!(matches!(sensitivity, Sensitivity::Red(_)), "{name}: {sensitivity:?}");
    }
}

#[test]
fn timestamps_that_are_not_looked_up_are_found() {
    // The scripted broker gives the end of the log for every timestamp.
    let broker = ScriptedBroker::honest();
    assert!(got(&exact(&broker, TIMES, 7, "seed_1")).contains("-1"));
}

#[test]
fn answers_that_break_the_rules_are_found() {
    for (path, key, version, lie) in [
        (FETCH, keys::Fetch, 11, Lie::TrailingByte),
        (PRODUCE, keys::Produce, 9, Lie::OneShort),
        (LIST_OFFSETS, keys::ListOffsets, 6, Lie::MissingByte),
        (METADATA, keys::Metadata, 9, Lie::WrongCorrelation),
    ] {
        let broker = ScriptedBroker::lying(Script::always(key, lie.clone()).at(version));
        let record = exact(&broker, path, version, "seed_1");
        assert_eq!(record.verdict, Verdict::Failed, "{path} {lie:?}: {record:#?}");
    }
    // A code that nothing in the request can have caused.
    let broker = ScriptedBroker::lying(Script::always(keys::Fetch, Lie::Error(56)).at(11));
    assert!(got(&exact(&broker, FETCH, 11, "seed_1")).contains("KAFKA_STORAGE_ERROR (56)"));
}

#[test]
fn fresh_seeds_make_cases_that_their_names_make_again() {
    let suite = suite(&[property(LOG)]);
    let broker = ScriptedBroker::honest();
    let (done, _) = run_all(&broker, &[property(LOG)], options());
    let mut seed = 0xfeed;
    let cases = with_fresh_seeds(&suite, &done.facts, &Filter::default(), || {
        seed += 1;
        seed
    });
    let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    // What the target does not offer is not drawn for.
    let versions: Vec<i16> = cases.iter().map(|case| case.version).collect();
    assert_eq!(versions, (4..=12).collect::<Vec<_>>());
    assert_eq!(names.first().unwrap(), &format!("{LOG}::v4::seed_feee"));
    for (name, case) in names.iter().zip(cases) {
        let again = kconform_harness::plan::by_seed(&suite, name).unwrap();
        assert_eq!((again.version, again.variant), (case.version, case.variant));
    }
    for wrong in ["seed_", "seed_XY", "gzip", "seed_11112222333344445"] {
        assert!(kconform_harness::plan::by_seed(&suite, &format!("{LOG}::v4::{wrong}")).is_none());
    }
    assert!(kconform_harness::plan::by_seed(&suite, &format!("{LOG}::v3::seed_1")).is_none());
}
