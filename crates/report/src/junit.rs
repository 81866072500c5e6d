//! The view for build servers: JUnit XML.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::conclusion::{apache, conclusion, incomplete, is_unstable, judged, numbers, replayed};
use crate::console::console_finding;
use crate::group::in_order;
use crate::text::{line, lines};
use crate::{CONFORMS, Level, Mode, Record, Replay, Run, Verdict};

/// The run as JUnit XML: one suite per family, one test case per case.
///
/// | verdict | JUnit |
/// |---|---|
/// | passed | success |
/// | failed, fixed | `failure` (a quirk: `skipped`, because it never fails a target) |
/// | blocked, error, or a replay that disagreed with a verdict that is no failure | `error` |
/// | unsupported, not run, known | `skipped` with a message |
///
/// A run that ended with an exit code other than 0, in which no case says why, and one that did not end or
/// lacks records carry one more test case, `run`, in error: no such run is green. Characters that XML cannot carry are
/// spelled out. A replayed run is labelled so in its name and in the properties of every suite.
pub fn junit(run: &Run) -> String {
    let name = match &run.manifest.mode {
        Mode::Live => "kconform".to_owned(),
        Mode::Replayed { release, recorded } => {
            format!("kconform (replayed: {} of {})", apache(release), line(recorded))
        }
    };
    let mut report = Report::new(name);
    report.set_time(Duration::from_millis(run.manifest.took_ms));

    let mut suites: Vec<TestSuite> = Vec::new();
    let mut family = None;
    for record in in_order(&run.records) {
        if family != Some(&record.family) {
            family = Some(&record.family);
            suites.push(suite(run, &line(&record.family), suites.len()));
        }
        let suite = suites.last_mut().expect("the first record opened a suite");
        let took = Duration::from_micros(record.took_us);
        suite.time = Some(suite.time.unwrap_or_default().saturating_add(took));
        suite.add_test_case(test_case(record));
    }
    let red = suites.iter().any(|suite| suite.failures + suite.errors > 0);
    let unfinished = incomplete(run).is_some();
    if unfinished || (!red && run.manifest.exit_code != Some(CONFORMS)) {
        let mut suite = suite(run, "run", suites.len());
        suite.add_test_case(the_run(run));
        suites.push(suite);
    }
    report.add_test_suites(suites);
    report.to_string().expect("writing XML into memory fails only on a formatter's own error")
}

fn suite(run: &Run, name: &str, index: usize) -> TestSuite {
    let manifest = &run.manifest;
    let mut suite = TestSuite::new(name);
    suite.timestamp = manifest.started.parse().ok();
    suite.set_time(Duration::ZERO);
    for (attribute, value) in [
        ("id", index.to_string()),
        ("package", "kconform".to_owned()),
        ("hostname", "localhost".to_owned()),
    ] {
        suite.extra.insert(attribute.into(), value.into());
    }
    let mut property = |name: &str, value: &str| {
        suite.add_property(Property::new(name, line(value)));
    };
    match &manifest.mode {
        Mode::Live => {
            property("mode", "live");
            property("target", &manifest.target.bootstrap);
            property("nearest", &manifest.target.nearest);
        }
        Mode::Replayed { release, recorded } => {
            property("mode", "replayed");
            property("release", release);
            property("recorded", recorded);
        }
    }
    property("reference", &manifest.reference);
    property("run-id", &manifest.run_id);
    property("tool", &manifest.tool);
    suite.set_system_out(replayed(&manifest.mode).unwrap_or_else(|| judged(run)));
    suite.set_system_err("");
    suite
}

fn test_case(record: &Record) -> TestCase {
    let mut case = TestCase::new(line(&record.name), status(record));
    case.set_classname(classname(record));
    case.set_time(Duration::from_micros(record.took_us));
    let mut property = |name: &str, value: &str| {
        case.add_property(Property::new(name, line(value)));
    };
    property("id", &record.id);
    for id in &record.also {
        property("also", id);
    }
    property("level", record.level.name());
    property("api", &record.api);
    property("api-key", &record.api_key.to_string());
    property("version", &record.version.to_string());
    if let Some(variant) = &record.variant {
        property("variant", variant);
    }
    property("verdict", record.verdict.key());
    match &record.replay {
        Replay::Same => property("replay", "same"),
        Replay::Unstable(how) => property("replay", &format!("unstable: {how}")),
        Replay::No(why) => property("replay", &format!("no: {why}")),
        Replay::NotTried => {}
    }
    if let Some(refusal) = &record.refusal {
        property("refusal", refusal);
    }
    property("location", &record.location);
    if !record.notes.is_empty() {
        let notes: Vec<String> = record.notes.iter().map(|note| lines(note)).collect();
        case.set_system_out(notes.join("\n"));
    }
    case
}

/// Family and API: what build servers group by.
fn classname(record: &Record) -> String {
    line(&record.name.splitn(3, "::").take(2).collect::<Vec<_>>().join("."))
}

fn status(record: &Record) -> TestCaseStatus {
    let quirk = record.level == Level::Quirk;
    let mut status = match record.verdict {
        Verdict::Failed if quirk => TestCaseStatus::skipped(),
        Verdict::Failed | Verdict::Fixed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Blocked | Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ if is_unstable(record) => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Unsupported | Verdict::NotRun | Verdict::Known => TestCaseStatus::skipped(),
    };
    let kind = match record.verdict {
        Verdict::Failed if quirk => "quirk",
        Verdict::Passed => "unstable",
        verdict => verdict.key(),
    };
    status.set_type(kind);
    status.set_message(message(record));
    status.set_description(console_finding(record, false));
    status
}

/// One line that tells what is the matter.
fn message(record: &Record) -> String {
    let flat = |text: &str| line(&text.trim_end().replace('\n', "; "));
    if let (Verdict::Failed, Some(finding)) = (record.verdict, &record.finding) {
        let got = finding.breach.as_ref().unwrap_or(&finding.got);
        return format!(
            "{}: expected {}, got {}",
            line(&record.id),
            flat(&finding.expected),
            flat(got)
        );
    }
    match (&record.reason, &record.replay) {
        (Some(reason), _) => flat(reason),
        (None, Replay::Unstable(how)) => format!("the replay disagreed: {}", flat(how)),
        (None, _) => line(&record.requirement),
    }
}

/// The test case that stands for the run itself.
fn the_run(run: &Run) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("run");
    status.set_message(incomplete(run).unwrap_or_else(|| conclusion(run)));
    status.set_description(numbers(run));
    let mut case = TestCase::new("run", status);
    case.set_classname("kconform.run");
    case.set_time(Duration::from_millis(run.manifest.took_ms));
    case
}
