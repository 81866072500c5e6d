//! How a case can end other than passed, and the evidence that goes with it.

use std::panic::Location;
use std::time::Duration;

use bytes::Bytes;
use kconform_wire::answer::Breach;

/// What a scenario gives back: nothing to say, or why it did not pass.
pub type Outcome = Result<(), Failure>;

/// Why a case did not pass, by who is at fault.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The target did otherwise than the requirement says.
    Failed(Box<Finding>),
    /// The case could not reach its act.
    Blocked(Box<Finding>),
    /// It turned out during the case that something is not provided; says what to provide.
    NotRun(String),
    /// Our own mistake.
    Error(String),
}

/// What was expected, what came, and the exchange in which it came.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What the requirement, or the set-up, asked for.
    pub expected: String,
    /// What came instead.
    pub got: String,
    /// The exchange concerned, if there is one.
    pub exchange: Option<Exchange>,
    /// Where in the suite the check stands.
    pub at: &'static Location<'static>,
}

/// One request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Name of the API.
    pub api: String,
    /// API key.
    pub key: i16,
    /// API version of the request.
    pub version: i16,
    /// `host:port` of the peer, with the broker id where known.
    pub peer: String,
    /// The connection's number in its case.
    pub lane: u32,
    /// Correlation id of the request.
    pub correlation: i32,
    /// The request frame with its length prefix; empty when it holds a secret.
    pub sent: Bytes,
    /// The answer's frame without its length prefix.
    pub received: Option<Bytes>,
    /// Time from the send to the end of the wait.
    pub took: Duration,
    /// How the answer breaks the rules of the wire.
    pub breach: Option<Breach>,
}

impl Exchange {
    /// One line: `InitProducerId v4 -> 127.0.0.1:9092, correlation 7, answered after 3 ms`.
    pub fn asked(&self) -> String {
        let how = if self.received.is_some() { "answered" } else { "waited for" };
        let took = self.took.as_micros() as f64 / 1000.0;
        format!(
            "{} v{} -> {}, correlation {}, {how} {took:.1} ms",
            self.api, self.version, self.peer, self.correlation
        )
    }
}

impl Failure {
    /// A violation that no single exchange shows.
    #[track_caller]
    pub fn failed(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Failure::Failed(Box::new(Finding::new(expected, got, None)))
    }

    /// A set-up that did not come off.
    #[track_caller]
    pub fn blocked(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Failure::Blocked(Box::new(Finding::new(expected, got, None)))
    }

    /// Our own mistake.
    pub fn error(what: impl Into<String>) -> Self {
        Failure::Error(what.into())
    }
}

impl Finding {
    /// A finding at the caller's place in the source.
    #[track_caller]
    pub fn new(
        expected: impl Into<String>,
        got: impl Into<String>,
        exchange: Option<Exchange>,
    ) -> Self {
        Self { expected: expected.into(), got: got.into(), exchange, at: Location::caller() }
    }
}

/// Fails the case unless the condition holds; for what no single reply shows.
///
/// # Errors
/// [`Failure::Failed`] when the condition does not hold.
#[track_caller]
pub fn require(condition: bool, expected: &str, got: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { Err(Failure::failed(expected, got())) }
}
