//! The LZ4 frame format as Kafka writes it (`Lz4BlockOutputStream`): one frame, independent blocks of 64 KiB, no
//! content checksum, an end mark.
//!
//! Kafka's first implementation computed the header checksum over the frame's magic too. Readers of message
//! format 0 must live with that for ever; formats 1 and 2 have it right (KIP-57).

use std::hash::Hasher;
use std::io::Write;

use bytes::Bytes;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use twox_hash::XxHash32;

use super::CodecError;
use super::codec::drain;

/// Little-endian 0x184D2204.
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

const FLAG_BLOCK_CHECKSUM: u8 = 0x10;
const FLAG_CONTENT_SIZE: u8 = 0x08;
const FLAG_CONTENT_CHECKSUM: u8 = 0x04;
const FLAG_DICTIONARY: u8 = 0x01;

/// Set in a block's size when the block is stored as it is.
const STORED: u32 = 0x8000_0000;

/// Which header checksum a frame may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderChecksum {
    /// That of the LZ4 frame format.
    Right,
    /// That, or the one over the magic too.
    Either,
}

/// Compresses into one frame.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut frame = FrameEncoder::with_frame_info(info, Vec::new());
    frame.write_all(plain).expect("lz4 into memory does not fail");
    frame.finish().expect("lz4 into memory does not fail")
}

/// Compresses into one frame whose header checksum covers the magic too.
pub(super) fn compress_broken(plain: &[u8]) -> Vec<u8> {
    let mut frame = compress(plain);
    let at = checksum_at(frame[4]);
    frame[at] = checksum(&frame[..at]);
    frame
}

/// Decompresses exactly one frame, to at most `cap` bytes. The frame must have its end mark and nothing after it.
pub(super) fn decompress(
    packed: &Bytes,
    cap: usize,
    allowed: HeaderChecksum,
) -> Result<Bytes, CodecError> {
    let end = frame_end(packed)?;
    if end < packed.len() {
        let left = packed.len() - end;
        return Err(corrupt(&format!("{left} bytes after the end of the frame")));
    }
    let at = checksum_at(packed[4]);
    if allowed == HeaderChecksum::Either && packed[at] == checksum(&packed[..at]) {
        let mut mended = packed.to_vec();
        mended[at] = checksum(&packed[4..at]);
        return drain(FrameDecoder::new(&mended[..]), cap);
    }
    drain(FrameDecoder::new(&packed[..]), cap)
}

/// Walks the blocks of a frame to the byte after it: the decoder itself takes a missing end mark for the end.
fn frame_end(packed: &[u8]) -> Result<usize, CodecError> {
    let cut = || corrupt("the frame is cut short");
    if !packed.starts_with(&MAGIC) {
        return Err(corrupt("the frame does not start with its magic"));
    }
    let flags = *packed.get(4).ok_or_else(cut)?;
    let mut at = checksum_at(flags) + 1;
    loop {
        let size = packed.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(cut)?;
        at += 4;
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            break;
        }
        let checksum = if flags & FLAG_BLOCK_CHECKSUM == 0 { 0 } else { 4 };
        at = at.saturating_add((size & !STORED) as usize + checksum);
        if at > packed.len() {
            return Err(cut());
        }
    }
    if flags & FLAG_CONTENT_CHECKSUM != 0 {
        at += 4;
    }
    if at > packed.len() { Err(cut()) } else { Ok(at) }
}

/// Where the header checksum stands in a frame with these flags: after magic, flags, block descriptor and
/// the optional fields.
fn checksum_at(flags: u8) -> usize {
    let size = if flags & FLAG_CONTENT_SIZE == 0 { 0 } else { 8 };
    let dictionary = if flags & FLAG_DICTIONARY == 0 { 0 } else { 4 };
    6 + size + dictionary
}

fn checksum(bytes: &[u8]) -> u8 {
    let mut hasher = XxHash32::with_seed(0);
    hasher.write(bytes);
    (hasher.finish() >> 8) as u8
}

fn corrupt(reason: &str) -> CodecError {
    CodecError::Corrupt(reason.to_owned())
}
