//! What a `records` field holds, and the records of it with their offsets and times.

use bytes::Bytes;

use super::breakage::{CRC_AT, HEADER};
use super::message::MESSAGE_CRC_AT;
use super::{Batch, Header, Message, RecordsBreach, Rule, Wrapper};

/// Everything in the bytes of a `records` field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// The whole batches and messages, in order.
    pub entries: Vec<Entry>,
    /// Bytes at the end that are the start of one more entry. A Fetch may cut there; a Produce may not.
    pub partial: usize,
}

/// One whole entry, read, and its bytes as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Magic 2.
    Batch(Batch, Bytes),
    /// Magic 0 or 1, not compressed.
    Message(Message, Bytes),
    /// Magic 0 or 1, compressed.
    Wrapper(Wrapper, Bytes),
}

/// A record or message in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Which entry of the field it came from.
    pub entry: usize,
    /// The batch around it; `None` for messages.
    pub batch: Option<&'a Batch>,
    /// Absolute offset.
    pub offset: i64,
    /// Milliseconds since 1970 by the rules of the format (time of append where that is said), -1 for none.
    pub timestamp: i64,
    /// Null and empty are different keys.
    pub key: Option<&'a Bytes>,
    /// Null and empty are different values.
    pub value: Option<&'a Bytes>,
    /// In order, duplicates included.
    pub headers: &'a [Header],
}

impl Contents {
    /// The batches of magic 2.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Batch(batch, _) => Some(batch),
            _ => None,
        })
    }

    /// Every record and message, those of control batches included.
    pub fn records(&self) -> impl Iterator<Item = Placed<'_>> {
        self.entries.iter().enumerate().flat_map(|(index, entry)| entry.records(index))
    }

    /// Where a reader goes on after these entries; `None` when there are none.
    pub fn next_offset(&self) -> Option<i64> {
        self.entries.last().map(Entry::next_offset)
    }

    /// Checks what a log promises beyond each entry by itself: that entries follow one another without overlap.
    /// The bytes of a Produce make no such promise, since their offsets are not yet assigned.
    pub fn check_order(&self) -> Result<(), RecordsBreach> {
        let mut at = 0;
        let mut next = None;
        for (index, entry) in self.entries.iter().enumerate() {
            let found = entry.base_offset();
            if let Some(next) = next.filter(|next| found < *next) {
                let rule = Rule::OffsetOrder { found, previous: next - 1 };
                return Err(RecordsBreach {
                    entry: index,
                    record: None,
                    at,
                    decompressed: false,
                    rule,
                });
            }
            next = Some(entry.next_offset());
            at += entry.raw().len();
        }
        Ok(())
    }
}

impl Entry {
    /// The bytes of the entry.
    pub fn raw(&self) -> &Bytes {
        match self {
            Self::Batch(_, raw) | Self::Message(_, raw) | Self::Wrapper(_, raw) => raw,
        }
    }

    /// The CRC field as it came. 0 if the bytes kept here are too short to have one.
    pub fn crc(&self) -> u32 {
        let at = match self {
            Self::Batch(..) => CRC_AT,
            _ => MESSAGE_CRC_AT,
        };
        self.raw()
            .get(at..)
            .and_then(|rest| rest.first_chunk::<4>())
            .map_or(0, |crc| u32::from_be_bytes(*crc))
    }

    /// The bytes behind the header of a batch, as they came (compressed or not); empty for messages.
    pub fn payload(&self) -> Bytes {
        match self {
            Self::Batch(_, raw) => raw.slice(HEADER.min(raw.len())..),
            _ => Bytes::new(),
        }
    }

    /// The first offset: a batch's base offset, or that of the first message.
    pub fn base_offset(&self) -> i64 {
        match self {
            Self::Batch(batch, _) => batch.base_offset,
            Self::Message(message, _) => message.offset,
            Self::Wrapper(wrapper, _) => {
                wrapper.messages.first().map_or(wrapper.offset, |first| first.offset)
            }
        }
    }

    /// The offset at which a reader goes on.
    pub fn next_offset(&self) -> i64 {
        match self {
            Self::Batch(batch, _) => batch.next_offset(),
            Self::Message(message, _) => message.offset.wrapping_add(1),
            Self::Wrapper(wrapper, _) => wrapper.offset.wrapping_add(1),
        }
    }

    fn records(&self, entry: usize) -> Box<dyn Iterator<Item = Placed<'_>> + '_> {
        match self {
            Self::Batch(batch, _) => Box::new(batch.records.iter().map(move |record| Placed {
                entry,
                batch: Some(batch),
                offset: batch.base_offset.wrapping_add(i64::from(record.offset_delta)),
                timestamp: batch.timestamp(record),
                key: record.key.as_ref(),
                value: record.value.as_ref(),
                headers: &record.headers,
            })),
            Self::Message(message, _) => Box::new(std::iter::once(placed(message, entry, None))),
            Self::Wrapper(wrapper, _) => {
                let appended = wrapper.log_append_time.then_some(wrapper.timestamp);
                Box::new(
                    wrapper.messages.iter().map(move |message| placed(message, entry, appended)),
                )
            }
        }
    }
}

fn placed(message: &Message, entry: usize, appended: Option<i64>) -> Placed<'_> {
    Placed {
        entry,
        batch: None,
        offset: message.offset,
        timestamp: appended.unwrap_or(message.timestamp),
        key: message.key.as_ref(),
        value: message.value.as_ref(),
        headers: &[],
    }
}
