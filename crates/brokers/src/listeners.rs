//! The listeners of a cluster, by name.

use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// Where a cluster listens, each as `host:port`. A cluster of three nodes has the first alone.
///
/// Host names are `localhost` where TLS is spoken (the certificate carries the address too) and
/// `127.0.0.1` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listeners {
    /// No TLS, no login; the principal is `User:ANONYMOUS`, a super user.
    pub plaintext: String,
    /// SASL without TLS: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER (unsecured tokens).
    pub sasl_plaintext: Option<String>,
    /// TLS without login and without a client certificate; `User:ANONYMOUS`.
    pub ssl: Option<String>,
    /// SASL over TLS, the mechanisms of `sasl_plaintext`.
    pub sasl_ssl: Option<String>,
    /// TLS that demands a client certificate; its common name is the principal.
    pub mtls: Option<String>,
    /// SASL without TLS, PLAIN and SCRAM-SHA-256, where a session lives for 4 s unless it logs in
    /// anew (KIP-368).
    pub reauth: Option<String>,
    /// Like `plaintext`, but for at most three connections at a time (KIP-612).
    pub limited: Option<String>,
}

/// Places of the ports in the run of one node; see [`Layout::One`].
pub(crate) mod place {
    pub(crate) const PLAINTEXT: u16 = 0;
    pub(crate) const CONTROLLER: u16 = 1;
    pub(crate) const INTERNAL: u16 = 2;
    pub(crate) const SASL_PLAINTEXT: u16 = 3;
    pub(crate) const SSL: u16 = 4;
    pub(crate) const SASL_SSL: u16 = 5;
    pub(crate) const MTLS: u16 = 6;
    pub(crate) const REAUTH: u16 = 7;
    pub(crate) const LIMITED: u16 = 8;
}

/// How the ports of a cluster are dealt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One node, nine ports by [`place`].
    One,
    /// This many nodes, two ports each: PLAINTEXT and CONTROLLER.
    Many(u16),
}

impl Layout {
    /// How many consecutive ports it takes.
    pub(crate) fn ports(self) -> u16 {
        match self {
            Layout::One => 9,
            Layout::Many(nodes) => nodes * 2,
        }
    }

    /// The PLAINTEXT port of a node, counted from 1.
    pub(crate) fn plaintext(self, ports: &Ports, node: u16) -> u16 {
        match self {
            Layout::One => ports.at(place::PLAINTEXT),
            Layout::Many(_) => ports.at((node - 1) * 2),
        }
    }

    /// The CONTROLLER port of a node, counted from 1.
    pub(crate) fn controller(self, ports: &Ports, node: u16) -> u16 {
        match self {
            Layout::One => ports.at(place::CONTROLLER),
            Layout::Many(_) => ports.at((node - 1) * 2 + 1),
        }
    }

    /// The listeners as clients see them.
    pub(crate) fn listeners(self, ports: &Ports) -> Listeners {
        let plaintext = format!("127.0.0.1:{}", self.plaintext(ports, 1));
        let at = |host: &str, place: u16| match self {
            Layout::One => Some(format!("{host}:{}", ports.at(place))),
            Layout::Many(_) => None,
        };
        Listeners {
            plaintext,
            sasl_plaintext: at("127.0.0.1", place::SASL_PLAINTEXT),
            ssl: at("localhost", place::SSL),
            sasl_ssl: at("localhost", place::SASL_SSL),
            mtls: at("localhost", place::MTLS),
            reauth: at("127.0.0.1", place::REAUTH),
            limited: at("127.0.0.1", place::LIMITED),
        }
    }
}
