//! From Rust's own types to values and back.

use bytes::Bytes;

use super::{Struct, Value};

impl Value {
    /// What kind of value this is, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Uuid(_) => "uuid",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "array",
            Self::Struct(_) => "struct",
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The bool, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The float, if this is one.
    pub fn as_float(&self) -> Option<f64> {
        if let Self::Float(value) = self { Some(*value) } else { None }
    }

    /// The uuid, if this is one.
    pub fn as_uuid(&self) -> Option<[u8; 16]> {
        if let Self::Uuid(value) = self { Some(*value) } else { None }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(value) = self { Some(value) } else { None }
    }

    /// The bytes, if these are bytes or records.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(value) = self { Some(value) } else { None }
    }

    /// The struct, if this is one.
    pub fn as_struct(&self) -> Option<&Struct> {
        if let Self::Struct(value) = self { Some(value) } else { None }
    }
}

macro_rules! from {
    ($($kind:ty => $variant:ident $(via $wide:ty)?;)*) => {
        $(impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                Self::$variant($(<$wide>::from)?(value))
            }
        })*
    };
}

from! {
    bool => Bool;
    i8 => Int via i64;
    i16 => Int via i64;
    u16 => Int via i64;
    i32 => Int via i64;
    i64 => Int;
    f64 => Float;
    [u8; 16] => Uuid;
    String => Str;
    &str => Str via String;
    Bytes => Bytes;
    Struct => Struct;
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
