//! What kind of cluster is wanted.

use crate::Release;

/// A cluster to be started: release, number of nodes, and what differs from the usual settings.
///
/// ```
/// use kconform_brokers::{Release, Shape};
///
/// let shape = Shape::one(Release::newest())
///     .without_authorizer()
///     .with_setting("delete.topic.enable", "false");
/// assert_eq!(shape.nodes, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The Apache Kafka release that every node runs.
    pub release: Release,
    /// 1 (a node with every listener) or 3 (PLAINTEXT only, one rack each); nothing else can be
    /// started.
    pub nodes: usize,
    /// Whether `StandardAuthorizer` judges the requests. `User:ANONYMOUS` and `User:admin` are
    /// super users, so that only the principals that logged in as somebody else meet it.
    pub authorizer: bool,
    /// Extra or overriding broker properties, later ones win; an empty value removes the property.
    pub settings: Vec<(String, String)>,
    /// Feature levels to format the storage with, such as `("transaction.version", 0)` (KIP-1022;
    /// 3.7 has no `format --feature`, and its start fails then).
    pub features: Vec<(String, u16)>,
    /// Which group protocols the brokers serve.
    pub coordinator: Coordinator,
    /// Whether intervals and sizes are shortened so that tests need not wait; `false` leaves them
    /// all at Apache's default.
    pub speed: bool,
}

/// The group protocols that a broker serves (`group.coordinator.rebalance.protocols`, KIP-848,
/// KIP-932, KIP-1071).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinator {
    /// What the release does when nobody sets anything: in 3.7 to 3.9 the classic coordinator and
    /// nothing else.
    Apache,
    /// Everything that the release can. In 3.7 to 3.9 this switches to the newer coordinator, which
    /// then serves classic groups too and answers some requests otherwise than the classic one. In
    /// 4.0 share groups come along only when the settings hold `unstable.api.versions.enable=true`.
    /// In 4.1 it also finalizes `share.version` at 1. From 4.2 on it is Apache's default.
    Every,
}

impl Shape {
    /// One node with every listener and the authorizer. Every group protocol on 4.x, the classic
    /// one alone on 3.x.
    pub fn one(release: Release) -> Shape {
        let coordinator =
            if release.line_numbers() < (4, 0) { Coordinator::Apache } else { Coordinator::Every };
        Shape {
            release,
            nodes: 1,
            authorizer: true,
            settings: Vec::new(),
            features: Vec::new(),
            coordinator,
            speed: true,
        }
    }

    /// Three nodes, each broker and controller, with the PLAINTEXT listener alone, no authorizer,
    /// replication factor 3 and `min.insync.replicas` 2.
    pub fn three(release: Release) -> Shape {
        Shape { nodes: 3, authorizer: false, ..Shape::one(release) }
    }

    /// With the authorizer.
    #[must_use]
    pub fn with_authorizer(self) -> Shape {
        Shape { authorizer: true, ..self }
    }

    /// Without the authorizer: what most clusters have on port 9092.
    #[must_use]
    pub fn without_authorizer(self) -> Shape {
        Shape { authorizer: false, ..self }
    }

    /// With a broker property, over what is there; an empty value removes it.
    #[must_use]
    pub fn with_setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Shape {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// With a feature finalized at this level from the start; the last level given counts.
    #[must_use]
    pub fn with_feature(mut self, name: impl Into<String>, level: u16) -> Shape {
        let name = name.into();
        self.features.retain(|(known, _)| *known != name);
        self.features.push((name, level));
        self
    }

    /// With these group protocols.
    #[must_use]
    pub fn with_coordinator(self, coordinator: Coordinator) -> Shape {
        Shape { coordinator, ..self }
    }

    /// With Apache's default intervals, sizes and group protocols, as users have them.
    #[must_use]
    pub fn with_apache_defaults(self) -> Shape {
        Shape { speed: false, coordinator: Coordinator::Apache, ..self }
    }

    /// The value that the settings give to a property; `None` when they do not name it.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The feature levels to format with, those that the coordinator needs included.
    pub(crate) fn format_features(&self) -> Vec<(String, u16)> {
        let mut features = self.features.clone();
        let share = "share.version";
        // 4.1 has share groups as a preview: the feature exists and stays at 0 until somebody
        // raises it.
        if self.release.line_numbers() == (4, 1)
            && self.coordinator == Coordinator::Every
            && !features.iter().any(|(name, _)| name == share)
        {
            features.push((share.to_owned(), 1));
        }
        features
    }
}
