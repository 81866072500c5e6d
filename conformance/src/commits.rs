//! See `requirements/commits.toml`.

use kconform_scenario::Scenario;

mod offset_commit;
mod offset_fetch;
pub(crate) mod offsets;
mod stored_offsets;
mod transactional_offsets;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] =
    &[offset_commit::SCENARIOS, offset_fetch::SCENARIOS, transactional_offsets::SCENARIOS];
