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
    /// Also run the suite against every release of Apache Kafka and every kind of cluster; takes an hour or two
    #[arg(long)]
    full: bool,
}

/// Runs the steps up to the first that fails, and then, if asked, the suite on every kind of cluster; gives the exit code.
pub(crate) fn run(root: &Path, args: &Ci) -> Result<i32, Trouble> {
    let cargo = |words: &str| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words.split(' '));
        (format!("cargo {words}"), command)
    };
    let steps = [
        cargo("fmt --all --check"),
        cargo("clippy --workspace --all-targets -- -D warnings"),
        ourselves("dev tidy")?,
        cargo("test --workspace"),
        ourselves("dev mutate")?,
    ];
    for (name, command) in steps {
        if !passes(root, &name, command)? {
            return Ok(BLOCKED_OR_FAILED);
        }
    }
    if !args.full {
        return Ok(CONFORMS);
    }
    // Each is minutes of its own: what one finds is no reason not to see the others.
    let mut failed = Vec::new();
    for cluster in clusters() {
        let words = format!("conform {cluster} --shuffle --strict --plain --no-results");
        let (name, command) = ourselves(&words)?;
        if !passes(root, &name, command)? {
            failed.push(name);
        }
    }
    for name in &failed {
        tell(&format!("== failed: {name}"));
    }
    Ok(if failed.is_empty() { CONFORMS } else { BLOCKED_OR_FAILED })
}

/// Runs a step; whether it succeeds.
fn passes(root: &Path, name: &str, mut command: Command) -> Result<bool, Trouble> {
    let began = Instant::now();
    tell(&format!("== {name}"));
    let status = command
        .current_dir(root)
        // How this command was called is nothing to the tests of what a user sees.
        .env_remove("KCONFORM_INVOKED_AS")
        .status()
        .map_err(|error| Trouble::Usage(format!("`{name}` cannot be run: {error}")))?;
    let seconds = began.elapsed().as_secs_f32();
    if status.success() {
        tell(&format!("== {seconds:.1} s"));
    } else {
        tell(&format!("== `{name}` failed after {seconds:.1} s ({status})"));
    }
    Ok(status.success())
}

/// Every kind of cluster that the suite is held to, as flags of `conform`.
fn clusters() -> Vec<String> {
    let newest = Release::newest();
    let mut clusters = Vec::new();
    for release in Release::ALL {
        let rounds = if *release == newest { 10 } else { 3 };
        for settings in ["", " --no-authorizer"] {
            clusters.push(format!("--release {release}{settings} --repeat {rounds}"));
        }
        clusters.push(format!("--release {release} --apache-defaults"));
    }
    for level in [0, 1] {
        clusters
            .push(format!("--release {newest} --feature transaction.version={level} --repeat 3"));
    }
    // From 4.0 on the newer coordinator is the only one.
    clusters.push(format!("--release 3.9 --setting {NEWER_COORDINATOR} --repeat 3"));
    for release in ["3.9", &newest.line()] {
        clusters.push(format!("--release {release} --nodes 3"));
    }
    clusters
}

/// What switches a release of 3.x to the newer group coordinator (KIP-848).
const NEWER_COORDINATOR: &str = "group.coordinator.rebalance.protocols=classic,consumer";

fn ourselves(words: &str) -> Result<(String, Command), Trouble> {
    let program = std::env::current_exe().map_err(|error| {
        Trouble::Ours(format!("the program does not know where it is: {error}"))
    })?;
    let mut command = Command::new(program);
    command.args(words.split(' '));
    Ok((format!("kconform {words}"), command))
}
