//! The table of `conformance/README.md`: what is checked of each API and theme, in how many cases, and what is open.
//!
//! Cases are counted in the recording of the newest release: what is there was run, and passed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use conformance::catalogue::{Family, Requirement};

use super::Checks;
use super::markup::cell;

/// The page that holds the table.
const PAGE: &str = "conformance/README.md";
const BEGIN: &str = "<!-- The table below is made by `cargo xtask catalogue`. -->\n";
const END: &str = "<!-- The table above is made by `cargo xtask catalogue`. -->\n";
/// Where the recordings lie, a folder a release.
const RECORDINGS: &str = "fixtures/recordings";

/// The cases of a prefix in the recording.
#[derive(Debug, Default)]
struct Cases {
    count: usize,
    versions: BTreeSet<i16>,
}

/// The page with its table as it ought to be.
pub(super) fn page(
    root: &Path,
    families: &[Family],
    rows: &[Requirement],
    checks: &Checks<'_>,
) -> io::Result<(PathBuf, String)> {
    let text = fs::read_to_string(root.join(PAGE))?;
    let (release, cases) = recorded(&root.join(RECORDINGS))?;
    let table = table(&release, families, rows, checks, &cases);
    splice(&text, &table).map(|text| (PathBuf::from(PAGE), text)).ok_or_else(|| {
        io::Error::other(format!("{PAGE} lacks the lines between which its table stands"))
    })
}

fn splice(text: &str, table: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}\n{table}\n{}", &text[..begin], &text[end..]))
}

fn table(
    release: &str,
    families: &[Family],
    rows: &[Requirement],
    checks: &Checks<'_>,
    cases: &BTreeMap<String, Cases>,
) -> String {
    let mut out = format!(
        "| requirements | mostly of | rows | cases on {release} | versions | open rows |\n|---|---|---:|---:|---|---|\n"
    );
    for family in families {
        let mut prefixes: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|row| row.family == family.name) {
            if !prefixes.contains(&row.prefix()) {
                prefixes.push(row.prefix());
            }
        }
        for prefix in prefixes {
            let rows: Vec<&Requirement> =
                rows.iter().filter(|row| row.prefix() == prefix).collect();
            let open: Vec<&str> = rows
                .iter()
                .map(|row| row.id.as_str())
                .filter(|id| !checks.contains_key(id))
                .filter_map(|id| id.strip_prefix(prefix)?.strip_prefix('-'))
                .collect();
            let none = Cases::default();
            let cases = cases.get(prefix).unwrap_or(&none);
            let open = if open.len() == rows.len() { "all".to_owned() } else { open.join(" ") };
            out.push_str(&format!(
                "| [{prefix}](catalogue/{}.md) | {} | {} | {} | {} | {open} |\n",
                family.name,
                cell(&mostly(&rows, checks)),
                rows.len(),
                cases.count,
                span(&cases.versions),
            ));
        }
    }
    out
}

/// The API that most scenarios of these rows ask.
fn mostly(rows: &[&Requirement], checks: &Checks<'_>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for scenario in rows.iter().filter_map(|row| checks.get(row.id.as_str())).flatten() {
        *counts.entry(&scenario.api).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(api, _)| api.to_owned()).unwrap_or_default()
}

fn span(versions: &BTreeSet<i16>) -> String {
    match (versions.first(), versions.last()) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => String::new(),
    }
}

/// The newest recorded release, and its cases by prefix.
fn recorded(folder: &Path) -> io::Result<(String, BTreeMap<String, Cases>)> {
    let mut releases: Vec<PathBuf> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    releases.sort();
    let newest = releases.pop().ok_or_else(|| io::Error::other("there is no recording"))?;
    let mut cases: BTreeMap<String, Cases> = BTreeMap::new();
    for entry in fs::read_dir(&newest)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "txt") {
            for line in fs::read_to_string(entry.path())?.lines() {
                count(line, &mut cases);
            }
        }
    }
    let release = newest.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok((release.unwrap_or_default(), cases))
}

/// One line of a summary: `FETCH-031  fetch::...::v4::gzip  6 events  passed`.
fn count(line: &str, cases: &mut BTreeMap<String, Cases>) {
    let mut words = line.split_whitespace();
    let (Some(id), Some(name)) = (words.next(), words.next()) else { return };
    let Some((prefix, _)) = id.split_once('-') else { return };
    let cases = cases.entry(prefix.to_owned()).or_default();
    cases.count += 1;
    let version = name.split("::").find_map(|part| part.strip_prefix('v')?.parse::<i16>().ok());
    cases.versions.extend(version);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_table_is_put_between_its_marks_and_stays_there() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let once = splice(&page, "| new |\n").unwrap();
        assert_eq!(once, format!("before\n{BEGIN}\n| new |\n\n{END}after\n"));
        assert_eq!(splice(&once, "| new |\n").unwrap(), once);
        assert_eq!(splice("no marks", "| new |\n"), None);
    }

    #[test]
    fn cases_are_counted_by_the_prefix_of_their_id() {
        let mut cases = BTreeMap::new();
        count("FETCH-031    fetch::a::b::v4::gzip      6 events  passed", &mut cases);
        count("FETCH-032    fetch::a::c::v12     6 events  passed", &mut cases);
        count("# Apache Kafka 4.4.0, recorded on 2026-11-21", &mut cases);
        assert_eq!(cases.len(), 1);
        assert_eq!(
            (cases["FETCH"].count, span(&cases["FETCH"].versions)),
            (2, "4 to 12".to_owned())
        );
    }
}
