//! The page of one family: every requirement with all that is known about it.

use conformance::catalogue::{Family, Requirement};

use super::Checks;
use super::markup::{anchor, text};

/// The text of the page of a family.
pub(super) fn render(family: &Family, rows: &[&Requirement], checks: &Checks<'_>) -> String {
    let Family { name, title, about, apis, .. } = family;
    let open = rows.iter().filter(|row| !checks.contains_key(row.id.as_str())).count();
    let mut out = format!(
        "<!-- Made by `cargo xtask catalogue` from conformance/requirements/{name}.toml; edit that \
         file. -->\n\n# {}\n\n{} APIs: {}. {} requirements, {open} of them open. \
         [All families](README.md), [notation and error codes](../requirements/README.md).\n",
        text(title),
        text(about),
        apis.join(", "),
        rows.len(),
    );
    for row in rows {
        out.push_str(&entry(row, checks));
    }
    out
}

fn entry(row: &Requirement, checks: &Checks<'_>) -> String {
    let mut out = format!(
        "\n## <a id=\"{}\"></a>{} · {}\n\n{}\n\n",
        anchor(&row.id),
        row.id,
        row.level,
        text(&row.text),
    );
    let mut item = |name: &str, value: &str| out.push_str(&format!("- {name}: {value}\n"));
    item("Versions", &text(&row.versions));
    item("Seen on Apache", &releases(row));
    item("Needs", &with_note(&row.needs.join(", "), row.needs_note.as_deref()));
    item("Source", &text(&row.source));
    if let Some(suffers) = &row.suffers {
        item("Who suffers", &text(suffers));
    }
    if let Some(reason) = &row.no_scenario {
        item("Why it has no scenario", &text(reason));
    }
    if let Some(mistake) = &row.mistake {
        item("Typical mistake", &text(mistake));
    }
    item("Checked by", &scenarios(&row.id, checks));
    out
}

fn releases(row: &Requirement) -> String {
    match &row.unseen {
        Some(reason) => format!("not seen: {}", text(reason)),
        None => with_note(&row.releases.join(", "), row.releases_note.as_deref()),
    }
}

fn with_note(list: &str, note: Option<&str>) -> String {
    match note {
        Some(note) if list.is_empty() => text(note),
        Some(note) => format!("{list} ({})", text(note)),
        None => list.to_owned(),
    }
}

fn scenarios(id: &str, checks: &Checks<'_>) -> String {
    let Some(scenarios) = checks.get(id) else { return "**open**".to_owned() };
    let link = |scenario: &&super::ScenarioRef| {
        let super::ScenarioRef { name, file, line, api, versions, .. } = scenario;
        format!(
            "[`{name}`](../../{file}#L{line}) ({api} {}, {}:{line})",
            text(versions),
            text(file)
        )
    };
    scenarios.iter().map(link).collect::<Vec<_>>().join("; ")
}
