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
mod markers;
mod producer;
mod transactional_produce;
mod visibility;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    init_producer_id::SCENARIOS,
    known_producers::SCENARIOS,
    idempotence::SCENARIOS,
    add_partitions::SCENARIOS,
    transactional_produce::SCENARIOS,
    end_txn::SCENARIOS,
    end_txn_v5::SCENARIOS,
    visibility::SCENARIOS,
    markers::SCENARIOS,
    fencing::SCENARIOS,
];
