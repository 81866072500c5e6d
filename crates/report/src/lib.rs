//! Records and manifest of a conformance run, and the views computed from them.
//!
//! A run is one [`Manifest`] (what was judged, by what, with which result) and one [`Record`] per case,
//! written as JSON lines while the cases finish. They are the only source of every view: console, JUnit
//! and Markdown are pure functions of a [`Run`], so that no two views can disagree. Nothing here decides
//! what a case's verdict is; this crate counts verdicts and derives the exit code of the process
//! ([`exit_code`]).
//!
//! The meaning of each field stands on the type; the same sentences are published as JSON Schema under
//! `schema/`. `README.md` says how the format may change.

mod alike;
mod apis;
mod conclusion;
mod console;
mod counts;
mod exit;
mod group;
mod junit;
mod manifest;
mod markdown;
mod markup;
mod read;
pub mod reasons;
mod record;
mod schema;
mod text;
mod verdict;

pub use alike::Fold;
pub use conclusion::incomplete;
pub use console::{console_finding, console_header, console_summary, console_summary_with};
pub use counts::{Counts, tally};
pub use exit::{
    BLOCKED_OR_FAILED, CONFORMS, Circumstances, NOTHING_EXECUTED, OUR_ERROR, UNREACHABLE, USAGE,
    exit_code,
};
pub use junit::junit;
pub use manifest::{ApiRow, Broker, Manifest, Mode, Target};
pub use markdown::markdown;
pub use read::{MANIFEST_FILE, RECORDS_FILE, ReadError, Run, read_run, to_line};
pub use record::{Connection, Event, EventKind, Finding, Record};
pub use schema::{manifest_schema, record_schema};
pub use verdict::{Level, Replay, Verdict};

/// Version of the meaning of records and manifest. It grows when a field changes its meaning or goes
/// away; a new field does not raise it, because readers ignore fields that they do not know.
pub const SCHEMA_VERSION: u32 = 1;
