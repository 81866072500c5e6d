//! Messages of any version as values: read, changed and built without a type of their own.

use bytes::Bytes;

mod convert;
mod display;
mod path;

pub use path::{PathError, Stop};

/// A value of any kind the protocol has.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Null, where the version allows it.
    Null,
    /// A bool.
    Bool(bool),
    /// An integer of any width, signed or not.
    Int(i64),
    /// A float64.
    Float(f64),
    /// A uuid: topic ids, directory ids.
    Uuid([u8; 16]),
    /// A string.
    Str(String),
    /// Bytes or records: a slice of the body they were read from, never a copy.
    Bytes(Bytes),
    /// An array.
    Array(Vec<Value>),
    /// A struct, or a whole message.
    Struct(Struct),
}

/// The fields of a struct, in the order of the definition, and the tagged fields that the tables do not know.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Struct {
    fields: Vec<(&'static str, Value)>,
    unknown: Vec<(u32, Bytes)>,
}

impl Struct {
    /// Without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one field more, or changed.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.put(name, value.into());
        self
    }

    /// With one tagged field more that the tables do not know. The writer sorts them and refuses numbers that it knows.
    #[must_use]
    pub fn with_unknown(mut self, tag: u32, bytes: impl Into<Bytes>) -> Self {
        self.unknown.push((tag, bytes.into()));
        self
    }

    /// Sets a field; one that is there keeps its place.
    pub fn put(&mut self, name: &'static str, value: Value) {
        match self.field_mut(name) {
            Some(field) => *field = value,
            None => self.fields.push((name, value)),
        }
    }

    /// A field by its name in snake case.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A field by its name, to change it.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.fields.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&'static str, &Value)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// The tagged fields that the tables do not know: number and bytes, in the order of the wire.
    pub fn unknown(&self) -> &[(u32, Bytes)] {
        &self.unknown
    }

    pub(crate) fn with_capacity(fields: usize) -> Self {
        Self { fields: Vec::with_capacity(fields), unknown: Vec::new() }
    }

    /// Adds a field that is known not to be there.
    pub(crate) fn push(&mut self, name: &'static str, value: Value) {
        self.fields.push((name, value));
    }

    pub(crate) fn push_unknown(&mut self, tag: u32, bytes: Bytes) {
        self.unknown.push((tag, bytes));
    }
}
