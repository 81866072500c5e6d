//! `kconform report`: the results of a run, rendered again from its folder.

use kconform_report::{
    CONFORMS, Fold, Run, console_finding, console_header, console_summary, incomplete, junit,
    markdown, read_run,
};
use serde_json::json;

use crate::args::{Report, ReportFormat};
use crate::progress::is_finding;
use crate::reach;
use crate::terminal::{Terminal, print};
use crate::trouble::Trouble;

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Report) -> Result<i32, Trouble> {
    let run = read_run(&args.folder).map_err(|error| {
        Trouble::Usage(format!("{error}\n    name a results folder that `kconform conform` wrote"))
    })?;
    let colour = Terminal::of(args.plain).colour;
    print(&match args.format {
        ReportFormat::Text => text(&run, colour),
        ReportFormat::Md => markdown(&run),
        ReportFormat::Junit => junit(&run),
        ReportFormat::Json => {
            reach::json(&json!({ "manifest": run.manifest, "records": run.records }))?
        }
    });
    Ok(CONFORMS)
}

fn text(run: &Run, colour: bool) -> String {
    let mut text = String::new();
    if let Some(unfinished) = incomplete(run) {
        text.push_str(&unfinished);
        text.push('\n');
    }
    text.push_str(&console_header(&run.manifest, colour));
    let mut fold = Fold::default();
    for record in run.records.iter().filter(|record| is_finding(record)) {
        if fold.shows(record) {
            text.push('\n');
            text.push_str(&console_finding(record, colour));
        }
    }
    text.push('\n');
    for line in fold.rest("--format md names all") {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&console_summary(run, colour));
    text
}
