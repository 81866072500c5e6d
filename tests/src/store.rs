//! What the scripted broker keeps: topics, and the batches of each partition.

use std::collections::BTreeMap;

/// A partition's log.
#[derive(Default)]
pub(crate) struct Log {
    batches: Vec<(i64, i64, Vec<u8>)>,
    pub(crate) end: i64,
}

/// Topics by name, each with its partitions.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) topics: BTreeMap<String, Vec<Log>>,
}

/// Bytes of a batch before its records; see the record batch format of KIP-98.
const HEADER: usize = 61;
const LAST_OFFSET_DELTA: std::ops::Range<usize> = 23..27;

impl Log {
    /// Appends a batch and gives its base offset; `None` for bytes that are no batch of magic 2.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Option<i64> {
        if bytes.len() < HEADER || bytes[16] != 2 {
            return None;
        }
        let delta = i32::from_be_bytes(bytes[LAST_OFFSET_DELTA].try_into().unwrap());
        let base = self.end;
        let mut batch = bytes.to_vec();
        batch[..8].copy_from_slice(&base.to_be_bytes());
        batch[12..16].copy_from_slice(&0_i32.to_be_bytes());
        self.end = base + i64::from(delta) + 1;
        self.batches.push((base, self.end, batch));
        Some(base)
    }

    /// The batches that hold records from this offset on: at most so many bytes, or one batch (KIP-74).
    pub(crate) fn read(&self, offset: i64, most: i64) -> Vec<u8> {
        let mut wanted = self.batches.iter().filter(|(_, end, _)| *end > offset).peekable();
        let first = wanted.peek().map_or(0, |(_, _, batch)| batch.len());
        let most = usize::try_from(most).unwrap_or(0).max(first);
        wanted.flat_map(|(_, _, batch)| batch.iter().copied()).take(most).collect()
    }
}

impl Store {
    pub(crate) fn partition(&mut self, topic: &str, index: i64) -> Option<&mut Log> {
        self.topics.get_mut(topic)?.get_mut(usize::try_from(index).ok()?)
    }
}
