//! The settings of a Kafka client that say how to get in: from Kafka's own `client.properties`, from flags, or from both.

mod properties;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use kconform_wire::tls::{Pem, TlsOptions, Versions};
use kconform_wire::{Mechanism, Sasl, Secret};

use super::{Address, SettingsError, Way};

/// What a client is told about a listener. Everything may be missing; [`way`](Self::way) says what must not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientSettings {
    /// Addresses (`bootstrap.servers`).
    pub bootstrap: Vec<Address>,
    /// `security.protocol`.
    pub protocol: Option<Protocol>,
    /// `sasl.mechanism`.
    pub mechanism: Option<Mechanism>,
    /// The user to log in as.
    pub user: Option<String>,
    /// The user's password, or the token of OAUTHBEARER.
    pub password: Option<Secret>,
    /// The certificates to trust; those of the operating system otherwise.
    pub ca: Option<Pem>,
    /// The client's certificate and those that vouch for it.
    pub cert: Option<Pem>,
    /// The client's private key.
    pub key: Option<Pem>,
    /// Whether the name in the server's certificate is checked; it is unless told otherwise.
    pub check_name: Option<bool>,
    /// The versions of TLS to offer.
    pub versions: Option<Versions>,
    /// What a file holds and kconform has no use for: `client.properties:3: acks`.
    pub ignored: Vec<String>,
}

/// The security protocols of Kafka listeners (`org.apache.kafka.common.security.auth.SecurityProtocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Neither TLS nor login.
    Plaintext,
    /// TLS.
    Ssl,
    /// Login.
    SaslPlaintext,
    /// Login over TLS.
    SaslSsl,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 4] = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];

    /// The name in Kafka's settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    fn tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    fn sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // `SecurityProtocol.forName` takes any case.
        let found = Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            format!(
                "`{text}` is no security protocol; there are {}",
                Self::ALL.map(Self::name).join(", ")
            )
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ClientSettings {
    /// Reads a `client.properties`. What it names relatively is looked for from the working directory, as Kafka does.
    ///
    /// # Errors
    /// A file that cannot be read, a value that Kafka does not allow, or one that kconform cannot serve.
    pub fn read(file: PathBuf) -> Result<Self, SettingsError> {
        properties::read(&file)
    }

    /// These, with the others' wherever the others say something.
    #[must_use]
    pub fn overridden(self, by: Self) -> Self {
        let mut ignored = self.ignored;
        ignored.extend(by.ignored);
        // A certificate and its key go together: half of a pair from elsewhere never fits.
        let (cert, key) = if by.cert.is_some() || by.key.is_some() {
            (by.cert, by.key)
        } else {
            (self.cert, self.key)
        };
        // So do a user and the password; a password alone belongs to the user that is known.
        let (user, password) = match (by.user, by.password) {
            (None, None) => (self.user, self.password),
            (None, password) => (self.user, password),
            (user, password) => (user, password),
        };
        Self {
            bootstrap: if by.bootstrap.is_empty() { self.bootstrap } else { by.bootstrap },
            protocol: by.protocol.or(self.protocol),
            mechanism: by.mechanism.or(self.mechanism),
            user,
            password,
            ca: by.ca.or(self.ca),
            cert,
            key,
            check_name: by.check_name.or(self.check_name),
            versions: by.versions.or(self.versions),
            ignored,
        }
    }

    /// The way in that these describe.
    ///
    /// # Errors
    /// Something that the protocol needs is missing, or something is said that it has no use for.
    pub fn way(&self) -> Result<Way, SettingsError> {
        let protocol = self.protocol()?;
        let tls = protocol.tls().then(|| TlsOptions {
            ca_pem: self.ca.clone(),
            client_cert_pem: self.cert.clone(),
            client_key_pem: self.key.clone(),
            check_name: self.check_name.unwrap_or(true),
            versions: self.versions.unwrap_or_default(),
            ..TlsOptions::default()
        });
        Ok(Way { tls, sasl: protocol.sasl().then(|| self.sasl()).transpose()? })
    }

    /// The protocol. Certificates alone imply SSL; a login implies nothing, since a password must not go out in the clear only
    /// because nobody said how.
    fn protocol(&self) -> Result<Protocol, SettingsError> {
        let certificates = self.ca.is_some() || self.cert.is_some() || self.key.is_some();
        let login = self.user.is_some() || self.password.is_some() || self.mechanism.is_some();
        match self.protocol {
            Some(protocol) if certificates && !protocol.tls() => Err(SettingsError::new(
                "security.protocol",
                format!("{protocol} uses no certificates, but some are given"),
                "set it to SSL or SASL_SSL, or leave the certificates out",
            )),
            Some(protocol) if login && !protocol.sasl() => Err(SettingsError::new(
                "security.protocol",
                format!("{protocol} has no login, but one is given"),
                "set it to SASL_SSL or SASL_PLAINTEXT, or leave the login out",
            )),
            Some(protocol) => Ok(protocol),
            None if login => Err(SettingsError::new(
                "security.protocol",
                "a login is given, but not how to speak",
                "set it, or --security-protocol, to SASL_SSL, or to SASL_PLAINTEXT, which sends passwords of PLAIN in the clear",
            )),
            None if certificates => Ok(Protocol::Ssl),
            None => Ok(Protocol::Plaintext),
        }
    }

    fn sasl(&self) -> Result<Sasl, SettingsError> {
        let mechanism = self.mechanism.ok_or_else(|| {
            SettingsError::new(
                "sasl.mechanism",
                "it is missing, and Kafka's default, GSSAPI, is not spoken here",
                format!("set it to one of {}", MECHANISMS.map(Mechanism::name).join(", ")),
            )
        })?;
        let user = match (&self.user, mechanism) {
            (Some(user), _) => user.clone(),
            (None, Mechanism::OauthBearer) => String::new(),
            (None, _) => {
                return Err(SettingsError::new(
                    "sasl.jaas.config",
                    format!("{} needs a user", mechanism.name()),
                    "name one in sasl.jaas.config, or with --user",
                ));
            }
        };
        let secret = self.password.clone().ok_or_else(|| {
            SettingsError::new(
                "sasl.jaas.config",
                format!("{} needs a password", mechanism.name()),
                "give it in sasl.jaas.config, in a file named by --password-file, or in KCONFORM_PASSWORD",
            )
        })?;
        Ok(Sasl { mechanism, user, secret })
    }
}

/// The mechanisms that kconform can log in with.
pub(crate) const MECHANISMS: [Mechanism; 4] =
    [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512, Mechanism::OauthBearer];

/// The mechanism of this name.
///
/// # Errors
/// One sentence that names the known ones.
pub fn mechanism(name: &str) -> Result<Mechanism, String> {
    Mechanism::named(name).ok_or_else(|| {
        format!(
            "`{name}` is no mechanism that kconform can log in with; there are {}",
            MECHANISMS.map(Mechanism::name).join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn login(protocol: Option<Protocol>, mechanism: Option<Mechanism>) -> ClientSettings {
        ClientSettings {
            protocol,
            mechanism,
            user: Some("alice".to_owned()),
            password: Some(Secret("hush".to_owned())),
            ..ClientSettings::default()
        }
    }

    #[test]
    fn nothing_said_is_plaintext_and_certificates_alone_are_ssl() {
        assert_eq!(ClientSettings::default().way().unwrap(), Way::default());
        let ca = Some(Pem::File("ca.pem".into()));
        let way = ClientSettings { ca, ..ClientSettings::default() }.way().unwrap();
        assert!(way.tls.unwrap().check_name && way.sasl.is_none());
    }

    #[test]
    fn a_login_needs_protocol_mechanism_user_and_password() {
        let full = login(Some(Protocol::SaslSsl), Some(Mechanism::Plain));
        let way = full.way().unwrap();
        assert_eq!(way.sasl.unwrap().user, "alice");
        assert!(way.tls.is_some());
        for (settings, key, what) in [
            (login(None, Some(Mechanism::Plain)), "security.protocol", "not how to speak"),
            (login(Some(Protocol::Ssl), None), "security.protocol", "has no login"),
            (login(Some(Protocol::SaslSsl), None), "sasl.mechanism", "GSSAPI"),
            (ClientSettings { user: None, ..full.clone() }, "sasl.jaas.config", "needs a user"),
            (ClientSettings { password: None, ..full.clone() }, "sasl.jaas.config", "a password"),
            (
                ClientSettings {
                    protocol: Some(Protocol::SaslPlaintext),
                    ca: Some(Pem::File("ca.pem".into())),
                    ..full.clone()
                },
                "security.protocol",
                "uses no certificates",
            ),
        ] {
            let error = settings.way().unwrap_err();
            assert_eq!(error.key, key);
            let text = error.to_string();
            assert!(text.contains(what) && !text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn a_token_needs_no_user() {
        let settings = ClientSettings {
            user: None,
            ..login(Some(Protocol::SaslSsl), Some(Mechanism::OauthBearer))
        };
        assert_eq!(settings.way().unwrap().sasl.unwrap().secret.0, "hush");
    }

    #[test]
    fn what_overrides_keeps_pairs_together() {
        let file = ClientSettings {
            cert: Some(Pem::File("a.pem".into())),
            key: Some(Pem::File("a.key".into())),
            ..login(Some(Protocol::SaslSsl), Some(Mechanism::Plain))
        };
        let flags = ClientSettings {
            cert: Some(Pem::File("b.pem".into())),
            user: Some("bob".to_owned()),
            ..ClientSettings::default()
        };
        let password = ClientSettings {
            password: Some(Secret("other".to_owned())),
            ..ClientSettings::default()
        };
        assert_eq!(file.clone().overridden(password).user.as_deref(), Some("alice"));
        let both = file.overridden(flags);
        assert_eq!((both.cert, both.key), (Some(Pem::File("b.pem".into())), None));
        assert_eq!((both.user.as_deref(), both.password), (Some("bob"), None));
        assert_eq!(both.mechanism, Some(Mechanism::Plain));
    }
}
