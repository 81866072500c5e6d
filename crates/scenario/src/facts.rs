//! What is known of the target before a case begins: an input of every case, recorded with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A broker as the target's metadata names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broker {
    /// Broker id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
    /// Rack, where one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
}

/// The release line of Apache Kafka that a target is held to, for example 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference(pub u16, pub u16);

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Reference(major, minor)),
            _ => Err(format!("`{text}` is not a release line such as 4.1")),
        }
    }
}

/// Listeners by what they ask of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// The one the operator pointed us at, with the operator's credentials.
    Default,
    /// No TLS, no authentication.
    Plaintext,
    /// SASL without TLS.
    SaslPlaintext,
    /// TLS without client authentication.
    Ssl,
    /// SASL over TLS.
    SaslSsl,
    /// TLS that demands a client certificate.
    Mtls,
    /// SASL whose sessions expire after a few seconds (`connections.max.reauth.ms`).
    Reauth,
    /// A listener with a low `max.connections`.
    Limited,
}

impl Listener {
    /// The name in a target file.
    pub fn name(self) -> &'static str {
        match self {
            Listener::Default => "default",
            Listener::Plaintext => "plaintext",
            Listener::SaslPlaintext => "sasl_plaintext",
            Listener::Ssl => "ssl",
            Listener::SaslSsl => "sasl_ssl",
            Listener::Mtls => "mtls",
            Listener::Reauth => "reauth",
            Listener::Limited => "limited",
        }
    }
}

/// Principals by what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Holds every right.
    Super,
    /// Holds no right but what a case grants it.
    Unprivileged,
    /// A second one of that kind.
    SecondUnprivileged,
}

impl Role {
    /// The name in a target file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Super => "super",
            Role::Unprivileged => "unprivileged",
            Role::SecondUnprivileged => "second_unprivileged",
        }
    }
}

/// A user that cases may log in as.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// User name.
    pub name: String,
    /// The password; leaves memory only when it is `public`.
    #[serde(default)]
    pub password: String,
    /// A test broker of our own: everybody knows the password.
    #[serde(default)]
    pub public: bool,
    /// The mechanisms under which the user is known.
    pub mechanisms: Vec<String>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "user {} ({:?})", self.name, self.mechanisms)
    }
}

impl Serialize for User {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut user = serializer.serialize_struct("User", 4)?;
        user.serialize_field("name", &self.name)?;
        user.serialize_field("password", if self.public { self.password.as_str() } else { "" })?;
        user.serialize_field("public", &self.public)?;
        user.serialize_field("mechanisms", &self.mechanisms)?;
        user.end()
    }
}

/// Everything a case may know of its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Host of the default listener, as the operator named it.
    pub host: String,
    /// Port of the default listener.
    pub port: u16,
    /// Cluster id, where Metadata gives one.
    pub cluster_id: Option<String>,
    /// The live brokers, by id.
    pub brokers: Vec<Broker>,
    /// Advertised versions by API key.
    pub apis: BTreeMap<i16, (i16, i16)>,
    /// Supported features: name to (min, max).
    pub supported: BTreeMap<String, (i16, i16)>,
    /// Finalized features: name to level.
    pub finalized: BTreeMap<String, i16>,
    /// The release line that the target is held to.
    pub reference: Reference,
    /// Whether an authorizer decides; `None` when it could not be told.
    pub authorizer: Option<bool>,
    /// Broker configuration, as DescribeConfigs gives it (sensitive values are null there, and absent here).
    pub configs: BTreeMap<String, String>,
    /// Further listeners: `(host, port)`.
    pub listeners: BTreeMap<Listener, (String, u16)>,
    /// Users by role.
    pub users: BTreeMap<Role, User>,
    /// The special shapes that the target was started with, see [`Need::Shape`](crate::Need::Shape).
    pub shapes: Vec<String>,
    /// The operator allows cases that disturb others (`--allow-disruptive`), or the broker is our own.
    pub disruptive: bool,
    /// The target's brokers can be killed, stopped and started, by hooks of its operator or because they are our own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarts: bool,
    /// The target is on this machine's loopback, so that 127.0.0.x source addresses reach it.
    pub loopback: bool,
}

impl Facts {
    /// Whether the target advertises this API in this version.
    pub fn offers(&self, key: i16, version: i16) -> bool {
        self.apis.get(&key).is_some_and(|(min, max)| (*min..=*max).contains(&version))
    }

    /// The finalized level of a feature; 0 when it is not finalized.
    pub fn feature(&self, name: &str) -> i16 {
        self.finalized.get(name).copied().unwrap_or(0)
    }

    /// A broker setting as a number.
    pub fn config_number(&self, name: &str) -> Option<i64> {
        self.configs.get(name)?.parse().ok()
    }
}
