//! Pooled topics: partitions that exist already, each for one case. A topic a case would cost more than the case.

mod topics;

use std::cell::RefCell;
use std::sync::Arc;

use kconform_scenario::wire::Event;
use kconform_scenario::wire::event::What;
use kconform_scenario::wire::schema::{self, Direction};
use kconform_scenario::{Facts, Handed, Need, Partition, Pool, TopicSpec, Undo, keys};

pub(crate) use self::topics::Making;
use self::topics::Topics;
use crate::plan::Case;

/// The pooled topics of a run.
#[derive(Debug)]
pub(crate) struct Pools {
    facts: Arc<Facts>,
    /// With as many replicas as the target gives a topic by itself.
    replicated: Arc<Topics>,
    /// With a single one.
    single: Arc<Topics>,
    /// The target makes the latter.
    makes_single: bool,
}

impl Pools {
    /// Pools for these cases, each of which is run so many times. Blocks the calling thread until it is known whether the
    /// target makes topics with a single replica, if that matters.
    pub(crate) fn new(making: Making, cases: &[Case], repeat: u32) -> Self {
        let facts = making.facts.clone();
        let runtime = making.runtime.clone();
        let pool = |kind, spec, cases| {
            let most = usize::try_from(repeat).unwrap_or(1).saturating_mul(cases);
            Arc::new(Topics::new(making.clone(), kind, spec, most))
        };
        let alone = cases.iter().filter(|case| single_suffices(&facts, case)).count();
        let single = pool("single", TopicSpec::default().single(), alone);
        let stocked = if alone > 0 { runtime.block_on(single.stocked()) } else { Ok(()) };
        if let Err(why) = &stocked {
            tracing::info!("no topics with a single replica: {why}");
        }
        let makes_single = stocked.is_ok();
        let others = if makes_single { cases.len() - alone } else { cases.len() };
        let replicated = pool("replicated", TopicSpec::default(), others);
        Self { replicated, single, makes_single, facts }
    }

    /// Whether this case gets topics with a single replica.
    ///
    /// On a target of several brokers a scenario meets topics with the target's own number of replicas at the newest
    /// version of its API, and with one at the older versions: replicas have nothing to do with versions, and are nearly
    /// half of a cluster's work where each topic has three.
    pub(crate) fn is_single(&self, case: &Case) -> bool {
        self.makes_single && single_suffices(&self.facts, case)
    }

    /// Takes all partitions out of stock, so that their topics can be deleted; gives what to undo. Waits for topics in the
    /// making.
    pub(crate) fn retire(&self) -> Vec<Undo> {
        [&self.replicated, &self.single].into_iter().flat_map(|topics| topics.retire()).collect()
    }

    /// Gives up the topics whose partitions are all used up, so that they can be deleted.
    pub(crate) fn spent(&self) -> Vec<Undo> {
        [&self.replicated, &self.single].into_iter().flat_map(|topics| topics.spent()).collect()
    }
}

/// Whether a case can do with topics with a single replica, whatever else is run.
fn single_suffices(facts: &Facts, case: &Case) -> bool {
    // Cases about replicas, or about brokers that are or go down.
    let of_brokers =
        |need: &Need| matches!(need, Need::ThreeBrokers | Need::Restart | Need::Shape(_));
    let offered = facts.apis.get(&case.key).map(|(_, max)| *max);
    facts.brokers.len() > 1
        && !case.scenario.needs.iter().any(of_brokers)
        && case.version < newest(case, offered)
}

/// The newest version that the scenario of a case is run at, where the target offers its API up to `offered`.
fn newest(case: &Case, offered: Option<i16>) -> i16 {
    let known = schema::api(case.key).map(|api| *api.versions(Direction::Request).end());
    let last = case.scenario.versions.1;
    [known, offered].into_iter().flatten().fold(last, i16::min)
}

/// A case's hand on its pool.
#[derive(Debug)]
pub(crate) struct Handout {
    topics: Arc<Topics>,
    handed: RefCell<Vec<Partition>>,
}

impl Handout {
    /// A hand that holds nothing yet, of this case.
    pub(crate) fn new(pools: &Pools, case: &Case) -> Self {
        let topics = if pools.is_single(case) { &pools.single } else { &pools.replicated };
        Self { topics: topics.clone(), handed: RefCell::default() }
    }

    /// Gives the partitions of a case back when nothing that it sent can have left a trace in them: creating
    /// partitions is what costs a broker most. Else they are used up.
    pub(crate) fn settle(&self, events: &[Event]) {
        let handed = self.handed.take();
        let unused = !handed.is_empty() && events.iter().all(leaves_no_trace);
        self.topics.back(handed, unused);
    }
}

impl Pool for Handout {
    fn partitions(&self, count: usize) -> Handed<'_> {
        Box::pin(async move {
            let partitions = self.topics.next(count).await?;
            self.handed.borrow_mut().extend_from_slice(&partitions);
            Ok(partitions)
        })
    }
}

/// APIs that read partitions, or have nothing to do with them.
const TRACELESS: &[i16] = &[
    keys::Fetch,
    keys::ListOffsets,
    keys::Metadata,
    keys::OffsetCommit,
    keys::OffsetFetch,
    keys::FindCoordinator,
    keys::JoinGroup,
    keys::Heartbeat,
    keys::LeaveGroup,
    keys::SyncGroup,
    keys::DescribeGroups,
    keys::ListGroups,
    keys::SaslHandshake,
    keys::ApiVersions,
    keys::InitProducerId,
    keys::OffsetForLeaderEpoch,
    keys::AddOffsetsToTxn,
    // Writes markers where AddPartitionsToTxn or Produce came before, which are not among these.
    keys::EndTxn,
    keys::TxnOffsetCommit,
    keys::DescribeConfigs,
    keys::SaslAuthenticate,
    keys::DeleteGroups,
    keys::OffsetDelete,
    keys::DescribeProducers,
    keys::DescribeTransactions,
    keys::ListTransactions,
    keys::ConsumerGroupHeartbeat,
    keys::ConsumerGroupDescribe,
];

/// Whether an event cannot have changed a partition. Bytes that are no whole request may have done anything.
fn leaves_no_trace(event: &Event) -> bool {
    let What::Send { bytes, .. } = &event.what else { return true };
    let Some((size, rest)) = bytes.0.split_first_chunk::<4>() else { return false };
    let Some(key) = rest.first_chunk::<2>() else { return false };
    usize::try_from(i32::from_be_bytes(*size)) == Ok(rest.len())
        && TRACELESS.contains(&i16::from_be_bytes(*key))
}

/// The pool's own set-up needs none.
pub(crate) struct NoPool;

impl Pool for NoPool {
    fn partitions(&self, _count: usize) -> Handed<'_> {
        Box::pin(async { Err("the pool has no pool".to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use kconform_scenario::{Cx, Run, Scenario};

    use super::*;

    fn run(_: &mut Cx) -> Run<'_> {
        Box::pin(async { Ok(()) })
    }

    fn case(last: i16) -> Case {
        let scenario = Scenario {
            id: "FETCH-001",
            also: &[],
            name: "one",
            module: "conformance::fetch",
            file: "",
            line: 1,
            doc: "",
            api: keys::Fetch,
            versions: (0, last),
            vary: &[],
            needs: &[],
            slow: false,
            exclusive: false,
            run,
        };
        let scenario = Box::leak(Box::new(scenario));
        Case { scenario, name: "one".to_owned(), key: keys::Fetch, version: 4, variant: None }
    }

    #[test]
    fn the_newest_version_is_one_that_scenario_and_target_have() {
        assert_eq!(newest(&case(i16::MAX), Some(12)), 12, "the target's");
        assert_eq!(newest(&case(6), Some(12)), 6, "the scenario's");
        let known = *schema::api(keys::Fetch)
            .expect("Fetch is in our tables")
            .versions(Direction::Request)
            .end();
        assert_eq!(newest(&case(i16::MAX), Some(i16::MAX)), known, "ours");
    }
}
