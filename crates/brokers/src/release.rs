//! The Apache Kafka releases that can be started.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One released version of Apache Kafka, such as 4.4.0.
///
/// Only [`Release::ALL`] exist: the newest patch of each line that runs in KRaft mode with every
/// listener of [`Cluster`](crate::Cluster). Ordered by age, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Release {
    major: u8,
    minor: u8,
    patch: u8,
}

impl Release {
    /// Every release that can be started, oldest first.
    pub const ALL: &'static [Release] = &[
        Release::new(3, 7, 2),
        Release::new(3, 8, 1),
        Release::new(3, 9, 2),
        Release::new(4, 0, 2),
        Release::new(4, 1, 2),
        Release::new(4, 2, 1),
        Release::new(4, 3, 1),
        NEWEST,
    ];

    /// The newest release of the list.
    pub const fn newest() -> Release {
        NEWEST
    }

    /// Reads `4.4` (a line, which means its newest patch) or `4.4.0`.
    ///
    /// # Errors
    ///
    /// The text names none of [`Release::ALL`]; the error lists them.
    pub fn parse(text: &str) -> Result<Release, UnknownRelease> {
        Release::ALL
            .iter()
            .rev()
            .copied()
            .find(|release| release.to_string() == text || release.line() == text)
            .ok_or_else(|| UnknownRelease { text: text.to_owned() })
    }

    /// The release line: `4.4` of 4.4.0.
    pub fn line(&self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// The line as a pair of numbers, to compare with: `(4, 4)` of 4.4.0.
    pub const fn line_numbers(&self) -> (u8, u8) {
        (self.major, self.minor)
    }

    const fn new(major: u8, minor: u8, patch: u8) -> Release {
        Release { major, minor, patch }
    }
}

const NEWEST: Release = Release::new(4, 4, 0);

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Release {
    type Err = UnknownRelease;

    fn from_str(text: &str) -> Result<Release, UnknownRelease> {
        Release::parse(text)
    }
}

impl TryFrom<String> for Release {
    type Error = UnknownRelease;

    fn try_from(text: String) -> Result<Release, UnknownRelease> {
        Release::parse(&text)
    }
}

impl From<Release> for String {
    fn from(release: Release) -> String {
        release.to_string()
    }
}

/// A release was asked for that cannot be started; displays with the list of those that can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRelease {
    text: String,
}

impl fmt::Display for UnknownRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<String> = Release::ALL.iter().map(Release::to_string).collect();
        write!(f, "unknown Apache Kafka release `{}`; known: {}", self.text, known.join(", "))
    }
}

impl std::error::Error for UnknownRelease {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_line_means_its_newest_patch() {
        assert_eq!(Release::parse("4.4").unwrap(), Release::newest());
        assert_eq!(Release::parse("3.9").unwrap().to_string(), "3.9.2");
        assert_eq!(Release::parse("4.2.1").unwrap().line(), "4.2");
    }

    #[test]
    fn every_release_reads_back_and_the_list_is_sorted() {
        for release in Release::ALL {
            assert_eq!(Release::parse(&release.to_string()).unwrap(), *release);
            assert_eq!(Release::parse(&release.line()).unwrap(), *release);
        }
        assert!(Release::ALL.is_sorted());
        assert_eq!(Release::ALL.last(), Some(&Release::newest()));
    }

    #[test]
    fn an_unknown_release_names_the_known_ones() {
        for text in ["", "4", "4.4.1", "4.4.", "04.4", "2.8.2", "4.4.0 "] {
            let error = Release::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
            assert!(
                error.ends_with("3.7.2, 3.8.1, 3.9.2, 4.0.2, 4.1.2, 4.2.1, 4.3.1, 4.4.0"),
                "{error}"
            );
        }
    }
}
