//! Offsets of a log: finding them by time and by leader epoch, and moving the start of the log. See
//! `requirements/offsets.toml`.

use kconform_scenario::Scenario;

mod answers;
mod delete_records;
mod delete_records_refusals;
mod ends;
mod greatest_time;
pub(crate) mod leader_epochs;
mod leader_epochs_refusals;
mod list_offsets;
mod list_offsets_v0;
mod new_leaders;
mod refusals;
mod tiers;
mod times;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    ends::SCENARIOS,
    times::SCENARIOS,
    greatest_time::SCENARIOS,
    tiers::SCENARIOS,
    list_offsets::SCENARIOS,
    refusals::SCENARIOS,
    list_offsets_v0::SCENARIOS,
    new_leaders::SCENARIOS,
    leader_epochs::SCENARIOS,
    leader_epochs_refusals::SCENARIOS,
    delete_records::SCENARIOS,
    delete_records_refusals::SCENARIOS,
];
