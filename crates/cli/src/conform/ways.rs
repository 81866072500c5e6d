//! How to provide what cases want of an Apache Kafka that is started for the run: the flag that starts one which has it.

use std::collections::BTreeMap;

use kconform_brokers::Release;
use kconform_harness::plan::Case;
use kconform_scenario::{Facts, Need};

use crate::args::Conform;

/// The ways, by the reason for which cases are not run.
#[derive(Debug, Default)]
pub(super) struct Ways(BTreeMap<String, String>);

impl Ways {
    /// The ways to what these cases want of a broker of our own.
    pub(super) fn of(args: &Conform, facts: &Facts, cases: &[Case]) -> Self {
        let mut ways = BTreeMap::new();
        for case in cases {
            // The first need that is not met is the reason that records name.
            let unmet =
                case.scenario.needs.iter().find_map(|need| Some((need, need.met(facts).err()?)));
            if let Some((need, reason)) = unmet
                && let Some(way) = way(args, facts, need)
            {
                ways.insert(reason, way);
            }
        }
        Self(ways)
    }

    /// The way to what this reason wants.
    pub(super) fn to(&self, reason: &str) -> Option<String> {
        self.0.get(reason).cloned()
    }
}

fn way(args: &Conform, facts: &Facts, need: &Need) -> Option<String> {
    let (own, newest) = (&args.own, Release::newest());
    let of_line = |wanted: &dyn Fn((u16, u16)) -> bool| {
        // What is held to another release by a flag is not held to what it is.
        args.manner.reference.is_none().then_some(())?;
        let line = |release: &Release| {
            let (major, minor) = release.line_numbers();
            (u16::from(major), u16::from(minor))
        };
        let fitting = Release::ALL.iter().filter(|release| wanted(line(release)));
        fitting.max_by_key(|release| line(release)).map(|release| format!("--release {release}"))
    };
    match *need {
        Need::ThreeBrokers if own.nodes() == 1 => Some("--nodes 3".to_owned()),
        Need::Listener(_) | Need::User(..) | Need::Shape(_) if own.nodes() != 1 => {
            Some("one node has it: leave --nodes out".to_owned())
        }
        Need::Shape(_) if own.no_special => Some("leave --no-special out".to_owned()),
        Need::Authorizer if own.no_authorizer => Some("leave --no-authorizer out".to_owned()),
        Need::Before(major, minor) => of_line(&|line| line < (major, minor)),
        Need::Since(major, minor) => of_line(&|line| line >= (major, minor)),
        Need::Feature(name, level) => {
            let supported = facts.supported.get(name).is_some_and(|(_, max)| *max >= level);
            match supported {
                true => Some(format!("--feature {name}={level}")),
                false if own.release() != newest => Some(format!("--release {newest}")),
                false => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;
    use kconform_scenario::{Listener, Reference};

    use super::*;
    use crate::args::{Cli, Command};

    fn facts() -> Facts {
        Facts {
            host: String::new(),
            port: 0,
            cluster_id: None,
            brokers: Vec::new(),
            apis: BTreeMap::new(),
            supported: BTreeMap::from([("transaction.version".to_owned(), (0, 2))]),
            finalized: BTreeMap::new(),
            reference: Reference(4, 1),
            authorizer: None,
            configs: BTreeMap::new(),
            listeners: BTreeMap::new(),
            users: BTreeMap::new(),
            shapes: Vec::new(),
            disruptive: true,
            restarts: false,
            loopback: true,
        }
    }

    fn of(line: &str, need: Need) -> Option<String> {
        let words = ["kconform", "conform"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().command {
            Command::Conform(args) => way(&args, &facts(), &need),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_flag_can_provide_is_named_with_the_flag() {
        let newest = format!("--release {}", Release::newest());
        for (line, need, flag) in [
            ("", Need::ThreeBrokers, "--nodes 3"),
            ("--nodes 3", Need::Listener(Listener::Ssl), "one node has it: leave --nodes out"),
            ("--no-authorizer", Need::Authorizer, "leave --no-authorizer out"),
            ("", Need::Before(4, 0), "--release 3.9.2"),
            ("--release 3.9", Need::Since(4, 4), newest.as_str()),
            ("", Need::Feature("transaction.version", 2), "--feature transaction.version=2"),
            ("--release 3.9", Need::Feature("share.version", 1), newest.as_str()),
        ] {
            assert_eq!(of(line, need).as_deref(), Some(flag), "{line} {need:?}");
        }
        for (line, need) in [
            ("--nodes 3", Need::ThreeBrokers),
            ("", Need::Authorizer),
            ("--reference 4.4", Need::Before(4, 0)),
            ("", Need::Before(1, 0)),
            ("", Need::Feature("share.version", 1)),
            ("", Need::Loopback),
        ] {
            assert_eq!(of(line, need), None, "{line} {need:?}");
        }
    }
}
