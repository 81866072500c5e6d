//! From values to bytes.

/// Writes primitive values to the end of a buffer. Lengths are the caller's business: nothing is checked but that they fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

macro_rules! put {
    ($($name:ident $kind:ty, $doc:literal;)*) => {
        $(#[doc = $doc]
        pub fn $name(&mut self, value: $kind) -> &mut Self {
            self.put(&value.to_be_bytes())
        })*
    };
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Raw bytes, without a length.
    pub fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    put! {
        put_i8 i8, "One byte.";
        put_u8 u8, "One byte.";
        put_i16 i16, "Two bytes, big-endian.";
        put_u16 u16, "Two bytes, big-endian.";
        put_i32 i32, "Four bytes, big-endian.";
        put_u32 u32, "Four bytes, big-endian.";
        put_i64 i64, "Eight bytes, big-endian.";
        put_f64 f64, "Eight bytes, IEEE 754.";
    }

    /// One byte, 0 or 1.
    pub fn put_bool(&mut self, value: bool) -> &mut Self {
        self.put_u8(u8::from(value))
    }

    /// Sixteen bytes.
    pub fn put_uuid(&mut self, uuid: [u8; 16]) -> &mut Self {
        self.put(&uuid)
    }

    /// An unsigned varint of one to five bytes.
    pub fn put_uvarint(&mut self, value: u32) -> &mut Self {
        self.put_base128(u64::from(value))
    }

    /// A zigzag varint of one to five bytes, as in records.
    pub fn put_varint(&mut self, value: i32) -> &mut Self {
        self.put_uvarint((value.cast_unsigned() << 1) ^ (value >> 31).cast_unsigned())
    }

    /// A zigzag varint of one to ten bytes, as in records.
    pub fn put_varlong(&mut self, value: i64) -> &mut Self {
        self.put_base128((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned())
    }

    /// A string behind an int16 length. The length of a string above 32767 bytes wraps: then the frame is wrong on purpose.
    pub fn put_string(&mut self, text: &str) -> &mut Self {
        self.put_u16(text.len() as u16).put(text.as_bytes())
    }

    /// A string or -1.
    pub fn put_nullable_string(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.put_string(text),
            None => self.put_i16(-1),
        }
    }

    /// A string behind an unsigned varint of its length plus one.
    pub fn put_compact_string(&mut self, text: &str) -> &mut Self {
        self.put_compact_bytes(text.as_bytes())
    }

    /// A compact string or 0.
    pub fn put_compact_nullable_string(&mut self, text: Option<&str>) -> &mut Self {
        self.put_compact_nullable_bytes(text.map(str::as_bytes))
    }

    /// Bytes behind an int32 length.
    pub fn put_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.put_u32(bytes.len() as u32).put(bytes)
    }

    /// Bytes or -1.
    pub fn put_nullable_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.put_bytes(bytes),
            None => self.put_i32(-1),
        }
    }

    /// Bytes behind an unsigned varint of their length plus one.
    pub fn put_compact_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.put_compact_array_len(bytes.len()).put(bytes)
    }

    /// Compact bytes or 0.
    pub fn put_compact_nullable_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.put_compact_bytes(bytes),
            None => self.put_uvarint(0),
        }
    }

    /// The count of an array, int32.
    pub fn put_array_len(&mut self, count: usize) -> &mut Self {
        self.put_u32(count as u32)
    }

    /// The count of a compact array: an unsigned varint of the count plus one.
    pub fn put_compact_array_len(&mut self, count: usize) -> &mut Self {
        self.put_uvarint((count as u32).wrapping_add(1))
    }

    /// A section of tagged fields, in the order given: legal only when that is ascending.
    pub fn put_tags(&mut self, tags: &[(u32, &[u8])]) -> &mut Self {
        self.put_uvarint(tags.len() as u32);
        for (tag, value) in tags {
            self.put_uvarint(*tag).put_uvarint(value.len() as u32).put(value);
        }
        self
    }

    fn put_base128(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
        self
    }
}
