//! The structure of the JUnit view, held against what the schemas in common use demand.
//!
//! Two schemas are in wide use: Jenkins' `junit-10.xsd` and the one of Apache Ant. The attributes that
//! either demands and the order of elements are checked here. Beyond Jenkins' schema the view has two
//! things, which test runners write and build servers read nevertheless: properties on a test case, and
//! the sum of skipped cases on the root. Ant's is older and forbids more, such as a zone in a timestamp.

use std::collections::BTreeMap;

use kconform_report::*;
use quick_xml::events::{BytesStart, Event as Xml};
use quick_xml::{Reader, XmlVersion};

use crate::samples::{failed, mixed, record, recording, run, unstable};

/// An element with its attributes, children and text, read by a parser that checks well-formedness.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    fn all(&self, name: &str) -> Vec<&Element> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    pub(crate) fn cases(&self) -> Vec<&Element> {
        self.all("testsuite").into_iter().flat_map(|suite| suite.all("testcase")).collect()
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.all("properties")
            .into_iter()
            .flat_map(|properties| &properties.children)
            .find(|property| property.attributes["name"] == name)
            .map(|property| property.attributes["value"].as_str())
    }
}

pub(crate) fn parse(xml: &str) -> Element {
    fn open(tag: &BytesStart<'_>) -> Element {
        let attributes = tag.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
            (key, attribute.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned())
        });
        Element {
            name: String::from_utf8(tag.name().as_ref().to_vec()).unwrap(),
            attributes: attributes.collect(),
            ..Element::default()
        }
    }
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "a character that XML 1.0 does not allow");

    let mut reader = Reader::from_str(xml);
    let mut stack = vec![Element::default()];
    loop {
        match reader.read_event().unwrap() {
            Xml::Start(tag) => stack.push(open(&tag)),
            Xml::Empty(tag) => stack.last_mut().unwrap().children.push(open(&tag)),
            Xml::End(_) => {
                let element = stack.pop().unwrap();
                stack.last_mut().unwrap().children.push(element);
            }
            Xml::Text(text) => stack.last_mut().unwrap().text += &text.decode().unwrap(),
            Xml::GeneralRef(entity) => {
                stack.last_mut().unwrap().text += &format!("&{};", entity.decode().unwrap());
            }
            Xml::Eof => break,
            Xml::Decl(_) => {}
            other => panic!("unexpected in JUnit: {other:?}"),
        }
    }
    assert_eq!(stack.len(), 1);
    stack.pop().unwrap().children.pop().unwrap()
}

fn has(element: &Element, attributes: &[&str]) {
    for attribute in attributes {
        assert!(
            element.attributes.contains_key(*attribute),
            "{} lacks {attribute}: {element:?}",
            element.name
        );
    }
}

fn number(element: &Element, attribute: &str) -> usize {
    element.attributes[attribute].parse().unwrap()
}

/// Checks names, required attributes, order of elements and sums.
fn check(root: &Element) {
    assert_eq!(root.name, "testsuites");
    has(root, &["name", "tests", "failures", "errors", "time"]);
    for (index, suite) in root.children.iter().enumerate() {
        assert_eq!(suite.name, "testsuite");
        has(suite, &["name", "timestamp", "hostname", "tests", "failures", "errors", "skipped"]);
        has(suite, &["time", "package", "id"]);
        assert_eq!(number(suite, "id"), index);

        let names: Vec<&str> = suite.children.iter().map(|child| child.name.as_str()).collect();
        let cases = names.len() - 3;
        assert_eq!(names[0], "properties");
        assert!(names[1..=cases].iter().all(|name| *name == "testcase"), "{names:?}");
        assert_eq!(names[cases + 1..], ["system-out", "system-err"]);

        let with = |name| suite.all("testcase").iter().filter(|c| !c.all(name).is_empty()).count();
        assert_eq!(number(suite, "tests"), cases);
        assert_eq!(number(suite, "failures"), with("failure"));
        assert_eq!(number(suite, "errors"), with("error"));
        assert_eq!(number(suite, "skipped"), with("skipped"));
        for case in suite.all("testcase") {
            check_case(case);
        }
    }
    for sum in ["tests", "failures", "errors"] {
        let parts: usize = root.children.iter().map(|suite| number(suite, sum)).sum();
        assert_eq!(number(root, sum), parts, "{sum}");
    }
}

fn check_case(case: &Element) {
    has(case, &["name", "classname", "time"]);
    assert!(case.attributes["time"].parse::<f64>().unwrap() >= 0.0);
    let order = ["properties", "skipped", "error", "failure", "system-out"];
    let places: Vec<usize> = case
        .children
        .iter()
        .map(|child| order.iter().position(|name| *name == child.name).unwrap())
        .collect();
    assert!(places.is_sorted(), "{case:?}");
    let outcomes: Vec<&Element> =
        ["skipped", "error", "failure"].into_iter().flat_map(|name| case.all(name)).collect();
    assert!(outcomes.len() <= 1);
    for outcome in outcomes {
        has(outcome, &["message", "type"]);
        assert!(!outcome.attributes["message"].is_empty());
        assert!(!outcome.attributes["message"].contains('\n'));
    }
    for property in case.all("properties").iter().flat_map(|properties| &properties.children) {
        assert_eq!(property.name, "property");
        has(property, &["name", "value"]);
    }
}

#[test]
fn the_structure_holds_for_every_run() {
    let mut runs = vec![mixed(Mode::Live), mixed(recording()), run(Mode::Live, vec![])];
    runs.extend(Verdict::ALL.map(|verdict| run(Mode::Live, vec![record(verdict)])));
    for run in runs {
        check(&parse(&junit(&run)));
    }
}

#[test]
fn each_verdict_has_its_element() {
    let of = |record: Record| {
        let root = parse(&junit(&run(Mode::Live, vec![record])));
        let case = root.cases()[0];
        let outcome = case
            .children
            .iter()
            .find(|child| ["failure", "error", "skipped"].contains(&child.name.as_str()));
        outcome.map(|outcome| (outcome.name.clone(), outcome.attributes["type"].clone()))
    };
    for (verdict, element) in [
        (Verdict::Passed, None),
        (Verdict::Failed, Some("failure")),
        (Verdict::Blocked, Some("error")),
        (Verdict::Unsupported, Some("skipped")),
        (Verdict::NotRun, Some("skipped")),
        (Verdict::Known, Some("skipped")),
        (Verdict::Fixed, Some("failure")),
        (Verdict::Error, Some("error")),
    ] {
        let expected = element.map(|name| (name.to_owned(), verdict.key().to_owned()));
        assert_eq!(of(record(verdict)), expected, "{verdict}");
    }
    let pair = |name: &str, kind: &str| Some((name.to_owned(), kind.to_owned()));
    assert_eq!(of(failed(Level::Should)), pair("failure", "failed"));
    assert_eq!(of(failed(Level::Quirk)), pair("skipped", "quirk"));
    assert_eq!(of(unstable()), pair("error", "unstable"));
}

#[test]
fn a_case_carries_what_a_build_server_groups_by() {
    let run = mixed(Mode::Live);
    let root = parse(&junit(&run));
    assert_eq!(root.cases().len(), run.records.len());
    for case in root.cases() {
        let record = run.records.iter().find(|r| r.name == case.attributes["name"]).unwrap();
        assert_eq!(case.property("id"), Some(record.id.as_str()));
        assert_eq!(case.property("level"), Some(record.level.name()));
        assert_eq!(case.property("api"), Some(record.api.as_str()));
        assert_eq!(case.property("version"), Some(record.version.to_string().as_str()));
        assert_eq!(case.property("verdict"), Some(record.verdict.key()));
    }
}

#[test]
fn a_run_that_is_not_green_is_not_green_here() {
    let passed = || vec![record(Verdict::Passed)];
    for (code, records) in [
        (None, passed()),
        (Some(UNREACHABLE), passed()),
        (Some(NOTHING_EXECUTED), vec![]),
        (Some(NOTHING_EXECUTED), vec![record(Verdict::NotRun)]),
        (Some(BLOCKED_OR_FAILED), passed()),
    ] {
        let mut run = run(Mode::Live, records);
        run.manifest.exit_code = code;
        let root = parse(&junit(&run));
        check(&root);
        assert_eq!(number(&root, "errors"), 1, "{code:?}");
    }
    let root = parse(&junit(&run(Mode::Live, passed())));
    assert_eq!(number(&root, "errors") + number(&root, "failures"), 0);
}
