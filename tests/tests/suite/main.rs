//! The suite against a broker that lies at one place: each check must be seen failing, each verdict reached.

#![allow(clippy::unwrap_used)]

mod lost;
mod nodes;
mod properties;
mod replays;
mod verbs;
mod verdicts;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kconform_harness::{Done, Options, Row, Suite, Target, Watch, plan, probe, run, wanted};
use kconform_report::{Level, Record};
use kconform_scenario::Scenario;
use kconform_scenario::wire::Dial;
use kconform_tests::ScriptedBroker;

/// Keeps what it is told.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Watch for Told {
    fn ended(&self, _: &Record) {}
    fn told(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub(crate) fn suite(scenarios: &[&'static Scenario]) -> Suite {
    Suite {
        scenarios: scenarios.to_vec(),
        row: |_| Some(Row { level: Level::Must, text: "A requirement of the tests.".to_owned() }),
    }
}

pub(crate) fn options() -> Options {
    Options {
        filter: plan::Filter::default(),
        seed: None,
        repeat: 1,
        jobs: 4,
        fail_fast: false,
        again: "kconform conform".to_owned(),
        results: None,
        append: false,
        all_evidence: false,
        keep_events: true,
        run_id: "tests".to_owned(),
        deadline: Duration::from_secs(20),
        target_wait: Duration::from_secs(10),
        convict: true,
        mimic: None,
    }
}

/// Runs these scenarios against this broker.
pub(crate) fn run_all(
    broker: &ScriptedBroker,
    scenarios: &[&'static Scenario],
    options: Options,
) -> (Done, Vec<String>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let target = Target::at(vec![Dial::plain("127.0.0.1", broker.port())]);
    let probed = runtime.block_on(probe(&target)).unwrap();
    let suite = suite(scenarios);
    let cases = wanted(&suite, &probed, &options.filter);
    let told = Arc::new(Told::default());
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let done = run(&suite, &probed, cases, options, runtime.handle(), told.clone(), interrupted);
    let told = told.0.lock().unwrap().clone();
    (done, told)
}

/// The record of the only case that these scenarios make at this version.
pub(crate) fn record(broker: &ScriptedBroker, scenario: &'static Scenario, version: i16) -> Record {
    let filter = plan::Filter { versions: Some(version..=version), ..plan::Filter::default() };
    let (done, _) = run_all(broker, &[scenario], Options { filter, ..options() });
    assert_eq!(done.records.len(), 1, "one case was to be run");
    done.records.into_iter().next().unwrap()
}
