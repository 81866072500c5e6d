//! Runs that judge a recording instead of a target.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kconform_harness::recording::{self, Head};
use kconform_harness::{ReplayOptions, fingerprint, replay};
use kconform_report::{
    Circumstances, Manifest, Mode, Run, console_header, console_summary, exit_code, tally,
};
use kconform_scenario::wire::Matching;

use crate::args::Conform;
use crate::committed::Files;
use crate::progress::Progress;
use crate::results::Results;
use crate::terminal::{Terminal, print, tell};
use crate::trouble::Trouble;
use crate::{again, committed, near, results, suite};

/// `--replay`: judges the recording that was asked for, and exits as it judges.
pub(crate) fn asked(args: &Conform) -> Result<i32, Trouble> {
    results::writable(args)?;
    let what = args.manner.replay.as_deref().unwrap_or_default();
    let files = if Path::new(what).is_dir() {
        recording::read_folder(Path::new(what))
    } else {
        committed::read(what).unwrap_or_else(|| {
            let known = committed::releases().collect::<Vec<_>>().join(", ");
            Err(recording::RecordingError {
                path: what.into(),
                why: format!("neither a folder with a recording nor a release of which there is one ({known})"),
            })
        })
    };
    let files = files.map_err(|error| Trouble::Usage(format!("--replay: {error}")))?;
    judge(args, &files, what, false)
}

/// Nothing could be started: judges the recording that is part of kconform, so that one sees what a run looks like. It says
/// nothing about any target, so that it never exits with 0.
pub(crate) fn replay_committed(args: &Conform) -> Result<i32, Trouble> {
    let newest = committed::newest();
    tell(&format!(
        "No broker could be started, so the recording of Apache Kafka {newest} that is part of kconform is played back. \
         It says nothing about any target of yours; --bootstrap HOST:PORT judges one."
    ));
    let Some(files) = committed::read(newest) else {
        return Err(Trouble::Nothing("no recording is part of this build".to_owned()));
    };
    let files = files.map_err(|error| Trouble::Ours(error.to_string()))?;
    judge(args, &files, newest, true)
}

fn judge(args: &Conform, files: &Files, what: &str, unasked: bool) -> Result<i32, Trouble> {
    let terminal = Terminal::of(args.output.plain);
    let began = Instant::now();
    let suite = suite::suite();
    let Some((head, _)) = files.first() else {
        return Err(Trouble::Nothing(format!("the recording {what} is empty")));
    };
    let run_id = args.output.run_id.clone().unwrap_or_else(results::fresh_run_id);
    let mut manifest = manifest(&run_id, head);
    manifest.planned = files.iter().map(|(_, cases)| cases.len()).sum();
    print(&console_header(&manifest, terminal.colour));
    let results = Results::open(args, &run_id, &manifest)?;

    let progress = Arc::new(Progress::new(terminal, manifest.planned));
    let matching = if args.manner.lenient { Matching::Lenient } else { Matching::Strict };
    let options =
        ReplayOptions { filter: args.filter.filter(), matching, again: again::replay(what) };
    let played = replay(&suite, files, &options, progress.as_ref());
    progress.finish(results.folder().as_deref());
    if played.records.is_empty() {
        return Err(Trouble::Nothing(near::nothing_selected(&suite, &args.filter)));
    }
    for orphan in &played.orphans {
        tell(&format!("{orphan} is in the recording and not in the suite: record it again"));
    }

    let circumstances = Circumstances {
        strict: args.manner.strict,
        unasked_replay: unasked,
        ..Circumstances::default()
    };
    let code = exit_code(&played.records, &circumstances);
    manifest.planned = played.records.len();
    manifest.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    manifest.exit_code = Some(code);
    tally(&mut manifest, &played.records);
    let run = Run::new(manifest, played.records);
    print(&format!("\n{}", console_summary(&run, terminal.colour)));
    // Nothing was written along the way: a replay is over in seconds and loses nothing.
    results.close(&run, false);
    Ok(code)
}

fn manifest(run_id: &str, head: &Head) -> Manifest {
    let facts = &head.facts;
    let mode = Mode::Replayed { release: head.product.clone(), recorded: head.date.clone() };
    let bootstrap = format!("{}:{}", facts.host, facts.port);
    let nearest = fingerprint::nearest(&facts.apis, &facts.supported);
    results::manifest(run_id, mode, bootstrap, facts, &nearest)
}
