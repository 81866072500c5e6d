//! Why a cluster did not start, and why a node did not do as told.

use std::fmt;
use std::io;

use crate::java::Missing;

/// A cluster did not start. Displays as a sentence, what the log says about it, and what can be
/// done.
#[derive(Debug)]
pub struct StartError {
    cause: StartCause,
    what: String,
    log: Vec<String>,
    remedy: Option<String>,
}

/// The kind of a [`StartError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartCause {
    /// Java or Maven is missing or too old.
    Prerequisite,
    /// The jars of the release could not be fetched.
    Fetch,
    /// A file or process could not be created.
    System,
    /// The shape cannot be: a number of nodes other than 1 and 3.
    Shape,
    /// No free ports.
    Ports,
    /// The storage could not be formatted, for example because the release lacks a feature level.
    Format,
    /// A broker ended before it served.
    Ended,
    /// A broker did not serve in time.
    Silent,
}

impl StartError {
    /// The kind of the failure.
    pub fn cause(&self) -> StartCause {
        self.cause
    }

    /// The lines of the log that tell most, oldest first; empty when nothing was logged.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    pub(crate) fn new(cause: StartCause, what: impl Into<String>) -> StartError {
        StartError { cause, what: what.into(), log: Vec::new(), remedy: None }
    }

    pub(crate) fn with_log(self, log: Vec<String>) -> StartError {
        StartError { log, ..self }
    }

    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> StartError {
        StartError { remedy: Some(remedy.into()), ..self }
    }

    pub(crate) fn system(act: impl fmt::Display, error: &io::Error) -> StartError {
        StartError::new(StartCause::System, format!("{act}: {error}"))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.log.is_empty() {
            f.write_str("\nits log says:")?;
            for line in &self.log {
                write!(f, "\n  {line}")?;
            }
        }
        match &self.remedy {
            Some(remedy) => write!(f, "\n{remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StartError {}

impl From<Missing> for StartError {
    fn from(missing: Missing) -> StartError {
        StartError::new(StartCause::Prerequisite, missing.to_string())
    }
}

/// A node of a running cluster could not be killed, stopped, paused, resumed or restarted.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeError {
    /// The cluster has no node of this number; they count from 1.
    NoSuchNode {
        /// The number asked for.
        asked: usize,
        /// How many nodes there are.
        nodes: usize,
    },
    /// The node's process has ended.
    NotRunning {
        /// The node.
        node: usize,
    },
    /// The node did not end on SIGTERM in time and was killed.
    StopTimedOut {
        /// The node.
        node: usize,
    },
    /// The node did not come back.
    Restart(Box<StartError>),
    /// The system refused a signal.
    System(io::Error),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::NoSuchNode { asked, nodes } => {
                write!(f, "no node {asked}: the cluster has nodes 1 to {nodes}")
            }
            NodeError::NotRunning { node } => write!(f, "node {node} is not running"),
            NodeError::StopTimedOut { node } => {
                write!(f, "node {node} did not end on SIGTERM in time and was killed")
            }
            NodeError::Restart(error) => write!(f, "{error}"),
            NodeError::System(error) => write!(f, "cannot signal the node: {error}"),
        }
    }
}

impl std::error::Error for NodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NodeError::Restart(error) => Some(error),
            NodeError::System(error) => Some(error),
            _ => None,
        }
    }
}
