//! A reader over a stretch of bytes that knows where it stands and never leaves it.

use bytes::Bytes;

use super::varint::{self, Read};
use super::{RecordsBreach, Rule};

/// A rule broken at a byte, before it is known in which entry and record.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) rule: Rule,
}

impl Fault {
    /// Places the fault in entry, and says that it counts bytes of the field.
    pub(super) fn in_entry(self, entry: usize) -> RecordsBreach {
        RecordsBreach { entry, record: None, at: self.at, decompressed: false, rule: self.rule }
    }
}

/// Reads `bytes[at..end]`.
pub(super) struct Cursor<'a> {
    bytes: &'a Bytes,
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over all of `bytes` from `at` on.
    pub(super) fn new(bytes: &'a Bytes, at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()), end: bytes.len() }
    }

    /// Where it stands, from the start of the bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.end - self.at
    }

    /// Everything that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..self.end]
    }

    /// A fault here.
    pub(super) fn fault(&self, rule: Rule) -> Fault {
        Fault { at: self.at, rule }
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Fault> {
        let taken = self.bytes[self.at..self.end].first_chunk::<N>();
        let taken = *taken.ok_or_else(|| self.fault(Rule::Ended(field)))?;
        self.at += N;
        Ok(taken)
    }

    pub(super) fn i8(&mut self, field: &'static str) -> Result<i8, Fault> {
        self.array(field).map(i8::from_be_bytes)
    }

    pub(super) fn i16(&mut self, field: &'static str) -> Result<i16, Fault> {
        self.array(field).map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self, field: &'static str) -> Result<i32, Fault> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, Fault> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, Fault> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// A zig-zag varint of 32 bits.
    pub(super) fn varint(&mut self, field: &'static str) -> Result<i32, Fault> {
        let value = self.zigzag(varint::read_i32, field)?;
        Ok(i32::try_from(value).expect("read_i32 gives values of 32 bits"))
    }

    /// A zig-zag varint of 64 bits.
    pub(super) fn varlong(&mut self, field: &'static str) -> Result<i64, Fault> {
        self.zigzag(varint::read_i64, field)
    }

    /// Bytes behind a varint length; -1 is null.
    pub(super) fn nullable(&mut self, field: &'static str) -> Result<Option<Bytes>, Fault> {
        let from = self.at;
        let length = self.varint(field)?;
        self.take(from, length, field)
    }

    /// Bytes behind a 4-byte length; -1 is null.
    pub(super) fn nullable_fixed(&mut self, field: &'static str) -> Result<Option<Bytes>, Fault> {
        let from = self.at;
        let length = self.i32(field)?;
        self.take(from, length, field)
    }

    /// A cursor over the next `length` bytes, which this one skips. `from` is where the length was read.
    pub(super) fn part(
        &mut self,
        from: usize,
        length: i32,
        field: &'static str,
    ) -> Result<Self, Fault> {
        let length = self.fitting(from, length, field)?;
        let part = Self { bytes: self.bytes, at: self.at, end: self.at + length };
        self.at += length;
        Ok(part)
    }

    fn take(
        &mut self,
        from: usize,
        length: i32,
        field: &'static str,
    ) -> Result<Option<Bytes>, Fault> {
        if length == -1 {
            return Ok(None);
        }
        let length = self.fitting(from, length, field)?;
        let taken = self.bytes.slice(self.at..self.at + length);
        self.at += length;
        Ok(Some(taken))
    }

    /// `length` if that many bytes are left.
    fn fitting(&self, from: usize, length: i32, field: &'static str) -> Result<usize, Fault> {
        let left = self.left();
        usize::try_from(length).ok().filter(|length| *length <= left).ok_or(Fault {
            at: from,
            rule: Rule::FieldLength { field, claimed: i64::from(length), left },
        })
    }

    fn zigzag(&mut self, read: fn(&[u8]) -> Read, field: &'static str) -> Result<i64, Fault> {
        match read(&self.bytes[self.at..self.end]) {
            Read::Value(value, taken) => {
                self.at += taken;
                Ok(value)
            }
            Read::Short => Err(self.fault(Rule::Ended(field))),
            Read::TooLong => Err(self.fault(Rule::Varint(field))),
        }
    }
}
