//! What two partitions must look like after a history of transactions, and what is wrong with an answer that shows
//! something else.

use std::collections::BTreeSet;

use kconform_scenario::wire::records::Marker;

/// What a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of no transaction.
    Plain,
    /// Of a transaction.
    Data,
    /// The end of one.
    End(Marker),
}

/// A batch, in the model and in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) base: i64,
    /// The offset behind its last record.
    pub(super) next: i64,
    /// Producer id; -1 for none.
    pub(super) producer: i64,
    pub(super) kind: Kind,
    /// None in a marker.
    pub(super) values: Vec<String>,
}

/// One transaction on one partition.
#[derive(Clone, Debug)]
struct Part {
    log: usize,
    producer: i64,
    first: i64,
    /// How it ended; none while it is open.
    ended: Option<Marker>,
}

/// The partitions and the transactions on them.
#[derive(Debug, Default)]
pub(super) struct Model {
    logs: [Vec<Entry>; 2],
    parts: Vec<Part>,
}

/// What an answer to a fetch shows of a partition.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) high_watermark: i64,
    pub(super) last_stable: i64,
    /// Producer id and first offset of each aborted transaction; `None` is null.
    pub(super) aborted: Option<Vec<(i64, i64)>>,
    pub(super) entries: Vec<Entry>,
}

impl Model {
    /// The offset of the next record.
    pub(super) fn end(&self, log: usize) -> i64 {
        self.logs[log].last().map_or(0, |entry| entry.next)
    }

    /// The first offset of the first open transaction, or the end.
    pub(super) fn stable(&self, log: usize) -> i64 {
        let open = self.parts.iter().filter(|part| part.log == log && part.ended.is_none());
        open.map(|part| part.first).min().unwrap_or_else(|| self.end(log))
    }

    /// Appends records of no transaction; gives their first offset.
    pub(super) fn plain(&mut self, log: usize, values: Vec<String>) -> i64 {
        self.push(log, -1, Kind::Plain, values)
    }

    /// Appends records of the transaction that this producer has open, or opens by it.
    pub(super) fn data(&mut self, log: usize, producer: i64, values: Vec<String>) -> i64 {
        let first = self.end(log);
        let open =
            |part: &Part| part.log == log && part.producer == producer && part.ended.is_none();
        if !self.parts.iter().any(open) {
            self.parts.push(Part { log, producer, first, ended: None });
        }
        self.push(log, producer, Kind::Data, values)
    }

    /// Ends the transaction of this producer: a marker in each of its partitions.
    pub(super) fn end_txn(&mut self, producer: i64, how: Marker) {
        for at in 0..self.parts.len() {
            let part = &mut self.parts[at];
            if part.producer == producer && part.ended.is_none() {
                part.ended = Some(how);
                let log = part.log;
                self.push(log, producer, Kind::End(how), Vec::new());
            }
        }
    }

    fn push(&mut self, log: usize, producer: i64, kind: Kind, values: Vec<String>) -> i64 {
        let base = self.end(log);
        // A marker takes one offset.
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX).max(1);
        self.logs[log].push(Entry { base, next: base + count, producer, kind, values });
        base
    }

    /// What is wrong with an answer to a fetch from this offset with room for everything.
    pub(super) fn judge(
        &self,
        log: usize,
        from: i64,
        committed: bool,
        shown: &Shown,
    ) -> Result<(), String> {
        let (end, stable) = (self.end(log), self.stable(log));
        if (shown.high_watermark, shown.last_stable) != (end, stable) {
            return Err(format!(
                "high watermark {} and last stable offset {}, not {end} and {stable}",
                shown.high_watermark, shown.last_stable
            ));
        }
        let behind = if committed { stable } else { end };
        let seen = |entry: &&Entry| entry.next > from && entry.base < behind;
        let expected: Vec<&Entry> = self.logs[log].iter().filter(seen).collect();
        let count = expected.len().max(shown.entries.len());
        for at in 0..count {
            let (want, got) = (expected.get(at).copied(), shown.entries.get(at));
            if want != got {
                return Err(format!("batch {at} of {}: {got:?}, not {want:?}", expected.len()));
            }
        }
        if !committed {
            return match &shown.aborted {
                None => Ok(()),
                Some(list) => Err(format!("aborted transactions {list:?}, not null")),
            };
        }
        let Some(list) = &shown.aborted else {
            return Err("no list of aborted transactions".to_owned());
        };
        self.judge_aborted(log, &expected, list)?;
        let (want, got) = (self.committed(log, &expected), delivered(&shown.entries, list));
        if want == got { Ok(()) } else { Err(format!("a consumer delivers {got:?}, not {want:?}")) }
    }

    /// The list names each aborted transaction of which there is a record in the answer; it may name others that were
    /// aborted on the partition, and no others.
    fn judge_aborted(
        &self,
        log: usize,
        expected: &[&Entry],
        list: &[(i64, i64)],
    ) -> Result<(), String> {
        let aborted: Vec<&Part> = self
            .parts
            .iter()
            .filter(|part| part.log == log && part.ended == Some(Marker::Abort))
            .collect();
        let mut named = BTreeSet::new();
        for one in list {
            if !named.insert(*one) {
                return Err(format!("the aborted transaction {one:?} twice"));
            }
            if !aborted.iter().any(|part| (part.producer, part.first) == *one) {
                return Err(format!("{one:?} among the aborted transactions, which it is not"));
            }
        }
        let there = |part: &&&Part| {
            expected.iter().any(|entry| {
                entry.kind == Kind::Data
                    && self.part_of(log, entry).is_some_and(|of| of.first == part.first)
            })
        };
        match aborted
            .iter()
            .filter(there)
            .find(|part| !named.contains(&(part.producer, part.first)))
        {
            None => Ok(()),
            Some(part) => {
                Err(format!("an aborted transaction is missing: {:?}", (part.producer, part.first)))
            }
        }
    }

    /// The transaction of a batch: the last of its producer that had begun there.
    fn part_of(&self, log: usize, entry: &Entry) -> Option<&Part> {
        let of = |part: &&Part| {
            part.log == log && part.producer == entry.producer && part.first <= entry.base
        };
        self.parts.iter().filter(of).max_by_key(|part| part.first)
    }

    /// The values of these batches that a consumer of committed data gets.
    fn committed(&self, log: usize, entries: &[&Entry]) -> Vec<String> {
        let kept = entries.iter().filter(|entry| match entry.kind {
            Kind::Plain => true,
            Kind::Data => {
                let part = self.part_of(log, entry);
                part.is_some_and(|part| part.ended == Some(Marker::Commit))
            }
            Kind::End(_) => false,
        });
        kept.flat_map(|entry| entry.values.clone()).collect()
    }
}

/// What a consumer hands on of an answer, as `CompletedFetch` of the Java consumer reads it.
fn delivered(entries: &[Entry], aborted: &[(i64, i64)]) -> Vec<String> {
    let mut to_come = aborted.to_vec();
    to_come.sort_by_key(|(_, first)| *first);
    let mut to_come = to_come.into_iter().peekable();
    let (mut undone, mut values) = (BTreeSet::new(), Vec::new());
    for entry in entries {
        while let Some((id, _)) = to_come.next_if(|(_, first)| *first < entry.next) {
            undone.insert(id);
        }
        match entry.kind {
            Kind::End(Marker::Abort) => drop(undone.remove(&entry.producer)),
            Kind::Data if !undone.contains(&entry.producer) => values.extend(entry.values.clone()),
            Kind::Plain => values.extend(entry.values.clone()),
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    /// Plain 0; aborted by 7 at 1 and 3; committed by 8 at 2; markers at 4 and 5; open by 7 at 6; plain 7.
    fn model() -> Model {
        let mut model = Model::default();
        model.plain(0, values(&["plain"]));
        model.data(0, 7, values(&["undone"]));
        model.data(0, 8, values(&["done"]));
        model.data(0, 7, values(&["undone too"]));
        model.end_txn(7, Marker::Abort);
        model.end_txn(8, Marker::Commit);
        model.data(0, 7, values(&["open"]));
        model.plain(0, values(&["behind"]));
        model
    }

    fn shown(model: &Model, committed: bool) -> Shown {
        let behind = if committed { 6 } else { 8 };
        Shown {
            high_watermark: 8,
            last_stable: 6,
            aborted: committed.then(|| vec![(7, 1)]),
            entries: model.logs[0].iter().filter(|entry| entry.base < behind).cloned().collect(),
        }
    }

    #[test]
    fn what_is_right_is_let_be_at_both_levels() {
        let model = model();
        assert_eq!((model.end(0), model.stable(0)), (8, 6));
        assert_eq!((model.end(1), model.stable(1)), (0, 0));
        for committed in [false, true] {
            assert_eq!(model.judge(0, 0, committed, &shown(&model, committed)), Ok(()));
        }
        // From within the aborted transaction on, and from behind it, where the list may still name it or not.
        for from in 2..=6 {
            let mut later = shown(&model, true);
            later.entries.retain(|entry| entry.next > from);
            assert_eq!(model.judge(0, from, true, &later), Ok(()), "{from}");
            if from > 3 {
                later.aborted = Some(Vec::new());
                assert_eq!(model.judge(0, from, true, &later), Ok(()), "{from}");
            }
        }
    }

    #[test]
    fn whatever_else_is_told() {
        let model = model();
        let wrong = |committed, change: &dyn Fn(&mut Shown)| {
            let mut shown = shown(&model, committed);
            change(&mut shown);
            model.judge(0, 0, committed, &shown).unwrap_err()
        };
        assert!(wrong(true, &|shown| shown.last_stable = 8).contains("last stable offset 8"));
        assert!(wrong(false, &|shown| shown.high_watermark = 7).contains("high watermark 7"));
        assert!(wrong(true, &|shown| drop(shown.entries.remove(4))).contains("batch 4"));
        assert!(wrong(true, &|shown| shown.entries.swap(1, 2)).contains("batch 1"));
        assert!(wrong(false, &|shown| drop(shown.entries.pop())).contains("batch 7"));
        let twice = |shown: &mut Shown| shown.entries.push(shown.entries[5].clone());
        assert!(wrong(true, &twice).contains("batch 6"));
        let other = |shown: &mut Shown| shown.entries[4].kind = Kind::End(Marker::Commit);
        assert!(wrong(true, &other).contains("batch 4"));
        assert!(wrong(true, &|shown| shown.aborted = None).contains("no list"));
        assert!(wrong(false, &|shown| shown.aborted = Some(Vec::new())).contains("not null"));
        let list = |list: &'static [(i64, i64)]| {
            wrong(true, &move |shown| shown.aborted = Some(list.to_vec()))
        };
        assert!(list(&[]).contains("missing"));
        assert!(list(&[(7, 1), (7, 1)]).contains("twice"));
        assert!(list(&[(7, 1), (8, 2)]).contains("which it is not"));
        assert!(list(&[(7, 6)]).contains("which it is not"));
    }
}
