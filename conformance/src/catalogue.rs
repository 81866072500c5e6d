//! The catalogue: every requirement of the suite, read from `conformance/requirements`.
//!
//! A row of those files is the only definition of its requirement: id, level, versions, releases and
//! text. A scenario names the id and adds what the row does not say. The files are part of the
//! binary and parsed once, when somebody asks first; the tests of this module hold what a
//! catalogue must never lose.

mod files;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// How much a requirement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every Apache release in range does it and clients depend on it.
    Must,
    /// Apache does it, clients seldom depend on it.
    Should,
    /// A detail of Apache: recorded, never held against a target.
    Quirk,
}

/// One sentence about what a broker does, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The permanent id, such as `FETCH-031`.
    pub id: String,
    /// How much it weighs.
    pub level: Level,
    /// The name of the family it belongs to, such as `fetch`.
    pub family: &'static str,
    /// The request versions it speaks of, for a reader: `3+`, `all`, `Fetch 4+`.
    pub versions: String,
    /// The requirement itself.
    pub text: String,
    /// What a run must have for it, from the closed list in `conformance/requirements/README.md`.
    pub needs: Vec<String>,
    /// What that list cannot say about the needs.
    pub needs_note: Option<String>,
    /// The Apache releases on which a check of it passed, oldest first: `3.9`, `4.1`.
    pub releases: Vec<String>,
    /// More about those runs.
    pub releases_note: Option<String>,
    /// Why nobody has seen it; present exactly where `releases` is empty.
    pub unseen: Option<String>,
    /// Where it was read: a class or test of Apache Kafka, a KIP, or that it was observed.
    pub source: String,
    /// What implementations get wrong.
    pub mistake: Option<String>,
    /// What an application or an operator would suffer from a broker that gets it wrong.
    pub suffers: Option<String>,
    /// Why no scenario can show it, where that is known: nothing shows to a client, or nobody can bring it about.
    pub no_scenario: Option<String>,
}

/// A family: one file of requirements, one folder of scenarios, one page of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, which is also the name of the file, the folder and the page.
    pub name: String,
    /// The heading of its page.
    pub title: String,
    /// One sentence about what belongs here.
    pub about: String,
    /// The id prefixes that belong to it; each prefix belongs to one family only.
    pub prefixes: Vec<String>,
    /// The APIs that its scenarios ask, by their names in the protocol.
    pub apis: Vec<String>,
}

/// An id that is no longer in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// The id, never to be used again.
    pub id: String,
    /// Why it was given up, and what took its place.
    pub reason: String,
}

/// All requirements, family by family, each in the order of its file.
pub fn requirements() -> &'static [Requirement] {
    &REQUIREMENTS
}

/// The requirement with this id.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    BY_ID.get(id).copied()
}

/// The families in the order of the catalogue.
pub fn families() -> &'static [Family] {
    &FAMILIES
}

/// The family with this name.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// The ids that are no longer in use.
pub fn retired() -> &'static [Retired] {
    &RETIRED
}

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    parse::families(files::FAMILIES).expect("families.toml is checked by the tests of this module")
});

static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for family in FAMILIES.iter() {
        let file = files::requirements(&family.name)
            .expect("that each family has its file is checked by the tests of this module");
        all.extend(
            parse::requirements(&family.name, file)
                .expect("the requirements are checked by the tests of this module"),
        );
    }
    all
});

static BY_ID: LazyLock<BTreeMap<&'static str, &'static Requirement>> =
    LazyLock::new(|| requirements().iter().map(|row| (row.id.as_str(), row)).collect());

static RETIRED: LazyLock<Vec<Retired>> = LazyLock::new(|| {
    parse::retired(files::RETIRED).expect("retired.toml is checked by the tests of this module")
});

impl Level {
    /// The word used in the files and in reports: `must`, `should`, `quirk`.
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Quirk => "quirk",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Requirement {
    /// The part of the id before the dash: `FETCH` of `FETCH-031`.
    pub fn prefix(&self) -> &str {
        self.id.split_once('-').map_or(self.id.as_str(), |(prefix, _)| prefix)
    }
}
