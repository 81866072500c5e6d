//! Ways in that do not work: told before a case runs, and never as findings about the target.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use kconform_tests::ScriptedBroker;

use super::{ONE_CASE, conform, ends, kconform};

const SECRET: &str = "a-secret-nobody-must-see";

/// A target file for a bootstrap address, and the command that uses it.
fn target(folder: &tempfile::TempDir, address: &str, rest: &str) -> PathBuf {
    let file = folder.path().join("target.toml");
    std::fs::write(&file, format!("[target]\nbootstrap = \"{address}\"\n{rest}")).unwrap();
    file
}

fn conform_with(rest: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let (broker, folder) = (ScriptedBroker::honest(), tempfile::tempdir().unwrap());
    let file = target(&folder, &broker.address(), rest);
    let target = ["conform", "--plain", "--no-results", "--target", file.to_str().unwrap()];
    let (code, text) = kconform(&[&target[..], ONE_CASE, arguments].concat());
    assert!(!text.contains(SECRET), "{text}");
    (code, text)
}

fn user(mechanisms: &str, password: &str) -> String {
    format!(
        "[users.unprivileged]\nname = \"alice\"\npassword = \"{password}\"\npublic = true\nmechanisms = [{mechanisms}]\n"
    )
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_listener_at_which_nobody_listens() {
    let address = free();
    let result = conform_with(&format!("[listeners.plaintext]\naddress = \"{address}\"\n"), &[]);
    ends(result, 3, &["target.toml: listeners.plaintext", &address, "no TCP connection"]);
}

#[test]
fn a_listener_that_is_of_another_kind() {
    let (open, closed) = (ScriptedBroker::honest(), ScriptedBroker::wanting_login("alice", SECRET));
    for (kind, address, why) in [
        ("sasl_plaintext", open.address(), "SaslHandshake: the connection is closed"),
        ("ssl", open.address(), "no TLS session"),
        ("plaintext", closed.address(), "a listener that wants a login does so"),
    ] {
        let rest = format!("[listeners.{kind}]\naddress = \"{address}\"\n");
        let key = format!("target.toml: listeners.{kind}");
        let (code, text) = conform_with(&rest, &[]);
        assert!(!text.contains("passed"), "a case ran:\n{text}");
        ends((code, text), 2, &[&key, &address, why, "address must be that of"]);
    }
}

#[test]
fn users_log_in_before_the_run_and_what_is_wrong_with_one_is_said() {
    let broker = ScriptedBroker::wanting_login("alice", SECRET);
    let listener = format!("[listeners.sasl_plaintext]\naddress = \"{}\"\n", broker.address());
    let with = |user: String| conform_with(&format!("{listener}{user}"), &[]);
    ends(with(user("\"PLAIN\"", SECRET)), 0, &["1 passed"]);
    ends(
        with(user("\"PLAIN\"", "another-secret")),
        2,
        &[
            "target.toml: users.unprivileged: alice cannot log in with PLAIN",
            "***",
            "password_file",
        ],
    );
    ends(
        with(user("\"PLAIN\", \"SCRAM-SHA-256\"", SECRET)),
        2,
        &[
            "users.unprivileged.mechanisms: the target does not enable SCRAM-SHA-256",
            "enabled are PLAIN",
        ],
    );
}

#[test]
fn a_refused_login_of_our_own_is_no_absent_target() {
    let (broker, folder) =
        (ScriptedBroker::wanting_login("alice", SECRET), tempfile::tempdir().unwrap());
    let file = folder.path().join("password");
    std::fs::write(&file, "another-secret").unwrap();
    let login = |mechanism| {
        let flags = ["--security-protocol", "SASL_PLAINTEXT", "--sasl-mechanism", mechanism];
        let user = ["--user", "alice", "--password-file", file.to_str().unwrap()];
        // Waiting would not help.
        let wait = ["--target-wait", "600"];
        let (code, text) = conform(&broker.address(), &[&flags[..], &user, &wait].concat());
        assert!(!text.contains("another-secret"), "{text}");
        (code, text)
    };
    let remedy = "must be those of a user of the target";
    ends(login("PLAIN"), 2, &["the login is refused", "SASL_AUTHENTICATION_FAILED", remedy]);
    ends(login("SCRAM-SHA-256"), 2, &["does not enable SCRAM-SHA-256", remedy]);
}

#[test]
fn a_listener_that_comes_up_later_is_waited_for() {
    let (address, broker) = (free(), ScriptedBroker::honest());
    let (late, behind) = (address.clone(), broker.address());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(900));
        for stream in TcpListener::bind(late).unwrap().incoming() {
            pass_on(stream.unwrap(), TcpStream::connect(&behind).unwrap());
        }
    });
    let rest = format!("[listeners.plaintext]\naddress = \"{address}\"\n");
    let result = conform_with(&rest, &["--target-wait", "20"]);
    ends(result, 0, &["waiting for it (--target-wait)", "1 passed"]);
}

fn pass_on(one: TcpStream, other: TcpStream) {
    for (mut from, mut to) in [(one.try_clone().unwrap(), other.try_clone().unwrap()), (other, one)]
    {
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
