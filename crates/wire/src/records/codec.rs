//! The compression codecs of the record formats.

use std::error::Error;
use std::fmt;
use std::io::{self, Read, Write};

use bytes::Bytes;

use super::{lz4, snappy};

/// How the records of a batch are compressed (bits 0-2 of its attributes; Kafka's `CompressionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Codec {
    /// Not compressed.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Blocks in the framing of snappy-java; unframed is read too.
    Snappy,
    /// The LZ4 frame format (KIP-57).
    Lz4,
    /// RFC 8878 (KIP-110).
    Zstd,
}

/// Why bytes could not be decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecError {
    /// They are not what the codec writes; says why.
    Corrupt(String),
    /// They hold more than the caller's cap, in bytes.
    TooLarge {
        /// The cap.
        cap: usize,
    },
}

impl Codec {
    /// Every codec, by id.
    pub const fn all() -> [Self; 5] {
        [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd]
    }

    /// The number in the attributes, 0 to 4.
    pub const fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The codec with this number; `None` from 5 on.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::all().into_iter().find(|codec| codec.id() == id)
    }

    /// The name that `compression.type` uses (`none` for no compression).
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses `plain`, the same bytes every time.
    pub fn compress(self, plain: &[u8]) -> Bytes {
        match self {
            Self::None => Bytes::copy_from_slice(plain),
            Self::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                out.write_all(plain)
                    .and_then(|()| out.finish())
                    .expect("gzip into memory does not fail")
                    .into()
            }
            Self::Snappy => snappy::compress(plain).into(),
            Self::Lz4 => lz4::compress(plain).into(),
            Self::Zstd => zstd::stream::encode_all(plain, zstd::DEFAULT_COMPRESSION_LEVEL)
                .expect("zstd into memory does not fail")
                .into(),
        }
    }

    /// Decompresses all of `packed`, to at most `cap` bytes. What the bytes claim about their size is never
    /// believed: memory grows only with what really comes out.
    pub fn decompress(self, packed: &Bytes, cap: usize) -> Result<Bytes, CodecError> {
        match self {
            Self::None if packed.len() > cap => Err(CodecError::TooLarge { cap }),
            Self::None => Ok(packed.clone()),
            Self::Gzip => drain(flate2::bufread::MultiGzDecoder::new(&packed[..]), cap),
            Self::Snappy => snappy::decompress(packed, cap),
            Self::Lz4 => lz4::decompress(packed, cap, lz4::HeaderChecksum::Right),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(&packed[..])
                    .map_err(CodecError::from)?;
                drain(decoder, cap)
            }
        }
    }

    /// As [`Codec::compress`], in the form that message format `magic` needs: LZ4 in magic 0 has the wrong
    /// header checksum that its first implementation wrote (KIP-57).
    pub(super) fn compress_for(self, plain: &[u8], magic: i8) -> Bytes {
        match (self, magic) {
            (Self::Lz4, 0) => lz4::compress_broken(plain).into(),
            _ => self.compress(plain),
        }
    }

    /// The reverse of [`Codec::compress_for`].
    pub(super) fn decompress_for(
        self,
        packed: &Bytes,
        cap: usize,
        magic: i8,
    ) -> Result<Bytes, CodecError> {
        match (self, magic) {
            (Self::Lz4, 0) => lz4::decompress(packed, cap, lz4::HeaderChecksum::Either),
            _ => self.decompress(packed, cap),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(reason) => f.write_str(reason),
            Self::TooLarge { cap } => write!(f, "more than {cap} bytes come out"),
        }
    }
}

impl Error for CodecError {}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Reads everything that comes out of a decoder, or stops one byte past the cap.
pub(super) fn drain(decoder: impl Read, cap: usize) -> Result<Bytes, CodecError> {
    let mut out = Vec::new();
    let most = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut out)?;
    if out.len() > cap {
        return Err(CodecError::TooLarge { cap });
    }
    Ok(out.into())
}
