//! One hand-driven Kafka connection, and everything that crosses it.
//!
//! # Layout
//! - [`dial`] opens a connection: TCP, TLS, SASL.
//! - [`link`] is the open connection: bytes out, frames in, closes told from silence.
//! - [`frame`] builds requests, [`answer`] reads responses strictly, [`typed`] says typed messages in every version.
//! - [`event`] and [`session`] record what a case learns and play it back.
//! - [`records`] are record batches and message sets, whole or deliberately broken.
//! - [`sasl`] and [`tls`] are the mechanics of authentication, without sockets.
//!
//! Nothing here retries, picks a version, or hides a byte.

pub mod answer;
pub mod dial;
pub mod event;
pub mod frame;
pub mod link;
pub mod records;
pub mod sasl;
pub mod session;
pub mod tls;
pub mod typed;

/// The protocol as data, for those who build on this crate.
pub use kconform_schema as schema;

pub use dial::{Dial, Mechanism, OpenError, Sasl, Secret, Tls};
pub use event::{Event, Hex, What};
pub use link::{Link, Received};
pub use session::{Drift, Matching, Replayed, Session};
