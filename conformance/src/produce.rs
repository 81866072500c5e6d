//! Produce (0): what is appended, what is refused, and what the answer says about it. See
//! `requirements/produce.toml`.

use kconform_scenario::Scenario;

mod acks;
mod addresses;
mod answers;
mod batches;
mod codecs;
mod contents;
mod idempotence;
mod limits;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    acks::SCENARIOS,
    addresses::SCENARIOS,
    batches::SCENARIOS,
    codecs::SCENARIOS,
    limits::SCENARIOS,
    contents::SCENARIOS,
    idempotence::SCENARIOS,
];
