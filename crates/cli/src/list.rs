//! `kconform list`, and `conform --list`: requirements and cases, without a target.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use conformance::catalogue;
use kconform_harness::plan::{self, Case};
use kconform_report::CONFORMS;
use kconform_scenario::wire::schema;
use serde::Serialize;

use crate::args::{FilterArgs, Format};
use crate::terminal::print;
use crate::trouble::Trouble;
use crate::{near, suite};

/// Prints the list; gives the exit code.
pub(crate) fn run(args: &FilterArgs, format: Format) -> Result<i32, Trouble> {
    let suite = suite::suite();
    let filter = args.filter();
    let cases = plan::wanted(&suite, None, &filter);
    let list = List::of(args, &suite, &cases);
    if list.cases.is_empty() && list.open.is_empty() {
        return Err(Trouble::Nothing(near::nothing_selected(&suite, args)));
    }
    print(&match format {
        Format::Text => list.text(),
        Format::Json => {
            serde_json::to_string_pretty(&list)
                .map_err(|error| Trouble::Ours(format!("the list cannot be written: {error}")))?
                + "\n"
        }
    });
    Ok(CONFORMS)
}

#[derive(Debug, Serialize)]
struct List {
    families: Vec<FamilyLine>,
    cases: Vec<CaseLine>,
    /// Requirements that no scenario checks yet.
    open: Vec<OpenLine>,
}

#[derive(Debug, Serialize)]
struct FamilyLine {
    family: String,
    requirements: usize,
    /// Requirements that a scenario checks.
    covered: usize,
    /// Requirements that no scenario checks yet.
    open: usize,
    cases: usize,
}

#[derive(Debug, Serialize)]
struct CaseLine {
    name: String,
    id: &'static str,
    also: Vec<&'static str>,
    family: &'static str,
    level: kconform_report::Level,
    api: &'static str,
    api_key: i16,
    version: i16,
    variant: Option<String>,
    requirement: String,
}

#[derive(Debug, Serialize)]
struct OpenLine {
    id: &'static str,
    family: &'static str,
    level: kconform_report::Level,
    requirement: &'static str,
}

impl List {
    fn of(args: &FilterArgs, suite: &kconform_harness::Suite, cases: &[Case]) -> Self {
        let checked: BTreeSet<&str> = suite
            .scenarios
            .iter()
            .flat_map(|scenario| std::iter::once(&scenario.id).chain(scenario.also).copied())
            .collect();
        // Requirements are narrowed by what a row of the catalogue knows: family, id, level.
        let rows: Vec<&catalogue::Requirement> =
            catalogue::requirements().iter().filter(|row| wants_row(args, row)).collect();
        // A selection by anything else is about cases alone.
        let by_case = !(args.parts.is_empty()
            && args.api.is_empty()
            && args.exact.is_empty()
            && args.api_version.is_none());
        let open = rows.iter().filter(|row| !by_case && !checked.contains(row.id.as_str()));
        let open = open.map(|row| OpenLine {
            id: &row.id,
            family: row.family,
            level: suite::level(row.level),
            requirement: &row.text,
        });
        Self {
            open: open.collect(),
            families: families(&rows, &checked, cases),
            cases: cases.iter().map(|case| CaseLine::of(suite, case)).collect(),
        }
    }

    /// The list in a line, since it is longer than any screen.
    fn summary(&self) -> String {
        let sum = |of: fn(&FamilyLine) -> usize| self.families.iter().map(of).sum::<usize>();
        let families = self.families.len();
        format!(
            "{} cases of {} requirements in {families} {}; {} open rows; filter with --family, --api, --id, --level, \
             --api-version or a part of a name\n\n",
            sum(|line| line.cases),
            sum(|line| line.requirements),
            if families == 1 { "family" } else { "families" },
            sum(|line| line.open),
        )
    }

    fn text(&self) -> String {
        let mut out = self.summary();
        let mut by_id: BTreeMap<&str, Vec<&CaseLine>> = BTreeMap::new();
        let mut order = Vec::new();
        for case in &self.cases {
            let cases = by_id.entry(case.id).or_default();
            if cases.is_empty() {
                order.push(case.id);
            }
            cases.push(case);
        }
        for id in order {
            let cases = &by_id[id];
            let _ = writeln!(out, "{id}  {}  {}", cases[0].level, cases[0].requirement);
            for case in cases {
                let _ = writeln!(out, "    {}", case.name);
            }
        }
        for open in &self.open {
            let _ = writeln!(out, "{}  {}  {}\n    open", open.id, open.level, open.requirement);
        }
        let width = self.families.iter().map(|line| line.family.len()).max().unwrap_or(0).max(6);
        let _ = writeln!(out, "\n{:<width$}  requirements  covered   open  cases", "family");
        for line in &self.families {
            let FamilyLine { family, requirements, covered, open, cases } = line;
            let _ = writeln!(
                out,
                "{family:<width$}  {requirements:>12}  {covered:>7}  {open:>5}  {cases:>5}"
            );
        }
        let sum = |of: fn(&FamilyLine) -> usize| self.families.iter().map(of).sum::<usize>();
        let _ = writeln!(
            out,
            "{:<width$}  {:>12}  {:>7}  {:>5}  {:>5}",
            "all",
            sum(|line| line.requirements),
            sum(|line| line.covered),
            sum(|line| line.open),
            sum(|line| line.cases)
        );
        out
    }
}

impl CaseLine {
    fn of(suite: &kconform_harness::Suite, case: &Case) -> Self {
        let row = suite.row_of(case.scenario);
        Self {
            name: case.name.clone(),
            id: case.scenario.id,
            also: case.scenario.also.to_vec(),
            family: case.scenario.family(),
            level: row.level,
            api: schema::api(case.key).map_or("", schema::Api::name),
            api_key: case.key,
            version: case.version,
            variant: case.variant.as_deref().map(str::to_owned),
            requirement: row.text,
        }
    }
}

fn wants_row(args: &FilterArgs, row: &catalogue::Requirement) -> bool {
    let named = |list: &[String], name: &str| {
        list.is_empty() || list.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let levels = args.filter().levels;
    named(&args.family, row.family)
        && named(&args.id, &row.id)
        && (levels.is_empty() || levels.contains(&suite::level(row.level)))
}

fn families(
    rows: &[&catalogue::Requirement],
    checked: &BTreeSet<&str>,
    cases: &[Case],
) -> Vec<FamilyLine> {
    let line = |family: &catalogue::Family| {
        let own = rows.iter().filter(|row| row.family == family.name);
        let requirements = own.clone().count();
        let covered = own.filter(|row| checked.contains(row.id.as_str())).count();
        FamilyLine {
            family: family.name.clone(),
            requirements,
            covered,
            open: requirements - covered,
            cases: cases.iter().filter(|case| case.scenario.family() == family.name).count(),
        }
    };
    catalogue::families()
        .iter()
        .map(line)
        .filter(|line| line.requirements + line.cases > 0)
        .collect()
}
