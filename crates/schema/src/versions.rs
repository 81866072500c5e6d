//! A set of versions of one API, small enough to be a bit mask.

use std::fmt;
use std::ops::RangeInclusive;

/// A set of API versions in 0..=63. The highest version of any Kafka API today is 18.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Versions(u64);

impl Versions {
    /// No version at all.
    pub const NONE: Self = Self(0);

    /// Every version of `first..=last`; numbers outside 0..=63 are left out.
    pub fn range(first: i16, last: i16) -> Self {
        (first.max(0)..=last.min(63)).fold(Self::NONE, |set, version| Self(set.0 | 1 << version))
    }

    /// Whether `version` is in the set; false for any number outside 0..=63.
    #[inline]
    pub fn contains(self, version: i16) -> bool {
        (0..64).contains(&version) && (self.0 >> version) & 1 == 1
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every version of `other` is in this set.
    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The versions of both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The versions that both sets have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The versions of this set that `other` lacks.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The versions, ascending.
    pub fn iter(self) -> impl Iterator<Item = i16> {
        (0..64).filter(move |&version| self.contains(version))
    }

    /// From the lowest to the highest version; an empty range (`1..=0`) for the empty set.
    #[allow(clippy::reversed_empty_ranges)]
    pub fn span(self) -> RangeInclusive<i16> {
        match (self.iter().next(), self.iter().last()) {
            (Some(first), Some(last)) => first..=last,
            _ => 1..=0,
        }
    }

    /// Reads `none` or a comma-separated list of `3`, `3-7` and `3+`, where `+` means "to the end of `all`".
    /// Versions outside `all` are dropped. `None` when the text is anything else.
    pub(crate) fn parse(text: &str, all: Self) -> Option<Self> {
        if text.eq_ignore_ascii_case("none") {
            return Some(Self::NONE);
        }
        let top = *all.span().end();
        text.split(',').try_fold(Self::NONE, |set, part| {
            let (first, last) = if let Some(first) = part.strip_suffix('+') {
                (first.parse().ok()?, top)
            } else if let Some((first, last)) = part.split_once('-') {
                (first.parse().ok()?, last.parse().ok()?)
            } else {
                let only = part.parse().ok()?;
                (only, only)
            };
            Some(set.union(Self::range(first, last)).common(all))
        })
    }

    /// The text that [`Versions::parse`] reads back against the same `all`.
    pub(crate) fn text(self, all: Self) -> String {
        let top = *all.span().end();
        let mut parts = Vec::new();
        let mut versions = self.iter().peekable();
        while let Some(first) = versions.next() {
            let mut last = first;
            while let Some(next) = versions.next_if(|&next| next == last + 1) {
                last = next;
            }
            parts.push(match (first, last) {
                _ if last == top && first < top => format!("{first}+"),
                _ if first == last => format!("{first}"),
                _ => format!("{first}-{last}"),
            });
        }
        if parts.is_empty() { "none".to_owned() } else { parts.join(",") }
    }
}

/// `0-2,5`, or `none`.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Self::range(0, 63)))
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_text_form_round_trips() {
        let all = Versions::range(0, 9);
        for (text, versions) in [
            ("3+", vec![3, 4, 5, 6, 7, 8, 9]),
            ("0-2", vec![0, 1, 2]),
            ("9", vec![9]),
            ("0-1,3,5+", vec![0, 1, 3, 5, 6, 7, 8, 9]),
            ("none", vec![]),
        ] {
            let set = Versions::parse(text, all).unwrap();
            assert_eq!(set.iter().collect::<Vec<_>>(), versions, "{text}");
            assert_eq!(set.text(all), text);
        }
    }

    #[test]
    fn versions_outside_the_message_are_dropped() {
        assert_eq!(Versions::parse("0+", Versions::range(3, 5)).unwrap(), Versions::range(3, 5));
        assert_eq!(Versions::parse("0-99", Versions::range(3, 5)).unwrap(), Versions::range(3, 5));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "x", "1-", "-1", "1,,2", "+"] {
            assert_eq!(Versions::parse(text, Versions::range(0, 9)), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_outside_the_mask_are_in_no_set() {
        let all = Versions::range(0, i16::MAX);
        assert!(
            !all.contains(-1) && !all.contains(64) && !all.contains(i16::MIN) && all.contains(63)
        );
        assert!(Versions::NONE.span().is_empty());
    }
}
