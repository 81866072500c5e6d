//! Pooled topics of one kind, made by a thread of their own ahead of the cases, as long as there are cases left.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kconform_scenario::{Access, Facts, Partition, TopicSpec, Undo};

use crate::probe;

/// Partitions of a pooled topic. Few enough that a topic is ready in a moment.
const PARTITIONS: i32 = 48;

/// How many unused partitions are kept in stock, so that no case waits for the next topic.
const STOCK: usize = 64;

/// How the topics of a run are made.
#[derive(Clone, Debug)]
pub(crate) struct Making {
    /// What is known of the target.
    pub(crate) facts: Arc<Facts>,
    /// The ways in.
    pub(crate) access: Arc<Access>,
    /// Prefix of all names of the run.
    pub(crate) run: String,
    /// The runtime on which sockets live.
    pub(crate) runtime: tokio::runtime::Handle,
    /// How long the making of one may take.
    pub(crate) deadline: Duration,
}

/// Pooled topics of one kind.
#[derive(Debug)]
pub(crate) struct Topics {
    making: Making,
    /// Names this kind.
    kind: &'static str,
    spec: TopicSpec,
    /// Partitions that the run may need at most, one a case.
    most: usize,
    shelf: Mutex<Shelf>,
    news: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Shelf {
    unused: VecDeque<Partition>,
    handed: usize,
    /// How many partitions of each topic are unused or in use. One without any is to be deleted.
    alive: BTreeMap<String, usize>,
    /// Topics made, or tried.
    tried: u32,
    /// The last try that came to nothing, and why.
    failed: Option<(u32, String)>,
    maker: Option<JoinHandle<()>>,
    making: bool,
    /// Topics made, or tried, that are not deleted yet.
    undo: BTreeSet<Undo>,
}

impl Topics {
    /// None yet, of this kind, for at most so many partitions.
    pub(crate) fn new(making: Making, kind: &'static str, spec: TopicSpec, most: usize) -> Self {
        let spec = spec.partitions(PARTITIONS);
        Self { making, kind, spec, most, shelf: Mutex::default(), news: tokio::sync::Notify::new() }
    }

    /// The next unused partitions, as many as asked for, led by one broker. Waits for the maker when they are not in stock.
    pub(crate) async fn next(self: &Arc<Self>, count: usize) -> Result<Vec<Partition>, String> {
        let mut since = None;
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            // From here on no news is missed.
            news.as_mut().enable();
            {
                let mut shelf = self.shelf();
                let partitions = shelf.take(count);
                if !partitions.is_empty() {
                    if shelf.wanting(self.most) {
                        self.start(&mut shelf);
                    }
                    return Ok(partitions);
                }
                let since = *since.get_or_insert(shelf.tried);
                if let Some((_, why)) = shelf.failed.as_ref().filter(|(at, _)| *at > since) {
                    return Err(why.clone());
                }
                self.start(&mut shelf);
            }
            news.await;
        }
    }

    /// Takes all partitions out of stock, so that their topics can be deleted; gives what to undo. Waits for a topic in
    /// the making.
    pub(crate) fn retire(&self) -> Vec<Undo> {
        let maker = self.shelf().maker.take();
        if let Some(maker) = maker {
            // A maker that panicked has nothing more to tell.
            let _ = maker.join();
        }
        let mut shelf = self.shelf();
        shelf.unused.clear();
        shelf.alive.clear();
        std::mem::take(&mut shelf.undo).into_iter().collect()
    }

    /// Gives up the topics whose partitions are all used up, so that they can be deleted.
    pub(crate) fn spent(&self) -> Vec<Undo> {
        let mut shelf = self.shelf();
        let spent: Vec<_> = shelf.alive.extract_if(.., |_, left| *left == 0).collect();
        spent.into_iter().filter_map(|(topic, _)| shelf.undo.take(&Undo::Topic(topic))).collect()
    }

    /// Waits until there is stock.
    pub(crate) async fn stocked(self: &Arc<Self>) -> Result<(), String> {
        let first = self.next(1).await?;
        self.back(first, true);
        Ok(())
    }

    /// Takes partitions back. `unused` says that they are as they were; else they are used up.
    pub(crate) fn back(&self, partitions: Vec<Partition>, unused: bool) {
        let mut shelf = self.shelf();
        for partition in partitions {
            // A topic that was given up meanwhile is not in it.
            let Some(alive) = shelf.alive.get_mut(&partition.topic) else { continue };
            if unused {
                shelf.handed -= 1;
                shelf.unused.push_front(partition);
            } else {
                *alive -= 1;
            }
        }
        drop(shelf);
        if unused {
            self.news.notify_waiters();
        }
    }

    fn start(self: &Arc<Self>, shelf: &mut Shelf) {
        if shelf.making {
            return;
        }
        shelf.making = true;
        let topics = self.clone();
        shelf.maker = Some(std::thread::spawn(move || topics.stock_up()));
    }

    /// Makes topics until there is stock enough, or one fails.
    fn stock_up(&self) {
        loop {
            let number = self.shelf().tried;
            let deadline = self.making.deadline;
            let making = async { tokio::time::timeout(deadline, self.make(number)).await };
            let made = self
                .making
                .runtime
                .block_on(making)
                .unwrap_or_else(|_| Err("a pooled topic was not ready in time".to_owned()));
            let mut shelf = self.shelf();
            shelf.tried += 1;
            let failed = made.is_err();
            match made {
                Ok(partitions) => {
                    for partition in &partitions {
                        *shelf.alive.entry(partition.topic.clone()).or_default() += 1;
                    }
                    shelf.unused.extend(partitions);
                }
                Err(why) => shelf.failed = Some((shelf.tried, why)),
            }
            shelf.making = !failed && shelf.wanting(self.most);
            self.news.notify_waiters();
            if !shelf.making {
                return;
            }
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make(&self, count: u32) -> Result<Vec<Partition>, String> {
        let name = format!("pool {} {count}", self.kind);
        let Making { run, facts, access, .. } = &self.making;
        let cx = probe::case_of(run, &name, facts.clone(), access);
        let topic = cx.topic_with(self.spec.clone()).await;
        let (_, made) = cx.finish();
        self.shelf().undo.extend(made);
        let topic = topic.map_err(|failure| probe::sentence(&failure))?;
        Ok((0..PARTITIONS).map(|index| topic.partition(index)).collect())
    }
}

impl Shelf {
    /// So many unused partitions of the leader that comes first to have them; none where no leader has.
    fn take(&mut self, count: usize) -> Vec<Partition> {
        let mut led: BTreeMap<i32, usize> = BTreeMap::new();
        let leader = self.unused.iter().find_map(|partition| {
            let led = led.entry(partition.leader).or_default();
            *led += 1;
            (*led >= count).then_some(partition.leader)
        });
        let mut taken = Vec::new();
        let mut at = 0;
        while taken.len() < count && at < self.unused.len() {
            if Some(self.unused[at].leader) == leader {
                taken.extend(self.unused.remove(at));
            } else {
                at += 1;
            }
        }
        self.handed += taken.len();
        taken
    }

    /// Whether more stock is wanted, when a run needs at most so many partitions.
    fn wanting(&self, most: usize) -> bool {
        self.unused.len() < STOCK && self.handed + self.unused.len() < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_drawn_of_one_leader() {
        let unused = [1, 2, 3, 2].into_iter().zip(0..).map(|(leader, index)| Partition {
            topic: "topic".to_owned(),
            topic_id: uuid::Uuid::nil(),
            index,
            leader,
        });
        let mut shelf = Shelf { unused: unused.collect(), ..Shelf::default() };
        let mut take = |count| {
            let taken = shelf.take(count);
            taken.iter().map(|partition| partition.index).collect::<Vec<_>>()
        };
        assert_eq!(take(3), [] as [i32; 0], "no leader has three");
        assert_eq!(take(2), [1, 3]);
        assert_eq!(take(1), [0]);
        assert_eq!(shelf.handed, 3);
    }
}
