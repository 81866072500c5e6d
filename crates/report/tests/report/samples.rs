//! Hand-written records and manifests: one record per verdict, and the rarer shapes.

use std::collections::BTreeMap;

use kconform_report::*;
use serde_json::json;

/// A record of the given verdict with everything that a record of that verdict carries.
pub(crate) fn record(verdict: Verdict) -> Record {
    let mut record = Record {
        schema: SCHEMA_VERSION,
        name: "txn::init_producer_id::a_stale_epoch_is_fenced::v4".to_owned(),
        id: "INITPID-010".to_owned(),
        also: vec![],
        family: "txn".to_owned(),
        api_key: 22,
        api: "InitProducerId".to_owned(),
        version: 4,
        variant: None,
        level: Level::Must,
        requirement: "Once a newer epoch exists, an InitProducerId naming the older one is refused."
            .to_owned(),
        verdict,
        reason: None,
        finding: None,
        notes: vec![],
        started_us: 1_250_000,
        took_us: 41_300,
        replay: Replay::Same,
        refusal: None,
        location: "conformance/src/txn/init_producer_id.rs:21".to_owned(),
        again: "kconform conform --bootstrap 10.0.0.1:9092 --exact txn::init_producer_id::a_stale_epoch_is_fenced::v4".to_owned(),
        evidence: vec![],
    };
    match verdict {
        Verdict::Passed => {
            record.notes = vec!["Tag 7 is newer than the tables of this program.".to_owned()]
        }
        Verdict::Failed | Verdict::Known => {
            record.finding = Some(finding());
            record.evidence = evidence();
            if verdict == Verdict::Known {
                record.reason = Some("Epochs are not persisted; see https://example.org/issues/12 (expires 2027-01-31).".to_owned());
            }
        }
        Verdict::Blocked => {
            record.reason = Some(
                "FindCoordinator v6 answered COORDINATOR_NOT_AVAILABLE (15) for 30 s.".to_owned(),
            );
        }
        Verdict::Unsupported => {
            record.reason = Some("InitProducerId v4 is not advertised.".to_owned());
            record.refusal =
                Some("It answered UNSUPPORTED_VERSION (35) and went on serving.".to_owned());
        }
        Verdict::NotRun => {
            record.reason =
                Some("A second principal: pass --principal with its credentials.".to_owned());
            record.replay = Replay::NotTried;
        }
        Verdict::Fixed => {
            record.reason = Some(
                "The profile lists a deviation here that is gone; remove the entry.".to_owned(),
            );
        }
        Verdict::Error => {
            record.reason =
                Some("The field `epochs` was set but version 4 cannot carry it.".to_owned());
            record.replay = Replay::No("The nonce was chosen inside a library.".to_owned());
        }
    }
    record
}

/// A failed record at another level.
pub(crate) fn failed(level: Level) -> Record {
    Record { level, ..record(Verdict::Failed) }
}

/// A record that passed live and failed in its own replay.
pub(crate) fn unstable() -> Record {
    Record {
        replay: Replay::Unstable("passed live, failed replayed".to_owned()),
        ..record(Verdict::Passed)
    }
}

/// The record as a case of its own: another family, API, version and name.
pub(crate) fn moved(mut record: Record, family: &str, api: (i16, &str), version: i16) -> Record {
    record.name = format!("{family}::{}::it_answers::v{version}", api.1.to_lowercase());
    record.family = family.to_owned();
    (record.api_key, record.api) = (api.0, api.1.to_owned());
    record.version = version;
    record
}

fn finding() -> Finding {
    Finding {
        expected: "error_code = PRODUCER_FENCED (90)".to_owned(),
        got: "error_code = NONE (0), producer_id = 4001, producer_epoch = 2".to_owned(),
        asked: Some(
            "InitProducerId v4 -> broker 1 (10.0.0.1:9092), correlation 7, answered after 3 ms"
                .to_owned(),
        ),
        sent: Some("00 16 00 04 00 00 00 07 00 03 6b 63 66".to_owned()),
        received: Some("00 00 00 07 00 00 00 00 00 00 00".to_owned()),
        breach: None,
    }
}

fn evidence() -> Vec<Connection> {
    let event = |at_us, kind| Event { at_us, kind, ..Event::default() };
    vec![Connection {
        lane: 0,
        peer: "10.0.0.1:9092".to_owned(),
        events: vec![
            event(0, EventKind::Open),
            Event {
                api: Some("InitProducerId".to_owned()),
                version: Some(4),
                correlation: Some(7),
                bytes: Some("00 16 00 04 00 00 00 07".to_owned()),
                truncated: Some(13),
                ..event(210, EventKind::Send)
            },
            Event {
                api: Some("InitProducerId".to_owned()),
                version: Some(4),
                correlation: Some(7),
                bytes: Some("00 00 00 07 00 00 00 00 00 00 00".to_owned()),
                decoded: Some(json!({"error_code": 0, "producer_id": 4001})),
                ..event(3_400, EventKind::Frame)
            },
            Event { detail: Some("by the target".to_owned()), ..event(3_900, EventKind::Closed) },
        ],
    }]
}

/// A manifest of a live run, without counts and without an end.
pub(crate) fn manifest() -> Manifest {
    Manifest {
        schema: SCHEMA_VERSION,
        tool: "kconform 0.1.0".to_owned(),
        run_id: "k7f3a9".to_owned(),
        started: "2026-10-05T08:30:00Z".to_owned(),
        took_ms: 61_042,
        mode: Mode::Live,
        target: Target {
            bootstrap: "10.0.0.1:9092".to_owned(),
            cluster_id: Some("5L6g3nShT-eMCtK--X86sw".to_owned()),
            brokers: vec![
                Broker {
                    id: 1,
                    host: "10.0.0.1".to_owned(),
                    port: 9092,
                    rack: Some("a".to_owned()),
                },
                Broker { id: 2, host: "10.0.0.2".to_owned(), port: 9092, rack: None },
            ],
            nearest: "Apache Kafka 4.1".to_owned(),
            why: "all 68 advertised ranges agree".to_owned(),
            features: BTreeMap::from([("transaction.version".to_owned(), "2".to_owned())]),
            authorizer: Some(true),
        },
        reference: "4.1".to_owned(),
        selection: vec!["--family".to_owned(), "txn".to_owned()],
        seed: Some(42),
        planned: 1,
        counts: Counts::default(),
        exit_code: None,
        apis: vec![
            ApiRow {
                key: 22,
                name: "InitProducerId".to_owned(),
                target: Some((0, 4)),
                apache: Some((0, 5)),
                cases: Counts::default(),
            },
            ApiRow {
                key: 68,
                name: "ConsumerGroupHeartbeat".to_owned(),
                apache: Some((0, 1)),
                ..ApiRow::default()
            },
        ],
        leftovers: vec![],
    }
}

/// The mode of a replayed run.
pub(crate) fn recording() -> Mode {
    Mode::Replayed { release: "4.1.0".to_owned(), recorded: "2026-09-30".to_owned() }
}

/// A run that ended with these records: counted, and with the exit code that follows from them.
pub(crate) fn run(mode: Mode, records: Vec<Record>) -> Run {
    let mut manifest = Manifest { mode, planned: records.len(), ..manifest() };
    tally(&mut manifest, &records);
    manifest.exit_code = Some(exit_code(&records, &Circumstances::default()));
    Run::new(manifest, records)
}

/// A run in which everything happened.
pub(crate) fn mixed(mode: Mode) -> Run {
    let fetch = (1, "Fetch");
    let metadata = (3, "Metadata");
    let breach = Record {
        id: "FETCH-031".to_owned(),
        also: vec!["WIRE-002".to_owned(), "WIRE-003".to_owned()],
        variant: Some("gzip".to_owned()),
        finding: Some(Finding {
            expected: "every partition asked for\none result each".to_owned(),
            got: "a response that breaks its schema".to_owned(),
            breach: Some(
                "offset 27, responses[0].partitions: null where the schema allows none".to_owned(),
            ),
            ..Finding::default()
        }),
        ..failed(Level::Must)
    };
    let at = |verdict, version| moved(record(verdict), "fetch", fetch, version);
    let records = vec![
        record(Verdict::Passed),
        moved(record(Verdict::Unsupported), "txn", (22, "InitProducerId"), 5),
        Record {
            refusal: None,
            ..moved(record(Verdict::Unsupported), "groups", (68, "ConsumerGroupHeartbeat"), 1)
        },
        moved(breach.clone(), "fetch", fetch, 12),
        moved(breach, "fetch", fetch, 13),
        moved(Record { id: "FETCH-002".to_owned(), ..failed(Level::Should) }, "fetch", fetch, 11),
        at(Verdict::Passed, 4),
        at(Verdict::Passed, 5),
        at(Verdict::Passed, 7),
        at(Verdict::Blocked, 8),
        at(Verdict::NotRun, 9),
        at(Verdict::NotRun, 10),
        at(Verdict::Known, 14),
        at(Verdict::Fixed, 15),
        moved(
            Record { id: "META-009".to_owned(), ..failed(Level::Quirk) },
            "metadata",
            metadata,
            9,
        ),
        moved(record(Verdict::Passed), "metadata", metadata, 10),
    ];
    let live = mode == Mode::Live;
    let mut run = run(mode, records);
    if live {
        run.manifest.leftovers = vec!["topic kc-k7f3a9-fetch-3".to_owned()];
    }
    run
}
