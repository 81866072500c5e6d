//! `kconform apis`: what a broker offers, beside an Apache Kafka release.

use kconform_harness::{Probed, fingerprint};
use kconform_report::{ApiRow, CONFORMS};
use serde::Serialize;

use crate::args::{Apis, TableFormat};
use crate::table::Table;
use crate::terminal::print;
use crate::trouble::Trouble;
use crate::versions::{Range, Standing, show};
use crate::{reach, results};

/// Runs the command; gives the exit code.
pub(crate) fn run(args: &Apis) -> Result<i32, Trouble> {
    let mut target = reach::target(&args.reach)?.target;
    target.reference = args.reference.or(target.reference);
    if let Some(reference) = target.reference {
        reach::known_reference(reference)?;
    }
    let probed = reach::probe_now(&target)?;
    let sheet = Sheet::of(&probed);
    print(&match args.format {
        TableFormat::Text => format!("{}\n\n{}", sheet.title(), sheet.table().text()),
        TableFormat::Md => format!("{}\n\n{}", sheet.title(), sheet.table().markdown()),
        TableFormat::Csv => sheet.table().csv(),
        TableFormat::Json => reach::json(&sheet)?,
    });
    Ok(CONFORMS)
}

#[derive(Debug, Serialize)]
struct Sheet {
    bootstrap: String,
    cluster_id: Option<String>,
    nearest: String,
    why: String,
    reference: String,
    apis: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    key: i16,
    name: String,
    target: Option<Range>,
    apache: Option<Range>,
    #[serde(flatten)]
    standing: Standing,
}

impl Sheet {
    fn of(probed: &Probed) -> Self {
        let facts = &probed.facts;
        let rows = results::apis(&facts.apis, fingerprint::release(facts.reference));
        let line = |ApiRow { key, name, target, apache, .. }: ApiRow| Line {
            key,
            name,
            target,
            apache,
            standing: Standing::of(apache, target),
        };
        Self {
            bootstrap: format!("{}:{}", facts.host, facts.port),
            cluster_id: facts.cluster_id.clone(),
            nearest: format!("Apache Kafka {}", probed.nearest.reference),
            why: probed.nearest.why.clone(),
            reference: format!("Apache Kafka {}", facts.reference),
            apis: rows.into_iter().map(line).collect(),
        }
    }

    fn title(&self) -> String {
        format!("{} is nearest to {}: {}.", self.bootstrap, self.nearest, self.why)
    }

    fn table(&self) -> Table {
        let heading = ["key", "API", "target", &self.reference, "note"];
        let row = |line: &Line| {
            vec![
                line.key.to_string(),
                line.name.clone(),
                show(line.target),
                show(line.apache),
                line.standing.words(),
            ]
        };
        Table {
            heading: heading.map(str::to_owned).to_vec(),
            rows: self.apis.iter().map(row).collect(),
        }
    }
}
