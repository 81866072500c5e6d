//! The state directory, with processes that are no brokers.

#![allow(clippy::unwrap_used)]

use std::process::{Child, Stdio};

use super::*;

fn state() -> (tempfile::TempDir, State) {
    let dir = tempfile::tempdir().unwrap();
    let state = State { dir: dir.path().join("brokers") };
    (dir, state)
}

/// A process that is gone when the test is, whether it passes or not.
struct Fake {
    child: Child,
}

impl Fake {
    fn run(command: &mut Command) -> Fake {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Fake { child: command.spawn().unwrap() }
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.end();
    }
}

/// A cluster whose process is a shell that names its directory, as brokers do.
fn running(home: &Path, name: &str) -> (Running, Fake) {
    let dir = home.join(format!("{DIR_PREFIX}{name}"));
    fs::create_dir_all(&dir).unwrap();
    let broker =
        Fake::run(Command::new("sh").args(["-c", "while :; do sleep 1; done", "broker"]).arg(&dir));
    // For a moment after the spawn the new command line is not to be seen yet.
    while !command_line(broker.child.id()).unwrap().contains(&*dir.to_string_lossy()) {
        thread::yield_now();
    }
    let endpoint = || Some("localhost:1".to_owned());
    let running = Running {
        name: name.to_owned(),
        release: Release::newest(),
        nodes: 1,
        pids: vec![broker.child.id()],
        bootstrap: "127.0.0.1:1".to_owned(),
        endpoints: vec!["127.0.0.1:1".to_owned()],
        listeners: Listeners {
            plaintext: "127.0.0.1:1".to_owned(),
            sasl_plaintext: endpoint(),
            ssl: endpoint(),
            sasl_ssl: endpoint(),
            mtls: endpoint(),
            reauth: None,
            limited: None,
        },
        certificates: Certificates {
            ca: dir.join("ca"),
            client: dir.join("c"),
            client_key: dir.join("k"),
        },
        dir,
        alive: true,
    };
    (running, broker)
}

#[test]
fn what_is_remembered_is_listed_and_stopped_by_name() {
    let (home, state) = state();
    assert!(state.list().is_empty());
    let (one, mut broker) = running(home.path(), "one");
    state.remember(&one).unwrap();
    assert_eq!(state.list(), std::slice::from_ref(&one));
    let error = state.stop("two").unwrap_err();
    assert_eq!(error.to_string(), "no broker named `two`; there is: one");

    assert_eq!(state.stop("one").unwrap(), one);
    assert!(!broker.child.wait().unwrap().success());
    assert!(!one.dir.exists());
    assert_eq!(
        state.stop("one").unwrap_err().to_string(),
        "no broker named `one`: none is running"
    );
}

#[test]
fn a_living_name_is_taken_and_a_dead_one_is_not() {
    let (home, state) = state();
    let (one, mut broker) = running(home.path(), "one");
    state.remember(&one).unwrap();
    assert!(matches!(state.remember(&one), Err(DetachError::Taken { .. })));
    broker.end();
    assert!(!state.list()[0].alive);
    state.check_name("one").unwrap();
    let (again, _broker) = running(home.path(), "one");
    state.remember(&again).unwrap();
    state.stop("one").unwrap();
}

/// A process id that went to somebody else must not be killed.
#[test]
fn a_stranger_with_the_process_id_is_spared() {
    let (home, state) = state();
    let (mut one, mut broker) = running(home.path(), "one");
    broker.end();
    let mut stranger = Fake::run(Command::new("sleep").arg("300"));
    one.pids = vec![stranger.child.id()];
    state.remember(&one).unwrap();
    assert!(!state.list()[0].alive);
    state.stop("one").unwrap();
    assert!(stranger.runs());
}

/// The state file is only a file: a path in it that this crate does not make is not removed.
#[test]
fn a_foreign_directory_is_not_removed() {
    let (home, state) = state();
    let (mut one, mut broker) = running(home.path(), "one");
    broker.end();
    let precious = home.path().join("precious");
    fs::create_dir(&precious).unwrap();
    one.dir = precious.clone();
    state.remember(&one).unwrap();
    state.stop("one").unwrap();
    assert!(precious.exists());
}

#[test]
fn names_that_would_be_paths_are_refused() {
    let (_home, state) = state();
    let long = "x".repeat(65);
    for name in ["", ".", "..", ".hidden", "a/b", "a b", "ä", &long] {
        assert!(matches!(state.check_name(name), Err(DetachError::BadName { .. })), "{name}");
    }
    for name in ["a", "kafka-4.4", "B_1"] {
        state.check_name(name).unwrap();
    }
}

#[test]
fn an_unreadable_state_file_is_left_out() {
    let (home, state) = state();
    let (one, _broker) = running(home.path(), "one");
    state.remember(&one).unwrap();
    fs::write(state.file("broken"), "{").unwrap();
    fs::write(state.dir.join("notes.txt"), "x").unwrap();
    assert_eq!(state.list().len(), 1);
    state.stop("one").unwrap();
}
