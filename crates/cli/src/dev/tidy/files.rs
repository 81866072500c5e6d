//! What holds for every file: a Rust file starts with its module documentation and stays readable in
//! length, nothing is left to be done, and nothing points at one desk or at a package registry.

use std::path::PathBuf;

use super::super::complaint::Complaint;
use super::products::has_word;
use super::tree::TextFile;

/// The most lines of a Rust file.
const LIMIT: usize = 600;

// Spelt in halves, so that this file keeps its own rules.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Starts of paths that exist on one desk only.
const DESKS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!(r"C:\Us", "ers"),
];

/// Names that stand for anybody, in examples and tests.
const ANYBODY: &[&str] = &["me", "u", "you", "user"];

/// Hosts from which package managers fetch; which one serves a build is a setting of the builder.
const REGISTRIES: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("repo.maven.apache", ".org"),
    concat!("repo1.maven", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("docker", ".io"),
    concat!("artifac", "tory"),
];

/// Every breach of these rules.
pub(super) fn check(files: &[TextFile]) -> Vec<Complaint> {
    files.iter().filter(|file| !is_written_by_tools(file)).flat_map(check_file).collect()
}

/// The longest Rust files with their lines, the longest first.
pub(super) fn longest(files: &[TextFile], count: usize) -> Vec<(PathBuf, usize)> {
    let mut lengths: Vec<(PathBuf, usize)> = files
        .iter()
        .filter(|file| file.has_extension("rs"))
        .map(|file| (file.path.clone(), file.text.lines().count()))
        .collect();
    lengths.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    lengths.truncate(count);
    lengths
}

fn is_written_by_tools(file: &TextFile) -> bool {
    file.path.ends_with("Cargo.lock") || file.path.starts_with("fixtures")
}

fn check_file(file: &TextFile) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut complain = |line: usize, rule: String, remedy: &str| {
        found.push(Complaint::new(&file.path, line, rule, remedy));
    };
    if file.has_extension("rs") {
        if !file.text.starts_with("//!") {
            let remedy = "say in a line of `//!` at the top what the file is for";
            complain(1, "no module documentation".to_owned(), remedy);
        }
        let lines = file.text.lines().count();
        if lines > LIMIT {
            let rule = format!("{lines} lines, more than {LIMIT}");
            complain(LIMIT + 1, rule, "split the file along its ideas");
        }
    }
    for (line, text) in file.numbered() {
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(text, word)) {
            complain(line, format!("{word} in a committed file"), "do it, or open an issue");
        }
        if let Some(start) = DESKS.iter().find(|start| has_path(text, start)) {
            let rule = format!("a path of one desk: {start}");
            complain(line, rule, "write it relative to the repository, or take it from a setting");
        }
        if let Some(host) = REGISTRIES.iter().find(|host| text.contains(*host)) {
            let rule = format!("the host of a package registry: {host}");
            complain(line, rule, "leave the choice of registry to the tool's own settings");
        }
    }
    found
}

/// Whether an absolute path with this start stands in the text: not the middle of a longer one, and
/// not the path of anybody.
fn has_path(text: &str, start: &str) -> bool {
    text.match_indices(start).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let name = text[at + start.len()..].split(|c: char| !c.is_alphanumeric()).next();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | '/'))
            && !name.is_some_and(|name| ANYBODY.contains(&name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.into(), text: text.to_owned() }
    }

    /// Line and rule of every complaint about one file.
    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        check(&[file(path, text)]).into_iter().map(|found| (found.line, found.rule)).collect()
    }

    #[test]
    fn a_rust_file_needs_its_documentation() {
        assert_eq!(found("a.rs", "//! Good.\n"), []);
        assert_eq!(found("a.rs", "use a::b;\n"), [(1, "no module documentation".to_owned())]);
        assert_eq!(found("a.md", "use a::b;\n"), []);
    }

    #[test]
    fn a_rust_file_must_not_grow_too_long() {
        let long = |lines: usize| format!("//! Long.\n{}", "\n".repeat(lines - 1));
        assert_eq!(found("a.rs", &long(600)), []);
        assert_eq!(found("a.rs", &long(601)), [(601, "601 lines, more than 600".to_owned())]);
        assert_eq!(found("a.toml", &long(601)), []);
    }

    #[test]
    fn unfinished_work_is_found() {
        for word in UNFINISHED {
            let text = format!("//! Good.\n// {word}: more\n");
            assert_eq!(found("a.rs", &text), [(2, format!("{word} in a committed file"))]);
        }
        assert_eq!(found("a.md", "A MASTODON\n"), []);
    }

    #[test]
    fn a_path_of_one_desk_is_found() {
        for start in DESKS {
            let text = format!("cd \"{start}somebody\"\n");
            assert_eq!(found("a.md", &text), [(1, format!("a path of one desk: {start}"))]);
        }
        assert_eq!(found("a.md", "conformance/home/page, ./work/ and {top}/work/x\n"), []);
        assert_eq!(found("a.md", &format!("{}me/.cache\n", DESKS[0])), []);
    }

    #[test]
    fn the_host_of_a_registry_is_found_but_not_in_what_tools_write() {
        for host in REGISTRIES {
            let text = format!("from https://{host}/x\n");
            let rule = format!("the host of a package registry: {host}");
            assert_eq!(found("a.toml", &text), [(1, rule)]);
            assert_eq!(found("Cargo.lock", &text), []);
        }
    }

    #[test]
    fn the_longest_files_come_first() {
        let files = [file("a.rs", "1\n"), file("b.rs", "1\n2\n"), file("c.md", "1\n2\n3\n")];
        let expected = [(PathBuf::from("b.rs"), 2), (PathBuf::from("a.rs"), 1)];
        assert_eq!(longest(&files, 10), expected);
        assert_eq!(longest(&files, 1), expected[..1]);
    }
}
