//! `kconform clean`: the topics that runs left behind.

use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};

use crate::args::Clean;
use crate::reach;
use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Clean) -> Result<i32, Trouble> {
    let target = reach::target(&args.reach)?.target;
    let prefix = prefix(args.run_id.as_deref());
    let (runtime, probed) = reach::runtime_and_probe(&target)?;
    let (deleted, left) = runtime
        .block_on(kconform_harness::clean(&probed, &prefix))
        .map_err(|why| Trouble::Unreachable(format!("the topics cannot be listed: {why}")))?;
    let stayed = left.len();
    for line in left {
        tell(&line);
    }
    if deleted.is_empty() {
        print(&format!("There is no topic whose name begins with {prefix}\n"));
    } else {
        print(&format!("{} topics deleted, {stayed} left\n", deleted.len().saturating_sub(stayed)));
    }
    Ok(if stayed == 0 { CONFORMS } else { BLOCKED_OR_FAILED })
}

/// What the names of a run's topics begin with; of every run's without an id. The dash at the end keeps run `a` from taking what
/// belongs to run `ab`.
fn prefix(run_id: Option<&str>) -> String {
    run_id.map_or_else(|| "kc-".to_owned(), |id| format!("kc-{id}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_owns_no_topic_of_another_whose_id_begins_alike() {
        assert!(!"kc-ab-topic-1".starts_with(&prefix(Some("a"))));
        assert!("kc-ab-topic-1".starts_with(&prefix(Some("ab"))));
        assert!("kc-ab-topic-1".starts_with(&prefix(None)));
    }
}
