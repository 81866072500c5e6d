//! From bytes to values.

use crate::breach::{Fault, Rule};

/// Reads primitive values from a slice and never beyond it. Allocates nothing.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    long_varint: bool,
}

macro_rules! read {
    ($($name:ident $kind:ty, $doc:literal;)*) => {
        $(#[doc = $doc]
        #[inline]
        pub fn $name(&mut self) -> Result<$kind, Fault> {
            Ok(<$kind>::from_be_bytes(self.array()?))
        })*
    };
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len(), long_varint: false }
    }

    /// Bytes from the start to here.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Bytes from here to the end.
    #[inline]
    pub fn left(&self) -> usize {
        self.end - self.at
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        if count > self.left() {
            return Err(self.short(count));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    read! {
        i8 i8, "One byte.";
        u8 u8, "One byte.";
        i16 i16, "Two bytes, big-endian.";
        u16 u16, "Two bytes, big-endian.";
        i32 i32, "Four bytes, big-endian.";
        u32 u32, "Four bytes, big-endian.";
        i64 i64, "Eight bytes, big-endian.";
        f64 f64, "Eight bytes, IEEE 754.";
    }

    /// One byte, 0 or 1 and nothing else.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, Fault> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            byte => Err(Fault { offset: self.at - 1, rule: Rule::NotBool { byte } }),
        }
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self) -> Result<[u8; 16], Fault> {
        self.array()
    }

    /// An unsigned varint of at most five bytes and 32 bits.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, Fault> {
        if self.at < self.end && self.bytes[self.at] < 0x80 {
            self.at += 1;
            return Ok(u32::from(self.bytes[self.at - 1]));
        }
        // The rule of `base128` leaves nothing beyond 32 bits.
        self.base128(5, 32).map(|value| value as u32)
    }

    /// A zigzag varint of at most five bytes.
    pub fn varint(&mut self) -> Result<i32, Fault> {
        let raw = self.uvarint()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// A zigzag varint of at most ten bytes.
    pub fn varlong(&mut self) -> Result<i64, Fault> {
        let raw = self.base128(10, 64)?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// A string behind an int16 length.
    pub fn string(&mut self) -> Result<&'a str, Fault> {
        self.not_null(Self::nullable_string)
    }

    /// A string or -1.
    pub fn nullable_string(&mut self) -> Result<Option<&'a str>, Fault> {
        let length = self.string_length::<false>()?;
        length.map(|length| self.text(length)).transpose()
    }

    /// A string behind an unsigned varint of its length plus one.
    pub fn compact_string(&mut self) -> Result<&'a str, Fault> {
        self.not_null(Self::compact_nullable_string)
    }

    /// A compact string or 0.
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a str>, Fault> {
        let length = self.string_length::<true>()?;
        length.map(|length| self.text(length)).transpose()
    }

    /// Bytes behind an int32 length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        self.not_null(Self::nullable_bytes)
    }

    /// Bytes or -1.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let length = self.bytes_length::<false>()?;
        length.map(|length| self.take(length)).transpose()
    }

    /// Bytes behind an unsigned varint of their length plus one.
    pub fn compact_bytes(&mut self) -> Result<&'a [u8], Fault> {
        self.not_null(Self::compact_nullable_bytes)
    }

    /// Compact bytes or 0.
    pub fn compact_nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        let length = self.bytes_length::<true>()?;
        length.map(|length| self.take(length)).transpose()
    }

    /// The count of an array, int32; `None` is null. At most the bytes that are left, for no element is smaller than a byte.
    pub fn array_len(&mut self) -> Result<Option<usize>, Fault> {
        self.count::<false>()
    }

    /// The count of a compact array; otherwise as [`Reader::array_len`].
    pub fn compact_array_len(&mut self) -> Result<Option<usize>, Fault> {
        self.count::<true>()
    }

    /// A section of tagged fields: number and value of each, ascending.
    pub fn tags(&mut self) -> Result<Vec<(u32, &'a [u8])>, Fault> {
        let mut tags: Vec<(u32, &[u8])> = Vec::new();
        for _ in 0..self.uvarint()? {
            let (tag, size) = self.tag(tags.last().map(|(tag, _)| *tag))?;
            tags.push((tag, self.take(size)?));
        }
        Ok(tags)
    }

    /// Refuses bytes that are left.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.left() {
            0 => Ok(()),
            bytes => Err(Fault { offset: self.at, rule: Rule::Trailing { bytes } }),
        }
    }

    /// The length of a string; `None` is null.
    #[inline]
    pub(crate) fn string_length<const COMPACT: bool>(&mut self) -> Result<Option<usize>, Fault> {
        let offset = self.at;
        let length = if COMPACT { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i16()?) };
        self.length(offset, length)
    }

    /// The length of bytes; `None` is null.
    #[inline]
    pub(crate) fn bytes_length<const COMPACT: bool>(&mut self) -> Result<Option<usize>, Fault> {
        let offset = self.at;
        let length = if COMPACT { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i32()?) };
        self.length(offset, length)
    }

    /// The count of an array; `None` is null.
    #[inline]
    pub(crate) fn count<const COMPACT: bool>(&mut self) -> Result<Option<usize>, Fault> {
        let offset = self.at;
        let count = if COMPACT { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i32()?) };
        let Some(count) = not_below_null(offset, count)? else { return Ok(None) };
        if count > self.left() {
            return Err(Fault { offset, rule: Rule::TooMany { count, left: self.left() } });
        }
        Ok(Some(count))
    }

    /// The number and size of the next tagged field, which must come after the tag `last`.
    #[inline]
    pub(crate) fn tag(&mut self, last: Option<u32>) -> Result<(u32, usize), Fault> {
        let offset = self.at;
        let tag = self.uvarint()?;
        match last {
            Some(last) if last == tag => {
                return Err(Fault { offset, rule: Rule::TagTwice { tag } });
            }
            Some(after) if after > tag => {
                return Err(Fault { offset, rule: Rule::TagOrder { tag, after } });
            }
            _ => {}
        }
        let offset = self.at;
        let size = self.uvarint()? as usize;
        if size > self.left() {
            return Err(Fault { offset, rule: Rule::TooLong { length: size, left: self.left() } });
        }
        Ok((tag, size))
    }

    /// The next `length` bytes as UTF-8.
    #[inline]
    pub(crate) fn text(&mut self, length: usize) -> Result<&'a str, Fault> {
        let offset = self.at;
        std::str::from_utf8(self.take(length)?).map_err(|_| Fault { offset, rule: Rule::NotUtf8 })
    }

    /// Ends the reader `size` bytes from here and returns where it ended before. `size` is at most what is left.
    pub(crate) fn narrow(&mut self, size: usize) -> usize {
        let narrow = self.end.min(self.at + size);
        std::mem::replace(&mut self.end, narrow)
    }

    /// Undoes [`Reader::narrow`].
    pub(crate) fn widen(&mut self, end: usize) {
        self.end = end;
    }

    /// Whether a varint since the last call took more bytes than its value needs.
    pub(crate) fn saw_long_varint(&mut self) -> bool {
        std::mem::take(&mut self.long_varint)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        match self.bytes[self.at..self.end].first_chunk::<N>() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(self.short(N)),
        }
    }

    #[inline]
    fn length(&self, offset: usize, length: i64) -> Result<Option<usize>, Fault> {
        match not_below_null(offset, length)? {
            Some(length) if length > self.left() => {
                Err(Fault { offset, rule: Rule::TooLong { length, left: self.left() } })
            }
            length => Ok(length),
        }
    }

    fn not_null<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, Fault>,
    ) -> Result<T, Fault> {
        let offset = self.at;
        read(self)?.ok_or(Fault { offset, rule: Rule::Null })
    }

    #[cold]
    fn base128(&mut self, most: usize, bits: u32) -> Result<u64, Fault> {
        let offset = self.at;
        let refuse = Fault { offset, rule: Rule::Varint { most } };
        let mut value = 0u64;
        for index in 0..most {
            let byte = self.u8()?;
            let (part, shift) = (u64::from(byte & 0x7f), 7 * index as u32);
            if shift + 7 > bits && part >> (bits - shift) != 0 {
                return Err(refuse);
            }
            value |= part << shift;
            if byte < 0x80 {
                self.long_varint |= byte == 0 && index > 0;
                return Ok(value);
            }
        }
        Err(refuse)
    }

    #[cold]
    fn short(&self, needed: usize) -> Fault {
        Fault { offset: self.at, rule: Rule::Short { needed, left: self.left() } }
    }
}

/// -1 is null; anything below is no length.
#[inline]
fn not_below_null(offset: usize, length: i64) -> Result<Option<usize>, Fault> {
    match usize::try_from(length) {
        Ok(length) => Ok(Some(length)),
        Err(_) if length == -1 => Ok(None),
        Err(_) => Err(Fault { offset, rule: Rule::Negative { length } }),
    }
}
