//! What the cases of a run made, and the run has to undo. Topics go while the run goes on, a batch at a time: those that
//! nobody uses any more weigh on a broker, and on the followers of a cluster, until they are deleted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kconform_scenario::Undo;

use crate::cleanup;
use crate::execute::Env;

/// Topics that are deleted at a time: a deletion costs a cluster about as much for one as for a few dozen.
const BATCH: usize = 32;

/// Everything that is to be undone.
#[derive(Debug, Default)]
pub(crate) struct Litter {
    made: Mutex<Vec<Undo>>,
    /// Topics may go now.
    sweeping: AtomicBool,
}

impl Litter {
    /// Whether topics may go from now on, or wait.
    pub(crate) fn may_go(&self, now: bool) {
        self.sweeping.store(now, Ordering::Relaxed);
    }

    /// Adds what a case made.
    pub(crate) fn add(&self, made: impl IntoIterator<Item = Undo>) {
        self.made().extend(made);
    }

    /// Takes all of it, that of the pool included, which hands out no partition of a former topic afterwards.
    pub(crate) fn take(&self, env: &Env) -> Vec<Undo> {
        let mut made = std::mem::take(&mut *self.made());
        made.extend(env.pools.retire());
        made
    }

    /// Deletes the topics of cases that have ended, and those of the pool that are used up, once there are enough of them.
    pub(crate) fn sweep(&self, env: &Env) {
        if !self.sweeping.load(Ordering::Relaxed) || *env.interrupted.borrow() {
            return;
        }
        let topics: Vec<Undo> = {
            let spent = env.pools.spent();
            let mut made = self.made();
            let is_topic = |undo: &Undo| matches!(undo, Undo::Topic(_));
            // One of the pool weighs as much as many others.
            if spent.is_empty() && made.iter().filter(|undo| is_topic(undo)).count() < BATCH {
                return;
            }
            spent.into_iter().chain(made.extract_if(.., |undo| is_topic(undo))).collect()
        };
        let left = env.runtime.block_on(cleanup::undo(env, topics.iter().cloned()));
        if !left.is_empty() {
            // A target that does not delete them now is not asked over and over.
            tracing::info!("topics stay until the end of the run: {}", left.join("; "));
            self.may_go(false);
            self.add(topics);
        }
    }

    /// Undoes everything. What stays is tried again at the end of the run.
    pub(crate) fn lighten(&self, env: &Env) {
        let made = self.take(env);
        let left = env.runtime.block_on(cleanup::undo(env, made.iter().cloned()));
        if !left.is_empty() {
            self.add(made);
        }
    }

    fn made(&self) -> MutexGuard<'_, Vec<Undo>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
