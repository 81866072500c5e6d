//! Properties: what holds whatever is sent. Values are drawn from a seed, a failing one is made smaller, and what is
//! told is the smallest. See `requirements/properties.toml`.
//!
//! A property is a scenario whose variants are seeds. The plan holds few of them, picked because much happens in what
//! they draw; `--properties 30s` draws more.

use std::sync::LazyLock;

use kconform_scenario::Scenario;

mod batches;
mod blob;
mod for_all;
mod log;
mod offsets;
mod request;
mod requests;
mod transactions;
mod txn_model;

/// The files of this family.
const FILES: &[&[&Scenario]] = &[
    batches::SCENARIOS,
    log::SCENARIOS,
    offsets::SCENARIOS,
    requests::SCENARIOS,
    transactions::SCENARIOS,
];

/// Seeds that failed once, a line each: the path of the property, the seed, and behind `#` what it showed.
const REGRESSIONS: &str = include_str!("properties/regressions.txt");

/// The properties, with the seeds that are kept among their variants.
static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let scenarios = FILES.iter().flat_map(|file| file.iter().copied());
    scenarios.map(|scenario| with_kept(scenario, REGRESSIONS)).collect()
});

/// Every property, in the order of the catalogue.
pub(crate) fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter()
}

fn with_kept(scenario: &Scenario, kept: &'static str) -> Scenario {
    let path = scenario.path();
    let mut vary = scenario.vary.to_vec();
    for (_, seed) in seeds(kept).filter(|(property, _)| *property == path) {
        if !vary.contains(&seed) {
            vary.push(seed);
        }
    }
    // Once a process, for as long as it lives: a scenario is static.
    Scenario { vary: vary.leak(), ..*scenario }
}

/// Path and seed of each line that is not a comment.
fn seeds(kept: &str) -> impl Iterator<Item = (&str, &str)> {
    kept.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kconform_scenario::SEED;

    use super::*;

    #[test]
    fn a_kept_seed_is_one_more_variant_of_its_property_alone() {
        let [first, second] = [log::SCENARIOS[0], batches::SCENARIOS[0]];
        let kept = format!("# path seed\n{} seed_1f2e # lost a batch\n", first.path()).leak();
        let with = with_kept(first, kept);
        assert_eq!(with.vary.len(), first.vary.len() + 1);
        assert_eq!(with.vary.last(), Some(&"seed_1f2e"));
        assert_eq!(with_kept(second, kept).vary, second.vary);
    }

    #[test]
    fn every_kept_line_names_a_property_and_a_seed() {
        let paths: Vec<String> = scenarios().map(Scenario::path).collect();
        for line in REGRESSIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (path, seed) = seeds(line).next().expect(line);
            assert!(paths.iter().any(|known| known == path), "no property {path}");
            let number = seed.strip_prefix(SEED).expect(line);
            assert!(u64::from_str_radix(number, 16).is_ok(), "{seed} is no seed");
        }
        assert!(scenarios().all(Scenario::is_property));
    }
}
