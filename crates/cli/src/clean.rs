//! `kconform clean`: what killed runs left behind.

use std::collections::BTreeMap;

use kconform_harness::Cleaned;
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};

use kconform_scenario::Undo;

use crate::args::Clean;
use crate::reach;
use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// What to tell somebody who says where to clean and not what.
const CHOICES: &str = "what is to go? Name one run, or take every run's:\n  \
    kconform clean --bootstrap localhost:9092 --run-id 261121-1433-5f2a   what this run made (its console and its \
    manifest.json name the id)\n  \
    kconform clean --bootstrap localhost:9092 --all                       what every run made, even one that is going on";

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Clean) -> Result<i32, Trouble> {
    if args.run_id.is_none() && !args.all {
        return Err(Trouble::Usage(CHOICES.to_owned()));
    }
    let target = reach::target(&args.reach)?.target;
    let prefix = prefix(args.run_id.as_deref());
    let (runtime, probed) = reach::runtime_and_probe(&target)?;
    let cleaned = runtime
        .block_on(kconform_harness::clean(&probed, &prefix))
        .map_err(|why| Trouble::Unreachable(format!("the topics cannot be listed: {why}")))?;
    let stayed = cleaned.left.len();
    for line in &cleaned.left {
        tell(line);
    }
    print(&format!("{}\n", summary(&cleaned, &prefix)));
    Ok(if stayed == 0 { CONFORMS } else { BLOCKED_OR_FAILED })
}

fn summary(cleaned: &Cleaned, prefix: &str) -> String {
    if cleaned.found.is_empty() {
        return format!(
            "There is no topic, ACL, SCRAM user or client quota whose name begins with {prefix}"
        );
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &cleaned.found {
        *kinds.entry(kind(item)).or_default() += 1;
    }
    let found: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
    format!("Found {}; {} left", found.join(", "), cleaned.left.len())
}

fn kind(item: &Undo) -> &'static str {
    match item {
        Undo::Topic(_) => "topics",
        Undo::AclsOf(_) => "principals with ACLs",
        Undo::ScramUser(_) => "SCRAM users",
        Undo::UserQuota(_) | Undo::ClientQuota(_) => "client quotas",
        Undo::LeaderQuota(_) => "replication quotas",
    }
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
