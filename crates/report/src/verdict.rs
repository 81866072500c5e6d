//! The closed vocabulary of outcomes: verdict, level, and whether a replay agreed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of one case. Every case has exactly one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The act happened, the target answered (or closed where a close is promised), and every check held.
    Passed,
    /// The target did otherwise than the requirement says.
    Failed,
    /// The case could not reach its act: a set-up step was refused, never became ready, or the target was gone.
    Blocked,
    /// The target does not advertise the API or version, or its profile declares the absence. The refusal is checked instead.
    Unsupported,
    /// The case needs something that nobody provided; the reason says what to provide.
    NotRun,
    /// The target did otherwise than the requirement says, and its profile lists that with a reason.
    Known,
    /// The profile lists a deviation that is not there any more; the profile is to be mended.
    Fixed,
    /// A defect of the suite itself. It never speaks about the target.
    Error,
}

impl Verdict {
    /// Every verdict, in the order in which reports list them.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::Failed,
        Self::Blocked,
        Self::Unsupported,
        Self::NotRun,
        Self::Known,
        Self::Fixed,
        Self::Error,
    ];

    /// The verdict as people read it: `passed`, `not run`, ...
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Unsupported => "unsupported",
            Self::NotRun => "not run",
            Self::Known => "known",
            Self::Fixed => "fixed",
            Self::Error => "error",
        }
    }

    /// The verdict as machines read it, in JSON as in JUnit: like [`Self::name`], but `not-run`.
    pub fn key(self) -> &'static str {
        match self {
            Self::NotRun => "not-run",
            other => other.name(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much a requirement binds a target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every Apache Kafka release in range does it and clients depend on it.
    Must,
    /// Apache Kafka does it, clients seldom depend on it.
    Should,
    /// Recorded for comparison; never fails a target.
    Quirk,
}

impl Level {
    /// The level as reports print it: `MUST`, `SHOULD`, `QUIRK`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Quirk => "QUIRK",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether the case, fed with its own recording right after it ran, came to the same verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replay {
    /// The replay came to the same verdict.
    Same,
    /// The replay came to another verdict; the sentence says how they differ. A defect of the suite.
    Unstable(String),
    /// The case cannot be replayed; the sentence says why.
    No(String),
    /// No replay was tried, for instance because the case was not run.
    #[default]
    NotTried,
}
