//! See `requirements/transactions.toml`.

use kconform_scenario::Scenario;

mod init_producer_id;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] = &[init_producer_id::SCENARIOS];
