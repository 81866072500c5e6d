//! What a body can do wrong, where, and what it may do but seldom does.

use std::fmt;

/// A rule of the protocol that a body broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Bytes from the start of the body to what is wrong: the length, count, tag or value that breaks the rule.
    pub offset: usize,
    /// The field, as in `topics[0].partitions[1].leader_id`; empty for the message as a whole.
    pub path: String,
    /// What it broke.
    pub rule: Rule,
}

/// The rules. Sources: the protocol guide, KIP-482 for tagged fields and compact lengths, and Kafka's `MessageDataGenerator`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The tables have no such API key or version.
    NoTable {
        /// The API key.
        key: i16,
        /// The version.
        version: i16,
    },
    /// The body ends inside a value; a tagged field ends where its size says.
    Short {
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Bytes follow the last field.
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// Null in a field that cannot be null in this version.
    Null,
    /// A length or count below -1.
    Negative {
        /// The length.
        length: i64,
    },
    /// A length beyond the bytes that are left.
    TooLong {
        /// The length.
        length: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// More elements than the bytes that are left can hold.
    TooMany {
        /// The count.
        count: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A string that is not UTF-8.
    NotUtf8,
    /// A bool that is neither 0 nor 1.
    NotBool {
        /// The byte.
        byte: u8,
    },
    /// The byte before a nullable struct is neither -1 (null) nor 1 (a struct follows).
    NotPresence {
        /// The byte.
        byte: u8,
    },
    /// A varint that does not end, or has bits beyond the width of its type.
    Varint {
        /// The most bytes that it may take: 5 or 10.
        most: usize,
    },
    /// A tag below the one before it.
    TagOrder {
        /// The tag.
        tag: u32,
        /// The tag before it.
        after: u32,
    },
    /// The same tag again.
    TagTwice {
        /// The tag.
        tag: u32,
    },
    /// A tag that belongs to other versions of this message.
    TagTooEarly {
        /// The tag.
        tag: u32,
    },
    /// A tagged field whose value ends before its size does.
    TagSize {
        /// The tag.
        tag: u32,
        /// Bytes as the size says.
        size: usize,
        /// Bytes that the value took.
        used: usize,
    },
}

/// Something that no rule forbids and no Apache Kafka of the tables does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Bytes from the start of the body.
    pub offset: usize,
    /// The field or struct.
    pub path: String,
    /// What was seen.
    pub oddity: Oddity,
}

/// What a [`Note`] is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Oddity {
    /// A tag that the tables do not know: a release newer than the tables may send it.
    UnknownTag {
        /// The tag.
        tag: u32,
        /// Bytes of its value.
        size: usize,
    },
    /// A varint with more bytes than its value needs.
    LongVarint,
    /// A tagged field that was sent although it holds its default.
    DefaultTag {
        /// The tag.
        tag: u32,
    },
}

/// A rule broken at an offset, before the path is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Bytes from the start of what is read.
    pub offset: usize,
    /// What broke there.
    pub rule: Rule,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.offset, &self.path)?;
        fmt::Display::fmt(&self.rule, f)
    }
}

impl std::error::Error for Breach {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.offset, "")?;
        fmt::Display::fmt(&self.rule, f)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, self.offset, &self.path)?;
        fmt::Display::fmt(&self.oddity, f)
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, offset: usize, path: &str) -> fmt::Result {
    write!(f, "at byte {offset}")?;
    if !path.is_empty() {
        write!(f, ", {path}")?;
    }
    f.write_str(": ")
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoTable { key, version } => {
                write!(f, "API key {key} version {version} is not in the tables")
            }
            Self::Short { needed, left } => write!(f, "needs {}, {left} left", bytes(needed)),
            Self::Trailing { bytes: left } => write!(f, "{} after the last field", bytes(left)),
            Self::Null => f.write_str("null where this version allows none"),
            Self::Negative { length } => write!(f, "length {length} is below -1"),
            Self::TooLong { length, left } => {
                write!(f, "length {length} with {} left", bytes(left))
            }
            Self::TooMany { count, left } => {
                write!(f, "{count} elements cannot stand in the {} left", bytes(left))
            }
            Self::NotUtf8 => f.write_str("string is not UTF-8"),
            Self::NotBool { byte } => write!(f, "bool is {byte}, neither 0 nor 1"),
            Self::NotPresence { byte } => {
                write!(
                    f,
                    "byte before a nullable struct is {}, neither -1 nor 1",
                    byte.cast_signed()
                )
            }
            Self::Varint { most } => write!(f, "varint does not fit its {most} bytes"),
            Self::TagOrder { tag, after } => write!(f, "tag {tag} after tag {after}"),
            Self::TagTwice { tag } => write!(f, "tag {tag} a second time"),
            Self::TagTooEarly { tag } => write!(f, "tag {tag} does not exist in this version"),
            Self::TagSize { tag, size, used } => {
                write!(f, "tag {tag} has size {size} and a value of {}", bytes(used))
            }
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownTag { tag, size } => write!(f, "unknown tag {tag} of {}", bytes(size)),
            Self::LongVarint => f.write_str("varint is longer than its value needs"),
            Self::DefaultTag { tag } => write!(f, "tag {tag} is sent with its default"),
        }
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
