//! One case of a run: what was required, what came of it, and the evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Level, Replay, Verdict};

/// The outcome of one case: one line of `records.jsonl`. Absent optional fields and empty lists are
/// left out of the JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Version of the meaning of this record.
    pub schema: u32,
    /// Name of the case, unique in the run: `family::api::scenario::v4`, with a variant
    /// `family::api::scenario::v4::gzip`.
    pub name: String,
    /// Permanent id of the requirement that the case checks, such as `FETCH-031`.
    pub id: String,
    /// Ids of further requirements that the same act proves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Family of the requirement: the area that reports group by.
    pub family: String,
    /// Key of the API under test, as in the request header.
    pub api_key: i16,
    /// Name of the API under test, such as `InitProducerId`.
    pub api: String,
    /// Version of the API under test; the act was sent at exactly this version.
    pub version: i16,
    /// What else sets this case apart from its siblings: a codec, a mechanism, a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How much the requirement binds a target.
    pub level: Level,
    /// The requirement, as one sentence about what a broker does.
    pub requirement: String,
    /// The outcome.
    pub verdict: Verdict,
    /// Why the case is blocked, unsupported, not run, known, fixed or in error, in one sentence. For a
    /// case that was not run it says what to provide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Expected and got, for a case in which the target deviated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
    /// Observations that decide nothing, such as a tag newer than the suite's tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// When the case started, in microseconds since the run started.
    pub started_us: u64,
    /// How long the case took, in microseconds.
    pub took_us: u64,
    /// Whether a replay of the case's own recording agreed.
    #[serde(default)]
    pub replay: Replay,
    /// For an unsupported case: how the target refused, when the refusal was checked. Absent when it was
    /// not checked; such a case does not count as executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Where the deciding check stands in the suite's source, as `file:line`.
    pub location: String,
    /// The command that repeats just this case.
    pub again: String,
    /// What went over the wire, one entry per connection in the order of opening.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Connection>,
}

/// What was expected of the target and what it did instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What the requirement demands, for instance `error_code = PRODUCER_FENCED (90)`. Several acceptable
    /// outcomes, or several failed checks of one reply, stand on lines of their own.
    pub expected: String,
    /// What the target did.
    pub got: String,
    /// The request and its fate: API, version, broker, correlation id, time until the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The request frame in spaced hex, without its length prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// The response frame in spaced hex, without its length prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// The wire rule that the response broke, with byte offset and field path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<String>,
}

/// Everything that happened on one connection of a case, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// Number of the connection within its case, counted from 0 in the order in which they were asked for.
    pub lane: u32,
    /// The address that was dialled, as `host:port`.
    pub peer: String,
    /// The events of the connection, in the order in which they happened.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// One event on a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When it happened, in microseconds since the case started.
    pub at_us: u64,
    /// What happened.
    pub kind: EventKind,
    /// Name of the API of the frame, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Version of the API of the frame, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i16>,
    /// Correlation id of the frame, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<i32>,
    /// The frame in spaced hex, without its length prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// Length of the whole frame in bytes, when `bytes` holds only its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<usize>,
    /// The fields of the frame, where it could be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded: Option<serde_json::Value>,
    /// What the other fields do not say, for instance why a connection could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What kind of event a connection saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The connection was opened, or the attempt failed (then `detail` says why).
    Open,
    /// A frame was sent to the target.
    Send,
    /// A frame came from the target.
    Frame,
    /// The target ended the connection; an orderly end and a reset are the same outcome.
    Closed,
    /// The case stopped waiting for a frame before its deadline.
    GaveUp,
    /// The deadline passed without a frame.
    Silence,
    /// A wait that the case had asked for was over.
    Timer,
    /// A kind that a newer writer knows and this reader does not.
    #[default]
    #[serde(other)]
    Other,
}
