//! One case: run live under a deadline, then played back at once to see that it judges the same.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use kconform_report::reasons::INTERRUPTED;
use kconform_scenario::wire::{Event, Matching, Replayed, Session};
use kconform_scenario::{Access, Cx, Facts, Failure, Inputs, Outcome, Undo};

use crate::nodes::{Hand, Hook};
use crate::plan::Case;
use crate::pool::{Handout, Pools};

/// The time that a case may take. Single waits end long before; this is for loops that never end.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// What all cases of a run share.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    /// What is known of the target.
    pub facts: Arc<Facts>,
    /// The ways in.
    pub access: Arc<Access>,
    /// Prefix of all names of the run.
    pub run: String,
    /// When the run began.
    pub began: Instant,
    /// The runtime on which sockets live.
    pub runtime: tokio::runtime::Handle,
    /// The way to the target's nodes.
    pub nodes: Option<Hook>,
    /// Pooled partitions.
    pub pools: Arc<Pools>,
    /// The deadline of a case.
    pub deadline: Duration,
    /// Becomes true when the run is interrupted.
    pub interrupted: tokio::sync::watch::Receiver<bool>,
}

/// How the replay of a live case agreed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Same verdict.
    Same,
    /// Another verdict, or drift: a defect of the case.
    Unstable(String),
    /// Not tried, with the reason.
    No(String),
}

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Passed, or why not.
    pub outcome: Outcome,
    /// Lines worth knowing.
    pub notes: Vec<String>,
    /// What the run has to undo.
    pub undo: Vec<Undo>,
    /// The case's inputs.
    pub inputs: Inputs,
    /// Everything that happened.
    pub events: Arc<[Event]>,
    /// Start, since the beginning of the run.
    pub started: Duration,
    /// How long it took.
    pub took: Duration,
    /// Whether a replay agreed.
    pub replay: Agreement,
    /// The run was interrupted while the case was in flight.
    pub interrupted: bool,
    /// It killed, stopped or started nodes of the target.
    pub restarted: bool,
}

/// Runs a case live and plays it back at once. Blocks the calling thread.
pub(crate) fn run(env: &Env, case: &Case) -> Ran {
    let started = env.began.elapsed();
    let begun = Instant::now();
    let inputs = inputs(env, case);
    let session = Session::live();
    let pool = Rc::new(Handout::new(&env.pools, case));
    let mut cx = Cx::live(
        session.clone(),
        env.facts.clone(),
        inputs.clone(),
        env.access.clone(),
        pool.clone(),
    );
    let hand = env.nodes.clone().map(|hook| Rc::new(Hand::new(hook)));
    if let Some(hand) = &hand {
        cx = cx.with_nodes(hand.clone());
    }
    let mut interrupted = env.interrupted.clone();
    let outcome = env.runtime.block_on(async {
        let case = quiet(AssertUnwindSafe((case.scenario.run)(&mut cx)).catch_unwind());
        tokio::select! {
            biased;
            outcome = tokio::time::timeout(env.deadline, case) => Some(outcome),
            _ = interrupted.wait_for(|interrupted| *interrupted) => None,
        }
    });
    let (cut, outcome) = match outcome {
        Some(Ok(Ok(outcome))) => (false, outcome),
        Some(Ok(Err(panic))) => (false, Err(Failure::Error(panicked(&*panic)))),
        Some(Err(_)) => {
            let waiting = session.waiting().join(" and ");
            session.deadline();
            (false, Err(hung(env.deadline, &waiting)))
        }
        None => (true, Err(Failure::NotRun(INTERRUPTED.to_owned()))),
    };
    let (notes, undo) = cx.finish();
    drop(cx);
    let events: Arc<[Event]> = session.events().to_vec().into();
    pool.settle(&events);
    let restarted = hand.is_some_and(|hand| env.runtime.block_on(hand.settle(env.deadline)));
    let took = begun.elapsed();
    let replay = if cut {
        Agreement::No(INTERRUPTED.to_owned())
    } else {
        agreement(&outcome, replay(case, &env.facts, &inputs, &events, Matching::Strict))
    };
    Ran { outcome, notes, undo, inputs, events, started, took, replay, interrupted: cut, restarted }
}

/// Plays a case back; drift is an error of ours.
pub(crate) fn replay(
    case: &Case,
    facts: &Arc<Facts>,
    inputs: &Inputs,
    events: &Arc<[Event]>,
    matching: Matching,
) -> Outcome {
    let session = Session::replay(events.clone(), matching);
    let mut cx = Cx::replay(session.clone(), facts.clone(), inputs.clone());
    let played = session.play(quiet(AssertUnwindSafe((case.scenario.run)(&mut cx)).catch_unwind()));
    match played {
        Replayed::Done(Ok(outcome)) => outcome,
        Replayed::Done(Err(panic)) => Err(Failure::Error(panicked(&*panic))),
        Replayed::Drift(drift) => Err(Failure::Error(drift.to_string())),
        Replayed::Deadline => Err(hung(DEADLINE, "its deadline")),
    }
}

fn agreement(live: &Outcome, replayed: Outcome) -> Agreement {
    let same = match (live, &replayed) {
        (Ok(()), Ok(())) => true,
        (Err(Failure::Failed(a)), Err(Failure::Failed(b))) => {
            a.expected == b.expected && a.got == b.got
        }
        // The text of a deadline names what was waited for, which a replay cannot know.
        (Err(Failure::Blocked(_)), Err(Failure::Blocked(_))) => true,
        (Err(Failure::NotRun(a)), Err(Failure::NotRun(b))) => a == b,
        (Err(Failure::Error(_)), Err(Failure::Error(_))) => true,
        _ => false,
    };
    if same {
        return Agreement::Same;
    }
    Agreement::Unstable(match replayed {
        Ok(()) => "played back, the case passes".to_owned(),
        Err(Failure::Failed(finding)) => {
            format!(
                "played back, the case fails: expected {}, got {}",
                finding.expected, finding.got
            )
        }
        Err(Failure::Blocked(finding)) => {
            format!("played back, the case is blocked: {}", finding.got)
        }
        Err(Failure::NotRun(reason) | Failure::Error(reason)) => format!("played back: {reason}"),
    })
}

fn inputs(env: &Env, case: &Case) -> Inputs {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Inputs {
        run: env.run.clone(),
        case: case.name.clone(),
        key: case.key,
        version: case.version,
        variant: case.variant.as_deref().map(str::to_owned),
        started_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        single_replica: env.pools.is_single(case),
    }
}

fn hung(deadline: Duration, waiting: &str) -> Failure {
    let waiting = if waiting.is_empty() { "nothing on the wire" } else { waiting };
    Failure::blocked(
        format!("the case to end within {} s", deadline.as_secs()),
        format!("it hung, waiting for {waiting}"),
    )
}

thread_local! {
    /// Set while a case runs on this thread; a panic leaves its place here instead of on the terminal.
    static IN_CASE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics of cases silent: they become verdicts. Call once, before the first case.
pub(crate) fn install_panic_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let at = info.location().map(ToString::to_string).unwrap_or_default();
            let ours = IN_CASE.with(|place| {
                let mut place = place.borrow_mut();
                let ours = place.is_some();
                if ours {
                    *place = Some(at);
                }
                ours
            });
            if !ours {
                before(info);
            }
        }));
    });
}

/// Runs a future with panics kept off the terminal.
async fn quiet<F: Future>(case: F) -> F::Output {
    let mut case = std::pin::pin!(case);
    std::future::poll_fn(|context| {
        IN_CASE.with(|place| *place.borrow_mut() = Some(String::new()));
        let polled = case.as_mut().poll(context);
        let place = IN_CASE.with(|place| place.borrow_mut().take()).unwrap_or_default();
        if !place.is_empty() {
            LAST_PANIC.with(|last| *last.borrow_mut() = place);
        }
        polled
    })
    .await
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let place = LAST_PANIC.with(|last| last.borrow().clone());
    format!("the case panicked at {place}: {text}")
}
