//! The view for people who read it later: a Markdown document, findings first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::alike::likeness;
use crate::apis::api_table;
use crate::conclusion::{conclusion, incomplete, is_unstable, judged, numbers, remarks, replayed};
use crate::console::console_finding;
use crate::group::{by_cause, by_family, by_reason, by_requirement, in_order, ranges};
use crate::markup::{cell_code, code, escape, fenced, row};
use crate::text::{cases, line};
use crate::{Level, Mode, Record, Run, Verdict};

/// How many cases a section about what was not judged names one by one before it only counts the rest. What went wrong is
/// named to the last case: other views leave that to this one.
const NAMED_CASES: usize = 20;

/// The whole run as a Markdown document (GitHub flavoured): the result, findings grouped by requirement,
/// what was blocked, unsupported and not run by reason, the API support table, and how to read it.
///
/// Strings from the target cannot add markup of their own. A replayed run is labelled as such.
pub fn markdown(run: &Run) -> String {
    let mut out = String::new();
    let title = match run.manifest.mode {
        Mode::Live => "Kafka protocol conformance",
        Mode::Replayed { .. } => "Kafka protocol conformance (replayed)",
    };
    let _ = writeln!(out, "# {title}\n");
    if let Some(label) = replayed(&run.manifest.mode) {
        let _ = writeln!(out, "> **{}**\n", escape(&label));
    }
    let conclusion = conclusion(run);
    if let Some(unfinished) = incomplete(run).filter(|unfinished| *unfinished != conclusion) {
        let _ = writeln!(out, "> **{}**\n", escape(&unfinished));
    }
    let _ = writeln!(out, "**{}**\n", escape(&conclusion));
    let _ = writeln!(out, "{}\n", escape(&judged(run)));
    let _ = writeln!(out, "{}\n", escape(&numbers(run)));
    for remark in remarks(run) {
        let _ = writeln!(out, "- {}", escape(&remark));
    }
    if !remarks(run).is_empty() {
        out.push('\n');
    }
    provenance(&mut out, run);
    families(&mut out, run);

    let records = in_order(&run.records);
    let with =
        |wanted: Verdict| records.iter().copied().filter(move |record| record.verdict == wanted);
    findings(
        &mut out,
        "Findings",
        Some("No case failed."),
        with(Verdict::Failed).filter(|record| record.level != Level::Quirk),
    );
    findings(&mut out, "Profile entries to mend", None, with(Verdict::Fixed));
    findings(
        &mut out,
        "Defects of the suite",
        None,
        records.iter().copied().filter(|r| r.verdict == Verdict::Error || is_unstable(r)),
    );
    reasons(&mut out, "Blocked", run, Verdict::Blocked);
    reasons(&mut out, "Unsupported", run, Verdict::Unsupported);
    reasons(&mut out, "Not run", run, Verdict::NotRun);
    reasons(&mut out, "Known deviations", run, Verdict::Known);
    findings(
        &mut out,
        "Quirks that differ",
        None,
        with(Verdict::Failed).filter(|record| record.level == Level::Quirk),
    );
    notes(&mut out, &records);
    out.push_str(&api_table(run));
    leftovers(&mut out, run);
    out.push_str(HOW_TO_READ);
    out
}

fn provenance(out: &mut String, run: &Run) {
    let manifest = &run.manifest;
    let _ = writeln!(out, "| run | value |\n|---|---|");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(out, "{}", row([name.to_owned(), cell_code(value)]));
    };
    fact("run id", &manifest.run_id);
    fact("program", &manifest.tool);
    fact("started", &manifest.started);
    fact("took", &format!("{}.{:03} s", manifest.took_ms / 1000, manifest.took_ms % 1000));
    if let Some(code) = manifest.exit_code {
        fact("exit code", &code.to_string());
    }
    if !manifest.selection.is_empty() {
        fact("flags", &manifest.selection.join(" "));
    }
    if let Some(seed) = manifest.seed {
        fact("seed", &seed.to_string());
    }
    // A recording has no target; what probing found then stands in the recording, not on a network.
    if manifest.mode == Mode::Live {
        let target = &manifest.target;
        for broker in &target.brokers {
            let rack = broker.rack.as_deref().map(|rack| format!(", rack {rack}"));
            let address = format!("{}:{}{}", broker.host, broker.port, rack.unwrap_or_default());
            fact(&format!("broker {}", broker.id), &address);
        }
        fact("nearest release", &format!("{} ({})", target.nearest, target.why));
        if let Some(authorizer) = target.authorizer {
            fact("authorizes requests", if authorizer { "yes" } else { "no" });
        }
    }
    for (name, value) in &manifest.target.features {
        fact(&escape(&line(name)), value);
    }
    out.push('\n');
}

fn families(out: &mut String, run: &Run) {
    let families = by_family(&run.records);
    if families.is_empty() {
        return;
    }
    out.push_str("| family | executed | passed | failed | blocked | unsupported | not run | known | fixed | error | quirks | of executed |\n");
    out.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (family, counts) in families {
        let mut cells = vec![cell_code(family)];
        cells.extend(
            [
                counts.executed(),
                counts.passed,
                counts.failed,
                counts.blocked,
                counts.unsupported,
                counts.not_run,
                counts.known,
                counts.fixed,
                counts.error,
                counts.quirks,
            ]
            .map(|count| count.to_string()),
        );
        cells.push(counts.share());
        let _ = writeln!(out, "{}", row(cells));
    }
    out.push('\n');
}

/// One section with an entry per requirement: the sentence, the cases, and per distinct deviation the
/// block of its first case.
fn findings<'a>(
    out: &mut String,
    title: &str,
    when_empty: Option<&str>,
    records: impl Iterator<Item = &'a Record>,
) {
    let groups = by_requirement(records);
    if groups.is_empty() && when_empty.is_none() {
        return;
    }
    let _ = writeln!(out, "## {title}\n");
    if let (true, Some(sentence)) = (groups.is_empty(), when_empty) {
        let _ = writeln!(out, "{sentence}\n");
    }
    for records in groups {
        let first = records[0];
        let _ = writeln!(
            out,
            "### {} · {} · {} {}\n",
            escape(&line(&first.id)),
            first.level,
            escape(&line(&first.api)),
            versions(&records)
        );
        let _ = writeln!(out, "{}\n", escape(&line(&first.requirement)));
        for same in by_deviation(&records) {
            name_cases(out, &same, usize::MAX, |_| String::new());
            let _ = writeln!(out, "\n{}", fenced(&console_finding(same[0], false)));
        }
    }
}

/// Records that show the same deviation, numbers and names of fresh things aside, in the order of their first case.
fn by_deviation<'a>(records: &[&'a Record]) -> Vec<Vec<&'a Record>> {
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    let mut place = BTreeMap::new();
    for record in records {
        let finding = record.finding.as_ref().map(|finding| {
            let breach = finding.breach.as_deref().map(likeness);
            (likeness(&finding.expected), likeness(&finding.got), breach)
        });
        let key = (finding, record.reason.as_deref().map(likeness));
        let at = *place.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(record);
    }
    groups
}

/// One section with an entry per reason.
fn reasons(out: &mut String, title: &str, run: &Run, verdict: Verdict) {
    // The numbers in the other reasons are versions and releases, which matter.
    let (groups, named) = match verdict {
        Verdict::Blocked => (by_cause(&run.records, verdict), usize::MAX),
        _ => (by_reason(&run.records, verdict), NAMED_CASES),
    };
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n");
    for (reason, records) in groups {
        let _ = writeln!(out, "**{}** ({})\n", escape(&line(reason)), cases(records.len()));
        name_cases(out, &records, named, |record| format!(" ({})", escape(&line(&record.id))));
        if verdict == Verdict::Unsupported {
            let checked = records.iter().filter(|record| record.refusal.is_some()).count();
            let _ = writeln!(out, "- refusal checked: {checked} of {}", records.len());
        }
        out.push('\n');
    }
}

fn name_cases(
    out: &mut String,
    records: &[&Record],
    named: usize,
    beside: impl Fn(&Record) -> String,
) {
    for record in records.iter().take(named) {
        let _ = writeln!(out, "- {}{}", code(&record.name), beside(record));
    }
    if let Some(left @ 1..) = records.len().checked_sub(named) {
        let _ = writeln!(out, "- and {left} more");
    }
}

fn notes(out: &mut String, records: &[&Record]) {
    let mut groups: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        for note in &record.notes {
            groups.entry(note).or_default().push(record);
        }
    }
    if groups.is_empty() {
        return;
    }
    out.push_str("## Notes\n\n");
    for (note, records) in groups {
        let _ = writeln!(
            out,
            "- {} ({}, first {})",
            escape(&line(note)),
            cases(records.len()),
            code(&records[0].name)
        );
    }
    out.push('\n');
}

fn leftovers(out: &mut String, run: &Run) {
    if run.manifest.leftovers.is_empty() {
        return;
    }
    out.push_str("## Left on the target\n\n");
    for leftover in &run.manifest.leftovers {
        let _ = writeln!(out, "- {}", code(leftover));
    }
    out.push('\n');
}

fn versions(records: &[&Record]) -> String {
    let ranges = ranges(records.iter().map(|record| record.version));
    format!("v{ranges}")
}

const HOW_TO_READ: &str = "\
## How to read it

- A *case* is one requirement at one version of one API, with one variant. It has exactly one verdict.
- **passed**: the act happened, the target answered, every check held. **failed**: the target did otherwise
  than the requirement says. **blocked**: the case could not reach its act. **unsupported**: the target does
  not advertise the API or version, or its profile declares the absence; the refusal is checked instead.
  **not run**: something was not provided; the reason says what. **known**: failed, and the profile lists it.
  **fixed**: the profile lists it, but it is gone. **error**: a defect of the suite, never of the target.
- **MUST**: every Apache Kafka release in range does it and clients depend on it. **SHOULD**: Apache Kafka
  does it, clients seldom depend on it. **QUIRK**: recorded, never counted against a target.
- *Executed* are passed, failed, known, fixed, and the unsupported cases whose refusal was checked. *Of
  executed* is the share of those in which the target did as required. Cases that were not executed prove
  nothing in either direction.
- Exit code 0: conforms. 1: a requirement failed or could not be checked, or the profile is stale. 2: wrong
  usage. 3: target unreachable or lost. 4: nothing executed. 5: defect of the suite.
";
