//! One snapshot per verdict and format, and the views of whole runs.

use insta::{assert_snapshot, with_settings};
use kconform_report::*;

use crate::samples::*;

/// Every shape of a record, under the name of its snapshots.
fn shapes() -> Vec<(String, Record)> {
    let mut shapes: Vec<_> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.key().to_owned(), record(verdict)))
        .collect();
    shapes.push(("failed-should".to_owned(), failed(Level::Should)));
    shapes.push(("failed-quirk".to_owned(), failed(Level::Quirk)));
    shapes.push(("unstable".to_owned(), unstable()));
    shapes
}

fn each_shape(format: &str, view: impl Fn(Record) -> String) {
    for (shape, record) in shapes() {
        with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            assert_snapshot!(format!("{format}.{shape}"), view(record));
        });
    }
}

fn each_mode(format: &str, view: impl Fn(Run) -> String) {
    for (name, mode) in [("live", Mode::Live), ("replayed", recording())] {
        with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            assert_snapshot!(format!("{format}.run-{name}"), view(mixed(mode)));
        });
    }
}

#[test]
fn a_record_as_json() {
    each_shape("json", |record| to_line(&record));
}

#[test]
fn a_case_on_the_console() {
    each_shape("console", |record| console_finding(&record, false));
}

#[test]
fn a_case_on_the_console_in_colour() {
    each_shape("colour", |record| console_finding(&record, true).escape_debug().to_string());
}

#[test]
fn the_summary_of_one_case() {
    each_shape("summary", |record| console_summary(&run(Mode::Live, vec![record]), false));
}

#[test]
fn one_case_as_junit() {
    each_shape("junit", |record| junit(&run(Mode::Live, vec![record])));
}

#[test]
fn one_case_as_markdown() {
    each_shape("markdown", |record| {
        let document = markdown(&run(Mode::Live, vec![record]));
        // The legend is the same in all; the snapshots of whole runs hold it.
        document.split("## How to read it").next().unwrap().to_owned()
    });
}

#[test]
fn whole_runs() {
    each_mode("header", |run| console_header(&run.manifest, false));
    each_mode("summary", |run| console_summary(&run, false));
    each_mode("junit", |run| junit(&run));
    each_mode("markdown", |run| markdown(&run));
    each_mode("manifest", |run| serde_json::to_string_pretty(&run.manifest).unwrap());
}

#[test]
fn every_view_of_a_replayed_run_says_so_and_names_no_target() {
    let run = mixed(recording());
    for (view, text) in [
        ("header", console_header(&run.manifest, false)),
        ("summary", console_summary(&run, false)),
        ("junit", junit(&run)),
        ("markdown", markdown(&run)),
    ] {
        assert!(text.contains("Apache Kafka 4.1.0"), "{view} does not name the release:\n{text}");
        assert!(text.contains("2026-09-30"), "{view} does not name the date:\n{text}");
        assert!(text.to_lowercase().contains("replayed"), "{view} does not say replayed:\n{text}");
        assert!(
            text.contains("no live target was contacted"),
            "{view} leaves the label out:\n{text}"
        );
        assert!(!text.contains("The target"), "{view} speaks of a target:\n{text}");
        assert!(!text.contains("Target 10.0.0.1"), "{view} names a target:\n{text}");
    }
}

#[test]
fn views_do_not_depend_on_the_order_in_which_cases_finished() {
    let run = mixed(Mode::Live);
    let mut backwards = run.clone();
    backwards.records.reverse();
    assert!(console_summary(&run, false) == console_summary(&backwards, false), "console_summary");
    assert!(junit(&run) == junit(&backwards), "junit");
    assert!(markdown(&run) == markdown(&backwards), "markdown");
}

#[test]
fn colour_appears_only_when_asked_for() {
    let run = mixed(Mode::Live);
    for record in &run.records {
        assert!(!console_finding(record, false).contains('\x1b'));
        assert!(console_finding(record, true).contains('\x1b'));
    }
    assert!(!console_summary(&run, false).contains('\x1b'));
    assert!(console_summary(&run, true).contains('\x1b'));
    assert!(console_header(&mixed(recording()).manifest, true).contains('\x1b'));
}

#[test]
fn a_share_short_of_all_never_reads_as_all() {
    let share = |passed, failed| Counts { passed, failed, ..Counts::default() }.share();
    assert_eq!(share(4000, 1), "99.9 %");
    assert_eq!(share(4000, 0), "100 %");
    assert_eq!(share(0, 3), "0.0 %");
    assert_eq!(share(0, 0), "-");
}

#[test]
fn every_end_of_a_run_has_its_sentence() {
    let end = |code: Option<i32>, records: Vec<Record>| {
        let mut run = run(Mode::Live, records);
        run.manifest.exit_code = code;
        let summary = console_summary(&run, false);
        assert!(markdown(&run).len() > summary.len());
        summary
    };
    let passed = || vec![record(Verdict::Passed)];
    for (code, records, sentence) in [
        (None, passed(), "The run did not end"),
        (Some(0), passed(), "The target conforms to Apache Kafka 4.1"),
        (Some(0), vec![failed(Level::Should)], "1 case differed in requirements that do not bind"),
        (
            Some(1),
            vec![record(Verdict::Failed)],
            "does not conform to Apache Kafka 4.1: 1 MUST failed",
        ),
        (
            Some(1),
            vec![failed(Level::Should)],
            "does not conform to Apache Kafka 4.1: 1 SHOULD failed",
        ),
        (
            Some(1),
            vec![record(Verdict::Blocked), failed(Level::Should)],
            "It is not proven that the target",
        ),
        (Some(1), vec![record(Verdict::Blocked)], "It is not proven that the target"),
        (Some(1), vec![record(Verdict::Fixed)], "The profile needs mending: 1 stale profile entry"),
        (Some(1), passed(), "The profile needs mending: an entry of the profile is stale"),
        (Some(2), vec![], "Nothing was judged"),
        (Some(3), vec![], "could not be reached, or was lost"),
        (Some(4), vec![], "No case was executed"),
        (Some(4), passed(), "No target was judged: a recording stood in for it"),
        (Some(5), vec![unstable()], "0 cases in error, 1 case with a replay that disagreed"),
        (Some(99), passed(), "exit code 99"),
    ] {
        let summary = end(code, records);
        assert!(summary.contains(sentence), "{code:?} lacks {sentence:?}:\n{summary}");
    }
}

#[test]
fn a_run_that_is_not_whole_is_never_headed_as_conforming() {
    let mut truncated = run(Mode::Live, vec![record(Verdict::Passed), record(Verdict::Passed)]);
    assert_eq!(incomplete(&truncated), None);
    truncated.records.pop();
    let mut killed = truncated.clone();
    (killed.manifest.exit_code, killed.manifest.counts) = (None, Counts::default());
    let mut failed = run(Mode::Live, vec![record(Verdict::Failed), record(Verdict::Passed)]);
    failed.records.pop();
    for run in [truncated, killed, failed] {
        let head = incomplete(&run).unwrap();
        assert!(head.contains("incomplete: 1 of 2 cases without a record."), "{head}");
        let document = markdown(&run);
        assert!(document.lines().nth(2).unwrap().contains(&head), "{document}");
        let (summary, xml) = (console_summary(&run, false), junit(&run));
        for view in [&document, &summary, &xml] {
            assert!(view.contains(&head) && !view.contains("The target conforms"), "{view}");
        }
        assert!(xml.contains("<testcase name=\"run\""), "{xml}");
    }
}

#[test]
fn what_has_one_cause_is_shown_thrice_and_counted() {
    let blocked = |version: i16| Record {
        reason: Some(format!(
            "FindCoordinator v{version} was refused for kc-k7f3a9-group-{version}."
        )),
        ..moved(record(Verdict::Blocked), "groups", (11, "JoinGroup"), version)
    };
    let mut records: Vec<Record> = (0..30).map(blocked).collect();
    records.push(moved(record(Verdict::Failed), "groups", (11, "JoinGroup"), 31));
    let mut fold = Fold::default();
    let shown: Vec<bool> = records.iter().map(|record| fold.shows(record)).collect();
    assert_eq!(shown.iter().filter(|shown| **shown).count(), 4);
    assert!(shown[..3].iter().all(|shown| *shown) && shown[30]);
    let rest = fold.rest("see report.md");
    assert_eq!(rest.len(), 1);
    assert!(rest[0].starts_with("BLOCKED: 27 more like this: FindCoordinator v0"), "{rest:?}");
    assert!(rest[0].ends_with("(see report.md)"), "{rest:?}");

    let document = markdown(&run(Mode::Live, records));
    assert_eq!(document.matches("FindCoordinator").count(), 1, "{document}");
    for version in 0..30 {
        assert!(document.contains(&format!("it_answers::v{version}` (INITPID-010)")), "{version}");
    }
}

#[test]
fn what_is_wanted_is_shown_with_the_way_to_it() {
    let run = run(Mode::Live, vec![record(Verdict::NotRun)]);
    let summary = console_summary_with(&run, false, &|reason| {
        reason.contains("second principal").then(|| "--user does".to_owned())
    });
    assert!(summary.contains("with its credentials.; --user does"), "{summary}");
    assert!(!console_summary(&run, false).contains("--user"));
}

#[test]
fn a_run_that_lacks_records_says_how_many() {
    let mut run = run(Mode::Live, vec![record(Verdict::Passed)]);
    run.manifest.planned = 3;
    for view in [console_summary(&run, false), markdown(&run)] {
        assert!(view.contains("2 of 3 planned cases have no record"), "{view}");
    }
}
