//! The API support table: what the target advertises, what the reference does, and what the cases saw.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::conclusion::{apache, is_unstable};
use crate::group::ranges;
use crate::markup::{cell_code, escape, row};
use crate::{ApiRow, Counts, Mode, Run, tally};

/// The table as a Markdown section; nothing when neither manifest nor records name an API.
pub(crate) fn api_table(run: &Run) -> String {
    let mut manifest = run.manifest.clone();
    tally(&mut manifest, &run.records);
    if manifest.apis.is_empty() {
        return String::new();
    }
    let held = match manifest.mode {
        Mode::Live => "target",
        Mode::Replayed { .. } => "recording",
    };
    let mut out = String::from("## API support\n\n");
    let _ = writeln!(
        out,
        "| key | API | {held} | {} | proven | passed | failed | blocked | unsupported | not run | note |",
        escape(&apache(&manifest.reference))
    );
    out.push_str("|--:|---|---|---|---|--:|--:|--:|--:|--:|---|\n");
    let proven = proven_versions(run);
    for api in &manifest.apis {
        let cells = [
            api.key.to_string(),
            cell_code(&api.name),
            span(api.target),
            span(api.apache),
            proven.get(&api.key).cloned().unwrap_or_else(|| "-".to_owned()),
            api.cases.passed.to_string(),
            api.cases.failed.to_string(),
            api.cases.blocked.to_string(),
            api.cases.unsupported.to_string(),
            api.cases.not_run.to_string(),
            note(api),
        ];
        let _ = writeln!(out, "{}", row(cells));
    }
    let _ = writeln!(
        out,
        "\nThe {held} column holds the versions advertised; *proven* are the versions at which cases passed and none failed, was blocked or is a known deviation.\n"
    );
    out
}

/// Per API key the versions at which at least one case passed and none spoke against it.
fn proven_versions(run: &Run) -> BTreeMap<i16, String> {
    let mut versions: BTreeMap<i16, BTreeMap<i16, Counts>> = BTreeMap::new();
    for record in run.records.iter().filter(|record| !is_unstable(record)) {
        versions.entry(record.api_key).or_default().entry(record.version).or_default().add(record);
    }
    versions
        .into_iter()
        .map(|(key, versions)| {
            let proven = versions.into_iter().filter(|(_, counts)| {
                counts.passed > 0
                    && counts.failed + counts.blocked + counts.known + counts.error == 0
            });
            (key, ranges(proven.map(|(version, _)| version)))
        })
        .filter(|(_, ranges)| !ranges.is_empty())
        .collect()
}

fn span(versions: Option<(i16, i16)>) -> String {
    match versions {
        Some((min, max)) if min == max => min.to_string(),
        Some((min, max)) => format!("{min} to {max}"),
        None => "-".to_owned(),
    }
}

/// How the advertised versions differ from the reference's.
fn note(api: &ApiRow) -> String {
    let (target, apache) = match (api.target, api.apache) {
        // Neither side advertises it, or nobody asked: there is nothing to compare.
        (None, None) => return String::new(),
        (None, Some(_)) => return "not advertised".to_owned(),
        (Some(_), None) => return "not in the reference".to_owned(),
        (Some(target), Some(apache)) => (target, apache),
    };
    if target.0 > target.1 {
        return "lowest version above the highest".to_owned();
    }
    let mut parts = Vec::new();
    for (what, from, not_in) in [("lacks", apache, target), ("adds", target, apache)] {
        let below = (from.0 < not_in.0).then(|| (from.0, from.1.min(not_in.0 - 1)));
        let above = (from.1 > not_in.1).then(|| (from.0.max(not_in.1 + 1), from.1));
        for versions in [below, above].into_iter().flatten() {
            parts.push(format!("{what} {}", span(Some(versions))));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_says_how_the_ranges_differ() {
        for (target, apache, expected) in [
            (Some((0, 5)), Some((0, 5)), ""),
            (Some((0, 3)), Some((0, 5)), "lacks 4 to 5"),
            (Some((2, 6)), Some((0, 5)), "lacks 0 to 1, adds 6"),
            (Some((7, 9)), Some((0, 5)), "lacks 0 to 5, adds 7 to 9"),
            (Some((0, 1)), Some((4, 5)), "lacks 4 to 5, adds 0 to 1"),
            (Some((5, 1)), Some((0, 5)), "lowest version above the highest"),
            (Some((i16::MIN, i16::MAX)), Some((0, 5)), "adds -32768 to -1, adds 6 to 32767"),
            (None, Some((0, 5)), "not advertised"),
            (Some((0, 1)), None, "not in the reference"),
            (None, None, ""),
        ] {
            let api = ApiRow { target, apache, ..ApiRow::default() };
            assert_eq!(note(&api), expected, "{target:?} against {apache:?}");
        }
    }
}
