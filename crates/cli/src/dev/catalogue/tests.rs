//! The pages of a small catalogue, and that a stale, missing or surplus page is noticed.
#![allow(clippy::unwrap_used)]

use std::fs;

use conformance::catalogue::{Family, Level, Requirement};

use super::{FOLDER, ScenarioRef, drift, render, render_rows, write_pages};

fn families() -> Vec<Family> {
    vec![Family {
        name: "wire".to_owned(),
        title: "Wire".to_owned(),
        about: "Frames.".to_owned(),
        prefixes: vec!["WIRE".to_owned()],
        apis: vec!["ApiVersions".to_owned()],
    }]
}

fn rows() -> Vec<Requirement> {
    let first = Requirement {
        id: "WIRE-001".to_owned(),
        level: Level::Must,
        family: "wire",
        versions: "all".to_owned(),
        text: "The topic __consumer_offsets matches `*`, not *.".to_owned(),
        needs: vec!["one-broker".to_owned()],
        needs_note: Some("better with three".to_owned()),
        releases: vec!["3.9".to_owned(), "4.1".to_owned()],
        releases_note: None,
        unseen: None,
        source: "NetworkReceive".to_owned(),
        mistake: Some("extra bytes".to_owned()),
        suffers: Some("The client loses the stream.".to_owned()),
        no_scenario: None,
    };
    let second = Requirement {
        id: "WIRE-002".to_owned(),
        level: Level::Quirk,
        releases: Vec::new(),
        unseen: Some("needs a broker before 2.4".to_owned()),
        mistake: None,
        suffers: None,
        no_scenario: None,
        ..first.clone()
    };
    vec![first, second]
}

fn scenario() -> ScenarioRef {
    ScenarioRef {
        id: "WIRE-001".to_owned(),
        also: Vec::new(),
        name: "wire::frames::whole_frame".to_owned(),
        doc: String::new(),
        file: "conformance/src/wire/frames.rs".to_owned(),
        line: 12,
        api: "ApiVersions".to_owned(),
        versions: "0..".to_owned(),
    }
}

#[test]
fn a_page_tells_everything_about_a_requirement() {
    let pages = render_rows(&families(), &rows(), &[scenario()]);
    let (path, page) = &pages[1];
    assert_eq!(path.to_str().unwrap(), "conformance/catalogue/wire.md");
    let expected = "\
## <a id=\"wire-001\"></a>WIRE-001 · must

The topic \\_\\_consumer\\_offsets matches `*`, not \\*.

- Versions: all
- Seen on Apache: 3.9, 4.1
- Needs: one-broker (better with three)
- Source: NetworkReceive
- Who suffers: The client loses the stream.
- Typical mistake: extra bytes
- Checked by: [`wire::frames::whole_frame`](../../conformance/src/wire/frames.rs#L12) \
(ApiVersions 0.., conformance/src/wire/frames.rs:12)

## <a id=\"wire-002\"></a>WIRE-002 · quirk
";
    assert!(page.contains(expected), "{page}");
    assert!(page.contains("- Seen on Apache: not seen: needs a broker before 2.4\n"));
    assert!(page.ends_with("- Checked by: **open**\n"));
}

#[test]
fn the_index_counts_what_is_open() {
    let pages = render_rows(&families(), &rows(), &[scenario()]);
    let index = &pages[0].1;
    assert!(index.contains("| [Wire](wire.md) | Frames. | 1 | 0 | 1 | 2 | 1 | 1 |\n"), "{index}");
    assert!(index.contains("| all |  | 1 | 0 | 1 | 2 | 1 | 1 |\n"), "{index}");
}

#[test]
fn a_requirement_named_in_also_is_not_open() {
    let scenario = ScenarioRef { also: vec!["WIRE-002".to_owned()], ..scenario() };
    let pages = render_rows(&families(), &rows(), &[scenario]);
    assert!(!pages[1].1.contains("**open**"));
}

#[test]
fn every_requirement_of_the_suite_has_its_entry() {
    let pages = render(&[]);
    let entries: usize = pages.iter().map(|(_, page)| page.matches("\n## <a id=").count()).sum();
    assert_eq!(entries, conformance::catalogue::requirements().len());
    assert_eq!(pages.len(), conformance::catalogue::families().len() + 1);
}

#[test]
fn stale_missing_and_surplus_pages_are_noticed() {
    let root = tempfile::tempdir().unwrap();
    let pages = render_rows(&families(), &rows(), &[scenario()]);
    let rules = |found: Vec<super::Complaint>| {
        found
            .into_iter()
            .map(|complaint| (complaint.file.display().to_string(), complaint.line, complaint.rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(drift(root.path(), &pages).len(), 2);
    write_pages(root.path(), &pages).unwrap();
    assert_eq!(rules(drift(root.path(), &pages)), []);

    let page = root.path().join(FOLDER).join("wire.md");
    let spoilt = fs::read_to_string(&page).unwrap().replacen("WIRE-002", "WIRE-003", 1);
    let line = spoilt.lines().position(|line| line.contains("WIRE-003")).unwrap() + 1;
    fs::write(&page, spoilt).unwrap();
    fs::write(root.path().join(FOLDER).join("old.md"), "").unwrap();
    let expected = [
        ("conformance/catalogue/wire.md".to_owned(), line, "a page of the catalogue is stale"),
        ("conformance/catalogue/old.md".to_owned(), 1, "no family has this page"),
    ];
    assert_eq!(
        rules(drift(root.path(), &pages)),
        expected.map(|(file, line, rule)| (file, line, rule.to_owned()))
    );
    write_pages(root.path(), &pages).unwrap();
    assert_eq!(rules(drift(root.path(), &pages)), []);
}
