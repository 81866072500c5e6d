//! What is shown while a run goes on: a bar, or a line now and then, and every finding as it comes.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kconform_harness::Watch;
use kconform_report::{Fold, Level, Record, Replay, Verdict, console_finding};

use crate::results::REPORT_FILE;
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
    blocked: AtomicUsize,
    fold: Mutex<Fold>,
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
            blocked: AtomicUsize::new(0),
            fold: Mutex::default(),
            said: Mutex::new(Instant::now()),
        }
    }

    /// So many cases come on top of the plan.
    pub(crate) fn more(&self, cases: usize) {
        self.planned.fetch_add(cases, Ordering::Relaxed);
        self.bar.inc_length(cases as u64);
    }

    /// The run has ended. What was left out because it was like what was shown is counted; all of it stands in the report in
    /// the results folder, if there is one.
    pub(crate) fn finish(&self, results: Option<&Path>) {
        self.bar.finish_and_clear();
        let all = match results {
            Some(_) => format!("see {REPORT_FILE}"),
            None => "--results DIR keeps all".to_owned(),
        };
        let fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, line) in fold.rest(&all).iter().enumerate() {
            let gap = if at == 0 { "\n" } else { "" };
            print(&format!("{gap}{line}\n"));
        }
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

    /// A blocked case is no finding about the target, and yet somebody should look at it.
    fn count(&self, finding: &Record) {
        let kind = match finding.verdict {
            Verdict::Blocked => &self.blocked,
            _ => &self.findings,
        };
        kind.fetch_add(1, Ordering::Relaxed);
    }

    fn found(&self) -> String {
        let findings = match self.findings.load(Ordering::Relaxed) {
            0 => "no findings".to_owned(),
            1 => "1 finding".to_owned(),
            findings => format!("{findings} findings"),
        };
        match self.blocked.load(Ordering::Relaxed) {
            0 => findings,
            blocked => format!("{findings}, {blocked} blocked"),
        }
    }
}

impl Watch for Progress {
    fn ended(&self, record: &Record) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if is_finding(record) {
            self.count(record);
            if self.fold.lock().unwrap_or_else(PoisonError::into_inner).shows(record) {
                let block = console_finding(record, self.terminal.colour);
                self.bar.suspend(|| print(&format!("\n{block}")));
            }
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
pub(crate) fn is_finding(record: &Record) -> bool {
    let unstable = matches!(record.replay, Replay::Unstable(_));
    let amiss = match record.verdict {
        Verdict::Failed | Verdict::Blocked => record.level != Level::Quirk,
        Verdict::Fixed | Verdict::Error => true,
        Verdict::Passed | Verdict::Unsupported | Verdict::NotRun | Verdict::Known => false,
    };
    unstable || amiss
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn record(verdict: &str) -> Record {
        let text = format!(
            r#"{{"schema":1,"name":"a::b::c::v1","id":"A-1","family":"a","api_key":1,"api":"Fetch","version":1,"level":"must",
                "requirement":"It answers.","verdict":"{verdict}","reason":"no","started_us":0,"took_us":0,"location":"","again":""}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn blocked_cases_are_counted_beside_findings() {
        let progress = Progress::new(Terminal { colour: false, bar: false }, 9);
        assert_eq!(progress.found(), "no findings");
        for _ in 0..3 {
            progress.count(&record("blocked"));
        }
        assert_eq!(progress.found(), "no findings, 3 blocked");
        progress.count(&record("failed"));
        assert_eq!(progress.found(), "1 finding, 3 blocked");
    }
}
