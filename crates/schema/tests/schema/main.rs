//! The proofs of this crate, in one program.
#![allow(clippy::unwrap_used)]

mod breaches;
mod crossing;
mod encoding;
mod generate;
mod hostile;
mod kafka_protocol;
mod primitives;
mod random;
mod round_trip;
mod tables;
