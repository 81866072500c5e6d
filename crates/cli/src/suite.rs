//! The suite and its catalogue as the harness wants them.

use conformance::catalogue;
use kconform_harness::{Row, Suite};
use kconform_report::Level;

/// Every scenario, with the catalogue's word on each.
pub(crate) fn suite() -> Suite {
    Suite { scenarios: conformance::scenarios(), row }
}

/// The level of a row, in the words of reports.
pub(crate) fn level(level: catalogue::Level) -> Level {
    match level {
        catalogue::Level::Must => Level::Must,
        catalogue::Level::Should => Level::Should,
        catalogue::Level::Quirk => Level::Quirk,
    }
}

fn row(id: &str) -> Option<Row> {
    catalogue::requirement(id).map(|row| Row { level: level(row.level), text: row.text.clone() })
}
