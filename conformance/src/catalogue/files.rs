//! The files of the catalogue as they are compiled into the suite.

/// The list of families.
pub(super) const FAMILIES: &str = include_str!("../../requirements/families.toml");

/// The ids that are no longer in use.
pub(super) const RETIRED: &str = include_str!("../../requirements/retired.toml");

/// The file of requirements of a family.
pub(super) fn requirements(family: &str) -> Option<&'static str> {
    REQUIREMENTS.iter().find(|(name, _)| *name == family).map(|(_, file)| *file)
}

macro_rules! embed {
    ($($family:literal),+ $(,)?) => {
        &[$(($family, include_str!(concat!("../../requirements/", $family, ".toml")))),+]
    };
}

/// Name and file of every family.
pub(super) const REQUIREMENTS: &[(&str, &str)] = embed![
    "wire",
    "metadata",
    "produce",
    "fetch",
    "offsets",
    "batches",
    "groups",
    "commits",
    "consumer_groups",
    "share_groups",
    "streams_groups",
    "transactions",
    "topics",
    "configs",
    "cluster",
    "authorization",
    "quotas",
    "security",
    "operations",
    "properties",
];
