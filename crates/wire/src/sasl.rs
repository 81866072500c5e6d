//! The mechanics of SASL: which bytes a client sends next, without sockets, clocks or randomness.
//!
//! - [`scram`] is written here: its nonce has to come from the case (so that a recording replays), it carries
//!   Kafka's `tokenauth` extension, and the negative cases need every piece of an exchange by itself.
//! - [`plain`] and [`oauthbearer`] are rsasl's for what is well-formed, and raw bytes for what is not.
//!
//! The frames around these bytes (SaslHandshake, SaslAuthenticate) belong to whoever sends them.

pub mod oauthbearer;
pub mod plain;
pub mod scram;

use std::error::Error;
use std::fmt;

use rsasl::callback::SessionCallback;
use rsasl::prelude::{Mechanism, Mechname, Registry, SASLClient, SASLConfig};

/// A message that a mechanism does not allow, e.g. PLAIN with an empty password. Never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaslError(String);

impl fmt::Display for SaslError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SaslError {}

/// The first message of a client-first mechanism, by rsasl.
fn first_message(
    mechanism: &'static [Mechanism],
    name: &'static [u8],
    credentials: impl SessionCallback + 'static,
) -> Result<Vec<u8>, SaslError> {
    let refused = |error: &dyn fmt::Display| SaslError(error.to_string());
    let config = SASLConfig::builder()
        .with_registry(Registry::with_mechanisms(mechanism))
        .with_callback(credentials)
        .map_err(|error| refused(&error))?;
    let name = Mechname::parse(name).map_err(|error| refused(&error))?;
    let mut session =
        SASLClient::new(config).start_suggested(&[name]).map_err(|error| refused(&error))?;
    let mut message = Vec::new();
    session.step(None, &mut message).map_err(|error| refused(&error))?;
    Ok(message)
}
