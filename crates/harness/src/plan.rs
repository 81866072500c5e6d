//! The plan: which cases there are, which are wanted, and which of them the target can be asked.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use kconform_report::Level;
use kconform_scenario::wire::schema::{self, Direction};
use kconform_scenario::{EACH, Facts, Reference, SEED, Scenario, keys};

use crate::Suite;

/// A scenario at one API version, in one variant: one trial, one record.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// `family::api::scenario::v4`, with `::variant` where there is one.
    pub name: String,
    /// API key.
    pub key: i16,
    /// API version.
    pub version: i16,
    /// Variant.
    pub variant: Option<Cow<'static, str>>,
}

/// Which cases are wanted. Empty lists want all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// API names, any case.
    pub apis: Vec<String>,
    /// Families.
    pub families: Vec<String>,
    /// Requirement ids.
    pub ids: Vec<String>,
    /// Parts of case names; one must occur.
    pub parts: Vec<String>,
    /// Whole case names; one must be equal.
    pub exact: Vec<String>,
    /// Levels.
    pub levels: Vec<Level>,
    /// API versions.
    pub versions: Option<RangeInclusive<i16>>,
}

/// What is to be done with a wanted case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Run it.
    Run,
    /// The target does not offer the API or version: check the refusal.
    Unsupported(String),
    /// Something is not provided; says what to provide.
    NotRun(String),
}

impl Filter {
    /// Whether this case is wanted.
    pub fn wants(&self, suite: &Suite, case: &Case) -> bool {
        let Case { scenario, .. } = case;
        let any = |list: &[String], test: &dyn Fn(&str) -> bool| {
            list.is_empty() || list.iter().any(|item| test(item))
        };
        let api = schema::api(case.key).map_or("", |api| api.name());
        any(&self.apis, &|wanted| {
            wanted.eq_ignore_ascii_case(api) || wanted.parse() == Ok(case.key)
        }) && any(&self.families, &|wanted| wanted == scenario.family())
            && any(&self.ids, &|wanted| {
                std::iter::once(&scenario.id)
                    .chain(scenario.also)
                    .any(|id| id.eq_ignore_ascii_case(wanted))
            })
            && any(&self.parts, &|part| case.name.contains(part))
            && any(&self.exact, &|name| case.name == name)
            && (self.levels.is_empty() || self.levels.contains(&suite.row_of(scenario).level))
            && self.versions.as_ref().is_none_or(|versions| versions.contains(&case.version))
    }
}

/// Every case of the suite. With facts, a scenario over each API is multiplied over what the target advertises; else
/// over what is in our tables.
pub fn cases(suite: &Suite, facts: Option<&Facts>) -> Vec<Case> {
    let mut cases = Vec::new();
    for scenario in &suite.scenarios {
        if scenario.api == EACH {
            for api in schema::apis() {
                let known = api.versions(Direction::Request);
                let range = match facts {
                    Some(facts) => match facts.apis.get(&api.key()) {
                        Some((min, max)) => (*min).max(*known.start())..=(*max).min(*known.end()),
                        None => continue,
                    },
                    None => known,
                };
                for version in
                    range.filter(|version| served(facts, api.key(), *version) != Some(false))
                {
                    let name = format!("{}::{}_v{version}", scenario.path(), snake(api.name()));
                    cases.push(Case { scenario, name, key: api.key(), version, variant: None });
                }
            }
            continue;
        }
        for version in versions(scenario) {
            let name = format!("{}::v{version}", scenario.path());
            if scenario.vary.is_empty() {
                cases.push(Case { scenario, name, key: scenario.api, version, variant: None });
                continue;
            }
            for variant in scenario.vary {
                cases.push(varied(scenario, version, Cow::Borrowed(variant)));
            }
        }
    }
    cases
}

/// The wanted cases: those of the suite, and those that the filter names by a seed of their own.
pub fn wanted(suite: &Suite, facts: Option<&Facts>, filter: &Filter) -> Vec<Case> {
    let mut cases = cases(suite, facts);
    for name in &filter.exact {
        if cases.iter().all(|case| case.name != *name) {
            cases.extend(by_seed(suite, name));
        }
    }
    cases.retain(|case| filter.wants(suite, case));
    cases
}

/// The case of a property with this name, whatever its seed: `properties::log::name::v13::seed_1f2e`.
pub fn by_seed(suite: &Suite, name: &str) -> Option<Case> {
    let (rest, variant) = name.rsplit_once("::")?;
    let (path, version) = rest.rsplit_once("::v")?;
    let seed = variant.strip_prefix(SEED)?;
    let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if seed.is_empty() || seed.len() > 16 || !seed.bytes().all(hex) {
        return None;
    }
    let version = version.parse().ok()?;
    let mut properties = suite.scenarios.iter().filter(|scenario| scenario.is_property());
    let scenario = properties.find(|scenario| scenario.path() == path)?;
    versions(scenario)
        .contains(&version)
        .then(|| varied(scenario, version, Cow::Owned(variant.to_owned())))
}

/// A case of each property and version that the target can be asked and the filter wants, with a seed each that
/// `next` gives.
pub fn with_fresh_seeds(
    suite: &Suite,
    facts: &Facts,
    filter: &Filter,
    mut next: impl FnMut() -> u32,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for scenario in suite.scenarios.iter().filter(|scenario| scenario.is_property()) {
        for version in versions(scenario) {
            let case = varied(scenario, version, Cow::Owned(format!("{SEED}{:x}", next())));
            if filter.wants(suite, &case) && decide(facts, &case) == Decision::Run {
                cases.push(case);
            }
        }
    }
    cases
}

fn varied(scenario: &'static Scenario, version: i16, variant: Cow<'static, str>) -> Case {
    let name = format!("{}::v{version}::{variant}", scenario.path());
    Case { scenario, name, key: scenario.api, version, variant: Some(variant) }
}

/// The stable versions of the scenario's API that it applies to.
fn versions(scenario: &Scenario) -> Vec<i16> {
    let Some(api) = schema::api(scenario.api) else { return Vec::new() };
    let known = api.versions(Direction::Request);
    let (first, last) = scenario.versions;
    (first.max(*known.start())..=last.min(*known.end()))
        .filter(|version| api.stable(*version))
        .collect()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// Where what a release of Apache Kafka serves is not what it advertises: `Some(true)` is served all the same,
/// `Some(false)` is not.
fn served(facts: Option<&Facts>, key: i16, version: i16) -> Option<bool> {
    let reference = facts?.reference;
    let four = (reference.0, reference.1) >= (4, 0);
    match key {
        // KAFKA-18659: 0 to 2 are advertised for old librdkafka's sake, and closed.
        keys::Produce if version < 3 && four => Some(false),
        // KIP-714: served although unlisted where no telemetry receiver is configured.
        keys::GetTelemetrySubscriptions | keys::PushTelemetry if version == 0 => Some(true),
        _ => None,
    }
}

/// What to do with a case, given what is known of the target.
pub fn decide(facts: &Facts, case: &Case) -> Decision {
    for need in case.scenario.needs {
        if let Err(provide) = need.met(facts) {
            return Decision::NotRun(provide);
        }
    }
    let offered =
        served(Some(facts), case.key, case.version).unwrap_or(facts.offers(case.key, case.version));
    if offered {
        return Decision::Run;
    }
    let name = schema::api(case.key).map_or("this API", |api| api.name());
    Decision::Unsupported(match facts.apis.get(&case.key) {
        Some((min, max)) => {
            format!("{name} is offered in versions {min} to {max}, not in {}", case.version)
        }
        None => format!("{name} is not offered"),
    })
}

/// The cases of a round, in the order in which they run.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Those that must not have company. They change settings of the whole cluster, which take their time where topics by
    /// the hundred were made or deleted just before; so they come first.
    pub alone: Vec<Case>,
    /// One after the other.
    pub phases: Vec<Phase>,
}

/// Cases that run side by side.
#[derive(Clone, Debug, Default)]
pub struct Phase {
    /// Those that wait for timers of the broker: they cost nothing while they do, and take longest.
    pub slow: Vec<Case>,
    /// The ordinary ones.
    pub others: Vec<Case>,
    /// They are disturbed when topics are deleted meanwhile.
    pub fragile: bool,
}

/// Sorts cases by the way in which they run against a target held to this release; shuffles by the seed if one is given.
///
/// Before 4.0 the cases about members of classic groups are a phase of their own: the coordinator forgets groups without
/// offsets, ids that it has just handed out included, whenever somebody deletes a topic
/// (GroupMetadataManager.cleanupGroupMetadata), as other cases do.
pub fn order(reference: Reference, mut cases: Vec<Case>, seed: Option<u64>) -> Order {
    if let Some(seed) = seed {
        shuffle(&mut cases, seed);
    }
    let (alone, others): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.scenario.exclusive);
    let fragile = |case: &Case| reference < Reference(4, 0) && MEMBERS.contains(&case.key);
    let (members, others): (Vec<_>, Vec<_>) = others.into_iter().partition(fragile);
    let phase = |cases: Vec<Case>, fragile| {
        let (slow, others) = cases.into_iter().partition(|case| case.scenario.slow);
        Phase { slow, others, fragile }
    };
    Order { alone, phases: vec![phase(members, true), phase(others, false)] }
}

/// The APIs of classic groups and their members.
const MEMBERS: &[i16] = &[
    keys::JoinGroup,
    keys::Heartbeat,
    keys::LeaveGroup,
    keys::SyncGroup,
    keys::DescribeGroups,
    keys::ListGroups,
];

/// Fisher-Yates with xorshift64*: a shuffle that a seed repeats on any machine and in any release.
fn shuffle(cases: &mut [Case], seed: u64) {
    let mut state = seed | 1;
    for at in (1..cases.len()).rev() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let draw = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        cases.swap(at, usize::try_from(draw).unwrap_or(0) % (at + 1));
    }
}

/// Names of cases that occur more than once: a mistake of ours.
pub fn duplicates(cases: &[Case]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    cases.iter().map(|case| case.name.as_str()).filter(|name| !seen.insert(*name)).collect()
}
