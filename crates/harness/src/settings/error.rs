//! What is wrong with a file of settings, where, and what mends it.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file of settings that cannot be used. Shows file, line and key, and never a value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The file; `None` for settings that came from flags.
    pub file: Option<PathBuf>,
    /// The line, from 1, where there is one.
    pub line: Option<usize>,
    /// The key, with the tables around it: `users.unprivileged.name`. Empty where none is at fault.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub remedy: String,
}

impl SettingsError {
    /// About a key.
    pub(crate) fn new(
        key: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (key, what, remedy) = (key.into(), what.into(), remedy.into());
        Self { file: None, line: None, key, what, remedy }
    }

    /// In this file, unless another is named already.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// In this line, unless a line is known already.
    pub(crate) fn at(mut self, line: Option<usize>) -> Self {
        self.line = self.line.or(line);
        self
    }
}

/// Reads a file of settings.
pub(crate) fn read(file: &Path) -> Result<String, SettingsError> {
    let unread = |why: String| {
        SettingsError::new("", why, "name a text file that can be read").in_file(file)
    };
    let bytes = std::fs::read(file).map_err(|error| unread(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| unread("is not UTF-8 text".to_owned()))
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}\n    {}", self.what, self.remedy)
    }
}

impl std::error::Error for SettingsError {}
