//! The bytes of record batches as consumers see them, through Fetch (1). See
//! `requirements/batches.toml`.

use kconform_scenario::Scenario;

mod compaction;
mod encoding;
mod headers;
mod log;
mod markers;
mod order;
mod restarts;
mod timestamps;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    headers::SCENARIOS,
    timestamps::SCENARIOS,
    encoding::SCENARIOS,
    markers::SCENARIOS,
    order::SCENARIOS,
    compaction::SCENARIOS,
    restarts::SCENARIOS,
];
