//! Fields by path: `topics[0].partitions[1].leader_id`.

use std::fmt;

use super::Value;

/// Why a path leads nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    /// The path as far as it leads.
    pub reached: String,
    /// What stops it there.
    pub stop: Stop,
}

/// What stops a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The struct has no such field: perhaps the version lacks it.
    NoField(String),
    /// The array is shorter.
    NoElement {
        /// The index asked for.
        index: usize,
        /// Elements that there are.
        length: usize,
    },
    /// A name follows what is no struct, or an index what is no array; the word is its kind.
    NotThere(&'static str),
    /// Not a path: the rest of the text that cannot be read.
    Syntax(String),
}

impl Value {
    /// The value at a path from here; the empty path is this value itself.
    pub fn at(&self, path: &str) -> Result<&Value, PathError> {
        let mut here = self;
        for step in steps(path) {
            let (reached, step) = step?;
            let refuse = |stop| PathError { reached: reached.to_owned(), stop };
            here = match (step, here) {
                (Step::Name(name), Self::Struct(value)) => {
                    value.field(name).ok_or_else(|| refuse(Stop::NoField(name.to_owned())))?
                }
                (Step::Index(index), Self::Array(values)) => values
                    .get(index)
                    .ok_or_else(|| refuse(Stop::NoElement { index, length: values.len() }))?,
                (_, other) => return Err(refuse(Stop::NotThere(other.kind()))),
            };
        }
        Ok(here)
    }

    /// The value at a path, to change it.
    pub fn at_mut(&mut self, path: &str) -> Result<&mut Value, PathError> {
        let mut here = self;
        for step in steps(path) {
            let (reached, step) = step?;
            let refuse = |stop| PathError { reached: reached.to_owned(), stop };
            here = match (step, here) {
                (Step::Name(name), Self::Struct(value)) => {
                    value.field_mut(name).ok_or_else(|| refuse(Stop::NoField(name.to_owned())))?
                }
                (Step::Index(index), Self::Array(values)) => {
                    let length = values.len();
                    values
                        .get_mut(index)
                        .ok_or_else(|| refuse(Stop::NoElement { index, length }))?
                }
                (_, other) => return Err(refuse(Stop::NotThere(other.kind()))),
            };
        }
        Ok(here)
    }

    /// Replaces the value at a path that exists.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> Result<(), PathError> {
        *self.at_mut(path)? = value.into();
        Ok(())
    }
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// The steps of a path, each with the text before it.
fn steps(path: &str) -> impl Iterator<Item = Result<(&str, Step<'_>), PathError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (reached, rest) = (&path[..at], &path[at..]);
        if rest.is_empty() {
            return None;
        }
        let step = step(rest, at == 0);
        let Some((step, length)) = step else {
            at = path.len();
            return Some(Err(PathError {
                reached: reached.to_owned(),
                stop: Stop::Syntax(rest.to_owned()),
            }));
        };
        at += length;
        Some(Ok((reached, step)))
    })
}

/// The first step of a text and its length.
fn step(rest: &str, first: bool) -> Option<(Step<'_>, usize)> {
    if let Some(index) = rest.strip_prefix('[') {
        let (index, _) = index.split_once(']')?;
        return Some((Step::Index(index.parse().ok()?), index.len() + 2));
    }
    let name = if first { rest } else { rest.strip_prefix('.')? };
    let length = name.find(['.', '[']).unwrap_or(name.len());
    (length > 0).then(|| (Step::Name(&name[..length]), rest.len() - name.len() + length))
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.reached.is_empty() { "the message" } else { &self.reached };
        match &self.stop {
            Stop::NoField(name) => write!(f, "{place} has no field {name}"),
            Stop::NoElement { index, length } => {
                write!(f, "{place} has {length} elements and none at {index}")
            }
            Stop::NotThere(kind) => write!(f, "{place} is of kind {kind} and has nothing inside"),
            Stop::Syntax(rest) => write!(f, "not a path: {rest}"),
        }
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Struct;

    fn metadata() -> Value {
        let partition = |leader: i32| Value::from(Struct::new().with("leader_id", leader));
        let topic = Struct::new().with("partitions", vec![partition(1), partition(2)]);
        Struct::new().with("topics", vec![topic]).with("controller_id", 7).into()
    }

    #[test]
    fn paths_read_and_change() {
        let mut value = metadata();
        assert_eq!(value.at("topics[0].partitions[1].leader_id").unwrap(), &Value::Int(2));
        value.set("topics[0].partitions[1].leader_id", 9).unwrap();
        assert_eq!(value.at("topics[0].partitions[1].leader_id").unwrap(), &Value::Int(9));
        assert_eq!(value.at("").unwrap(), &value);
        assert_eq!(
            value.at("topics[0]").unwrap().at("partitions[0].leader_id").unwrap(),
            &Value::Int(1)
        );
        assert_eq!(
            value.at("topics").unwrap().at("[0].partitions[0].leader_id").unwrap(),
            &Value::Int(1)
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let mut value = metadata();
        for (path, text) in [
            ("topic", "the message has no field topic"),
            ("topics[1].x", "topics has 1 elements and none at 1"),
            ("topics[0].partitions[0].isr", "topics[0].partitions[0] has no field isr"),
            ("controller_id.x", "controller_id is of kind int and has nothing inside"),
            ("topics.name", "topics is of kind array and has nothing inside"),
            ("topics[0]partitions", "not a path: partitions"),
            ("topics[-1]", "not a path: [-1]"),
            ("topics[0", "not a path: [0"),
            ("topics..x", "not a path: ..x"),
            ("a.", "the message has no field a"),
        ] {
            assert_eq!(value.at(path).unwrap_err().to_string(), text);
            assert_eq!(value.set(path, 1).unwrap_err().to_string(), text);
        }
    }
}
