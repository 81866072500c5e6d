//! The magic-2 record batch, as plain data.

use bytes::Bytes;

use super::Codec;

/// A record batch of magic 2 (`DefaultRecordBatch`, KIP-98).
///
/// Every header field is here except the three that follow from the rest when it is written: length, CRC and
/// record count. The fields are written as they stand, so a field that lies (a wrong `max_timestamp`, say) is
/// set and no more; what cannot be said by a field is a [`Breakage`](super::Breakage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Offset of the first record; producers send 0, the broker assigns it.
    pub base_offset: i64,
    /// Epoch of the leader that appended it; producers send -1.
    pub partition_leader_epoch: i32,
    /// Format version. Always 2 in what [`read`](super::read) gives.
    pub magic: i8,
    /// Bits 0-2 of the attributes.
    pub codec: Codec,
    /// Bit 3: every record has `max_timestamp`, the broker's time of append, for its timestamp (KIP-32).
    pub log_append_time: bool,
    /// Bit 4.
    pub transactional: bool,
    /// Bit 5: holds transaction markers or other control records, never data.
    pub control: bool,
    /// All other bits of the attributes, in place: bit 6 is the delete horizon (KIP-534), the rest is reserved.
    pub attributes_extra: i16,
    /// Offset of the last record minus `base_offset`; compaction keeps it when that record goes.
    pub last_offset_delta: i32,
    /// Milliseconds since 1970 to which the records' deltas are added; -1 for none.
    pub base_timestamp: i64,
    /// The largest timestamp of the batch, or the time of append.
    pub max_timestamp: i64,
    /// From InitProducerId; -1 for none.
    pub producer_id: i64,
    /// From InitProducerId; -1 for none.
    pub producer_epoch: i16,
    /// Sequence number of the first record; -1 for none.
    pub base_sequence: i32,
    /// The records, in order. May be empty: compaction leaves such batches.
    pub records: Vec<Record>,
}

/// One record of a batch (`DefaultRecord`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Reserved; 0.
    pub attributes: i8,
    /// Timestamp minus the batch's `base_timestamp`, in milliseconds.
    pub timestamp_delta: i64,
    /// Offset minus the batch's `base_offset`.
    pub offset_delta: i32,
    /// Null and empty are different keys.
    pub key: Option<Bytes>,
    /// Null and empty are different values; null is a tombstone.
    pub value: Option<Bytes>,
    /// In order, duplicates included (KIP-82).
    pub headers: Vec<Header>,
}

/// A header of a record (KIP-82).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Meant to be UTF-8, but kept as it came.
    pub key: Bytes,
    /// May be null.
    pub value: Option<Bytes>,
}

impl Batch {
    /// An empty batch as a plain producer would start it: base offset 0, no codec, no producer, no timestamp.
    pub fn new() -> Self {
        Self {
            base_offset: 0,
            partition_leader_epoch: -1,
            magic: 2,
            codec: Codec::None,
            log_append_time: false,
            transactional: false,
            control: false,
            attributes_extra: 0,
            last_offset_delta: 0,
            base_timestamp: -1,
            max_timestamp: -1,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            records: Vec::new(),
        }
    }

    /// A batch of keyless records with these values.
    pub fn of<V: Into<Bytes>>(values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(Self::new(), Self::value)
    }

    /// Adds a record with key and value at the next offset.
    pub fn record(self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.push(Record { key: Some(key.into()), ..Record::of(value) })
    }

    /// Adds a record without a key at the next offset.
    pub fn value(self, value: impl Into<Bytes>) -> Self {
        self.push(Record::of(value))
    }

    /// Adds `record` at the next offset (its `offset_delta` is set) and keeps `last_offset_delta` and
    /// `max_timestamp` true. To place a record elsewhere, use the fields.
    pub fn push(mut self, mut record: Record) -> Self {
        let timestamp = self.base_timestamp.wrapping_add(record.timestamp_delta);
        if self.records.is_empty() {
            self.max_timestamp = timestamp;
        } else {
            self.last_offset_delta = self.last_offset_delta.wrapping_add(1);
            self.max_timestamp = self.max_timestamp.max(timestamp);
        }
        record.offset_delta = self.last_offset_delta;
        self.records.push(record);
        self
    }

    /// Compresses the records when they are written.
    pub fn with_codec(self, codec: Codec) -> Self {
        Self { codec, ..self }
    }

    /// Sets the base timestamp, milliseconds since 1970, and the largest one with it.
    pub fn with_timestamp(mut self, base_timestamp: i64) -> Self {
        self.base_timestamp = base_timestamp;
        self.max_timestamp = self
            .records
            .iter()
            .map(|record| base_timestamp.wrapping_add(record.timestamp_delta))
            .max()
            .unwrap_or(base_timestamp);
        self
    }

    /// Names an idempotent producer and the sequence number of the first record.
    pub fn idempotent(self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        Self { producer_id, producer_epoch, base_sequence, ..self }
    }

    /// Sets the transactional bit.
    pub fn transactional(self) -> Self {
        Self { transactional: true, ..self }
    }

    /// The attributes as they are written: codec, flags and extra bits.
    pub fn attributes(&self) -> i16 {
        let flag = |set: bool, bit: u32| i16::from(set) << bit;
        i16::from(self.codec.id())
            | flag(self.log_append_time, 3)
            | flag(self.transactional, 4)
            | flag(self.control, 5)
            | self.attributes_extra
    }

    /// The offset at which a reader goes on after this batch, however many records are left in it.
    pub fn next_offset(&self) -> i64 {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta)).wrapping_add(1)
    }

    /// The timestamp of `record` in this batch: the time of append where the batch says so, else base plus
    /// delta (wrapping, as Java adds).
    pub fn timestamp(&self, record: &Record) -> i64 {
        if self.log_append_time {
            self.max_timestamp
        } else {
            self.base_timestamp.wrapping_add(record.timestamp_delta)
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Record {
    /// A record with a value and nothing else.
    pub fn of(value: impl Into<Bytes>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// Adds a header with a value.
    pub fn with_header(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push(Header { key: key.into(), value: Some(value.into()) });
        self
    }
}
