//! Reads the files of the catalogue: TOML whose every field is known, so that a misspelt field is an
//! error and not a fact lost in silence.

use serde::Deserialize;

use super::{Family, Level, Requirement, Retired};

/// Reads the list of families.
pub(super) fn families(file: &str) -> Result<Vec<Family>, toml::de::Error> {
    let file: FamilyFile = toml::from_str(file)?;
    Ok(file.family.into_iter().map(Family::from).collect())
}

/// Reads the requirements of one family.
pub(super) fn requirements(
    family: &'static str,
    file: &str,
) -> Result<Vec<Requirement>, toml::de::Error> {
    let file: RequirementFile = toml::from_str(file)?;
    Ok(file.requirement.into_iter().map(|row| row.into_requirement(family)).collect())
}

/// Reads the list of retired ids, which may be empty.
pub(super) fn retired(file: &str) -> Result<Vec<Retired>, toml::de::Error> {
    let file: RetiredFile = toml::from_str(file)?;
    Ok(file.retired.into_iter().map(Retired::from).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyFile {
    family: Vec<FamilyRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyRow {
    name: String,
    title: String,
    about: String,
    prefixes: Vec<String>,
    apis: Vec<String>,
}

impl From<FamilyRow> for Family {
    fn from(row: FamilyRow) -> Self {
        let FamilyRow { name, title, about, prefixes, apis } = row;
        Family { name, title, about, prefixes, apis }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementFile {
    requirement: Vec<RequirementRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequirementRow {
    id: String,
    level: LevelWord,
    versions: String,
    text: String,
    needs: Vec<String>,
    needs_note: Option<String>,
    releases: Vec<String>,
    releases_note: Option<String>,
    unseen: Option<String>,
    source: String,
    mistake: Option<String>,
    suffers: Option<String>,
    no_scenario: Option<String>,
}

impl RequirementRow {
    fn into_requirement(self, family: &'static str) -> Requirement {
        Requirement {
            id: self.id,
            level: self.level.into(),
            family,
            versions: self.versions,
            text: self.text,
            needs: self.needs,
            needs_note: self.needs_note,
            releases: self.releases,
            releases_note: self.releases_note,
            unseen: self.unseen,
            source: self.source,
            mistake: self.mistake,
            suffers: self.suffers,
            no_scenario: self.no_scenario,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LevelWord {
    Must,
    Should,
    Quirk,
}

impl From<LevelWord> for Level {
    fn from(word: LevelWord) -> Self {
        match word {
            LevelWord::Must => Level::Must,
            LevelWord::Should => Level::Should,
            LevelWord::Quirk => Level::Quirk,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredFile {
    #[serde(default)]
    retired: Vec<RetiredRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredRow {
    id: String,
    reason: String,
}

impl From<RetiredRow> for Retired {
    fn from(row: RetiredRow) -> Self {
        Retired { id: row.id, reason: row.reason }
    }
}
