//! The run: plan, trials on libtest-mimic, suspects, clean-up.

mod suspects;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kconform_report::reasons::{FAILED_FAST, GONE, INTERRUPTED};
use kconform_report::{Finding, Record, Verdict};
use kconform_scenario::Facts;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::evidence;
use crate::execute::{self, Agreement, Env, Ran};
use crate::litter::Litter;
use crate::liveness::{Fate, Liveness, Sentinel};
use crate::plan::{self, Case, Decision, Filter, Order, Phase};
use crate::pool::{Making, Pools};
use crate::probe::Probed;
use crate::recording::Recorded;
use crate::refusal::{Answer, Refusals};
use crate::sink::{Sink, Watch};
use crate::{Suite, cleanup};

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which cases.
    pub filter: Filter,
    /// Shuffles by this seed.
    pub seed: Option<u64>,
    /// How many times all of it.
    pub repeat: u32,
    /// Cases at a time.
    pub jobs: usize,
    /// Stops after the first failed case.
    pub fail_fast: bool,
    /// The command that repeats a case, up to `--exact`.
    pub again: String,
    /// The results folder.
    pub results: Option<PathBuf>,
    /// Adds to the records in that folder instead of beginning anew: for a run over several targets.
    pub append: bool,
    /// Keeps evidence of passed cases too.
    pub all_evidence: bool,
    /// Keeps what is needed to play the cases back.
    pub keep_events: bool,
    /// The run id; fixed for recordings that are committed.
    pub run_id: String,
    /// The time that a case may take; [`DEADLINE`](crate::DEADLINE) unless there is a reason.
    pub deadline: Duration,
    /// How long a lost target may be away.
    pub target_wait: Duration,
    /// Suspects of a lost target may be run again, each alone.
    pub convict: bool,
    /// Arguments for libtest-mimic; `None` keeps it silent, because somebody else reports.
    pub mimic: Option<Arguments>,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Done {
    /// One record a case.
    pub records: Vec<Record>,
    /// Cases of the plan.
    pub planned: usize,
    /// The target went away for good.
    pub lost: bool,
    /// The run was interrupted.
    pub interrupted: bool,
    /// What could not be undone.
    pub leftovers: Vec<String>,
    /// Everything needed to play the cases back, if asked for.
    pub recorded: Vec<Recorded>,
    /// The records are in the results folder.
    pub on_disk: bool,
    /// What was known of the target.
    pub facts: Arc<Facts>,
}

struct Context {
    suite: Suite,
    env: Env,
    options: Options,
    sink: Sink,
    liveness: Liveness,
    sentinel: Sentinel,
    refusals: Refusals,
    litter: Litter,
    recorded: Mutex<Vec<Recorded>>,
    deferred: Mutex<Vec<Case>>,
    stop: AtomicBool,
}

/// The wanted cases of a plan.
pub fn wanted(suite: &Suite, probed: &Probed, filter: &Filter) -> Vec<Case> {
    plan::wanted(suite, Some(&probed.facts), filter)
}

/// Runs these cases against a probed target. Blocks until all have ended.
pub fn run(
    suite: &Suite,
    probed: &Probed,
    cases: Vec<Case>,
    options: Options,
    runtime: &tokio::runtime::Handle,
    watch: Arc<dyn Watch>,
    interrupted: tokio::sync::watch::Receiver<bool>,
) -> Done {
    execute::install_panic_hook();
    let planned = cases.len() * usize::try_from(options.repeat).unwrap_or(1);
    let env = Env {
        facts: probed.facts.clone(),
        access: probed.access.clone(),
        run: format!("kc-{}", options.run_id),
        began: Instant::now(),
        runtime: runtime.clone(),
        nodes: probed.nodes.clone(),
        pools: Arc::new(Pools::new(
            Making {
                facts: probed.facts.clone(),
                access: probed.access.clone(),
                run: format!("kc-{}", options.run_id),
                runtime: runtime.clone(),
                deadline: options.deadline,
            },
            &cases,
            options.repeat,
        )),
        deadline: options.deadline,
        interrupted,
    };
    let context = Arc::new(Context {
        suite: suite.clone(),
        sink: Sink::new(options.results.as_deref(), options.append, watch),
        liveness: Liveness::new(options.target_wait),
        sentinel: Sentinel::new(&env),
        refusals: Refusals::default(),
        litter: Litter::default(),
        recorded: Mutex::default(),
        deferred: Mutex::default(),
        stop: AtomicBool::new(false),
        env,
        options,
    });
    for round in 0..context.options.repeat {
        let seed = context.options.seed.map(|seed| seed.wrapping_add(u64::from(round)));
        let Order { alone, phases } = plan::order(context.env.facts.reference, cases.clone(), seed);
        context.litter.may_go(false);
        trials(&context, alone, round, 1);
        for phase in phases {
            context.litter.may_go(!phase.fragile);
            side_by_side(&context, phase, round);
        }
        // What was made so far would weigh on the target in the next round.
        let halted = context.liveness.gone() || *context.env.interrupted.borrow();
        if round + 1 < context.options.repeat && !halted {
            context.litter.lighten(&context.env);
        }
    }
    suspects::convict(&context);
    let undo = context.litter.take(&context.env);
    let leftovers = if context.liveness.gone() {
        undo.iter().map(|item| format!("{item:?}: the target is gone")).collect()
    } else {
        context.env.runtime.block_on(cleanup::undo(&context.env, undo))
    };
    Done {
        records: context.sink.records(),
        planned,
        lost: context.liveness.gone(),
        interrupted: *context.env.interrupted.borrow(),
        leftovers,
        recorded: std::mem::take(&mut *lock(&context.recorded)),
        on_disk: context.sink.on_disk(),
        facts: context.env.facts.clone(),
    }
}

/// Runs the slow cases beside the others. Half of the jobs is theirs, so that they, which only wait, neither hold up the
/// others nor come last. A console of libtest-mimic's own can show but one list, so there they come first.
fn side_by_side(context: &Arc<Context>, Phase { slow, others, .. }: Phase, round: u32) {
    let jobs = context.options.jobs;
    if jobs < 2 || context.options.mimic.is_some() || slow.is_empty() || others.is_empty() {
        trials(context, [slow, others].concat(), round, jobs);
        return;
    }
    let for_slow = slow.len().min(jobs / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| trials(context, slow, round, for_slow));
        trials(context, others, round, jobs - for_slow);
    });
}

fn trials(context: &Arc<Context>, cases: Vec<Case>, round: u32, jobs: usize) {
    if cases.is_empty() {
        return;
    }
    let trials = cases.into_iter().map(|case| {
        let context = context.clone();
        Trial::ignorable_test(case.name.clone(), move || context.attempt(case, round))
    });
    let mut arguments = match &context.options.mimic {
        Some(arguments) => arguments.clone(),
        // Its own printing goes nowhere: records have their own watchers.
        None => Arguments { logfile: Some(NOWHERE.to_owned()), ..Arguments::default() },
    };
    arguments.test_threads = Some(jobs.max(1));
    let _ = libtest_mimic::run(&arguments, trials.collect());
}

#[cfg(windows)]
const NOWHERE: &str = "NUL";
#[cfg(not(windows))]
const NOWHERE: &str = "/dev/null";

impl Context {
    /// One trial. What libtest-mimic is told is for its own console; the record is the truth.
    fn attempt(&self, case: Case, round: u32) -> Result<Completion, Failed> {
        let mut record = evidence::blank(&self.suite, &case, &self.options.again);
        match plan::decide(&self.env.facts, &case) {
            Decision::Run => {}
            Decision::NotRun(reason) => return self.skip(record, Verdict::NotRun, reason),
            Decision::Unsupported(reason) => return self.refused(case, record, reason),
        }
        if *self.env.interrupted.borrow() {
            return self.skip(record, Verdict::NotRun, INTERRUPTED.to_owned());
        }
        if self.stop.load(Ordering::Relaxed) {
            return self.skip(record, Verdict::NotRun, FAILED_FAST.to_owned());
        }
        let Ok(flight) = self.liveness.enter() else {
            return self.skip(record, Verdict::NotRun, GONE.to_owned());
        };
        let mut env = self.env.clone();
        if round > 0 {
            env.run = format!("{}-{}", env.run, round + 1);
            record.notes.push(format!("round {} of {}", round + 1, self.options.repeat));
        }
        let ran = execute::run(&env, &case);
        self.look_again(&ran);
        let trouble = ran.outcome.is_err() && !ran.interrupted;
        if self.liveness.leave(&self.env, &self.sentinel, &self.sink, flight, trouble)
            == Fate::Suspect
        {
            self.litter.add(ran.undo);
            lock(&self.deferred).push(case);
            return Ok(Completion::ignored_with("the target was lost meanwhile"));
        }
        let told = self.settle(record, ran);
        self.litter.sweep(&self.env);
        told
    }

    /// A case that killed brokers took the watch over them down with them: it begins anew, on what the case left.
    fn look_again(&self, ran: &Ran) {
        if ran.restarted {
            self.sentinel.renew(&self.env);
        }
    }

    /// A version that is not offered: the refusal is what is checked.
    fn refused(
        &self,
        case: Case,
        mut record: Record,
        reason: String,
    ) -> Result<Completion, Failed> {
        let Ok(flight) = self.liveness.enter() else {
            return self.skip(record, Verdict::NotRun, GONE.to_owned());
        };
        let answer = self.refusals.check(&self.env, case.key, case.version);
        let trouble = matches!(answer, Answer::Unreachable(_));
        if self.liveness.leave(&self.env, &self.sentinel, &self.sink, flight, trouble)
            == Fate::Suspect
        {
            lock(&self.deferred).push(case);
            return Ok(Completion::ignored_with("the target was lost meanwhile"));
        }
        match answer {
            Answer::Refused(how) => {
                record.refusal = Some(how);
                self.skip(record, Verdict::Unsupported, reason)
            }
            Answer::Unreachable(why) => self.skip(record, Verdict::Blocked, why),
            Answer::Served(got) => {
                record.verdict = Verdict::Failed;
                let expected = format!("a refusal, for {reason}");
                record.finding = Some(Finding { expected, got: got.clone(), ..Finding::default() });
                self.sink.push(record);
                Err(got.into())
            }
        }
    }

    fn skip(
        &self,
        mut record: Record,
        verdict: Verdict,
        reason: String,
    ) -> Result<Completion, Failed> {
        record.verdict = verdict;
        record.reason = Some(reason.clone());
        record.started_us = u64::try_from(self.env.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.sink.push(record);
        Ok(Completion::ignored_with(reason))
    }

    fn settle(&self, mut record: Record, ran: Ran) -> Result<Completion, Failed> {
        let notes = std::mem::take(&mut record.notes);
        evidence::fill(&mut record, &ran, self.options.all_evidence);
        record.notes.splice(0..0, notes);
        if matches!(record.verdict, Verdict::Failed | Verdict::Blocked) {
            record.notes.extend(self.sentinel.silence(self.env.began + ran.started, ran.took));
        }
        self.litter.add(ran.undo.iter().cloned());
        let told = match record.verdict {
            Verdict::Passed => Ok(Completion::Completed),
            Verdict::NotRun => {
                Ok(Completion::ignored_with(record.reason.clone().unwrap_or_default()))
            }
            _ => Err(kconform_report::console_finding(&record, false).into()),
        };
        if matches!(record.verdict, Verdict::Failed | Verdict::Error) && self.options.fail_fast {
            self.stop.store(true, Ordering::Relaxed);
        }
        // What was not run says nothing when it is played back.
        let keep = self.options.keep_events && record.verdict != Verdict::NotRun;
        if keep && matches!(ran.replay, Agreement::Same) {
            lock(&self.recorded).push(Recorded::of(&record, &ran));
        }
        self.sink.push(record);
        told
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
