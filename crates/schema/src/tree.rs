//! The shape of one message in all its versions: a tree of fields.

use crate::versions::Versions;

/// Which half of an exchange a message is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the client to the broker.
    Request,
    /// From the broker to the client.
    Response,
}

/// One message: the request or the response of an API, in every version that the tables know.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The versions that the tables know.
    pub versions: Versions,
    /// The versions with compact lengths and tagged fields (KIP-482).
    pub flexible: Versions,
    /// The fields, in the order of the wire.
    pub fields: Vec<Field>,
}

/// One field of a message or of a struct inside it.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// The name in the definition of the newest release that has the field, in snake case.
    pub name: &'static str,
    /// What stands on the wire.
    pub kind: Kind,
    /// The versions that have the field.
    pub versions: Versions,
    /// The versions in which the field may be null.
    pub nullable: Versions,
    /// The number of a tagged field. A field is tagged in all its versions or in none.
    pub tag: Option<u32>,
    /// What a reader assumes where a version lacks the field or a tag was not sent.
    pub default: Default,
}

/// The type of a field or of the elements of an array.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// One byte, signed.
    Int8,
    /// Two bytes, signed.
    Int16,
    /// Two bytes, unsigned.
    Uint16,
    /// Four bytes, signed.
    Int32,
    /// Eight bytes, signed.
    Int64,
    /// Eight bytes, IEEE 754.
    Float64,
    /// Sixteen bytes.
    Uuid,
    /// UTF-8 behind an int16 length, or behind an unsigned varint in flexible versions.
    String,
    /// Bytes behind an int32 length, or behind an unsigned varint in flexible versions.
    Bytes,
    /// Record batches, framed like [`Kind::Bytes`]. Nothing here looks inside.
    Records,
    /// Elements behind an int32 count, or behind an unsigned varint in flexible versions.
    Array(Box<Kind>),
    /// The fields of a struct, with tagged fields at the end in flexible versions.
    Struct(Vec<Field>),
}

/// The default of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// Zero, false, empty, or a struct with every field at its default.
    Zero,
    /// Null; in versions where the field cannot be null, as [`Default::Zero`].
    Null,
    /// A number other than zero.
    Int(i64),
    /// True.
    True,
}

impl Message {
    /// The fields that `version` has, in the order of the wire; tagged fields stand where they are declared.
    pub fn fields(&self, version: i16) -> impl Iterator<Item = &Field> {
        present(&self.fields, version)
    }
}

impl Field {
    /// Whether the field may be null in `version`.
    pub fn is_nullable(&self, version: i16) -> bool {
        self.nullable.contains(version)
    }
}

impl Kind {
    /// The kind of a [`crate::Value`] that stands for it, in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int8 | Self::Int16 | Self::Uint16 | Self::Int32 | Self::Int64 => "int",
            Self::Float64 => "float",
            Self::Uuid => "uuid",
            Self::String => "string",
            Self::Bytes | Self::Records => "bytes",
            Self::Array(_) => "array",
            Self::Struct(_) => "struct",
        }
    }

    /// Bytes of every value of this kind; `None` when that depends on the value.
    /// Structs count as dependent, though some are not.
    pub fn fixed_size(&self) -> Option<usize> {
        match self {
            Self::Bool | Self::Int8 => Some(1),
            Self::Int16 | Self::Uint16 => Some(2),
            Self::Int32 => Some(4),
            Self::Int64 | Self::Float64 => Some(8),
            Self::Uuid => Some(16),
            Self::String | Self::Bytes | Self::Records | Self::Array(_) | Self::Struct(_) => None,
        }
    }

    /// The fewest bytes that a non-null value takes: what bounds the memory for an array by the bytes at hand.
    pub fn least_size(&self, version: i16, flexible: bool) -> usize {
        match self {
            Self::Bool | Self::Int8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 => 4,
            Self::Int64 | Self::Float64 => 8,
            Self::Uuid => 16,
            Self::String | Self::Bytes | Self::Records | Self::Array(_) if flexible => 1,
            Self::String => 2,
            Self::Bytes | Self::Records | Self::Array(_) => 4,
            Self::Struct(fields) => {
                let untagged = present(fields, version).filter(|field| field.tag.is_none());
                let fields: usize = untagged
                    .map(|field| match field.kind {
                        Self::Struct(_) if field.is_nullable(version) => 1,
                        _ => field.kind.least_size(version, flexible),
                    })
                    .sum();
                fields + usize::from(flexible)
            }
        }
    }
}

/// The fields of `fields` that `version` has.
pub(crate) fn present(fields: &[Field], version: i16) -> impl Iterator<Item = &Field> {
    fields.iter().filter(move |field| field.versions.contains(version))
}
