//! `kconform dev schemas`: the tables of the protocol, generated anew from the official kafka-clients jars.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};
use kconform_scenario::wire::schema::generate;

use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// Together these describe every version that any broker since 2.8 answers: 2.8.2 is the last line before the removals of 3.x,
/// 3.9.2 the last with what 4.0 removed (KIP-896).
const RELEASES: [&str; 3] = ["2.8.2", "3.9.2", "4.4.0"];
/// The committed tables.
const FILE: &str = "fixtures/schemas/messages.txt";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

/// The flags of `schemas`.
#[derive(Debug, Args)]
pub(crate) struct Schemas {
    /// Write nothing; exit with 1 when the committed tables differ
    #[arg(long)]
    check: bool,
    /// Take the jars from this folder instead of fetching them
    #[arg(long, value_name = "DIR")]
    jars: Option<PathBuf>,
}

/// Generates the tables; gives the exit code.
pub(crate) fn run(root: &Path, args: &Schemas) -> Result<i32, Trouble> {
    let folder = args.jars.clone().unwrap_or_else(|| root.join("target/schemas"));
    let mut jars = Vec::new();
    for release in RELEASES {
        let jar = folder.join(format!("kafka-clients-{release}.jar"));
        if args.jars.is_none() && !jar.is_file() {
            fetch(release, &folder)?;
        }
        jars.push((release, jar));
    }
    let jars: Vec<(&str, &Path)> =
        jars.iter().map(|(release, jar)| (*release, jar.as_path())).collect();
    let text = generate::from_jars(&jars)
        .map_err(|error| Trouble::Usage(format!("no tables come out of the jars: {error}")))?;
    let file = root.join(FILE);
    if std::fs::read_to_string(&file).ok().as_ref() == Some(&text) {
        print(&format!("{FILE} is as the jars say\n"));
        return Ok(CONFORMS);
    }
    if args.check {
        tell(&format!(
            "{FILE} is not what the jars say\n    run `cargo xtask schemas` and commit it"
        ));
        return Ok(BLOCKED_OR_FAILED);
    }
    std::fs::write(&file, text)
        .map_err(|error| Trouble::Usage(format!("{FILE} cannot be written: {error}")))?;
    print(&format!("{FILE} is new; review it with git diff\n"));
    Ok(CONFORMS)
}

/// Has Maven copy the jar out of its own cache, filled from its repository where it must be.
fn fetch(release: &str, folder: &Path) -> Result<(), Trouble> {
    tell(&format!("fetching kafka-clients {release}"));
    let status = Command::new("mvn")
        .args(["-q", "-B", PLUGIN])
        .arg(format!("-Dartifact=org.apache.kafka:kafka-clients:{release}"))
        .arg(format!("-DoutputDirectory={}", folder.display()))
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Trouble::Usage(format!(
            "Maven could not fetch kafka-clients {release} ({status}); check the network and Maven's settings.xml, or \
             name a folder that holds the jars with --jars"
        ))),
        Err(error) => Err(Trouble::Usage(format!(
            "Maven (mvn) cannot be run: {error}; install the package maven, or name a folder that holds the jars with \
             --jars"
        ))),
    }
}
