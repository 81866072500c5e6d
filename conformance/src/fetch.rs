//! Fetch (1): what a consumer reads, how long it waits, and how fetch sessions behave. See
//! `requirements/fetch.toml`.

use kconform_scenario::Scenario;

mod addresses;
mod answers;
mod bytes;
mod epochs;
mod isolation;
mod limits;
mod positions;
mod session_changes;
mod sessions;
pub(crate) mod transaction;
mod waiting;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    positions::SCENARIOS,
    addresses::SCENARIOS,
    epochs::SCENARIOS,
    limits::SCENARIOS,
    waiting::SCENARIOS,
    sessions::SCENARIOS,
    session_changes::SCENARIOS,
    isolation::SCENARIOS,
    bytes::SCENARIOS,
];
