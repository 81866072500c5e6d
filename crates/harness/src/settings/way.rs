//! How a client gets into a listener: TLS, login, or neither.

use kconform_wire::tls::{self, TlsError, TlsOptions};
use kconform_wire::{Dial, Sasl, Tls};

use super::Address;

/// What it takes to be let into a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// TLS, or none.
    pub tls: Option<TlsOptions>,
    /// The login, or none.
    pub sasl: Option<Sasl>,
}

impl Way {
    /// The same way to an address. Reads the files that the TLS options name.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no usable PEM.
    pub fn dial(&self, address: &Address) -> Result<Dial, TlsError> {
        let mut dial = Dial::plain(address.host.clone(), address.port);
        if let Some(options) = &self.tls {
            let config = tls::client_config(options)?;
            dial.tls = Some(Tls { config, server_name: options.server_name.clone() });
        }
        dial.sasl.clone_from(&self.sasl);
        Ok(dial)
    }
}
