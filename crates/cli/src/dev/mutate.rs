//! `kconform dev mutate`: whether each recorded case can fail.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use kconform_harness::mutation::{Kind, Sensitivity, sensitivities};
use kconform_harness::plan::Filter;
use kconform_harness::recording;
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};

use crate::terminal::print;
use crate::trouble::Trouble;
use crate::{committed, suite};

/// The flags of `mutate`.
#[derive(Debug, Args)]
pub(crate) struct Mutate {
    /// Parts of case names; one must occur
    filter: Vec<String>,
    /// A folder with a recording (default: the recordings that are part of this program)
    #[arg(long, value_name = "DIR")]
    recording: Option<PathBuf>,
    /// Also print the change that turned each case red
    #[arg(long)]
    verbose: bool,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Mutate) -> Result<i32, Trouble> {
    let suite = suite::suite();
    let filter = Filter { parts: args.filter.clone(), ..Filter::default() };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let recordings = match &args.recording {
        Some(folder) => vec![(folder.display().to_string(), recording::read_folder(folder))],
        None => committed::releases()
            .filter_map(|release| Some((release.to_owned(), committed::read(release)?)))
            .collect(),
    };
    let mut blind = 0;
    for (name, files) in recordings {
        let files = files.map_err(|error| Trouble::Usage(error.to_string()))?;
        let looked = sensitivities(&suite, &files, &filter, threads);
        let mut by: BTreeMap<Kind, usize> = BTreeMap::new();
        let mut scenarios: BTreeMap<&str, usize> = BTreeMap::new();
        for (case, found) in &looked {
            match found {
                Sensitivity::Red(change) => {
                    *by.entry(change.kind).or_default() += 1;
                    if args.verbose {
                        print(&format!("{case}: event {}, {}\n", change.event, change.what));
                    }
                }
                Sensitivity::Blind { .. } => {
                    let scenario = case.rsplit_once("::v").map_or(case.as_str(), |(name, _)| name);
                    *scenarios.entry(scenario).or_default() += 1;
                }
            }
        }
        for (scenario, cases) in &scenarios {
            print(&format!("nothing turns red: {scenario} ({cases} cases)\n"));
        }
        let unseen: usize = scenarios.values().sum();
        let count = |kind| by.get(&kind).copied().unwrap_or_default();
        print(&format!(
            "{name}: {} cases; turned red by a changed value {}, by a changed name or list {}, by a broken frame {}, by \
             nothing {unseen}\n",
            looked.len(),
            count(Kind::Telling),
            count(Kind::Coarse),
            count(Kind::Wire),
        ));
        blind += unseen;
    }
    Ok(if blind == 0 { CONFORMS } else { BLOCKED_OR_FAILED })
}
