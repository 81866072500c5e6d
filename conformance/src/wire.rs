//! See `requirements/wire.toml`.

use kconform_scenario::Scenario;

mod advertised_ranges;
mod api_versions;
mod api_versions_features;
mod api_versions_refusals;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    api_versions::SCENARIOS,
    api_versions_refusals::SCENARIOS,
    advertised_ranges::SCENARIOS,
    api_versions_features::SCENARIOS,
];
