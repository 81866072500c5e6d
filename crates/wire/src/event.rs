//! What happened in a case, as one totally ordered list.
//!
//! A case is a function of its inputs and of these events: played back in the same order, the same
//! case must come to the same verdict. Transcripts per connection are views of this list.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are written as hexadecimal text in a recording.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Hex(pub Bytes);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        unhex(&text)
            .map(|bytes| Hex(bytes.into()))
            .ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", hex(&self.0))
    }
}

/// Lower-case hexadecimal text without spaces.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

/// The bytes of a hexadecimal text; white space between bytes is allowed. `None` if it is not one.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        match high.take() {
            None => high = Some(digit),
            Some(first) => bytes.push(first << 4 | digit),
        }
    }
    high.is_none().then_some(bytes)
}

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since the case began.
    #[serde(rename = "t")]
    pub at_us: u64,
    /// The connection, numbered from 1 in the order in which the case asked for them; 0 is the case itself.
    #[serde(rename = "l")]
    pub lane: u32,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "kebab-case")]
pub enum What {
    /// A connection was opened (TCP, then TLS and SASL where the dial asks for them), or could not be.
    Open {
        /// `host:port` of the peer.
        peer: String,
        /// Why it could not be opened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The case sent these bytes, length prefix and all.
    Send {
        /// The bytes; a prefix of them when the rest is a secret.
        #[serde(rename = "b")]
        bytes: Hex,
        /// How many bytes were left out after the prefix because they hold a secret; 0 as a rule.
        #[serde(default, skip_serializing_if = "is_zero")]
        redacted: usize,
        /// How many bytes at the end are a secret that [`redact`] will take out before the event leaves memory.
        #[serde(skip)]
        secret: usize,
    },
    /// A whole frame arrived (without its length prefix).
    Frame {
        /// The bytes of the frame.
        #[serde(rename = "b")]
        bytes: Hex,
    },
    /// The peer closed the connection; FIN and RST are one outcome.
    Closed {
        /// Bytes of an incomplete frame that had arrived before.
        #[serde(default, skip_serializing_if = "is_zero")]
        partial: usize,
        /// What the layer above TCP said of it, when it was not a plain close: a TLS alert, say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A length prefix arrived that no frame may have: negative or above the limit.
    BadLength {
        /// The length claimed.
        length: i32,
    },
    /// A wait for a frame ended at its deadline: nothing arrived, the connection is open.
    Silence,
    /// The case closed its sending side.
    Shut,
    /// A sleep of the case ended.
    Timer {
        /// The sleep, numbered from 0 in the order in which the case began them.
        id: u32,
    },
    /// The harness handed the case something: a pooled partition, say.
    Given {
        /// What was asked for.
        name: String,
        /// What was handed over.
        value: serde_json::Value,
    },
    /// The deadline of the whole case passed.
    Deadline,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl What {
    /// One word for messages: `open`, `send`, `frame` ...
    pub fn kind(&self) -> &'static str {
        match self {
            What::Open { .. } => "open",
            What::Send { .. } => "send",
            What::Frame { .. } => "frame",
            What::Closed { .. } => "closed",
            What::BadLength { .. } => "bad-length",
            What::Silence => "silence",
            What::Shut => "shut",
            What::Timer { .. } => "timer",
            What::Given { .. } => "given",
            What::Deadline => "deadline",
        }
    }
}

/// Takes out of a list of events what must not leave memory; says how many events were touched. A recording
/// in which something was redacted still replays, for the bytes that are left out are not compared.
pub fn redact(events: &mut [Event]) -> usize {
    let mut touched = 0;
    for event in events {
        if let What::Send { bytes, redacted, secret } = &mut event.what
            && *secret > 0
        {
            bytes.0.truncate(bytes.0.len().saturating_sub(*secret));
            *redacted += *secret;
            *secret = 0;
            touched += 1;
        }
    }
    touched
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hex_reads_what_it_wrote_and_refuses_the_rest() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert_eq!(unhex("00 ff\n7F").unwrap(), [0, 255, 127]);
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
    }

    #[test]
    fn an_event_survives_json() {
        let event = Event {
            at_us: 7,
            lane: 2,
            what: What::Send {
                bytes: Hex(Bytes::from_static(b"\x00\x01")),
                redacted: 3,
                secret: 0,
            },
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"t":7,"l":2,"e":"send","b":"0001","redacted":3}"#);
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
