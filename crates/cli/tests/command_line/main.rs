//! The command as a user meets it, against the scripted broker: exit codes, bad input, results.

#![allow(clippy::unwrap_used)]

mod entry;
mod flags;

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use kconform_tests::{Lie, Script, ScriptedBroker};

const METADATA: i16 = 3;
/// A scenario that the scripted broker passes, at one version of Metadata.
const ONE_CASE: &[&str] = &["--exact", CASE];
const CASE: &str = "wire::headers::the_correlation_id_comes_back_as_it_was::v5::0";

fn kconform(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kconform"));
    output(command.args(arguments))
}

fn output(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(!text.contains("panicked"), "{text}");
    (status.code(), text)
}

/// `conform --bootstrap ADDRESS` with more arguments, and no results.
fn conform(address: &str, arguments: &[&str]) -> (Option<i32>, String) {
    kconform(&[&["conform", "--plain", "--no-results", "--bootstrap", address], arguments].concat())
}

#[track_caller]
fn ends((code, text): (Option<i32>, String), expected: i32, says: &[&str]) {
    assert_eq!(code, Some(expected), "{text}");
    for part in says {
        assert!(text.contains(part), "`{part}` is not said:\n{text}");
    }
}

#[test]
fn an_honest_broker_conforms() {
    let broker = ScriptedBroker::honest();
    let result = conform(&broker.address(), ONE_CASE);
    ends(result, 0, &["1 passed", "conforms"]);
    assert!(broker.topics().is_empty());
}

#[test]
fn a_lying_broker_fails_with_evidence_and_the_command_that_repeats_it() {
    let broker = ScriptedBroker::lying(Script::always(METADATA, Lie::WrongCorrelation).at(5));
    let address = broker.address();
    let result = conform(&address, ONE_CASE);
    let again = format!("conform --bootstrap {address} --exact");
    ends(result, 1, &["FAILED", "WIRE-002", "correlation id", "received", &again]);
}

#[test]
fn a_case_is_listed_under_the_name_that_repeats_it() {
    let (_, text) = kconform(&["conform", "--list", "--id", "WIRE-002", "--api-version", "5"]);
    assert!(text.contains(CASE), "{text}");
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ends(conform(&free.to_string(), &[]), 3, &["no Kafka broker answers", &free.to_string()]);
    ends(conform("no-such-host.invalid:9092", &[]), 3, &["does not resolve"]);
}

/// A listener that answers every connection with these bytes, or with silence.
fn listener(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(answer);
            open.push(stream);
        }
    });
    address
}

#[test]
fn a_port_that_is_not_kafka() {
    ends(
        conform(&listener(b"HTTP/1.1 400 Bad Request\r\n\r\n"), &[]),
        3,
        &["looks like an HTTP server"],
    );
    // A TLS alert, which is what a TLS listener says to plaintext.
    ends(conform(&listener(b"\x15\x03\x03\0\x02\x02\x0a"), &[]), 3, &["looks like a TLS listener"]);
    ends(conform(&listener(b""), &[]), 3, &["does not answer ApiVersions within"]);
    let broker = ScriptedBroker::honest();
    let tls = conform(&broker.address(), &["--security-protocol", "SSL"]);
    ends(tls, 3, &["no TLS session"]);
}

#[test]
fn a_filter_that_matches_nothing_suggests_what_is_near() {
    let broker = ScriptedBroker::honest();
    ends(conform(&broker.address(), &["--api", "Metadta"]), 4, &["Metadta", "Metadata"]);
    ends(conform(&broker.address(), &["--id", "WIRE-9999"]), 4, &["WIRE-9999"]);
}

#[test]
fn wrong_usage() {
    ends(kconform(&["conform", "--no-such-flag"]), 2, &["--no-such-flag"]);
    ends(kconform(&["conform", "--bootstrap", "host:port"]), 2, &["host:port"]);
    ends(kconform(&["conform", "--release", "1.2"]), 2, &["1.2", "4.4.0"]);
    ends(kconform(&["conform", "--replay", "no/such/folder"]), 2, &["no/such/folder", "4.4.0"]);
    ends(kconform(&["conform", "--target", "no-such-file.toml"]), 2, &["no-such-file.toml"]);
}

#[test]
fn a_target_file_that_names_what_is_unknown_is_named_with_key_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("target.toml");
    for (more, says) in [
        ("reference = \"4.9\"\n", ["target.reference", "Apache Kafka 4.9", "there are 3.7"]),
        (
            "[capabilities]\nshapes = [\"small-request\"]\n",
            ["capabilities.shapes", "`small-request`", "small-requests"],
        ),
    ] {
        std::fs::write(&file, format!("[target]\nbootstrap = \"127.0.0.1:1\"\n{more}")).unwrap();
        let result = kconform(&["conform", "--target", file.to_str().unwrap()]);
        ends(result, 2, &[&["target.toml"][..], &says[..]].concat());
    }
}

#[test]
fn a_malformed_target_file_is_named_with_line_key_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("target.toml");
    std::fs::write(&file, "[target]\nbootstrap = \"127.0.0.1:9092\"\nbotstrap = 1\n").unwrap();
    ends(
        kconform(&["conform", "--target", file.to_str().unwrap()]),
        2,
        &["target.toml", "3", "botstrap"],
    );
}

#[test]
fn wrong_credentials() {
    // The scripted broker knows no SASL: the handshake is what fails.
    let broker = ScriptedBroker::honest();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kconform"));
    command
        .args(["conform", "--plain", "--no-results", "--bootstrap", &broker.address()])
        .args([
            "--security-protocol",
            "SASL_PLAINTEXT",
            "--sasl-mechanism",
            "PLAIN",
            "--user",
            "alice",
        ])
        .env("KCONFORM_PASSWORD", "a-secret-nobody-must-see");
    let (code, text) = output(&mut command);
    assert!(!text.contains("a-secret-nobody-must-see"));
    ends((code, text), 3, &["not authenticated"]);
}

#[test]
fn results_are_written_and_can_be_rendered_again() {
    let broker = ScriptedBroker::honest();
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results");
    let (results, address) = (results.to_str().unwrap(), broker.address());
    let run =
        [&["conform", "--plain", "--results", results, "--bootstrap", &address], ONE_CASE].concat();
    ends(kconform(&run), 0, &["Results in"]);
    for file in ["records.jsonl", "manifest.json", "junit.xml", "report.md"] {
        assert!(Path::new(results).join(file).metadata().unwrap().len() > 0, "{file}");
    }
    let read = kconform_report::read_run(Path::new(results)).unwrap();
    assert_eq!((read.records.len(), read.manifest.exit_code), (1, Some(0)));
    ends(kconform(&["report", results]), 0, &["1 passed"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_no_verdict() {
    let broker = ScriptedBroker::honest();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("records.jsonl")).unwrap();
    let (results, address) = (folder.path().to_str().unwrap(), broker.address());
    let run =
        [&["conform", "--plain", "--results", results, "--bootstrap", &address], ONE_CASE].concat();
    ends(kconform(&run), 0, &["cannot be written any more", "1 passed"]);
}

#[test]
fn a_broker_that_dies_for_good() {
    let script = Script::always(METADATA, Lie::Die(Duration::from_secs(600))).at(5);
    let broker = ScriptedBroker::lying(script);
    let result =
        conform(&broker.address(), &["--id", "WIRE-002", "--target-wait", "1", "--jobs", "1"]);
    ends(result, 3, &["the target is lost", "did not come back"]);
}

#[test]
fn a_broker_that_is_restarted_each_time_it_dies_is_told_from_its_killer() {
    let script = Script::always(METADATA, Lie::Die(Duration::from_millis(300))).at(5);
    let broker = ScriptedBroker::lying(script);
    let result =
        conform(&broker.address(), &["--id", "WIRE-002", "--allow-disruptive", "--jobs", "2"]);
    ends(result, 1, &["the target is back", "to survive this case"]);
}

#[test]
fn the_list_needs_no_target_and_is_json_when_asked() {
    let (code, text) = kconform(&["conform", "--list", "--format", "json"]);
    assert_eq!(code, Some(0));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(text.contains("INITPID-010"));
    assert!(value.is_object() || value.is_array());
}

#[test]
fn a_replay_is_labelled_and_claims_no_target() {
    let result = kconform(&["conform", "--replay", "4.4", "--no-results", "--plain"]);
    ends(
        result,
        0,
        &["Replayed from a recording of Apache Kafka 4.4.0", "no live target was contacted"],
    );
}

#[test]
fn without_java_the_recording_is_shown_and_nothing_is_claimed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kconform"));
    command
        .args(["conform", "--no-results", "--plain"])
        .env("PATH", "/nonexistent")
        .env_remove("JAVA_HOME");
    ends(output(&mut command), 4, &["openjdk-17-jre-headless", "Replayed from a recording"]);
}

#[test]
fn a_recording_that_drifts_is_a_defect_of_ours() {
    let broker = ScriptedBroker::honest();
    let folder = tempfile::tempdir().unwrap();
    let (record, address) = (folder.path().to_str().unwrap(), broker.address());
    let run = [
        &["conform", "--plain", "--no-results", "--record", record, "--bootstrap", &address],
        ONE_CASE,
    ]
    .concat();
    ends(kconform(&run), 0, &["1 cases recorded"]);
    ends(kconform(&["conform", "--plain", "--no-results", "--replay", record]), 0, &["1 passed"]);

    let (head, mut cases) =
        kconform_harness::recording::read_folder(folder.path()).unwrap().remove(0);
    cases[0].events.pop();
    kconform_harness::recording::write(folder.path(), None, &head, cases).unwrap();
    ends(
        kconform(&["conform", "--plain", "--no-results", "--replay", record]),
        5,
        &["drift at event"],
    );
}

#[test]
fn what_a_killed_run_left_is_cleaned() {
    let broker = ScriptedBroker::honest();
    let (code, text) = kconform(&["clean", "--bootstrap", &broker.address(), "--all"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn versions_are_shown_beside_the_nearest_release() {
    let broker = ScriptedBroker::honest();
    ends(
        kconform(&["apis", "--bootstrap", &broker.address()]),
        0,
        &["Produce", "3", "11", "Apache Kafka"],
    );
    let address = broker.address();
    ends(
        kconform(&["diff", "--source", &address, "--target", &address]),
        0,
        &["negotiates the same versions"],
    );
}

#[test]
fn every_help_text_explains_itself() {
    for command in ["conform", "apis", "diff", "broker", "clean", "report", "list"] {
        let (code, text) = kconform(&[command, "--help"]);
        assert_eq!(code, Some(0), "{command}: {text}");
        assert!(text.contains("Usage:") && text.len() > 300, "{command}: {text}");
    }
}
