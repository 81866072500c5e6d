//! Drawing a value from the case's seed, checking it, and making it smaller when the check fails.
//!
//! The generator is seeded with the variant alone and proptest's own ChaCha is the only source of chance, so that a
//! case stays a function of its inputs and of what the target answered: it can be played back, shrinking and all.

use std::fmt::Debug;
use std::time::Duration;

use kconform_scenario::prelude::*;
use kconform_scenario::{Finding, SEED};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Tries to make a failing value smaller end after so many.
const STEPS: u32 = 120;

/// Nor do they begin when the case is this old: each may wait for an answer that never comes.
const PATIENCE: Duration = Duration::from_secs(25);

/// Longest form of a value in a finding, in characters.
const SHOWN: usize = 1500;

/// Checks one value of the strategy, that of the case's seed. `check` must start from nothing each time: on a
/// failure it is called again with smaller values, and the smallest that still fails is told.
///
/// # Errors
/// What the check gives; a [`Failure::Failed`] names the value and the seed besides.
pub(super) async fn for_all<S: Strategy>(
    cx: &Cx,
    strategy: S,
    check: impl AsyncFn(&S::Value) -> Outcome,
) -> Outcome {
    let began = cx.now();
    let seed = seed(cx.variant())?;
    let patient =
        async || cx.now().saturating_sub(began) < PATIENCE && cx.goes_on("a smaller value").await;
    let outcome = smallest(&strategy, seed, patient, check).await;
    match outcome {
        Err(Failed::Value { value, mut finding, steps }) => {
            finding.got = format!(
                "{}; with {value}, the smallest after {steps} smaller tries from {}",
                finding.got,
                cx.variant()
            );
            Err(Failure::Failed(finding))
        }
        Err(Failed::Otherwise(failure)) => Err(failure),
        Ok(()) => Ok(()),
    }
}

/// The number in `seed_1f2e`.
fn seed(variant: &str) -> Result<u64, Failure> {
    let number = variant.strip_prefix(SEED).and_then(|text| u64::from_str_radix(text, 16).ok());
    number.ok_or_else(|| Failure::error(format!("{variant} is no seed")))
}

/// How a search ended that did not pass.
#[derive(Debug)]
enum Failed {
    /// The check failed on this value, given in its debug form.
    Value { value: String, finding: Box<Finding>, steps: u32 },
    /// The first value could not be judged.
    Otherwise(Failure),
}

/// The search itself. A smaller value that cannot be judged counts as one that passes: what is told has failed.
async fn smallest<S: Strategy>(
    strategy: &S,
    seed: u64,
    patient: impl AsyncFn() -> bool,
    check: impl AsyncFn(&S::Value) -> Outcome,
) -> Result<(), Failed> {
    let mut tree = strategy
        .new_tree(&mut runner(seed))
        .map_err(|why| Failed::Otherwise(Failure::error(format!("no value: {why}"))))?;
    let value = tree.current();
    let (mut value, mut finding) = match check(&value).await {
        Ok(()) => return Ok(()),
        Err(Failure::Failed(finding)) => (shown(&value), finding),
        Err(other) => return Err(Failed::Otherwise(other)),
    };
    let mut steps = 0;
    let mut smaller = tree.simplify();
    while smaller && steps < STEPS && patient().await {
        steps += 1;
        let candidate = tree.current();
        smaller = match check(&candidate).await {
            Err(Failure::Failed(found)) => {
                (value, finding) = (shown(&candidate), found);
                tree.simplify()
            }
            _ => tree.complicate(),
        };
    }
    Err(Failed::Value { value, finding, steps })
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::Cell;

    use proptest::collection::vec;

    use super::*;

    /// Runs the search; nothing in it waits for anything.
    fn run(
        strategy: &impl Strategy<Value = Vec<u32>>,
        seed: u64,
        patient: bool,
        check: impl Fn(&[u32]) -> Outcome,
    ) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let check = async |value: &Vec<u32>| check(value);
        runtime.block_on(smallest(strategy, seed, async || patient, check))
    }

    fn at_most_one_is_large(values: &[u32]) -> Outcome {
        let large = values.iter().filter(|value| **value >= 700).count();
        require(large < 2, "at most one large number", || format!("{large}"))
    }

    #[test]
    fn a_failing_value_is_made_as_small_as_still_fails() {
        let strategy = vec(0..10_000_u32, 0..12);
        let failed = run(&strategy, 7, true, at_most_one_is_large).unwrap_err();
        let Failed::Value { value, finding, steps } = failed else { panic!("{failed:?}") };
        assert_eq!(value, "[700, 700]", "after {steps} steps");
        assert_eq!(finding.got, "2");
        assert!(steps <= STEPS);
    }

    #[test]
    fn a_seed_gives_the_same_value_again_and_another_seed_another() {
        let seen = |seed| {
            let value = Cell::default();
            run(&vec(0..10_000_u32, 8), seed, true, |drawn| {
                value.set(drawn.to_vec());
                Ok(())
            })
            .unwrap();
            value.into_inner()
        };
        assert_eq!(seen(1), seen(1));
        assert_ne!(seen(1), seen(2));
    }

    #[test]
    fn patience_ends_the_search_with_what_has_failed() {
        let strategy = vec(0..10_000_u32, 4..12);
        let failed = run(&strategy, 7, false, |_| Err(Failure::failed("nothing", "this")));
        assert!(matches!(failed, Err(Failed::Value { steps: 0, .. })), "{failed:?}");
    }

    #[test]
    fn what_cannot_be_judged_is_neither_told_as_failed_nor_taken_for_smaller() {
        let strategy = vec(0..10_000_u32, 4..12);
        let blocked = run(&strategy, 7, true, |_| Err(Failure::blocked("a topic", "none")));
        assert!(matches!(blocked, Err(Failed::Otherwise(Failure::Blocked(_)))), "{blocked:?}");

        let failed = run(&strategy, 7, true, |values| match values.len() {
            ..6 => Err(Failure::blocked("a topic", "none")),
            _ => Err(Failure::failed("fewer", "many")),
        });
        let Err(Failed::Value { value, .. }) = failed else { panic!("{failed:?}") };
        assert_eq!(value, "[0, 0, 0, 0, 0, 0]");
    }

    #[test]
    fn only_a_seed_is_a_seed() {
        assert_eq!(seed("seed_1f2e").unwrap(), 0x1f2e);
        assert!(seed("seed_").is_err() && seed("gzip").is_err() && seed("seed_xyz").is_err());
    }
}
