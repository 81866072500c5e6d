//! Requests as frames: length, header in the version that the schema asks for, body.

use bytes::{BufMut, Bytes, BytesMut};
use kconform_schema as schema;

/// The header of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// API key.
    pub key: i16,
    /// API version.
    pub version: i16,
    /// Correlation id, given back in the answer's header.
    pub correlation: i32,
    /// Client id; `None` is a null string.
    pub client_id: Option<String>,
    /// Header version, 0 to 2; `None` is the one that the schema names for this API and version.
    pub header_version: Option<i16>,
}

impl Header {
    /// The header version in force. Unknown APIs get version 1.
    pub fn in_force(&self) -> i16 {
        self.header_version.unwrap_or_else(|| {
            schema::api(self.key).map_or(1, |api| api.request_header_version(self.version))
        })
    }

    /// The bytes of the header, with these bytes in place of an empty tag section (version 2 only).
    pub fn bytes(&self, tags: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        out.put_i16(self.key);
        out.put_i16(self.version);
        out.put_i32(self.correlation);
        let header_version = self.in_force();
        if header_version >= 1 {
            match &self.client_id {
                None => out.put_i16(-1),
                Some(id) => {
                    // A client id beyond 32,767 bytes cannot be said; what follows is then misread, as asked for.
                    out.put_i16(i16::try_from(id.len()).unwrap_or(i16::MAX));
                    out.put_slice(id.as_bytes());
                }
            }
        }
        if header_version >= 2 {
            out.put_slice(tags);
        }
        out.freeze()
    }

    /// The whole frame with its length prefix.
    pub fn frame(&self, body: &[u8]) -> Bytes {
        framed(&[&self.bytes(&[0]), body])
    }
}

/// Puts the length prefix before these parts.
pub fn framed(parts: &[&[u8]]) -> Bytes {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = BytesMut::with_capacity(4 + length);
    out.put_i32(i32::try_from(length).unwrap_or(i32::MAX));
    for part in parts {
        out.put_slice(part);
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_versions_follow_the_schema() {
        let header = |key, version| Header {
            key,
            version,
            correlation: 7,
            client_id: Some("ab".to_owned()),
            header_version: None,
        };
        assert_eq!(
            &header(18, 0).frame(&[])[..],
            b"\0\0\0\x0c\0\x12\0\0\0\0\0\x07\0\x02ab",
            "version 1: no tag section"
        );
        assert_eq!(
            &header(18, 3).frame(&[0xff])[..],
            b"\0\0\0\x0e\0\x12\0\x03\0\0\0\x07\0\x02ab\0\xff",
            "version 2: an empty tag section, the client id still with a 16-bit length"
        );
        let null = Header { client_id: None, ..header(18, 0) };
        assert_eq!(&null.bytes(&[])[8..], b"\xff\xff");
    }
}
