//! Records in the orders and groups that the views share. Cases finish in any order; views do not show it.

use std::collections::BTreeMap;

use crate::alike::likeness;
use crate::{Counts, Record, Verdict};

/// The records in reading order: family, API key, name of the scenario, version, variant.
pub(crate) fn in_order(records: &[Record]) -> Vec<&Record> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by_cached_key(|record| {
        (
            record.family.clone(),
            record.api_key,
            scenario(record),
            record.version,
            record.name.clone(),
        )
    });
    sorted
}

/// Counts per family, ordered by name.
pub(crate) fn by_family(records: &[Record]) -> BTreeMap<&str, Counts> {
    let mut families: BTreeMap<&str, Counts> = BTreeMap::new();
    for record in records {
        families.entry(&record.family).or_default().add(record);
    }
    families
}

/// The records with this verdict by their reason, the most frequent reason first.
pub(crate) fn by_reason(records: &[Record], verdict: Verdict) -> Vec<(&str, Vec<&Record>)> {
    grouped(records, verdict, str::to_owned)
}

/// The same, with reasons that differ only in numbers and in names of fresh things taken together, under the first of them.
pub(crate) fn by_cause(records: &[Record], verdict: Verdict) -> Vec<(&str, Vec<&Record>)> {
    grouped(records, verdict, likeness)
}

fn grouped(
    records: &[Record],
    verdict: Verdict,
    kind: impl Fn(&str) -> String,
) -> Vec<(&str, Vec<&Record>)> {
    let mut groups: BTreeMap<String, (&str, Vec<&Record>)> = BTreeMap::new();
    for record in in_order(records) {
        if record.verdict == verdict {
            let reason = record.reason.as_deref().unwrap_or("No reason was recorded.");
            groups.entry(kind(reason)).or_insert((reason, Vec::new())).1.push(record);
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|(_, records)| std::cmp::Reverse(records.len()));
    groups
}

/// The records by requirement: the most binding level first, then by id.
pub(crate) fn by_requirement<'a>(
    records: impl IntoIterator<Item = &'a Record>,
) -> Vec<Vec<&'a Record>> {
    let mut groups: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in records {
        groups.entry((record.level, record.id.as_str())).or_default().push(record);
    }
    groups.into_values().collect()
}

/// Numbers as ranges: `0-3, 5`. Repeated numbers count once; the order does not matter.
pub(crate) fn ranges(numbers: impl IntoIterator<Item = i16>) -> String {
    let mut numbers: Vec<i16> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
        .chunk_by(|a, b| i32::from(*b) - i32::from(*a) == 1)
        .map(|run| match run {
            [only] => only.to_string(),
            _ => format!("{}-{}", run[0], run[run.len() - 1]),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// The name without version and variant.
fn scenario(record: &Record) -> String {
    record.name.splitn(4, "::").take(3).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges() {
        assert_eq!(ranges([3, 1, 2, 5, 5, 9, 10]), "1-3, 5, 9-10");
        assert_eq!(ranges([i16::MAX, i16::MIN]), "-32768, 32767");
        assert_eq!(ranges([]), "");
    }
}
