//! What operators write down about a target: addresses, Kafka's `client.properties`, and target files.
//!
//! Every mistake is told with file, line, key and remedy, and no message shows a secret.

mod address;
mod client;
mod error;
mod jaas;
mod properties;
mod target;
mod way;

pub use address::{Address, AddressError};
pub use client::{ClientSettings, Protocol, mechanism};
pub use error::SettingsError;
pub use target::TargetFile;
pub use way::Way;
