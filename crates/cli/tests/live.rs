//! The suite against real Apache Kafka, as a user runs it: `kconform conform --release …` must exit with 0.
//!
//! The oldest and the newest release that the recordings cover, brokers of a special shape with the newest alone; `cargo xtask ci --full` runs all of them.
//! Without Java or Maven these tests say so and pass; with `KCONFORM_DEMAND_LIVE=1`, as in CI, they fail.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::sync::Mutex;

/// One broker at a time: these machines are small, and the other tests want some of it too.
static ONE: Mutex<()> = Mutex::new(());

fn conforms(arguments: &[&str]) {
    if let Err(missing) = kconform_brokers::prerequisites() {
        assert!(std::env::var_os("KCONFORM_DEMAND_LIVE").is_none(), "{missing}");
        eprintln!("left out: {missing}");
        return;
    }
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let output = Command::new(env!("CARGO_BIN_EXE_kconform"))
        .arg("conform")
        .args(arguments)
        .args(["--plain", "--no-results", "--strict"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "kconform conform {arguments:?}\n{text}\n{told}");
    assert!(text.contains("conforms to Apache Kafka"), "{text}");
}

#[test]
fn apache_3_9_conforms() {
    conforms(&["--release", "3.9.2", "--no-special", "--shuffle"]);
}

#[test]
fn apache_4_4_conforms() {
    conforms(&["--release", "4.4.0", "--shuffle"]);
}

#[test]
fn apache_4_4_conforms_without_an_authorizer() {
    conforms(&["--release", "4.4.0", "--no-authorizer", "--no-special", "--shuffle"]);
}

#[test]
fn three_nodes_of_apache_4_4_conform() {
    conforms(&["--release", "4.4.0", "--nodes", "3", "--id", "APIV-020", "--id", "META-001"]);
}

#[test]
fn a_broker_is_started_with_the_features_and_settings_that_are_named() {
    if kconform_brokers::prerequisites().is_err() {
        // The other tests say so, and fail where that is demanded.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().to_str().unwrap();
    let flags =
        ["--feature", "transaction.version=1", "--setting", "auto.create.topics.enable=false"];
    let run = ["--release", "4.4.0", "--id", "META-001", "--record", record];
    conforms(&[&run[..], &flags].concat());
    let (head, _) = kconform_harness::recording::read_folder(folder.path()).unwrap().remove(0);
    assert_eq!(head.facts.finalized["transaction.version"], 1);
    assert_eq!(head.facts.configs["auto.create.topics.enable"], "false");
}

#[test]
fn tls_listeners_are_reached_with_the_files_that_flags_name() {
    if kconform_brokers::prerequisites().is_err() {
        return;
    }
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Without an authorizer, so that whoever comes by certificate may create topics.
    let shape = kconform_brokers::Shape::one(kconform_brokers::Release::newest());
    let shape = shape.without_authorizer();
    let cluster = kconform_brokers::Cluster::start(&shape, &mut |_| ()).unwrap();
    let (listeners, files) = (cluster.listeners(), cluster.certificates());
    let judged = |bootstrap: &str, with_a_certificate: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kconform"));
        command.args(["conform", "--plain", "--no-results", "--id", "META-001"]);
        command.args(["--bootstrap", bootstrap, "--security-protocol", "SSL", "--ca-file"]);
        command.arg(&files.ca);
        if with_a_certificate {
            command.arg("--cert-file").arg(&files.client).arg("--key-file").arg(&files.client_key);
        }
        command.output().unwrap().status.code()
    };
    let (ssl, mtls) = (listeners.ssl.as_ref().unwrap(), listeners.mtls.as_ref().unwrap());
    assert_eq!(judged(ssl, false), Some(0));
    assert_eq!(judged(mtls, true), Some(0));
    // The listener wants to know who comes.
    assert_eq!(judged(mtls, false), Some(3));
}
