//! Runs that judge a recording instead of a target.

use crate::args::Conform;
use crate::trouble::Trouble;

/// `--replay`: judges the recording that was asked for, and exits as it judges.
pub(crate) fn asked(args: &Conform) -> Result<i32, Trouble> {
    let what = args.manner.replay.as_deref().unwrap_or_default();
    Err(Trouble::Nothing(format!("there is no recording of `{what}`")))
}

/// Nothing could be started: judges the recording that is part of kconform, so that one sees what a run looks like. It says
/// nothing about any target, so that it never exits with 0.
pub(crate) fn replay_committed(_args: &Conform) -> Result<i32, Trouble> {
    Err(Trouble::Nothing(
        "no recording of Apache Kafka is part of this build; name a broker with --bootstrap"
            .to_owned(),
    ))
}
