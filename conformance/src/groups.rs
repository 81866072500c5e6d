//! See `requirements/groups.toml`.

use kconform_scenario::Scenario;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[];
