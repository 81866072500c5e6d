//! Counting of records by verdict.

use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ApiRow, Level, Manifest, Record, Verdict};

/// How many cases came to which verdict.
///
/// A `Quirk` whose verdict is failed is recorded but judged by nobody: it stands in `quirks` and in no
/// other count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed, without deviating quirks.
    pub failed: usize,
    /// Cases that could not reach their act.
    pub blocked: usize,
    /// Cases whose API, version or capability the target does not offer.
    pub unsupported: usize,
    /// Those of the unsupported cases in which the refusal was checked.
    pub refused: usize,
    /// Cases that nobody provided the means for.
    pub not_run: usize,
    /// Deviations that the profile lists.
    pub known: usize,
    /// Listed deviations that are gone.
    pub fixed: usize,
    /// Defects of the suite.
    pub error: usize,
    /// Quirks in which the target deviates from the reference.
    pub quirks: usize,
}

impl Counts {
    /// Counts the given records.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut counts = Self::default();
        for record in records {
            counts.add(record);
        }
        counts
    }

    /// Adds one record.
    pub fn add(&mut self, record: &Record) {
        match record.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed if record.level == Level::Quirk => self.quirks += 1,
            Verdict::Failed => self.failed += 1,
            Verdict::Blocked => self.blocked += 1,
            Verdict::Unsupported => {
                self.unsupported += 1;
                self.refused += usize::from(record.refusal.is_some());
            }
            Verdict::NotRun => self.not_run += 1,
            Verdict::Known => self.known += 1,
            Verdict::Fixed => self.fixed += 1,
            Verdict::Error => self.error += 1,
        }
    }

    /// Cases in which the target was judged: passed, failed, known, fixed, or a refusal checked.
    pub fn executed(&self) -> usize {
        self.passed + self.failed + self.known + self.fixed + self.refused
    }

    /// The share of executed cases in which the target did as required, as people read it: `100 %` only
    /// when it is all of them, `-` when none was executed. It stands per area, never for a whole run, where
    /// an area with many cases would drown the others.
    pub fn share(&self) -> String {
        let good = self.passed + self.fixed + self.refused;
        match self.executed() {
            0 => "-".to_owned(),
            executed if good == executed => "100 %".to_owned(),
            // Rounded down, so that a share short of all never reads as all.
            executed => {
                let tenths = good * 1000 / executed;
                format!("{}.{} %", tenths / 10, tenths % 10)
            }
        }
    }

    /// All cases counted, deviating quirks included.
    pub fn total(&self) -> usize {
        self.passed
            + self.failed
            + self.blocked
            + self.unsupported
            + self.not_run
            + self.known
            + self.fixed
            + self.error
            + self.quirks
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.unsupported += other.unsupported;
        self.refused += other.refused;
        self.not_run += other.not_run;
        self.known += other.known;
        self.fixed += other.fixed;
        self.error += other.error;
        self.quirks += other.quirks;
    }
}

/// Fills in the manifest's counts, overall and per API, from the records. An API that has records but no
/// row gets one, without versions; the rows end up ordered by key.
pub fn tally(manifest: &mut Manifest, records: &[Record]) {
    manifest.counts = Counts::of(records);
    for row in &mut manifest.apis {
        row.cases = Counts::default();
    }
    for record in records {
        let row = match manifest.apis.iter().position(|row| row.key == record.api_key) {
            Some(at) => &mut manifest.apis[at],
            None => {
                manifest.apis.push(ApiRow {
                    key: record.api_key,
                    name: record.api.clone(),
                    ..ApiRow::default()
                });
                manifest.apis.last_mut().expect("a row was pushed just above")
            }
        };
        row.cases.add(record);
    }
    manifest.apis.sort_by_key(|row| row.key);
}
