//! The target file as it is written, every key known, so that a misspelt one is an error and not a fact lost in silence.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A text with its place in the file.
pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) target: RawTarget,
    #[serde(default)]
    pub(super) listeners: BTreeMap<Text, RawListener>,
    #[serde(default)]
    pub(super) users: BTreeMap<Text, RawUser>,
    #[serde(default)]
    pub(super) capabilities: RawCapabilities,
    #[serde(default)]
    pub(super) limits: RawLimits,
    pub(super) hooks: Option<RawHooks>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub(super) bootstrap: Option<Spanned<Addresses>>,
    pub(super) command_config: Option<Text>,
    pub(super) reference: Option<Text>,
    pub(super) disruptive: Option<bool>,
}

/// One address, several with commas, or a list.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Addresses {
    Text(String),
    List(Vec<String>),
}

impl Addresses {
    pub(super) fn list(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split(',').collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListener {
    pub(super) address: Text,
    pub(super) tls: Option<Spanned<bool>>,
    pub(super) ca: Option<Text>,
    pub(super) cert: Option<Text>,
    pub(super) key: Option<Text>,
    pub(super) server_name: Option<String>,
    pub(super) check_name: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) name: String,
    pub(super) password: Option<Text>,
    pub(super) password_file: Option<Text>,
    pub(super) password_env: Option<Text>,
    #[serde(default)]
    pub(super) public: bool,
    pub(super) mechanisms: Spanned<Vec<Text>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCapabilities {
    #[serde(default)]
    pub(super) shapes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) jobs: Option<Spanned<i64>>,
    pub(super) target_wait: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHooks {
    pub(super) kill: Spanned<Vec<Text>>,
    pub(super) stop: Spanned<Vec<Text>>,
    pub(super) start: Spanned<Vec<Text>>,
}
