//! Pooled topics: partitions that exist already, each for one case. A topic a case would cost more than the case.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kconform_scenario::wire::Session;
use kconform_scenario::{Access, Cx, Facts, Failure, Inputs, Partition, Pool, TopicSpec, Undo};

/// Partitions of a pooled topic. Few enough that a topic is ready in a moment.
const PARTITIONS: i32 = 24;

/// The pooled topics of a run.
#[derive(Debug)]
pub(crate) struct Topics {
    facts: Arc<Facts>,
    access: Arc<Access>,
    run: String,
    made: AtomicU32,
    unused: tokio::sync::Mutex<VecDeque<Partition>>,
    undo: std::sync::Mutex<Vec<Undo>>,
}

impl Topics {
    /// An empty pool.
    pub(crate) fn new(facts: Arc<Facts>, access: Arc<Access>, run: String) -> Self {
        Self {
            facts,
            access,
            run,
            made: AtomicU32::new(0),
            unused: tokio::sync::Mutex::default(),
            undo: std::sync::Mutex::default(),
        }
    }

    /// The next unused partition; makes a topic when there is none left.
    pub(crate) async fn next(self: &Arc<Self>) -> Result<Partition, String> {
        let mut unused = self.unused.lock().await;
        if unused.is_empty() {
            unused.extend(self.make().await?);
        }
        unused.pop_front().ok_or_else(|| "the pool is empty".to_owned())
    }

    /// What was made and must be undone.
    pub(crate) fn undo(&self) -> Vec<Undo> {
        self.undo.lock().map(|undo| undo.clone()).unwrap_or_default()
    }

    async fn make(&self) -> Result<Vec<Partition>, String> {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        let inputs = Inputs {
            run: self.run.clone(),
            case: format!("pool {count}"),
            key: i16::MIN,
            version: 0,
            variant: None,
            started_ms: 0,
        };
        let cx = Cx::live(
            Session::live(),
            self.facts.clone(),
            inputs,
            self.access.clone(),
            std::rc::Rc::new(NoPool),
        );
        let topic = cx.topic_with(TopicSpec::default().partitions(PARTITIONS)).await;
        let (_, made) = cx.finish();
        if let Ok(mut undo) = self.undo.lock() {
            undo.extend(made);
        }
        match topic {
            Ok(topic) => Ok((0..PARTITIONS).map(|index| topic.partition(index)).collect()),
            Err(Failure::Failed(finding) | Failure::Blocked(finding)) => {
                Err(format!("expected {}, got {}", finding.expected, finding.got))
            }
            Err(Failure::NotRun(reason) | Failure::Error(reason)) => Err(reason),
        }
    }
}

/// A case's hand on the pool.
#[derive(Debug)]
pub(crate) struct Handout {
    pub(crate) topics: Arc<Topics>,
}

impl Pool for Handout {
    fn partition(&self) -> Pin<Box<dyn Future<Output = Result<Partition, String>> + '_>> {
        Box::pin(self.topics.next())
    }
}

/// The pool's own set-up needs none.
pub(crate) struct NoPool;

impl Pool for NoPool {
    fn partition(&self) -> Pin<Box<dyn Future<Output = Result<Partition, String>> + '_>> {
        Box::pin(async { Err("the pool has no pool".to_owned()) })
    }
}
