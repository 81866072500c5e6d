//! A scripted broker for tests of the suite: in process, on loopback, honest by default, and able to lie at one place.
//!
//! It speaks ApiVersions, Metadata, CreateTopics, DeleteTopics, Produce, Fetch and ListOffsets, with the tables of the
//! schema crate, and keeps what is produced in memory. It is no reference: it is what a check is seen failing against.

#![allow(clippy::unwrap_used, reason = "a test tool: a broken invariant is a failed test")]

mod answers;
mod broker;
mod lie;
mod login;
mod store;

pub use broker::ScriptedBroker;
pub use lie::{Lie, Script};
