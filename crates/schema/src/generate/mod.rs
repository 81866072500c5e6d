//! From the message definitions inside the official kafka-clients jars to the compact text form.
//!
//! Every release's definitions are read, the newest description of each version is taken, and the result is held against every
//! release again: a stable version whose bytes two releases describe differently is an error, never a silent choice.

use std::fmt;
use std::path::{Path, PathBuf};

mod definition;
mod jar;
mod json;
mod merge;
mod render;

/// Why no tables came out.
#[derive(Debug)]
pub enum GenerateError {
    /// The jar cannot be opened or read.
    Jar {
        /// The file.
        path: PathBuf,
        /// What the zip reader said.
        source: zip::result::ZipError,
    },
    /// A definition cannot be understood.
    Definition {
        /// The file inside the jar, with its release.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// Two releases disagree, or a request and its response do.
    Conflict {
        /// The API key.
        key: i16,
        /// What disagrees.
        what: String,
    },
}

/// Reads the clients jar of each release, oldest first, and returns the text that stands in `fixtures/schemas/`.
///
/// Fails when a jar cannot be read, a definition has a form that is not known here, or two releases describe the bytes of one stable
/// version differently.
pub fn from_jars(jars: &[(&str, &Path)]) -> Result<String, GenerateError> {
    let mut definitions = Vec::new();
    for (release, (name, path)) in jars.iter().enumerate() {
        for (file, text) in jar::definitions(path)? {
            let refuse =
                |what| GenerateError::Definition { file: format!("{file} of {name}"), what };
            let json = json::first_value(&text).map_err(|error| refuse(error.to_string()))?;
            definitions.extend(definition::read(&json, release).map_err(refuse)?);
        }
    }
    let apis = merge::merge(definitions, jars.len())?;
    let releases: Vec<&str> = jars.iter().map(|(release, _)| *release).collect();
    Ok(render::render(&releases, &apis))
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jar { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Definition { file, what } => write!(f, "{file}: {what}"),
            Self::Conflict { key, what } => write!(f, "API key {key}: {what}"),
        }
    }
}

impl std::error::Error for GenerateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Jar { source, .. } => Some(source),
            Self::Definition { .. } | Self::Conflict { .. } => None,
        }
    }
}
