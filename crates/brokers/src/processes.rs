//! The processes of a cluster: signals, and an end under every circumstance.

use std::io;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::guard::Guard;

/// Ends the processes of a cluster from anywhere, for example from the thread that waits for
/// Ctrl-C.
///
/// It stays usable, and does nothing, after the cluster was dropped or detached.
#[derive(Clone, Debug)]
pub struct StopHandle {
    processes: Processes,
}

impl StopHandle {
    /// Kills every process of the cluster and lets none start again. The directory goes when the
    /// cluster is dropped, or when this process ends.
    pub fn stop(&self) {
        self.processes.end();
    }
}

/// The processes of one cluster, shared between it and its stop handles. Locks are held for moments
/// only.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// One place per node; empty while its process does not run.
    nodes: Vec<Option<Child>>,
    /// Gone when the cluster was detached.
    guard: Option<Guard>,
    /// No process may start any more.
    ended: bool,
}

impl Processes {
    /// No process yet; a guard over the directory.
    pub(crate) fn new(nodes: usize, dir: &Path) -> io::Result<Processes> {
        let nodes = (0..nodes).map(|_| None).collect();
        let state = State { nodes, guard: Some(Guard::start(dir)?), ended: false };
        Ok(Processes { state: Arc::new(Mutex::new(state)) })
    }

    pub(crate) fn stop_handle(&self) -> StopHandle {
        StopHandle { processes: self.clone() }
    }

    /// Puts a process into the place of a node, counted from 0.
    ///
    /// # Errors
    ///
    /// The process could not be started, or the cluster has been ended.
    pub(crate) fn run(
        &self,
        node: usize,
        start: impl FnOnce() -> io::Result<Child>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        if state.ended {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the cluster was told to stop"));
        }
        let child = start()?;
        state.nodes[node] = Some(child);
        state.tell_guard();
        Ok(())
    }

    /// How the process of a node ended; `None` while it runs. A place that is empty counts as ended
    /// without a status.
    pub(crate) fn ended(&self, node: usize) -> io::Result<Option<Option<ExitStatus>>> {
        let mut state = self.lock();
        let Some(child) = &mut state.nodes[node] else { return Ok(Some(None)) };
        let Some(status) = child.try_wait()? else { return Ok(None) };
        state.nodes[node] = None;
        state.tell_guard();
        Ok(Some(Some(status)))
    }

    /// Waits for the end of a node's process, which is killed at the deadline; `None` then, and
    /// when none ran.
    pub(crate) fn wait(&self, node: usize, deadline: Duration) -> io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended(node)? {
                return Ok(status);
            }
            if begun.elapsed() > deadline {
                self.kill(node)?;
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal; false when the process does not run.
    pub(crate) fn signal(&self, node: usize, signal: Signal) -> io::Result<bool> {
        let mut state = self.lock();
        let Some(child) = &mut state.nodes[node] else { return Ok(false) };
        // The id is ours until it has been waited for, which only happens under this lock.
        if child.try_wait()?.is_some() {
            state.nodes[node] = None;
            return Ok(false);
        }
        kill(pid(child), signal)?;
        Ok(true)
    }

    /// Stops the process of a node (SIGSTOP) and waits until all of its threads stand still, which the signal alone does
    /// not; false when it does not run.
    pub(crate) fn pause(&self, node: usize) -> io::Result<bool> {
        if !self.signal(node, Signal::SIGSTOP)? {
            return Ok(false);
        }
        let state = self.lock();
        if let Some(child) = &state.nodes[node] {
            // It may have been killed instead; either way it stays to be waited for.
            let news = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            waitid(Id::Pid(pid(child)), news)?;
        }
        Ok(true)
    }

    /// Kills the process of a node and waits for its end; false when it did not run.
    pub(crate) fn kill(&self, node: usize) -> io::Result<bool> {
        let mut state = self.lock();
        let Some(mut child) = state.nodes[node].take() else { return Ok(false) };
        let ran = child.try_wait()?.is_none();
        child.kill()?;
        child.wait()?;
        state.tell_guard();
        Ok(ran)
    }

    /// The process id of each node, `None` where none runs.
    pub(crate) fn ids(&self) -> Vec<Option<u32>> {
        let mut state = self.lock();
        let running = |child: &mut Child| {
            child.try_wait().is_ok_and(|status| status.is_none()).then(|| child.id())
        };
        state.nodes.iter_mut().map(|node| node.as_mut().and_then(running)).collect()
    }

    /// Kills them all and waits for their end. Together they would wait on SIGTERM for a quorum
    /// that is gone.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let mut children: Vec<Child> = state.nodes.iter_mut().filter_map(Option::take).collect();
        for child in &mut children {
            // An error means that it has ended and was waited for.
            let _ = child.kill();
        }
        for child in &mut children {
            let _ = child.wait();
        }
    }

    /// Ends the watch over the directory, which the caller has removed or leaves to somebody else.
    pub(crate) fn unwatch(&self) {
        self.lock().guard = None;
    }

    /// Forgets the processes: they go on without us.
    pub(crate) fn set_free(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.nodes.iter_mut().for_each(|node| drop(node.take()));
        state.guard = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_guard(&mut self) {
        let pids: Vec<u32> = self.nodes.iter().flatten().map(Child::id).collect();
        if let Some(guard) = &mut self.guard {
            guard.watch(&pids);
        }
    }
}

/// Process ids are positive and far below the limit on every system.
fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::process::{Command, Stdio};

    use super::*;

    fn sleeper() -> io::Result<Child> {
        Command::new("sleep").arg("300").stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    #[test]
    fn a_stop_handle_ends_all_and_lets_none_start() {
        let dir = tempfile::tempdir().unwrap();
        let processes = Processes::new(2, dir.path()).unwrap();
        let handle = processes.stop_handle();
        processes.run(0, sleeper).unwrap();
        processes.run(1, sleeper).unwrap();
        assert_eq!(processes.ids().iter().flatten().count(), 2);
        thread::spawn(move || handle.stop()).join().unwrap();
        assert_eq!(processes.ids(), [None, None]);
        assert!(processes.run(0, sleeper).is_err());
        processes.unwatch();
    }

    #[test]
    fn an_ended_process_is_noticed_and_not_signalled() {
        let dir = tempfile::tempdir().unwrap();
        let processes = Processes::new(1, dir.path()).unwrap();
        assert!(!processes.signal(0, Signal::SIGTERM).unwrap());
        processes.run(0, sleeper).unwrap();
        assert!(processes.ended(0).unwrap().is_none());
        assert!(processes.signal(0, Signal::SIGTERM).unwrap());
        let deadline = Instant::now() + Duration::from_secs(10);
        while processes.ended(0).unwrap().is_none() {
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
        assert!(!processes.signal(0, Signal::SIGTERM).unwrap());
        assert!(!processes.kill(0).unwrap());
        processes.unwatch();
    }

    /// The watcher may kill only what names the directory: `sleep` does not, `sh … DIR` does.
    #[test]
    fn the_guard_kills_what_is_left_and_spares_strangers() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.keep();
        let mut guard = Guard::start(&path).unwrap();
        let mut ours = Command::new("sh")
            .args(["-c", "while :; do sleep 1; done", "x"])
            .arg(&path)
            .spawn()
            .unwrap();
        let mut stranger = sleeper().unwrap();
        // For a moment after the spawn the new command line is not to be seen yet.
        let begun = Instant::now();
        let named =
            |id: u32| !fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default().is_empty();
        while !named(ours.id()) && begun.elapsed() < Duration::from_secs(5) {
            thread::yield_now();
        }
        guard.watch(&[ours.id(), stranger.id()]);
        guard.abandon();
        assert!(!ours.wait().unwrap().success());
        assert!(stranger.try_wait().unwrap().is_none());
        assert!(!path.exists());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }
}
