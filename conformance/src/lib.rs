//! The suite: every scenario, and the catalogue of requirements that they check. Reading this folder is reading the
//! specification that Apache Kafka never wrote down.
//!
//! One module a family, one file an API or a theme of it; `requirements/*.toml` says what each scenario checks.

use kconform_scenario::Scenario;

pub mod catalogue;

/// Who may do what: ACLs, and what a denied client sees.
mod authorization;
/// The bytes of record batches as consumers see them.
mod batches;
/// OffsetCommit and OffsetFetch.
mod commits;
/// Fetch.
mod fetch;
/// Classic groups: join, sync, heartbeat, leave.
mod groups;
/// Partitions with fewer replicas in sync than must be.
mod in_sync;
/// Metadata.
mod metadata;
/// Offsets of a log: ListOffsets, OffsetForLeaderEpoch, DeleteRecords.
mod offsets;
/// Produce.
mod produce;
/// A transactional producer driven by hand.
mod producer;
/// What holds whatever is sent, with values drawn from seeds.
mod properties;
/// Brokers that die and come back.
mod restarts;
/// SASL and TLS.
mod security;
/// CreateTopics and its kin.
mod topics;
/// A transaction on one partition.
mod transaction;
/// Producer ids, transactions, visibility and fencing.
mod transactions;
/// Framing, ApiVersions and listeners.
mod wire;

/// A topic that a target of the shape `dead-broker` has: its one partition is led by a live broker and followed by a dead
/// one.
pub const DEAD_FOLLOWER_TOPIC: &str = "kconform-dead-follower";

/// A topic that a target of the shape `dead-broker` has: its one partition is on a dead broker alone.
pub const DEAD_LEADER_TOPIC: &str = "kconform-dead-leader";

/// Every scenario, family by family. Topics come first: the more partitions a broker has, the longer it takes to delete
/// one.
pub fn scenarios() -> Vec<&'static Scenario> {
    let families = [
        topics::FILES,
        wire::FILES,
        metadata::FILES,
        produce::FILES,
        fetch::FILES,
        batches::FILES,
        offsets::FILES,
        groups::FILES,
        commits::FILES,
        transactions::FILES,
        authorization::FILES,
        security::FILES,
    ];
    let scenarios = families.into_iter().flatten().flat_map(|file| file.iter().copied());
    scenarios.chain(properties::scenarios()).collect()
}
