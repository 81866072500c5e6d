//! The broker properties of each shape.

use std::fmt::Write as _;
use std::path::Path;

use crate::certificates::{SERVER_STORE, TRUST_STORE};
use crate::listeners::{Layout, place};
use crate::ports::Ports;
use crate::shape::{Coordinator, Shape};

/// What the properties of a node depend on beside the shape.
pub(crate) struct Site<'a> {
    pub(crate) layout: Layout,
    pub(crate) ports: &'a Ports,
    /// The node's data directory; its log directory lies in it.
    pub(crate) data: &'a Path,
    /// The directory of the certificates.
    pub(crate) certificates: &'a Path,
}

/// The text of `server.properties` for a node, counted from 1.
pub(crate) fn server_properties(shape: &Shape, site: &Site<'_>, node: u16) -> String {
    let mut properties = Properties::default();
    quorum(&mut properties, site, node);
    match site.layout {
        Layout::One => one_node(&mut properties, site),
        Layout::Many(_) => one_of_many(&mut properties, site, node),
    }
    if shape.authorizer {
        properties.add(AUTHORIZER);
    }
    replication(&mut properties, site.layout);
    protocols(&mut properties, shape);
    if shape.speed {
        properties.add(SPEED);
        if matches!(site.layout, Layout::Many(_)) {
            properties.add(QUORUM_SPEED);
        }
    }
    for (key, value) in &shape.settings {
        properties.set(key, value);
    }
    properties.text()
}

const AUTHORIZER: &[(&str, &str)] = &[
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("super.users", "User:admin;User:ANONYMOUS"),
    ("allow.everyone.if.no.acl.found", "false"),
];

/// Timers and sizes cut down for tests. None of them changes what a broker may answer, only when.
const SPEED: &[(&str, &str)] = &[
    ("num.partitions", "2"),
    ("offsets.topic.num.partitions", "4"),
    ("transaction.state.log.num.partitions", "4"),
    ("share.coordinator.state.topic.num.partitions", "4"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "100"),
    ("group.consumer.min.session.timeout.ms", "1000"),
    ("group.consumer.min.heartbeat.interval.ms", "200"),
    ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500"),
    ("transaction.remove.expired.transaction.cleanup.interval.ms", "5000"),
    ("delegation.token.expiry.check.interval.ms", "2000"),
    ("log.retention.check.interval.ms", "1000"),
    ("log.cleaner.backoff.ms", "500"),
    ("log.segment.delete.delay.ms", "100"),
    ("log.cleaner.dedupe.buffer.size", "8388608"),
    ("replica.lag.time.max.ms", "3000"),
    // The broker reads this file anew for every topic that is created, and it grows with the topics.
    ("replica.high.watermark.checkpoint.interval.ms", "600000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("broker.session.timeout.ms", "3000"),
    ("controller.quorum.append.linger.ms", "0"),
    ("num.network.threads", "2"),
    ("num.io.threads", "4"),
];

/// A dead node is noticed, and its partitions led elsewhere, within some seconds.
const QUORUM_SPEED: &[(&str, &str)] = &[
    ("controller.quorum.election.timeout.ms", "1000"),
    ("controller.quorum.fetch.timeout.ms", "2000"),
    // Leadership that wanders back on its own makes failover tests ambiguous.
    ("auto.leader.rebalance.enable", "false"),
];

const ADMIN_JAAS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
    username=\"admin\" password=\"admin-secret\" user_admin=\"admin-secret\";";
const PLAIN_JAAS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
    user_admin=\"admin-secret\" user_alice=\"alice-secret\" user_bob=\"bob-secret\";";
const SCRAM_JAAS: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
const OAUTH_JAAS: &str =
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;";

fn quorum(properties: &mut Properties, site: &Site<'_>, node: u16) {
    let nodes = match site.layout {
        Layout::One => 1,
        Layout::Many(nodes) => nodes,
    };
    let voters: Vec<String> = (1..=nodes)
        .map(|id| format!("{id}@127.0.0.1:{}", site.layout.controller(site.ports, id)))
        .collect();
    let data = site.data.display();
    properties.add(&[
        ("process.roles", "broker,controller"),
        ("controller.listener.names", "CONTROLLER"),
    ]);
    properties.set("node.id", &node.to_string());
    properties.set("controller.quorum.voters", &voters.join(","));
    // One directory: with several, the broker counts the logs of each whenever it creates one.
    properties.set("log.dirs", &format!("{data}/a"));
}

/// A listener of the one-node shape.
struct Listener {
    name: &'static str,
    protocol: &'static str,
    /// The advertised host, which is what clients check the certificate against.
    host: &'static str,
    place: u16,
}

const fn listener(
    name: &'static str,
    protocol: &'static str,
    host: &'static str,
    place: u16,
) -> Listener {
    Listener { name, protocol, host, place }
}

const LISTENERS: [Listener; 8] = [
    listener("PLAINTEXT", "PLAINTEXT", "127.0.0.1", place::PLAINTEXT),
    listener("INTERNAL", "SASL_PLAINTEXT", "127.0.0.1", place::INTERNAL),
    listener("SASL_PLAINTEXT", "SASL_PLAINTEXT", "127.0.0.1", place::SASL_PLAINTEXT),
    listener("SSL", "SSL", "localhost", place::SSL),
    listener("SASL_SSL", "SASL_SSL", "localhost", place::SASL_SSL),
    listener("MTLS", "SSL", "localhost", place::MTLS),
    listener("REAUTH", "SASL_PLAINTEXT", "127.0.0.1", place::REAUTH),
    listener("LIMITED", "PLAINTEXT", "127.0.0.1", place::LIMITED),
];

fn one_node(properties: &mut Properties, site: &Site<'_>) {
    let joined = |line: &dyn Fn(&Listener) -> String| {
        LISTENERS.iter().map(line).collect::<Vec<_>>().join(",")
    };
    let bound = joined(&|one| format!("{}://127.0.0.1:{}", one.name, site.ports.at(one.place)));
    let controller = site.ports.at(place::CONTROLLER);
    properties.set("listeners", &format!("{bound},CONTROLLER://127.0.0.1:{controller}"));
    let advertised =
        joined(&|one| format!("{}://{}:{}", one.name, one.host, site.ports.at(one.place)));
    properties.set("advertised.listeners", &advertised);
    let protocols = joined(&|one| format!("{}:{}", one.name, one.protocol));
    properties
        .set("listener.security.protocol.map", &format!("{protocols},CONTROLLER:SASL_PLAINTEXT"));
    properties.set("inter.broker.listener.name", "INTERNAL");
    sasl(properties);
    tls(properties, site.certificates);
    properties.add(&[
        ("delegation.token.secret.key", "conformance-secret"),
        ("listener.name.limited.max.connections", "3"),
        ("connection.failed.authentication.delay.ms", "100"),
    ]);
}

fn sasl(properties: &mut Properties) {
    properties.add(&[
        ("sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"),
        ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
        ("sasl.mechanism.controller.protocol", "PLAIN"),
        ("listener.name.internal.sasl.enabled.mechanisms", "PLAIN"),
        ("listener.name.controller.sasl.enabled.mechanisms", "PLAIN"),
        ("listener.name.internal.plain.sasl.jaas.config", ADMIN_JAAS),
        ("listener.name.controller.plain.sasl.jaas.config", ADMIN_JAAS),
    ]);
    for listener in ["sasl_plaintext", "sasl_ssl", "reauth"] {
        for (mechanism, jaas) in [
            ("plain", PLAIN_JAAS),
            ("scram-sha-256", SCRAM_JAAS),
            ("scram-sha-512", SCRAM_JAAS),
            ("oauthbearer", OAUTH_JAAS),
        ] {
            properties.set(&format!("listener.name.{listener}.{mechanism}.sasl.jaas.config"), jaas);
        }
    }
    properties.add(&[
        ("listener.name.reauth.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256"),
        ("listener.name.reauth.plain.connections.max.reauth.ms", "4000"),
        ("listener.name.reauth.scram-sha-256.connections.max.reauth.ms", "4000"),
    ]);
}

fn tls(properties: &mut Properties, certificates: &Path) {
    let store = |name: &str| certificates.join(name).display().to_string();
    properties.set("ssl.keystore.type", "PEM");
    properties.set("ssl.keystore.location", &store(SERVER_STORE));
    properties.set("ssl.truststore.type", "PEM");
    properties.set("ssl.truststore.location", &store(TRUST_STORE));
    properties.set("listener.name.mtls.ssl.client.auth", "required");
    properties.set(
        "listener.name.mtls.ssl.principal.mapping.rules",
        "RULE:^CN=(.*?)(,.*)?$/$1/L,DEFAULT",
    );
}

fn one_of_many(properties: &mut Properties, site: &Site<'_>, node: u16) {
    let plaintext = format!("PLAINTEXT://127.0.0.1:{}", site.layout.plaintext(site.ports, node));
    let controller = site.layout.controller(site.ports, node);
    properties.set("listeners", &format!("{plaintext},CONTROLLER://127.0.0.1:{controller}"));
    properties.set("advertised.listeners", &plaintext);
    properties.set("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    properties.set("inter.broker.listener.name", "PLAINTEXT");
    properties.set("broker.rack", &format!("r{node}"));
    properties.add(&[
        ("replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector"),
        ("unclean.leader.election.enable", "false"),
    ]);
}

fn replication(properties: &mut Properties, layout: Layout) {
    let (factor, in_sync) = match layout {
        Layout::One => ("1", "1"),
        Layout::Many(_) => ("3", "2"),
    };
    properties.add(&[
        ("offsets.topic.replication.factor", factor),
        ("transaction.state.log.replication.factor", factor),
        ("transaction.state.log.min.isr", in_sync),
        ("share.coordinator.state.topic.replication.factor", factor),
        ("share.coordinator.state.topic.min.isr", in_sync),
        ("default.replication.factor", factor),
        ("min.insync.replicas", in_sync),
        ("auto.create.topics.enable", "true"),
    ]);
}

fn protocols(properties: &mut Properties, shape: &Shape) {
    if shape.coordinator == Coordinator::Apache {
        return;
    }
    let protocols = match shape.release.line_numbers() {
        (3, _) => "classic,consumer",
        (4, 0) if shape.setting("unstable.api.versions.enable") == Some("true") => {
            "classic,consumer,share"
        }
        (4, 0) => "classic,consumer",
        (4, 1) => "classic,consumer,streams,share",
        _ => return,
    };
    properties.set("group.coordinator.rebalance.protocols", protocols);
}

/// Properties in the order in which they were first set.
#[derive(Default)]
struct Properties {
    pairs: Vec<(String, String)>,
}

impl Properties {
    fn add(&mut self, pairs: &[(&str, &str)]) {
        for (key, value) in pairs {
            self.set(key, value);
        }
    }

    /// Sets a property, in its old place when it has one; an empty value removes it.
    fn set(&mut self, key: &str, value: &str) {
        let place = self.pairs.iter().position(|(name, _)| name == key);
        match (place, value.is_empty()) {
            (Some(place), true) => drop(self.pairs.remove(place)),
            (Some(place), false) => value.clone_into(&mut self.pairs[place].1),
            (None, true) => {}
            (None, false) => self.pairs.push((key.to_owned(), value.to_owned())),
        }
    }

    fn text(&self) -> String {
        self.pairs.iter().fold(String::new(), |mut text, (key, value)| {
            text.push_str(&escaped(key, true));
            text.push('=');
            text.push_str(&escaped(value, false));
            text.push('\n');
            text
        })
    }
}

/// Escapes a key or value as `java.util.Properties` reads it, which takes the file for ISO 8859-1.
fn escaped(text: &str, is_key: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, char) in text.chars().enumerate() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' ' if is_key || place == 0 => out.push_str("\\ "),
            '=' | ':' | '#' | '!' if is_key => out.extend(['\\', char]),
            ' '..='~' => out.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
