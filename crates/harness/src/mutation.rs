//! Whether a recorded case can fail at all: its recording is played back with one event changed, until it does.
//!
//! A case that no change turns red checks nothing. The first changes keep every rule of the wire, so that it is the case
//! that notices and not the walker; only `failed` counts, not `blocked` and not drift.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use kconform_scenario::wire::event::{Hex, What};
use kconform_scenario::wire::schema::{self, Direction, Value};
use kconform_scenario::wire::{Event, Matching};
use kconform_scenario::{Facts, Failure};

use crate::plan::{self, Case, Filter};
use crate::recording::{Head, Recorded};
use crate::{Suite, execute};

mod values;

pub use values::Kind;

/// What came of changing a recorded case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// This change turned it red.
    Red(Change),
    /// None of so many changes did.
    Blind {
        /// How many were tried.
        tried: usize,
    },
}

/// A change to one event of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The index of the event.
    pub event: usize,
    /// What was changed, for people: `topics[0].error_code 3 -> 0`.
    pub what: String,
    /// How telling it is.
    pub kind: Kind,
}

/// Looks at every recorded case that the suite knows and the filter wants, on this many threads; names and what came of
/// each, in the order of the recording.
pub fn sensitivities(
    suite: &Suite,
    files: &[(Head, Vec<Recorded>)],
    filter: &Filter,
    threads: usize,
) -> Vec<(String, Sensitivity)> {
    let mut looked = Vec::new();
    for (head, recorded) in files {
        let facts = Arc::new(head.facts.clone());
        let known: BTreeMap<String, Case> = plan::cases(suite, Some(&facts))
            .into_iter()
            .filter(|case| filter.wants(suite, case))
            .map(|case| (case.name.clone(), case))
            .collect();
        let next = AtomicUsize::new(0);
        let look = || {
            let mut looked = Vec::new();
            while let Some(recorded) = recorded.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(case) = known.get(&recorded.name) {
                    looked.push((recorded.name.clone(), sensitivity(case, &facts, recorded)));
                }
            }
            looked
        };
        let mut of_file: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(look)).collect();
            // A worker plays back what the suite played back before: it does not panic.
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        });
        of_file.sort_by(|(a, _), (b, _)| a.cmp(b));
        looked.extend(of_file);
    }
    looked
}

/// Looks for a change of one event that turns this case red: telling changes first, and the last events first, since the
/// act is last as a rule.
pub fn sensitivity(case: &Case, facts: &Arc<Facts>, recorded: &Recorded) -> Sensitivity {
    execute::install_panic_hook();
    let asked = requests(&recorded.events);
    let mut tried = 0;
    for kind in [Kind::Telling, Kind::Coarse, Kind::Wire] {
        for (at, event) in recorded.events.iter().enumerate().rev() {
            for (what, mutant) in mutants(event, asked.get(&at).copied(), kind) {
                tried += 1;
                let mut events = recorded.events.clone();
                events[at].what = mutant;
                if turns_red(case, facts, recorded, events) {
                    return Sensitivity::Red(Change { event: at, what, kind });
                }
            }
        }
    }
    Sensitivity::Blind { tried }
}

fn turns_red(case: &Case, facts: &Arc<Facts>, recorded: &Recorded, events: Vec<Event>) -> bool {
    let outcome = execute::replay(case, facts, &recorded.inputs, &events.into(), Matching::Lenient);
    matches!(outcome, Err(Failure::Failed(_)))
}

/// The API key and version that each frame answers, by the index of its event.
fn requests(events: &[Event]) -> BTreeMap<usize, (i16, i16)> {
    let mut open: BTreeMap<(u32, i32), (i16, i16)> = BTreeMap::new();
    let mut asked = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match &event.what {
            What::Send { bytes, .. } => {
                if let Some((correlation, api)) = header(&bytes.0) {
                    open.insert((event.lane, correlation), api);
                }
            }
            What::Frame { bytes } => {
                let correlation = bytes.0.first_chunk().map(|four| i32::from_be_bytes(*four));
                let api = correlation.and_then(|id| open.get(&(event.lane, id)));
                if let Some(api) = api {
                    asked.insert(at, *api);
                }
            }
            _ => {}
        }
    }
    asked
}

/// Correlation id, and API key and version, of a request with its length prefix.
fn header(bytes: &[u8]) -> Option<(i32, (i16, i16))> {
    let (_, rest) = bytes.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_first_chunk::<2>()?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let correlation = rest.first_chunk::<4>()?;
    let api = (i16::from_be_bytes(*key), i16::from_be_bytes(*version));
    Some((i32::from_be_bytes(*correlation), api))
}

/// The changed forms of an event, described.
fn mutants(event: &Event, asked: Option<(i16, i16)>, kind: Kind) -> Vec<(String, What)> {
    match (&event.what, asked) {
        (What::Frame { bytes }, _) if kind == Kind::Wire => {
            let longer = Hex([&bytes.0[..], &[0]].concat().into());
            vec![
                ("frame -> close".to_owned(), What::Closed { partial: 0, detail: None }),
                ("one byte more".to_owned(), What::Frame { bytes: longer }),
            ]
        }
        (What::Frame { bytes }, Some(api)) => frames(&bytes.0, api, kind),
        (What::Closed { .. }, _) if kind == Kind::Telling => {
            vec![("close -> silence".to_owned(), What::Silence)]
        }
        (What::Silence, _) if kind == Kind::Telling => {
            vec![("silence -> close".to_owned(), What::Closed { partial: 0, detail: None })]
        }
        (What::Open { peer, error: Some(_) }, _) if kind == Kind::Telling => {
            vec![("refused -> open".to_owned(), What::Open { peer: peer.clone(), error: None })]
        }
        (What::Open { peer, error: None }, _) if kind == Kind::Telling => {
            let error = Some("connection refused".to_owned());
            vec![("open -> refused".to_owned(), What::Open { peer: peer.clone(), error })]
        }
        _ => Vec::new(),
    }
}

/// The changed forms of a frame.
fn frames(frame: &Bytes, (key, version): (i16, i16), kind: Kind) -> Vec<(String, What)> {
    let Some(api) = schema::api(key) else { return Vec::new() };
    // The tags of a response header were never seen to hold anything.
    let head = if api.response_header_version(version) == 1 { 5 } else { 4 };
    if frame.len() < head {
        return Vec::new();
    }
    let body = frame.slice(head..);
    // A refused version is answered in version 0 (KIP-511).
    let decoded = [version, 0].into_iter().find_map(|version| {
        Some((version, schema::decode(key, version, Direction::Response, &body).ok()?))
    });
    let Some((version, value)) = decoded else { return Vec::new() };
    let write = |value: &Value| {
        let body = schema::encode(key, version, Direction::Response, value).ok()?;
        let bytes = [&frame[..head], body.as_slice()].concat();
        Some(What::Frame { bytes: Hex(bytes.into()) })
    };
    let item = |path: &str| schema::default_item(key, version, Direction::Response, path);
    values::changed(&value, kind, &item)
        .into_iter()
        .filter_map(|(what, value)| Some((what, write(&value)?)))
        .collect()
}
