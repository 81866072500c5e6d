//! Why a command could not do what it was asked, and the exit code that goes with it.

use std::fmt;

use kconform_report::{NOTHING_EXECUTED, OUR_ERROR, UNREACHABLE, USAGE};

/// A command gave up. Its text is what the user reads: what is wrong, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The command line, or a file that it names, is wrong.
    Usage(String),
    /// The target could not be reached or started.
    Unreachable(String),
    /// There was nothing to do.
    Nothing(String),
    /// Our own defect, or a file of ours that cannot be written.
    Ours(String),
}

impl Trouble {
    /// The exit code of the process.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Unreachable(_) => UNREACHABLE,
            Self::Nothing(_) => NOTHING_EXECUTED,
            Self::Ours(_) => OUR_ERROR,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Unreachable(text) | Self::Nothing(text) => f.write_str(text),
            Self::Ours(text) => write!(f, "{text} (a defect of kconform, not of the target)"),
        }
    }
}

impl std::error::Error for Trouble {}
