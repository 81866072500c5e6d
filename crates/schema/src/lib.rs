//! The Kafka protocol as data: every API key, version and direction of Apache Kafka 2.8 to 4.4, and what follows from it.
//!
//! - [`walk`] holds a body against every rule of its version and says at which byte and field which rule broke.
//! - [`decode`] and [`encode`] go between bytes and a [`Value`] of any version, and [`cross`] between two versions.
//! - [`primitives`] reads and writes frames by hand, [`errors`] names the error codes.
//! - [`generate`] makes the tables from the message definitions inside the official kafka-clients jars.
//!
//! The tables are text under `fixtures/schemas/`, part of the program, read at the first use.

use bytes::Bytes;

mod api;
mod breach;
mod cross;
mod decode;
mod defaults;
mod encode;
pub mod errors;
mod flat;
pub mod generate;
mod place;
pub mod primitives;
mod text;
pub mod tree;
mod value;
mod versions;

pub use api::{Api, api, api_named, apis};
pub use breach::{Breach, Fault, Note, Oddity, Rule};
pub use cross::{Loss, Lost, cross};
pub use decode::{Decoded, decode, decode_noting};
pub use defaults::{default_item, default_value};
pub use encode::{EncodeError, Unfit, encode};
pub use tree::Direction;
pub use value::{PathError, Stop, Struct, Value};
pub use versions::Versions;

/// Holds a body, without its header, against every rule of its version: the whole body read, no null in what cannot be null, tags
/// ascending, single and of the size they say, bools 0 or 1, strings UTF-8, lengths and counts within the bytes at hand. What stands
/// inside records is not looked at. An unknown tag is no breach: see [`notes`].
///
/// Allocates nothing unless something is broken.
pub fn walk(key: i16, version: i16, direction: Direction, body: &[u8]) -> Result<(), Breach> {
    match passes(key, version, direction, body) {
        Some(true) => Ok(()),
        // The tree has the last word, and it alone can name the field.
        Some(false) | None => {
            decode(key, version, direction, &Bytes::copy_from_slice(body)).map(drop)
        }
    }
}

/// What is odd in a body and breaks no rule, in the order of the wire; nothing for a body that breaks one. Almost always empty, and
/// then as cheap as [`walk`].
pub fn notes(key: i16, version: i16, direction: Direction, body: &[u8]) -> Vec<Note> {
    match program(key, version, direction).map(|program| program.run(body)) {
        Some(Some(true)) => decode_noting(key, version, direction, &Bytes::copy_from_slice(body))
            .map_or_else(|_| Vec::new(), |decoded| decoded.notes),
        _ => Vec::new(),
    }
}

/// The verdict of the flat program alone, which [`walk`] trusts when it is `true`; `None` when the tables lack the version. For
/// tests and measurements: the flat program and the tree must always agree.
pub fn passes(key: i16, version: i16, direction: Direction, body: &[u8]) -> Option<bool> {
    program(key, version, direction).map(|program| program.run(body).is_some())
}

fn program(key: i16, version: i16, direction: Direction) -> Option<&'static flat::Program> {
    api(key)?.program(version, direction)
}
