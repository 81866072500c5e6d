//! Single nodes of detached clusters: killed, stopped and started again by whoever knows the name.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::detached::{DetachError, Running, State};
use crate::jars;
use crate::node::Node;
use crate::processes::Processes;

/// A controlled shutdown takes about a second; without its quorum a node takes longer, and is killed then.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// Kills a node (numbered from 1) of the detached cluster of this name, or stops it in good order, and waits for the end of
/// its process.
///
/// # Errors
///
/// There is no such cluster or node, it does not run, or it does not end.
pub fn end_node(name: &str, node: usize, orderly: bool) -> Result<(), DetachError> {
    let running = State::of_user().find(name)?;
    let pid = running.pids[place(&running, node)?];
    if !running.lives(pid) {
        return Err(other(format!("node {node} of `{name}` does not run")));
    }
    let mut signal = if orderly { Signal::SIGTERM } else { Signal::SIGKILL };
    let mut begun = Instant::now();
    send(pid, signal)?;
    while running.lives(pid) {
        if begun.elapsed() > STOP_DEADLINE {
            if signal == Signal::SIGKILL {
                return Err(other(format!("node {node} of `{name}` does not end")));
            }
            signal = Signal::SIGKILL;
            begun = Instant::now();
            send(pid, signal)?;
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Starts a node (numbered from 1) of the detached cluster of this name on its data and ports, and waits until it lists
/// itself in its Metadata. One that runs is left alone.
///
/// # Errors
///
/// There is no such cluster or node, or it does not come back.
pub fn restart_node(name: &str, node: usize) -> Result<(), DetachError> {
    let state = State::of_user();
    let mut running = state.find(name)?;
    let place = place(&running, node)?;
    if running.lives(running.pids[place]) {
        return Ok(());
    }
    let port =
        running.endpoints.get(place).and_then(|address| address.rsplit_once(':')?.1.parse().ok());
    let port = port.ok_or_else(|| other(format!("node {node} of `{name}` has no known port")))?;
    let libs = jars::ensure(running.release, &mut |_| {}).map_err(other)?;
    let dir = running.dir.join(format!("node-{node}"));
    let found = Node::found(running.release, running.nodes, &libs, dir, node, port);
    // Watched over with nothing but its scratch directory until it serves: the data belongs to the cluster.
    let processes = Processes::new(running.nodes, &found.scratch())?;
    let started = found.start_again(&processes);
    if let Err(error) = started {
        processes.end();
        return Err(other(error));
    }
    let started = processes.ids().get(place).copied().flatten();
    let started = started.ok_or_else(|| other(format!("node {node} of `{name}` ended again")))?;
    running.pids[place] = started;
    state.renew(&running)?;
    processes.set_free();
    Ok(())
}

fn place(running: &Running, node: usize) -> Result<usize, DetachError> {
    match node.checked_sub(1) {
        Some(place) if place < running.pids.len() => Ok(place),
        _ => {
            Err(other(format!("`{}` has {} node(s), no node {node}", running.name, running.nodes)))
        }
    }
}

fn send(pid: u32, signal: Signal) -> Result<(), DetachError> {
    match kill(Pid::from_raw(pid.cast_signed()), signal) {
        // It ended in between.
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(DetachError::System(io::Error::from(error))),
    }
}

fn other(why: impl ToString) -> DetachError {
    DetachError::System(io::Error::other(why.to_string()))
}
