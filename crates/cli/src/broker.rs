//! `kconform broker`: Apache Kafka that stays when the command ends.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kconform_brokers::{
    Certificates, Cluster, DetachError, Listeners, Running, check_name, prerequisites_for,
};
use kconform_report::CONFORMS;
use kconform_scenario::Listener;

use crate::args::{Broker, Format, OwnArgs};
use crate::own::{self, ways};
use crate::reach;
use crate::terminal::{print, tell};
use crate::trouble::Trouble;

/// The name of the target file in the directory of a cluster.
const TARGET_FILE: &str = "target.toml";

/// Runs the command; gives the exit code.
pub(crate) fn run(command: &Broker) -> Result<i32, Trouble> {
    match command {
        Broker::Start { name, own } => start(name, own),
        Broker::Stop { names } => stop(names),
        Broker::Kill { name, node, orderly } => {
            node_acts(|| kconform_brokers::end_node(name, *node, *orderly))
        }
        Broker::Restart { name, node } => node_acts(|| kconform_brokers::restart_node(name, *node)),
        Broker::List { format } => list(*format),
    }
}

fn start(name: &str, args: &OwnArgs) -> Result<i32, Trouble> {
    check_name(name).map_err(|error| Trouble::Usage(error.to_string()))?;
    prerequisites_for(&[args.release()])
        .map_err(|missing| Trouble::Unreachable(missing.to_string()))?;
    let cluster = Cluster::start(&own::shape(args), &mut |step| tell(step))
        .map_err(|error| Trouble::Unreachable(error.to_string()))?;
    let running = cluster.detach(name).map_err(|error| Trouble::Unreachable(error.to_string()))?;
    let file = running.dir.join(TARGET_FILE);
    let text =
        target_file(&running.endpoints, &running.listeners, &running.certificates) + &hooks(name);
    let written = std::fs::write(&file, text);
    print(&described(&running));
    match written {
        Ok(()) => print(&format!(
            "  target file     {0}\n\nJudge it with `{1} conform --target {0}`, stop it with `{1} broker stop {name}`.\n",
            file.display(),
            crate::again::called()
        )),
        Err(error) => tell(&format!("the target file cannot be written: {error}")),
    }
    Ok(CONFORMS)
}

fn node_acts(act: impl FnOnce() -> Result<(), DetachError>) -> Result<i32, Trouble> {
    match act() {
        Ok(()) => Ok(CONFORMS),
        Err(error @ DetachError::Unknown { .. }) => Err(Trouble::Usage(error.to_string())),
        Err(error) => Err(Trouble::Unreachable(error.to_string())),
    }
}

fn stop(names: &[String]) -> Result<i32, Trouble> {
    for name in names {
        let running =
            kconform_brokers::stop(name).map_err(|error| Trouble::Usage(error.to_string()))?;
        print(&format!("{name} (Apache Kafka {}) is stopped, its data removed\n", running.release));
    }
    Ok(CONFORMS)
}

fn list(format: Format) -> Result<i32, Trouble> {
    let all = kconform_brokers::list();
    print(&match format {
        Format::Json => reach::json(&all)?,
        Format::Text if all.is_empty() => {
            "No broker is running; `kconform broker start` starts one.\n".to_owned()
        }
        Format::Text => all
            .iter()
            .map(|running| {
                let file = target_file_of(running);
                let file = file.map_or_else(String::new, |file| {
                    format!("  target file     {}\n", file.display())
                });
                described(running) + &file
            })
            .collect(),
    });
    Ok(CONFORMS)
}

fn target_file_of(running: &Running) -> Option<PathBuf> {
    let file = running.dir.join(TARGET_FILE);
    file.is_file().then_some(file)
}

fn described(running: &Running) -> String {
    let nodes =
        if running.nodes == 1 { "one node".to_owned() } else { format!("{} nodes", running.nodes) };
    let state = if running.alive { "" } else { ", not running any more" };
    let mut text = format!("{}: Apache Kafka {}, {nodes}{state}\n", running.name, running.release);
    let _ = writeln!(text, "  bootstrap       {}", running.endpoints.join(","));
    for (listener, address) in ways(&running.listeners) {
        if listener != Listener::Plaintext {
            let _ = writeln!(text, "  {:<15} {address}", listener.name());
        }
    }
    text
}

/// A target file with every listener and user. The passwords are everybody's: the brokers are for tests and listen on this
/// machine alone.
fn target_file(endpoints: &[String], listeners: &Listeners, certificates: &Certificates) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let mut text = format!(
        "# A broker that `kconform broker start` started.\n[target]\nbootstrap = {}\ndisruptive = true\n",
        quoted(&endpoints.join(","))
    );
    for (listener, address) in ways(listeners) {
        let _ = write!(text, "\n[listeners.{}]\naddress = {}\n", listener.name(), quoted(address));
        if matches!(listener, Listener::Ssl | Listener::SaslSsl | Listener::Mtls) {
            let _ = writeln!(text, "ca = {}", path(&certificates.ca));
        }
        if listener == Listener::Mtls {
            let _ = writeln!(text, "cert = {}", path(&certificates.client));
            let _ = writeln!(text, "key = {}", path(&certificates.client_key));
        }
    }
    // Nobody can log in where there is no SASL listener.
    if listeners.sasl_plaintext.is_none() {
        return text;
    }
    for (role, user) in own::users() {
        let mechanisms: Vec<String> = user.mechanisms.iter().map(|name| quoted(name)).collect();
        let _ = write!(
            text,
            "\n[users.{}]\nname = {}\npassword = {}\npublic = true\nmechanisms = [{}]\n",
            role.name(),
            quoted(&user.name),
            quoted(&user.password),
            mechanisms.join(", ")
        );
    }
    text
}

/// The part of a target file that says how this program kills and starts the nodes of its cluster.
fn hooks(name: &str) -> String {
    let program = std::env::current_exe();
    let program =
        program.map_or_else(|_| "kconform".into(), |path| path.to_string_lossy().into_owned());
    let command = |verb: &str, flags: &[&str]| {
        let words = [&program, "broker", verb, name, "{broker}"];
        let words = words.into_iter().chain(flags.iter().copied());
        toml::Value::Array(words.map(|word| toml::Value::String(word.to_owned())).collect())
    };
    format!(
        "\n[hooks]\nkill = {}\nstop = {}\nstart = {}\n",
        command("kill", &[]),
        command("kill", &["--orderly"]),
        command("restart", &[])
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kconform_harness::settings::TargetFile;
    use kconform_scenario::Role;

    use super::*;

    #[test]
    fn the_target_file_reads_back_with_every_listener_and_user() {
        let address = |port: u16| Some(format!("localhost:{port}"));
        let listeners = Listeners {
            plaintext: "127.0.0.1:1".to_owned(),
            sasl_plaintext: address(2),
            ssl: address(3),
            sasl_ssl: address(4),
            mtls: address(5),
            reauth: address(6),
            limited: address(7),
        };
        let certificates = Certificates {
            ca: "/a b/ca.pem".into(),
            client: "/a b/c.pem".into(),
            client_key: "/a b/c.key".into(),
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = target_file(&["127.0.0.1:1".to_owned()], &listeners, &certificates);
        std::fs::write(file.path(), text + &hooks("mine")).unwrap();
        let read = TargetFile::read(file.path()).unwrap();
        assert_eq!(read.client.bootstrap[0].port, 1);
        assert_eq!(read.listeners.len(), 7);
        assert_eq!(read.disruptive, Some(true));
        assert!(read.listeners[&Listener::Mtls].1.tls.as_ref().unwrap().client_key_pem.is_some());
        assert_eq!(read.users.len(), 3);
        assert!(read.users[&Role::Super].public && read.users[&Role::Super].name == "admin");
        assert_eq!(read.users[&Role::SecondUnprivileged].name, "bob");
        let hooks = read.hooks.unwrap();
        assert_eq!(hooks.kill[1..], ["broker", "kill", "mine", "{broker}"]);
        assert_eq!(hooks.stop.last().unwrap(), "--orderly");
        assert_eq!(hooks.start[2], "restart");
    }

    #[test]
    fn a_cluster_without_logins_has_no_users() {
        let listeners = Listeners {
            plaintext: "127.0.0.1:1".to_owned(),
            sasl_plaintext: None,
            ssl: None,
            sasl_ssl: None,
            mtls: None,
            reauth: None,
            limited: None,
        };
        let certificates =
            Certificates { ca: "a".into(), client: "b".into(), client_key: "c".into() };
        let text = target_file(&["h:1".to_owned(), "h:2".to_owned()], &listeners, &certificates);
        assert!(text.contains("bootstrap = \"h:1,h:2\"") && !text.contains("[users"), "{text}");
    }
}
