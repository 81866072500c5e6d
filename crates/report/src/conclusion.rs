//! The sentences that every view opens with: what was judged, by which measure, and with what result.

use crate::text::{cases, line, plural};
use crate::{
    BLOCKED_OR_FAILED, CONFORMS, Counts, Level, Mode, NOTHING_EXECUTED, OUR_ERROR, Record, Replay,
    Run, UNREACHABLE, USAGE, Verdict,
};

/// For a replayed run, the sentence that no view may leave out; `None` for a live one.
pub(crate) fn replayed(mode: &Mode) -> Option<String> {
    match mode {
        Mode::Live => None,
        Mode::Replayed { release, recorded } => Some(format!(
            "Replayed from a recording of {} of {}; no live target was contacted.",
            apache(release),
            line(recorded)
        )),
    }
}

/// For a run whose results are not whole, the sentence that heads every view: it did not end, or records are missing. `None`
/// for a whole one.
pub fn incomplete(run: &Run) -> Option<String> {
    let missing = missing(run);
    let planned = cases(run.records.len() + missing);
    match (run.manifest.exit_code, missing) {
        (None, 0) => Some("The run did not end; its results are incomplete.".to_owned()),
        (None, _) => Some(format!(
            "The run did not end; its results are incomplete: {missing} of {planned} without a record."
        )),
        (Some(_), 0) => None,
        (Some(_), _) => {
            Some(format!("The results are incomplete: {missing} of {planned} without a record."))
        }
    }
}

/// What was judged and by which measure.
pub(crate) fn judged(run: &Run) -> String {
    let manifest = &run.manifest;
    let held = apache(&manifest.reference);
    match &manifest.mode {
        Mode::Live => {
            let target = &manifest.target;
            let brokers = match target.brokers.len() {
                0 => String::new(),
                count => format!(", {}", plural(count, "broker", "brokers")),
            };
            let cluster = target.cluster_id.as_deref().map(|id| format!(", cluster {}", line(id)));
            format!(
                "Target {}{}{brokers}; nearest release {}; held to {held}.",
                line(&target.bootstrap),
                cluster.unwrap_or_default(),
                line(&target.nearest),
            )
        }
        Mode::Replayed { release, recorded } => {
            format!("Recording of {} of {}; held to {held}.", apache(release), line(recorded))
        }
    }
}

/// The result in one sentence, following the exit code that the run ended with.
pub(crate) fn conclusion(run: &Run) -> String {
    let counts = Counts::of(&run.records);
    let (subject, held) = (subject(&run.manifest.mode), apache(&run.manifest.reference));
    // A run without an exit code did not end.
    let code = run.manifest.exit_code.unwrap_or(CONFORMS);
    if let (Some(unfinished), CONFORMS | NOTHING_EXECUTED) = (incomplete(run), code) {
        return unfinished;
    }
    match code {
        CONFORMS => {
            let mut sentence = format!(
                "{subject} conforms to {held}: {} executed, none of them counts against it",
                cases(counts.executed())
            );
            for (count, what) in [
                (counts.failed, "differed in requirements that do not bind"),
                (counts.known, "differed as the profile says"),
                (counts.not_run, "not run"),
            ] {
                if count > 0 {
                    sentence.push_str(&format!("; {} {what}", cases(count)));
                }
            }
            sentence + "."
        }
        BLOCKED_OR_FAILED => not_proven(run, &counts, subject, &held),
        USAGE => {
            "Nothing was judged: the command line, or a file that it names, is wrong.".to_owned()
        }
        UNREACHABLE => format!(
            "The target could not be reached, or was lost; {} executed before that.",
            cases(counts.executed())
        ),
        NOTHING_EXECUTED if counts.executed() + counts.quirks == 0 => {
            "No case was executed, so nothing is proven.".to_owned()
        }
        NOTHING_EXECUTED => "No target was judged: a recording stood in for it.".to_owned(),
        OUR_ERROR => {
            let unstable = run.records.iter().filter(|record| is_unstable(record)).count();
            format!(
                "The suite itself has a defect: {} in error, {} with a replay that disagreed. Do not rely on this run.",
                cases(counts.error),
                cases(unstable)
            )
        }
        other => format!("The run ended with exit code {other}."),
    }
}

/// The counts in one sentence.
pub(crate) fn numbers(run: &Run) -> String {
    let counts = Counts::of(&run.records);
    let mut parts = Vec::new();
    for (count, what) in [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.blocked, "blocked"),
        (counts.unsupported, "unsupported"),
        (counts.not_run, "not run"),
        (counts.known, "known"),
        (counts.fixed, "fixed"),
        (counts.error, "in error"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if counts.quirks > 0 {
        parts.push(plural(counts.quirks, "differing quirk", "differing quirks"));
    }
    let refused = match counts.refused {
        0 => String::new(),
        count => format!(" (with {} whose refusal was checked)", cases(count)),
    };
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!(
        "{} planned, {} executed{refused}{parts}.",
        cases(run.manifest.planned),
        counts.executed()
    )
}

/// What else a reader must know: remarks of reading, cases without a record, things left behind.
pub(crate) fn remarks(run: &Run) -> Vec<String> {
    let mut remarks: Vec<String> = run.remarks.iter().map(|remark| line(remark)).collect();
    let missing = missing(run);
    if missing > 0 {
        remarks.push(format!(
            "{missing} of {} have no record; nothing is known of them.",
            plural(run.records.len() + missing, "planned case", "planned cases")
        ));
    }
    if !run.manifest.leftovers.is_empty() {
        remarks.push(format!(
            "{} on the target could not be removed; `kconform clean --run-id {}`, with the flags that lead to the target, \
             removes what is there.",
            plural(
                run.manifest.leftovers.len(),
                "thing that the run set out to create",
                "things that the run set out to create"
            ),
            line(&run.manifest.run_id)
        ));
    }
    remarks
}

/// A release under its full name, whether or not it was given with it.
pub(crate) fn apache(release: &str) -> String {
    let release = line(release);
    if release.starts_with(|c: char| c.is_ascii_digit()) {
        format!("Apache Kafka {release}")
    } else {
        release
    }
}

/// Whether the replay of this record came to another verdict.
pub(crate) fn is_unstable(record: &Record) -> bool {
    matches!(record.replay, Replay::Unstable(_))
}

fn subject(mode: &Mode) -> &'static str {
    match mode {
        Mode::Live => "The target",
        Mode::Replayed { .. } => "The recording",
    }
}

/// Cases without a record: fewer than the plan held, or than were counted when the run ended.
fn missing(run: &Run) -> usize {
    let known = run.manifest.planned.max(run.manifest.counts.total());
    known.saturating_sub(run.records.len())
}

fn not_proven(run: &Run, counts: &Counts, subject: &str, held: &str) -> String {
    let count = |level, verdict| {
        run.records.iter().filter(|r| r.level == level && r.verdict == verdict).count()
    };
    let must_failed = count(Level::Must, Verdict::Failed);
    let should_failed = count(Level::Should, Verdict::Failed);
    let must_blocked = count(Level::Must, Verdict::Blocked);
    let should_blocked = count(Level::Should, Verdict::Blocked);
    let unproven = must_blocked + missing(run);

    let mut parts = Vec::new();
    for (count, what) in [
        (must_failed, "MUST failed"),
        (should_failed, "SHOULD failed"),
        (must_blocked, "MUST blocked"),
        (should_blocked, "SHOULD blocked"),
        (missing(run), "without a record"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if counts.fixed > 0 {
        parts.push(plural(counts.fixed, "stale profile entry", "stale profile entries"));
    }
    let parts = if parts.is_empty() {
        "an entry of the profile is stale".to_owned()
    } else {
        parts.join(", ")
    };
    // A failed SHOULD binds only in a strict run. Where nothing else explains the exit code, it was one.
    let strict = run.manifest.selection.iter().any(|flag| flag == "--strict")
        || unproven + should_blocked + counts.fixed == 0;
    let deviates = must_failed > 0 || (strict && should_failed > 0);
    if deviates {
        format!("{subject} does not conform to {held}: {parts}.")
    } else if unproven + should_blocked > 0 {
        format!("It is not proven that {} conforms to {held}: {parts}.", subject.to_lowercase())
    } else {
        format!("The profile needs mending: {parts}.")
    }
}
