//! The flags that say which broker, and how to reach it.

use std::path::PathBuf;

use clap::Args;
use kconform_brokers::Release;
use kconform_harness::settings::{ClientSettings, Protocol};
use kconform_scenario::wire::tls::Pem;
use kconform_scenario::wire::{Mechanism, Secret};

use crate::trouble::Trouble;

/// The variable that holds a password, for those who keep no file.
const PASSWORD: &str = "KCONFORM_PASSWORD";

/// Where the target is and how a client gets in. A flag wins over --command-config, and that over --target.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct ReachArgs {
    /// Addresses of the target; the first that answers is taken
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(crate) bootstrap: Vec<String>,
    /// A target file: further listeners, users and limits of the target, in TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// A client.properties of Kafka's own tools: security.protocol, sasl.*, ssl.* (stores as PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) command_config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// The same as flags. No flag takes a secret itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct ClientArgs {
    /// PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) security_protocol: Option<Protocol>,
    /// PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, or OAUTHBEARER, where the password is the token
    #[arg(long, value_name = "MECHANISM", value_parser = kconform_harness::settings::mechanism)]
    pub(crate) sasl_mechanism: Option<Mechanism>,
    /// The user to log in as; the password comes from --password-file or from KCONFORM_PASSWORD
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// A file that holds the password and nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The certificates to trust, PEM (default: those of the operating system)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The client's certificate and its chain, PEM
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(crate) cert_file: Option<PathBuf>,
    /// The client's private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(crate) key_file: Option<PathBuf>,
}

impl ReachArgs {
    /// Nobody named a target.
    pub(crate) fn is_empty(&self) -> bool {
        self.bootstrap.is_empty() && self.target.is_none() && self.command_config.is_none()
    }

    /// The same flags, for the command that repeats a case.
    pub(crate) fn again(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.bootstrap.is_empty() {
            words.extend(["--bootstrap".to_owned(), self.bootstrap.join(",")]);
        }
        let client = &self.client;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        for (flag, value) in [
            ("--target", path(&self.target)),
            ("--command-config", path(&self.command_config)),
            ("--security-protocol", client.security_protocol.map(|protocol| protocol.to_string())),
            (
                "--sasl-mechanism",
                client.sasl_mechanism.map(|mechanism| mechanism.name().to_owned()),
            ),
            ("--user", client.user.clone()),
            ("--password-file", path(&client.password_file)),
            ("--ca-file", path(&client.ca_file)),
            ("--cert-file", path(&client.cert_file)),
            ("--key-file", path(&client.key_file)),
        ] {
            if let Some(value) = value {
                words.extend([flag.to_owned(), value]);
            }
        }
        words
    }
}

impl ClientArgs {
    /// The flags as settings. The environment's password is for whoever is named by a flag; files name their own.
    pub(crate) fn settings(&self) -> Result<ClientSettings, Trouble> {
        let token = self.sasl_mechanism == Some(Mechanism::OauthBearer);
        let password = match &self.password_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
                Trouble::Usage(format!("--password-file {}: {error}", file.display()))
            })?),
            None if self.user.is_some() || token => std::env::var(PASSWORD).ok(),
            None => None,
        };
        let pem = |file: &Option<PathBuf>| file.clone().map(Pem::File);
        Ok(ClientSettings {
            protocol: self.security_protocol,
            mechanism: self.sasl_mechanism,
            user: self.user.clone(),
            password: password
                .map(|password| Secret(password.trim_end_matches(['\r', '\n']).to_owned())),
            ca: pem(&self.ca_file),
            cert: pem(&self.cert_file),
            key: pem(&self.key_file),
            ..ClientSettings::default()
        })
    }
}

/// An Apache Kafka of our own, started for the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Apache Kafka to start")]
pub(crate) struct OwnArgs {
    /// The release to start, as X.Y or X.Y.Z (default: the newest)
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<Release>,
    /// How many nodes: 1 with every listener (the default), or 3 with the plaintext one
    #[arg(long, value_name = "1|3", value_parser = nodes)]
    pub(crate) nodes: Option<usize>,
    /// Start it without an authorizer, as most clusters run
    #[arg(long)]
    pub(crate) no_authorizer: bool,
    /// Finalize this feature at this level, such as transaction.version=0 (releases from 3.8 on)
    #[arg(long, value_name = "NAME=LEVEL", value_parser = feature)]
    pub(crate) feature: Vec<(String, u16)>,
    /// Start it with this broker setting, such as auto.create.topics.enable=false; without a value it takes ours away
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) setting: Vec<(String, String)>,
    /// Start no further brokers for the cases that need one of a special shape, or one that dies: it saves some minutes
    #[arg(long)]
    pub(crate) no_special: bool,
    /// Start it with Apache's own intervals and sizes, not with short ones
    #[arg(long, hide = true)]
    pub(crate) apache_defaults: bool,
}

impl OwnArgs {
    /// The release to start.
    pub(crate) fn release(&self) -> Release {
        self.release.unwrap_or(Release::newest())
    }

    /// How many nodes to start.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.unwrap_or(1)
    }
}

fn feature(text: &str) -> Result<(String, u16), String> {
    let (name, level) = text.split_once('=').unwrap_or((text, ""));
    match level.parse() {
        Ok(level) if !name.is_empty() => Ok((name.to_owned(), level)),
        _ => Err("a feature and its level, such as transaction.version=0, are expected".to_owned()),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(
            "a broker setting and its value, such as auto.create.topics.enable=false, are expected"
                .to_owned(),
        ),
    }
}

fn nodes(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "3" => Ok(3),
        _ => Err("one node or three can be started".to_owned()),
    }
}
