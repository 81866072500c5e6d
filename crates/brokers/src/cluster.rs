//! A running cluster.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::detached::{self, DetachError, Running};
use crate::error::NodeError;
use crate::listeners::Listeners;
use crate::node::Node;
use crate::ports::Ports;
use crate::processes::{Processes, StopHandle};
use crate::ready;
use crate::shape::Shape;

/// A controlled shutdown of one node among three takes about a second; alone, a node gives up on
/// its quorum sooner than this.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// One or three nodes of Apache Kafka, running in processes of their own.
///
/// Dropping it kills exactly those processes and removes their data. So does the end of this
/// process, however it comes about (a watcher sees to it), unless the cluster was
/// [detached](Cluster::detach).
#[derive(Debug)]
pub struct Cluster {
    pub(crate) shape: Shape,
    pub(crate) listeners: Listeners,
    pub(crate) certificates: Certificates,
    pub(crate) nodes: Vec<Node>,
    pub(crate) processes: Processes,
    /// Held as long as the cluster lives, since a stopped node must find its ports again.
    pub(crate) _ports: Ports,
    /// Gone when the cluster was detached.
    pub(crate) home: Option<TempDir>,
}

impl Cluster {
    /// The PLAINTEXT listener of the first node, `127.0.0.1:port`.
    pub fn bootstrap(&self) -> String {
        self.listeners.plaintext.clone()
    }

    /// The PLAINTEXT listener of every node, the first one's first. While nodes are down, bootstrap
    /// from all of these.
    pub fn endpoints(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect()
    }

    /// All listeners.
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// The authority of the TLS listeners, and a client certificate for the mTLS one.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The release that runs.
    pub fn release(&self) -> crate::Release {
        self.shape.release
    }

    /// The shape that it was started with.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many nodes it has, running or not; they are numbered from 1, which is also their
    /// `node.id`.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The process ids of the nodes that run.
    pub fn pids(&self) -> Vec<u32> {
        self.processes.ids().into_iter().flatten().collect()
    }

    /// The process id of a node; `None` when it does not run.
    pub fn pid(&self, node: usize) -> Option<u32> {
        self.processes.ids().get(node.checked_sub(1)?).copied().flatten()
    }

    /// Ends the cluster from anywhere, for example from a thread that waits for Ctrl-C.
    pub fn stop_handle(&self) -> StopHandle {
        self.processes.stop_handle()
    }

    /// Kills a node (SIGKILL), as a power cut would, and waits for the end of its process.
    ///
    /// # Errors
    ///
    /// There is no such node, or it does not run.
    pub fn kill(&self, node: usize) -> Result<(), NodeError> {
        let place = self.place(node)?;
        running(node, self.processes.kill(place))
    }

    /// Stops a node in good order (SIGTERM: a controlled shutdown that hands its partitions over)
    /// and waits for its end.
    ///
    /// # Errors
    ///
    /// There is no such node, it does not run, or it did not end within 30 s, which happens when
    /// the quorum is gone; then it was killed.
    pub fn stop(&self, node: usize) -> Result<(), NodeError> {
        let place = self.place(node)?;
        running(node, self.processes.signal(place, Signal::SIGTERM))?;
        // A paused process takes the signal when it goes on.
        self.processes.signal(place, Signal::SIGCONT).map_err(NodeError::System)?;
        match self.processes.wait(place, STOP_DEADLINE).map_err(NodeError::System)? {
            Some(_) => Ok(()),
            None => Err(NodeError::StopTimedOut { node }),
        }
    }

    /// Pauses a node (SIGSTOP): its connections stay open and nothing answers. Returns when it stands still.
    ///
    /// # Errors
    ///
    /// There is no such node, or it does not run.
    pub fn pause(&self, node: usize) -> Result<(), NodeError> {
        let place = self.place(node)?;
        running(node, self.processes.pause(place))
    }

    /// Lets a paused node go on (SIGCONT). Returns at once: the node may first have to join its
    /// cluster again.
    ///
    /// # Errors
    ///
    /// There is no such node, or it does not run.
    pub fn resume(&self, node: usize) -> Result<(), NodeError> {
        let place = self.place(node)?;
        running(node, self.processes.signal(place, Signal::SIGCONT))
    }

    /// Starts a node again on its data and ports, stopping it in good order first if it runs, and
    /// waits until it lists itself in its Metadata.
    ///
    /// # Errors
    ///
    /// There is no such node, or it did not come back within 90 s, which three nodes do not while
    /// two of them are down.
    pub fn restart(&self, node: usize) -> Result<(), NodeError> {
        let place = self.place(node)?;
        match self.stop(node) {
            Ok(()) | Err(NodeError::NotRunning { .. }) => {}
            Err(error) => return Err(error),
        }
        self.nodes[place]
            .start_again(&self.processes)
            .map_err(|error| NodeError::Restart(Box::new(error)))
    }

    /// The last lines of a node's log, oldest first; none when there is no such node.
    pub fn log_tail(&self, node: usize, lines: usize) -> Vec<String> {
        self.place(node)
            .map(|place| ready::tail(&self.nodes[place].log(), lines))
            .unwrap_or_default()
    }

    /// Copies what every node has logged so far, and its properties, into a directory, which is
    /// created: the cluster's own files go with it.
    ///
    /// # Errors
    ///
    /// The directory cannot be written.
    pub fn keep_logs(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::create_dir_all(dir)?;
        let mut kept = Vec::new();
        for node in &self.nodes {
            for (file, ending) in [
                (node.log(), "log"),
                (node.console(), "console"),
                (node.properties(), "properties"),
            ] {
                if file.is_file() {
                    let copy = dir.join(format!("node-{}.{ending}", node.number));
                    fs::copy(&file, &copy)?;
                    kept.push(copy);
                }
            }
        }
        Ok(kept)
    }

    /// Sets the cluster free under a name: it outlives this process until [`stop`](crate::stop) is
    /// called with the name.
    ///
    /// # Errors
    ///
    /// The name is taken or not usable, or the state cannot be written. The cluster is stopped
    /// then; [`check_name`](crate::check_name) tells before the start.
    pub fn detach(mut self, name: &str) -> Result<Running, DetachError> {
        let Some(home) = &self.home else { return Err(DetachError::Gone) };
        let running = Running {
            name: name.to_owned(),
            release: self.release(),
            nodes: self.nodes(),
            pids: self.pids(),
            bootstrap: self.bootstrap(),
            endpoints: self.endpoints(),
            listeners: self.listeners.clone(),
            certificates: self.certificates.clone(),
            dir: home.path().to_owned(),
            alive: true,
        };
        detached::remember(&running)?;
        self.processes.set_free();
        // From here on the directory belongs to whoever stops the cluster by its name.
        self.home.take().map(TempDir::keep);
        Ok(running)
    }

    fn place(&self, node: usize) -> Result<usize, NodeError> {
        match node {
            1.. if node <= self.nodes.len() => Ok(node - 1),
            _ => Err(NodeError::NoSuchNode { asked: node, nodes: self.nodes.len() }),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            self.processes.end();
            // Left to the temporary directory's own cleaning when it fails.
            let _ = home.close();
            self.processes.unwatch();
        }
    }
}

fn running(node: usize, ran: io::Result<bool>) -> Result<(), NodeError> {
    match ran {
        Ok(true) => Ok(()),
        Ok(false) => Err(NodeError::NotRunning { node }),
        Err(error) => Err(NodeError::System(error)),
    }
}
