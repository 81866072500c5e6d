//! `--record`: what is kept of a run, so that it can be played back.

use std::path::Path;
use std::sync::Arc;

use kconform_harness::Done;
use kconform_harness::recording::{self, Head, Recorded};
use kconform_scenario::{Facts, Need, Scenario};

use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// What the files of a cluster of three are called by.
const THREE_NODES: &str = "three-nodes";
/// A case of more events, thousands of requests, is not worth its place.
const MOST_EVENTS: usize = 4000;

/// The recordings of a run, each with what was known of its cluster.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    clusters: Vec<(Option<&'static str>, Arc<Facts>, Vec<Recorded>)>,
}

impl Recordings {
    /// Keeps what was recorded on the target itself. Of a cluster only the cases that take one are kept: the others are
    /// recorded on one node.
    pub(super) fn keep(&mut self, scenarios: &[&'static Scenario], done: &mut Done) {
        let mut recorded = std::mem::take(&mut done.recorded);
        if done.facts.brokers.len() == 1 {
            return self.clusters.push((None, done.facts.clone(), recorded));
        }
        recorded.retain(|case| {
            let of_case = |scenario: &&&Scenario| {
                case.name.strip_prefix(&scenario.path()).is_some_and(|rest| rest.starts_with("::"))
            };
            let scenario = scenarios.iter().find(of_case);
            scenario.is_some_and(|scenario| scenario.needs.contains(&Need::ThreeBrokers))
        });
        self.clusters.push((Some(THREE_NODES), done.facts.clone(), recorded));
    }

    /// Keeps what was recorded on a broker of a special shape.
    pub(super) fn keep_special(&mut self, shape: &'static str, done: &mut Done) {
        let recorded = std::mem::take(&mut done.recorded);
        self.clusters.push((Some(shape), done.facts.clone(), recorded));
    }

    /// Writes the files, and says where.
    pub(super) fn write(self, folder: &Path, product: &str) -> Result<(), Trouble> {
        let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let mut count = 0;
        for (cluster, facts, mut recorded) in self.clusters {
            let all = recorded.len();
            recorded.retain(|case| case.events.len() <= MOST_EVENTS);
            if recorded.len() < all {
                let out = all - recorded.len();
                tell(&format!("{out} cases of more than {MOST_EVENTS} events are not recorded"));
            }
            count += recorded.len();
            let head = Head {
                format: recording::FORMAT,
                product: product.to_owned(),
                date: date.clone(),
                facts: Facts::clone(&facts),
            };
            recording::write(folder, cluster, &head, recorded).map_err(|error| {
                Trouble::Usage(format!("the recording cannot be written: {error}"))
            })?;
        }
        print(&format!("{count} cases recorded in {}\n", folder.display()));
        Ok(())
    }
}
