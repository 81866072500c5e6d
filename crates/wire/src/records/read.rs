//! The strict reader of `records` bytes.

use bytes::Bytes;

use super::breakage::{CRC_AT, CRC_FROM, HEADER, MAGIC_AT};
use super::cursor::{Cursor, Fault};
use super::message::LOG_OVERHEAD;
use super::read_message::read_message;
use super::{Batch, Codec, CodecError, Contents, Entry, Header, Record, RecordsBreach, Rule};

/// The smallest record: seven fields of one byte.
const SMALLEST_RECORD: usize = 7;

/// The smallest header: an empty key and a null value.
const SMALLEST_HEADER: usize = 2;

/// How much one call of [`read_within`] may spend, whatever the bytes claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that may come out of all compressed entries together.
    pub decompressed: usize,
    /// Records, headers and messages together; each costs about a hundred bytes of memory, and as few as two on
    /// the wire.
    pub items: usize,
}

impl Default for Limits {
    /// 64 MiB and two million items.
    fn default() -> Self {
        Self { decompressed: 64 << 20, items: 2_000_000 }
    }
}

/// Reads the bytes of a `records` field under the default [`Limits`].
///
/// Strict: size, magic, CRC and codec of every entry, record count, the length of every record to the byte,
/// varints, header keys, ascending offset deltas, last offset delta. Legal and accepted: no bytes at all, a batch
/// without records, a partial entry at the end ([`Contents::partial`]), any value in reserved bits.
pub fn read(bytes: &Bytes) -> Result<Contents, RecordsBreach> {
    read_within(bytes, Limits::default())
}

/// As [`read`], under these limits. Reaching one is [`Rule::Limit`].
pub fn read_within(bytes: &Bytes, limits: Limits) -> Result<Contents, RecordsBreach> {
    let mut budget = Budget { limits, decompressed: limits.decompressed, items: limits.items };
    let mut contents = Contents::default();
    let mut at = 0;
    while let Some(end) = entry_end(bytes, at, contents.entries.len())? {
        let raw = bytes.slice(at..end);
        let place = Place { entry: contents.entries.len(), at };
        contents.entries.push(read_entry(raw, place, &mut budget)?);
        at = end;
    }
    contents.partial = bytes.len() - at;
    Ok(contents)
}

/// Where in the field an entry stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) entry: usize,
    pub(super) at: usize,
}

impl Place {
    /// A breach of the entry's own bytes; `at` counts from the start of the entry.
    pub(super) fn breach(self, at: usize, rule: Rule) -> RecordsBreach {
        Fault { at: self.at + at, rule }.in_entry(self.entry)
    }

    /// A fault inside record (or inner message) `record`.
    pub(super) fn inside(
        self,
        fault: Fault,
        record: Option<usize>,
        decompressed: bool,
    ) -> RecordsBreach {
        let at = if decompressed { fault.at } else { self.at + fault.at };
        RecordsBreach { entry: self.entry, record, at, decompressed, rule: fault.rule }
    }
}

/// What is left of the limits.
pub(super) struct Budget {
    limits: Limits,
    decompressed: usize,
    items: usize,
}

impl Budget {
    /// Pays for `count` records, headers or messages.
    pub(super) fn item(&mut self, count: usize) -> Result<(), Rule> {
        let left = self.items.checked_sub(count);
        self.items =
            left.ok_or(Rule::Limit { what: "records and headers", limit: self.limits.items })?;
        Ok(())
    }

    /// Decompresses and pays for what comes out.
    pub(super) fn decompress(
        &mut self,
        codec: Codec,
        packed: &Bytes,
        magic: i8,
    ) -> Result<Bytes, Rule> {
        if codec == Codec::None {
            return Ok(packed.clone());
        }
        match codec.decompress_for(packed, self.decompressed, magic) {
            Ok(plain) => {
                self.decompressed -= plain.len();
                Ok(plain)
            }
            Err(CodecError::Corrupt(reason)) => Err(Rule::Codec { codec, reason }),
            Err(CodecError::TooLarge { .. }) => {
                Err(Rule::Limit { what: "decompressed bytes", limit: self.limits.decompressed })
            }
        }
    }
}

/// Where the entry at `at` ends; `None` when it is not wholly there (or nothing is).
fn entry_end(bytes: &Bytes, at: usize, entry: usize) -> Result<Option<usize>, RecordsBreach> {
    let rest = &bytes[at..];
    let Some(size) = rest.get(8..).and_then(|rest| rest.first_chunk::<4>()) else {
        return Ok(None);
    };
    let claimed = i32::from_be_bytes(*size);
    let magic = rest.get(MAGIC_AT).map(|magic| magic.cast_signed());
    let least = match magic {
        Some(2) => HEADER - LOG_OVERHEAD,
        Some(1) => 22,
        // Also where the magic is not there to be seen, or is none: no entry is smaller.
        _ => 14,
    };
    let place = Place { entry, at };
    let size = usize::try_from(claimed).ok().filter(|size| *size >= least);
    let Some(size) = size else {
        let least = super::breakage::to_i32(least);
        return Err(place.breach(8, Rule::Length { claimed, least }));
    };
    match magic {
        Some(0..=2) | None => {
            Ok(Some(LOG_OVERHEAD + size).filter(|size| *size <= rest.len()).map(|size| at + size))
        }
        Some(magic) => Err(place.breach(MAGIC_AT, Rule::Magic(magic))),
    }
}

fn read_entry(raw: Bytes, place: Place, budget: &mut Budget) -> Result<Entry, RecordsBreach> {
    if raw[MAGIC_AT] == 2 {
        let batch = read_batch(&raw, place, budget)?;
        Ok(Entry::Batch(batch, raw))
    } else {
        read_message(raw, place, budget)
    }
}

fn read_batch(raw: &Bytes, place: Place, budget: &mut Budget) -> Result<Batch, RecordsBreach> {
    let (mut batch, count) = read_header(raw, place)?;
    let count_at = HEADER - 4;
    let counted = usize::try_from(count)
        .map_err(|_| place.breach(count_at, Rule::Count { claimed: count, found: 0 }))?;

    let packed = raw.slice(HEADER..);
    // Compaction leaves a bare header behind, and nobody decompresses what is not there.
    if counted > 0 || !packed.is_empty() {
        let plain = budget
            .decompress(batch.codec, &packed, 2)
            .map_err(|rule| place.breach(HEADER, rule))?;
        let decompressed = batch.codec != Codec::None;
        let (records, from) = if decompressed { (&plain, 0) } else { (raw, HEADER) };
        let mut cursor = Cursor::new(records, from);
        batch.records = read_records(&mut cursor, count, counted, budget)
            .map_err(|(record, fault)| place.inside(fault, record, decompressed))?;
    }
    check_offsets(&batch, place)?;
    Ok(batch)
}

/// The header fields, and the record count. The CRC is checked before anything under it is believed.
fn read_header(raw: &Bytes, place: Place) -> Result<(Batch, i32), RecordsBreach> {
    let computed = crc32c::crc32c(&raw[CRC_FROM..]);
    let mut cursor = Cursor::new(raw, 0);
    let fault = |fault: Fault| place.inside(fault, None, false);

    let base_offset = cursor.i64("base offset").map_err(fault)?;
    cursor.i32("length").map_err(fault)?;
    let partition_leader_epoch = cursor.i32("partition leader epoch").map_err(fault)?;
    let magic = cursor.i8("magic").map_err(fault)?;
    let claimed = cursor.u32("crc").map_err(fault)?;
    if claimed != computed {
        return Err(place.breach(CRC_AT, Rule::Crc { claimed, computed }));
    }
    let attributes = cursor.i16("attributes").map_err(fault)?;
    let codec_id = (attributes & 7) as u8;
    let codec = Codec::from_id(codec_id)
        .ok_or_else(|| place.breach(CRC_FROM, Rule::UnknownCodec(codec_id)))?;
    let batch = Batch {
        base_offset,
        partition_leader_epoch,
        magic,
        codec,
        log_append_time: attributes & 0x08 != 0,
        transactional: attributes & 0x10 != 0,
        control: attributes & 0x20 != 0,
        attributes_extra: attributes & !0x3f,
        last_offset_delta: cursor.i32("last offset delta").map_err(fault)?,
        base_timestamp: cursor.i64("base timestamp").map_err(fault)?,
        max_timestamp: cursor.i64("max timestamp").map_err(fault)?,
        producer_id: cursor.i64("producer id").map_err(fault)?,
        producer_epoch: cursor.i16("producer epoch").map_err(fault)?,
        base_sequence: cursor.i32("base sequence").map_err(fault)?,
        records: Vec::new(),
    };
    let count = cursor.i32("record count").map_err(fault)?;
    Ok((batch, count))
}

type RecordFault = (Option<usize>, Fault);

fn read_records(
    cursor: &mut Cursor<'_>,
    claimed: i32,
    count: usize,
    budget: &mut Budget,
) -> Result<Vec<Record>, RecordFault> {
    let most = cursor.left() / SMALLEST_RECORD;
    let mut records: Vec<Record> = Vec::with_capacity(count.min(most).min(budget.items));
    for index in 0..count {
        if cursor.left() == 0 {
            return Err((None, cursor.fault(Rule::Count { claimed, found: index })));
        }
        let previous = records.last().map_or(-1, |record| record.offset_delta);
        let record = read_record(cursor, previous, budget).map_err(|fault| (Some(index), fault))?;
        records.push(record);
    }
    match cursor.left() {
        0 => Ok(records),
        bytes => Err((None, cursor.fault(Rule::Junk { bytes }))),
    }
}

fn read_record(
    cursor: &mut Cursor<'_>,
    previous: i32,
    budget: &mut Budget,
) -> Result<Record, Fault> {
    let from = cursor.at();
    let length = cursor.varint("record length")?;
    let mut body = cursor.part(from, length, "record")?;
    let whole = body.left();
    budget.item(1).map_err(|rule| body.fault(rule))?;

    let attributes = body.i8("record attributes")?;
    let timestamp_delta = body.varlong("timestamp delta")?;
    let delta_at = body.at();
    let offset_delta = body.varint("offset delta")?;
    if offset_delta <= previous {
        let rule =
            Rule::OffsetOrder { found: i64::from(offset_delta), previous: i64::from(previous) };
        return Err(Fault { at: delta_at, rule });
    }
    let key = body.nullable("key")?;
    let value = body.nullable("value")?;
    let headers = read_headers(&mut body, budget)?;
    if body.left() > 0 {
        let rule = Rule::RecordLength { claimed: whole, used: whole - body.left() };
        return Err(body.fault(rule));
    }
    Ok(Record { attributes, timestamp_delta, offset_delta, key, value, headers })
}

fn read_headers(body: &mut Cursor<'_>, budget: &mut Budget) -> Result<Vec<Header>, Fault> {
    let at = body.at();
    let claimed = body.varint("header count")?;
    let left = body.left();
    let count = usize::try_from(claimed)
        .ok()
        .filter(|count| *count <= left / SMALLEST_HEADER)
        .ok_or(Fault { at, rule: Rule::HeaderCount { claimed: i64::from(claimed), left } })?;
    budget.item(count).map_err(|rule| Fault { at, rule })?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let key_at = body.at();
        let key =
            body.nullable("header key")?.ok_or(Fault { at: key_at, rule: Rule::NullHeaderKey })?;
        let value = body.nullable("header value")?;
        headers.push(Header { key, value });
    }
    Ok(headers)
}

/// Offsets start at 0, and the last offset delta is that of the last record or, after compaction, lies behind it.
fn check_offsets(batch: &Batch, place: Place) -> Result<(), RecordsBreach> {
    if batch.base_offset < 0 {
        return Err(place.breach(0, Rule::OffsetOrder { found: batch.base_offset, previous: -1 }));
    }
    let needed = batch.records.last().map_or(0, |record| record.offset_delta);
    let claimed = batch.last_offset_delta;
    if claimed < needed {
        return Err(place.breach(CRC_FROM + 2, Rule::LastOffsetDelta { claimed, needed }));
    }
    match batch.base_offset.checked_add(i64::from(claimed)) {
        // The offset after the last one must exist too: a reader goes on there.
        Some(last) if last < i64::MAX => Ok(()),
        _ => Err(place.breach(0, Rule::OffsetOverflow)),
    }
}
