//! Whole target files, good and bad.
#![allow(clippy::unwrap_used)]

use super::*;

const GOOD: &str = r#"
[target]
bootstrap = "a:1,b:2"
reference = "4.1"
disruptive = true

[listeners.sasl_plaintext]
address = "a:3"

[listeners.mtls]
address = "a:4"
tls = true
ca = "ca.pem"
cert = "/abs/client.pem"
key = "client.key"
server_name = "broker.example"
check_name = false

[users.unprivileged]
name = "alice"
password_env = "ALICE"
mechanisms = ["PLAIN", "SCRAM-SHA-256"]

[users.super]
name = "admin"
password = "known"
public = true
mechanisms = ["PLAIN"]

[capabilities]
shapes = ["small-messages"]

[limits]
jobs = 4
target_wait = 60

[hooks]
kill = ["ssh", "broker-{broker}", "power off kafka"]
stop = ["./stop.sh", "{broker}"]
start = ["/abs/start", "{broker}"]
"#;

fn read(text: &str) -> Result<TargetFile, SettingsError> {
    let variable = |name: &str| (name == "ALICE").then(|| "hush".to_owned());
    Reader { text, beside: Path::new("/etc/kc"), variable: &variable }.file()
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let file = read(GOOD).unwrap();
    assert_eq!(file.client.bootstrap.len(), 2);
    assert_eq!((file.reference, file.disruptive), (Some(Reference(4, 1)), Some(true)));
    let (address, way) = &file.listeners[&Listener::SaslPlaintext];
    assert_eq!((address.to_string().as_str(), way), ("a:3", &Way::default()));
    let (_, way) = &file.listeners[&Listener::Mtls];
    let tls = way.tls.as_ref().unwrap();
    assert_eq!(tls.ca_pem, Some(Pem::File("/etc/kc/ca.pem".into())));
    assert_eq!(tls.client_cert_pem, Some(Pem::File("/abs/client.pem".into())));
    assert_eq!(tls.server_name.as_deref(), Some("broker.example"));
    assert!(!tls.check_name && tls.verify);
    let alice = &file.users[&Role::Unprivileged];
    assert_eq!((alice.password.as_str(), alice.public), ("hush", false));
    assert_eq!(alice.mechanisms, ["PLAIN", "SCRAM-SHA-256"]);
    assert_eq!(file.users[&Role::Super].password, "known");
    assert_eq!(file.shapes, ["small-messages"]);
    assert_eq!((file.jobs, file.wait), (Some(4), Some(Duration::from_secs(60))));
    assert!(!format!("{file:?}").contains("hush"));
    let hooks = file.hooks.unwrap();
    assert_eq!(hooks.kill, ["ssh", "broker-{broker}", "power off kafka"]);
    assert_eq!(
        (hooks.stop[0].as_str(), hooks.start[0].as_str()),
        ("/etc/kc/./stop.sh", "/abs/start")
    );
}

#[test]
fn addresses_may_be_a_list() {
    let file = read("[target]\nbootstrap = [\"a:1\", \"[::1]:2\"]\n").unwrap();
    assert_eq!(file.client.bootstrap[1].to_string(), "[::1]:2");
}

/// What replaces what in the good file; line, key, and a part of what is told.
type Mistake = (&'static str, &'static str, usize, &'static str, &'static str);

#[test]
fn every_mistake_has_line_key_and_remedy() {
    let mistakes: &[Mistake] = &[
        ("bootstrap = \"a:1,b:2\"", "bootstrap = \"a\"", 3, "target.bootstrap", "port is missing"),
        ("bootstrap = \"a:1,b:2\"", "", 2, "target.bootstrap", "it is missing"),
        ("bootstrap = \"a:1,b:2\"", "bootstrap = []", 3, "target.bootstrap", "it is missing"),
        (
            "bootstrap = \"a:1,b:2\"",
            "bootstrap = 7",
            3,
            "target.bootstrap",
            "neither a text nor a list",
        ),
        ("bootstrap = \"a:1,b:2\"", "bootstrap = \"a:1", 3, "target.bootstrap", "TOML"),
        ("reference = \"4.1\"", "reference = \"new\"", 4, "target.reference", "4.1"),
        ("reference = \"4.1\"", "reference = 4.1", 4, "target.reference", "expected a string"),
        ("disruptive", "disruptiv", 5, "target.disruptiv", "unknown field"),
        ("disruptive = true", "disruptive = \"yes\"", 5, "target.disruptive", "expected a bool"),
        ("sasl_plaintext]", "sasl_plain]", 7, "listeners.sasl_plain", "sasl_plaintext"),
        ("\"a:3\"", "\"a:0\"", 8, "listeners.sasl_plaintext.address", "1 to 65535"),
        ("address = \"a:3\"", "", 7, "listeners.sasl_plaintext", "missing field `address`"),
        (
            "address = \"a:3\"",
            "address = \"a:3\"\ntls = true",
            9,
            "listeners.sasl_plaintext.tls",
            "no TLS",
        ),
        (
            "address = \"a:3\"",
            "address = \"a:3\"\nca = \"c\"",
            9,
            "listeners.sasl_plaintext",
            "leave ca",
        ),
        ("tls = true", "tls = false", 12, "listeners.mtls.tls", "speaks TLS"),
        ("cert = \"/abs/client.pem\"", "", 10, "listeners.mtls", "add cert and key"),
        ("server_name", "servername", 16, "listeners.mtls.servername", "unknown field"),
        ("users.unprivileged]", "users.alice]", 19, "users.alice", "second_unprivileged"),
        ("name = \"alice\"", "", 19, "users.unprivileged", "missing field `name`"),
        ("\"SCRAM-SHA-256\"", "\"SCRAM\"", 22, "users.unprivileged.mechanisms", "SCRAM-SHA-512"),
        ("[\"PLAIN\", \"SCRAM-SHA-256\"]", "[]", 22, "users.unprivileged.mechanisms", "empty"),
        ("\"ALICE\"", "\"BOB\"", 21, "users.unprivileged.password_env", "BOB is not set"),
        ("password_env = \"ALICE\"", "", 19, "users.unprivileged", "password is missing"),
        (
            "password_env = \"ALICE\"",
            "password_file = \"none\"",
            21,
            "users.unprivileged.password_file",
            "/etc/kc/none cannot be read",
        ),
        ("public = true", "public = false", 26, "users.super.password", "password_file"),
        (
            "public = true",
            "public = true\npassword_env = \"ALICE\"",
            24,
            "users.super",
            "more than once",
        ),
        ("shapes", "shape", 31, "capabilities.shape", "unknown field"),
        ("jobs = 4", "jobs = 0", 34, "limits.jobs", "1 or more"),
        ("target_wait = 60", "target_wait = -1", 35, "limits.target_wait", "invalid value"),
        ("[limits]", "[limit]", 33, "limit", "unknown field"),
        ("kill = [", "kil = [", 38, "hooks.kil", "unknown field"),
        ("stop = [\"./stop.sh\", \"{broker}\"]", "", 37, "hooks", "missing field `stop`"),
        ("[\"./stop.sh\", \"{broker}\"]", "\"./stop.sh {broker}\"", 39, "hooks.stop", "expected"),
        ("[\"./stop.sh\", \"{broker}\"]", "[]", 39, "hooks.stop", "list a program"),
        ("\"./stop.sh\"", "\"\"", 39, "hooks.stop", "no name"),
        ("\"/abs/start\", \"{broker}\"", "\"/abs/start\"", 40, "hooks.start", "write {broker}"),
    ];
    for (good, wrong, line, key, part) in mistakes {
        assert_eq!(GOOD.matches(good).count(), 1, "{good}");
        let error = read(&GOOD.replacen(good, wrong, 1)).expect_err(wrong);
        assert_eq!((error.line, error.key.as_str()), (Some(*line), *key), "{wrong}: {error}");
        let text = error.to_string();
        assert!(text.contains(part) && !error.remedy.is_empty(), "{wrong}: {text}");
        assert!(!text.contains("hush") && !text.contains("known\""), "{text}");
    }
}

#[test]
fn a_file_without_a_target_is_refused() {
    let error = read("").unwrap_err();
    assert!(error.to_string().contains("missing field `target`"), "{error}");
}

#[test]
fn a_command_config_is_looked_for_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target.toml");
    std::fs::write(folder.path().join("client.properties"), "bootstrap.servers=c:3\nacks=all\n")
        .unwrap();
    std::fs::write(folder.path().join("secret"), "hush\n").unwrap();
    std::fs::write(
        &path,
        "[target]\ncommand_config = \"client.properties\"\n[users.super]\nname = \"a\"\n\
         password_file = \"secret\"\nmechanisms = [\"PLAIN\"]\n",
    )
    .unwrap();
    let file = TargetFile::read(&path).unwrap();
    assert_eq!(file.client.bootstrap[0].to_string(), "c:3");
    assert_eq!(file.client.ignored.len(), 1);
    assert_eq!(file.users[&Role::Super].password, "hush");
    std::fs::write(folder.path().join("client.properties"), "security.protocol=x").unwrap();
    let error = TargetFile::read(&path).unwrap_err();
    assert!(error.file.unwrap().ends_with("client.properties"));
}
