//! Playing recordings back: the same cases, the same judgement, no target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use kconform_report::{Record, Replay, Verdict};
use kconform_scenario::Facts;
use kconform_scenario::wire::{Matching, event};

use crate::Suite;
use crate::evidence;
use crate::execute;
use crate::plan::{self, Case, Decision, Filter};
use crate::recording::{Head, Recorded};
use crate::sink::Watch;

/// How to play back.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// Which cases.
    pub filter: Filter,
    /// How sent bytes are compared.
    pub matching: Matching,
    /// The command that repeats a case, up to `--exact`.
    pub again: String,
}

/// What a replay left behind.
#[derive(Debug, Default)]
pub struct Played {
    /// One record a case that was recorded, and one a case that should have been and was not.
    pub records: Vec<Record>,
    /// Recorded cases that the suite does not know any more.
    pub orphans: Vec<String>,
}

/// Plays back the files of one recording. Cases of a family that is not among the files are not spoken of.
pub fn replay(
    suite: &Suite,
    files: &[(Head, Vec<Recorded>)],
    options: &ReplayOptions,
    watch: &dyn Watch,
) -> Played {
    execute::install_panic_hook();
    let began = Instant::now();
    let mut played = Played::default();
    let mut families: BTreeSet<&str> = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (head, recorded) in files {
        let facts = Arc::new(head.facts.clone());
        let of_file: BTreeSet<&str> = recorded.iter().map(Recorded::family).collect();
        let cases: BTreeMap<String, Case> = plan::cases(suite, Some(&facts))
            .into_iter()
            .filter(|case| of_file.contains(case.scenario.family()))
            .map(|case| (case.name.clone(), case))
            .collect();
        families.extend(of_file);
        for recorded in recorded {
            seen.insert(&recorded.name);
            let case = cases.get(&recorded.name).cloned();
            let Some(case) = case.or_else(|| plan::by_seed(suite, &recorded.name)) else {
                played.orphans.push(recorded.name.clone());
                continue;
            };
            if !options.filter.wants(suite, &case) {
                continue;
            }
            let mut record = evidence::blank(suite, &case, &options.again);
            let started = Instant::now();
            record.started_us = micros(began);
            let events = recorded.shared();
            let outcome =
                execute::replay(&case, &facts, &recorded.inputs, &events, options.matching);
            evidence::judge(&mut record, &outcome);
            record.took_us = micros(started);
            record.replay = Replay::Same;
            if record.verdict != Verdict::Passed {
                let mut events = events.to_vec();
                event::redact(&mut events);
                record.evidence = evidence::connections(&events);
            }
            watch.ended(&record);
            played.records.push(record);
        }
    }
    // What no file holds is judged by the usual cluster of the recording: one node of no special shape.
    let is_usual = |facts: &&Facts| facts.brokers.len() == 1 && facts.shapes.is_empty();
    let mut clusters = files.iter().map(|(head, _)| &head.facts);
    let Some(usual) = clusters.clone().find(is_usual).or_else(|| clusters.next()) else {
        return played;
    };
    for case in plan::cases(suite, Some(usual)) {
        let spoken_of = families.contains(case.scenario.family());
        if !spoken_of || seen.contains(&*case.name) || !options.filter.wants(suite, &case) {
            continue;
        }
        let mut record = evidence::blank(suite, &case, &options.again);
        match plan::decide(usual, &case) {
            Decision::Unsupported(reason) => {
                record.verdict = Verdict::Unsupported;
                record.reason = Some(reason);
            }
            Decision::NotRun(reason) => record.reason = Some(reason),
            Decision::Run => record.reason = Some("it is not in the recording".to_owned()),
        }
        watch.ended(&record);
        played.records.push(record);
    }
    played
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
