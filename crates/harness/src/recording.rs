//! Recordings: what is needed to play the cases of a run back, one compressed file a family and kind of cluster:
//! `fetch.zst` was recorded on one node, `fetch.three-nodes.zst` on three, `fetch.small-requests.zst` on that special shape.
//!
//! A file is zstd over lines of JSON: first a [`Head`], then a [`Recorded`] a case. Beside it stands a summary of one
//! line a case, which is what people review.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kconform_report::Record;
use kconform_scenario::wire::{self, Event};
use kconform_scenario::{Facts, Inputs};
use serde::{Deserialize, Serialize};

use crate::execute::Ran;

/// The version of this layout.
pub const FORMAT: u32 = 1;

/// What all cases of a file share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// What was recorded, for example `Apache Kafka 4.4.0`.
    pub product: String,
    /// The day, `2026-11-21`.
    pub date: String,
    /// What was known of the target.
    pub facts: Facts,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the case.
    pub name: String,
    /// Requirement.
    pub id: String,
    /// Verdict and, unless passed, what was got.
    pub verdict: String,
    /// Inputs.
    pub inputs: Inputs,
    /// Everything that happened.
    pub events: Vec<Event>,
}

impl Recorded {
    /// The family of the case, with which its name begins.
    pub fn family(&self) -> &str {
        self.name.split("::").next().unwrap_or_default()
    }

    /// What is kept of a live case. Secrets are taken out.
    pub(crate) fn of(record: &Record, ran: &Ran) -> Self {
        let mut events = ran.events.to_vec();
        wire::event::redact(&mut events);
        let mut verdict = record.verdict.to_string();
        if let Some(finding) = &record.finding {
            verdict = format!("{verdict}: {}", finding.got);
        }
        Self {
            name: record.name.clone(),
            id: record.id.clone(),
            verdict,
            inputs: ran.inputs.clone(),
            events,
        }
    }

    /// The events, shared.
    pub fn shared(&self) -> Arc<[Event]> {
        self.events.clone().into()
    }
}

/// A recording that cannot be read or written.
#[derive(Debug)]
pub struct RecordingError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for RecordingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for RecordingError {}

fn failed(path: &Path) -> impl Fn(&dyn std::fmt::Display) -> RecordingError {
    let path = path.to_owned();
    move |why| RecordingError { path: path.clone(), why: why.to_string() }
}

/// Writes recordings into a folder, a file and a summary a family, each rewritten whole. `cluster` names the kind of cluster
/// in the file names; one node, the usual one, goes without.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    folder: &Path,
    cluster: Option<&str>,
    head: &Head,
    mut recorded: Vec<Recorded>,
) -> Result<(), RecordingError> {
    std::fs::create_dir_all(folder).map_err(|e| failed(folder)(&e))?;
    recorded.sort_by(|a, b| a.name.cmp(&b.name));
    let mut families: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for case in recorded {
        let family = case.family().to_owned();
        families.entry(family).or_default().push(case);
    }
    for (family, cases) in families {
        let stem = cluster.map_or_else(|| family.clone(), |cluster| format!("{family}.{cluster}"));
        let path = folder.join(format!("{stem}.zst"));
        let lines = lines(head, &cases).map_err(|e| failed(&path)(&e))?;
        let packed = zstd::encode_all(lines.as_slice(), 19).map_err(|e| failed(&path)(&e))?;
        std::fs::write(&path, packed).map_err(|e| failed(&path)(&e))?;
        let path = folder.join(format!("{stem}.txt"));
        let mut summary = format!("# {}, recorded on {}\n", head.product, head.date);
        for case in &cases {
            summary.push_str(&format!(
                "{:<12} {:<100} {:>3} events  {}\n",
                case.id,
                case.name,
                case.events.len(),
                case.verdict
            ));
        }
        std::fs::write(&path, summary).map_err(|e| failed(&path)(&e))?;
    }
    Ok(())
}

fn lines(head: &Head, cases: &[Recorded]) -> serde_json::Result<Vec<u8>> {
    let mut lines = serde_json::to_vec(head)?;
    for case in cases {
        lines.push(b'\n');
        serde_json::to_writer(&mut lines, case)?;
    }
    lines.push(b'\n');
    Ok(lines)
}

/// Reads one file.
///
/// # Errors
/// When it cannot be read, or is of another layout.
pub fn read(path: &Path) -> Result<(Head, Vec<Recorded>), RecordingError> {
    let bytes = std::fs::read(path).map_err(|e| failed(path)(&e))?;
    read_bytes(path, &bytes)
}

/// Reads one file from memory; the path is for messages.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<(Head, Vec<Recorded>), RecordingError> {
    let failed = failed(path);
    let decoder = zstd::Decoder::new(bytes).map_err(|e| failed(&e))?;
    let mut lines = BufReader::new(decoder).lines();
    let head = match lines.next() {
        Some(line) => line.map_err(|e| failed(&e))?,
        None => return Err(failed(&"it is empty")),
    };
    let head: Head = serde_json::from_str(&head).map_err(|e| failed(&e))?;
    if head.format != FORMAT {
        return Err(failed(&format!(
            "it is of layout {}, this program reads {FORMAT}",
            head.format
        )));
    }
    let mut cases = Vec::new();
    for line in lines {
        let line = line.map_err(|e| failed(&e))?;
        cases.push(serde_json::from_str(&line).map_err(|e| failed(&e))?);
    }
    Ok((head, cases))
}

/// The recordings of a folder, family by family.
///
/// # Errors
/// When the folder or a file cannot be read, or there is none.
pub fn read_folder(folder: &Path) -> Result<Vec<(Head, Vec<Recorded>)>, RecordingError> {
    let entries = std::fs::read_dir(folder).map_err(|e| failed(folder)(&e))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(failed(folder)(&"there is no recording (*.zst) in it"));
    }
    paths.iter().map(|path| read(path)).collect()
}
