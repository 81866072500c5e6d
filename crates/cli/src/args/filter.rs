//! The flags that choose cases.

use std::convert::Infallible;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use conformance::catalogue;
use kconform_harness::plan::Filter;
use kconform_report::Level;

/// Which cases. Every kind of flag narrows; several values of one kind widen.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which cases")]
pub(crate) struct FilterArgs {
    /// Parts of case names; a case is wanted when one of them occurs in its name
    #[arg(value_name = "FILTER")]
    pub(crate) parts: Vec<String>,
    /// APIs, by name in any case or by key
    #[arg(long, value_name = "API", value_delimiter = ',')]
    pub(crate) api: Vec<String>,
    /// Families of the catalogue, such as `fetch`
    #[arg(long, value_name = "FAMILY", value_delimiter = ',')]
    pub(crate) family: Vec<String>,
    /// Requirement ids, such as FETCH-031 or fetch-31
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = id)]
    pub(crate) id: Vec<String>,
    /// Whole names of cases, as records and findings name them
    #[arg(long, value_name = "NAME")]
    pub(crate) exact: Vec<String>,
    /// Levels of the requirements
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) level: Vec<LevelArg>,
    /// Versions of the API under test: `4`, `2..5` (both included), `2..`, `..5`
    #[arg(long, value_name = "N|N..M")]
    pub(crate) api_version: Option<ApiVersions>,
}

impl FilterArgs {
    /// The same for the harness.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            apis: self.api.clone(),
            families: self.family.iter().map(|family| family.to_ascii_lowercase()).collect(),
            ids: self.id.clone(),
            parts: self.parts.clone(),
            exact: self.exact.clone(),
            levels: self.level.iter().map(|level| level.level()).collect(),
            versions: self.api_version.as_ref().map(|versions| versions.0.clone()),
        }
    }
}

/// An id as the catalogue writes it: in capitals, its number filled up with zeros. One that nobody has stays as it was given.
fn id(text: &str) -> Result<String, Infallible> {
    let parts = |id: &str| {
        let (prefix, number) = id.rsplit_once('-')?;
        Some((prefix.to_ascii_uppercase(), number.parse::<u32>().ok()?))
    };
    let wanted = parts(text);
    let same = |known: &&str| wanted.is_some() && parts(known) == wanted;
    let known = catalogue::requirements().iter().map(|row| row.id.as_str()).find(same);
    Ok(known.unwrap_or(text).to_owned())
}

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    /// Every Apache release in range does it and clients depend on it
    Must,
    /// Apache does it, clients seldom depend on it
    Should,
    /// Recorded for comparison, never held against a target
    Quirk,
}

impl LevelArg {
    fn level(self) -> Level {
        match self {
            Self::Must => Level::Must,
            Self::Should => Level::Should,
            Self::Quirk => Level::Quirk,
        }
    }
}

/// A range of API versions, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiVersions(pub(crate) RangeInclusive<i16>);

impl FromStr for ApiVersions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let end = |text: &str, open: i16| {
            if text.is_empty() {
                return Ok(open);
            }
            match text.parse() {
                Ok(version) if version >= 0 => Ok(version),
                _ => Err(format!("`{text}` is not an API version")),
            }
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (end(first, 0)?, end(last.trim_start_matches('='), i16::MAX)?),
            None if text.is_empty() => return Err("an API version such as 4, or 2..5".to_owned()),
            None => (end(text, 0)?, end(text, 0)?),
        };
        if first > last {
            return Err(format!("{first} is above {last}"));
        }
        Ok(Self(first..=last))
    }
}

impl fmt::Display for ApiVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.start(), self.0.end()) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, &i16::MAX) => write!(f, "{first}.."),
            (first, last) => write!(f, "{first}..{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_id_may_be_written_small_and_without_zeros() {
        for text in ["FETCH-031", "fetch-031", "Fetch-31", "fetch-0031"] {
            assert_eq!(id(text).unwrap(), "FETCH-031");
        }
        for text in ["fetch-9999", "fetch", "31", "fetch-", "-31", "fetch-3x"] {
            assert_eq!(id(text).unwrap(), text);
        }
    }

    #[test]
    fn api_versions_are_read_in_every_form() {
        for (text, range, shown) in [
            ("4", 4..=4, "4"),
            ("2..5", 2..=5, "2..5"),
            ("2..=5", 2..=5, "2..5"),
            ("2..", 2..=i16::MAX, "2.."),
            ("..5", 0..=5, "0..5"),
        ] {
            let versions: ApiVersions = text.parse().unwrap();
            assert_eq!((versions.0.clone(), versions.to_string().as_str()), (range, shown));
        }
        for text in ["", "x", "-1", "5..2", "2..x", "1,2"] {
            assert!(text.parse::<ApiVersions>().is_err(), "{text}");
        }
    }
}
