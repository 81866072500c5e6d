//! The exit code as a table: what decides, and what comes first.

use kconform_report::*;

use crate::samples::{failed, record, unstable};

fn at(level: Level, verdict: Verdict) -> Record {
    Record { level, ..record(verdict) }
}

#[test]
fn each_verdict_and_level_alone() {
    use Level::{Must, Quirk, Should};
    use Verdict::*;
    // verdict, level, ordinary, strict
    for (verdict, level, ordinary, strict) in [
        (Passed, Must, 0, 0),
        (Passed, Should, 0, 0),
        (Passed, Quirk, 0, 0),
        (Failed, Must, 1, 1),
        (Failed, Should, 0, 1),
        (Failed, Quirk, 0, 0),
        // Nothing else was executed beside a blocked case that does not bind.
        (Blocked, Must, 1, 1),
        (Blocked, Should, 4, 1),
        (Blocked, Quirk, 4, 4),
        (Unsupported, Must, 0, 0),
        (NotRun, Must, 4, 4),
        (Known, Must, 0, 0),
        (Fixed, Must, 1, 1),
        (Fixed, Should, 1, 1),
        (Fixed, Quirk, 1, 1),
        (Error, Must, 5, 5),
        (Error, Quirk, 5, 5),
    ] {
        let records = [at(level, verdict)];
        let code = |strict| exit_code(&records, &Circumstances { strict, ..Default::default() });
        assert_eq!(code(false), ordinary, "{verdict} {level}");
        assert_eq!(code(true), strict, "{verdict} {level}, strict");
    }
}

#[test]
fn what_comes_first_wins() {
    let ordinary = Circumstances::default();
    let usage = Circumstances { usage: true, ..ordinary };
    let lost = Circumstances { lost: true, ..ordinary };
    let stale = Circumstances { stale: true, ..ordinary };
    let unasked = Circumstances { unasked_replay: true, ..ordinary };
    let [passed, error, not_run, blocked] =
        [Verdict::Passed, Verdict::Error, Verdict::NotRun, Verdict::Blocked].map(record);
    let must = failed(Level::Must);

    for (expected, records, circumstances, why) in [
        (0, vec![&passed], ordinary, "everything holds"),
        (0, vec![&passed, &not_run], ordinary, "something was executed"),
        (4, vec![], ordinary, "there are no records"),
        (4, vec![&not_run, &not_run], ordinary, "nothing was executed"),
        (1, vec![&not_run, &blocked], ordinary, "a blocked MUST comes before nothing executed"),
        (1, vec![], stale, "a stale entry comes before nothing executed"),
        (1, vec![&passed], stale, "a stale entry fails a run that conforms"),
        (1, vec![&passed, &must], ordinary, "one failure is enough"),
        (5, vec![&must, &error], ordinary, "our defect comes before a failure"),
        (5, vec![&error], unasked, "our defect comes before an unasked replay"),
        (4, vec![&passed], unasked, "a recording nobody asked for proves nothing"),
        (4, vec![&must], unasked, "a recording nobody asked for accuses nobody"),
        (3, vec![&error, &must], lost, "a lost target comes before our defect"),
        (3, vec![], lost, "an unreachable target comes before nothing executed"),
        (2, vec![&error], Circumstances { usage: true, ..lost }, "usage comes before all"),
        (2, vec![], usage, "usage alone"),
    ] {
        let records: Vec<Record> = records.into_iter().cloned().collect();
        assert_eq!(exit_code(&records, &circumstances), expected, "{why}");
    }
}

#[test]
fn an_unstable_replay_is_our_defect_whatever_the_verdict() {
    for verdict in Verdict::ALL {
        let record = Record { verdict, ..unstable() };
        assert_eq!(exit_code(&[record], &Circumstances::default()), OUR_ERROR, "{verdict}");
    }
    for replay in [Replay::Same, Replay::NotTried, Replay::No("a reason".to_owned())] {
        let record = Record { replay, ..unstable() };
        assert_eq!(exit_code(&[record], &Circumstances::default()), CONFORMS);
    }
}

#[test]
fn an_absence_is_executed_only_when_its_refusal_was_checked() {
    let checked = record(Verdict::Unsupported);
    let unchecked = Record { refusal: None, ..checked.clone() };
    assert_eq!(exit_code(&[unchecked], &Circumstances::default()), NOTHING_EXECUTED);
    assert_eq!(exit_code(&[checked], &Circumstances::default()), CONFORMS);
}

#[test]
fn fewer_records_than_planned_are_no_conformance() {
    let records = [record(Verdict::Passed)];
    for (planned, expected) in [(None, 0), (Some(1), 0), (Some(2), 1)] {
        let circumstances = Circumstances { planned, ..Default::default() };
        assert_eq!(exit_code(&records, &circumstances), expected, "{planned:?}");
    }
}

#[test]
fn counts_name_each_record_once() {
    let mut records: Vec<Record> = Verdict::ALL.into_iter().map(record).collect();
    records.push(failed(Level::Quirk));
    let counts = Counts::of(&records);
    assert_eq!(counts.total(), records.len());
    // Passed, failed, known, fixed, and the refusal that was checked.
    assert_eq!(counts.executed(), 5);
    assert_eq!((counts.failed, counts.quirks), (1, 1));

    let mut sum = Counts::of(&records[..4]);
    sum += Counts::of(&records[4..]);
    assert_eq!(sum, counts);
}

#[test]
fn tallying_fills_the_rows_and_adds_what_lacks_one() {
    let mut manifest = crate::samples::manifest();
    manifest.apis.retain(|row| row.key != 22);
    let records = [record(Verdict::Passed), record(Verdict::Failed)];
    tally(&mut manifest, &records);
    tally(&mut manifest, &records);
    let keys: Vec<i16> = manifest.apis.iter().map(|row| row.key).collect();
    assert_eq!(keys, [22, 68]);
    assert_eq!(manifest.apis[0].name, "InitProducerId");
    assert_eq!(manifest.apis[0].cases, Counts { passed: 1, failed: 1, ..Counts::default() });
    assert_eq!(manifest.counts, manifest.apis[0].cases);
}
