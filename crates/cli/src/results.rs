//! What a run leaves on disk: manifest, records, JUnit, Markdown.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kconform_harness::fingerprint;
use kconform_report::{
    ApiRow, MANIFEST_FILE, Manifest, Mode, RECORDS_FILE, Run, junit, markdown, to_line,
};
use kconform_scenario::wire::schema;
use kconform_scenario::{Broker, Facts};

use crate::args::Conform;
use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// The folder of folders when nobody names one.
const DEFAULT: &str = "kconform-results";
const JUNIT_FILE: &str = "junit.xml";
pub(crate) const REPORT_FILE: &str = "report.md";

/// The results folder of a run, if it has one.
#[derive(Debug)]
pub(crate) struct Results {
    folder: Option<PathBuf>,
}

impl Results {
    /// Makes the folder and writes the manifest of a run that has not ended. Where the default folder cannot be written that is
    /// said, and is no reason to stop; whoever names a folder wants it.
    pub(crate) fn open(args: &Conform, run_id: &str, manifest: &Manifest) -> Result<Self, Trouble> {
        if args.output.no_results {
            return Ok(Self { folder: None });
        }
        let folder = args.output.results.clone();
        let folder = folder.unwrap_or_else(|| Path::new(DEFAULT).join(run_id));
        // What an earlier run left there must not pass for this one's, should this one be killed.
        for stale in [JUNIT_FILE, REPORT_FILE] {
            let _ = fs::remove_file(folder.join(stale));
        }
        match fs::create_dir_all(&folder).and_then(|()| write_manifest(&folder, manifest)) {
            Ok(()) => Ok(Self { folder: Some(folder) }),
            Err(error) if args.output.results.is_some() => {
                Err(unwritable("--results", &folder, &error))
            }
            Err(error) => {
                tell(&format!(
                    "the results folder {} cannot be written ({error}); the run goes on and keeps nothing, \
                     --results DIR names another folder",
                    folder.display()
                ));
                Ok(Self { folder: None })
            }
        }
    }

    /// The folder, for the records.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.folder.clone()
    }

    /// Writes what is known only at the end. Where the records could not be written one by one, another try is made with all.
    pub(crate) fn close(&self, run: &Run, records_on_disk: bool) {
        let Some(folder) = &self.folder else { return };
        let written = write_manifest(folder, &run.manifest)
            .and_then(|()| if records_on_disk { Ok(()) } else { write_records(folder, run) })
            .and_then(|()| fs::write(folder.join(JUNIT_FILE), junit(run)))
            .and_then(|()| fs::write(folder.join(REPORT_FILE), markdown(run)));
        match written {
            Ok(()) => print(&format!(
                "\nResults in {}: {REPORT_FILE}, {JUNIT_FILE}, {MANIFEST_FILE}, {RECORDS_FILE}\n",
                folder.display()
            )),
            Err(error) => {
                tell(&format!("the results in {} are not complete: {error}", folder.display()))
            }
        }
    }
}

/// Whether the folders that flags name can be written, as far as that can be told without making them: a run that loses what was
/// asked for had better not begin.
pub(crate) fn writable(args: &Conform) -> Result<(), Trouble> {
    for (flag, folder) in [("--results", &args.output.results), ("--record", &args.output.record)] {
        let Some(folder) = folder else { continue };
        // What is not there yet will be made where its nearest ancestor is.
        let there = folder.ancestors().find(|path| path.as_os_str().is_empty() || path.exists());
        let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let trial = there.join(format!(".kconform-{}", std::process::id()));
        let tried = if there.is_dir() {
            fs::write(&trial, "").and_then(|()| fs::remove_file(&trial))
        } else {
            Err(io::Error::other(format!("{} is no folder", there.display())))
        };
        tried.map_err(|error| unwritable(flag, folder, &error))?;
    }
    Ok(())
}

fn unwritable(flag: &str, folder: &Path, error: &io::Error) -> Trouble {
    Trouble::Usage(format!(
        "{flag} {}: the folder cannot be written: {error}\n    name a folder that can be, or leave {flag} out",
        folder.display()
    ))
}

/// The manifest of a run that begins now: what is known of its target, and nothing of its end.
pub(crate) fn manifest(
    run_id: &str,
    mode: Mode,
    bootstrap: String,
    facts: &Facts,
    nearest: &fingerprint::Nearest,
) -> Manifest {
    let level = |(name, level): (&String, &i16)| (name.clone(), level.to_string());
    Manifest {
        schema: kconform_report::SCHEMA_VERSION,
        tool: format!("kconform {}", env!("CARGO_PKG_VERSION")),
        run_id: run_id.to_owned(),
        started: now(),
        took_ms: 0,
        mode,
        target: kconform_report::Target {
            bootstrap,
            cluster_id: facts.cluster_id.clone(),
            brokers: facts.brokers.iter().map(broker).collect(),
            nearest: format!("Apache Kafka {}", nearest.reference),
            why: nearest.why.clone(),
            features: facts.finalized.iter().map(level).collect(),
            authorizer: facts.authorizer,
        },
        reference: facts.reference.to_string(),
        selection: std::env::args().skip(2).collect(),
        seed: None,
        planned: 0,
        counts: kconform_report::Counts::default(),
        exit_code: None,
        apis: apis(&facts.apis, fingerprint::release(facts.reference)),
        leftovers: Vec::new(),
    }
}

/// The time of day as RFC 3339.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A run id that sorts by time: `261121-1433-5f2a`.
pub(crate) fn fresh_run_id() -> String {
    let time = jiff::Timestamp::now().strftime("%y%m%d-%H%M");
    format!("{time}-{:04x}", fresh_seed() & 0xffff)
}

/// A seed nobody has had.
pub(crate) fn fresh_seed() -> u64 {
    let mut bytes = [0; 4];
    // Without randomness the clock does: nothing secret hangs on it.
    if getrandom::fill(&mut bytes).is_err() {
        return u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs());
    }
    u64::from(u32::from_le_bytes(bytes))
}

/// A broker, in the words of reports.
pub(crate) fn broker(broker: &Broker) -> kconform_report::Broker {
    kconform_report::Broker {
        id: broker.id,
        host: broker.host.clone(),
        port: i32::from(broker.port),
        rack: broker.rack.clone(),
    }
}

/// What the target advertises beside what the reference does, a row an API.
pub(crate) fn apis(
    target: &fingerprint::Ranges,
    reference: Option<&fingerprint::Release>,
) -> Vec<ApiRow> {
    let none = fingerprint::Ranges::new();
    let apache = reference.map_or(&none, |release| &release.apis);
    let keys: std::collections::BTreeSet<i16> =
        target.keys().chain(apache.keys()).copied().collect();
    let row = |key: i16| ApiRow {
        key,
        name: schema::api(key).map_or_else(|| format!("key {key}"), |api| api.name().to_owned()),
        target: target.get(&key).copied(),
        apache: apache.get(&key).copied(),
        ..ApiRow::default()
    };
    keys.into_iter().map(row).collect()
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_string_pretty(manifest)?;
    fs::write(folder.join(MANIFEST_FILE), text + "\n")
}

fn write_records(folder: &Path, run: &Run) -> io::Result<()> {
    let lines: String = run.records.iter().map(|record| to_line(record) + "\n").collect();
    fs::write(folder.join(RECORDS_FILE), lines)
}
