//! The rules of the house that no compiler checks.
//!
//! Every complaint names file, line, rule and remedy. `fix` mends what has only one right answer:
//! the doc sentences of scenarios, the list of ids, the pages of the catalogue.

mod arrows;
mod bugs;
mod files;
mod ids;
mod products;
mod scenarios;
mod tree;

use std::path::{Path, PathBuf};

use conformance::catalogue::{self as rows, Level};

use super::catalogue::{self, ScenarioRef};
use super::complaint::Complaint;

/// All rules over the repository at `root`. With `fix`, first mends what can be mended, then tells
/// what is left.
pub(crate) fn run(root: &Path, fix: bool, scenarios: &[ScenarioRef]) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut scenarios = scenarios.to_vec();
    if fix {
        found.extend(mend(root, &mut scenarios));
    }
    found.extend(arrows::check(root));
    let files = tree::text_files(root);
    found.extend(products::check(&files));
    found.extend(files::check(&files));
    found.extend(ids::check(root, &current_ids(), &retired_ids()));
    let checked = scenarios.iter().flat_map(ScenarioRef::ids).collect();
    found.extend(bugs::check(root, &checked));
    found.extend(scenarios::check(&scenarios, rows::requirement));
    if !fix {
        found.extend(scenarios::check_docs(&scenarios, rows::requirement));
    }
    found.extend(catalogue::check(root, &scenarios));
    found.sort();
    found
}

/// The longest Rust files of the repository with their lines, the longest first.
pub(crate) fn longest_files(root: &Path, count: usize) -> Vec<(PathBuf, usize)> {
    files::longest(&tree::text_files(root), count)
}

/// The prefixes of requirements whose `must` rows do not say yet who suffers, with how many rows
/// of each lack it.
pub(crate) fn without_suffers() -> Vec<(&'static str, usize)> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for row in rows::requirements() {
        if row.level != Level::Must || row.suffers.is_some() {
            continue;
        }
        match counts.iter_mut().find(|(prefix, _)| *prefix == row.prefix()) {
            Some((_, count)) => *count += 1,
            None => counts.push((row.prefix(), 1)),
        }
    }
    counts
}

fn mend(root: &Path, scenarios: &mut [ScenarioRef]) -> Vec<Complaint> {
    let mut found = scenarios::rewrite_docs(root, scenarios, rows::requirement);
    if let Err(error) = ids::append(root, &current_ids()) {
        found.push(Complaint::new(
            ids::FILE,
            1,
            format!("cannot be written: {error}"),
            "make the file writable and run again",
        ));
    }
    if let Err(error) = catalogue::write(root, scenarios) {
        found.push(Complaint::new(
            catalogue::FOLDER,
            1,
            format!("the pages cannot be written: {error}"),
            "make the folder writable and run again",
        ));
    }
    found
}

fn current_ids() -> Vec<&'static str> {
    rows::requirements().iter().map(|row| row.id.as_str()).collect()
}

fn retired_ids() -> Vec<&'static str> {
    rows::retired().iter().map(|row| row.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn rules(found: &[Complaint]) -> String {
        found.iter().map(|complaint| format!("{complaint}\n")).collect()
    }

    #[test]
    fn what_has_one_right_answer_is_mended_and_the_rest_is_told() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\n");
        write(ids::FILE, "# Ids.\n");
        write("conformance/bugs.toml", "bug = []\n");
        write("fixtures/recordings/4.4.0/wire.txt", "# Apache Kafka 4.4.0\n");
        write(
            "conformance/README.md",
            "<!-- The table below is made by `cargo xtask catalogue`. -->\n\
             <!-- The table above is made by `cargo xtask catalogue`. -->\n",
        );
        let file = "conformance/src/wire/frames.rs";
        write(file, "//! Frames.\n\n/// Old.\n#[scenario(\"WIRE-015\")]\nasync fn one() {}\n");
        write("conformance/src/wire/bare.rs", "fn bare() {}\n");
        let scenario = ScenarioRef {
            id: "WIRE-015".to_owned(),
            also: Vec::new(),
            name: "wire::frames::one".to_owned(),
            doc: "Old.".to_owned(),
            file: file.to_owned(),
            line: 4,
            api: "ApiVersions".to_owned(),
            versions: "0..".to_owned(),
        };
        let scenarios = [scenario];

        let told = rules(&run(root.path(), false, &scenarios));
        for rule in [
            "WIRE-015 is missing from the list",
            "page of the catalogue is missing",
            "doc sentence",
        ] {
            assert!(told.contains(rule), "{rule} in {told}");
        }
        let left = run(root.path(), true, &scenarios);
        let expected = "conformance/src/wire/bare.rs:1: no module documentation\n    \
                        say in a line of `//!` at the top what the file is for\n";
        assert_eq!(rules(&left), expected);
        let text = &rows::requirement("WIRE-015").unwrap().text;
        let source = fs::read_to_string(root.path().join(file)).unwrap();
        assert!(source.replace("\n/// ", " ").contains(text.as_str()), "{source}");
    }
}
