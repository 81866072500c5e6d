//! Brokers of a special shape. Some requirements show only on a broker with settings of its own; where the target is an
//! Apache Kafka of ours, such a broker is started for them after the run, and stopped again.

use kconform_harness::plan::Case;
use kconform_harness::{Done, Target};
use kconform_scenario::Need;

use crate::args::OwnArgs;
use crate::own::{self, Own};
use crate::terminal::tell;
use crate::trouble::Trouble;

/// The shapes, with the settings that make them.
const SHAPES: &[(&str, &[(&str, &str)])] = &[
    (
        "small-requests",
        &[
            ("socket.request.max.bytes", "65536"),
            ("connections.max.idle.ms", "3000"),
            ("fetch.max.bytes", "32768"),
            ("max.incremental.fetch.session.cache.slots", "0"),
        ],
    ),
    ("no-deletion", &[("delete.topic.enable", "false")]),
];

/// Whether a case needs a broker of this shape.
pub(super) fn needs(case: &Case, shape: &str) -> bool {
    case.scenario.needs.iter().any(|need| matches!(need, Need::Shape(name) if *name == shape))
}

/// Takes the cases that need a special broker out of a plan; gives the shapes that they need.
pub(super) fn take(cases: &mut Vec<Case>) -> Vec<&'static str> {
    let mut shapes = Vec::new();
    for (shape, _) in SHAPES {
        let before = cases.len();
        cases.retain(|case| !needs(case, shape));
        if cases.len() < before {
            shapes.push(*shape);
        }
    }
    shapes
}

/// Starts a broker of this shape.
pub(super) fn start(args: &OwnArgs, shape: &'static str) -> Result<(Own, Target), Trouble> {
    tell(&format!("Starting another broker, of the shape `{shape}`"));
    let settings =
        SHAPES.iter().find(|(name, _)| *name == shape).map_or(&[][..], |(_, settings)| settings);
    let own = own::start_with(args, settings)?;
    let mut target = own.target()?;
    target.shapes.push(shape.to_owned());
    Ok((own, target))
}

/// Adds what came of a special broker to the run. Its recordings stay out: they were made under other facts. So does
/// what could not be removed: it is gone with the broker.
pub(super) fn absorb(done: &mut Done, more: Done) {
    done.records.extend(more.records);
    done.lost |= more.lost;
    done.interrupted |= more.interrupted;
    done.on_disk &= more.on_disk;
}
