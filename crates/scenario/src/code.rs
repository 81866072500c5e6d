//! Error codes: numbers with a name for display; unknown ones are kept as they are.

use kafka_protocol::error::ResponseError;
use kconform_wire::schema::errors;

/// A Kafka error code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i16);

impl Code {
    /// No error.
    pub const NONE: Code = Code(0);
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", errors::name(self.0).unwrap_or("unknown error code"), self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl From<i16> for Code {
    fn from(code: i16) -> Self {
        Code(code)
    }
}

impl From<ResponseError> for Code {
    fn from(error: ResponseError) -> Self {
        Code(error.code())
    }
}
