//! What each flag changes.

use std::path::Path;
use std::process::Command;

use kconform_report::{Record, Run, Verdict, read_run};
use kconform_tests::{Lie, Script, ScriptedBroker};

use super::{CASE, METADATA, ONE_CASE, conform, ends, kconform, output};

/// Runs against this broker and reads the results.
fn results(address: &str, arguments: &[&str]) -> (Option<i32>, Run) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let run = ["conform", "--plain", "--bootstrap", address, "--results", path];
    let (code, _) = kconform(&[&run[..], arguments].concat());
    (code, read_run(Path::new(path)).unwrap())
}

fn names(run: &Run) -> Vec<&str> {
    run.records.iter().map(|record| record.name.as_str()).collect()
}

#[test]
fn parts_families_and_levels_choose_cases() {
    let listed = |arguments: &[&str]| {
        let (code, text) =
            kconform(&[&["conform", "--list", "--format", "json"][..], arguments].concat());
        assert_eq!(code, Some(0), "{text}");
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        list["cases"].as_array().unwrap().clone()
    };
    for (arguments, field, value) in [
        (["--family", "Metadata"], "family", "metadata"),
        (["--level", "should"], "level", "should"),
        (["--api", "fetch"], "api", "Fetch"),
        (["--id", "fetch-31"], "id", "FETCH-031"),
    ] {
        let cases = listed(&arguments);
        assert!(
            !cases.is_empty() && cases.iter().all(|case| case[field] == value),
            "{arguments:?}"
        );
    }
    let cases = listed(&["correlation_id_comes_back"]);
    let holds = |case: &serde_json::Value| {
        case["name"].as_str().unwrap().contains("correlation_id_comes_back")
    };
    assert!(!cases.is_empty() && cases.iter().all(holds));
}

#[test]
fn the_list_begins_with_its_summary() {
    let (_, text) = kconform(&["list", "--family", "metadata"]);
    let first = text.lines().next().unwrap();
    assert!(first.contains(" requirements in 1 family; ") && first.contains("--api"), "{first}");
}

#[test]
fn a_run_goes_by_its_id_and_is_done_as_often_as_asked() {
    let broker = ScriptedBroker::honest();
    let arguments = [ONE_CASE, &["--run-id", "by-hand", "--repeat", "2"][..]].concat();
    let (code, run) = results(&broker.address(), &arguments);
    assert_eq!((code, run.records.len(), run.manifest.run_id.as_str()), (Some(0), 2, "by-hand"));
    let result = conform(&broker.address(), &[ONE_CASE, &["--run-id", "by-hand"]].concat());
    ends(result, 0, &["Run by-hand. Target "]);
}

#[test]
fn a_seed_gives_the_order_and_one_job_a_case_at_a_time() {
    let broker = ScriptedBroker::honest();
    let run = |more: &[&str]| {
        let (code, run) =
            results(&broker.address(), &[&["--id", "WIRE-002", "--jobs", "1"][..], more].concat());
        assert_eq!(code, Some(0));
        run
    };
    let (plain, one, again) = (run(&[]), run(&["--shuffle", "7"]), run(&["--shuffle", "7"]));
    assert_eq!(names(&one), names(&again));
    assert_ne!(names(&one), names(&plain));
    assert_eq!(one.manifest.seed, Some(7));
    let one_by_one = |pair: &[Record]| pair[0].started_us + pair[0].took_us <= pair[1].started_us;
    assert!(plain.records.len() > 10 && plain.records.windows(2).all(one_by_one));
}

#[test]
fn evidence_is_kept_of_all_when_asked() {
    let broker = ScriptedBroker::honest();
    let (_, run) = results(&broker.address(), ONE_CASE);
    assert!(run.records[0].evidence.is_empty());
    let (_, run) = results(&broker.address(), &[ONE_CASE, &["--evidence", "all"]].concat());
    assert!(!run.records[0].evidence.is_empty());
}

#[test]
fn a_target_is_held_to_the_reference_that_is_named() {
    let broker = ScriptedBroker::honest();
    let result = conform(&broker.address(), &[ONE_CASE, &["--reference", "3.9"]].concat());
    ends(result, 0, &["held to Apache Kafka 3.9", "conforms to Apache Kafka 3.9"]);
    let result = conform(&broker.address(), &[ONE_CASE, &["--reference", "1.0"]].concat());
    ends(result, 2, &["not a reference that kconform knows", "3.9"]);
}

#[test]
fn the_first_failure_can_end_the_run() {
    let broker = ScriptedBroker::lying(Script::always(METADATA, Lie::WrongCorrelation).at(5));
    let arguments = ["--id", "WIRE-002", "--jobs", "1"];
    let (_, whole) = results(&broker.address(), &arguments);
    let (code, cut) = results(&broker.address(), &[&arguments, &["--fail-fast"][..]].concat());
    let with = |run: &Run, verdict: Verdict| {
        run.records.iter().filter(|record| record.verdict == verdict).count()
    };
    assert_eq!((code, with(&cut, Verdict::Failed)), (Some(1), 1));
    assert!(with(&whole, Verdict::Failed) > 1 && with(&cut, Verdict::NotRun) > 0);
}

#[test]
fn a_should_counts_only_where_that_is_said() {
    // The scripted broker reads no names of clients, so that it refuses none.
    let broker = ScriptedBroker::honest();
    let arguments = ["--exact", SHOULD];
    ends(conform(&broker.address(), &arguments), 0, &["SHOULD", "1 failed"]);
    let strict = [&arguments, &["--strict"][..]].concat();
    ends(conform(&broker.address(), &strict), 1, &["1 SHOULD failed", "--strict --exact"]);
}

#[test]
fn what_has_one_cause_is_told_thrice_and_counted() {
    let broker = ScriptedBroker::lying(Script::always(METADATA, Lie::WrongCorrelation).at(5));
    let (code, text) = conform(&broker.address(), &["--id", "WIRE-002"]);
    let shown = text.matches("\nFAILED  ").count();
    assert_eq!(shown, 3, "{text}");
    ends((code, text), 1, &["more like this: expected ", "(--results DIR keeps all)"]);
}

#[test]
fn properties_are_drawn_again_from_their_seed() {
    let broker = ScriptedBroker::honest();
    let arguments = ["--family", "properties", "--api", "Produce", "--api-version", "9"];
    let more = ["--properties", "1s", "--properties-seed", "7"];
    let (_, run) = results(&broker.address(), &[&arguments[..], &more[..]].concat());
    let (_, again) = results(&broker.address(), &[&arguments[..], &more[..]].concat());
    let (_, without) = results(&broker.address(), &arguments);
    assert!(run.records.len() > without.records.len());
    let drawn = |run: &Run| {
        let mut names: Vec<String> = names(run).into_iter().map(str::to_owned).collect();
        names.retain(|name| without.records.iter().all(|record| record.name != *name));
        names.sort();
        names
    };
    // How many rounds fit into a second differs; the first draw does not.
    let (one, other) = (drawn(&run), drawn(&again));
    assert!(one.iter().any(|name| other.contains(name)), "{one:?}\n{other:?}");
}

#[test]
fn a_recording_that_was_edited_plays_leniently() {
    let (broker, folder) = (ScriptedBroker::honest(), tempfile::tempdir().unwrap());
    let path = folder.path().to_str().unwrap();
    ends(conform(&broker.address(), &[ONE_CASE, &["--record", path]].concat()), 0, &["recorded"]);
    let (head, mut cases) =
        kconform_harness::recording::read_folder(folder.path()).unwrap().remove(0);
    // Another client id than the scenario sends: the letters behind the header's fixed fields and a length.
    let mut edited = 0;
    for event in &mut cases[0].events {
        if let kconform_scenario::wire::event::What::Send { bytes, .. } = &mut event.what {
            let mut sent = bytes.0.to_vec();
            sent[14] ^= 1;
            bytes.0 = sent.into();
            edited += 1;
        }
    }
    assert!(edited > 0);
    kconform_harness::recording::write(folder.path(), None, &head, cases).unwrap();
    let replay = ["conform", "--plain", "--no-results", "--replay", path];
    ends(kconform(&replay), 5, &["drift"]);
    ends(kconform(&[&replay[..], &["--lenient"]].concat()), 0, &["1 passed"]);
}

#[test]
fn the_way_in_comes_from_a_file_or_from_flags() {
    let (broker, folder) =
        (ScriptedBroker::wanting_login("alice", "hush"), tempfile::tempdir().unwrap());
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let address = broker.address();
    let properties = file(
        "client.properties",
        &format!(
            "bootstrap.servers={address}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nacks=all\nlinger.ms=5\n\
             sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username=\"alice\" \
             password=\"hush\";\n"
        ),
    );
    let config = ["conform", "--plain", "--no-results", "--command-config", &properties];
    let (code, text) = kconform(&[&config[..], ONE_CASE].concat());
    let note = text.lines().filter(|line| line.contains("acks") && line.contains("linger.ms"));
    assert_eq!(note.count(), 1, "{text}");
    ends((code, text), 0, &["1 passed"]);

    let login =
        ["--security-protocol", "SASL_PLAINTEXT", "--sasl-mechanism", "PLAIN", "--user", "alice"];
    let password = file("password", "hush\n");
    let flags = [ONE_CASE, &login[..], &["--password-file", &password]].concat();
    ends(conform(&address, &flags), 0, &["1 passed"]);

    let slip =
        file("slip.properties", &format!("bootstrap.servers={address}\nsecurity.protocl=SSL\n"));
    let slip = ["conform", "--command-config", &slip];
    ends(kconform(&slip), 2, &["slip.properties:2: security.protocl", "is it security.protocol?"]);
}

#[test]
fn certificates_are_read_before_anything_is_dialled() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.pem");
    std::fs::write(&none, "no certificate\n").unwrap();
    let none = none.to_str().unwrap();
    let with = |flags: &[&str]| conform("127.0.0.1:1", flags);
    ends(with(&["--ca-file", none]), 2, &["none.pem", "named by --ca-file"]);
    ends(with(&["--cert-file", none, "--key-file", none]), 2, &["none.pem"]);
    ends(with(&["--cert-file", none]), 2, &["--key-file"]);
}

#[test]
fn what_is_about_a_broker_of_our_own_fits_no_target() {
    for flag in [["--feature", "transaction.version=0"], ["--setting", "a=b"], ["--nodes", "3"]] {
        ends(conform("127.0.0.1:1", &flag), 2, &["an Apache Kafka that is started for the run"]);
    }
    ends(kconform(&["conform", "--feature", "nonsense"]), 2, &["a feature and its level"]);
    ends(kconform(&["conform", "--setting", "nonsense"]), 2, &["a broker setting and its value"]);
}

#[test]
fn a_folder_that_is_named_and_cannot_be_written_ends_the_run_before_it_begins() {
    let (broker, folder) = (ScriptedBroker::honest(), tempfile::tempdir().unwrap());
    // A file where the folder should be: read-only for everybody, root included.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let within = file.join("results");
    let within = within.to_str().unwrap();
    for flag in ["--results", "--record"] {
        let mut run = vec!["conform", "--plain", "--bootstrap"];
        let address = broker.address();
        run.extend([&address, flag, within]);
        run.extend(ONE_CASE);
        let (code, text) = kconform(&run);
        assert!(!text.contains("passed"), "{text}");
        ends((code, text), 2, &[flag, within, "is no folder", "leave"]);
        let replay = ["conform", "--plain", "--replay", "4.4", "--results", within];
        ends(kconform(&replay), 2, &["--results", within]);
    }
    let fresh = folder.path().join("a/b");
    let path = fresh.to_str().unwrap();
    let free = ["conform", "--bootstrap", "127.0.0.1:1", "--results", path];
    ends(kconform(&free), 3, &["no Kafka broker answers"]);
    assert!(!folder.path().join("a").exists(), "a run that did not begin left a folder");
}

#[test]
fn the_default_folder_may_be_missing() {
    let (broker, folder) = (ScriptedBroker::honest(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("kconform-results"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kconform"));
    command.current_dir(folder.path());
    command.args(["conform", "--plain", "--bootstrap", &broker.address(), "--exact", CASE]);
    ends(output(&mut command), 0, &["cannot be written", "1 passed"]);
}

#[test]
fn a_run_whose_records_were_cut_off_is_rendered_as_incomplete() {
    let (broker, folder) = (ScriptedBroker::honest(), tempfile::tempdir().unwrap());
    let path = folder.path().to_str().unwrap();
    let address = broker.address();
    let run = ["conform", "--plain", "--bootstrap", &address, "--results", path];
    ends(kconform(&[&run[..], &["--id", "WIRE-002"][..]].concat()), 0, &["conforms"]);
    let records = folder.path().join("records.jsonl");
    let text = std::fs::read_to_string(&records).unwrap();
    std::fs::write(&records, &text[..text.len() / 2]).unwrap();
    for format in ["text", "md", "junit"] {
        let (code, text) = kconform(&["report", path, "--format", format, "--plain"]);
        assert!(!text.contains("The target conforms"), "{text}");
        ends((code, text), 0, &["The results are incomplete: "]);
    }
    let (_, text) = kconform(&["report", path]);
    assert!(text.starts_with("The results are incomplete: "), "{text}");
}

#[test]
fn clean_names_its_choices() {
    let (code, text) = kconform(&["clean", "--bootstrap", "127.0.0.1:1"]);
    ends((code, text), 2, &["--run-id 261121-1433-5f2a", "--bootstrap localhost:9092 --all"]);
}

/// A case of a SHOULD.
const SHOULD: &str =
    "wire::api_versions::an_invalid_software_name_or_version_is_refused::v3::empty_name";
