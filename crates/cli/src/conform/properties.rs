//! `--properties 30s`: the properties of the selection once more, with fresh values, until the time is up.

use std::time::{Duration, Instant};

use kconform_harness::plan::{self, Case};
use kconform_harness::{Done, Options, Probed, Suite};
use kconform_report::Verdict;

use crate::args::Conform;
use crate::trouble::Trouble;
use crate::{results, suite};

/// What a case is taken to cost before any was run, the other jobs' cases beside it.
const GUESSED: Duration = Duration::from_millis(60);
/// A round is cleaned up after, so that no topics pile up; it is planned to end within this.
const ROUND: Duration = Duration::from_secs(10);
/// Fewer cases are not worth a round.
const LEAST: usize = 8;

/// The drawing of values for a while.
#[derive(Debug)]
pub(super) struct Drawn {
    lasts: Duration,
    seed: u64,
    state: u64,
    checked: usize,
}

impl Drawn {
    /// What was asked for; `None` when nothing was.
    pub(super) fn of(args: &Conform) -> Result<Option<Self>, Trouble> {
        let Some(lasts) = args.manner.properties else { return Ok(None) };
        let (suite, filter) = (suite::suite(), args.filter.filter());
        let wanted = plan::cases(&suite, None)
            .iter()
            .any(|case| case.scenario.is_property() && filter.wants(&suite, case));
        if !wanted {
            return Err(Trouble::Usage(
                "--properties draws values for the properties that are selected, and none is; \
                 --family properties selects them all"
                    .to_owned(),
            ));
        }
        let seed = args.manner.properties_seed.unwrap_or_else(results::fresh_seed);
        Ok(Some(Self::new(lasts, seed)))
    }

    fn new(lasts: Duration, seed: u64) -> Self {
        Self { lasts, seed, state: seed, checked: 0 }
    }

    /// For people: how to draw the same values again. Ends with a line break.
    pub(super) fn announced(&self) -> String {
        let Self { lasts, seed, .. } = self;
        format!(
            "Properties for {} s: `--properties-seed {seed}` draws the same values again.\n",
            lasts.as_secs()
        )
    }

    /// Cases that were run.
    pub(super) fn checked(&self) -> usize {
        self.checked
    }

    /// Runs rounds until the time is up, the target is lost, or somebody stops it.
    pub(super) fn check(
        &mut self,
        suite: &Suite,
        probed: &Probed,
        options: &Options,
        done: &mut Done,
        run: impl Fn(Vec<Case>, Options) -> Done,
    ) {
        let ends = Instant::now() + self.lasts;
        let (mut waiting, mut cost) = (Vec::new(), GUESSED);
        for round in 1.. {
            let left = ends.saturating_duration_since(Instant::now());
            let failed = |done: &Done| {
                done.records
                    .iter()
                    .any(|record| matches!(record.verdict, Verdict::Failed | Verdict::Error))
            };
            let stopped = done.lost || done.interrupted || (options.fail_fast && failed(done));
            if left.is_zero() || stopped {
                return;
            }
            if waiting.is_empty() {
                waiting = self.draw(suite, probed, options);
            }
            let count = fitting(left.min(ROUND), cost).min(waiting.len());
            if count == 0 {
                return;
            }
            let cases = waiting.split_off(waiting.len() - count);
            let began = Instant::now();
            let options = Options {
                append: true,
                repeat: 1,
                seed: None,
                // Names of a round's own: what the round before it made may still be going away.
                run_id: format!("{}-p{round}", options.run_id),
                ..options.clone()
            };
            let more = run(cases, options);
            cost = began.elapsed() / u32::try_from(count).unwrap_or(u32::MAX);
            self.checked += count;
            done.absorb(more);
        }
    }

    /// A case of each property and version, in random order.
    fn draw(&mut self, suite: &Suite, probed: &Probed, options: &Options) -> Vec<Case> {
        let mut cases =
            plan::with_fresh_seeds(suite, &probed.facts, &options.filter, || self.next());
        for at in (1..cases.len()).rev() {
            let other = usize::try_from(self.next()).unwrap_or(0) % (at + 1);
            cases.swap(at, other);
        }
        cases
    }

    /// SplitMix64, its upper half: the same numbers from a seed on any machine and in any release.
    fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}

/// How many cases of this cost fit into the time.
fn fitting(time: Duration, cost: Duration) -> usize {
    let count = time.as_micros() / cost.as_micros().max(1);
    usize::try_from(count).unwrap_or(usize::MAX).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_numbers_again() {
        let numbers = |seed| {
            let mut drawn = Drawn::new(Duration::from_secs(1), seed);
            [drawn.next(), drawn.next(), drawn.next()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        // SplitMix64's published first number for the seed 0.
        assert_eq!(numbers(0)[0], 0xe220_a839);
    }

    #[test]
    fn rounds_fit_into_what_is_left() {
        assert_eq!(fitting(Duration::from_secs(6), Duration::from_millis(60)), 100);
        assert_eq!(fitting(Duration::from_millis(1), Duration::from_secs(1)), LEAST);
        assert_eq!(fitting(Duration::from_secs(1), Duration::ZERO), 1_000_000);
    }
}
