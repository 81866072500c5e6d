//! The lies that a scripted broker can be told to tell.

use std::time::Duration;

/// One way to break the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Lie {
    /// The correlation id is one too high.
    WrongCorrelation,
    /// A byte too many at the end of the frame.
    TrailingByte,
    /// The last byte of the frame is missing: in flexible versions the empty tag section.
    MissingByte,
    /// The first array of the body is null where it must not be.
    NullArray,
    /// A length prefix of -1.
    NegativeLength,
    /// Bytes that are no Kafka frame: an HTTP answer.
    Http,
    /// The answer comes late.
    Late(Duration),
    /// No answer comes, and the connection stays open.
    Never,
    /// The connection is closed instead of answering.
    Close,
    /// The connection is closed in the middle of the answer.
    CloseMidFrame,
    /// Every error code in the answer is this one.
    Error(i16),
    /// The last item of the first array is missing.
    OneShort,
    /// The last item of the first array comes twice.
    OneTooMany,
    /// A tagged field that no table knows, at the end of the body (flexible versions).
    UnknownTag,
    /// Fetched records are a millisecond later than they were sent, in each first batch; its checksum holds.
    ShiftedTimes,
    /// The first batch that a Fetch asks for is left out.
    FirstBatchMissing,
    /// An answer comes where none is due: to Produce with acks = 0.
    AnswersTheUnanswered,
    /// The broker dies: all connections are cut and the port is closed, for this long.
    Die(Duration),
}

/// Which lie, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The API that is lied about.
    pub key: i16,
    /// Only this version, if given.
    pub version: Option<i16>,
    /// The lie.
    pub lie: Lie,
    /// How many requests are answered honestly first.
    pub after: usize,
    /// How many times the lie is told; `None` is always.
    pub times: Option<usize>,
}

impl Script {
    /// Always this lie about this API.
    pub fn always(key: i16, lie: Lie) -> Self {
        Self { key, version: None, lie, after: 0, times: None }
    }

    /// This lie once.
    pub fn once(key: i16, lie: Lie) -> Self {
        Self { times: Some(1), ..Self::always(key, lie) }
    }

    /// Only in this version.
    #[must_use]
    pub fn at(self, version: i16) -> Self {
        Self { version: Some(version), ..self }
    }

    /// After this many honest answers.
    #[must_use]
    pub fn after(self, after: usize) -> Self {
        Self { after, ..self }
    }
}
