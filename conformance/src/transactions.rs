//! See `requirements/transactions.toml`.

use kconform_scenario::Scenario;

mod add_partitions;
mod consumer;
mod end_txn;
mod end_txn_v5;
mod fencing;
mod idempotence;
mod init_producer_id;
mod known_producers;
mod leaders;
mod markers;
mod moved_leaders;
mod producer;
mod producer_state;
mod transactional_produce;
mod visibility;
mod writer;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    init_producer_id::SCENARIOS,
    known_producers::SCENARIOS,
    idempotence::SCENARIOS,
    producer_state::SCENARIOS,
    moved_leaders::SCENARIOS,
    add_partitions::SCENARIOS,
    transactional_produce::SCENARIOS,
    end_txn::SCENARIOS,
    end_txn_v5::SCENARIOS,
    visibility::SCENARIOS,
    markers::SCENARIOS,
    fencing::SCENARIOS,
];
