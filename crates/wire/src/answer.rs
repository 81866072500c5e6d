//! Answers, read strictly: correlation id, header, every byte of the body.

use bytes::Bytes;
use kconform_schema::{self as schema, Direction};

/// How an answer breaks the rules of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Byte offset in the frame (after the length prefix).
    pub offset: usize,
    /// Field path in the body; `header` for the header.
    pub path: String,
    /// The rule that was broken.
    pub rule: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at byte {}, {}: {}", self.offset, self.path, self.rule)
    }
}

/// A frame that was found to be well formed.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The body, after the header.
    pub body: Bytes,
    /// The version in which the body is laid out: that of the request, but for an ApiVersions request which was too
    /// new for the broker (KIP-511: the answer is then laid out as version 0).
    pub version: i16,
    /// What is no breach but worth a line: tags that our tables do not know, for instance.
    pub notes: Vec<String>,
}

const API_VERSIONS: i16 = 18;
const UNSUPPORTED_VERSION: i16 = 35;

/// Reads the answer to a request of this API and version.
pub fn read(key: i16, version: i16, correlation: i32, frame: &Bytes) -> Result<Answer, Breach> {
    let breach = |offset, path: &str, rule: String| Breach { offset, path: path.to_owned(), rule };
    let Some(id) = frame.get(..4).and_then(|id| id.try_into().ok()).map(i32::from_be_bytes) else {
        let rule = format!("a frame of {} bytes has no room for a correlation id", frame.len());
        return Err(breach(0, "header", rule));
    };
    if id != correlation {
        return Err(breach(0, "header", format!("correlation id {id}, expected {correlation}")));
    }
    let Some(api) = schema::api(key) else {
        return Err(breach(4, "body", format!("API key {key} is not in our tables")));
    };
    let too_new = key == API_VERSIONS
        && frame.get(4..6) == Some(&UNSUPPORTED_VERSION.to_be_bytes())
        && (version != 0 && schema::walk(key, version, Direction::Response, &frame[4..]).is_err());
    let version = if too_new { 0 } else { version };
    let mut notes = Vec::new();
    let mut start = 4;
    if api.response_header_version(version) >= 1 {
        let mut reader = schema::primitives::Reader::new(&frame[4..]);
        let tags = reader.tags().map_err(|e| breach(4, "header", format!("tag section: {e}")))?;
        start += reader.offset();
        if !tags.is_empty() {
            notes.push(format!("the response header has {} tagged fields", tags.len()));
        }
    }
    let body = frame.slice(start..);
    schema::walk(key, version, Direction::Response, &body).map_err(|found| Breach {
        offset: start + found.offset,
        path: if found.path.is_empty() { "body".to_owned() } else { found.path.clone() },
        rule: found.rule.to_string(),
    })?;
    notes.extend(
        schema::notes(key, version, Direction::Response, &body).iter().map(ToString::to_string),
    );
    Ok(Answer { body, version, notes })
}
