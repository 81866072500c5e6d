//! `kconform dev ci`: everything that must pass before a change goes in, in the order in which it is cheapest to fail.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use clap::Args;
use kconform_brokers::Release;
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};

use crate::terminal::tell;
use crate::trouble::Trouble;

/// The flags of `ci`.
#[derive(Debug, Args)]
pub(crate) struct Ci {
    /// Also run the suite against every release of Apache Kafka, with our settings and with Apache's own
    #[arg(long)]
    full: bool,
}

/// Runs all steps up to the first that fails; gives the exit code.
pub(crate) fn run(root: &Path, args: &Ci) -> Result<i32, Trouble> {
    let cargo = |words: &str| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words.split(' '));
        (format!("cargo {words}"), command)
    };
    let mut steps = vec![
        cargo("fmt --all --check"),
        cargo("clippy --workspace --all-targets -- -D warnings"),
        ourselves("dev tidy")?,
        cargo("test --workspace"),
        ourselves("dev mutate")?,
    ];
    if args.full {
        for release in Release::ALL {
            for settings in ["--repeat 3", "--no-authorizer --repeat 3", "--apache-defaults"] {
                let words = format!(
                    "conform --release {release} {settings} --shuffle --plain --no-results"
                );
                steps.push(ourselves(&words)?);
            }
        }
    }
    for (name, mut command) in steps {
        let began = Instant::now();
        tell(&format!("== {name}"));
        let status = command
            .current_dir(root)
            // How this command was called is nothing to the tests of what a user sees.
            .env_remove("KCONFORM_INVOKED_AS")
            .status()
            .map_err(|error| Trouble::Usage(format!("`{name}` cannot be run: {error}")))?;
        let seconds = began.elapsed().as_secs_f32();
        if !status.success() {
            tell(&format!("== `{name}` failed after {seconds:.1} s ({status})"));
            return Ok(BLOCKED_OR_FAILED);
        }
        tell(&format!("== {seconds:.1} s"));
    }
    Ok(CONFORMS)
}

fn ourselves(words: &str) -> Result<(String, Command), Trouble> {
    let program = std::env::current_exe().map_err(|error| {
        Trouble::Ours(format!("the program does not know where it is: {error}"))
    })?;
    let mut command = Command::new(program);
    command.args(words.split(' '));
    Ok((format!("kconform {words}"), command))
}
