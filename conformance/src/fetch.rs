//! Fetch (1): what a consumer reads, how long it waits, and how fetch sessions behave. See
//! `requirements/fetch.toml`.

use kconform_scenario::Scenario;

mod addresses;
mod answers;
mod bytes;
mod committed_elsewhere;
mod compacted;
mod diverging;
mod epochs;
mod followers;
mod isolation;
mod layout;
mod limits;
mod old_formats;
mod positions;
mod recreated;
mod refusals;
mod replication;
mod session_changes;
mod session_ids;
mod sessions;
mod throttled;
mod waiting;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    positions::SCENARIOS,
    addresses::SCENARIOS,
    recreated::SCENARIOS,
    epochs::SCENARIOS,
    diverging::SCENARIOS,
    followers::SCENARIOS,
    replication::SCENARIOS,
    limits::SCENARIOS,
    waiting::SCENARIOS,
    sessions::SCENARIOS,
    session_changes::SCENARIOS,
    session_ids::SCENARIOS,
    isolation::SCENARIOS,
    committed_elsewhere::SCENARIOS,
    bytes::SCENARIOS,
    compacted::SCENARIOS,
    old_formats::SCENARIOS,
    refusals::SCENARIOS,
    layout::SCENARIOS,
    throttled::SCENARIOS,
];
