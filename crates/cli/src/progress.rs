//! What is shown while a run goes on: a bar, or a line now and then, and every finding as it comes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kconform_harness::Watch;
use kconform_report::{Level, Record, Replay, Verdict, console_finding};

use crate::terminal::{Terminal, print, tell};

/// Without a bar, this often a line says how far the run is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Watches a run for the person at the console.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: Terminal,
    bar: ProgressBar,
    planned: AtomicUsize,
    ended: AtomicUsize,
    findings: AtomicUsize,
    said: Mutex<Instant>,
}

impl Progress {
    /// A watch over a plan of this many cases.
    pub(crate) fn new(terminal: Terminal, planned: usize) -> Self {
        let bar = if terminal.bar {
            let bar = ProgressBar::with_draw_target(
                Some(planned as u64),
                ProgressDrawTarget::stderr_with_hz(8),
            );
            let template = "{bar:32} {pos}/{len} cases, {msg}, {elapsed}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message("no findings");
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            terminal,
            bar,
            planned: AtomicUsize::new(planned),
            ended: AtomicUsize::new(0),
            findings: AtomicUsize::new(0),
            said: Mutex::new(Instant::now()),
        }
    }

    /// So many cases come on top of the plan.
    pub(crate) fn more(&self, cases: usize) {
        self.planned.fetch_add(cases, Ordering::Relaxed);
        self.bar.inc_length(cases as u64);
    }

    /// The run has ended.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say_now_and_then(&self, ended: usize) {
        // Whoever holds the lock is about to say it.
        let Ok(mut said) = self.said.try_lock() else { return };
        let planned = self.planned.load(Ordering::Relaxed);
        if !self.terminal.bar && said.elapsed() >= SAY_EVERY && ended < planned {
            *said = Instant::now();
            tell(&format!("{ended} of {planned} cases, {}", self.found()));
        }
    }

    fn found(&self) -> String {
        match self.findings.load(Ordering::Relaxed) {
            0 => "no findings".to_owned(),
            1 => "1 finding".to_owned(),
            findings => format!("{findings} findings"),
        }
    }
}

impl Watch for Progress {
    fn ended(&self, record: &Record) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if is_finding(record) {
            self.findings.fetch_add(1, Ordering::Relaxed);
            let block = console_finding(record, self.terminal.colour);
            self.bar.suspend(|| print(&format!("\n{block}")));
            self.bar.set_message(self.found());
        }
        self.bar.inc(1);
        self.say_now_and_then(ended);
    }

    fn told(&self, line: &str) {
        self.bar.suspend(|| tell(line));
    }
}

/// What somebody should look at. A quirk never is; the report lists it.
fn is_finding(record: &Record) -> bool {
    let unstable = matches!(record.replay, Replay::Unstable(_));
    let amiss = match record.verdict {
        Verdict::Failed | Verdict::Blocked => record.level != Level::Quirk,
        Verdict::Fixed | Verdict::Error => true,
        Verdict::Passed | Verdict::Unsupported | Verdict::NotRun | Verdict::Known => false,
    };
    unstable || amiss
}
