//! What a reader assumes where nothing was sent.

use bytes::Bytes;

use crate::tree::{Default, Direction, Field, Kind, present};
use crate::value::{Struct, Value};

/// A message with every field of `version` at its default, ready to be changed; `None` when the tables lack the version.
pub fn default_value(key: i16, version: i16, direction: Direction) -> Option<Value> {
    let message = crate::api(key)?.message(direction);
    message.versions.contains(version).then(|| Value::Struct(of_fields(&message.fields, version)))
}

/// An item of the array at `path` (`topics.partitions`), every field of `version` at its default; `None` when the tables
/// lack the version, or the path leads to no array of structs.
pub fn default_item(key: i16, version: i16, direction: Direction, path: &str) -> Option<Value> {
    let message = crate::api(key)?.message(direction);
    let mut fields = &message.fields;
    for name in path.split('.') {
        let field = present(fields, version).find(|field| field.name == name)?;
        let Kind::Array(item) = &field.kind else { return None };
        let Kind::Struct(inner) = &**item else { return None };
        fields = inner;
    }
    message.versions.contains(version).then(|| Value::Struct(of_fields(fields, version)))
}

/// The default of one field in `version`.
pub(crate) fn of_field(field: &Field, version: i16) -> Value {
    match field.default {
        Default::Null if field.is_nullable(version) => Value::Null,
        Default::Int(number) => Value::Int(number),
        Default::True => Value::Bool(true),
        Default::Zero | Default::Null => zero(&field.kind, version),
    }
}

/// Whether `value` is what a reader assumes for `field` anyway.
pub(crate) fn is_default(field: &Field, version: i16, value: &Value) -> bool {
    match (value, &field.kind) {
        (Value::Null, _) => field.default == Default::Null,
        // The kinds that hold much are compared without building their default.
        (Value::Array(values), _) => values.is_empty() && field.default != Default::Null,
        (Value::Str(text), _) => text.is_empty() && field.default != Default::Null,
        (Value::Bytes(bytes), _) => bytes.is_empty() && field.default != Default::Null,
        (Value::Struct(value), Kind::Struct(fields)) => {
            field.default != Default::Null
                && value.unknown().is_empty()
                && value.fields().all(|(name, value)| {
                    let field = present(fields, version).find(|field| field.name == name);
                    field.is_some_and(|field| is_default(field, version, value))
                })
        }
        _ => *value == of_field(field, version),
    }
}

/// Every field of a struct at its default.
pub(crate) fn of_fields(fields: &[Field], version: i16) -> Struct {
    let mut value = Struct::new();
    for field in present(fields, version) {
        value.push(field.name, of_field(field, version));
    }
    value
}

/// Zero, false or empty.
pub(crate) fn zero(kind: &Kind, version: i16) -> Value {
    match kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int8 | Kind::Int16 | Kind::Uint16 | Kind::Int32 | Kind::Int64 => Value::Int(0),
        Kind::Float64 => Value::Float(0.0),
        Kind::Uuid => Value::Uuid([0; 16]),
        Kind::String => Value::Str(String::new()),
        Kind::Bytes | Kind::Records => Value::Bytes(Bytes::new()),
        Kind::Array(_) => Value::Array(Vec::new()),
        Kind::Struct(fields) => Value::Struct(of_fields(fields, version)),
    }
}
