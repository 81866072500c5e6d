//! The flags that say which broker, and how to reach it.

use clap::Args;
use kconform_brokers::Release;

/// Where the target is and how a client gets in.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct ReachArgs {
    /// Addresses of the target; the first that answers is taken
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) bootstrap: Vec<String>,
}

impl ReachArgs {
    /// Nobody named a target.
    pub(crate) fn is_empty(&self) -> bool {
        self.bootstrap.is_empty()
    }

    /// The same flags, for the command that repeats a case.
    pub(crate) fn again(&self) -> Vec<String> {
        vec!["--bootstrap".to_owned(), self.bootstrap.join(",")]
    }
}

/// An Apache Kafka of our own, started for the run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Apache Kafka of our own")]
pub(crate) struct OwnArgs {
    /// The release to start, as X.Y or X.Y.Z
    #[arg(long, value_name = "RELEASE", default_value_t = Release::newest())]
    pub(crate) release: Release,
    /// How many nodes: 1 with every listener, or 3 with the plaintext one
    #[arg(long, value_name = "1|3", default_value_t = 1, value_parser = nodes)]
    pub(crate) nodes: usize,
    /// Start it without an authorizer, as most clusters run
    #[arg(long)]
    pub(crate) no_authorizer: bool,
    /// Start it with Apache's own intervals and sizes, not with short ones
    #[arg(long, hide = true)]
    pub(crate) apache_defaults: bool,
}

fn nodes(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("one node or three can be started".to_owned()),
    }
}
