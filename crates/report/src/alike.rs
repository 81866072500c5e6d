//! Findings that are alike: one cause shows in hundreds of cases, and nobody reads hundreds of blocks.

use std::collections::BTreeMap;

use crate::text::{line, plural};
use crate::{Record, Verdict};

/// How many findings of a kind a console shows whole.
const SHOWN: usize = 3;
/// How much of a sentence the line about the others repeats, in characters.
const REPEATED: usize = 120;

/// Shows the first few findings of each kind, and counts the others. Two findings are of a kind when they have the same verdict
/// and the same reason (or expectation and observation), numbers and names of fresh things aside.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    kinds: BTreeMap<(Verdict, String), Kind>,
}

#[derive(Clone, Debug)]
struct Kind {
    count: usize,
    sentence: String,
}

impl Fold {
    /// Whether this finding is one of the first of its kind, and to be shown.
    pub fn shows(&mut self, record: &Record) -> bool {
        let key = (record.verdict, likeness(&sentence(record)));
        let new = || Kind { count: 0, sentence: sentence(record) };
        let kind = self.kinds.entry(key).or_insert_with(new);
        kind.count += 1;
        kind.count <= SHOWN
    }

    /// A line for each kind of which more came than were shown: `FAILED: 397 more like this: … (see report.md)`. `all` says
    /// where they all stand.
    pub fn rest(&self, all: &str) -> Vec<String> {
        let more = self.kinds.iter().filter(|(_, kind)| kind.count > SHOWN);
        more.map(|((verdict, _), kind)| {
            let count = kind.count - SHOWN;
            let shown = line(&kind.sentence.replace('\n', "; "));
            let cut = match shown.char_indices().nth(REPEATED) {
                Some((end, _)) => format!("{}…", &shown[..end]),
                None => shown,
            };
            let verdict = verdict.name().to_uppercase();
            format!("{verdict}: {} like this: {cut} ({all})", plural(count, "more", "more"))
        })
        .collect()
    }
}

/// What is the matter with a case, in words.
fn sentence(record: &Record) -> String {
    match (&record.reason, &record.finding) {
        (Some(reason), _) => reason.clone(),
        (None, Some(finding)) => {
            let got = finding.breach.as_ref().unwrap_or(&finding.got);
            format!("expected {}, got {got}", finding.expected)
        }
        (None, None) => record.requirement.clone(),
    }
}

/// The text without what differs from case to case: numbers become `#`, and names that a run makes (`kc-…`) become `kc-#`.
pub(crate) fn likeness(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let at_start = !out.ends_with(inside);
        if at_start && rest.starts_with("kc-") {
            out.push_str("kc-#");
            rest = rest.trim_start_matches(inside);
        } else if let Some(behind) = number(rest, at_start) {
            out.push('#');
            rest = behind;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// What stands behind the number that the text begins with; a dash inside a word is no sign.
fn number(text: &str, sign: bool) -> Option<&str> {
    let digits = text.strip_prefix('-').filter(|_| sign).unwrap_or(text);
    let behind = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    (behind.len() < digits.len()).then_some(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_fresh_names_make_no_difference() {
        let one =
            "Fetch v12 -> 10.0.0.1:9092, correlation 7: kc-2611-a1-fetch.v3-12 is unknown (3)";
        let other = "Fetch v4 -> 10.0.0.2:9093, correlation 19: kc-2611-a1-x_y-9 is unknown (3)";
        assert_eq!(likeness(one), likeness(other));
        assert_eq!(likeness("topic kc-a-b, 12 of 3"), "topic kc-#, # of #");
        assert_eq!(likeness("got -1, FETCH-031, v-2, --3"), "got #, FETCH-#, v-#, --#");
        assert_ne!(likeness("CreateTopics was refused"), likeness("DeleteTopics was refused"));
        assert_eq!(likeness("é1日本-→"), "é#日本-→");
    }
}
