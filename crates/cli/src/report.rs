//! `kconform report`: the results of a run, rendered again from its folder.

use kconform_report::{
    CONFORMS, Level, Run, Verdict, console_finding, console_header, console_summary, junit,
    markdown, read_run,
};
use serde_json::json;

use crate::args::{Report, ReportFormat};
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
    let mut text = console_header(&run.manifest, colour);
    let amiss = run.records.iter().filter(|record| {
        record.level != Level::Quirk
            && matches!(
                record.verdict,
                Verdict::Failed | Verdict::Blocked | Verdict::Error | Verdict::Fixed
            )
    });
    for record in amiss {
        text.push('\n');
        text.push_str(&console_finding(record, colour));
    }
    text.push('\n');
    text.push_str(&console_summary(run, colour));
    text
}
