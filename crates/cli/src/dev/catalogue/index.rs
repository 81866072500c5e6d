//! The first page: what there is, family by family, and how much of it is checked.

use conformance::catalogue::{Family, Level, Requirement};

use super::Checks;
use super::markup::cell;

/// The text of `README.md`.
pub(super) fn render(families: &[Family], rows: &[Requirement], checks: &Checks<'_>) -> String {
    let mut out = String::new();
    out.push_str(
        "<!-- Made by `cargo xtask catalogue` from conformance/requirements; edit those files. -->\n\n\
         # The catalogue\n\n\
         What an Apache Kafka broker does, as seen by a client, one sentence at a time. Every requirement has \
         a permanent id, a level, a source, and the Apache releases on which it was seen to hold.\n\n\
         - **must**: every Apache release in range does it and clients depend on it.\n\
         - **should**: Apache does it, clients seldom depend on it.\n\
         - **quirk**: a detail of Apache, recorded, never held against a target.\n\n\
         Notation, needs and error codes: [the requirements](../requirements/README.md).\n\n",
    );
    out.push_str("| family | about | must | should | quirk | all | with scenario | open |\n");
    out.push_str("|---|---|---:|---:|---:|---:|---:|---:|\n");
    for family in families {
        let rows: Vec<&Requirement> = rows.iter().filter(|row| row.family == family.name).collect();
        let name = format!("[{}]({}.md)", cell(&family.title), family.name);
        out.push_str(&line(&name, &cell(&family.about), &Tally::of(&rows, checks)));
    }
    let all: Vec<&Requirement> = rows.iter().collect();
    out.push_str(&line("all", "", &Tally::of(&all, checks)));
    out
}

struct Tally {
    must: usize,
    should: usize,
    quirk: usize,
    checked: usize,
}

impl Tally {
    fn of(rows: &[&Requirement], checks: &Checks<'_>) -> Self {
        let count = |level| rows.iter().filter(|row| row.level == level).count();
        Tally {
            must: count(Level::Must),
            should: count(Level::Should),
            quirk: count(Level::Quirk),
            checked: rows.iter().filter(|row| checks.contains_key(row.id.as_str())).count(),
        }
    }
}

fn line(name: &str, about: &str, tally: &Tally) -> String {
    let Tally { must, should, quirk, checked } = tally;
    let all = must + should + quirk;
    let open = all - checked;
    format!("| {name} | {about} | {must} | {should} | {quirk} | {all} | {checked} | {open} |\n")
}
