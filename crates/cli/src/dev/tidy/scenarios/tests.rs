//! Scenarios with wrong ids and wrong sentences, seen and mended.
#![allow(clippy::unwrap_used)]

use std::fs;

use conformance::catalogue::{Level, Requirement};

use super::super::super::catalogue::ScenarioRef;
use super::{check, check_docs, first_paragraph, rewrite_docs};

const FILE: &str = "conformance/src/wire/frames.rs";

fn scenario(id: &str, name: &str, doc: &str, line: usize) -> ScenarioRef {
    ScenarioRef {
        id: id.to_owned(),
        also: Vec::new(),
        name: name.to_owned(),
        doc: doc.to_owned(),
        file: FILE.to_owned(),
        line,
        api: "ApiVersions".to_owned(),
        versions: "0..".to_owned(),
    }
}

fn row(id: &str, text: &str) -> Requirement {
    Requirement {
        id: id.to_owned(),
        level: Level::Must,
        family: "wire",
        versions: "all".to_owned(),
        text: text.to_owned(),
        needs: Vec::new(),
        needs_note: None,
        releases: Vec::new(),
        releases_note: None,
        unseen: None,
        source: String::new(),
        mistake: None,
        suffers: None,
        no_scenario: None,
    }
}

fn rules(found: &[super::Complaint]) -> Vec<(usize, &str)> {
    found.iter().map(|complaint| (complaint.line, complaint.rule.as_str())).collect()
}

#[test]
fn unknown_ids_and_doubled_names_are_found() {
    let rows = [row("A-001", "One."), row("A-002", "Two.")];
    let find = |id: &str| rows.iter().find(|row| row.id == id);
    let mut both = scenario("A-001", "one", "One.", 3);
    both.also = vec!["A-002".to_owned()];
    let good = [both, scenario("A-002", "two", "Two.", 9)];
    assert_eq!(rules(&check(&good, find)), []);

    let bad = [
        scenario("A-001", "one", "One.", 3),
        scenario("A-002", "one", "Two.", 9),
        scenario("A-009", "nine", "Nine.", 15),
    ];
    assert_eq!(
        rules(&check(&bad, find)),
        [
            (9, format!("one is the name of another scenario, at {FILE}:3").as_str()),
            (15, "A-009 is not in the catalogue")
        ]
    );
    let mut also = scenario("A-001", "one", "One.", 3);
    also.also = vec!["A-010".to_owned()];
    assert_eq!(rules(&check(&[also], find)), [(3, "A-010 is not in the catalogue")]);
}

#[test]
fn a_wrong_sentence_is_found() {
    let rows = [row("A-001", "One and only.")];
    let find = |id: &str| rows.iter().find(|row| row.id == id);
    for doc in [" One and\n only.", "One and only.\n\nWhy it matters."] {
        assert_eq!(rules(&check_docs(&[scenario("A-001", "one", doc, 3)], find)), [], "{doc}");
    }
    for doc in ["", "One.", "Why.\n\nOne and only."] {
        let found = check_docs(&[scenario("A-001", "one", doc, 3)], find);
        assert_eq!(rules(&found), [(3, "the doc sentence is not the text of A-001")], "{doc}");
    }
    assert_eq!(first_paragraph("\nOne\n"), "\nOne\n");
}

#[test]
fn mending_writes_the_sentence_and_keeps_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join(FILE);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let source = "\
//! Frames.

/// An old sentence
/// in two lines.
///
/// Why it is so.
#[scenario(\"A-001\", api = ApiVersions)]
async fn one() {}

#[scenario(
    \"A-002\",
    api = ApiVersions
)]
async fn two() {}

/// Another old sentence.
// A remark.
#[scenario(\"A-001\", api = ApiVersions)]
async fn one_again() {}
";
    fs::write(&file, source).unwrap();
    let rows = [row("A-001", "One."), row("A-002", "Two."), row("A-003", "Three.")];
    let find = |id: &str| rows.iter().find(|row| row.id == id);
    let mut scenarios = [
        scenario("A-001", "one", "", 7),
        scenario("A-002", "two", "", 10),
        scenario("A-001", "one_again", "", 18),
    ];
    assert_eq!(rewrite_docs(root.path(), &mut scenarios, find), []);
    let mended = "\
//! Frames.

/// One.
///
/// Why it is so.
#[scenario(\"A-001\", api = ApiVersions)]
async fn one() {}

/// Two.
#[scenario(
    \"A-002\",
    api = ApiVersions
)]
async fn two() {}

/// One.
// A remark.
#[scenario(\"A-001\", api = ApiVersions)]
async fn one_again() {}
";
    assert_eq!(fs::read_to_string(&file).unwrap(), mended);
    assert_eq!(scenarios.map(|scenario| scenario.line), [6, 10, 18]);

    let mut lost = [scenario("A-003", "three", "", 4)];
    let found = rewrite_docs(root.path(), &mut lost, find);
    assert!(found[0].rule.contains("no `#[scenario(\"A-003\"`"), "{found:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), mended);
}
