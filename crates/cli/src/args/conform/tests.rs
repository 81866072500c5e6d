//! Command lines, good and bad.
#![allow(clippy::unwrap_used)]

use clap::Parser;
use clap::error::ErrorKind;

use super::*;
use crate::args::{Cli, Command};

fn parsed(line: &str) -> Result<Conform, clap::Error> {
    let words = ["kconform", "conform"].into_iter().chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| match cli.command {
        Command::Conform(args) => *args,
        other => panic!("{other:?}"),
    })
}

#[test]
fn lists_may_be_written_with_commas_or_flag_by_flag() {
    let args =
        parsed("--api Fetch,Produce --api 3 --level must,quirk --id A-1 stale epoch").unwrap();
    assert_eq!(args.filter.api, ["Fetch", "Produce", "3"]);
    assert_eq!(args.filter.level.len(), 2);
    assert_eq!(args.filter.parts, ["stale", "epoch"]);
    let args = parsed("--bootstrap a:1,b:2 --bootstrap c:3").unwrap();
    assert_eq!(args.reach.bootstrap, ["a:1", "b:2", "c:3"]);
}

#[test]
fn a_seed_may_be_left_out() {
    assert_eq!(parsed("").unwrap().manner.shuffle, None);
    assert_eq!(parsed("--shuffle").unwrap().manner.shuffle, Some(None));
    assert_eq!(parsed("--shuffle 7 fetch").unwrap().manner.shuffle, Some(Some(7)));
    assert_eq!(parsed("fetch --shuffle --strict").unwrap().filter.parts, ["fetch"]);
    assert!(parsed("--shuffle fetch").unwrap_err().to_string().contains("name filters before"));
}

#[test]
fn properties_are_checked_for_as_long_as_is_said() {
    for (text, seconds) in [("30s", 30), ("5m", 300), ("1m30s", 90), ("1h", 3600), ("24h", 86_400)]
    {
        let args = parsed(&format!("--properties {text}")).unwrap();
        assert_eq!(args.manner.properties, Some(Duration::from_secs(seconds)));
    }
    let args = parsed("--properties 1s --properties-seed 7").unwrap();
    assert_eq!(args.manner.properties_seed, Some(7));
    let wrong = parsed("--properties 5").unwrap_err().to_string();
    assert!(wrong.contains("write 30s, 5m"), "{wrong}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "--jobs 0",
        "--repeat 0",
        "--nodes 2",
        "--release 1.0",
        "--reference new",
        "--level may",
        "--target-wait soon",
        "--run-id a/b",
        "--api-version 5..2",
        "--security-protocol TLS",
        "--sasl-mechanism GSSAPI",
        "--cert-file c.pem",
        "--format json",
        "--no-results --results x",
        "--replay 4.4 --bootstrap a:1",
        "--replay 4.4 --record x",
        "--password hush",
        "--properties",
        "--properties 5",
        "--properties 0s",
        "--properties 30s5m",
        "--properties +5s",
        "--properties 25h",
        "--properties 99999999999999999999h",
        "--properties 5m --replay 4.4",
        "--properties 5m --exact x",
        "--properties-seed 7",
    ] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
    }
    assert_eq!(parsed("--password x").unwrap_err().kind(), ErrorKind::UnknownArgument);
    assert!(parsed("--bootstrap a:1 --release 4.4").unwrap().check().is_err());
    assert!(parsed("--user alice").unwrap().check().is_err());
    assert!(parsed("--bootstrap a:1 --user alice").unwrap().check().is_ok());
    assert!(parsed("--release 4.4 --nodes 3").unwrap().check().is_ok());
}

#[test]
fn run_ids_fit_into_topic_names() {
    assert_eq!(run_id("261121-1433_5f2a"), Ok("261121-1433_5f2a".to_owned()));
    for wrong in ["", "a b", "a.b", "../x", &"x".repeat(33)] {
        assert!(run_id(wrong).is_err(), "{wrong}");
    }
}
