//! The way to the nodes of a target: commands of its operator, and the hand of a case that kills brokers on them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kconform_scenario::{Acting, NodeAct, Nodes};

/// Whoever can kill, stop and start the brokers of a target, for all cases of a run.
pub type Hook = Arc<dyn Nodes + Send + Sync>;

/// What stands for the broker id in a command.
pub(crate) const BROKER: &str = "{broker}";

/// One command at a time: one that a case left in flight, because its time was up, has to end before the next may mend it.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes of what a failing command printed that are shown.
const SHOWN: usize = 500;

/// Commands that kill, stop and start a broker, each a program and its arguments, in which `{broker}` stands for the
/// broker's id. They are run as they are, without a shell; what they print is shown when they fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Ends the broker's process at once; returns when it has ended.
    pub kill: Vec<String>,
    /// Ends it in good order; returns when it has ended.
    pub stop: Vec<String>,
    /// Starts it again on its data; it need not answer yet.
    pub start: Vec<String>,
}

impl Nodes for Commands {
    fn act(&self, act: NodeAct, broker: i32) -> Acting<'_> {
        let words = match act {
            NodeAct::Kill => &self.kill,
            NodeAct::Stop => &self.stop,
            NodeAct::Start => &self.start,
        };
        let id = broker.to_string();
        let words: Vec<String> = words.iter().map(|word| word.replace(BROKER, &id)).collect();
        Box::pin(async move {
            let ran = tokio::task::spawn_blocking(move || {
                let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
                run(&words)
            });
            let ran = ran.await;
            ran.unwrap_or_else(|error| Err(error.to_string()))
        })
    }
}

fn run(words: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said[..said.len().min(SHOWN)]).trim().to_owned();
    Err(format!("`{}` ended with {}: {said}", words.join(" "), output.status))
}

/// A case's hand on the nodes: knows which of them it took down, so that they are started again after the case.
#[derive(Debug)]
pub(crate) struct Hand {
    hook: Hook,
    touched: RefCell<BTreeSet<i32>>,
    down: RefCell<BTreeSet<i32>>,
}

impl Hand {
    /// A hand that did nothing yet.
    pub(crate) fn new(hook: Hook) -> Self {
        Self { hook, touched: RefCell::default(), down: RefCell::default() }
    }

    /// Starts what the case left down, within this time each; whether the case did anything to a node. A node that does
    /// not come back is found missing by whoever needs it.
    pub(crate) async fn settle(&self, within: Duration) -> bool {
        for broker in self.down.take() {
            let started = tokio::time::timeout(within, self.hook.act(NodeAct::Start, broker)).await;
            if let Ok(Err(why)) = started {
                tracing::warn!("broker {broker} cannot be started after a case: {why}");
            }
        }
        !self.touched.borrow().is_empty()
    }
}

impl Nodes for Hand {
    fn act(&self, act: NodeAct, broker: i32) -> Acting<'_> {
        self.touched.borrow_mut().insert(broker);
        // Down until it is known to be up: an act may be cut short, or fail half-way.
        self.down.borrow_mut().insert(broker);
        Box::pin(async move {
            self.hook.act(act, broker).await?;
            if act == NodeAct::Start {
                self.down.borrow_mut().remove(&broker);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Keeps what was asked of it; refuses to stop anything.
    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<(NodeAct, i32)>>);

    impl Nodes for Told {
        fn act(&self, act: NodeAct, broker: i32) -> Acting<'_> {
            self.0.lock().unwrap().push((act, broker));
            Box::pin(async move {
                if act == NodeAct::Stop { Err("it will not".to_owned()) } else { Ok(()) }
            })
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
    }

    fn command(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_broker_id_is_put_in_and_no_shell_looks_at_the_words() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("b-{broker} $HOME;x");
        let commands =
            Commands { kill: command(&["mkdir", &made.to_string_lossy()]), ..Commands::default() };
        block_on(commands.act(NodeAct::Kill, 7)).unwrap();
        assert!(dir.path().join("b-7 $HOME;x").is_dir());
    }

    #[test]
    fn a_command_that_fails_says_what_it_printed() {
        let commands = Commands {
            kill: command(&["ls", "/nowhere/{broker}"]),
            stop: command(&["/nowhere/at/all", "{broker}"]),
            start: Vec::new(),
        };
        let why = block_on(commands.act(NodeAct::Kill, 3)).unwrap_err();
        assert!(why.contains("ls /nowhere/3") && why.contains("exit status"), "{why}");
        let why = block_on(commands.act(NodeAct::Stop, 3)).unwrap_err();
        assert!(why.contains("`/nowhere/at/all` cannot be run"), "{why}");
        assert!(block_on(commands.act(NodeAct::Start, 3)).unwrap_err().contains("empty"));
    }

    #[test]
    fn what_a_case_left_down_is_started_after_it() {
        let told = Arc::new(Told::default());
        let hand = Hand::new(told.clone());
        assert!(!block_on(hand.settle(Duration::from_secs(1))));
        block_on(async {
            hand.act(NodeAct::Kill, 1).await.unwrap();
            hand.act(NodeAct::Start, 1).await.unwrap();
            hand.act(NodeAct::Kill, 2).await.unwrap();
            hand.act(NodeAct::Stop, 3).await.unwrap_err();
        });
        told.0.lock().unwrap().clear();
        assert!(block_on(hand.settle(Duration::from_secs(1))));
        assert_eq!(*told.0.lock().unwrap(), [(NodeAct::Start, 2), (NodeAct::Start, 3)]);
    }
}
