//! Snappy as Kafka uses it: raw blocks behind the 16-byte header of snappy-java (`SnappyOutputStream`).
//!
//! Clients outside the JVM sometimes send one bare block instead, and Apache's reader takes both.

use bytes::Bytes;

use super::CodecError;

/// `\x82SNAPPY\0`.
const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

/// The magic, then version 1 and oldest compatible version 1.
const HEADER: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

/// Plain bytes of one block, the default of snappy-java.
const BLOCK: usize = 32 * 1024;

/// No snappy element yields more than 64 bytes from its 3, so a block that claims more than this many times
/// its size lies.
const MOST_EXPANSION: usize = 22;

/// Compresses into framed blocks.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut encoder = snap::raw::Encoder::new();
    for chunk in plain.chunks(BLOCK) {
        let block =
            encoder.compress_vec(chunk).expect("a block of 32 KiB is within what snappy can hold");
        out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        out.extend_from_slice(&block);
    }
    out
}

/// Decompresses framed blocks or one bare block, to at most `cap` bytes.
pub(super) fn decompress(packed: &Bytes, cap: usize) -> Result<Bytes, CodecError> {
    if !packed.starts_with(&MAGIC) {
        return block(packed, cap).map(Bytes::from);
    }
    let mut rest =
        packed.get(HEADER.len()..).ok_or_else(|| corrupt("the framing header is cut short"))?;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (size, after) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| corrupt("the size of a block is cut short"))?;
        let size = u32::from_be_bytes(*size) as usize;
        let packed =
            after.get(..size).ok_or_else(|| corrupt("a block is longer than the bytes left"))?;
        let plain = block(packed, cap - out.len()).map_err(|error| match error {
            CodecError::TooLarge { .. } => CodecError::TooLarge { cap },
            corrupt => corrupt,
        })?;
        out.extend_from_slice(&plain);
        rest = &after[size..];
    }
    Ok(out.into())
}

/// One raw block. Its claimed size is checked against what its bytes can hold before memory is taken.
fn block(packed: &[u8], cap: usize) -> Result<Vec<u8>, CodecError> {
    let claimed = snap::raw::decompress_len(packed).map_err(|error| corrupt(&error.to_string()))?;
    if claimed > packed.len().saturating_mul(MOST_EXPANSION) {
        return Err(corrupt("a block claims more than its bytes can hold"));
    }
    if claimed > cap {
        return Err(CodecError::TooLarge { cap });
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(|error| corrupt(&error.to_string()))
}

fn corrupt(reason: &str) -> CodecError {
    CodecError::Corrupt(reason.to_owned())
}
