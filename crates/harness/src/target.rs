//! The target as its operator described it: ways in, users, permissions.

use std::collections::BTreeMap;
use std::time::Duration;

use kconform_scenario::wire::Dial;
use kconform_scenario::{Access, Listener, Reference, Role, User};

use crate::nodes::Hook;

/// Everything that the operator told us.
#[derive(Clone, Debug)]
pub struct Target {
    /// The way in, with its credentials. The first address that answers is taken.
    pub bootstrap: Vec<Dial>,
    /// Further listeners.
    pub listeners: BTreeMap<Listener, Dial>,
    /// Users that cases may log in as.
    pub users: BTreeMap<Role, User>,
    /// Special shapes that the broker was started with.
    pub shapes: Vec<String>,
    /// The way to its nodes, for cases that kill brokers; used only where they may disturb others.
    pub nodes: Option<Hook>,
    /// Cases may disturb others: the operator said so, or the broker is our own.
    pub disruptive: bool,
    /// The release line to hold the target to; `None` is the nearest by fingerprint.
    pub reference: Option<Reference>,
    /// How long to wait for a target that went away.
    pub patience: Duration,
}

impl Target {
    /// A target at these addresses, with nothing else told.
    pub fn at(bootstrap: Vec<Dial>) -> Self {
        Self {
            bootstrap,
            listeners: BTreeMap::new(),
            users: BTreeMap::new(),
            shapes: Vec::new(),
            nodes: None,
            disruptive: false,
            reference: None,
            patience: Duration::from_secs(30),
        }
    }

    /// The ways in, the default being this one of the bootstrap addresses.
    pub(crate) fn access(&self, default: Dial) -> Access {
        Access { default, listeners: self.listeners.clone() }
    }
}
