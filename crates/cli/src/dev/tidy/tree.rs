//! The text files of a repository: what git knows or would take, else everything but build output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that is text.
#[derive(Clone, Debug)]
pub(super) struct TextFile {
    /// Relative to the top of the repository.
    pub(super) path: PathBuf,
    /// What it says.
    pub(super) text: String,
}

impl TextFile {
    /// Whether the name ends so, without the dot.
    pub(super) fn has_extension(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|found| found == extension)
    }

    /// Its lines with their numbers from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Every text file below `root`, sorted by path. Files that are no UTF-8 are data and left out.
pub(super) fn text_files(root: &Path) -> Vec<TextFile> {
    let mut paths = known_to_git(root).unwrap_or_else(|| {
        let mut paths = Vec::new();
        walk(root, Path::new(""), &mut paths);
        paths
    });
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(root.join(&path)).ok()?;
            Some(TextFile { path, text })
        })
        .collect()
}

/// What git tracks and what it would add; nothing where there is no repository of its own.
fn known_to_git(root: &Path) -> Option<Vec<PathBuf>> {
    if !root.join(".git").exists() {
        return None;
    }
    let listed = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = String::from_utf8(listed.stdout).ok()?;
    Some(names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect())
}

fn walk(root: &Path, below: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = below.join(&name);
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != "target" && name != ".git" => {
                walk(root, &path, paths);
            }
            Ok(kind) if kind.is_file() => paths.push(path),
            _ => {}
        }
    }
}
