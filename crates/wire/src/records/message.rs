//! The formats before record batches: message sets of magic 0 and 1 (`LegacyRecord`).
//!
//! Producers up to Produce v2 send them; topics written by them live on. Compression wraps a whole set into the
//! value of one message.

use bytes::{BufMut, Bytes, BytesMut};
use flate2::Crc;

use super::Codec;
use super::breakage::to_i32;

/// Bytes of an entry before what its size field counts: the offset and the size.
pub(super) const LOG_OVERHEAD: usize = 12;

/// Where the CRC of a message stands; it covers everything from the magic on.
pub(super) const MESSAGE_CRC_AT: usize = 12;

/// Bits 0-2 of the attributes hold the codec.
pub(super) const CODEC_BITS: i8 = 7;

/// Bit 3 of the attributes: the timestamp is the broker's (magic 1).
pub(super) const LOG_APPEND_BIT: i8 = 8;

/// One message of magic 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// 0 or 1; decides whether there is a timestamp.
    pub magic: i8,
    /// Its absolute offset. Producers count from 0.
    pub offset: i64,
    /// Bits 0-2 codec (0 here: see [`Wrapper`] for compressed ones), bit 3 log append time, the rest reserved.
    pub attributes: i8,
    /// Milliseconds since 1970, -1 for none. Magic 0 has none and reads as -1.
    pub timestamp: i64,
    /// Null and empty are different keys.
    pub key: Option<Bytes>,
    /// Null and empty are different values.
    pub value: Option<Bytes>,
}

/// A compressed message: one whose value is a compressed message set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    /// 0 or 1, as every message inside.
    pub magic: i8,
    /// Absolute offset of the last message inside. In magic 1 it alone says where the set lies, since those inside
    /// have relative offsets (KIP-31).
    pub offset: i64,
    /// How the set is compressed; never `None`.
    pub codec: Codec,
    /// Bit 3 (magic 1): `timestamp` holds for every message inside.
    pub log_append_time: bool,
    /// The largest timestamp inside, or the time of append; -1 in magic 0.
    pub timestamp: i64,
    /// The messages, with absolute offsets.
    pub messages: Vec<Message>,
}

/// Messages to be sent together, plain or compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSet {
    /// 0 or 1.
    pub magic: i8,
    /// `None` sends message after message, anything else one [`Wrapper`].
    pub codec: Codec,
    /// Sets bit 3 on each message, or on the wrapper.
    pub log_append_time: bool,
    /// In order.
    pub messages: Vec<Message>,
}

impl Message {
    /// A message at offset 0 with a value, and timestamp -1.
    pub fn new(magic: i8, value: impl Into<Bytes>) -> Self {
        Self {
            magic,
            offset: 0,
            attributes: 0,
            timestamp: -1,
            key: None,
            value: Some(value.into()),
        }
    }

    /// Whether `timestamp` is the broker's.
    pub fn log_append_time(&self) -> bool {
        self.magic > 0 && self.attributes & LOG_APPEND_BIT != 0
    }

    /// Writes the message with a right size and CRC.
    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        body.put_i8(self.magic);
        body.put_i8(self.attributes);
        if self.magic > 0 {
            body.put_i64(self.timestamp);
        }
        put_nullable(&mut body, self.key.as_ref());
        put_nullable(&mut body, self.value.as_ref());

        let mut out = BytesMut::with_capacity(LOG_OVERHEAD + 4 + body.len());
        out.put_i64(self.offset);
        out.put_i32(to_i32(4 + body.len()));
        out.put_u32(crc32(&body));
        out.put_slice(&body);
        out.freeze()
    }
}

impl Wrapper {
    /// Writes the compressed message. Inside magic 1 the offsets count from the first message.
    pub fn encode(&self) -> Bytes {
        let base = match (self.magic, self.messages.first()) {
            (0, _) | (_, None) => 0,
            (_, Some(first)) => first.offset,
        };
        let mut inner = Vec::new();
        for message in &self.messages {
            let offset = message.offset.wrapping_sub(base);
            inner.extend_from_slice(&Message { offset, ..message.clone() }.encode());
        }
        let codec = i8::try_from(self.codec.id()).expect("codec ids end at 4");
        let flag = if self.log_append_time { LOG_APPEND_BIT } else { 0 };
        let message = Message {
            magic: self.magic,
            offset: self.offset,
            attributes: codec | flag,
            timestamp: self.timestamp,
            key: None,
            value: Some(self.codec.compress_for(&inner, self.magic)),
        };
        message.encode()
    }
}

impl MessageSet {
    /// An empty set of magic 0 or 1.
    pub fn new(magic: i8) -> Self {
        Self { magic, codec: Codec::None, log_append_time: false, messages: Vec::new() }
    }

    /// A set of keyless messages with these values, at offsets 0, 1, 2 and so on.
    pub fn of<V: Into<Bytes>>(magic: i8, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(Self::new(magic), |set, value| set.push(Message::new(magic, value)))
    }

    /// Adds a message at the offset after the last one, or at 0.
    pub fn push(mut self, message: Message) -> Self {
        let offset = self.messages.last().map_or(0, |last| last.offset.wrapping_add(1));
        self.messages.push(Message { offset, magic: self.magic, ..message });
        self
    }

    /// Compresses the set when it is written.
    pub fn with_codec(self, codec: Codec) -> Self {
        Self { codec, ..self }
    }

    /// Writes the set.
    pub fn encode(&self) -> Bytes {
        if self.codec != Codec::None {
            return self.wrap().encode();
        }
        let flag = if self.log_append_time { LOG_APPEND_BIT } else { 0 };
        let mut out = BytesMut::new();
        for message in &self.messages {
            let attributes = message.attributes | flag;
            out.put_slice(&Message { attributes, ..message.clone() }.encode());
        }
        out.freeze()
    }

    /// The compressed message that holds this set, with offset and timestamp as they should be.
    pub fn wrap(&self) -> Wrapper {
        Wrapper {
            magic: self.magic,
            offset: self.messages.last().map_or(0, |last| last.offset),
            codec: self.codec,
            log_append_time: self.log_append_time,
            timestamp: self.messages.iter().map(|message| message.timestamp).max().unwrap_or(-1),
            messages: self.messages.clone(),
        }
    }
}

/// The checksum of the old formats, that of gzip and zip.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn put_nullable(out: &mut BytesMut, bytes: Option<&Bytes>) {
    match bytes {
        None => out.put_i32(-1),
        Some(bytes) => {
            out.put_i32(to_i32(bytes.len()));
            out.put_slice(bytes);
        }
    }
}
