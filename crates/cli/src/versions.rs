//! Ranges of API versions side by side.

use serde::Serialize;

/// The lowest and the highest version, both included.
pub(crate) type Range = (i16, i16);

/// How one side's versions of an API stand to those of another that came first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    /// Versions of the first side that the second lacks.
    pub(crate) lacks: Vec<Range>,
    /// Versions of the second side that the first does not have.
    pub(crate) adds: Vec<Range>,
    /// The first side has the API, and the second does not at all.
    pub(crate) gone: bool,
    /// The second side has the API, and the first does not at all.
    pub(crate) new: bool,
}

impl Standing {
    /// Of the second side to the first.
    pub(crate) fn of(first: Option<Range>, second: Option<Range>) -> Self {
        let (first, second) = (first.filter(sound), second.filter(sound));
        Self {
            lacks: without(first, second),
            adds: without(second, first),
            gone: first.is_some() && second.is_none(),
            new: first.is_none() && second.is_some(),
        }
    }

    /// In words; empty where both sides have the same.
    pub(crate) fn words(&self) -> String {
        if self.gone {
            return "lacks the API".to_owned();
        }
        if self.new {
            return "adds the API".to_owned();
        }
        let mut parts = Vec::new();
        for (what, ranges) in [("lacks", &self.lacks), ("adds", &self.adds)] {
            if !ranges.is_empty() {
                let shown: Vec<String> = ranges.iter().map(|range| show(Some(*range))).collect();
                parts.push(format!("{what} {}", shown.join(" and ")));
            }
        }
        parts.join(", ")
    }
}

/// The highest version that is in both ranges: what a client of one side speaks to the other.
pub(crate) fn common(one: Option<Range>, other: Option<Range>) -> Option<i16> {
    let (one, other) = (one?, other?);
    let highest = one.1.min(other.1);
    (highest >= one.0.max(other.0)).then_some(highest)
}

/// `0-9`, `3`, or `-` for none.
pub(crate) fn show(range: Option<Range>) -> String {
    match range {
        Some((min, max)) if min == max => min.to_string(),
        Some((min, max)) => format!("{min}-{max}"),
        None => "-".to_owned(),
    }
}

/// A broker may advertise nonsense, such as a lowest version above the highest: that is none.
fn sound(range: &Range) -> bool {
    range.0 <= range.1
}

/// What is in the first range and not in the second.
fn without(first: Option<Range>, second: Option<Range>) -> Vec<Range> {
    let Some(first) = first else { return Vec::new() };
    let Some(second) = second else { return vec![first] };
    if second.0 > first.1 || second.1 < first.0 {
        return vec![first];
    }
    let below = (first.0 < second.0).then(|| (first.0, second.0 - 1));
    let above = (first.1 > second.1).then(|| (second.1 + 1, first.1));
    below.into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_apart() {
        for (first, second, words) in [
            (Some((0, 9)), Some((0, 9)), ""),
            (Some((0, 9)), Some((3, 7)), "lacks 0-2 and 8-9"),
            (Some((3, 7)), Some((0, 9)), "adds 0-2 and 8-9"),
            (Some((0, 5)), Some((3, 8)), "lacks 0-2, adds 6-8"),
            (Some((0, 1)), Some((4, 4)), "lacks 0-1, adds 4"),
            (Some((0, 1)), None, "lacks the API"),
            (None, Some((0, 1)), "adds the API"),
            (None, None, ""),
            (Some((0, 1)), Some((5, 2)), "lacks the API"),
            (Some((i16::MIN, i16::MAX)), Some((0, 0)), "lacks -32768--1 and 1-32767"),
        ] {
            assert_eq!(Standing::of(first, second).words(), words, "{first:?} {second:?}");
        }
    }

    #[test]
    fn the_highest_common_version() {
        assert_eq!(common(Some((0, 9)), Some((3, 7))), Some(7));
        assert_eq!(common(Some((0, 2)), Some((3, 7))), None);
        assert_eq!(common(Some((3, 7)), Some((7, 9))), Some(7));
        assert_eq!(common(None, Some((3, 7))), None);
    }
}
