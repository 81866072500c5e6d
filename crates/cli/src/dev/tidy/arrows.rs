//! Which crate may build on which: a crate depends on the ones named for it and on what lies behind
//! those. Tests may use more, so only normal and build dependencies count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

use super::super::complaint::Complaint;

/// The arrows of the house, from a crate to the ones it builds on.
const ARROWS: &[(&str, &[&str])] = &[
    ("kconform", &["kconform-harness", "conformance", "kconform-report", "kconform-brokers"]),
    ("conformance", &["kconform-scenario"]),
    ("kconform-harness", &["kconform-scenario", "kconform-report"]),
    ("kconform-scenario", &["kconform-wire", "kconform-scenario-macros"]),
    ("kconform-wire", &["kconform-schema"]),
    ("kconform-report", &[]),
    ("kconform-schema", &[]),
    ("kconform-brokers", &[]),
    ("kconform-scenario-macros", &[]),
    ("xtask", &[]),
];

/// The package that tests the suite; it may use every crate, and none may use it.
const TESTS: &str = "kconform-tests";

/// Dependencies among the crates of the workspace that go against the arrows.
pub(super) fn check(root: &Path) -> Vec<Complaint> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec();
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => {
            let rule = format!("the dependencies cannot be read: {error}");
            return vec![Complaint::new("Cargo.toml", 1, rule, "make `cargo metadata` succeed")];
        }
    };
    let members: BTreeSet<&str> =
        metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let manifest = relative(root, package.manifest_path.as_std_path());
        if name == TESTS {
            continue;
        }
        let Some(allowed) = reachable(name) else {
            let remedy = format!("give {name} its row in the arrows of `tidy`, or remove it");
            found.push(Complaint::new(manifest, 1, format!("no arrows for {name}"), remedy));
            continue;
        };
        for dependency in &package.dependencies {
            let wanted = dependency.name.as_str();
            if dependency.kind == DependencyKind::Development
                || !members.contains(wanted)
                || allowed.contains(wanted)
            {
                continue;
            }
            found.push(Complaint::new(
                &manifest,
                line_of(root, &manifest, wanted),
                format!("{name} must not depend on {wanted}"),
                "move what is needed to a crate that both may use, or depend on it in tests only",
            ));
        }
    }
    found
}

/// Everything that a crate may build on, or nothing for a crate without arrows.
fn reachable(name: &str) -> Option<BTreeSet<&'static str>> {
    let direct = |name: &str| ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut open = direct(name)?.to_vec();
    let mut all = BTreeSet::new();
    while let Some(next) = open.pop() {
        if all.insert(next) {
            open.extend(direct(next).unwrap_or_default());
        }
    }
    Some(all)
}

fn relative(root: &Path, path: &Path) -> PathBuf {
    // cargo tells real paths, while root may lead through a link.
    let real = fs::canonicalize(root);
    let real = real.as_deref().unwrap_or(root);
    path.strip_prefix(root).or_else(|_| path.strip_prefix(real)).unwrap_or(path).to_path_buf()
}

fn line_of(root: &Path, manifest: &Path, dependency: &str) -> usize {
    let text = fs::read_to_string(root.join(manifest)).unwrap_or_default();
    text.lines()
        .position(|line| {
            line.trim_start()
                .strip_prefix(dependency)
                .is_some_and(|rest| rest.trim_start().starts_with(['.', '=']))
        })
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A workspace of empty crates, each with its manifest's dependencies.
    fn workspace(crates: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let members: Vec<String> = crates.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let top = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(","));
        fs::write(root.path().join("Cargo.toml"), top).unwrap();
        for (name, dependencies) in crates {
            let folder = root.path().join(name);
            fs::create_dir_all(folder.join("src")).unwrap();
            fs::write(folder.join("src/lib.rs"), "").unwrap();
            let manifest =
                format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n\n{dependencies}");
            fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        }
        root
    }

    #[test]
    fn a_dependency_against_the_arrows_is_found_at_its_line() {
        let root = workspace(&[
            ("kconform-schema", ""),
            (
                "kconform-wire",
                "[dependencies]\nkconform-schema = { path = \"../kconform-schema\" }\n",
            ),
            (
                "kconform-report",
                "[dependencies]\nkconform-wire = { path = \"../kconform-wire\" }\n",
            ),
        ]);
        let found = check(root.path());
        let expected = Complaint {
            file: "kconform-report/Cargo.toml".into(),
            line: 6,
            rule: "kconform-report must not depend on kconform-wire".to_owned(),
            remedy: found[0].remedy.clone(),
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_lies_behind_an_arrow_and_what_tests_use_is_allowed() {
        let root = workspace(&[
            ("kconform-schema", ""),
            (
                "kconform-scenario",
                "[dependencies]\nkconform-schema = { path = \"../kconform-schema\" }\n",
            ),
            (
                "kconform-report",
                "[dev-dependencies]\nkconform-schema = { path = \"../kconform-schema\" }\n",
            ),
        ]);
        assert_eq!(check(root.path()), []);
    }

    #[test]
    fn a_crate_without_arrows_and_an_unreadable_workspace_are_complaints() {
        let root = workspace(&[("newcomer", "")]);
        assert_eq!(check(root.path())[0].rule, "no arrows for newcomer");
        let empty = tempfile::tempdir().unwrap();
        assert!(check(empty.path())[0].rule.starts_with("the dependencies cannot be read"));
    }
}
