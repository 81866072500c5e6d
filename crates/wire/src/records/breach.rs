//! Why some record bytes are wrong, and where.

use std::error::Error;
use std::fmt;

use super::Codec;

/// The first rule that the bytes of a `records` field break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsBreach {
    /// Which batch or message of the field, counted from 0.
    pub entry: usize,
    /// Which record of the batch (or message of the wrapper), counted from 0; `None` when the entry's own
    /// header is at fault.
    pub record: Option<usize>,
    /// Byte offset of the fault: from the start of the field, or from the start of the decompressed records
    /// when `decompressed` is set.
    pub at: usize,
    /// Whether `at` counts decompressed bytes.
    pub decompressed: bool,
    /// The rule.
    pub rule: Rule,
}

/// A rule of the record formats, with what was found instead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The size field of an entry is smaller than the smallest entry of its magic.
    Length {
        /// What the size field says.
        claimed: i32,
        /// The smallest legal size.
        least: i32,
    },
    /// The magic is none of 0, 1, 2.
    Magic(i8),
    /// The checksum does not match the bytes (CRC-32C for magic 2, CRC-32 for 0 and 1).
    Crc {
        /// What the CRC field says.
        claimed: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// The codec bits name no codec (5, 6, 7).
    UnknownCodec(u8),
    /// The compressed part is not what its codec writes.
    Codec {
        /// The codec that the attributes name.
        codec: Codec,
        /// What its decoder said.
        reason: String,
    },
    /// The record count is negative, or the records end before it is reached.
    Count {
        /// What the count field says.
        claimed: i32,
        /// How many records there are.
        found: usize,
    },
    /// Bytes are left after the last record.
    Junk {
        /// How many.
        bytes: usize,
    },
    /// A varint is longer than its type allows.
    Varint(&'static str),
    /// The bytes end inside a field.
    Ended(&'static str),
    /// A length is negative where null is not allowed, below -1, or larger than the bytes left.
    FieldLength {
        /// Which field.
        field: &'static str,
        /// What the length says.
        claimed: i64,
        /// How many bytes are left.
        left: usize,
    },
    /// The fields of a record take less than its length says.
    RecordLength {
        /// What the length says.
        claimed: usize,
        /// What the fields took.
        used: usize,
    },
    /// The number of headers is negative or cannot fit into the bytes left.
    HeaderCount {
        /// What the count says.
        claimed: i64,
        /// How many bytes are left.
        left: usize,
    },
    /// A header's key is null.
    NullHeaderKey,
    /// An offset does not come after the one before it, or the first is below the base.
    OffsetOrder {
        /// The offset (or offset delta) found.
        found: i64,
        /// The one before it, or -1.
        previous: i64,
    },
    /// The last offset delta is negative, or lies before the last record.
    LastOffsetDelta {
        /// What the header says.
        claimed: i32,
        /// The offset delta of the last record, or 0.
        needed: i32,
    },
    /// Base offset and delta leave the range of offsets.
    OffsetOverflow,
    /// A message inside a compressed message has another magic than its wrapper, or is itself compressed.
    Nested {
        /// Magic of the wrapper.
        wrapper: i8,
        /// Magic of the inner message.
        inner: i8,
        /// Codec bits of the inner message.
        codec: u8,
    },
    /// A compressed message holds no message.
    EmptyWrapper,
    /// The bytes may be right but need more than the reader's limit; says nothing against the sender.
    Limit {
        /// What ran out.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Rule {
    /// A short permanent name of the rule, e.g. `crc` or `count`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Length { .. } => "length",
            Self::Magic(_) => "magic",
            Self::Crc { .. } => "crc",
            Self::UnknownCodec(_) => "unknown-codec",
            Self::Codec { .. } => "codec",
            Self::Count { .. } => "count",
            Self::Junk { .. } => "junk",
            Self::Varint(_) => "varint",
            Self::Ended(_) => "ended",
            Self::FieldLength { .. } => "field-length",
            Self::RecordLength { .. } => "record-length",
            Self::HeaderCount { .. } => "header-count",
            Self::NullHeaderKey => "null-header-key",
            Self::OffsetOrder { .. } => "offset-order",
            Self::LastOffsetDelta { .. } => "last-offset-delta",
            Self::OffsetOverflow => "offset-overflow",
            Self::Nested { .. } => "nested",
            Self::EmptyWrapper => "empty-wrapper",
            Self::Limit { .. } => "limit",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { claimed, least } => {
                write!(f, "size field says {claimed}, the smallest entry has {least}")
            }
            Self::Magic(magic) => write!(f, "magic {magic} is none of 0, 1, 2"),
            Self::Crc { claimed, computed } => {
                write!(f, "crc field says {claimed:#010x}, the bytes give {computed:#010x}")
            }
            Self::UnknownCodec(id) => write!(f, "codec bits {id} name no codec"),
            Self::Codec { codec, reason } => write!(f, "not {}: {reason}", codec.name()),
            Self::Count { claimed, found } => {
                write!(f, "record count says {claimed}, found {found}")
            }
            Self::Junk { bytes } => write!(f, "{bytes} bytes after the last record"),
            Self::Varint(field) => write!(f, "{field} is a varint longer than its type"),
            Self::Ended(field) => write!(f, "the bytes end inside {field}"),
            Self::FieldLength { field, claimed, left } => {
                write!(f, "{field} has length {claimed} with {left} bytes left")
            }
            Self::RecordLength { claimed, used } => {
                write!(f, "record length says {claimed}, its fields take {used}")
            }
            Self::HeaderCount { claimed, left } => {
                write!(f, "header count says {claimed} with {left} bytes left")
            }
            Self::NullHeaderKey => f.write_str("header key is null"),
            Self::OffsetOrder { found, previous } => {
                write!(f, "offset {found} does not come after {previous}")
            }
            Self::LastOffsetDelta { claimed, needed } => {
                write!(f, "last offset delta says {claimed}, at least {needed} is needed")
            }
            Self::OffsetOverflow => f.write_str("offset beyond 64 bits"),
            Self::Nested { wrapper, inner, codec } => write!(
                f,
                "magic {inner}, codec bits {codec} inside a compressed message of magic {wrapper}"
            ),
            Self::EmptyWrapper => f.write_str("compressed message without messages"),
            Self::Limit { what, limit } => write!(f, "{what} beyond the limit of {limit}"),
        }
    }
}

impl fmt::Display for RecordsBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "records: entry {}", self.entry)?;
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        let place = if self.decompressed { "decompressed byte" } else { "byte" };
        write!(f, ", {place} {}: {}", self.at, self.rule)
    }
}

impl Error for RecordsBreach {}
