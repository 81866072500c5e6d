//! The flags of `kconform conform`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kconform_scenario::Reference;

use super::reach::ClientArgs;
use super::{FilterArgs, Format, OwnArgs, ReachArgs};
use crate::trouble::Trouble;

/// Judge a broker: run the suite against it, or against an Apache Kafka started for the run.
///
/// Without --bootstrap the newest Apache Kafka is fetched (once), started, judged and stopped; without Java or Maven a
/// recorded run of it is replayed, so that one can see what a run looks like.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Conform {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) manner: Manner,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Conform {
    /// Flags that have no meaning together, where no parser can tell.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        if self.reach.is_empty() && self.reach.client != ClientArgs::default() {
            return Err(Trouble::Usage(
                "how to get in is given, but not where: add --bootstrap HOST:PORT".to_owned(),
            ));
        }
        if !self.reach.is_empty() && self.own != OwnArgs::default() {
            return Err(Trouble::Usage(
                "--release, --nodes, --no-authorizer, --feature, --setting and --no-special are about an Apache Kafka that is started \
                 for the run; leave them out, or the target (--reference says which release a target is held to)"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// A recording is to be judged.
    pub(crate) fn replay_asked(&self) -> bool {
        self.manner.replay.is_some()
    }
}

const EXAMPLES: &str = r#"Examples:
  kconform conform --bootstrap localhost:9092      everything that the target can be asked
  kconform conform --bootstrap localhost:9092 --api Fetch --api-version 12..
  kconform conform --release 3.9 --family groups   an Apache Kafka of our own
  kconform conform --list --level must             what would be run
  kconform conform --release 4.4 --family properties --properties 5m
  kconform conform --bootstrap broker:9093 --command-config client.properties
  kconform conform --target staging.toml --strict  listeners and users from a target file

A target file; each listener and each user in it is tried once before the run:
  [target]
  bootstrap = "broker:9092"            # or command_config = "client.properties"
  reference = "4.1"                    # the release line to hold it to
  disruptive = false                   # true: as --allow-disruptive
  [listeners.sasl_ssl]                 # or plaintext, sasl_plaintext, ssl, mtls, reauth, limited
  address = "broker:9094"
  ca = "ca.pem"                        # and cert, key, server_name, check_name
  [users.unprivileged]                 # or super, second_unprivileged
  name = "alice"
  password_file = "alice.secret"       # or password_env = "VARIABLE"
  mechanisms = ["PLAIN", "SCRAM-SHA-256"]
  [limits]
  jobs = 8                             # cases at a time
  target_wait = 60                     # seconds

Exit codes: 0 conforms, 1 a requirement failed or could not be checked, 2 wrong usage, 3 target
unreachable or lost, 4 nothing executed, 5 a defect of kconform itself. A run that is interrupted
exits with 1, and with 130 before it began or when it is interrupted twice."#;

/// How the cases are run and judged.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "How to run")]
pub(crate) struct Manner {
    /// Hold the target to this Apache Kafka release line (default: the nearest by what it advertises)
    #[arg(long, value_name = "X.Y")]
    pub(crate) reference: Option<Reference>,
    /// A failed or blocked SHOULD counts like a MUST
    #[arg(long)]
    pub(crate) strict: bool,
    /// Allow cases that disturb other users of the target: broker-wide settings, killed connections
    #[arg(long)]
    pub(crate) allow_disruptive: bool,
    /// Cases at a time (default: 64; half of them wait for timers of the broker)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// Run all of it this many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Run in random order; the same seed gives the same order
    #[arg(long, value_name = "SEED", num_args = 0..=1, value_parser = seed)]
    pub(crate) shuffle: Option<Option<u64>>,
    /// After the run, check properties with fresh values for this long, such as 30s, 5m or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["replay", "list", "exact"])]
    pub(crate) properties: Option<Duration>,
    /// With --properties: the seed that a run told, to draw the same values again
    #[arg(long, value_name = "SEED", requires = "properties")]
    pub(crate) properties_seed: Option<u64>,
    /// Stop after the first failed case
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// How long to wait for a target that went away; when given, also for one that is not there yet
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) target_wait: Option<Duration>,
    /// Judge a recording instead of a target: a folder, or a release whose recording is part of kconform
    #[arg(long, value_name = "DIR|RELEASE", conflicts_with_all = ["bootstrap", "target", "command_config", "release", "nodes", "no_authorizer", "record"])]
    pub(crate) replay: Option<String>,
    /// With --replay: compare only API and version of what is sent, for scenarios edited since the recording
    #[arg(long, requires = "replay")]
    pub(crate) lenient: bool,
}

/// What is shown and kept.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// List what is selected and run nothing; no target is needed
    #[arg(long)]
    pub(crate) list: bool,
    /// How --list prints
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "list")]
    pub(crate) format: Format,
    /// Where the results go (default: ./kconform-results/RUN-ID)
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
    /// Keep no results
    #[arg(long, conflicts_with_all = ["results", "evidence"])]
    pub(crate) no_results: bool,
    /// Of which cases the frames are kept
    #[arg(long, value_enum, default_value_t = Evidence::Failed)]
    pub(crate) evidence: Evidence,
    /// Keep all that is needed to replay the run, in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// The id of the run, part of every name that it makes on the target (default: a fresh one)
    #[arg(long, value_name = "ID", value_parser = run_id)]
    pub(crate) run_id: Option<String>,
    /// No colours and no progress bar (also: NO_COLOR, or output that is no terminal)
    #[arg(long)]
    pub(crate) plain: bool,
}

/// Of which cases the frames are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Evidence {
    /// Of those that did not pass
    Failed,
    /// Of all
    All,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not a seed, which is a number; name filters before --shuffle")
    })
}

/// Hours, minutes and seconds, each at most once and in this order.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write 30s, 5m, 1m30s or 1h");
    let (mut rest, mut total) = (text, 0_u64);
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        let Some((number, behind)) = rest.split_once(unit) else { continue };
        // `parse` alone would take a sign.
        if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(seconds).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = behind;
    }
    if !rest.is_empty() || text.is_empty() {
        return Err(wrong());
    }
    match total {
        0 => Err("a duration above nothing".to_owned()),
        1..=LONGEST => Ok(Duration::from_secs(total)),
        _ => Err("at most 24h".to_owned()),
    }
}

/// Seconds of a day: longer, and something else was meant.
const LONGEST: u64 = 86_400;

fn seconds(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches('s').parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err("a whole number of seconds".to_owned()),
    }
}

/// Run ids become parts of topic names, so that only what a topic name may hold is allowed.
pub(crate) fn run_id(text: &str) -> Result<String, String> {
    let usable = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if text.is_empty() || text.len() > 32 || !text.chars().all(usable) {
        return Err("1 to 32 letters, digits, `-` and `_`".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
