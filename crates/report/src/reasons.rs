//! Reasons for which a case was not run that lie in the run, and not in what the target was given: nobody can provide
//! anything against them.

/// Somebody interrupted the run.
pub const INTERRUPTED: &str = "the run was interrupted";

/// The target was lost before the case could begin.
pub const GONE: &str = "the target went away and did not come back";

/// The run was to end with the first failure.
pub const FAILED_FAST: &str = "another case had failed (--fail-fast)";

/// All of them.
pub(crate) const OF_THE_RUN: &[&str] = &[INTERRUPTED, GONE, FAILED_FAST];
