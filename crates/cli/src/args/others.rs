//! The flags of the smaller commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kconform_scenario::Reference;

use super::{OwnArgs, ReachArgs};

/// Show which API versions a broker offers, beside the nearest Apache Kafka release.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kconform apis --bootstrap localhost:9092\n  \
    kconform apis --bootstrap localhost:9092 --reference 3.9 --format md\n  \
    kconform apis --bootstrap broker:9093 --command-config client.properties --format json")]
pub(crate) struct Apis {
    /// Compare with this Apache Kafka release line (default: the nearest)
    #[arg(long, value_name = "X.Y")]
    pub(crate) reference: Option<Reference>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// Formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people
    Text,
    /// Markdown
    Md,
    /// JSON
    Json,
    /// Comma-separated values, a line an API
    Csv,
}

/// Compare the API versions of two brokers, and what clients will negotiate with each.
///
/// Exits with 1 when the target lacks an API or version that the source offers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kconform diff --source old:9092 --target new:9092\n  \
    kconform diff --source old:9092 --target new:9093 --target-config client.properties\n  \
    kconform diff --source old.toml --target new.toml --format md\n\n\
    Exit codes: 0 the target offers all that the source does, 1 it lacks something, 2 wrong usage, 3 a side cannot be reached.")]
pub(crate) struct Diff {
    /// The broker that clients use today: HOST:PORT[,...] or a target file
    #[arg(long, value_name = "HOST:PORT|FILE")]
    pub(crate) source: String,
    /// The broker that they are to use: HOST:PORT[,...] or a target file
    #[arg(long, value_name = "HOST:PORT|FILE")]
    pub(crate) target: String,
    /// How to reach the source: a client.properties
    #[arg(long, value_name = "FILE")]
    pub(crate) source_config: Option<PathBuf>,
    /// How to reach the target: a client.properties
    #[arg(long, value_name = "FILE")]
    pub(crate) target_config: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

/// Render the results of a run again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kconform report kconform-results/261121-1433-5f2a\n  \
    kconform report results --format junit > junit.xml")]
pub(crate) struct Report {
    /// The results folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// How to render it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,
    /// No colours
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Formats of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Every finding and the summary, as on the console of the run
    Text,
    /// Markdown
    Md,
    /// JUnit XML
    Junit,
    /// The manifest and all records as one JSON object
    Json,
}

/// Remove what runs left behind on a target: topics, ACLs, SCRAM users, client quotas and replication quotas of brokers.
///
/// Runs remove what they make; one that was killed cannot. Only what has a name that begins with the prefix of kconform is touched,
/// and a replication quota of one byte a second, which nobody else sets.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    kconform clean --bootstrap localhost:9092 --run-id 261121-1433-5f2a\n  \
    kconform clean --bootstrap localhost:9092 --all\n\n\
    Exit codes: 0 nothing is left, 1 something could not be deleted, 2 wrong usage, 3 the target cannot be reached.")]
pub(crate) struct Clean {
    /// The run whose things go; its console began with the id, and its manifest.json holds it
    #[arg(long, value_name = "ID", value_parser = super::conform::run_id)]
    pub(crate) run_id: Option<String>,
    /// What every run made, even one that is going on
    #[arg(long, conflicts_with = "run_id")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// Start, list and stop Apache Kafka brokers that stay when the command ends.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    kconform broker start                     the newest release, known as `kafka`\n  \
    kconform broker start --name old --release 3.9 --no-authorizer\n  \
    kconform broker list\n  \
    kconform broker kill kafka 1              one node, as a power cut would\n  \
    kconform broker restart kafka 1\n  \
    kconform broker stop kafka")]
pub(crate) enum Broker {
    /// Start a cluster and leave it running; prints its endpoints and a target file with all listeners and users
    Start {
        /// The name to know it by
        #[arg(long, default_value = "kafka")]
        name: String,
        #[command(flatten)]
        own: OwnArgs,
    },
    /// Stop clusters and remove their data; each is named, since others may have started theirs meanwhile
    Stop {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Kill one node of a cluster
    Kill {
        /// The name of the cluster
        name: String,
        /// The node, which is also its broker id
        node: usize,
        /// Stop it in good order instead: a controlled shutdown
        #[arg(long)]
        orderly: bool,
    },
    /// Start a node that was killed on its data, and wait until it serves; one that runs is left alone
    Restart {
        /// The name of the cluster
        name: String,
        /// The node, which is also its broker id
        node: usize,
    },
    /// List the clusters
    List {
        /// How to print it
        #[arg(long, value_enum, default_value_t = super::Format::Text)]
        format: super::Format,
    },
}
