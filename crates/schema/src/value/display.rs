//! Values as compact text, close to JSON: field names bare, bytes in hexadecimal, uuids as Kafka prints them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Struct, Value};

/// Bytes of a byte string that are shown; records may be megabytes.
const SHOWN: usize = 32;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Uuid(value) => f.write_str(&URL_SAFE_NO_PAD.encode(value)),
            Self::Str(value) => write!(f, "{value:?}"),
            Self::Bytes(value) => hex(f, value),
            Self::Array(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Struct(value) => write!(f, "{value}"),
        }
    }
}

impl fmt::Display for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        let mut separator = "";
        for (name, value) in self.fields() {
            write!(f, "{separator}{name}: {value}")?;
            separator = ", ";
        }
        for (tag, bytes) in self.unknown() {
            write!(f, "{separator}#{tag}: ")?;
            hex(f, bytes)?;
            separator = ", ";
        }
        f.write_str("}")
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("0x")?;
    for byte in &bytes[..bytes.len().min(SHOWN)] {
        write!(f, "{byte:02x}")?;
    }
    if bytes.len() > SHOWN { write!(f, "... ({} bytes)", bytes.len()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn every_kind_has_its_text() {
        let value = Struct::new()
            .with("name", "a\"b")
            .with("id", [0xff; 16])
            .with("list", vec![1, -2])
            .with("none", Value::Null)
            .with("on", true)
            .with("ratio", 0.5)
            .with("records", Bytes::from_static(&[0xab; 33]))
            .with_unknown(7, vec![1, 2]);
        let hex = "ab".repeat(32);
        assert_eq!(
            Value::from(value).to_string(),
            format!(
                "{{name: \"a\\\"b\", id: _____________________w, list: [1, -2], none: null, on: true, ratio: 0.5, \
                 records: 0x{hex}... (33 bytes), #7: 0x0102}}"
            )
        );
    }
}
