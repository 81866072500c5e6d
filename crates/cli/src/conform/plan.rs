//! The plan in a few lines: how many cases there are, why some will not run, and how long it will take.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kconform_harness::Probed;
use kconform_harness::plan::{Case, Decision, decide};
use kconform_scenario::{Broker, Facts};

use super::ways::Ways;

/// An ordinary case, set-up and immediate replay included, while others run beside it.
const ORDINARY_MS: u64 = 5;
/// A case that waits for a timer of the broker's.
const SLOW_MS: u64 = 8_000;
/// Clean-up, and what else a run does once.
const ONCE_MS: u64 = 1_000;

/// What the header leaves out: where the brokers say that they are, and what the nearest release rests on. Ends with a line
/// break.
pub(crate) fn surroundings(probed: &Probed) -> String {
    let mut text = String::new();
    for Broker { id, host, port, rack } in &probed.facts.brokers {
        let rack = rack.as_deref().map_or(String::new(), |rack| format!(", rack {rack}"));
        let line = format!("  broker {id} at {host}:{port}{rack}");
        // Names from the target must not steer the terminal.
        text.extend(line.chars().filter(|char| !char.is_control()));
        text.push('\n');
    }
    let authorizer = match probed.facts.authorizer {
        Some(true) => "it has an authorizer",
        Some(false) => "it has no authorizer",
        None => "whether it has an authorizer could not be told",
    };
    let _ = writeln!(
        text,
        "  nearest to Apache Kafka {}: {}; {authorizer}",
        probed.nearest.reference, probed.nearest.why
    );
    text
}

/// What is going to happen, for people. Ends with a line break.
pub(super) fn outline(
    facts: &Facts,
    cases: &[Case],
    repeat: u32,
    jobs: u16,
    ways: &Ways,
) -> String {
    let plan = Plan::of(facts, cases);
    let mut text = format!(
        "{} to run, {} unsupported by the target (its refusals are checked), {} not run",
        count(plan.run),
        plan.unsupported,
        plan.not_run.values().sum::<usize>()
    );
    if repeat > 1 {
        let _ = write!(text, "; {repeat} times");
    }
    let _ = writeln!(text, "; about {}.", duration(plan.millis(jobs) * u64::from(repeat)));
    for (reason, count) in &plan.not_run {
        let way = ways.to(reason).map_or_else(String::new, |way| format!("; {way}"));
        let _ = writeln!(text, "  {count:>5} not run for want of {reason}{way}");
    }
    text
}

#[derive(Debug, Default)]
struct Plan {
    run: usize,
    slow: u64,
    alone: u64,
    unsupported: usize,
    not_run: BTreeMap<String, usize>,
}

impl Plan {
    fn of(facts: &Facts, cases: &[Case]) -> Self {
        let mut plan = Self::default();
        for case in cases {
            match decide(facts, case) {
                Decision::Run => {
                    plan.run += 1;
                    plan.slow += u64::from(case.scenario.slow);
                    plan.alone += u64::from(case.scenario.exclusive);
                }
                Decision::Unsupported(_) => plan.unsupported += 1,
                Decision::NotRun(reason) => *plan.not_run.entry(reason).or_default() += 1,
            }
        }
        plan
    }

    /// Slow cases start first, side by side; the others share what is left of the jobs and, in the end, of the processors.
    fn millis(&self, jobs: u16) -> u64 {
        let waves = self.slow.div_ceil(u64::from(jobs));
        let ordinary = self.run as u64 * ORDINARY_MS * 16 / u64::from(jobs.min(16));
        ONCE_MS + ordinary.max(waves * SLOW_MS) + self.alone * 200
    }
}

fn count(cases: usize) -> String {
    if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") }
}

/// In whole seconds, or whole minutes from two on: it is an estimate.
fn duration(millis: u64) -> String {
    match millis.div_ceil(1000) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}
