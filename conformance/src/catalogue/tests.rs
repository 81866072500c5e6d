//! What a catalogue must never lose. Each check is a function over any rows, so that it can be seen
//! failing on rows that are wrong.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::{
    Family, Level, Requirement, families, files, parse, requirement, requirements, retired,
};

/// Words of the closed list of needs; `config:` and `feature:` carry a name.
const NEEDS: &[&str] = &[
    "one-broker",
    "three-brokers",
    "authorizer",
    "no-authorizer",
    "sasl",
    "tls",
    "two-listeners",
    "uneven-listeners",
    "two-connections",
    "transactions",
    "topic-config",
    "fresh-cluster",
    "slow",
    "restart",
    "kill",
    "paused-follower",
    "racks",
    "two-log-dirs",
    "loopback",
    "policy-plugin",
    "oauth-scope",
    "kerberos",
    "unstable-apis",
    "old-release",
];

#[test]
fn the_catalogue_holds_every_requirement() {
    let ids = include_str!("../../requirements/ids.txt");
    let given = ids.lines().filter(|line| !line.starts_with('#')).count();
    assert!(given >= 1111);
    assert_eq!(requirements().len() + retired().len(), given);
    assert_eq!(broken(requirements(), families()), Vec::<String>::new());
}

#[test]
fn every_family_has_its_file_and_every_file_its_family() {
    let named: Vec<&str> = families().iter().map(|family| family.name.as_str()).collect();
    let embedded: Vec<&str> = files::REQUIREMENTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, embedded);
}

#[test]
fn every_prefix_belongs_to_one_family() {
    let prefixes: Vec<&str> =
        families().iter().flat_map(|family| &family.prefixes).map(String::as_str).collect();
    let distinct: BTreeSet<&str> = prefixes.iter().copied().collect();
    assert_eq!(prefixes.len(), distinct.len());
    for family in families() {
        assert!(!family.apis.is_empty() && family.about.ends_with('.'), "{}", family.name);
    }
}

#[test]
fn a_requirement_is_found_by_its_id() {
    let row = requirement("WIRE-015").unwrap();
    assert_eq!((row.level, row.family, row.prefix()), (Level::Must, "wire", "WIRE"));
    assert!(requirement("WIRE-999").is_none());
}

#[test]
fn no_retired_id_is_in_use() {
    for row in retired() {
        assert!(requirement(&row.id).is_none(), "{} is retired and in use", row.id);
    }
}

#[test]
fn a_misspelt_field_is_an_error() {
    let good = row();
    assert!(parse::requirements("wire", &good).is_ok());
    assert!(parse::requirements("wire", &good.replace("mistake", "mistakes")).is_err());
    assert!(parse::requirements("wire", &good.replace("\"must\"", "\"maybe\"")).is_err());
}

#[test]
fn every_kind_of_broken_row_is_noticed() {
    let cases: &[(&str, Spoil)] = &[
        ("shape", |row| row.id = "WIRE-1".to_owned()),
        ("family", |row| row.id = "FETCH-001".to_owned()),
        ("source", |row| row.source = String::new()),
        ("private mark", |row| row.source = "V RequestHeader.parse".to_owned()),
        ("private mark", |row| row.text = "As seen on AK-3.9.".to_owned()),
        ("private mark", |row| row.mistake = Some("the oracle differs".to_owned())),
        ("product", |row| row.text = format!("As {} does it.", PRODUCTS[0])),
        ("unknown need", |row| row.needs = vec!["two-moons".to_owned()]),
        ("seen", |row| row.releases.clear()),
        ("release", |row| row.releases = vec!["newest".to_owned()]),
        ("sentence", |row| row.text = "no full stop".to_owned()),
        ("must without saying who suffers", |row| row.suffers = None),
        ("blank", |row| row.mistake = Some(" ".to_owned())),
    ];
    for (expected, spoil) in cases {
        let rows = parse::requirements("wire", &row()).unwrap();
        assert_eq!(broken(&rows, families()), Vec::<String>::new());
        let mut rows = rows;
        spoil(&mut rows[0]);
        let found = broken(&rows, families());
        assert!(found.iter().any(|text| text.contains(expected)), "{expected}: {found:?}");
    }
    let mut twice = parse::requirements("wire", &row()).unwrap();
    twice.push(twice[0].clone());
    assert!(broken(&twice, families())[0].contains("twice"));
}

/// Makes a good row a broken one.
type Spoil = fn(&mut Requirement);

/// A file with one good row.
fn row() -> String {
    r#"
        [[requirement]]
        id = "WIRE-001"
        level = "must"
        versions = "all"
        text = "The frame is as long as its length says."
        needs = ["one-broker", "config:num.partitions"]
        releases = ["3.9"]
        source = "NetworkReceive.readFrom"
        mistake = "extra bytes"
        suffers = "The client reads the next answer from the middle of this one."
    "#
    .to_owned()
}

/// Broker products other than Apache Kafka; spelt in two halves so that this list names none.
const PRODUCTS: &[&str] = &[
    concat!("red", "panda"),
    concat!("warp", "stream"),
    concat!("auto", "mq"),
    concat!("buf", "stream"),
    concat!("conflu", "ent"),
    concat!("pul", "sar"),
    concat!("event ", "hubs"),
    concat!("ai", "ven"),
    concat!("tan", "su"),
];

/// What is wrong with these rows, each with its id.
fn broken(rows: &[Requirement], families: &[Family]) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for row in rows {
        let mut complain = |what: &str| found.push(format!("{}: {what}", row.id));
        if !ids.insert(&row.id) {
            complain("twice in the catalogue");
        }
        if !has_shape(&row.id) {
            complain("the id has not the shape PREFIX-000");
        }
        let family = families.iter().find(|family| family.name == row.family);
        if !family.is_some_and(|family| family.prefixes.iter().any(|p| p == row.prefix())) {
            complain("the prefix does not belong to the family of the file");
        }
        if row.source.trim().is_empty() {
            complain("no source");
        }
        if !row.text.ends_with(['.', '!', '?']) {
            complain("the text is no sentence");
        }
        for need in &row.needs {
            if !is_need(need) {
                complain(&format!("unknown need {need}"));
            }
        }
        if row.releases.is_empty() != row.unseen.is_some() {
            complain("either seen on releases, or a reason why not");
        }
        if !row.releases.iter().all(|release| is_release(release)) {
            complain("a release is written as 3.9");
        }
        if row.level == Level::Must && row.suffers.is_none() {
            complain("must without saying who suffers");
        }
        for text in texts(row) {
            if text.trim().is_empty() {
                complain("blank field");
            }
            let lower = text.to_lowercase();
            if PRODUCTS.iter().any(|product| lower.contains(product)) {
                complain("names a product");
            }
            if has_private_mark(text) {
                complain(&format!("private mark in {text:?}"));
            }
        }
    }
    found
}

fn has_shape(id: &str) -> bool {
    id.split_once('-').is_some_and(|(prefix, number)| {
        prefix.chars().all(|c| c.is_ascii_uppercase())
            && prefix.len() >= 2
            && number.len() == 3
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

fn is_need(need: &str) -> bool {
    match need.split_once(':') {
        Some(("config" | "feature", name)) => !name.is_empty(),
        Some(_) => false,
        None => NEEDS.contains(&need),
    }
}

fn is_release(release: &str) -> bool {
    release
        .split_once('.')
        .is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok())
}

fn texts(row: &Requirement) -> impl Iterator<Item = &str> {
    [Some(&row.versions), Some(&row.text), Some(&row.source)]
        .into_iter()
        .chain([&row.needs_note, &row.releases_note, &row.unseen].map(Option::as_ref))
        .chain([&row.mistake, &row.suffers].map(Option::as_ref))
        .flatten()
        .map(String::as_str)
}

/// Marks of the notes that the catalogue was made from.
fn has_private_mark(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_alphanumeric());
    words().any(|word| matches!(word, "V" | "AK" | "T24" | "T26" | "SB" | "CFG" | "FEAT"))
        || words().any(|word| word.eq_ignore_ascii_case("oracle"))
        || text.contains("J(g)")
        || text.contains("PID(t)")
        || text.replace("`****`", "").contains("**")
}
