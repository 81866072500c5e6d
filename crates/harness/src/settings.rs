//! What operators write down about a target: addresses, Kafka's `client.properties`, and target files.

mod address;

pub use address::{Address, AddressError};
