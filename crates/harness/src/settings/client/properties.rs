//! Kafka's `client.properties`.

use std::path::Path;

use kconform_wire::tls::{Pem, Versions};
use kconform_wire::{Mechanism, Secret};

use super::ClientSettings;
use crate::settings::properties::{Property, parse};
use crate::settings::{SettingsError, error, jaas};

/// Reads the file.
pub(super) fn read(file: &Path) -> Result<ClientSettings, SettingsError> {
    let text = error::read(file)?;
    let properties = parse(&text).map_err(|line| {
        let remedy = "write \\u and four hexadecimal digits, or double the backslash";
        SettingsError::new("", "a \\u escape is broken", remedy).at(Some(line)).in_file(file)
    })?;
    settings(&properties, &file.display().to_string()).map_err(|error| error.in_file(file))
}

fn settings(properties: &[Property], name: &str) -> Result<ClientSettings, SettingsError> {
    let mut settings = ClientSettings::default();
    let mut stores = Stores::default();
    let mut login = None;
    for property in properties {
        let at = Some(property.line);
        if property.value.starts_with("${") {
            return Err(SettingsError::new(
                &property.key,
                "it is to come from a configuration provider, and those are not resolved here",
                "write the value itself, or give it with a flag",
            )
            .at(at));
        }
        let used =
            take(&mut settings, &mut stores, &mut login, property).map_err(|error| error.at(at))?;
        if !used {
            misspelt(&property.key).map_err(|error| error.at(at))?;
            settings.ignored.push(format!("{name}:{}: {}", property.line, property.key));
        }
    }
    stores.into_settings(&mut settings)?;
    if let Some((line, module)) = login {
        take_login(&mut settings, &module).map_err(|error| error.at(Some(line)))?;
    }
    Ok(settings)
}

/// Takes a property up; `false` when there is no use for it.
fn take(
    settings: &mut ClientSettings,
    stores: &mut Stores,
    login: &mut Option<(usize, jaas::LoginModule)>,
    property: &Property,
) -> Result<bool, SettingsError> {
    let Property { line, key, value } = property;
    let value = value.trim();
    match key.as_str() {
        "bootstrap.servers" => {
            for address in value.split(',').filter(|address| !address.trim().is_empty()) {
                let address = address.parse().map_err(|error| {
                    SettingsError::new(
                        key,
                        format!("{error}"),
                        "write host:port, separated by commas",
                    )
                })?;
                settings.bootstrap.push(address);
            }
        }
        "security.protocol" => {
            let known = "set it to PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL";
            let protocol =
                value.parse().map_err(|error: String| SettingsError::new(key, error, known))?;
            settings.protocol = Some(protocol);
        }
        "sasl.mechanism" => settings.mechanism = Some(mechanism(key, value)?),
        "sasl.jaas.config" => {
            let module = jaas::parse(value).map_err(|what| {
                SettingsError::new(
                    key,
                    what,
                    "write it as Kafka documents: CLASS required username=\"...\" password=\"...\";",
                )
            })?;
            *login = Some((*line, module));
        }
        "ssl.endpoint.identification.algorithm" => {
            settings.check_name = Some(match value {
                "" => false,
                value if value.eq_ignore_ascii_case("https") => true,
                other => {
                    let what = format!("`{other}` is not known");
                    return Err(SettingsError::new(
                        key,
                        what,
                        "leave it at https, or empty to check no name",
                    ));
                }
            });
        }
        "ssl.enabled.protocols" => settings.versions = Some(versions(key, value)?),
        _ => return Ok(stores.take(*line, key, value)),
    }
    Ok(true)
}

/// The keys that are taken up here.
const KEYS: [&str; 14] = [
    "bootstrap.servers",
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.endpoint.identification.algorithm",
    "ssl.enabled.protocols",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.key.password",
];
/// So many letters may differ between a key and what somebody made of it. No other setting of Kafka's clients is as near as
/// that to one of these.
const SLIPS: usize = 2;

/// A key that nobody takes up is an error where it is nearly one of ours: it would go without effect, and unseen.
fn misspelt(key: &str) -> Result<(), SettingsError> {
    let lower = key.to_ascii_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, known);
    let near = KEYS.into_iter().min_by_key(|known| distance(known));
    match near.filter(|known| distance(known) <= SLIPS) {
        Some(known) => {
            let remedy = format!("write {known}, or leave it out");
            Err(SettingsError::new(
                key,
                format!("there is no such setting; is it {known}?"),
                remedy,
            ))
        }
        None => Ok(()),
    }
}

fn mechanism(key: &str, value: &str) -> Result<Mechanism, SettingsError> {
    super::mechanism(value).map_err(|what| {
        SettingsError::new(key, what, "point kconform at a listener with another mechanism")
    })
}

fn versions(key: &str, value: &str) -> Result<Versions, SettingsError> {
    let listed = |version| value.split(',').any(|item| item.trim() == version);
    match (listed("TLSv1.2"), listed("TLSv1.3")) {
        (true, true) => Ok(Versions::Both),
        (true, false) => Ok(Versions::Only12),
        (false, true) => Ok(Versions::Only13),
        (false, false) => Err(SettingsError::new(
            key,
            "it lists no version of TLS that is spoken here",
            "list TLSv1.2, TLSv1.3 or both",
        )),
    }
}

fn take_login(
    settings: &mut ClientSettings,
    module: &jaas::LoginModule,
) -> Result<(), SettingsError> {
    let key = "sasl.jaas.config";
    let class = module.class.rsplit('.').next().unwrap_or_default();
    let fits: &[Mechanism] = match class {
        "PlainLoginModule" => &[Mechanism::Plain],
        "ScramLoginModule" => &[Mechanism::ScramSha256, Mechanism::ScramSha512],
        "OAuthBearerLoginModule" => {
            return Err(SettingsError::new(
                key,
                "tokens are not fetched here",
                "leave it out, and give a token with --sasl-mechanism OAUTHBEARER --password-file FILE",
            ));
        }
        other => {
            return Err(SettingsError::new(
                key,
                format!("the login module {other} is not known here"),
                "PlainLoginModule and ScramLoginModule are",
            ));
        }
    };
    if let Some(mechanism) = settings.mechanism.filter(|mechanism| !fits.contains(mechanism)) {
        return Err(SettingsError::new(
            key,
            format!("{class} does not log in with {}", mechanism.name()),
            "make sasl.mechanism and the login module agree",
        ));
    }
    // Of the mechanisms, only PLAIN has a module that serves no other.
    if let ([only], None) = (fits, settings.mechanism) {
        settings.mechanism = Some(*only);
    }
    if module.options.get("tokenauth").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(SettingsError::new(
            key,
            "logging in with a delegation token (tokenauth) is not supported",
            "log in as a user",
        ));
    }
    let option = |name: &str| {
        module.options.get(name).cloned().ok_or_else(|| {
            SettingsError::new(
                key,
                format!("the option {name} is missing"),
                "add it before the semicolon",
            )
        })
    };
    settings.user = Some(option("username")?);
    settings.password = Some(Secret(option("password")?));
    Ok(())
}

/// The key stores, which only make sense together with their types.
#[derive(Default)]
struct Stores {
    trust: Store,
    own: Store,
    key_password: Option<usize>,
}

/// A store: its parts with their lines.
#[derive(Default)]
struct Store {
    kind: Option<(usize, String)>,
    location: Option<(usize, String)>,
    certificates: Option<(usize, String)>,
    key: Option<(usize, String)>,
}

impl Stores {
    fn take(&mut self, line: usize, key: &str, value: &str) -> bool {
        let slot = match key {
            "ssl.truststore.type" => &mut self.trust.kind,
            "ssl.truststore.location" => &mut self.trust.location,
            "ssl.truststore.certificates" => &mut self.trust.certificates,
            "ssl.keystore.type" => &mut self.own.kind,
            "ssl.keystore.location" => &mut self.own.location,
            "ssl.keystore.certificate.chain" => &mut self.own.certificates,
            "ssl.keystore.key" => &mut self.own.key,
            "ssl.key.password" => {
                self.key_password = Some(line);
                return true;
            }
            _ => return false,
        };
        *slot = Some((line, value.to_owned()));
        true
    }

    fn into_settings(self, settings: &mut ClientSettings) -> Result<(), SettingsError> {
        let Self { trust, own, key_password } = self;
        trust.must_be_pem("ssl.truststore", "ca.pem")?;
        own.must_be_pem("ssl.keystore", "client.pem")?;
        if let Some(line) = key_password {
            return Err(SettingsError::new(
                "ssl.key.password",
                "encrypted private keys are not read here",
                "decrypt the key (openssl pkcs8 -in client.key -out plain.key), keep it safe, and leave the password out",
            )
            .at(Some(line)));
        }
        settings.ca = trust.certificates.map(text).or(trust.location.clone().map(file));
        // A PEM key store at a location holds the key and the chain in one file.
        settings.cert = own.certificates.map(text).or(own.location.clone().map(file));
        settings.key = own.key.map(text).or(own.location.map(file));
        Ok(())
    }
}

impl Store {
    /// Kafka's default type is JKS, which only Java reads; so an unnamed type means that.
    fn must_be_pem(&self, prefix: &str, into: &str) -> Result<(), SettingsError> {
        let parts = [&self.location, &self.certificates, &self.key];
        let Some((line, _)) = parts.into_iter().flatten().next() else { return Ok(()) };
        let (line, kind) = match &self.kind {
            Some((line, kind)) => (line, kind.as_str()),
            None => (line, "JKS"),
        };
        if kind.eq_ignore_ascii_case("PEM") {
            return Ok(());
        }
        let remedy = if prefix.ends_with("truststore") {
            format!("export it (keytool -list -rfc -keystore FILE > {into})")
        } else {
            format!(
                "export it (keytool -importkeystore to PKCS12, then openssl pkcs12 -nodes -out {into})"
            )
        };
        let what = match &self.kind {
            Some(_) => format!("a store of type {kind} is not read here, only PEM is"),
            None => {
                "without a type it is JKS, by Kafka's default, and only PEM is read here".to_owned()
            }
        };
        Err(SettingsError::new(
            format!("{prefix}.type"),
            what,
            format!("{remedy}, set {prefix}.type=PEM and {prefix}.location to the new file"),
        )
        .at(Some(*line)))
    }
}

fn text((_, value): (usize, String)) -> Pem {
    Pem::Text(value.into_bytes())
}

fn file((_, value): (usize, String)) -> Pem {
    Pem::File(value.into())
}

#[cfg(test)]
mod tests;
