//! From one version of a message to another.

use std::fmt;

use crate::defaults;
use crate::place::Place;
use crate::tree::{Direction, Field, Kind, present};
use crate::value::{Struct, Value};

/// What a crossing would lose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The field, as in `topics[0].topic_id`; empty for the message as a whole.
    pub path: String,
    /// Why it cannot cross.
    pub why: Loss,
}

/// Why a value cannot cross.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loss {
    /// The tables lack the key or one of the versions.
    NoTable,
    /// The other version has no such field, and this value is not its default.
    Field {
        /// The value, as text.
        value: String,
    },
    /// The other version has the field and cannot say null there.
    Null,
    /// A tagged field that the tables do not know, and the other version has no tagged fields.
    UnknownTag {
        /// The tag.
        tag: u32,
    },
    /// The value is not of the version that it is said to be of.
    NotOfVersion,
}

/// Carries a message from version `from` to version `to`: fields that `to` adds stand at their default, fields that it lacks go.
///
/// A value that would be lost and is not its field's default is an error, unless `may_lose` names the field: by its own name
/// (`topic_id`) or by its path without indices (`topics.topic_id`); `*` names all, unknown tags too. The tables keep one name per
/// field over all versions, the newest, so a field that some release renamed crosses like any other. A field whose content moved
/// to another field does not follow it: that is a loss and says so.
pub fn cross(
    key: i16,
    direction: Direction,
    value: &Value,
    from: i16,
    to: i16,
    may_lose: &[&str],
) -> Result<Value, Lost> {
    let refuse = |why| Lost { path: String::new(), why };
    let message = crate::api(key).ok_or(refuse(Loss::NoTable))?.message(direction);
    if !message.versions.contains(from) || !message.versions.contains(to) {
        return Err(refuse(Loss::NoTable));
    }
    let Value::Struct(value) = value else { return Err(refuse(Loss::NotOfVersion)) };
    let mut crossing = Crossing {
        from,
        to,
        tags: message.flexible.contains(to),
        may_lose,
        place: Place::default(),
    };
    match crossing.fields(&message.fields, value) {
        Ok(value) => Ok(Value::Struct(value)),
        Err(why) => Err(Lost { path: crossing.place.path(), why }),
    }
}

struct Crossing<'a> {
    from: i16,
    to: i16,
    /// Whether `to` has tagged fields.
    tags: bool,
    may_lose: &'a [&'a str],
    /// Where the crossing is. After a loss it stays there.
    place: Place,
}

/// What names every field in `may_lose`.
const EVERYTHING: &str = "*";

impl Crossing<'_> {
    fn fields(&mut self, fields: &[Field], value: &Struct) -> Result<Struct, Loss> {
        let mut crossed = Struct::with_capacity(value.fields().len());
        for (name, value) in value.fields() {
            self.place.enter(name);
            let of_version = present(fields, self.from).find(|field| field.name == name);
            let field = of_version.ok_or(Loss::NotOfVersion)?;
            let goes = field.versions.contains(self.to);
            if !goes && !self.may_lose() && !defaults::is_default(field, self.from, value) {
                return Err(Loss::Field { value: value.to_string() });
            }
            self.place.leave();
        }
        for field in present(fields, self.to) {
            self.place.enter(field.name);
            crossed.push(
                field.name,
                match value.field(field.name) {
                    Some(value) if field.versions.contains(self.from) => {
                        self.field(field, value)?
                    }
                    _ => defaults::of_field(field, self.to),
                },
            );
            self.place.leave();
        }
        self.unknown(value, &mut crossed)?;
        Ok(crossed)
    }

    fn field(&mut self, field: &Field, value: &Value) -> Result<Value, Loss> {
        if value.is_null() && !field.is_nullable(self.to) {
            return match self.may_lose() || defaults::is_default(field, self.from, value) {
                true => Ok(defaults::zero(&field.kind, self.to)),
                false => Err(Loss::Null),
            };
        }
        self.value(&field.kind, value)
    }

    fn value(&mut self, kind: &Kind, value: &Value) -> Result<Value, Loss> {
        match (kind, value) {
            (Kind::Struct(fields), Value::Struct(value)) => {
                self.fields(fields, value).map(Value::Struct)
            }
            (Kind::Array(element), Value::Array(values)) => {
                let mut crossed = Vec::with_capacity(values.len());
                for (index, value) in values.iter().enumerate() {
                    self.place.enter_element(index);
                    crossed.push(self.value(element, value)?);
                    self.place.leave();
                }
                Ok(Value::Array(crossed))
            }
            _ => Ok(value.clone()),
        }
    }

    fn unknown(&mut self, value: &Struct, crossed: &mut Struct) -> Result<(), Loss> {
        for (tag, bytes) in value.unknown() {
            if self.tags {
                crossed.push_unknown(*tag, bytes.clone());
            } else if !self.may_lose.contains(&EVERYTHING) {
                return Err(Loss::UnknownTag { tag: *tag });
            }
        }
        Ok(())
    }

    /// Whether the author named the field at hand.
    fn may_lose(&self) -> bool {
        let (name, path) = (self.place.name(), self.place.path_without_indices());
        self.may_lose
            .iter()
            .any(|named| Some(*named) == name || *named == path || *named == EVERYTHING)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.why {
            Loss::NoTable => f.write_str("the key or one of the versions is not in the tables"),
            Loss::Field { value } => write!(f, "{value} would be lost"),
            Loss::Null => f.write_str("null would be lost"),
            Loss::UnknownTag { tag } => write!(f, "tag {tag} would be lost"),
            Loss::NotOfVersion => f.write_str("not a value of the version it is said to be of"),
        }
    }
}

impl std::error::Error for Lost {}
