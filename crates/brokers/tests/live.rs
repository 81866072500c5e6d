//! Real brokers: started, disturbed, stopped.
//!
//! Without Java (or, the first time, Maven) these tests say why they did nothing; with
//! `KCONFORM_DEMAND_LIVE=1` that is a failure.

#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kconform_brokers::{
    Cluster, NodeError, Release, Shape, StartCause, check_name, end_node, list, prerequisites_for,
    restart_node, stop,
};

mod dialogue;

use dialogue::{Login, brokers_at, brokers_over_tls, call, connect, log_in};

/// Whether brokers can be run here; prints why not.
fn can_run(releases: &[Release]) -> bool {
    match prerequisites_for(releases) {
        Ok(()) => true,
        Err(missing) => {
            assert!(
                env::var_os("KCONFORM_DEMAND_LIVE").is_none_or(|value| value != "1"),
                "{missing}"
            );
            println!("skipped: {missing}");
            false
        }
    }
}

fn start(shape: &Shape) -> Cluster {
    Cluster::start(shape, &mut |step| println!("{step}")).unwrap_or_else(|error| panic!("{error}"))
}

/// Asks until it is so, for as long as a loaded machine may need.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Whether a process runs whose command line names the directory.
fn runs(pid: u32, dir: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*dir.to_string_lossy())
}

/// The directory of a cluster, which holds its certificates.
fn home(cluster: &Cluster) -> PathBuf {
    cluster.certificates().ca.ancestors().nth(2).unwrap().to_owned()
}

#[test]
fn one_node_serves_every_listener_and_leaves_nothing_behind() {
    if !can_run(&[Release::newest()]) {
        return;
    }
    let cluster = start(&Shape::one(Release::newest()));
    let listeners = cluster.listeners().clone();
    let certificates = cluster.certificates().clone();
    assert_eq!(cluster.bootstrap(), listeners.plaintext);
    assert_eq!(brokers_at(&listeners.plaintext).unwrap(), 1);
    assert_eq!(brokers_at(listeners.limited.as_ref().unwrap()).unwrap(), 1);

    for endpoint in [&listeners.sasl_plaintext, &listeners.reauth] {
        let endpoint = endpoint.as_ref().unwrap();
        assert_eq!(log_in(endpoint, "alice", "alice-secret").unwrap(), Login::Accepted);
        assert_eq!(log_in(endpoint, "alice", "wrong").unwrap(), Login::Refused);
    }
    let ca = &certificates.ca;
    assert_eq!(brokers_over_tls(listeners.ssl.as_ref().unwrap(), ca, None).unwrap(), 1);
    let mtls = listeners.mtls.as_ref().unwrap();
    let client = Some((certificates.client.as_path(), certificates.client_key.as_path()));
    assert_eq!(brokers_over_tls(mtls, ca, client).unwrap(), 1);
    assert!(brokers_over_tls(mtls, ca, None).is_err(), "a client without certificate got in");

    let pids = cluster.pids();
    assert_eq!(
        (pids.len(), cluster.pid(1), cluster.pid(2), cluster.pid(0)),
        (1, Some(pids[0]), None, None)
    );
    assert!(cluster.log_tail(1, 500).iter().any(|line| line.contains("Kafka Server started")));
    let kept = tempfile::tempdir().unwrap();
    assert_eq!(cluster.keep_logs(&kept.path().join("logs")).unwrap().len(), 3);
    assert!(
        fs::read_to_string(kept.path().join("logs/node-1.properties"))
            .unwrap()
            .contains("StandardAuthorizer")
    );

    // Somebody takes the port while the node is down: it tries again until it has it back.
    cluster.stop(1).unwrap();
    let thief = TcpListener::bind(&listeners.plaintext).unwrap();
    thread::scope(|scope| {
        let back = scope.spawn(|| cluster.restart(1));
        until("the port is missed", || {
            cluster.log_tail(1, 5000).join("\n").contains("Address already in use")
        });
        drop(thief);
        back.join().unwrap().unwrap();
    });
    assert_eq!(brokers_at(&listeners.plaintext).unwrap(), 1);

    let (pids, dir) = (cluster.pids(), home(&cluster));
    assert!(runs(pids[0], &dir) && dir.exists());
    drop(cluster);
    assert!(!runs(pids[0], &dir) && !dir.exists());
    assert!(brokers_at(&listeners.plaintext).is_err());
}

#[test]
fn two_releases_start_side_by_side() {
    let old = Release::parse("3.9").unwrap();
    if !can_run(&[old, Release::newest()]) {
        return;
    }
    let shapes = [
        Shape::one(old).without_authorizer(),
        Shape::one(Release::newest()).with_apache_defaults(),
    ];
    let mut steps = Vec::new();
    let clusters = Cluster::start_all(&shapes, &mut |step| steps.push(step.to_owned())).unwrap();
    assert_eq!(clusters.iter().map(Cluster::release).collect::<Vec<_>>(), [old, Release::newest()]);
    for cluster in &clusters {
        assert_eq!(brokers_at(&cluster.bootstrap()).unwrap(), 1);
        assert!(
            steps.iter().any(|step| step.ends_with(&format!("at {}", cluster.bootstrap()))),
            "{steps:?}"
        );
    }
    // DescribeAcls for everything: 54 is SECURITY_DISABLED, which is to say that there is no
    // authorizer.
    let mut stream = connect(&clusters[0].bootstrap()).unwrap();
    let filter = [1, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff, 1, 1];
    let answer = call(&mut stream, 29, 1, &filter).unwrap();
    assert_eq!(answer[8..10], [0, 54]);
    // Nothing was said about group protocols, and Apache's default in 3.x is the classic one alone.
    let logged = clusters[0].log_tail(1, 5000).join("\n");
    assert!(logged.contains("group.coordinator.rebalance.protocols = [classic]"));
}

#[test]
fn three_nodes_can_be_killed_stopped_paused_and_restarted() {
    if !can_run(&[Release::newest()]) {
        return;
    }
    let cluster = start(&Shape::three(Release::newest()));
    let endpoints = cluster.endpoints();
    assert_eq!((cluster.nodes(), endpoints.len(), cluster.pids().len()), (3, 3, 3));
    for endpoint in &endpoints {
        assert_eq!(brokers_at(endpoint).unwrap(), 3);
    }
    let before = cluster.pid(3).unwrap();
    cluster.kill(3).unwrap();
    assert!(brokers_at(&endpoints[2]).is_err());
    assert!(matches!(cluster.kill(3), Err(NodeError::NotRunning { node: 3 })));
    assert!(matches!(cluster.pause(4), Err(NodeError::NoSuchNode { asked: 4, nodes: 3 })));
    until("the others miss the third", || brokers_at(&endpoints[0]).is_ok_and(|count| count == 2));
    cluster.restart(3).unwrap();
    assert_ne!(cluster.pid(3).unwrap(), before);
    until("all three are listed again", || brokers_at(&endpoints[0]).is_ok_and(|count| count == 3));

    cluster.pause(2).unwrap();
    let error = brokers_at(&endpoints[1]).unwrap_err();
    assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
    cluster.resume(2).unwrap();
    until("the second answers again", || brokers_at(&endpoints[1]).is_ok_and(|count| count == 3));

    // A paused node is stopped in good order too, and one that runs is stopped before it is
    // restarted.
    cluster.pause(1).unwrap();
    cluster.stop(1).unwrap();
    assert_eq!(cluster.pids().len(), 2);
    cluster.restart(1).unwrap();
    let before = cluster.pid(1).unwrap();
    cluster.restart(1).unwrap();
    assert_ne!(cluster.pid(1).unwrap(), before);
    until("the second lists all three", || brokers_at(&endpoints[1]).is_ok_and(|count| count == 3));

    let handle = cluster.stop_handle();
    thread::spawn(move || handle.stop()).join().unwrap();
    assert!(cluster.pids().is_empty());
    assert!(
        matches!(cluster.restart(1), Err(NodeError::Restart(_))),
        "a stopped cluster came back"
    );
}

#[test]
fn a_broker_that_cannot_start_says_why() {
    if !can_run(&[Release::newest()]) {
        return;
    }
    let shape = Shape::one(Release::newest())
        .with_setting("listener.name.sasl_ssl.oauthbearer.sasl.jaas.config", "no.such.Module");
    let error = Cluster::start(&shape, &mut |_| {}).unwrap_err();
    assert_eq!(error.cause(), StartCause::Ended, "{error}");
    let text = error.to_string();
    assert!(text.contains("Login module control flag not specified"), "{text}");
    assert!(text.contains("sasl_ssl.oauthbearer.sasl.jaas.config=no.such.Module"), "{text}");
    let five = Shape { nodes: 5, ..Shape::three(Release::newest()) };
    assert_eq!(Cluster::start(&five, &mut |_| {}).unwrap_err().cause(), StartCause::Shape);
}

/// One of the ignored tests below in a process of its own, and what it told.
struct InChild {
    child: Child,
    told: String,
    /// Held open: a test process that cannot print fails.
    _output: BufReader<ChildStdout>,
}

fn in_a_child(test: &str, name: &str) -> InChild {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", test])
        .env("KCONFORM_TEST_NAME", name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let told = output
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("TELLS ").map(str::to_owned));
    InChild { child, told: told.unwrap(), _output: output }
}

#[test]
fn a_killed_run_leaves_no_broker_behind() {
    if !can_run(&[Release::newest()]) {
        return;
    }
    let mut run = in_a_child("child_with_a_cluster", "");
    let (pid, dir) = run.told.split_once(' ').unwrap();
    let (pid, dir) = (pid.parse().unwrap(), PathBuf::from(dir));
    assert!(runs(pid, &dir));
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    until("the broker is gone", || !runs(pid, &dir));
    until("the data is gone", || !dir.exists());
}

#[test]
#[ignore = "run by another test, in a process that is killed"]
fn child_with_a_cluster() {
    let cluster = start(&Shape::one(Release::newest()));
    println!("\nTELLS {} {}", cluster.pids()[0], home(&cluster).display());
    // Longer than the parent lives; a parent that died must not leave this running for ever.
    thread::sleep(Duration::from_secs(120));
}

#[test]
fn a_detached_broker_outlives_its_starter_until_it_is_stopped_by_name() {
    if !can_run(&[Release::newest()]) {
        return;
    }
    let name = format!("live-test-{}", std::process::id());
    let mut run = in_a_child("child_that_detaches", &name);
    let bootstrap = run.told.clone();
    let ended_well = run.child.wait().unwrap().success();
    let found = list().into_iter().find(|running| running.name == name).unwrap();
    let outlived = brokers_at(&bootstrap);
    let name_is_free = check_name(&name).is_ok();
    let no_such_node = end_node(&name, 2, false);
    let killed = end_node(&name, 1, false).map(|()| brokers_at(&bootstrap).is_err());
    let killed_twice = end_node(&name, 1, false);
    let restarted = restart_node(&name, 1).map(|()| brokers_at(&bootstrap).ok());
    let again = list().into_iter().find(|running| running.name == name).unwrap();
    // Stopped before anything is asserted, so that a failure leaves nothing behind.
    let stopped = stop(&name).unwrap();
    assert!(ended_well);
    assert_eq!(outlived.unwrap(), 1);
    assert!(found.alive && !name_is_free);
    assert_eq!((&found.bootstrap, found.release, found.nodes), (&bootstrap, Release::newest(), 1));
    assert!(no_such_node.unwrap_err().to_string().contains("no node 2"));
    assert!(killed.unwrap() && killed_twice.is_err());
    assert_eq!(restarted.unwrap(), Some(1));
    assert!(again.alive && again.pids != found.pids);
    assert_eq!(stopped, again);
    assert!(brokers_at(&bootstrap).is_err());
    assert!(!found.dir.exists() && !runs(again.pids[0], &found.dir));
    assert!(stop(&name).is_err());
}

#[test]
#[ignore = "run by another test, in a process that ends before its broker"]
fn child_that_detaches() {
    let running = start(&Shape::one(Release::newest()))
        .detach(&env::var("KCONFORM_TEST_NAME").unwrap())
        .unwrap();
    println!("\nTELLS {}", running.bootstrap);
}
