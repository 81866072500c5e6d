//! No id is lost and none is used again: a committed list names every id ever given, in the order in
//! which it was given, and only ever grows.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use super::super::complaint::Complaint;

/// The list, relative to the top of the repository.
pub(super) const FILE: &str = "conformance/requirements/ids.txt";

/// Where the list of ids, the requirements and the retired ids contradict each other.
pub(super) fn check(root: &Path, current: &[&str], retired: &[&str]) -> Vec<Complaint> {
    let given = match fs::read_to_string(root.join(FILE)) {
        Ok(text) => text,
        Err(error) => {
            let rule = format!("the list of ids cannot be read: {error}");
            return vec![Complaint::new(FILE, 1, rule, "take it back from the history")];
        }
    };
    let current: BTreeSet<&str> = current.iter().copied().collect();
    let retired: BTreeSet<&str> = retired.iter().copied().collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, id) in ids(&given) {
        if !seen.insert(id) {
            let rule = format!("{id} was given twice");
            found.push(Complaint::new(FILE, line, rule, "give the newer requirement a new id"));
        }
        match (current.contains(id), retired.contains(id)) {
            (false, false) => found.push(Complaint::new(
                FILE,
                line,
                format!("{id} is lost"),
                "bring the requirement back, or add the id to retired.toml with the reason",
            )),
            (true, true) => found.push(Complaint::new(
                FILE,
                line,
                format!("{id} is retired and in use"),
                "give the requirement a new id; a retired one is never used again",
            )),
            _ => {}
        }
    }
    for id in current.union(&retired).filter(|id| !seen.contains(*id)) {
        let rule = format!("{id} is missing from the list of ids");
        found.push(Complaint::new(FILE, 1, rule, "run `cargo xtask tidy --fix`"));
    }
    found
}

/// Appends the ids that the list lacks, in the order of the catalogue. Nothing else is changed.
pub(super) fn append(root: &Path, current: &[&str]) -> io::Result<()> {
    let path = root.join(FILE);
    let mut text = fs::read_to_string(&path)?;
    let seen: BTreeSet<String> = ids(&text).map(|(_, id)| id.to_owned()).collect();
    let missing: Vec<&&str> = current.iter().filter(|id| !seen.contains(**id)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for id in missing {
        text.push_str(id);
        text.push('\n');
    }
    fs::write(path, text)
}

/// The ids of the list with their lines.
fn ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tree(list: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, list).unwrap();
        root
    }

    fn found(list: &str, current: &[&str], retired: &[&str]) -> Vec<(usize, String)> {
        check(tree(list).path(), current, retired)
            .into_iter()
            .map(|complaint| (complaint.line, complaint.rule))
            .collect()
    }

    #[test]
    fn lost_reused_doubled_and_unlisted_ids_are_found() {
        let list = "# Ids.\nA-001\nA-002\n";
        assert_eq!(found(list, &["A-001", "A-002"], &[]), []);
        assert_eq!(found(list, &["A-001"], &["A-002"]), []);
        assert_eq!(found(list, &["A-001"], &[]), [(3, "A-002 is lost".to_owned())]);
        assert_eq!(
            found(list, &["A-001", "A-002"], &["A-002"]),
            [(3, "A-002 is retired and in use".to_owned())]
        );
        assert_eq!(
            found(list, &["A-001", "A-002", "A-003"], &[]),
            [(1, "A-003 is missing from the list of ids".to_owned())]
        );
        assert_eq!(
            found("A-001\nA-001\n", &["A-001"], &[]),
            [(2, "A-001 was given twice".to_owned())]
        );
    }

    #[test]
    fn a_missing_list_is_a_complaint() {
        let root = tempfile::tempdir().unwrap();
        let rule = check(root.path(), &[], &[]).remove(0).rule;
        assert!(rule.starts_with("the list of ids cannot be read"));
    }

    #[test]
    fn mending_only_appends() {
        let root = tree("# Ids.\nA-002\nGONE-001");
        append(root.path(), &["A-001", "A-002", "A-003"]).unwrap();
        let list = fs::read_to_string(root.path().join(FILE)).unwrap();
        assert_eq!(list, "# Ids.\nA-002\nGONE-001\nA-001\nA-003\n");
        append(root.path(), &["A-001", "A-002", "A-003"]).unwrap();
        assert_eq!(fs::read_to_string(root.path().join(FILE)).unwrap(), list);
    }
}
