//! A scenario names a requirement of the catalogue, no two scenarios have the same name, and the first
//! paragraph of its documentation is the requirement's text.

mod rewrite;

use std::collections::BTreeMap;
use std::path::Path;

use conformance::catalogue::Requirement;

use super::super::catalogue::ScenarioRef;
use super::super::complaint::Complaint;

/// Scenarios with an id that is not in the catalogue, and two with the same name. Several may share an id: a
/// requirement can take several acts, and one act can prove several requirements (`also`).
pub(super) fn check<'a>(
    scenarios: &[ScenarioRef],
    requirement: impl Fn(&str) -> Option<&'a Requirement>,
) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut first: BTreeMap<&str, &ScenarioRef> = BTreeMap::new();
    for scenario in scenarios {
        for id in scenario.ids().filter(|id| requirement(id).is_none()) {
            found.push(complain(
                scenario,
                format!("{id} is not in the catalogue"),
                "correct the id, or add the requirement to conformance/requirements",
            ));
        }
        if let Some(other) = first.insert(&scenario.name, scenario) {
            found.push(complain(
                scenario,
                format!("{} is the name of another scenario, at {}:{}", scenario.name, other.file, other.line),
                "give one of them another name; a requirement that takes two acts may have two scenarios",
            ));
        }
    }
    found
}

/// Scenarios whose first paragraph of documentation is not the requirement's text.
pub(super) fn check_docs<'a>(
    scenarios: &[ScenarioRef],
    requirement: impl Fn(&str) -> Option<&'a Requirement>,
) -> Vec<Complaint> {
    scenarios
        .iter()
        .filter(|scenario| {
            requirement(&scenario.id)
                .is_some_and(|row| !same_words(first_paragraph(&scenario.doc), &row.text))
        })
        .map(|scenario| {
            complain(
                scenario,
                format!("the doc sentence is not the text of {}", scenario.id),
                "run `cargo xtask tidy --fix`; the text is changed in conformance/requirements",
            )
        })
        .collect()
}

/// Writes the requirement's text above every scenario whose source says something else, and moves
/// the lines of `scenarios` along. What cannot be mended is a complaint.
pub(super) fn rewrite_docs<'a>(
    root: &Path,
    scenarios: &mut [ScenarioRef],
    requirement: impl Fn(&str) -> Option<&'a Requirement>,
) -> Vec<Complaint> {
    let mut found = Vec::new();
    for index in 0..scenarios.len() {
        let scenario = &scenarios[index];
        let Some(row) = requirement(&scenario.id) else { continue };
        let above = |other: &&ScenarioRef| {
            other.file == scenario.file && other.id == scenario.id && other.line < scenario.line
        };
        let nth = scenarios.iter().filter(above).count();
        match rewrite::rewrite(&root.join(&scenario.file), &row.id, nth, &row.text) {
            Ok(None) => {}
            Ok(Some(change)) => {
                let file = scenarios[index].file.clone();
                for scenario in scenarios.iter_mut().filter(|scenario| scenario.file == file) {
                    if scenario.line >= change.line {
                        scenario.line = scenario.line + change.added - change.removed;
                    }
                }
            }
            Err(why) => found.push(complain(
                &scenarios[index],
                format!("the doc sentence of {} cannot be written: {why}", row.id),
                "write the attribute as `#[scenario(\"ID\", …)]` with the id as a literal",
            )),
        }
    }
    found
}

fn complain(scenario: &ScenarioRef, rule: String, remedy: &str) -> Complaint {
    Complaint::new(&scenario.file, scenario.line, rule, remedy)
}

/// The text up to the first blank line.
fn first_paragraph(doc: &str) -> &str {
    let mut end = 0;
    for line in doc.split_inclusive('\n') {
        if line.trim().is_empty() && !doc[..end].trim().is_empty() {
            break;
        }
        end += line.len();
    }
    &doc[..end]
}

fn same_words(left: &str, right: &str) -> bool {
    left.split_whitespace().eq(right.split_whitespace())
}

#[cfg(test)]
mod tests;
