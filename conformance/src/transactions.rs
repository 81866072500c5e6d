//! See `requirements/transactions.toml`.

use kconform_scenario::Scenario;

mod add_offsets;
mod add_partitions;
mod added_by_brokers;
mod atomicity;
mod brokers;
mod completion;
mod consumer;
mod dead_coordinators;
mod decisions;
mod described;
mod end_txn;
mod end_txn_v5;
mod fencing;
mod idempotence;
mod init_producer_id;
mod known_producers;
mod known_to_partitions;
mod last_epochs;
pub(crate) mod leaders;
mod listed;
mod markers;
mod mixed_produce;
mod moved_coordinators;
mod moved_leaders;
mod offset_commits;
mod offset_commits_of_members;
pub(crate) mod offsets;
mod producer_state;
mod replaced_topics;
mod restarts;
mod rights;
mod timeouts;
mod transactional_produce;
mod visibility;
mod writer;
mod written_markers;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    init_producer_id::SCENARIOS,
    known_producers::SCENARIOS,
    last_epochs::SCENARIOS,
    brokers::SCENARIOS,
    idempotence::SCENARIOS,
    producer_state::SCENARIOS,
    moved_leaders::SCENARIOS,
    moved_coordinators::SCENARIOS,
    dead_coordinators::SCENARIOS,
    restarts::SCENARIOS,
    add_partitions::SCENARIOS,
    added_by_brokers::SCENARIOS,
    add_offsets::SCENARIOS,
    completion::SCENARIOS,
    rights::SCENARIOS,
    transactional_produce::SCENARIOS,
    mixed_produce::SCENARIOS,
    end_txn::SCENARIOS,
    end_txn_v5::SCENARIOS,
    decisions::SCENARIOS,
    offset_commits::SCENARIOS,
    offset_commits_of_members::SCENARIOS,
    visibility::SCENARIOS,
    atomicity::SCENARIOS,
    markers::SCENARIOS,
    fencing::SCENARIOS,
    timeouts::SCENARIOS,
    described::SCENARIOS,
    listed::SCENARIOS,
    known_to_partitions::SCENARIOS,
    written_markers::SCENARIOS,
];
