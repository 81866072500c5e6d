//! The kconform command: judges any broker that speaks the Kafka protocol, compares brokers, and starts real Apache Kafka.
//!
//! [`args`] is the command line; each command has a module of its own.

mod again;
mod apis;
mod args;
mod broker;
mod clean;
mod clients;
mod committed;
mod conform;
mod dev;
mod diff;
mod interrupt;
mod list;
mod near;
mod own;
mod progress;
mod reach;
mod replayed;
mod report;
mod results;
mod suite;
mod table;
mod terminal;
mod trouble;
mod versions;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use kconform_report::OUR_ERROR;

use crate::args::{Cli, Command};
use crate::trouble::Trouble;

fn main() -> ExitCode {
    // Wrong usage ends here, with exit code 2.
    let cli = Cli::parse();
    log();
    let code = match catch_unwind(AssertUnwindSafe(|| run(cli.command))) {
        Ok(Ok(code)) => code,
        Ok(Err(trouble)) => {
            eprintln!("{trouble}");
            trouble.code()
        }
        // The panic has already been printed.
        Err(_) => OUR_ERROR,
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn run(command: Command) -> Result<i32, Trouble> {
    match command {
        Command::Conform(args) => conform::run(&args),
        Command::Dev { command } => dev::run(&command),
        Command::Apis(args) => apis::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::Broker(command) => broker::run(&command),
        Command::List(args) => list::run(&args.filter, args.format),
    }
}

/// What the libraries have to say is for developers: `RUST_LOG=info` shows it.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    // Fails only when somebody has set a subscriber before, which nobody has.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
