//! Pooled topics: partitions that exist already, each for one case. A topic a case would cost more than the case.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kconform_scenario::keys;
use kconform_scenario::wire::Event;
use kconform_scenario::wire::event::What;
use kconform_scenario::{Access, Facts, Partition, Pool, TopicSpec, Undo};

use crate::probe;

/// Partitions of a pooled topic. Few enough that a topic is ready in a moment.
const PARTITIONS: i32 = 48;

/// How many unused partitions are kept in stock, so that no case waits for the next topic.
const STOCK: usize = 64;

/// The pooled topics of a run. A thread of their own makes them ahead of the cases, as long as there are cases left.
#[derive(Debug)]
pub(crate) struct Topics {
    facts: Arc<Facts>,
    access: Arc<Access>,
    run: String,
    runtime: tokio::runtime::Handle,
    deadline: Duration,
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
    /// An empty pool for at most so many partitions. `deadline` is how long the making of a topic may take.
    pub(crate) fn new(
        facts: Arc<Facts>,
        access: Arc<Access>,
        run: String,
        runtime: tokio::runtime::Handle,
        deadline: Duration,
        most: usize,
    ) -> Self {
        let shelf = Mutex::default();
        let news = tokio::sync::Notify::new();
        Self { facts, access, run, runtime, deadline, most, shelf, news }
    }

    /// The next unused partition. Waits for the maker when there is none in stock.
    pub(crate) async fn next(self: &Arc<Self>) -> Result<Partition, String> {
        let mut since = None;
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            // From here on no news is missed.
            news.as_mut().enable();
            {
                let mut shelf = self.shelf();
                let partition = shelf.unused.pop_front();
                shelf.handed += usize::from(partition.is_some());
                if let Some(partition) = partition {
                    if shelf.wanting(self.most) {
                        self.start(&mut shelf);
                    }
                    return Ok(partition);
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
            let making = async { tokio::time::timeout(self.deadline, self.make(number)).await };
            let made = self
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
        let name = format!("pool {count}");
        let cx = probe::case_of(&self.run, &name, self.facts.clone(), &self.access);
        let topic = cx.topic_with(TopicSpec::default().partitions(PARTITIONS)).await;
        let (_, made) = cx.finish();
        self.shelf().undo.extend(made);
        let topic = topic.map_err(|failure| probe::sentence(&failure))?;
        Ok((0..PARTITIONS).map(|index| topic.partition(index)).collect())
    }
}

impl Shelf {
    /// Whether more stock is wanted, when a run needs at most so many partitions.
    fn wanting(&self, most: usize) -> bool {
        self.unused.len() < STOCK && self.handed + self.unused.len() < most
    }
}

/// A case's hand on the pool.
#[derive(Debug)]
pub(crate) struct Handout {
    topics: Arc<Topics>,
    handed: RefCell<Vec<Partition>>,
}

impl Handout {
    /// A hand that holds nothing yet.
    pub(crate) fn new(topics: Arc<Topics>) -> Self {
        Self { topics, handed: RefCell::default() }
    }

    /// Gives the partitions of a case back when nothing that it sent can have left a trace in them: creating
    /// partitions is what costs a broker most. Else they are used up.
    pub(crate) fn settle(&self, events: &[Event]) {
        let handed = self.handed.take();
        let traceless = !handed.is_empty() && events.iter().all(leaves_no_trace);
        let mut shelf = self.topics.shelf();
        for partition in handed {
            // A topic that the pool has given up meanwhile is not in it.
            let Some(alive) = shelf.alive.get_mut(&partition.topic) else { continue };
            if traceless {
                shelf.handed -= 1;
                shelf.unused.push_front(partition);
            } else {
                *alive -= 1;
            }
        }
        drop(shelf);
        if traceless {
            self.topics.news.notify_waiters();
        }
    }
}

impl Pool for Handout {
    fn partition(&self) -> Pin<Box<dyn Future<Output = Result<Partition, String>> + '_>> {
        Box::pin(async {
            let partition = self.topics.next().await?;
            self.handed.borrow_mut().push(partition.clone());
            Ok(partition)
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
    keys::SaslHandshake,
    keys::ApiVersions,
    keys::OffsetForLeaderEpoch,
    keys::SaslAuthenticate,
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
    fn partition(&self) -> Pin<Box<dyn Future<Output = Result<Partition, String>> + '_>> {
        Box::pin(async { Err("the pool has no pool".to_owned()) })
    }
}
