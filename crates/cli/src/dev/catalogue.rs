//! The browsable catalogue: Markdown pages under `conformance/catalogue`, made from the requirements
//! and the scenarios that check them.

mod apis;
mod index;
mod markup;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use conformance::catalogue::{self, Family, Requirement};

use super::complaint::Complaint;

/// The folder of the pages, relative to the top of the repository.
pub(crate) const FOLDER: &str = "conformance/catalogue";

const REMEDY: &str = "run `cargo xtask catalogue` and commit the pages";

/// A scenario as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScenarioRef {
    /// The requirement that it checks.
    pub(crate) id: String,
    /// Further requirements that the same act proves.
    pub(crate) also: Vec<String>,
    /// The name of the test: module path and function.
    pub(crate) name: String,
    /// Its documentation as compiled; the first paragraph is the requirement.
    pub(crate) doc: String,
    /// The source file, relative to the top of the repository, with forward slashes.
    pub(crate) file: String,
    /// The line of the scenario in that file, from 1.
    pub(crate) line: usize,
    /// The API that it asks, by its name in the protocol.
    pub(crate) api: String,
    /// The versions that it asks, for a reader: `3..`.
    pub(crate) versions: String,
}

impl ScenarioRef {
    /// All requirements that it checks, the main one first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.also.iter().map(String::as_str))
    }
}

/// Every page of the catalogue: its path relative to the top of the repository, and its text.
pub(crate) fn render(scenarios: &[ScenarioRef]) -> Vec<(PathBuf, String)> {
    render_rows(catalogue::families(), catalogue::requirements(), scenarios)
}

/// Where the committed pages differ from what [`render`] says.
pub(crate) fn check(root: &Path, scenarios: &[ScenarioRef]) -> Vec<Complaint> {
    let mut found = drift(root, &render(scenarios));
    match table(root, scenarios) {
        Ok(page) => found.extend(differs(root, &page)),
        Err(error) => {
            let rule = format!("the table of the APIs cannot be made: {error}");
            found.push(Complaint::new(FOLDER, 1, rule, "bring the file or its marks back"));
        }
    }
    found
}

/// Writes every page that differs and removes the ones that are no longer rendered.
pub(crate) fn write(root: &Path, scenarios: &[ScenarioRef]) -> io::Result<()> {
    write_pages(root, &render(scenarios))?;
    write_page(root, &table(root, scenarios)?)
}

/// The page of the suite, with its table of the APIs.
fn table(root: &Path, scenarios: &[ScenarioRef]) -> io::Result<(PathBuf, String)> {
    apis::page(root, catalogue::families(), catalogue::requirements(), &checks_of(scenarios))
}

/// The scenarios of each requirement.
type Checks<'a> = BTreeMap<&'a str, Vec<&'a ScenarioRef>>;

fn checks_of(scenarios: &[ScenarioRef]) -> Checks<'_> {
    let mut checks = Checks::new();
    for scenario in scenarios {
        for id in scenario.ids() {
            checks.entry(id).or_default().push(scenario);
        }
    }
    checks
}

fn render_rows(
    families: &[Family],
    rows: &[Requirement],
    scenarios: &[ScenarioRef],
) -> Vec<(PathBuf, String)> {
    let checks = checks_of(scenarios);
    let mut pages = vec![(page_path("README"), index::render(families, rows, &checks))];
    for family in families {
        let rows: Vec<&Requirement> = rows.iter().filter(|row| row.family == family.name).collect();
        pages.push((page_path(&family.name), page::render(family, &rows, &checks)));
    }
    pages
}

fn page_path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{name}.md"))
}

fn drift(root: &Path, pages: &[(PathBuf, String)]) -> Vec<Complaint> {
    let mut found: Vec<Complaint> = pages.iter().filter_map(|page| differs(root, page)).collect();
    for path in surplus(root, pages) {
        found.push(Complaint::new(path, 1, "no family has this page", REMEDY));
    }
    found
}

/// What is wrong with the committed form of a page.
fn differs(root: &Path, (path, text): &(PathBuf, String)) -> Option<Complaint> {
    match fs::read_to_string(root.join(path)) {
        Ok(committed) if committed == *text => None,
        Ok(committed) => {
            let line = first_difference(&committed, text);
            Some(Complaint::new(path, line, "a page of the catalogue is stale", REMEDY))
        }
        Err(_) => Some(Complaint::new(path, 1, "a page of the catalogue is missing", REMEDY)),
    }
}

fn write_pages(root: &Path, pages: &[(PathBuf, String)]) -> io::Result<()> {
    fs::create_dir_all(root.join(FOLDER))?;
    for page in pages {
        write_page(root, page)?;
    }
    for path in surplus(root, pages) {
        fs::remove_file(root.join(path))?;
    }
    Ok(())
}

/// Writes a page that differs.
fn write_page(root: &Path, (path, text): &(PathBuf, String)) -> io::Result<()> {
    let path = root.join(path);
    // An unchanged file keeps its time, so that nothing is built again because of it.
    if fs::read_to_string(&path).ok().as_ref() != Some(text) {
        fs::write(path, text)?;
    }
    Ok(())
}

/// Markdown files in the folder that are no page.
fn surplus(root: &Path, pages: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root.join(FOLDER)) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| Path::new(FOLDER).join(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !pages.iter().any(|(page, _)| page == path))
        .collect();
    found.sort();
    found
}

/// The first line, from 1, in which two texts differ.
fn first_difference(left: &str, right: &str) -> usize {
    left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count() + 1
}
