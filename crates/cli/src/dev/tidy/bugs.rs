//! The map from bugs that brokers shipped to the requirements that catch them holds no dead end.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::super::complaint::Complaint;

/// The map, relative to the top of the repository.
const FILE: &str = "conformance/bugs.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    bug: Vec<Bug>,
}

/// A bug: what went wrong, and either what catches it or why nothing can.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    id: String,
    title: String,
    #[serde(default)]
    requirements: Vec<String>,
    reason: Option<String>,
}

/// Bugs named twice, without a word on what catches them, or with requirements that no scenario checks.
pub(super) fn check(root: &Path, checked: &BTreeSet<&str>) -> Vec<Complaint> {
    let text = match fs::read_to_string(root.join(FILE)) {
        Ok(text) => text,
        Err(error) => {
            let rule = format!("the map of bugs cannot be read: {error}");
            return vec![Complaint::new(FILE, 1, rule, "take it back from the history")];
        }
    };
    complaints(&text, checked)
}

fn complaints(text: &str, checked: &BTreeSet<&str>) -> Vec<Complaint> {
    let map: Map = match toml::from_str(text) {
        Ok(map) => map,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start].lines().count().max(1);
            let rule = format!("the map of bugs is malformed: {}", error.message());
            return vec![Complaint::new(FILE, line, rule, "write it as its first lines say")];
        }
    };
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for bug in &map.bug {
        let at = format!("id = \"{}\"", bug.id);
        let line = text.lines().position(|line| line == at).map_or(1, |line| line + 1);
        let mut complain =
            |rule: String, remedy| found.push(Complaint::new(FILE, line, rule, remedy));
        if !seen.insert(bug.id.as_str()) {
            complain(format!("{} stands here twice", bug.id), "leave one of them");
        }
        if bug.title.trim().is_empty() {
            complain(format!("{} says not what went wrong", bug.id), "give it a title");
        }
        match (&bug.requirements[..], &bug.reason) {
            ([], None) => complain(
                format!("{} names neither requirements nor a reason", bug.id),
                "name the requirements that catch it, or the reason why none does",
            ),
            ([_, ..], Some(_)) => complain(
                format!("{} names requirements and a reason why there are none", bug.id),
                "leave one of them",
            ),
            _ => {}
        }
        for id in bug.requirements.iter().filter(|id| !checked.contains(id.as_str())) {
            complain(
                format!("{} is to be caught by {id}, which no scenario checks", bug.id),
                "name a requirement that has a scenario, or write the scenario",
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let checked = BTreeSet::from(["FETCH-001"]);
        complaints(text, &checked)
            .into_iter()
            .map(|found| format!("{} {}", found.line, found.rule))
            .collect()
    }

    fn bug(rest: &str) -> String {
        format!("[[bug]]\nid = \"BUG-1\"\ntitle = \"t\"\n{rest}\n")
    }

    #[test]
    fn a_bug_that_is_caught_or_cannot_be_is_in_order() {
        assert!(rules(&bug("requirements = [\"FETCH-001\"]")).is_empty());
        assert!(rules(&bug("reason = \"a race\"")).is_empty());
    }

    #[test]
    fn dead_ends_are_named_with_their_line() {
        assert_eq!(rules(&bug("")), ["2 BUG-1 names neither requirements nor a reason"]);
        assert_eq!(
            rules(&bug("requirements = [\"FETCH-002\"]")),
            ["2 BUG-1 is to be caught by FETCH-002, which no scenario checks"]
        );
        let both = bug("requirements = [\"FETCH-001\"]\nreason = \"a race\"");
        assert_eq!(rules(&both), ["2 BUG-1 names requirements and a reason why there are none"]);
        let twice = bug("reason = \"a race\"").repeat(2);
        assert_eq!(rules(&twice), ["2 BUG-1 stands here twice"]);
        assert!(
            rules("[[bug]]\nid = 3")
                .first()
                .is_some_and(|rule| rule.starts_with("2 the map of bugs is malformed"))
        );
    }
}
