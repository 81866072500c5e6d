//! The properties of each shape, line by line.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::*;
use crate::Release;

/// The properties as they are read back, with the ports as `B+n` and the directories as `DATA` and
/// `CERTS`.
fn properties(shape: &Shape, node: u16) -> BTreeMap<String, String> {
    let layout = if shape.nodes == 1 { Layout::One } else { Layout::Many(3) };
    let ports = Ports::choose(layout.ports()).unwrap();
    let site =
        Site { layout, ports: &ports, data: Path::new("DATA"), certificates: Path::new("CERTS") };
    let mut text = server_properties(shape, &site, node);
    for place in 0..layout.ports() {
        text = text.replace(&format!(":{}", ports.at(place)), &format!(":B+{place}"));
    }
    let pairs: Vec<(String, String)> = text
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let map: BTreeMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a property stands twice");
    map
}

fn release(line: &str) -> Release {
    Release::parse(line).unwrap()
}

#[test]
fn one_node_has_every_listener() {
    let map = properties(&Shape::one(Release::newest()), 1);
    assert_eq!(
        map["listeners"],
        "PLAINTEXT://127.0.0.1:B+0,INTERNAL://127.0.0.1:B+2,SASL_PLAINTEXT://127.0.0.1:B+3,SSL://127.0.0.1:B+4,\
         SASL_SSL://127.0.0.1:B+5,MTLS://127.0.0.1:B+6,REAUTH://127.0.0.1:B+7,LIMITED://127.0.0.1:B+8,\
         CONTROLLER://127.0.0.1:B+1"
    );
    assert_eq!(
        map["advertised.listeners"],
        "PLAINTEXT://127.0.0.1:B+0,INTERNAL://127.0.0.1:B+2,SASL_PLAINTEXT://127.0.0.1:B+3,SSL://localhost:B+4,\
         SASL_SSL://localhost:B+5,MTLS://localhost:B+6,REAUTH://127.0.0.1:B+7,LIMITED://127.0.0.1:B+8"
    );
    assert_eq!(
        map["listener.security.protocol.map"],
        "PLAINTEXT:PLAINTEXT,INTERNAL:SASL_PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MTLS:SSL,\
         REAUTH:SASL_PLAINTEXT,LIMITED:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    );
    assert_eq!(map["controller.quorum.voters"], "1@127.0.0.1:B+1");
    assert_eq!(map["log.dirs"], "DATA/a");
    assert_eq!(map["ssl.keystore.location"], "CERTS/server.pem");
    assert_eq!(
        map["listener.name.mtls.ssl.principal.mapping.rules"],
        "RULE:^CN=(.*?)(,.*)?$/$1/L,DEFAULT"
    );
    assert_eq!(
        map["listener.name.sasl_ssl.plain.sasl.jaas.config"],
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_admin=\"admin-secret\" \
         user_alice=\"alice-secret\" user_bob=\"bob-secret\";"
    );
    assert_eq!(map["listener.name.reauth.scram-sha-256.connections.max.reauth.ms"], "4000");
    assert_eq!(map["default.replication.factor"], "1");
}

#[test]
fn the_authorizer_is_three_lines() {
    let with = properties(&Shape::one(Release::newest()), 1);
    let without = properties(&Shape::one(Release::newest()).without_authorizer(), 1);
    let gone: Vec<&String> = with.keys().filter(|key| !without.contains_key(*key)).collect();
    assert_eq!(gone, ["allow.everyone.if.no.acl.found", "authorizer.class.name", "super.users"]);
    assert_eq!(with["super.users"], "User:admin;User:ANONYMOUS");
}

#[test]
fn each_of_three_nodes_knows_the_others_and_has_a_rack() {
    let map = properties(&Shape::three(Release::newest()), 2);
    assert_eq!(map["node.id"], "2");
    assert_eq!(map["broker.rack"], "r2");
    assert_eq!(map["controller.quorum.voters"], "1@127.0.0.1:B+1,2@127.0.0.1:B+3,3@127.0.0.1:B+5");
    assert_eq!(map["listeners"], "PLAINTEXT://127.0.0.1:B+2,CONTROLLER://127.0.0.1:B+3");
    assert_eq!(map["default.replication.factor"], "3");
    assert_eq!(map["min.insync.replicas"], "2");
    assert_eq!(map["controller.quorum.fetch.timeout.ms"], "2000");
    assert!(!map.contains_key("authorizer.class.name"));
}

#[test]
fn the_group_protocols_follow_the_line() {
    let key = "group.coordinator.rebalance.protocols";
    let protocols = |shape: &Shape| properties(shape, 1).remove(key);
    let every = |line: &str| Shape::one(release(line)).with_coordinator(Coordinator::Every);
    assert_eq!(
        protocols(&Shape::one(release("3.9"))),
        None,
        "the classic coordinator is what 3.x has by default"
    );
    assert_eq!(protocols(&every("3.7")).as_deref(), Some("classic,consumer"));
    assert_eq!(protocols(&Shape::one(release("4.0"))).as_deref(), Some("classic,consumer"));
    let unstable = Shape::one(release("4.0")).with_setting("unstable.api.versions.enable", "true");
    assert_eq!(protocols(&unstable).as_deref(), Some("classic,consumer,share"));
    assert_eq!(
        protocols(&Shape::one(release("4.1"))).as_deref(),
        Some("classic,consumer,streams,share")
    );
    assert_eq!(protocols(&Shape::one(release("4.2"))), None);
    for release in Release::ALL {
        let map = properties(&Shape::one(*release), 1);
        assert!(
            !map.contains_key("unstable.api.versions.enable"),
            "{release} would advertise more than users see"
        );
    }
}

#[test]
fn share_groups_of_4_1_need_their_feature() {
    let share = |shape: Shape| shape.format_features();
    assert_eq!(share(Shape::one(release("4.1"))), [("share.version".to_owned(), 1)]);
    assert_eq!(
        share(Shape::one(release("4.1")).with_feature("share.version", 0)),
        [("share.version".to_owned(), 0)]
    );
    assert!(share(Shape::one(release("4.1")).with_apache_defaults()).is_empty());
    assert!(share(Shape::one(release("4.2"))).is_empty());
}

#[test]
fn apache_defaults_leave_timers_and_sizes_alone() {
    let map = properties(&Shape::one(release("4.1")).with_apache_defaults(), 1);
    for (key, _) in SPEED {
        assert!(!map.contains_key(*key), "{key}");
    }
    assert!(!map.contains_key("group.coordinator.rebalance.protocols"));
    assert_eq!(
        map["offsets.topic.replication.factor"], "1",
        "one node could not have Apache's default of 3"
    );
    let three = properties(&Shape::three(Release::newest()).with_apache_defaults(), 1);
    assert!(!three.contains_key("auto.leader.rebalance.enable"));
}

#[test]
fn own_settings_win_and_empty_ones_remove() {
    let shape = Shape::one(Release::newest())
        .with_setting("allow.everyone.if.no.acl.found", "maybe")
        .with_setting("allow.everyone.if.no.acl.found", "true")
        .with_setting("delegation.token.secret.key", "")
        .with_setting("no.such.property", "")
        .with_setting("max.connections", "25");
    let map = properties(&shape, 1);
    assert_eq!(map["allow.everyone.if.no.acl.found"], "true");
    assert_eq!(map["max.connections"], "25");
    assert!(
        !map.contains_key("delegation.token.secret.key") && !map.contains_key("no.such.property")
    );
}

#[test]
fn values_are_escaped_as_java_reads_them() {
    assert_eq!(escaped("user_zoë=\"a\\b\"", false), "user_zo\\u00eb=\"a\\\\b\"");
    assert_eq!(escaped(" x y", false), "\\ x y");
    assert_eq!(escaped("a b:c", true), "a\\ b\\:c");
    assert_eq!(escaped("\u{1f600}\n", false), "\\ud83d\\ude00\\n");
}
