//! The suite under plain `cargo test`.
//!
//! With `KCONFORM_BOOTSTRAP=host:port` every case runs against that broker; without it the committed recordings of
//! released Apache brokers are played back, with neither a broker nor a network.

#![allow(clippy::unwrap_used, reason = "a test without its fixtures is a failed test")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use kconform_harness::plan::Filter;
use kconform_harness::recording::read_folder;
use kconform_harness::{
    DEADLINE, Options, ReplayOptions, Row, Suite, Target, Watch, probe, replay, run, wanted,
};
use kconform_report::{Level, Record, Replay, Verdict, console_finding};
use kconform_scenario::wire::{Dial, Matching};
use libtest_mimic::{Arguments, Completion, Trial};

struct Silent;

impl Watch for Silent {
    fn ended(&self, _: &Record) {}
    fn told(&self, line: &str) {
        eprintln!("{line}");
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let suite = Suite {
        scenarios: conformance::scenarios(),
        row: |id| {
            conformance::catalogue::requirement(id).map(|row| Row {
                level: match row.level {
                    conformance::catalogue::Level::Must => Level::Must,
                    conformance::catalogue::Level::Should => Level::Should,
                    conformance::catalogue::Level::Quirk => Level::Quirk,
                },
                text: row.text.clone(),
            })
        },
    };
    match std::env::var("KCONFORM_BOOTSTRAP") {
        Ok(bootstrap) => live(&suite, &bootstrap, arguments),
        Err(_) => recorded(&suite, arguments),
    }
}

fn recorded(suite: &Suite, arguments: Arguments) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    let mut trials = Vec::new();
    for release in std::fs::read_dir(root).unwrap() {
        let release = release.unwrap();
        let name = release.file_name().to_string_lossy().into_owned();
        let files = read_folder(&release.path()).unwrap();
        let options = ReplayOptions {
            filter: Filter::default(),
            matching: Matching::Strict,
            again: format!("kconform conform --replay {name}"),
        };
        let played = replay(suite, &files, &options, &Silent);
        let orphans = played.orphans.into_iter().map(|orphan| {
            let message =
                format!("{orphan} is in the recording and not in the suite: record {name} again");
            Trial::test(format!("{name}::{orphan}"), move || Err(message.into()))
        });
        trials.extend(orphans);
        trials.extend(played.records.into_iter().map(|record| {
            let name = format!("{name}::{}", record.name);
            Trial::ignorable_test(name, move || judged(&record))
        }));
    }
    finish(&libtest_mimic::run(&arguments, trials))
}

fn judged(record: &Record) -> Result<Completion, libtest_mimic::Failed> {
    match record.verdict {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::Unsupported | Verdict::NotRun => {
            Ok(Completion::ignored_with(record.reason.clone().unwrap_or_default()))
        }
        _ => Err(console_finding(record, false).into()),
    }
}

fn live(suite: &Suite, bootstrap: &str, arguments: Arguments) -> ExitCode {
    let Some((host, port)) =
        bootstrap.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)))
    else {
        eprintln!("KCONFORM_BOOTSTRAP={bootstrap} is not host:port");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let probed = match runtime.block_on(probe(&Target::at(vec![Dial::plain(host, port)]))) {
        Ok(probed) => probed,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(3);
        }
    };
    let cases = wanted(suite, &probed, &Filter::default());
    let options = Options {
        filter: Filter::default(),
        seed: None,
        repeat: 1,
        jobs: arguments.test_threads.unwrap_or(16),
        fail_fast: false,
        again: format!("kconform conform --bootstrap {bootstrap}"),
        results: None,
        append: false,
        all_evidence: false,
        keep_events: false,
        run_id: format!("{:06x}", std::process::id()),
        deadline: DEADLINE,
        target_wait: std::time::Duration::from_secs(30),
        convict: false,
        mimic: Some(arguments),
    };
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let done = run(suite, &probed, cases, options, runtime.handle(), Arc::new(Silent), interrupted);
    let bad = |record: &&Record| {
        let verdict = matches!(record.verdict, Verdict::Failed | Verdict::Blocked | Verdict::Error);
        (verdict && record.level == Level::Must) || matches!(record.replay, Replay::Unstable(_))
    };
    ExitCode::from(u8::from(done.records.iter().any(|record| bad(&record))))
}

fn finish(conclusion: &libtest_mimic::Conclusion) -> ExitCode {
    ExitCode::from(u8::from(conclusion.has_failed()))
}
