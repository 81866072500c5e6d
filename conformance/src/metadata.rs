//! See `requirements/metadata.toml`.

use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kconform_scenario::Scenario;

mod authorized_operations;
mod auto_creation;
mod dead_brokers;
mod listing;
mod placement;
mod topic_ids;
mod topics;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[
    listing::SCENARIOS,
    topics::SCENARIOS,
    auto_creation::SCENARIOS,
    topic_ids::SCENARIOS,
    authorized_operations::SCENARIOS,
    placement::SCENARIOS,
    dead_brokers::SCENARIOS,
];

/// The entry of this name, if there is one.
fn named<'a>(topics: &'a [MetadataResponseTopic], name: &str) -> Option<&'a MetadataResponseTopic> {
    topics.iter().find(|topic| topic.name.as_ref().is_some_and(|found| found.as_str() == name))
}
