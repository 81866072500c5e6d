//! The command line.

mod conform;
mod filter;
mod others;
mod reach;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::dev::Dev;
pub(crate) use conform::{Conform, Evidence};
pub(crate) use filter::FilterArgs;
pub(crate) use others::{Apis, Broker, Clean, Diff, Report, ReportFormat, TableFormat};
pub(crate) use reach::{OwnArgs, ReachArgs};

/// Conformance suite for the Kafka wire protocol.
///
/// Judges any broker that speaks the protocol, API by API and version by version, against what released Apache Kafka does,
/// and shows the bytes behind every finding.
#[derive(Debug, Parser)]
#[command(
    name = "kconform",
    bin_name = "kconform",
    version,
    propagate_version = true,
    max_term_width = 110,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Exit codes of a run: 0 conforms, 1 a requirement failed or could not be checked, 2 wrong usage, \
                        3 target unreachable or lost, 4 nothing executed, 5 a defect of kconform itself.\n\n\
                        Start with `kconform conform --bootstrap HOST:PORT`, or without --bootstrap to see a run against \
                        Apache Kafka itself."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Conform(Box<Conform>),
    List(ListArgs),
    Apis(Apis),
    Diff(Diff),
    Report(Report),
    Clean(Clean),
    #[command(subcommand)]
    Broker(Broker),
    /// For the developers of kconform
    #[command(hide = true)]
    Dev {
        #[command(subcommand)]
        command: Dev,
    },
}

/// List requirements and cases without contacting anything.
///
/// Counts, family by family, the requirements that a scenario checks and those that are still open, and names every case
/// that the selection holds.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kconform list                        everything\n  \
    kconform list --family transactions  one family\n  \
    kconform list --api Fetch --format json | jq '.cases[].name'")]
pub(crate) struct ListArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// Formats of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
