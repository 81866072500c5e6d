//! See `requirements/commits.toml`.

use kconform_scenario::Scenario;

mod offset_commit;
mod offset_fetch;
pub(crate) mod offsets;
mod restarts;
mod stored_offsets;
mod transactional_offsets;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    offset_commit::SCENARIOS,
    stored_offsets::SCENARIOS,
    offset_fetch::SCENARIOS,
    transactional_offsets::SCENARIOS,
    restarts::SCENARIOS,
];
