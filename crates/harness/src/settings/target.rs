//! The target file: everything that an operator can tell of a target, in TOML.

mod raw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kconform_scenario::{Listener, Reference, Role, User};
use kconform_wire::Secret;
use kconform_wire::tls::{Pem, TlsOptions};
use toml::Spanned;

use self::raw::{RawFile, RawHooks, RawListener, RawTarget, RawUser, Text};
use super::{Address, ClientSettings, SettingsError, Way, error};
use crate::fingerprint;
use crate::nodes::{BROKER, Commands};

/// What a target file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetFile {
    /// How a client gets in at the bootstrap addresses, with the addresses.
    pub client: ClientSettings,
    /// The release line to hold the target to.
    pub reference: Option<Reference>,
    /// Whether cases may disturb other users of the target.
    pub disruptive: Option<bool>,
    /// Further listeners. Cases log in there by themselves, so that none has a login.
    pub listeners: BTreeMap<Listener, (Address, Way)>,
    /// Users that cases may log in as.
    pub users: BTreeMap<Role, User>,
    /// The special shapes that the target was started with.
    pub shapes: Vec<String>,
    /// Cases at a time.
    pub jobs: Option<u16>,
    /// How long the target may be away.
    pub wait: Option<Duration>,
    /// The commands that kill, stop and start its brokers.
    pub hooks: Option<Commands>,
}

impl TargetFile {
    /// Reads a target file. What it names relatively is looked for beside it. Passwords come from the files or the environment
    /// variables that it names.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, key and remedy.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let text = error::read(file)?;
        let beside = file.parent().unwrap_or(Path::new(""));
        let reader = Reader { text: &text, beside, variable: &|name| std::env::var(name).ok() };
        reader.file().map_err(|error| error.in_file(file))
    }
}

/// The listeners that a target file may name: all but the default one, which is the bootstrap.
const LISTENERS: [Listener; 7] = [
    Listener::Plaintext,
    Listener::SaslPlaintext,
    Listener::Ssl,
    Listener::SaslSsl,
    Listener::Mtls,
    Listener::Reauth,
    Listener::Limited,
];
const ROLES: [Role; 3] = [Role::Super, Role::Unprivileged, Role::SecondUnprivileged];
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

struct Reader<'a> {
    text: &'a str,
    beside: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn file(&self) -> Result<TargetFile, SettingsError> {
        let raw: RawFile = toml::from_str(self.text).map_err(|error| self.unparsed(&error))?;
        let mut file = TargetFile {
            disruptive: raw.target.disruptive,
            shapes: raw.capabilities.shapes,
            wait: raw.limits.target_wait.map(Duration::from_secs),
            ..TargetFile::default()
        };
        if let Some(jobs) = raw.limits.jobs {
            file.jobs = Some(
                u16::try_from(*jobs.get_ref()).ok().filter(|jobs| *jobs > 0).ok_or_else(|| {
                    let what = "it is out of range";
                    SettingsError::new("limits.jobs", what, "set it to 1 or more, at most 65535")
                        .at(self.line(&jobs))
                })?,
            );
        }
        if let Some(reference) = &raw.target.reference {
            let parsed = reference.get_ref().parse::<Reference>();
            let known = parsed.and_then(|parsed| fingerprint::known(parsed).map(|()| parsed));
            file.reference = Some(known.map_err(|what| {
                let remedy = "write a release line of Apache Kafka in quotes, such as \"4.1\"";
                SettingsError::new("target.reference", what, remedy).at(self.line(reference))
            })?);
        }
        file.hooks = raw.hooks.as_ref().map(|hooks| self.hooks(hooks)).transpose()?;
        file.client = self.client(&raw.target)?;
        for (name, raw) in &raw.listeners {
            let (listener, found) = self.listener(name, raw)?;
            file.listeners.insert(listener, found);
        }
        for (name, raw) in &raw.users {
            let (role, user) = self.user(name, raw)?;
            file.users.insert(role, user);
        }
        Ok(file)
    }

    fn client(&self, raw: &RawTarget) -> Result<ClientSettings, SettingsError> {
        let mut client = match &raw.command_config {
            Some(path) => ClientSettings::read(self.path(path.get_ref()))?,
            None => ClientSettings::default(),
        };
        if let Some(bootstrap) = &raw.bootstrap {
            client.bootstrap.clear();
            for address in bootstrap.get_ref().list() {
                client.bootstrap.push(address.parse().map_err(|error| {
                    let remedy = "write \"host:port\", or a list of them";
                    SettingsError::new("target.bootstrap", format!("{error}"), remedy)
                        .at(self.line(bootstrap))
                })?);
            }
        }
        if client.bootstrap.is_empty() {
            let remedy = "add bootstrap = \"host:port\" under [target]";
            let line = raw.bootstrap.as_ref().and_then(|bootstrap| self.line(bootstrap));
            return Err(SettingsError::new("target.bootstrap", "it is missing", remedy)
                .at(line.or_else(|| self.line_of("[target]"))));
        }
        Ok(client)
    }

    fn listener(
        &self,
        name: &Text,
        raw: &RawListener,
    ) -> Result<(Listener, (Address, Way)), SettingsError> {
        let key = format!("listeners.{}", name.get_ref());
        let known = LISTENERS.into_iter().find(|listener| listener.name() == name.get_ref());
        let Some(listener) = known else {
            let names = LISTENERS.map(Listener::name).join(", ");
            return Err(SettingsError::new(
                &key,
                "no such listener",
                format!("name one of {names}"),
            )
            .at(self.line(name)));
        };
        let address = raw.address.get_ref().parse::<Address>().map_err(|error| {
            SettingsError::new(format!("{key}.address"), format!("{error}"), "write \"host:port\"")
                .at(self.line(&raw.address))
        })?;
        let encrypted = matches!(listener, Listener::Ssl | Listener::SaslSsl | Listener::Mtls);
        let named = [&raw.ca, &raw.cert, &raw.key].into_iter().flatten().next();
        let tls = match &raw.tls {
            Some(tls) if *tls.get_ref() != encrypted && !may_do_both(listener) => {
                let what = if encrypted {
                    "this listener speaks TLS"
                } else {
                    "this listener speaks no TLS"
                };
                let remedy = format!("set it to {encrypted}, or name the listener otherwise");
                return Err(
                    SettingsError::new(format!("{key}.tls"), what, remedy).at(self.line(tls))
                );
            }
            Some(tls) => *tls.get_ref(),
            None => encrypted || (named.is_some() && may_do_both(listener)),
        };
        if let Some(named) = named.filter(|_| !tls) {
            return Err(SettingsError::new(
                &key,
                "certificates are named, but no TLS is spoken there",
                "leave ca, cert and key out",
            )
            .at(self.line(named)));
        }
        if listener == Listener::Mtls && (raw.cert.is_none() || raw.key.is_none()) {
            let remedy = "add cert and key, each the name of a PEM file";
            return Err(SettingsError::new(&key, "it demands a client certificate", remedy)
                .at(self.line(name)));
        }
        let pem =
            |name: &Option<Text>| name.as_ref().map(|name| Pem::File(self.path(name.get_ref())));
        let tls = tls.then(|| TlsOptions {
            ca_pem: pem(&raw.ca),
            client_cert_pem: pem(&raw.cert),
            client_key_pem: pem(&raw.key),
            server_name: raw.server_name.clone(),
            check_name: raw.check_name.unwrap_or(true),
            ..TlsOptions::default()
        });
        Ok((listener, (address, Way { tls, sasl: None })))
    }

    fn user(&self, name: &Text, raw: &RawUser) -> Result<(Role, User), SettingsError> {
        let key = format!("users.{}", name.get_ref());
        let known = ROLES.into_iter().find(|role| role.name() == name.get_ref());
        let Some(role) = known else {
            let names = ROLES.map(Role::name).join(", ");
            return Err(SettingsError::new(&key, "no such role", format!("name one of {names}"))
                .at(self.line(name)));
        };
        if raw.mechanisms.get_ref().is_empty() {
            let remedy = format!("list one or more of {}", MECHANISMS.join(", "));
            return Err(SettingsError::new(format!("{key}.mechanisms"), "it is empty", remedy)
                .at(self.line(&raw.mechanisms)));
        }
        for mechanism in raw.mechanisms.get_ref() {
            if !MECHANISMS.contains(&mechanism.get_ref().as_str()) {
                let what = format!("`{}` is no mechanism known here", mechanism.get_ref());
                let remedy = format!("there are {}", MECHANISMS.join(", "));
                return Err(SettingsError::new(format!("{key}.mechanisms"), what, remedy)
                    .at(self.line(mechanism)));
            }
        }
        let Secret(password) = self.password(&key, name, raw)?;
        let mechanisms =
            raw.mechanisms.get_ref().iter().map(|mechanism| mechanism.get_ref().clone()).collect();
        Ok((role, User { name: raw.name.clone(), password, public: raw.public, mechanisms }))
    }

    fn password(&self, key: &str, name: &Text, raw: &RawUser) -> Result<Secret, SettingsError> {
        match (&raw.password, &raw.password_file, &raw.password_env) {
            (Some(password), None, None) if raw.public => Ok(Secret(password.get_ref().clone())),
            (Some(password), None, None) => Err(SettingsError::new(
                format!("{key}.password"),
                "a password stands in the file",
                "move it to a file of its own (password_file) or an environment variable (password_env), or say \
                 public = true where everybody may know it",
            )
            .at(self.line(password))),
            (None, Some(file), None) => {
                let path = self.path(file.get_ref());
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    SettingsError::new(
                        format!("{key}.password_file"),
                        format!("{} cannot be read: {error}", path.display()),
                        "name a file that holds the password and nothing else; its place is looked for from the target file",
                    )
                    .at(self.line(file))
                })?;
                Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, None, Some(variable)) => {
                (self.variable)(variable.get_ref()).map(Secret).ok_or_else(|| {
                    SettingsError::new(
                        format!("{key}.password_env"),
                        format!("the environment variable {} is not set", variable.get_ref()),
                        "set and export it before the run",
                    )
                    .at(self.line(variable))
                })
            }
            (None, None, None) => Err(SettingsError::new(
                key,
                "the password is missing",
                "add password_file or password_env",
            )
            .at(self.line(name))),
            _ => Err(SettingsError::new(
                key,
                "the password is given more than once",
                "keep one of password_file, password_env and password",
            )
            .at(self.line(name))),
        }
    }

    fn hooks(&self, raw: &RawHooks) -> Result<Commands, SettingsError> {
        let (kill, stop, start) = (&raw.kill, &raw.stop, &raw.start);
        Ok(Commands {
            kill: self.command("kill", kill)?,
            stop: self.command("stop", stop)?,
            start: self.command("start", start)?,
        })
    }

    /// A program with its arguments. One with a relative path is looked for beside the file.
    fn command(&self, name: &str, raw: &Spanned<Vec<Text>>) -> Result<Vec<String>, SettingsError> {
        let mut words: Vec<String> =
            raw.get_ref().iter().map(|word| word.get_ref().clone()).collect();
        let wrong = |what: &str, remedy: &str| {
            Err(SettingsError::new(format!("hooks.{name}"), what, remedy).at(self.line(raw)))
        };
        match words.first_mut() {
            None => return wrong("it is empty", "list a program and its arguments"),
            Some(program) if program.is_empty() => {
                return wrong("the program has no name", "list a program and its arguments");
            }
            Some(program) if program.contains('/') => {
                *program = self.path(program).to_string_lossy().into_owned();
            }
            Some(_) => {}
        }
        if !words.iter().any(|word| word.contains(BROKER)) {
            let what = format!("no word of it holds {BROKER}");
            return wrong(&what, "write {broker} where the id of the broker is to stand");
        }
        Ok(words)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.beside.join(name)
    }

    fn line<T>(&self, value: &Spanned<T>) -> Option<usize> {
        Some(self.line_at(value.span().start))
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }

    fn line_of(&self, start: &str) -> Option<usize> {
        self.text.lines().position(|line| line.trim_start().starts_with(start)).map(|at| at + 1)
    }

    /// What the TOML reader refuses: broken syntax, an unknown or missing key, a value of the wrong type. The key is the one of the
    /// line, behind the table that it stands in.
    fn unparsed(&self, error: &toml::de::Error) -> SettingsError {
        let line = error.span().map(|span| self.line_at(span.start));
        let what = error.message().lines().collect::<Vec<_>>().join("; ");
        // The one place where the TOML reader can only say that nothing fits.
        let what = if what.contains("untagged enum") {
            "it is neither a text nor a list of texts".to_owned()
        } else {
            what
        };
        let remedy = if what.contains("unknown field") {
            "leave it out, or spell it as one of those"
        } else if what.contains("missing field") {
            "add it to this table"
        } else {
            "the file is TOML (https://toml.io): [tables], and key = \"value\" in them"
        };
        SettingsError::new(line.map_or_else(String::new, |line| self.key_at(line)), what, remedy)
            .at(line)
    }

    fn key_at(&self, line: usize) -> String {
        let heading = |line: &str| {
            let inner = line.trim().strip_prefix('[')?.split_once(']')?.0;
            Some(inner.trim_matches(['[', ']']).to_owned())
        };
        let lines: Vec<&str> = self.text.lines().take(line).collect();
        let table = lines.iter().rev().find_map(|line| heading(line));
        let own = lines.last().filter(|line| heading(line).is_none()).and_then(|line| {
            let (key, _) = line.split_once('=')?;
            Some(key.trim().to_owned())
        });
        table.into_iter().chain(own).collect::<Vec<_>>().join(".")
    }
}

/// The two listeners that are told by what they limit, not by what they speak.
fn may_do_both(listener: Listener) -> bool {
    matches!(listener, Listener::Reauth | Listener::Limited)
}
