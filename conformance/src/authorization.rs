//! Who may do what. See `requirements/authorization.toml`.

use kconform_scenario::Scenario;

mod acls;
mod allowed;
mod cluster;
mod groups;
mod membership;
mod offsets;
mod records;
mod rules;
mod topics;
mod transactions;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    acls::SCENARIOS,
    rules::SCENARIOS,
    topics::SCENARIOS,
    records::SCENARIOS,
    groups::SCENARIOS,
    membership::SCENARIOS,
    offsets::SCENARIOS,
    transactions::SCENARIOS,
    cluster::SCENARIOS,
];
