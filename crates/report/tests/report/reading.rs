//! Reading a run back: what is tolerated, what is said, what is refused.

use std::fs;

use kconform_report::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::samples::{mixed, record, run};

fn write(run: &Run) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let lines: String = run.records.iter().map(|record| to_line(record) + "\n").collect();
    fs::write(dir.path().join(RECORDS_FILE), lines).unwrap();
    fs::write(dir.path().join(MANIFEST_FILE), serde_json::to_vec(&run.manifest).unwrap()).unwrap();
    dir
}

/// Writes the run with its lines changed, and reads it back.
fn reread(run: &Run, change: impl Fn(&mut Vec<u8>)) -> Result<Run, ReadError> {
    let dir = write(run);
    let path = dir.path().join(RECORDS_FILE);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, bytes).unwrap();
    read_run(dir.path())
}

#[test]
fn what_was_written_is_read() {
    let run = mixed(Mode::Live);
    let dir = write(&run);
    assert_eq!(read_run(dir.path()).unwrap(), run);
}

#[test]
fn a_line_holds_exactly_one_record() {
    let mut record = record(Verdict::Failed);
    record.requirement = "line\nbreak \u{2028} \u{0} \"quote\"".to_owned();
    let line = to_line(&record);
    assert!(!line.contains('\n'));
    assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
}

#[test]
fn a_cut_last_line_is_left_out_and_named_wherever_it_was_cut() {
    let whole = run(Mode::Live, vec![record(Verdict::Passed), record(Verdict::Failed)]);
    let length = to_line(&whole.records[1]).len();
    for cut in 1..length {
        let run = reread(&whole, |bytes| bytes.truncate(bytes.len() - 1 - cut)).unwrap();
        assert_eq!(run.records, whole.records[..1], "cut by {cut}");
        assert!(run.remarks[0].contains("was cut off"), "{:?}", run.remarks);
        assert!(console_summary(&run, false).contains("was cut off"));
        assert!(markdown(&run).contains("was cut off"));
    }
}

#[test]
fn a_cut_inside_a_character_is_a_cut() {
    let mut last = record(Verdict::Passed);
    last.again = "é".to_owned();
    let line = to_line(&last);
    let inside = line.len() - line.find('é').unwrap() - 1;
    let whole = run(Mode::Live, vec![record(Verdict::Passed), last]);
    let run = reread(&whole, |bytes| bytes.truncate(bytes.len() - 1 - inside)).unwrap();
    assert_eq!(run.records.len(), 1);
}

#[test]
fn a_last_line_that_lacks_only_its_end_counts() {
    let whole = mixed(Mode::Live);
    let run = reread(&whole, |bytes| bytes.truncate(bytes.len() - 1)).unwrap();
    assert_eq!(run, whole);
}

#[test]
fn a_broken_line_elsewhere_is_refused_with_its_number() {
    let whole = mixed(Mode::Live);
    let error = reread(&whole, |bytes| {
        let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        bytes[second] = b'?';
    })
    .unwrap_err();
    assert!(matches!(error, ReadError::Malformed { line: Some(2), .. }), "{error}");
    assert!(error.to_string().contains("records.jsonl:2 is not a record"), "{error}");
}

#[test]
fn what_a_newer_writer_added_is_ignored() {
    let mut value: Value = serde_json::from_str(&to_line(&record(Verdict::Failed))).unwrap();
    value["weather"] = json!({"sky": "clear"});
    value["finding"]["weather"] = json!(1);
    value["evidence"][0]["events"][0]["kind"] = json!("teleported");
    let read: Record = serde_json::from_value(value).unwrap();
    assert_eq!(read.evidence[0].events[0].kind, EventKind::Other);
    assert_eq!(read.finding, record(Verdict::Failed).finding);

    let mut value = serde_json::to_value(mixed(Mode::Live).manifest).unwrap();
    value["weather"] = json!(1);
    value["mode"]["weather"] = json!(1);
    value["counts"]["teleported"] = json!(1);
    assert_eq!(serde_json::from_value::<Manifest>(value).unwrap(), mixed(Mode::Live).manifest);
}

#[test]
fn a_verdict_that_nobody_here_knows_is_refused() {
    let line = to_line(&record(Verdict::Passed)).replace("\"passed\"", "\"splendid\"");
    assert!(serde_json::from_str::<Record>(&line).is_err());
}

#[test]
fn a_newer_meaning_is_refused_even_where_it_does_not_parse() {
    let newer = SCHEMA_VERSION + 1;
    let whole = mixed(Mode::Live);
    let error = reread(&whole, |bytes| {
        *bytes = format!("{{\"schema\":{newer},\"verdict\":\"splendid\"}}\n").into_bytes();
    })
    .unwrap_err();
    assert!(matches!(error, ReadError::Newer { found, .. } if found == newer), "{error}");

    let dir = write(&whole);
    fs::write(dir.path().join(MANIFEST_FILE), format!("{{\"schema\":{newer}}}")).unwrap();
    assert!(matches!(read_run(dir.path()), Err(ReadError::Newer { .. })));
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = read_run(dir.path()).unwrap_err();
    assert!(matches!(error, ReadError::Io { .. }));
    assert!(error.to_string().contains(MANIFEST_FILE), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn records_that_do_not_fit_the_manifest_are_named() {
    let mut whole = mixed(Mode::Live);
    whole.records.push(whole.records[0].clone());
    let dir = write(&whole);
    let run = read_run(dir.path()).unwrap();
    assert_eq!(run.records.len(), whole.records.len());
    assert!(run.remarks[0].contains("has more than one record"), "{:?}", run.remarks);
    assert!(run.remarks[1].contains("are not those of the records"), "{:?}", run.remarks);
}

#[test]
fn a_run_without_an_end_is_read_and_said() {
    let mut whole = mixed(Mode::Live);
    (whole.manifest.exit_code, whole.manifest.counts) = (None, Counts::default());
    let dir = write(&whole);
    let run = read_run(dir.path()).unwrap();
    assert_eq!(run, whole);
    assert!(console_summary(&run, false).contains("The run did not end"));
}
