//! A run on disk: `manifest.json` beside `records.jsonl`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Counts, Manifest, Record, SCHEMA_VERSION};

/// Name of the file with the [`Manifest`].
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the file with the [`Record`]s, one JSON object a line.
pub const RECORDS_FILE: &str = "records.jsonl";

/// A run: its manifest and the records of its cases, in the order in which the cases finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What the run was.
    pub manifest: Manifest,
    /// What came of each case.
    pub records: Vec<Record>,
    /// What was amiss when the run was read, one sentence each; every view prints them. Empty for a run
    /// that comes straight from memory.
    pub remarks: Vec<String>,
}

impl Run {
    /// A run from memory.
    pub fn new(manifest: Manifest, records: Vec<Record>) -> Self {
        Self { manifest, records, remarks: Vec::new() }
    }
}

/// One record as a line of `records.jsonl`, without the line break.
pub fn to_line(record: &Record) -> String {
    serde_json::to_string(record)
        .expect("a record holds only strings, numbers and JSON values, all of which serialize")
}

/// Reads the run in this directory.
///
/// A last line that was cut off (the process was killed while writing it) is left out and named in
/// [`Run::remarks`]; so are cases that have more than one record, and records that the manifest does not
/// account for. Unknown fields are ignored.
///
/// # Errors
/// A file that cannot be read, a line that is no record, or a run written with a newer
/// [`SCHEMA_VERSION`], whose meaning this reader cannot know.
pub fn read_run(dir: &Path) -> Result<Run, ReadError> {
    let path = dir.join(MANIFEST_FILE);
    let manifest: Manifest = parse(&read(&path)?, &path, None)?;

    let path = dir.join(RECORDS_FILE);
    let bytes = read(&path)?;
    let mut records = Vec::new();
    let mut remarks = Vec::new();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(line, &path, Some(index + 1)) {
            Ok(record) => records.push(record),
            Err(ReadError::Malformed { .. }) if !line.ends_with(b"\n") => remarks.push(format!(
                "The last line of {RECORDS_FILE} was cut off and is left out; the run was stopped while writing it."
            )),
            Err(error) => return Err(error),
        }
    }
    remarks.extend(inconsistencies(&manifest, &records));
    Ok(Run { manifest, records, remarks })
}

/// Why a run could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// A file is missing or unreadable.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file does not hold what it should.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; `None` for the manifest.
        line: Option<usize>,
        /// What was found.
        cause: serde_json::Error,
    },
    /// The run was written by a newer version whose meaning this reader cannot know.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version found there.
        found: u32,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, cause } => write!(f, "cannot read {}: {cause}", path.display()),
            Self::Malformed { path, line: Some(line), cause } => {
                write!(f, "{}:{line} is not a record: {cause}", path.display())
            }
            Self::Malformed { path, line: None, cause } => {
                write!(f, "{} is not a manifest: {cause}", path.display())
            }
            Self::Newer { path, found } => write!(
                f,
                "{} has schema version {found}, newer than {SCHEMA_VERSION}, which is all that this program knows; read it with a newer one",
                path.display()
            ),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { cause, .. } => Some(cause),
            Self::Malformed { cause, .. } => Some(cause),
            Self::Newer { .. } => None,
        }
    }
}

/// The one field that must be understood before all others.
#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    fs::read(path).map_err(|cause| ReadError::Io { path: path.to_path_buf(), cause })
}

fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    path: &Path,
    line: Option<usize>,
) -> Result<T, ReadError> {
    // The version comes first: a newer writer may have changed the very fields that fail to parse.
    if let Ok(Versioned { schema: found }) = serde_json::from_slice(bytes)
        && found > SCHEMA_VERSION
    {
        return Err(ReadError::Newer { path: path.to_path_buf(), found });
    }
    serde_json::from_slice(bytes).map_err(|cause| ReadError::Malformed {
        path: path.to_path_buf(),
        line,
        cause,
    })
}

fn inconsistencies(manifest: &Manifest, records: &[Record]) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<_> =
        records.iter().map(|record| &record.name).filter(|name| !seen.insert(*name)).collect();
    for name in repeated {
        remarks.push(format!("The case {name} has more than one record; all of them are counted."));
    }
    if manifest.exit_code.is_some() && manifest.counts != Counts::of(records) {
        remarks.push(format!(
            "The counts in {MANIFEST_FILE} are not those of the records; what follows is counted from the records."
        ));
    }
    remarks
}
