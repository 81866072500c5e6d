//! The exit code of a run: documented numbers and their precedence.

use crate::{Counts, Level, Record, Replay, Verdict};

/// The target conforms: cases were executed, and none counts against it.
pub const CONFORMS: i32 = 0;
/// A binding requirement failed or could not be checked, or an entry of the profile is stale.
pub const BLOCKED_OR_FAILED: i32 = 1;
/// The command line or a file that it names is wrong; nothing was judged.
pub const USAGE: i32 = 2;
/// The target could not be reached, or was lost and did not come back.
pub const UNREACHABLE: i32 = 3;
/// No case was executed, or a recording was judged although a target had been asked for.
pub const NOTHING_EXECUTED: i32 = 4;
/// A defect of the suite: a case in error, or one whose replay came to another verdict.
pub const OUR_ERROR: i32 = 5;

/// What decides the exit code besides the records. The default is an ordinary run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// `Should` requirements bind like `Must`.
    pub strict: bool,
    /// The command line was wrong.
    pub usage: bool,
    /// The target could not be reached, or was lost for good during the run.
    pub lost: bool,
    /// An entry of the profile has expired or matches no case.
    pub stale: bool,
    /// A recording was judged in place of a target, and nobody had asked for a replay.
    pub unasked_replay: bool,
    /// How many cases the plan holds; fewer records than that make the run incomplete. `None` when
    /// there is no plan to compare with.
    pub planned: Option<usize>,
}

/// The exit code of a run with these records.
///
/// The first that applies, in this order: [`USAGE`], [`UNREACHABLE`], [`OUR_ERROR`],
/// [`BLOCKED_OR_FAILED`], [`NOTHING_EXECUTED`], [`CONFORMS`]. A run that judged a recording without being
/// asked to never says anything about a target, so that [`NOTHING_EXECUTED`] takes the place of the last
/// three. A `Quirk` never counts against a target, but one that was judged is a case executed.
pub fn exit_code(records: &[Record], circumstances: &Circumstances) -> i32 {
    if circumstances.usage {
        return USAGE;
    }
    if circumstances.lost {
        return UNREACHABLE;
    }
    if records.iter().any(is_our_defect) {
        return OUR_ERROR;
    }
    if circumstances.unasked_replay {
        return NOTHING_EXECUTED;
    }
    let incomplete = circumstances.planned.is_some_and(|planned| records.len() < planned);
    let against = records.iter().any(|record| counts_against(record, circumstances.strict));
    if against || incomplete || circumstances.stale {
        return BLOCKED_OR_FAILED;
    }
    let counts = Counts::of(records);
    if counts.executed() + counts.quirks == 0 {
        return NOTHING_EXECUTED;
    }
    CONFORMS
}

fn is_our_defect(record: &Record) -> bool {
    record.verdict == Verdict::Error || matches!(record.replay, Replay::Unstable(_))
}

/// Whether this record makes the run end with [`BLOCKED_OR_FAILED`]. A stale profile entry does so at any
/// level, because it is the profile that is at fault.
fn counts_against(record: &Record, strict: bool) -> bool {
    let binding = match record.level {
        Level::Must => true,
        Level::Should => strict,
        Level::Quirk => false,
    };
    match record.verdict {
        Verdict::Failed | Verdict::Blocked => binding,
        Verdict::Fixed => true,
        Verdict::Passed
        | Verdict::Unsupported
        | Verdict::NotRun
        | Verdict::Known
        | Verdict::Error => false,
    }
}
