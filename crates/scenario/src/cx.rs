//! What a scenario is given: its version, what is known of the target, fresh names, and partitions that are ready.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use kconform_wire::{Dial, Session};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::facts::{Facts, Listener};
use crate::failure::Failure;
use crate::nodes::Nodes;
use crate::topics::Partition;
use crate::{Conn, keys};

/// The inputs of a case besides the facts: recorded with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Prefix of every name of the run, for example `kc-4f3a09`.
    pub run: String,
    /// The case's name, from which its names and nonces are drawn.
    pub case: String,
    /// API key of the scenario; [`EACH`](crate::EACH) never stands here.
    pub key: i16,
    /// API version of the case.
    pub version: i16,
    /// Variant of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Wall clock at the start of the case, milliseconds since 1970.
    pub started_ms: i64,
    /// Topics made for the case have a single replica where it does not say how many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_replica: bool,
}

/// How to get to the target: dials with their secrets. Empty in a replay, where nobody dials.
#[derive(Clone, Debug)]
pub struct Access {
    /// The operator's own way in.
    pub default: Dial,
    /// The other listeners, without credentials.
    pub listeners: BTreeMap<Listener, Dial>,
}

/// What a case made and its run has to undo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Delete this topic.
    Topic(String),
    /// Delete the ACLs of this principal, `User:name`.
    AclsOf(String),
    /// Delete the SCRAM credentials of this user.
    ScramUser(String),
    /// Remove the client quotas of this user.
    UserQuota(String),
    /// Remove the client quotas of this client id.
    ClientQuota(String),
    /// Remove the quota of this broker for what it, as a leader, gives to throttled replicas (KIP-73).
    LeaderQuota(i32),
}

/// Partitions on their way, or why there are none.
pub type Handed<'a> = Pin<Box<dyn Future<Output = Result<Vec<Partition>, String>> + 'a>>;

/// Hands out partitions of topics that exist already and that no other case uses.
pub trait Pool {
    /// The next unused partitions, as many as asked for, led by one broker. Only called live.
    fn partitions(&self, count: usize) -> Handed<'_>;
}

pub(crate) struct Shared {
    pub(crate) session: Session,
    pub(crate) facts: Arc<Facts>,
    pub(crate) inputs: Inputs,
    pub(crate) access: Option<Arc<Access>>,
    pool: Option<Rc<dyn Pool>>,
    /// The way to the nodes of the target, where there is one.
    pub(crate) nodes: OnceCell<Rc<dyn Nodes>>,
    /// The brokers that the case took down.
    pub(crate) down: RefCell<BTreeSet<i32>>,
    names: Cell<u32>,
    notes: RefCell<Vec<String>>,
    undo: RefCell<Vec<Undo>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case {}", self.inputs.case)
    }
}

/// One case in the hands of its scenario.
#[derive(Debug)]
pub struct Cx {
    pub(crate) shared: Rc<Shared>,
    /// The connection that set-up uses, opened once.
    pub(crate) setup: RefCell<Option<Conn>>,
}

impl Cx {
    /// A live case.
    pub fn live(
        session: Session,
        facts: Arc<Facts>,
        inputs: Inputs,
        access: Arc<Access>,
        pool: Rc<dyn Pool>,
    ) -> Self {
        Self::new(session, facts, inputs, Some(access), Some(pool))
    }

    /// A case that is played back.
    pub fn replay(session: Session, facts: Arc<Facts>, inputs: Inputs) -> Self {
        Self::new(session, facts, inputs, None, None)
    }

    fn new(
        session: Session,
        facts: Arc<Facts>,
        inputs: Inputs,
        access: Option<Arc<Access>>,
        pool: Option<Rc<dyn Pool>>,
    ) -> Self {
        let shared = Shared {
            session,
            facts,
            inputs,
            access,
            pool,
            nodes: OnceCell::new(),
            down: RefCell::default(),
            names: Cell::new(0),
            notes: RefCell::default(),
            undo: RefCell::default(),
        };
        Self { shared: Rc::new(shared), setup: RefCell::default() }
    }

    /// The API version of this case.
    pub fn version(&self) -> i16 {
        self.shared.inputs.version
    }

    /// The API key of this case; of use where a scenario is multiplied over every API.
    pub fn key(&self) -> i16 {
        self.shared.inputs.key
    }

    /// The variant of this case; empty where the scenario has none.
    pub fn variant(&self) -> &str {
        self.shared.inputs.variant.as_deref().unwrap_or("")
    }

    /// What is known of the target.
    pub fn facts(&self) -> &Facts {
        &self.shared.facts
    }

    /// Whether the target is held to this release line of Apache Kafka or a newer one.
    pub fn since(&self, major: u16, minor: u16) -> bool {
        (self.facts().reference.0, self.facts().reference.1) >= (major, minor)
    }

    /// The time of the last event, since the case began.
    pub fn now(&self) -> Duration {
        self.shared.session.now()
    }

    /// Wall clock in milliseconds since 1970, as record timestamps count it.
    pub fn wall_ms(&self) -> i64 {
        let passed = i64::try_from(self.now().as_millis()).unwrap_or(i64::MAX);
        self.shared.inputs.started_ms.saturating_add(passed)
    }

    /// Sleeps; a recorded wake-up. Waiting for a state is what [`Cx::tries`] is for.
    pub async fn sleep(&self, duration: Duration) {
        self.shared.session.sleep(duration).await;
    }

    /// Adds a line to the record: worth knowing, and no finding.
    pub fn note(&self, text: impl Into<String>) {
        self.shared.note(text.into());
    }

    /// A fresh name with the run's prefix in it, unique in the run: `kc-4f3a09-topic-1f00ba4a-0`.
    pub fn name(&self, kind: &str) -> String {
        let count = self.shared.names.get();
        self.shared.names.set(count + 1);
        let Inputs { run, case, .. } = &self.shared.inputs;
        format!("{run}-{kind}-{:08x}-{count}", fnv(case.as_bytes()) as u32)
    }

    /// A fresh group id.
    pub fn group(&self) -> String {
        self.name("group")
    }

    /// A fresh transactional id.
    pub fn txn_id(&self) -> String {
        self.name("txn")
    }

    /// A fresh nonce of 32 hexadecimal digits, for SCRAM. Deterministic per case and run on purpose, so that a case can be
    /// played back.
    pub fn nonce(&self) -> String {
        let seed = fnv(self.name("nonce").as_bytes());
        format!("{seed:016x}{:016x}", fnv(&seed.to_be_bytes()))
    }

    /// The version at which a request of this API goes: the case's own API at the case's version, every other at the
    /// highest common one.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise the API.
    pub fn version_of(&self, key: i16) -> Result<i16, Failure> {
        self.shared.version_of(key)
    }

    /// The highest version of this API that both the target and we know.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise the API.
    pub fn newest(&self, key: i16) -> Result<i16, Failure> {
        self.shared.newest(key)
    }

    /// A partition of its own, of a topic that other cases have other partitions of.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the pool cannot make one.
    pub async fn partition(&self) -> Result<Partition, Failure> {
        self.handed(1, &RefCell::default()).await
    }

    /// Partitions of its own, led by one broker, so that one request may name them all. Other cases have other partitions
    /// of their topics.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the pool cannot make them.
    pub async fn partitions<const N: usize>(&self) -> Result<[Partition; N], Failure> {
        let hand = RefCell::default();
        let mut drawn = Vec::new();
        for _ in 0..N {
            drawn.push(self.handed(N, &hand).await?);
        }
        drawn.try_into().map_err(|_| Failure::error("as many partitions as were drawn"))
    }

    /// One more partition of those in hand; `count` of them are drawn at once when there is none.
    async fn handed(
        &self,
        count: usize,
        hand: &RefCell<VecDeque<Partition>>,
    ) -> Result<Partition, Failure> {
        let pool = self.shared.pool.clone();
        let live = async move {
            if hand.borrow().is_empty() {
                let drawn = match &pool {
                    Some(pool) => pool.partitions(count).await,
                    None => Err("no pool".to_owned()),
                };
                match drawn {
                    Ok(drawn) => hand.borrow_mut().extend(drawn),
                    Err(why) => return json!(Err::<Partition, _>(why)),
                };
            }
            let next = hand.borrow_mut().pop_front().ok_or("an empty pool");
            json!(next)
        };
        let value = self.shared.session.given("partition", live).await;
        match serde_json::from_value::<Result<Partition, String>>(value) {
            Ok(Ok(partition)) => Ok(partition),
            Ok(Err(why)) => Err(Failure::blocked("an unused partition", why)),
            Err(error) => Err(Failure::error(format!("the pool's answer cannot be read: {error}"))),
        }
    }

    /// Whether to go on with what a case may also leave out, such as making a failing value smaller: yes live, and in a
    /// replay as far as the recording did.
    pub async fn goes_on(&self, name: &str) -> bool {
        self.shared.session.goes_on(name).await
    }

    /// Registers what the run has to undo after the case.
    pub fn undo(&self, undo: Undo) {
        self.shared.undo.borrow_mut().push(undo);
    }

    /// Notes and undos of the case, at its end.
    pub fn finish(&self) -> (Vec<String>, Vec<Undo>) {
        let mut notes = self.shared.notes.take();
        notes.dedup();
        (notes, self.shared.undo.take())
    }
}

impl Shared {
    pub(crate) fn note(&self, text: String) {
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    pub(crate) fn secrets_are_public(&self) -> bool {
        self.facts.users.values().all(|user| user.public)
    }

    pub(crate) fn version_of(&self, key: i16) -> Result<i16, Failure> {
        if key == self.inputs.key { Ok(self.inputs.version) } else { self.newest(key) }
    }

    pub(crate) fn newest(&self, key: i16) -> Result<i16, Failure> {
        let api = kconform_wire::schema::api(key)
            .ok_or_else(|| Failure::error(format!("API key {key} is not in our tables")))?;
        let ours = (0..=*api.versions(kconform_wire::schema::Direction::Request).end())
            .rev()
            .find(|version| api.stable(*version))
            .unwrap_or(0);
        match self.facts.apis.get(&key) {
            Some((_, max)) => Ok((*max).min(ours)),
            // Served by every broker of these releases although unlisted: KIP-714.
            None if [keys::GetTelemetrySubscriptions, keys::PushTelemetry].contains(&key) => Ok(0),
            None => Err(Failure::blocked(
                format!("a target that offers {}", api.name()),
                "it is not advertised",
            )),
        }
    }
}

/// FNV-1a, 64 bits: short stable names out of long ones; not for anything that must be hard to guess.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
