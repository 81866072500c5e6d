//! Writing a batch, right or broken in chosen ways.

use bytes::{BufMut, Bytes, BytesMut};

use super::varint;
use super::{Batch, Record};

/// Bytes of a batch before its records.
pub(super) const HEADER: usize = 61;

/// Where the magic stands in an entry of any format.
pub(super) const MAGIC_AT: usize = 16;

/// Where the CRC stands; it covers everything from [`CRC_FROM`] on.
pub(super) const CRC_AT: usize = 17;

/// First byte that the CRC covers.
pub(super) const CRC_FROM: usize = 21;

/// Where the attributes, the last offset delta and the record count stand.
const ATTRIBUTES_AT: usize = 21;
const LAST_OFFSET_DELTA_AT: usize = 23;
const COUNT_AT: usize = 57;

/// Where the length stands; it counts from [`LENGTH_FROM`] on.
const LENGTH_AT: usize = 8;

/// First byte that the length counts.
pub(super) const LENGTH_FROM: usize = 12;

/// One way in which a written batch may lie. Each changes what it names and nothing else; the CRC is made to fit
/// the changed bytes, so that a broker which refuses the batch does so for that reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Breakage {
    /// The CRC field is the right CRC with these bits flipped.
    Crc(u32),
    /// The magic byte. The layout stays that of magic 2.
    Magic(i8),
    /// The record count.
    Count(i32),
    /// The length field. The bytes themselves stay whole.
    Length(i32),
    /// The last offset delta.
    LastOffsetDelta(i32),
    /// The codec bits (0 to 7) alone; the records are still written as [`Batch::codec`] says.
    CodecId(u8),
    /// These bytes stand where the (compressed) records would.
    Payload(Bytes),
    /// These bytes follow the last record, compressed with it.
    Junk(Bytes),
    /// The length of one record says this.
    RecordLength {
        /// Which record, from 0.
        record: usize,
        /// What its length says.
        length: i64,
    },
    /// The header count of one record says this.
    HeaderCount {
        /// Which record, from 0.
        record: usize,
        /// What its header count says.
        count: i64,
    },
    /// The key of one header is null (length -1).
    NullHeaderKey {
        /// Which record, from 0.
        record: usize,
        /// Which of its headers, from 0.
        header: usize,
    },
    /// Everything from this byte on is missing; length and CRC are those of the whole batch.
    TruncateAt(usize),
}

impl Batch {
    /// An uncompressed batch of one keyless record that [`Batch::encode`] writes in exactly `bytes` bytes, as size limits
    /// (`max.message.bytes`) count them. `None` below 68, and for the few sizes that are skipped where a length takes
    /// one byte more.
    pub fn of_size(bytes: usize) -> Option<Self> {
        // Between the header and the value: four bytes of fields, the header count, and two lengths of up to five.
        let value =
            (7..=15).filter_map(|around| bytes.checked_sub(HEADER + around)).find(|value| {
                let body = 5 + varint_size(*value) + value;
                HEADER + varint_size(body) + body == bytes
            })?;
        Some(Self::of([vec![b'x'; value]]))
    }

    /// Writes the batch with a right length, CRC and record count.
    pub fn encode(&self) -> Bytes {
        self.encode_broken(&[])
    }

    /// Writes the batch with these breakages and no others.
    pub fn encode_broken(&self, breakages: &[Breakage]) -> Bytes {
        let payload = self.payload(breakages);
        let mut out = BytesMut::with_capacity(HEADER + payload.len());
        out.put_i64(self.base_offset);
        out.put_i32(to_i32(HEADER - LENGTH_FROM + payload.len()));
        out.put_i32(self.partition_leader_epoch);
        out.put_i8(self.magic);
        out.put_u32(0);
        out.put_i16(self.attributes());
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(self.producer_id);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(to_i32(self.records.len()));
        out.put_slice(&payload);
        overwrite_header(&mut out, breakages);
        out.freeze()
    }

    /// What stands behind the header.
    fn payload(&self, breakages: &[Breakage]) -> Bytes {
        let given = breakages.iter().find_map(|breakage| match breakage {
            Breakage::Payload(bytes) => Some(bytes.clone()),
            _ => None,
        });
        given.unwrap_or_else(|| self.codec.compress(&self.plain_records(breakages)))
    }

    /// The records before compression.
    fn plain_records(&self, breakages: &[Breakage]) -> Vec<u8> {
        let mut out = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            put_record(&mut out, record, index, breakages);
        }
        for breakage in breakages {
            if let Breakage::Junk(bytes) = breakage {
                out.extend_from_slice(bytes);
            }
        }
        out
    }
}

/// Breaks header fields in place: those under the CRC first, then the CRC, then what lies outside it.
fn overwrite_header(out: &mut BytesMut, breakages: &[Breakage]) {
    for breakage in breakages {
        match breakage {
            Breakage::CodecId(id) => {
                let low = ATTRIBUTES_AT + 1;
                out[low] = (out[low] & !7) | (id & 7);
            }
            Breakage::LastOffsetDelta(delta) => {
                put_at(out, LAST_OFFSET_DELTA_AT, delta.to_be_bytes())
            }
            Breakage::Count(count) => put_at(out, COUNT_AT, count.to_be_bytes()),
            _ => {}
        }
    }
    let mut crc = crc32c::crc32c(&out[CRC_FROM..]);
    let mut end = out.len();
    for breakage in breakages {
        match breakage {
            Breakage::Crc(bits) => crc ^= bits,
            Breakage::Magic(magic) => put_at(out, MAGIC_AT, magic.to_be_bytes()),
            Breakage::Length(length) => put_at(out, LENGTH_AT, length.to_be_bytes()),
            Breakage::TruncateAt(at) => end = end.min(*at),
            _ => {}
        }
    }
    put_at(out, CRC_AT, crc.to_be_bytes());
    out.truncate(end);
}

fn put_record(out: &mut Vec<u8>, record: &Record, index: usize, breakages: &[Breakage]) {
    let mut body = Vec::new();
    body.put_i8(record.attributes);
    varint::put(&mut body, record.timestamp_delta);
    varint::put(&mut body, i64::from(record.offset_delta));
    put_nullable(&mut body, record.key.as_ref());
    put_nullable(&mut body, record.value.as_ref());

    let mut count = to_i64(record.headers.len());
    for breakage in breakages {
        match breakage {
            Breakage::HeaderCount { record, count: claimed } if *record == index => {
                count = *claimed
            }
            _ => {}
        }
    }
    varint::put(&mut body, count);
    for (place, header) in record.headers.iter().enumerate() {
        let null = Breakage::NullHeaderKey { record: index, header: place };
        let key = Some(&header.key).filter(|_| !breakages.contains(&null));
        put_nullable(&mut body, key);
        put_nullable(&mut body, header.value.as_ref());
    }

    let mut length = to_i64(body.len());
    for breakage in breakages {
        match breakage {
            Breakage::RecordLength { record, length: claimed } if *record == index => {
                length = *claimed
            }
            _ => {}
        }
    }
    varint::put(out, length);
    out.extend_from_slice(&body);
}

fn varint_size(length: usize) -> usize {
    let mut out = Vec::new();
    varint::put(&mut out, to_i64(length));
    out.len()
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&Bytes>) {
    match bytes {
        None => varint::put(out, -1),
        Some(bytes) => {
            varint::put(out, to_i64(bytes.len()));
            out.extend_from_slice(bytes);
        }
    }
}

fn put_at<const N: usize>(out: &mut BytesMut, at: usize, bytes: [u8; N]) {
    out[at..at + N].copy_from_slice(&bytes);
}

/// A size as the format's 32 bits hold it; nothing near 2 GiB is ever built here.
pub(super) fn to_i32(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

fn to_i64(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
