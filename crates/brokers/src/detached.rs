//! Clusters that outlive the process that started them, known by name.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::certificates::Certificates;
use crate::listeners::Listeners;
use crate::start::DIR_PREFIX;
use crate::{Release, places};

/// A killed process is gone within moments.
const GONE_DEADLINE: Duration = Duration::from_secs(10);

/// A detached cluster, as it is remembered in the user's state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The name that it was detached under.
    pub name: String,
    /// The release.
    pub release: Release,
    /// How many nodes it has.
    pub nodes: usize,
    /// The processes that ran when it was detached.
    pub pids: Vec<u32>,
    /// The PLAINTEXT listener of the first node, `127.0.0.1:port`.
    pub bootstrap: String,
    /// The PLAINTEXT listener of every node.
    pub endpoints: Vec<String>,
    /// All listeners.
    pub listeners: Listeners,
    /// Paths of what TLS clients need, within `dir`.
    pub certificates: Certificates,
    /// Where its data and logs are.
    pub dir: PathBuf,
    /// Whether all its processes still run, looked up when it was read.
    #[serde(default)]
    pub alive: bool,
}

/// Whether a cluster could be detached under this name: letters, digits, `.`, `_` and `-`, at most
/// 64, not beginning with a dot, and no living cluster has it.
///
/// # Errors
///
/// What is wrong with the name.
pub fn check_name(name: &str) -> Result<(), DetachError> {
    State::of_user().check_name(name)
}

/// The detached clusters, by name, dead ones included. What is unreadable is left out.
pub fn list() -> Vec<Running> {
    State::of_user().list()
}

/// Stops a detached cluster and removes its data. One that has died meanwhile is merely cleaned up.
///
/// # Errors
///
/// No cluster of this name is known, or its processes do not end.
pub fn stop(name: &str) -> Result<Running, DetachError> {
    State::of_user().stop(name)
}

/// Writes down a cluster that is about to be set free.
pub(crate) fn remember(running: &Running) -> Result<(), DetachError> {
    State::of_user().remember(running)
}

/// A cluster could not be detached, or a detached one not stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum DetachError {
    /// The name has other characters than letters, digits, `.`, `_` and `-`, begins with a dot, is
    /// empty or too long.
    BadName {
        /// The name.
        name: String,
    },
    /// A living cluster has this name.
    Taken {
        /// The name.
        name: String,
    },
    /// No detached cluster has this name.
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The cluster has no processes or data any more.
    Gone,
    /// The state could not be read or written, or a process not be ended.
    System(io::Error),
}

impl fmt::Display for DetachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DetachError::BadName { name } => {
                write!(
                    f,
                    "`{name}` cannot name a broker: letters, digits, `.`, `_` and `-` only, at most 64, no dot first"
                )
            }
            DetachError::Taken { name } => {
                write!(f, "a broker named `{name}` is running; stop it or choose another name")
            }
            DetachError::Unknown { name, known } if known.is_empty() => {
                write!(f, "no broker named `{name}`: none is running")
            }
            DetachError::Unknown { name, known } => {
                write!(f, "no broker named `{name}`; there is: {}", known.join(", "))
            }
            DetachError::Gone => f.write_str("the broker has ended"),
            DetachError::System(error) => write!(f, "cannot manage detached brokers: {error}"),
        }
    }
}

impl std::error::Error for DetachError {}

impl From<io::Error> for DetachError {
    fn from(error: io::Error) -> DetachError {
        DetachError::System(error)
    }
}

/// The directory of the state: a file `NAME.json` for each cluster.
pub(crate) struct State {
    dir: PathBuf,
}

impl State {
    /// That of the user who runs this.
    pub(crate) fn of_user() -> State {
        State { dir: places::state().join("brokers") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.json"))
    }

    fn check_name(&self, name: &str) -> Result<(), DetachError> {
        let usable = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(usable)
        {
            return Err(DetachError::BadName { name: name.to_owned() });
        }
        match self.read(name) {
            Some(running) if !running.living().is_empty() => {
                Err(DetachError::Taken { name: name.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn remember(&self, running: &Running) -> Result<(), DetachError> {
        self.check_name(&running.name)?;
        if let Some(dead) = self.read(&running.name) {
            self.forget(&dead)?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let text = serde_json::to_string_pretty(running).map_err(io::Error::from)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.file(&running.name));
        match file {
            Ok(mut file) => Ok(file.write_all(text.as_bytes())?),
            // Somebody else took the name between the check and here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(DetachError::Taken { name: running.name.clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, name: &str) -> Option<Running> {
        let text = fs::read_to_string(self.file(name)).ok()?;
        let mut running: Running =
            serde_json::from_str(&text).ok().filter(|running: &Running| running.name == name)?;
        running.alive = !running.pids.is_empty() && running.living().len() == running.pids.len();
        Some(running)
    }

    fn list(&self) -> Vec<Running> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut all: Vec<Running> =
            names.filter_map(|file| self.read(file.strip_suffix(".json")?)).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The cluster of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Running, DetachError> {
        // A name is looked for in the list and never made into a path, so that it needs no check.
        let mut all = self.list();
        match all.iter().position(|running| running.name == name) {
            Some(at) => Ok(all.swap_remove(at)),
            None => {
                let known = all.into_iter().map(|running| running.name).collect();
                Err(DetachError::Unknown { name: name.to_owned(), known })
            }
        }
    }

    /// Writes down that a node of this cluster runs in another process now.
    pub(crate) fn renew(&self, running: &Running) -> Result<(), DetachError> {
        let text = serde_json::to_string_pretty(running).map_err(io::Error::from)?;
        let fresh = self.dir.join(format!(".{}.json.new", running.name));
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?
            .write_all(text.as_bytes())?;
        Ok(fs::rename(fresh, self.file(&running.name))?)
    }

    fn stop(&self, name: &str) -> Result<Running, DetachError> {
        let running = &self.find(name)?;
        for pid in running.living() {
            match kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL) {
                // It ended in between.
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        let begun = Instant::now();
        while !running.living().is_empty() {
            if begun.elapsed() > GONE_DEADLINE {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "a killed broker does not end",
                )
                .into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.forget(running)?;
        Ok(running.clone())
    }

    /// Removes the data and the state. Data is removed only where this crate makes it.
    fn forget(&self, running: &Running) -> io::Result<()> {
        let ours = running
            .dir
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(DIR_PREFIX));
        if ours && running.dir.is_dir() {
            fs::remove_dir_all(&running.dir)?;
        }
        fs::remove_file(self.file(&running.name))
    }
}

impl Running {
    /// The processes that still run and are still the brokers: a process id may have gone to
    /// somebody else.
    fn living(&self) -> Vec<u32> {
        self.pids.iter().copied().filter(|pid| self.lives(*pid)).collect()
    }

    /// Whether this process runs and is one of the brokers.
    pub(crate) fn lives(&self, pid: u32) -> bool {
        command_line(pid).is_some_and(|line| self.is_named_in(&line))
    }

    fn is_named_in(&self, command_line: &str) -> bool {
        command_line.contains(&*self.dir.to_string_lossy())
    }
}

/// The command line of a process; that of one which has ended and was not waited for is empty.
fn command_line(pid: u32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    let output =
        Command::new("ps").args(["-o", "command=", "-p"]).arg(pid.to_string()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
#[path = "detached_tests.rs"]
mod tests;
