//! The shapes whose brokers die in the middle of a case: `mortal`, three nodes, and `mortal-alone`, one; and the way to the
//! nodes of every Apache Kafka of our own.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use kconform_brokers::Cluster;
use kconform_harness::Hook;
use kconform_scenario::{Acting, NodeAct, Nodes};

/// The shape of three nodes: one may die while the others go on.
pub(crate) const SHAPE: &str = "mortal";
/// The shape of one node, which is down until it is started again.
pub(crate) const ALONE: &str = "mortal-alone";
/// How many nodes `mortal` takes.
pub(super) const NODES: usize = 3;

/// The way to the nodes of this cluster. It does not keep the cluster running.
pub(crate) fn hook(cluster: &Arc<Cluster>) -> Hook {
    Arc::new(OwnNodes { cluster: Arc::downgrade(cluster), turn: Arc::default() })
}

/// The nodes of a cluster of ours, whose numbers are their broker ids.
#[derive(Debug)]
struct OwnNodes {
    cluster: Weak<Cluster>,
    /// One act at a time: one that a case left in flight has to end before the next may mend it.
    turn: Arc<Mutex<()>>,
}

impl Nodes for OwnNodes {
    fn act(&self, act: NodeAct, broker: i32) -> Acting<'_> {
        let (cluster, turn) = (self.cluster.clone(), self.turn.clone());
        Box::pin(async move {
            let ran = tokio::task::spawn_blocking(move || {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                let cluster = cluster.upgrade().ok_or("the cluster has ended")?;
                let node = usize::try_from(broker).unwrap_or(0);
                let done = match act {
                    NodeAct::Kill => cluster.kill(node),
                    NodeAct::Stop => cluster.stop(node),
                    // A start that was given up may have come off all the same.
                    NodeAct::Start if cluster.pid(node).is_some() => Ok(()),
                    NodeAct::Start => cluster.restart(node),
                };
                done.map_err(|error| error.to_string())
            });
            ran.await.unwrap_or_else(|error| Err(error.to_string()))
        })
    }
}
