//! A target that puts terminal escapes, markup and broken characters into its strings.

use kconform_report::*;

use crate::junit_structure::parse;
use crate::samples::{mixed, record, recording};

/// Escapes and bells, an end of every kind of quotation, and what XML cannot carry.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07\u{9b}31m\u{202e}\0\u{fffe}]]></failure>&amp;| a | ` <b> ``` <img src=x onerror=alert(1)> [x](javascript:y) http://evil.example\n## Findings\r\n| forged | row |";

/// Puts the hostile text into every string of a run.
fn poisoned(mode: Mode) -> Run {
    fn poison(value: &mut serde_json::Value, key: &str) {
        match value {
            // These are written by this program alone, and others would not parse.
            serde_json::Value::String(_)
                if ["verdict", "level", "kind", "started"].contains(&key) => {}
            serde_json::Value::String(text) if key != "replay" => {
                *text = format!("{text}{HOSTILE}")
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
            serde_json::Value::Object(fields) => {
                fields.iter_mut().for_each(|(key, value)| poison(value, key));
            }
            _ => {}
        }
    }
    let mut run = mixed(mode);
    run.records.extend(Verdict::ALL.map(record));
    let mut manifest = serde_json::to_value(&run.manifest).unwrap();
    poison(&mut manifest, "");
    run.manifest = serde_json::from_value(manifest).unwrap();
    run.manifest.target.features.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
    for record in &mut run.records {
        let mut value = serde_json::to_value(&*record).unwrap();
        poison(&mut value, "");
        *record = serde_json::from_value(value).unwrap();
    }
    run.remarks = vec![HOSTILE.to_owned()];
    run
}

fn acts(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}')
}

#[test]
fn nothing_acts_on_the_terminal() {
    for mode in [Mode::Live, recording()] {
        let run = poisoned(mode);
        let mut views = vec![console_header(&run.manifest, false), console_summary(&run, false)];
        views.extend(run.records.iter().map(|record| console_finding(record, false)));
        views.push(markdown(&run));
        for view in views {
            assert!(!view.contains(acts), "{}", view.escape_debug());
            assert!(
                view.contains("\\u{1b}") || view.contains("\\\\u{1b}"),
                "the text is gone: {view}"
            );
        }
    }
}

#[test]
fn no_string_forges_a_row_of_the_block() {
    for record in poisoned(Mode::Live).records {
        for line in console_finding(&record, false).lines().skip(2) {
            let known = [
                "  expected  ",
                "  got       ",
                "  breach    ",
                "  reason    ",
                "  refusal   ",
                "  asked     ",
                "  sent      ",
                "  received  ",
                "  note      ",
                "  replay    ",
                "  also      ",
                "  where     ",
                "  again     ",
                "            ",
            ];
            assert!(known.iter().any(|start| line.starts_with(start)), "{line:?}");
        }
    }
}

#[test]
fn nothing_becomes_markup() {
    let document = markdown(&poisoned(Mode::Live));
    // Fenced blocks show their text as it is; everything else is checked.
    let mut fence = None;
    let mut outside = Vec::new();
    for line in document.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks == open && line.len() == ticks => fence = None,
            None => outside.push(without_code(line)),
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a fence was left open");
    for line in &outside {
        assert!(!line.replace("\\<", "").contains('<'), "{line}");
        assert!(!line.replace("\\[", "").contains('['), "{line}");
        assert!(!line.contains("http://"), "{line}");
    }
    let sections = outside.iter().filter(|line| line.as_str() == "## Findings").count();
    assert_eq!(sections, 1);
}

/// The line without its code spans, whose content is literal.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        // An escaped tick opens nothing.
        if rest[..start].ends_with('\\') {
            out.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        }
        let ticks = rest[start..].chars().take_while(|c| *c == '`').count();
        out.push_str(&rest[..start]);
        let inside = &rest[start + ticks..];
        let end = (0..inside.len())
            .filter(|at| inside.is_char_boundary(*at) && inside[*at..].starts_with('`'))
            .find(|at| {
                let run = inside[*at..].chars().take_while(|c| *c == '`').count();
                let before = inside[..*at].chars().rev().take_while(|c| *c == '`').count();
                before == 0 && run == ticks
            });
        let end = end.unwrap_or_else(|| panic!("a code span was left open: {line}"));
        rest = &inside[end + ticks..];
    }
    out + rest
}

#[test]
fn tables_keep_their_columns() {
    let document = markdown(&poisoned(Mode::Live));
    let mut columns = None;
    for line in document.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let bars = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
    }
}

#[test]
fn the_xml_is_well_formed_and_says_the_text() {
    for mode in [Mode::Live, recording()] {
        let run = poisoned(mode);
        let root = parse(&junit(&run));
        assert_eq!(root.cases().len(), run.records.len());
        assert!(root.cases().iter().all(|case| case.attributes["name"].contains("\\u{1b}[2J")));
    }
}

#[test]
fn an_enormous_string_does_not_make_an_enormous_report() {
    let mut run = mixed(Mode::Live);
    for record in &mut run.records {
        if let Some(finding) = &mut record.finding {
            finding.got = "x".repeat(1 << 20);
            finding.received = Some("00 ".repeat(1 << 20));
        }
    }
    for view in [markdown(&run), junit(&run), console_summary(&run, false)] {
        assert!(view.len() < 200_000, "{} bytes", view.len());
    }
}
