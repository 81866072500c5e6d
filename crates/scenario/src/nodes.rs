//! Broker nodes that a case kills, stops and starts: the one way in which a case acts on a target but by its connections.
//!
//! What came of an act is an input of the case: recorded where the case learns it, and handed over again in a replay,
//! where nothing is killed.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use kconform_wire::Dial;

use crate::cx::Shared;
use crate::failure::{Failure, Outcome};
use crate::{Cx, keys, requests};

/// How long a broker may take from its start to its first answer: far beyond what a loaded machine was seen to need.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// What can be done to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeAct {
    /// Ends it as a power cut would (SIGKILL).
    Kill,
    /// Ends it in good order: a controlled shutdown.
    Stop,
    /// Starts it again on its data and under its addresses.
    Start,
}

impl NodeAct {
    /// The word for it: `kill`, `stop` or `start`.
    pub fn name(self) -> &'static str {
        match self {
            NodeAct::Kill => "kill",
            NodeAct::Stop => "stop",
            NodeAct::Start => "start",
        }
    }
}

/// An act in motion; an error is one sentence that says why it did not come off.
pub type Acting<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// Whoever can kill, stop and start the broker nodes of a target.
pub trait Nodes: std::fmt::Debug {
    /// Does this to the node with this broker id. Ends when its process has ended, or was started. Only called live.
    fn act(&self, act: NodeAct, broker: i32) -> Acting<'_>;
}

impl Cx {
    /// Gives a live case its way to the nodes. Without one, their acts are blocked.
    #[must_use]
    pub fn with_nodes(self, nodes: Rc<dyn Nodes>) -> Self {
        // Set once, at the beginning; a second way would change nothing.
        let _ = self.shared.nodes.set(nodes);
        self
    }

    /// Kills the broker with this id as a power cut would (SIGKILL), and returns when its process has ended: the rest of
    /// the cluster need not have noticed yet. Until it is started again, other connections than those to it by its id are
    /// made to brokers that live. What a case took down, its run starts again after it.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target's operator or starter cannot.
    pub async fn kill_broker(&self, id: i32) -> Outcome {
        self.act(NodeAct::Kill, id).await
    }

    /// Stops the broker with this id in good order (a controlled shutdown, which hands its partitions over), and returns
    /// when its process has ended; otherwise as [`Cx::kill_broker`].
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target's operator or starter cannot.
    pub async fn stop_broker(&self, id: i32) -> Outcome {
        self.act(NodeAct::Stop, id).await
    }

    /// Starts the broker with this id again, and returns when it answers at its address and lists itself in its Metadata.
    /// Its leaders and coordinators may still be on their way then.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target's operator or starter cannot, or it does not answer in time.
    pub async fn start_broker(&self, id: i32) -> Outcome {
        self.act(NodeAct::Start, id).await?;
        let mut tries = self.tries(format!("broker {id} to answer after its start"), BACK_WITHIN);
        loop {
            match self.lists_itself(id).await? {
                Ok(()) => return Ok(()),
                Err(last) => tries.again(last).await?,
            }
        }
    }

    /// Whether the broker answers and lists itself, or what it did instead.
    async fn lists_itself(&self, id: i32) -> Result<Result<(), String>, Failure> {
        let mut conn = match self.connect_broker(id).await {
            Ok(conn) => conn,
            Err(Failure::Blocked(finding)) => return Ok(Err(finding.got)),
            Err(other) => return Err(other),
        };
        let request = requests::metadata(self.newest(keys::Metadata)?, &[]);
        match conn.ask_newest(request).await?.answered() {
            Ok(body) if body.brokers.iter().any(|broker| broker.node_id.0 == id) => Ok(Ok(())),
            Ok(_) => Ok(Err("it does not list itself".to_owned())),
            Err(Failure::Blocked(finding)) => Ok(Err(finding.got)),
            Err(other) => Err(other),
        }
    }

    async fn act(&self, act: NodeAct, id: i32) -> Outcome {
        let nodes = self.shared.nodes.get().cloned();
        let live = async move {
            let done = match &nodes {
                Some(nodes) => nodes.act(act, id).await,
                None => Err("nobody can, on this target".to_owned()),
            };
            serde_json::to_value(done).unwrap_or(serde_json::Value::Null)
        };
        let name = format!("{} broker {id}", act.name());
        let value = self.shared.session.given(&name, live).await;
        match serde_json::from_value::<Result<(), String>>(value) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(Failure::blocked(format!("to {name}"), why)),
            Err(error) => {
                let what = format!("what came of `{name}` cannot be read: {error}");
                return Err(Failure::error(what));
            }
        }
        let mut down = self.shared.down.borrow_mut();
        match act {
            NodeAct::Kill | NodeAct::Stop => down.insert(id),
            NodeAct::Start => down.remove(&id),
        };
        // It may have been to this broker.
        self.setup.take();
        Ok(())
    }
}

impl Shared {
    /// Whether the case took this broker down.
    pub(crate) fn is_down(&self, broker: i32) -> bool {
        self.down.borrow().contains(&broker)
    }

    /// The operator's way in; while the case has brokers down, the way to one that lives.
    pub(crate) fn living_dial(&self) -> Dial {
        let mut dial = self.default_dial();
        if !self.down.borrow().is_empty() {
            let living = self.facts.brokers.iter().find(|broker| !self.is_down(broker.id));
            if let Some(living) = living {
                dial.host.clone_from(&living.host);
                dial.port = living.port;
            }
        }
        dial
    }
}
