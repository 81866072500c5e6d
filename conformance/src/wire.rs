//! See `requirements/wire.toml`.

use kconform_scenario::Scenario;

mod advertised_ranges;
mod api_versions;
mod api_versions_features;
mod api_versions_refusals;
mod by_hand;
mod client_ids;
mod connections;
mod framing;
mod harmless;
mod headers;
mod lengths;
mod malformed;
mod oddities;
mod pipelining;
mod refusals;
mod request_quota;
mod tagged_fields;
mod throttling;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    framing::SCENARIOS,
    headers::SCENARIOS,
    client_ids::SCENARIOS,
    tagged_fields::SCENARIOS,
    refusals::SCENARIOS,
    malformed::SCENARIOS,
    lengths::SCENARIOS,
    pipelining::SCENARIOS,
    connections::SCENARIOS,
    throttling::SCENARIOS,
    request_quota::SCENARIOS,
    oddities::SCENARIOS,
    api_versions::SCENARIOS,
    api_versions_refusals::SCENARIOS,
    advertised_ranges::SCENARIOS,
    api_versions_features::SCENARIOS,
];
