//! The suite: every scenario, and the catalogue of requirements that they check. Reading this folder is reading the
//! specification that Apache Kafka never wrote down.
//!
//! One module a family, one file an API or a theme of it; `requirements/*.toml` says what each scenario checks.

use kconform_scenario::Scenario;

pub mod catalogue;

/// Who may do what: ACLs, and what a denied client sees.
mod authorization;
/// OffsetCommit and OffsetFetch.
mod commits;
/// Fetch.
mod fetch;
/// Classic groups: join, sync, heartbeat, leave.
mod groups;
/// Metadata.
mod metadata;
/// Produce.
mod produce;
/// What holds whatever is sent, with values drawn from seeds.
mod properties;
/// SASL and TLS.
mod security;
/// CreateTopics and its kin.
mod topics;
/// Producer ids, transactions, visibility and fencing.
mod transactions;
/// Framing, ApiVersions and listeners.
mod wire;

/// Every scenario, family by family in the order of the catalogue.
pub fn scenarios() -> Vec<&'static Scenario> {
    let families = [
        wire::FILES,
        metadata::FILES,
        produce::FILES,
        fetch::FILES,
        groups::FILES,
        commits::FILES,
        transactions::FILES,
        topics::FILES,
        authorization::FILES,
        security::FILES,
    ];
    let scenarios = families.into_iter().flatten().flat_map(|file| file.iter().copied());
    scenarios.chain(properties::scenarios()).collect()
}
