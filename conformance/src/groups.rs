//! See `requirements/groups.toml`.

use kconform_scenario::Scenario;

mod heartbeat;
mod join_group;
mod leave_group;
pub(crate) mod members;
mod rebalance;
mod static_members;
mod sync_group;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    join_group::SCENARIOS,
    rebalance::SCENARIOS,
    static_members::SCENARIOS,
    sync_group::SCENARIOS,
    heartbeat::SCENARIOS,
    leave_group::SCENARIOS,
];
