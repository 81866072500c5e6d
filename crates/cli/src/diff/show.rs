//! A comparison for people.

use std::fmt::Write as _;

use super::{Comparison, Negotiated, Row, View};
use crate::table::Table;
use crate::versions::show;

impl Comparison {
    /// The differing APIs, then what changes for each client.
    pub(super) fn text(&self) -> String {
        let differing = self.versions(|row| !row.standing.words().is_empty());
        let mut out = self.title();
        if !differing.rows.is_empty() {
            let _ = write!(out, "\n{}", differing.text());
        }
        for view in &self.clients {
            let changes = changes(view);
            if changes.is_empty() {
                let _ = writeln!(out, "\n{} negotiates the same versions with both.", view.name);
                continue;
            }
            let _ = writeln!(out, "\n{} negotiates otherwise with the target:", view.name);
            changes.iter().for_each(|change| {
                let _ = writeln!(out, "  {change}");
            });
        }
        out
    }

    /// Everything in tables.
    pub(super) fn markdown(&self) -> String {
        let mut out = format!("# API versions of two brokers\n\n{}\n", self.title());
        let _ = write!(out, "{}", self.matrix().markdown());
        out.push_str(
            "\nUnder each client stands the version that it negotiates, and after an arrow the one with the target \
             where that is another.\n\n",
        );
        for view in &self.clients {
            let _ = writeln!(out, "- {}: {} Read from {}.", view.name, view.note, view.facts);
        }
        out
    }

    /// Every API, with a column a client.
    pub(super) fn matrix(&self) -> Table {
        let mut table = self.versions(|_| true);
        for view in &self.clients {
            table.heading.push(view.name.clone());
            for (cells, row) in table.rows.iter_mut().zip(&self.apis) {
                let negotiated = view.apis.iter().find(|negotiated| negotiated.key == row.key);
                cells.push(negotiated.map_or_else(|| "-".to_owned(), Negotiated::cell));
            }
        }
        table
    }

    fn versions(&self, wanted: impl Fn(&Row) -> bool) -> Table {
        let heading = ["key", "API", "source", "target", "the target", "newest common"];
        let cells = |row: &Row| {
            vec![
                row.key.to_string(),
                row.name.clone(),
                show(row.source),
                show(row.target),
                row.standing.words(),
                version(row.newest_common),
            ]
        };
        Table {
            heading: heading.map(str::to_owned).to_vec(),
            rows: self.apis.iter().filter(|row| wanted(row)).map(cells).collect(),
        }
    }

    fn title(&self) -> String {
        let side = |name: &str, side: &super::Side| {
            let cluster = side.cluster_id.as_deref().unwrap_or("unknown");
            let cluster: String = cluster.chars().filter(|char| !char.is_control()).collect();
            format!("{name} {}, cluster {cluster}, nearest to {}\n", side.bootstrap, side.nearest)
        };
        let count = |test: fn(&Row) -> bool| self.apis.iter().filter(|row| test(row)).count();
        format!(
            "{}{}Of {} APIs the target has {} in the same versions, lacks {}, lacks versions of {}, and adds to {}.\n",
            side("source", &self.source),
            side("target", &self.target),
            self.apis.len(),
            count(|row| row.standing.words().is_empty()),
            count(|row| row.standing.gone),
            count(|row| !row.standing.gone && !row.standing.lacks.is_empty()),
            count(|row| !row.standing.adds.is_empty()),
        )
    }
}

impl Negotiated {
    fn differs(&self) -> bool {
        self.with_source != self.with_target
    }

    fn cell(&self) -> String {
        if self.differs() {
            format!("{} → {}", version(self.with_source), version(self.with_target))
        } else {
            version(self.with_source)
        }
    }
}

/// What changes for a client, worst first: what it cannot ask any more, then lower versions, then the rest.
fn changes(view: &View) -> Vec<String> {
    let mut changes: Vec<(u8, String)> = view
        .apis
        .iter()
        .filter(|negotiated| negotiated.differs())
        .map(|Negotiated { name, with_source, with_target, .. }| match (with_source, with_target) {
            (Some(before), None) => (0, format!("{name} {before}: not possible any more")),
            (Some(before), Some(after)) if after < before => {
                (1, format!("{name} {before}: falls to {after}"))
            }
            (Some(before), Some(after)) => (2, format!("{name} {before}: rises to {after}")),
            (None, after) => (3, format!("{name}: becomes possible, in {}", version(*after))),
        })
        .collect();
    changes.sort_by_key(|(rank, _)| *rank);
    changes.into_iter().map(|(_, change)| change).collect()
}

fn version(version: Option<i16>) -> String {
    version.map_or_else(|| "none".to_owned(), |version| version.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Comparison, Side};
    use crate::clients::Client;

    fn side(name: &str, apis: &[(i16, (i16, i16))]) -> Side {
        Side {
            bootstrap: name.to_owned(),
            cluster_id: Some("c\u{1b}[2J".to_owned()),
            nearest: "Apache Kafka 4.4".to_owned(),
            apis: apis.iter().copied().collect(),
        }
    }

    fn comparison() -> Comparison {
        let client = Client {
            name: "Client 1".to_owned(),
            source: "its book".to_owned(),
            note: "The highest.".to_owned(),
            apis: BTreeMap::from([
                (0, (3, 9)),
                (1, (4, 12)),
                (2, (0, 5)),
                (3, (0, 4)),
                (8, (2, 3)),
            ]),
        };
        Comparison::of(
            side("old:1", &[(0, (0, 9)), (1, (0, 12)), (2, (0, 5)), (3, (0, 4))]),
            side("new:2", &[(0, (3, 11)), (1, (4, 10)), (3, (0, 4)), (8, (2, 3))]),
            &[client],
        )
    }

    #[test]
    fn the_text_names_what_differs_and_what_clients_lose() {
        let expected = "\
source old:1, cluster c[2J, nearest to Apache Kafka 4.4
target new:2, cluster c[2J, nearest to Apache Kafka 4.4
Of 5 APIs the target has 1 in the same versions, lacks 1, lacks versions of 2, and adds to 2.

key  API           source  target  the target             newest common
0    Produce       0-9     3-11    lacks 0-2, adds 10-11  9
1    Fetch         0-12    4-10    lacks 0-3 and 11-12    10
2    ListOffsets   0-5     -       lacks the API          none
8    OffsetCommit  -       2-3     adds the API           none

Client 1 negotiates otherwise with the target:
  ListOffsets 5: not possible any more
  Fetch 12: falls to 10
  OffsetCommit: becomes possible, in 3
";
        assert_eq!(comparison().text(), expected);
        assert_eq!(comparison().lacking(), 3);
    }

    #[test]
    fn the_matrix_has_a_column_a_client() {
        let csv = comparison().matrix().csv();
        assert!(csv.starts_with("key,API,source,target,the target,newest common,Client 1\r\n"));
        assert!(csv.contains("1,Fetch,0-12,4-10,lacks 0-3 and 11-12,10,12 → 10\r\n"), "{csv}");
        assert!(csv.contains("3,Metadata,0-4,0-4,,4,4\r\n"), "{csv}");
        let markdown = comparison().markdown();
        assert!(markdown.contains("| 5 → none |") && markdown.contains("Read from its book."));
    }
}
