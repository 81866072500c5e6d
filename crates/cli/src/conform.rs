//! `kconform conform`: reach or start a target, plan, run, show, write down, and end with the exit code.

mod dead_broker;
mod enter;
pub(crate) mod mortal;
mod plan;
mod properties;
mod record;
mod special;
mod ways;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kconform_harness::{Done, Options, Probed, Target};
use kconform_report::{
    BLOCKED_OR_FAILED, CONFORMS, Circumstances, Manifest, Mode, NOTHING_EXECUTED, Run,
    console_header, console_summary_with, exit_code, tally,
};

use crate::args::{Conform, Evidence};
use crate::interrupt::Interrupt;
use crate::own::Own;
use crate::progress::Progress;
use crate::reach::Reached;
use crate::results::Results;
use crate::terminal::{Terminal, print, tell};
use crate::trouble::Trouble;
use crate::{again, list, own, reach, replayed, results, suite};
use record::Recordings;
use ways::Ways;

/// Cases at a time when nobody says.
const JOBS: u16 = 64;
/// How long a lost target may be away when nobody says.
const TARGET_WAIT: Duration = Duration::from_secs(30);

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Conform) -> Result<i32, Trouble> {
    if args.output.list {
        return list::run(&args.filter, args.output.format);
    }
    if args.replay_asked() {
        return replayed::asked(args);
    }
    if let Some(reference) = args.manner.reference {
        reach::known_reference(reference)?;
    }
    args.check()?;
    results::writable(args)?;
    // Before anything is started for it.
    crate::near::check(&suite::suite(), &args.filter)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Trouble::Ours(format!("no runtime for the network: {error}")))?;
    let interrupt = Interrupt::install(runtime.handle());
    if !args.reach.is_empty() {
        let mut reached = reach::target(&args.reach)?;
        reached.target.disruptive |= args.manner.allow_disruptive;
        return judge(args, &runtime, &interrupt, reached, None);
    }
    match own::start(&args.own)? {
        own::Started::Running(own) => {
            let reached = Reached { target: own.target()?, file: None, jobs: None, wait: None };
            judge(args, &runtime, &interrupt, reached, Some(&own))
        }
        own::Started::Impossible(why) => {
            tell(&why);
            replayed::replay_committed(args)
        }
    }
}

fn judge(
    args: &Conform,
    runtime: &tokio::runtime::Runtime,
    interrupt: &Interrupt,
    reached: Reached,
    own: Option<&Own>,
) -> Result<i32, Trouble> {
    let terminal = Terminal::of(args.output.plain);
    let began = Instant::now();
    let mut drawn = properties::Drawn::of(args)?;
    let Reached { mut target, file, jobs, wait } = reached;
    let jobs = args.manner.jobs.or(jobs).unwrap_or(JOBS);
    let wait = args.manner.target_wait.or(wait);
    target.reference = args.manner.reference.or(target.reference);
    let probed = match own {
        Some(_) => runtime.block_on(enter::enter_own(&target))?,
        None => {
            let entered = enter::enter(&target, file.as_deref(), wait.unwrap_or_default());
            runtime.block_on(entered)?
        }
    };
    let suite = suite::suite();
    let filter = args.filter.filter();
    let mut cases = kconform_harness::wanted(&suite, &probed, &filter);
    if cases.is_empty() {
        return Err(Trouble::Nothing(crate::near::nothing_selected(&suite, &args.filter)));
    }

    let run_id = args.output.run_id.clone().unwrap_or_else(results::fresh_run_id);
    let mut manifest = manifest(args, &run_id, &target, &probed);
    let rounds = usize::try_from(args.manner.repeat).unwrap_or(1);
    manifest.planned = cases.len() * rounds;
    print(&console_header(&manifest, terminal.colour));
    print(&plan::surroundings(&probed));
    // One node is started in a moment; a special cluster of three is not worth its time.
    let shapes = match own {
        Some(_) if args.own.nodes() == 1 && !args.own.no_special => special::take(&mut cases),
        _ => Vec::new(),
    };
    let ways = own.map_or_else(Ways::default, |_| Ways::of(args, &probed.facts, &cases));
    print(&plan::outline(&probed.facts, &cases, args.manner.repeat, jobs, &ways));
    if !shapes.is_empty() {
        print(&special::announced(manifest.planned - cases.len() * rounds, shapes.len()));
    }
    if let Some(seed) = manifest.seed {
        print(&format!("Shuffled: `--shuffle {seed}` gives this order again.\n"));
    }
    let results = Results::open(args, &run_id, &manifest)?;

    let options = Options {
        filter,
        seed: manifest.seed,
        repeat: args.manner.repeat,
        jobs: usize::from(jobs),
        fail_fast: args.manner.fail_fast,
        again: again::command(args, own.map(Own::release)),
        results: results.folder(),
        append: false,
        all_evidence: args.output.evidence == Evidence::All,
        keep_events: args.output.record.is_some(),
        run_id,
        deadline: kconform_harness::DEADLINE,
        target_wait: wait.unwrap_or(TARGET_WAIT),
        convict: target.disruptive,
        mimic: None,
    };
    let progress = Arc::new(Progress::new(terminal, manifest.planned));
    let run = |probed: &Probed, cases, options| {
        let (handle, watch) = (runtime.handle(), progress.clone());
        kconform_harness::run(&suite, probed, cases, options, handle, watch, interrupt.orderly())
    };
    let mut done = run(&probed, cases, options.clone());
    let mut recordings = Recordings::default();
    for shape in shapes {
        if done.lost || done.interrupted {
            break;
        }
        let (own, target) = special::start(&args.own, shape)?;
        let mut probed = runtime.block_on(enter::enter_own(&target))?;
        if shape == dead_broker::SHAPE {
            probed = runtime.block_on(dead_broker::bereave(&own, &target, &probed))?;
        }
        let mut cases = kconform_harness::wanted(&suite, &probed, &options.filter);
        cases.retain(|case| special::needs(case, shape));
        let mut more = run(&probed, cases, Options { append: true, ..options.clone() });
        recordings.keep_special(shape, &mut more);
        special::absorb(&mut done, more);
    }
    if let Some(drawn) = &mut drawn {
        print(&drawn.announced());
        drawn.check(&suite, &probed, &options, &mut done, |cases, options| {
            progress.more(cases.len());
            run(&probed, cases, options)
        });
        manifest.planned += drawn.checked();
    }
    recordings.keep(&suite.scenarios, &mut done);
    progress.finish(results.folder().as_deref());

    let code = code(args, &done);
    conclude(&mut manifest, &done, began, code);
    let run = Run::new(manifest, done.records);
    print(&format!("\n{}", console_summary_with(&run, terminal.colour, &|reason| ways.to(reason))));
    results.close(&run, done.on_disk);
    if let Some(folder) = &args.output.record {
        let product = own.map_or_else(
            || format!("a target near {}", run.manifest.target.nearest),
            |own| format!("Apache Kafka {}", own.release()),
        );
        recordings.write(folder, &product)?;
    }
    Ok(code)
}

fn manifest(args: &Conform, run_id: &str, target: &Target, probed: &Probed) -> Manifest {
    let bootstrap: Vec<String> = target.bootstrap.iter().map(|dial| dial.peer()).collect();
    let (facts, nearest) = (&probed.facts, &probed.nearest);
    Manifest {
        seed: args.manner.shuffle.map(|seed| seed.unwrap_or_else(results::fresh_seed)),
        ..results::manifest(run_id, Mode::Live, bootstrap.join(","), facts, nearest)
    }
}

/// The exit code. A run that was cut short, by a signal or by `--fail-fast`, proves nothing of the rest.
fn code(args: &Conform, done: &Done) -> i32 {
    let circumstances = Circumstances {
        strict: args.manner.strict,
        lost: done.lost,
        planned: Some(done.planned),
        ..Circumstances::default()
    };
    let code = exit_code(&done.records, &circumstances);
    let stopped = |record: &kconform_report::Record| {
        record.reason.as_deref().is_some_and(|reason| reason.contains("--fail-fast"))
    };
    let cut_short = done.interrupted || (args.manner.fail_fast && done.records.iter().any(stopped));
    if cut_short && (code == CONFORMS || code == NOTHING_EXECUTED) {
        BLOCKED_OR_FAILED
    } else {
        code
    }
}

/// Completes the manifest. An interrupted run did not end, and its manifest says so by having no exit code.
fn conclude(manifest: &mut Manifest, done: &Done, began: Instant, code: i32) {
    manifest.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    manifest.exit_code = (!done.interrupted).then_some(code);
    manifest.leftovers.clone_from(&done.leftovers);
    tally(manifest, &done.records);
}
