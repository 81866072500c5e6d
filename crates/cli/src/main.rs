//! The kconform command.

// Until the command calls it.
#[allow(dead_code)]
mod dev;

use std::sync::Arc;

use kconform_harness::{Options, Row, Suite, Target, Watch, plan};
use kconform_report::{Level, Record, Verdict};
use kconform_scenario::wire::Dial;

struct Print;
impl Watch for Print {
    fn ended(&self, record: &Record) {
        if !matches!(record.verdict, Verdict::Passed | Verdict::Unsupported) {
            eprintln!("{}", kconform_report::console_finding(record, false));
        }
        if let kconform_report::Replay::Unstable(how) = &record.replay {
            eprintln!("UNSTABLE {}: {how}", record.name);
        }
    }
    fn told(&self, line: &str) {
        eprintln!("{line}");
    }
}

fn own_broker(target: &mut Target, word: &dyn Fn(&str, usize) -> Option<String>) {
    use kconform_scenario::wire::{Tls, tls};
    use kconform_scenario::{Listener, Role, User};
    let all = [
        Listener::SaslPlaintext,
        Listener::Ssl,
        Listener::SaslSsl,
        Listener::Mtls,
        Listener::Reauth,
        Listener::Limited,
    ];
    for listener in all {
        let Some(address) = word(&format!("{} ", listener.name()), 1) else { continue };
        let (host, port) = address.split_once(':').expect("host:port");
        let mut dial = Dial::plain(host, port.parse().expect("port"));
        if matches!(listener, Listener::Ssl | Listener::SaslSsl | Listener::Mtls) {
            let options = tls::TlsOptions {
                ca_pem: word("ca ", 1).map(|path| tls::Pem::File(path.into())),
                ..tls::TlsOptions::default()
            };
            dial.tls =
                Some(Tls { config: tls::client_config(&options).expect("tls"), server_name: None });
        }
        target.listeners.insert(listener, dial);
    }
    if target.listeners.is_empty() {
        return;
    }
    for (role, name, scram) in [
        (Role::Super, "admin", false),
        (Role::Unprivileged, "alice", true),
        (Role::SecondUnprivileged, "bob", true),
    ] {
        let mut mechanisms = vec!["PLAIN".to_owned()];
        if scram {
            mechanisms.extend(["SCRAM-SHA-256".to_owned(), "SCRAM-SHA-512".to_owned()]);
        }
        let user = User {
            name: name.to_owned(),
            password: format!("{name}-secret"),
            public: true,
            mechanisms,
        };
        target.users.insert(role, user);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let log = std::fs::read_to_string(&args[0]).expect("the output of the start example");
    let word = |name: &str, at: usize| {
        let line = log.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(at)).map(str::to_owned)
    };
    let bootstrap = word("bootstrap", 1).expect("a bootstrap line");
    let (host, port) = bootstrap.split_once(':').expect("host:port");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut target = Target {
        disruptive: true,
        ..Target::at(vec![Dial::plain(host, port.parse().expect("port"))])
    };
    own_broker(&mut target, &word);
    let suite = Suite {
        scenarios: conformance::scenarios(),
        row: |id| {
            conformance::catalogue::requirement(id).map(|row| Row {
                level: match row.level {
                    conformance::catalogue::Level::Must => Level::Must,
                    conformance::catalogue::Level::Should => Level::Should,
                    conformance::catalogue::Level::Quirk => Level::Quirk,
                },
                text: row.text.clone(),
            })
        },
    };
    let probed = match runtime.block_on(kconform_harness::probe(&target)) {
        Ok(probed) => probed,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(3);
        }
    };
    eprintln!(
        "nearest Apache Kafka {}: {}; authorizer {:?}",
        probed.nearest.reference, probed.nearest.why, probed.facts.authorizer
    );
    let filter = plan::Filter { parts: args[1..].to_vec(), ..plan::Filter::default() };
    let cases = kconform_harness::wanted(&suite, &probed, &filter);
    let options = Options {
        filter,
        seed: None,
        repeat: 1,
        jobs: 16,
        fail_fast: false,
        again: "kconform".to_owned(),
        results: None,
        all_evidence: false,
        keep_events: false,
        run_id: format!("{:06x}", std::process::id()),
        target_wait: std::time::Duration::from_secs(30),
        convict: true,
        mimic: None,
    };
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let began = std::time::Instant::now();
    let done = kconform_harness::run(
        &suite,
        &probed,
        cases,
        options,
        runtime.handle(),
        Arc::new(Print),
        interrupted,
    );
    let counts = kconform_report::Counts::of(&done.records);
    println!("{counts:?} in {:?}; leftovers {:?}", began.elapsed(), done.leftovers);
}
