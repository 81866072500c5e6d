//! The suite as the harness sees it: scenarios, and the catalogue's word on each.

use kconform_report::Level;
use kconform_scenario::Scenario;

/// What the catalogue says of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How binding it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

/// All scenarios, and the catalogue.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The scenarios, in the order of the catalogue.
    pub scenarios: Vec<&'static Scenario>,
    /// Looks up a requirement by its id.
    pub row: fn(&str) -> Option<Row>,
}

impl Suite {
    /// The catalogue's word on a scenario. A scenario that the catalogue does not know is our mistake, which
    /// `cargo xtask tidy` reports; here its own doc sentence stands in.
    pub fn row_of(&self, scenario: &Scenario) -> Row {
        (self.row)(scenario.id)
            .unwrap_or_else(|| Row { level: Level::Should, text: scenario.doc.to_owned() })
    }
}
