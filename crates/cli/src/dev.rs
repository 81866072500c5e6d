//! Commands for the developers of kconform, behind the hidden `kconform dev`.

pub(crate) mod catalogue;
mod ci;
pub(crate) mod complaint;
mod mutate;
mod schemas;
pub(crate) mod tidy;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};
use kconform_scenario::EACH;
use kconform_scenario::wire::schema;

use self::catalogue::ScenarioRef;
use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// How many of the longest files `tidy` names.
const LONGEST: usize = 10;

/// What only developers of kconform need; works inside its repository.
#[derive(Debug, Subcommand)]
pub(crate) enum Dev {
    /// Write the pages of the catalogue under conformance/catalogue
    Catalogue,
    /// Check the rules of the house that no compiler checks
    Tidy(Tidy),
    /// Generate the tables of the protocol from the official kafka-clients jars (needs Maven and the network)
    Schemas(schemas::Schemas),
    /// Change the committed recordings one event at a time, and name the cases that nothing turns red
    Mutate(mutate::Mutate),
    /// Run everything that must pass before a change goes in
    Ci(ci::Ci),
}

/// The flags of `tidy`.
#[derive(Debug, Args)]
pub(crate) struct Tidy {
    /// Mend what has only one right answer
    #[arg(long)]
    fix: bool,
    /// Also name the longest files and the rows that do not say who suffers
    #[arg(long)]
    verbose: bool,
}

/// Runs the command; gives the exit code.
pub(crate) fn run(command: &Dev) -> Result<i32, Trouble> {
    let root = root()?;
    match command {
        Dev::Catalogue => {
            catalogue::write(&root, &scenarios()).map_err(|error| {
                Trouble::Usage(format!("the catalogue cannot be written: {error}"))
            })?;
            Ok(CONFORMS)
        }
        Dev::Tidy(args) => {
            let complaints = tidy::run(&root, args.fix, &scenarios());
            for complaint in &complaints {
                tell(&complaint.to_string());
            }
            if args.verbose {
                details(&root);
            }
            Ok(if complaints.is_empty() { CONFORMS } else { BLOCKED_OR_FAILED })
        }
        Dev::Schemas(args) => schemas::run(&root, args),
        Dev::Mutate(args) => mutate::run(args),
        Dev::Ci(args) => ci::run(&root, args),
    }
}

fn details(root: &std::path::Path) {
    print("the longest files\n");
    for (path, lines) in tidy::longest_files(root, LONGEST) {
        print(&format!("  {lines:>5}  {}\n", path.display()));
    }
    let lacking = tidy::without_suffers();
    if !lacking.is_empty() {
        print("must rows that do not say who suffers\n");
    }
    for (prefix, rows) in lacking {
        print(&format!("  {rows:>5}  {prefix}\n"));
    }
}

/// The scenarios as the catalogue wants them.
fn scenarios() -> Vec<ScenarioRef> {
    let scenario = |scenario: &kconform_scenario::Scenario| ScenarioRef {
        id: scenario.id.to_owned(),
        also: scenario.also.iter().map(|id| (*id).to_owned()).collect(),
        name: scenario.path(),
        doc: scenario.doc.to_owned(),
        file: scenario.file.replace('\\', "/"),
        line: usize::try_from(scenario.line).unwrap_or(1),
        api: match schema::api(scenario.api) {
            Some(api) => api.name().to_owned(),
            None if scenario.api == EACH => "every API".to_owned(),
            None => format!("key {}", scenario.api),
        },
        versions: match scenario.versions {
            (first, i16::MAX) => format!("{first}.."),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}..={last}"),
        },
    };
    conformance::scenarios().into_iter().map(scenario).collect()
}

/// The top of the repository around the working directory.
fn root() -> Result<PathBuf, Trouble> {
    let here = std::env::current_dir()
        .map_err(|error| Trouble::Usage(format!("there is no working directory: {error}")))?;
    here.ancestors()
        .find(|folder| folder.join("conformance/requirements/families.toml").is_file())
        .map(std::path::Path::to_path_buf)
        .ok_or_else(|| {
            Trouble::Usage("`kconform dev` works inside the repository of kconform".to_owned())
        })
}
