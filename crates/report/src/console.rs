//! The views for a terminal: the block of one case, and what stands before and after a run.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::conclusion::{conclusion, incomplete, judged, numbers, remarks, replayed};
use crate::group::{by_family, by_reason};
use crate::reasons;
use crate::text::{frame, line, lines};
use crate::{Counts, Manifest, Record, Replay, Run, Verdict};

/// What a run prints before its first case: its id, what is judged, and by which measure. A replayed run is
/// labelled as such.
pub fn console_header(manifest: &Manifest, colour: bool) -> String {
    let run = Run::new(manifest.clone(), Vec::new());
    let mut out = String::new();
    if let Some(label) = replayed(&manifest.mode) {
        out.push_str(&painted(&label, Style::new().bold(), colour));
        out.push('\n');
    }
    let _ = writeln!(out, "Run {}. {}", line(&manifest.run_id), judged(&run));
    out
}

/// The block of one case: the requirement, expected and got, the request, both frames, where the check
/// stands, and the command that repeats just this case. Ends with a line break.
///
/// Control characters in strings from the target are spelled out; long values and frames are cut, and
/// say so. With `colour` off the text holds no escape sequence at all.
pub fn console_finding(record: &Record, colour: bool) -> String {
    let mut block = Block { out: String::new(), colour };
    let verdict = painted(&record.verdict.name().to_uppercase(), style(record.verdict), colour);
    let _ = writeln!(
        block.out,
        "{verdict}  {}      {}  {}",
        line(&record.name),
        line(&record.id),
        record.level
    );
    let _ = writeln!(block.out, "  {}", line(&record.requirement));

    let finding = record.finding.as_ref();
    if let Some(finding) = finding {
        block.row("expected", &lines(&finding.expected));
        block.row("got", &lines(&finding.got));
        block.optional("breach", finding.breach.as_deref().map(lines));
    }
    block.optional("reason", record.reason.as_deref().map(lines));
    block.optional("refusal", record.refusal.as_deref().map(lines));
    if let Some(finding) = finding {
        block.optional("asked", finding.asked.as_deref().map(line));
        block.optional("sent", finding.sent.as_deref().map(frame));
        block.optional("received", finding.received.as_deref().map(frame));
    }
    for note in &record.notes {
        block.row("note", &lines(note));
    }
    match &record.replay {
        Replay::Unstable(how) => block.row("replay", &format!("unstable: {}", line(how))),
        Replay::No(why) => block.row("replay", &format!("not possible: {}", line(why))),
        Replay::Same | Replay::NotTried => {}
    }
    if !record.also.is_empty() {
        block.row("also", &line(&record.also.join(", ")));
    }
    block.row("where", &line(&record.location));
    block.row("again", &line(&record.again));
    block.out
}

/// What a run prints at its end: a table per family, the result, what would have to be provided for the
/// cases that were not run, and what else a reader must know. Ends with a line break.
pub fn console_summary(run: &Run, colour: bool) -> String {
    console_summary_with(run, colour, &|_| None)
}

/// The same for somebody who knows how to provide what cases want: `way` gives it for a reason.
pub fn console_summary_with(
    run: &Run,
    colour: bool,
    way: &dyn Fn(&str) -> Option<String>,
) -> String {
    let mut out = families(run);
    if let Some(label) = replayed(&run.manifest.mode) {
        let _ = writeln!(out, "{}", painted(&label, Style::new().bold(), colour));
    }
    let _ = writeln!(out, "{}", judged(run));
    let _ = writeln!(out, "{}", numbers(run));
    let sentence = conclusion(run);
    if let Some(unfinished) = incomplete(run).filter(|unfinished| *unfinished != sentence) {
        let _ = writeln!(out, "{}", painted(&unfinished, style(Verdict::Error), colour));
    }
    let result = match run.manifest.exit_code {
        Some(crate::CONFORMS) if incomplete(run).is_none() => style(Verdict::Passed),
        Some(crate::BLOCKED_OR_FAILED) => style(Verdict::Failed),
        _ => style(Verdict::Error),
    };
    let _ = writeln!(out, "{}", painted(&sentence, result, colour));

    let mut not_run = by_reason(&run.records, Verdict::NotRun);
    not_run.retain(|(reason, _)| !reasons::OF_THE_RUN.contains(reason));
    if !not_run.is_empty() {
        out.push_str("\nTo run the others, provide:\n");
        for (reason, records) in not_run {
            let way = way(reason).map_or_else(String::new, |way| format!("; {way}"));
            let _ = writeln!(out, "  {:>5}  {}{way}", records.len(), line(reason));
        }
    }
    let remarks = remarks(run);
    if !remarks.is_empty() {
        out.push_str("\nTo note:\n");
        for remark in remarks {
            let _ = writeln!(out, "  {remark}");
        }
    }
    out
}

/// One block under construction: a label column, then the value; further lines of it are indented.
struct Block {
    out: String,
    colour: bool,
}

impl Block {
    fn row(&mut self, label: &str, value: &str) {
        let label = painted(&format!("{label:<8}"), Style::new().dimmed(), self.colour);
        let value = value.trim_end().replace('\n', "\n            ");
        let _ = writeln!(self.out, "  {label}  {value}");
    }

    fn optional(&mut self, label: &str, value: Option<String>) {
        if let Some(value) = value {
            self.row(label, &value);
        }
    }
}

/// One column of the table of families.
type Column = (&'static str, fn(&Counts) -> usize);

fn families(run: &Run) -> String {
    let families = by_family(&run.records);
    if families.is_empty() {
        return String::new();
    }
    let total = Counts::of(&run.records);
    let mut columns: Vec<Column> = vec![
        ("executed", Counts::executed),
        ("passed", |c| c.passed),
        ("failed", |c| c.failed),
        ("blocked", |c| c.blocked),
        ("unsupported", |c| c.unsupported),
        ("not run", |c| c.not_run),
    ];
    // What is rare gets a column only where it happened.
    let rare: [Column; 4] = [
        ("known", |c| c.known),
        ("fixed", |c| c.fixed),
        ("error", |c| c.error),
        ("quirks", |c| c.quirks),
    ];
    columns.extend(rare.into_iter().filter(|(_, count)| count(&total) > 0));

    let names: Vec<String> = families.keys().map(|name| line(name)).collect();
    let width = names.iter().map(|name| name.chars().count()).chain([6]).max().unwrap_or(6);
    let mut out = format!("{:<width$}", "family");
    for (title, _) in &columns {
        let _ = write!(out, "  {title}");
    }
    out.push_str("  of executed\n");
    for (name, counts) in names.iter().zip(families.values()) {
        row(&mut out, name, width, counts, &columns);
        let _ = writeln!(out, "  {:>11}", counts.share());
    }
    row(&mut out, "all", width, &total, &columns);
    out.push_str("\n\n");
    out
}

fn row(out: &mut String, name: &str, width: usize, counts: &Counts, columns: &[Column]) {
    let _ = write!(out, "{name:<width$}");
    for (title, count) in columns {
        let _ = write!(out, "  {:>1$}", count(counts), title.len());
    }
}

fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Passed => AnsiColor::Green,
        Verdict::Failed | Verdict::Fixed => AnsiColor::Red,
        Verdict::Blocked => AnsiColor::Yellow,
        Verdict::Unsupported | Verdict::NotRun => AnsiColor::Blue,
        Verdict::Known => AnsiColor::Cyan,
        Verdict::Error => AnsiColor::Magenta,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

fn painted(text: &str, style: Style, colour: bool) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
