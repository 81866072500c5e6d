//! The nearest release of Apache Kafka, by the API versions and features that a broker advertises.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kconform_scenario::Reference;

/// What released brokers advertise, one file a release, written down from the brokers themselves.
const RELEASES: &[(&str, &str)] = &[
    ("3.7", include_str!("../../../fixtures/releases/3.7.2.txt")),
    ("3.8", include_str!("../../../fixtures/releases/3.8.1.txt")),
    ("3.9", include_str!("../../../fixtures/releases/3.9.2.txt")),
    ("4.0", include_str!("../../../fixtures/releases/4.0.2.txt")),
    ("4.1", include_str!("../../../fixtures/releases/4.1.2.txt")),
    ("4.2", include_str!("../../../fixtures/releases/4.2.1.txt")),
    ("4.3", include_str!("../../../fixtures/releases/4.3.1.txt")),
    ("4.4", include_str!("../../../fixtures/releases/4.4.0.txt")),
];

/// Version ranges by API key.
pub type Ranges = BTreeMap<i16, (i16, i16)>;

/// A release line and what its brokers advertise.
#[derive(Clone, Debug)]
pub struct Release {
    /// The line.
    pub reference: Reference,
    /// API versions by key.
    pub apis: Ranges,
    /// Supported features: name to (min, max).
    pub features: BTreeMap<String, (i16, i16)>,
}

/// The releases that we know, oldest first.
pub fn releases() -> &'static [Release] {
    static PARSED: LazyLock<Vec<Release>> = LazyLock::new(|| RELEASES.iter().map(parse).collect());
    &PARSED
}

/// What a release line advertises, if we know it.
pub fn release(reference: Reference) -> Option<&'static Release> {
    releases().iter().find(|release| release.reference == reference)
}

/// Whether we know this release line.
///
/// # Errors
/// A sentence with the release lines that we know.
pub fn known(reference: Reference) -> Result<(), String> {
    if release(reference).is_some() {
        return Ok(());
    }
    let known: Vec<String> =
        releases().iter().map(|release| release.reference.to_string()).collect();
    Err(format!(
        "Apache Kafka {reference} is not a reference that kconform knows; there are {}",
        known.join(", ")
    ))
}

/// Lines `api 0 Produce 0 13` and `feature metadata.version 1 30`.
fn parse((line, text): &(&str, &str)) -> Release {
    let mut release = Release {
        reference: line.parse().expect("the release lines above are written as such"),
        apis: BTreeMap::new(),
        features: BTreeMap::new(),
    };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
        match words.first() {
            Some(&"api") => {
                release.apis.insert(number(1), (number(3), number(4)));
            }
            Some(&"feature") => {
                release.features.insert(words[1].to_owned(), (number(2), number(3)));
            }
            _ => {}
        }
    }
    release
}

/// The nearest release, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its line.
    pub reference: Reference,
    /// One sentence: what agrees and what does not.
    pub why: String,
}

/// Finds the release whose advertised versions differ least; the newest of equals. Features decide between releases
/// that advertise the same.
pub fn nearest(apis: &Ranges, features: &BTreeMap<String, (i16, i16)>) -> Nearest {
    let distance = |release: &Release| {
        let keys =
            release.apis.keys().chain(apis.keys().filter(|key| !release.apis.contains_key(key)));
        let versions = keys.filter(|key| release.apis.get(key) != apis.get(key)).count();
        let other = release
            .features
            .iter()
            .filter(|(name, range)| features.get(*name) != Some(range))
            .count();
        (versions, other)
    };
    let mut best: Option<(&Release, (usize, usize))> = None;
    for release in releases() {
        let distance = distance(release);
        if best.is_none_or(|(_, least)| distance <= least) {
            best = Some((release, distance));
        }
    }
    let (release, (versions, _)) = best.expect("the list of releases is not empty");
    let total = release.apis.len();
    let why = match versions {
        0 => format!("all {total} APIs are advertised in exactly its versions"),
        _ => format!(
            "{versions} of its {total} APIs are advertised in other versions, fewer than of any other release"
        ),
    };
    Nearest { reference: release.reference, why }
}
