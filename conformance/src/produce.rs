//! Produce (0): what is appended, what is refused, and what the answer says about it. See
//! `requirements/produce.toml`.

use kconform_scenario::Scenario;

mod acks;
mod addresses;
mod answers;
mod batches;
mod codecs;
mod contents;
mod details;
mod idempotence;
mod limits;
mod message_sets;
mod oddities;
mod payloads;
mod producers;
mod replication;
mod requests;
mod restarts;
mod rights;
mod sizes;
mod timestamps;
mod transactional;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    acks::SCENARIOS,
    requests::SCENARIOS,
    addresses::SCENARIOS,
    rights::SCENARIOS,
    batches::SCENARIOS,
    oddities::SCENARIOS,
    codecs::SCENARIOS,
    payloads::SCENARIOS,
    limits::SCENARIOS,
    sizes::SCENARIOS,
    timestamps::SCENARIOS,
    details::SCENARIOS,
    contents::SCENARIOS,
    message_sets::SCENARIOS,
    replication::SCENARIOS,
    restarts::SCENARIOS,
    idempotence::SCENARIOS,
    producers::SCENARIOS,
    transactional::SCENARIOS,
];
