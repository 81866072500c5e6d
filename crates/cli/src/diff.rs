//! `kconform diff`: the API versions of two brokers side by side, and what clients will negotiate with each.

mod show;

use std::collections::BTreeSet;

use kconform_harness::Probed;
use kconform_report::{BLOCKED_OR_FAILED, CONFORMS};
use kconform_scenario::wire::schema;
use serde::Serialize;

use crate::args::{Diff, TableFormat};
use crate::clients::{Client, clients};
use crate::reach;
use crate::terminal::print;
use crate::trouble::Trouble;
use crate::versions::{Range, Standing, common};

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Diff) -> Result<i32, Trouble> {
    let source = reach::side(&args.source, args.source_config.as_deref())?;
    let target = reach::side(&args.target, args.target_config.as_deref())?;
    let named = |side: &str, trouble: Trouble| match trouble {
        Trouble::Unreachable(why) => Trouble::Unreachable(format!("the {side}: {why}")),
        other => other,
    };
    let source = reach::probe_now(&source).map_err(|trouble| named("source", trouble))?;
    let target = reach::probe_now(&target).map_err(|trouble| named("target", trouble))?;
    let comparison = Comparison::of(Side::of(&source), Side::of(&target), clients());
    print(&match args.format {
        TableFormat::Text => comparison.text(),
        TableFormat::Md => comparison.markdown(),
        TableFormat::Csv => comparison.matrix().csv(),
        TableFormat::Json => reach::json(&comparison)?,
    });
    Ok(if comparison.lacking() == 0 { CONFORMS } else { BLOCKED_OR_FAILED })
}

/// One side of the comparison.
#[derive(Clone, Debug, Serialize)]
struct Side {
    bootstrap: String,
    cluster_id: Option<String>,
    nearest: String,
    #[serde(skip)]
    apis: std::collections::BTreeMap<i16, Range>,
}

/// Both sides, API by API and client by client.
#[derive(Debug, Serialize)]
struct Comparison {
    source: Side,
    target: Side,
    apis: Vec<Row>,
    clients: Vec<View>,
}

#[derive(Debug, Serialize)]
struct Row {
    key: i16,
    name: String,
    source: Option<Range>,
    target: Option<Range>,
    #[serde(flatten)]
    standing: Standing,
    /// The highest version that both sides offer.
    newest_common: Option<i16>,
}

/// What a client will negotiate.
#[derive(Debug, Serialize)]
struct View {
    name: String,
    /// Where its ranges were read.
    facts: String,
    note: String,
    apis: Vec<Negotiated>,
}

#[derive(Debug, Serialize)]
struct Negotiated {
    key: i16,
    name: String,
    with_source: Option<i16>,
    with_target: Option<i16>,
}

impl Side {
    fn of(probed: &Probed) -> Self {
        let facts = &probed.facts;
        Self {
            bootstrap: format!("{}:{}", facts.host, facts.port),
            cluster_id: facts.cluster_id.clone(),
            nearest: format!("Apache Kafka {}", probed.nearest.reference),
            apis: facts.apis.clone(),
        }
    }
}

impl Comparison {
    fn of(source: Side, target: Side, clients: &[Client]) -> Self {
        let keys: BTreeSet<i16> = source.apis.keys().chain(target.apis.keys()).copied().collect();
        let row = |key: &i16| {
            let (one, other) = (source.apis.get(key).copied(), target.apis.get(key).copied());
            Row {
                key: *key,
                name: api_name(*key),
                source: one,
                target: other,
                standing: Standing::of(one, other),
                newest_common: common(one, other),
            }
        };
        let apis = keys.iter().map(row).collect();
        let clients = clients.iter().map(|client| View::of(client, &source, &target)).collect();
        Self { source, target, apis, clients }
    }

    /// How many APIs the target has not, or not in all versions of the source.
    fn lacking(&self) -> usize {
        self.apis.iter().filter(|row| !row.standing.lacks.is_empty()).count()
    }
}

impl View {
    fn of(client: &Client, source: &Side, target: &Side) -> Self {
        let negotiated = |(key, range): (&i16, &Range)| Negotiated {
            key: *key,
            name: api_name(*key),
            with_source: common(Some(*range), source.apis.get(key).copied()),
            with_target: common(Some(*range), target.apis.get(key).copied()),
        };
        Self {
            name: client.name.clone(),
            facts: client.source.clone(),
            note: client.note.clone(),
            apis: client.apis.iter().map(negotiated).collect(),
        }
    }
}

fn api_name(key: i16) -> String {
    schema::api(key).map_or_else(|| format!("key {key}"), |api| api.name().to_owned())
}
