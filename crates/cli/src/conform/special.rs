//! Brokers of a special shape. Some requirements show only on a broker with settings of its own; where the target is an
//! Apache Kafka of ours, such a broker is started for them after the run, and stopped again.

use kconform_harness::plan::Case;
use kconform_harness::{Done, Target};
use kconform_scenario::Need;

use super::{dead_broker, mortal};
use crate::args::OwnArgs;
use crate::own::{self, Own};
use crate::terminal::tell;
use crate::trouble::Trouble;

/// A special broker.
struct Shape {
    name: &'static str,
    /// Broker settings.
    settings: &'static [(&'static str, &'static str)],
    /// Features finalized from the start, with the release line that brought them.
    features: &'static [(&'static str, u16, (u8, u8))],
}

/// The shapes, with what makes them.
const SHAPES: &[Shape] = &[
    Shape {
        name: "small-requests",
        settings: &[
            ("socket.request.max.bytes", "65536"),
            ("connections.max.idle.ms", "3000"),
            ("fetch.max.bytes", "32768"),
            ("max.incremental.fetch.session.cache.slots", "0"),
        ],
        features: &[],
    },
    Shape {
        name: "locked-topics",
        settings: &[("delete.topic.enable", "false"), ("auto.create.topics.enable", "false")],
        features: &[],
    },
    Shape {
        name: "old-transactions",
        settings: &[
            ("producer.id.expiration.ms", "2000"),
            ("producer.id.expiration.check.interval.ms", "500"),
            ("unstable.api.versions.enable", "true"),
        ],
        features: &[("transaction.version", 0, (4, 0))],
    },
    // Three nodes; what becomes of them before the cases begin stands in its own file.
    Shape { name: dead_broker::SHAPE, settings: &[], features: &[] },
    // Brokers that die in the middle of a case.
    Shape { name: mortal::ALONE, settings: &[], features: &[] },
    Shape { name: mortal::SHAPE, settings: &[], features: &[] },
    // Nothing about it is special but that its cases, of 30,000 requests each, are in no recording.
    Shape { name: "worn-epochs", settings: &[], features: &[] },
];

/// Whether a case needs a broker of this shape.
pub(super) fn needs(case: &Case, shape: &str) -> bool {
    case.scenario.needs.iter().any(|need| matches!(need, Need::Shape(name) if *name == shape))
}

/// Takes the cases that need a special broker out of a plan; gives the shapes that they need.
pub(super) fn take(cases: &mut Vec<Case>) -> Vec<&'static str> {
    let mut shapes = Vec::new();
    for Shape { name, .. } in SHAPES {
        let before = cases.len();
        cases.retain(|case| !needs(case, name));
        if cases.len() < before {
            shapes.push(*name);
        }
    }
    shapes
}

/// What is still to come after the cases of the usual broker, in one line.
pub(super) fn announced(cases: usize, shapes: usize) -> String {
    format!(
        "{cases} more after them, on {shapes} clusters of a special shape, which start one after the other; some of their \
         brokers are killed. That takes some minutes; --no-special leaves them out.\n"
    )
}

/// Starts a broker of this shape.
pub(super) fn start(args: &OwnArgs, shape: &'static str) -> Result<(Own, Target), Trouble> {
    tell(&format!("Starting another broker, of the shape `{shape}`"));
    let known = SHAPES.iter().find(|known| known.name == shape);
    let (settings, features) =
        known.map_or((&[][..], &[][..]), |known| (known.settings, known.features));
    let release = args.release().line_numbers();
    let features = features.iter().filter(|(.., since)| release >= *since);
    let features: Vec<_> = features.map(|(name, level, _)| (*name, *level)).collect();
    let mut args = args.clone();
    match shape {
        dead_broker::SHAPE => args.nodes = Some(dead_broker::NODES),
        mortal::SHAPE => args.nodes = Some(mortal::NODES),
        _ => {}
    }
    let own = own::start_with(&args, settings, &features)?;
    let mut target = own.target()?;
    target.shapes.push(shape.to_owned());
    Ok((own, target))
}

/// Adds what came of a special broker to the run. What could not be removed stays out: it is gone with the broker.
pub(super) fn absorb(done: &mut Done, more: Done) {
    done.absorb(Done { leftovers: Vec::new(), ..more });
}
