//! From values to bytes.

use std::fmt;

use crate::defaults;
use crate::primitives::Writer;
use crate::tree::{Direction, Field, Kind, present};
use crate::value::{Struct, Value};

/// A value that a version cannot carry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodeError {
    /// The field, as in `topics[0].name`; empty for the message as a whole.
    pub path: String,
    /// Why not.
    pub why: Unfit,
}

/// Why a value cannot be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The tables have no such API key or version.
    NoTable {
        /// The API key.
        key: i16,
        /// The version.
        version: i16,
    },
    /// No version of the message has a field of that name.
    NoField,
    /// Other versions have the field, this one does not.
    NotInVersion {
        /// The version that was to be written.
        version: i16,
    },
    /// A value of another kind.
    Kind {
        /// What the field takes.
        wanted: &'static str,
        /// What it was given.
        given: &'static str,
    },
    /// Null where this version allows none.
    Null,
    /// A number beyond the width of the field.
    Range {
        /// The number.
        number: i64,
    },
    /// A string of more than 32767 bytes before flexible versions, or more bytes or elements than an int32 counts.
    TooLong {
        /// Bytes or elements.
        length: usize,
    },
    /// A tagged field that the tables do not know, in a version without tagged fields.
    NoTags,
    /// Two tagged fields of one number, or an unknown one with the number of one that the tables know.
    TagTaken {
        /// The tag.
        tag: u32,
    },
}

/// Writes a message. A field that the struct lacks is written at its default; one that the version lacks is an error, as is
/// anything else that would be lost or bent. Tagged fields at their default are left out, as Kafka does.
pub fn encode(
    key: i16,
    version: i16,
    direction: Direction,
    value: &Value,
) -> Result<Vec<u8>, EncodeError> {
    let no_table = EncodeError { path: String::new(), why: Unfit::NoTable { key, version } };
    let message = crate::api(key).map(|api| api.message(direction));
    let message = message.filter(|message| message.versions.contains(version)).ok_or(no_table)?;
    let mut encoder =
        Encoder { writer: Writer::new(), version, flexible: message.flexible.contains(version) };
    match value {
        Value::Struct(value) => encoder.fields(&message.fields, value)?,
        other => return Err(Unfit::Kind { wanted: "struct", given: other.kind() }.into()),
    }
    Ok(encoder.writer.into_vec())
}

/// The bytes of a field at its default, as they would stand in a tagged field.
pub(crate) fn default_bytes(field: &Field, version: i16, flexible: bool) -> Vec<u8> {
    let mut encoder = Encoder { writer: Writer::new(), version, flexible };
    let default = defaults::of_field(field, version);
    // A default always fits: the tables are checked by writing every one.
    let _ = encoder.value(&field.kind, field.is_nullable(version), &default);
    encoder.writer.into_vec()
}

struct Encoder {
    writer: Writer,
    version: i16,
    flexible: bool,
}

impl Encoder {
    fn fields(&mut self, fields: &[Field], value: &Struct) -> Result<(), EncodeError> {
        let version = self.version;
        for (name, _) in value.fields() {
            if !present(fields, version).any(|field| field.name == name) {
                let elsewhere = fields.iter().any(|field| field.name == name);
                let why = if elsewhere { Unfit::NotInVersion { version } } else { Unfit::NoField };
                return Err(EncodeError::from(why).under(name));
            }
        }
        for field in present(fields, version).filter(|field| field.tag.is_none()) {
            let nullable = field.is_nullable(version);
            match value.field(field.name) {
                Some(value) => self.value(&field.kind, nullable, value),
                None => self.value(&field.kind, nullable, &defaults::of_field(field, version)),
            }
            .map_err(|error| error.under(field.name))?;
        }
        self.tags(fields, value)
    }

    fn tags(&mut self, fields: &[Field], value: &Struct) -> Result<(), EncodeError> {
        if !self.flexible {
            return if value.unknown().is_empty() { Ok(()) } else { Err(Unfit::NoTags.into()) };
        }
        let mut tags: Vec<(u32, Vec<u8>)> = Vec::new();
        for field in present(fields, self.version) {
            let (Some(tag), Some(value)) = (field.tag, value.field(field.name)) else { continue };
            let mut inner =
                Self { writer: Writer::new(), version: self.version, flexible: self.flexible };
            let nullable = field.is_nullable(self.version);
            inner.value(&field.kind, nullable, value).map_err(|error| error.under(field.name))?;
            if !defaults::is_default(field, self.version, value) {
                tags.push((tag, inner.writer.into_vec()));
            }
        }
        for (tag, bytes) in value.unknown() {
            let taken = fields.iter().any(|field| field.tag == Some(*tag))
                || tags.iter().any(|(known, _)| known == tag);
            if taken {
                return Err(Unfit::TagTaken { tag: *tag }.into());
            }
            tags.push((*tag, bytes.to_vec()));
        }
        tags.sort_by_key(|(tag, _)| *tag);
        let tags: Vec<(u32, &[u8])> =
            tags.iter().map(|(tag, bytes)| (*tag, bytes.as_slice())).collect();
        self.writer.put_tags(&tags);
        Ok(())
    }

    fn value(&mut self, kind: &Kind, nullable: bool, value: &Value) -> Result<(), EncodeError> {
        match (kind, value) {
            (_, Value::Null) => return self.null(kind, nullable),
            (Kind::Bool, Value::Bool(value)) => self.writer.put_bool(*value),
            (Kind::Int8, Value::Int(number)) => self.writer.put_i8(fit(*number)?),
            (Kind::Int16, Value::Int(number)) => self.writer.put_i16(fit(*number)?),
            (Kind::Uint16, Value::Int(number)) => self.writer.put_u16(fit(*number)?),
            (Kind::Int32, Value::Int(number)) => self.writer.put_i32(fit(*number)?),
            (Kind::Int64, Value::Int(number)) => self.writer.put_i64(*number),
            (Kind::Float64, Value::Float(value)) => self.writer.put_f64(*value),
            (Kind::Uuid, Value::Uuid(uuid)) => self.writer.put_uuid(*uuid),
            (Kind::String, Value::Str(text)) if self.flexible => {
                short_enough(text.len(), LONGEST)?;
                self.writer.put_compact_string(text)
            }
            (Kind::String, Value::Str(text)) => {
                short_enough(text.len(), i16::MAX as usize)?;
                self.writer.put_string(text)
            }
            (Kind::Bytes | Kind::Records, Value::Bytes(bytes)) => {
                short_enough(bytes.len(), LONGEST)?;
                if self.flexible {
                    self.writer.put_compact_bytes(bytes)
                } else {
                    self.writer.put_bytes(bytes)
                }
            }
            (Kind::Array(element), Value::Array(values)) => return self.array(element, values),
            (Kind::Struct(fields), Value::Struct(value)) => {
                if nullable {
                    self.writer.put_i8(1);
                }
                return self.fields(fields, value);
            }
            (kind, value) => {
                return Err(Unfit::Kind { wanted: kind.word(), given: value.kind() }.into());
            }
        };
        Ok(())
    }

    fn array(&mut self, element: &Kind, values: &[Value]) -> Result<(), EncodeError> {
        short_enough(values.len(), LONGEST)?;
        if self.flexible {
            self.writer.put_compact_array_len(values.len());
        } else {
            self.writer.put_array_len(values.len());
        }
        for (index, value) in values.iter().enumerate() {
            self.value(element, false, value).map_err(|error| error.under_index(index))?;
        }
        Ok(())
    }

    fn null(&mut self, kind: &Kind, nullable: bool) -> Result<(), EncodeError> {
        if !nullable {
            return Err(Unfit::Null.into());
        }
        match kind {
            Kind::Struct(_) => self.writer.put_i8(-1),
            _ if self.flexible => self.writer.put_uvarint(0),
            Kind::String => self.writer.put_i16(-1),
            _ => self.writer.put_i32(-1),
        };
        Ok(())
    }
}

/// The longest that an int32 length, or an unsigned varint of the length plus one, can say.
const LONGEST: usize = i32::MAX as usize - 1;

fn fit<T: TryFrom<i64>>(number: i64) -> Result<T, EncodeError> {
    T::try_from(number).map_err(|_| Unfit::Range { number }.into())
}

fn short_enough(length: usize, most: usize) -> Result<(), EncodeError> {
    if length > most { Err(Unfit::TooLong { length }.into()) } else { Ok(()) }
}

impl EncodeError {
    fn under(mut self, name: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }

    fn under_index(mut self, index: usize) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{separator}{}", self.path);
        self
    }
}

impl From<Unfit> for EncodeError {
    fn from(why: Unfit) -> Self {
        Self { path: String::new(), why }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.why {
            Unfit::NoTable { key, version } => {
                write!(f, "API key {key} version {version} is not in the tables")
            }
            Unfit::NoField => f.write_str("no version has this field"),
            Unfit::NotInVersion { version } => {
                write!(f, "version {version} does not have this field")
            }
            Unfit::Kind { wanted, given } => write!(f, "{given} where {wanted} belongs"),
            Unfit::Null => f.write_str("null where this version allows none"),
            Unfit::Range { number } => write!(f, "{number} does not fit"),
            Unfit::TooLong { length } => write!(f, "length {length} cannot be written"),
            Unfit::NoTags => f.write_str("tagged fields in a version without them"),
            Unfit::TagTaken { tag } => write!(f, "tag {tag} is taken"),
        }
    }
}

impl std::error::Error for EncodeError {}
