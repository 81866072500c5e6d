//! What a check of the repository has to say about one place in it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One breach of a rule of the house, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// The file, relative to the top of the repository.
    pub(crate) file: PathBuf,
    /// The line, from 1; 1 where the whole file is meant.
    pub(crate) line: usize,
    /// The rule, and how this place breaks it.
    pub(crate) rule: String,
    /// What mends it.
    pub(crate) remedy: String,
}

impl Complaint {
    /// A complaint about a line of a file.
    pub(crate) fn new(
        file: impl AsRef<Path>,
        line: usize,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Complaint {
            file: file.as_ref().to_path_buf(),
            line,
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Complaint { file, line, rule, remedy } = self;
        write!(f, "{}:{line}: {rule}\n    {remedy}", file.display())
    }
}
