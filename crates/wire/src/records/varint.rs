//! Zig-zag variable-length integers, as the fields of a magic-2 record use them (`ByteUtils`).

use bytes::BufMut;

/// Most bytes a 32-bit varint may take.
pub(super) const MAX_VARINT: usize = 5;

/// Most bytes a 64-bit varint may take.
pub(super) const MAX_VARLONG: usize = 10;

/// Appends `value`. A value that fits 32 bits has the same bytes as a varint and as a varlong, so one
/// writer serves both.
pub(super) fn put(out: &mut impl BufMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.put_u8((rest as u8) | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

/// What stands at the front of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A value, and how many bytes it took.
    Value(i64, usize),
    /// The bytes end inside it.
    Short,
    /// It goes on past the longest legal form, or carries bits beyond the type.
    TooLong,
}

/// Reads a varint of 32 bits.
pub(super) fn read_i32(bytes: &[u8]) -> Read {
    match raw(bytes, MAX_VARINT) {
        Read::Value(raw, taken) => match u32::try_from(raw) {
            Ok(raw) => Read::Value(i64::from(unzigzag32(raw)), taken),
            Err(_) => Read::TooLong,
        },
        other => other,
    }
}

/// Reads a varint of 64 bits.
pub(super) fn read_i64(bytes: &[u8]) -> Read {
    match raw(bytes, MAX_VARLONG) {
        Read::Value(raw, taken) => Read::Value(unzigzag64(raw as u64), taken),
        other => other,
    }
}

fn unzigzag32(raw: u32) -> i32 {
    ((raw >> 1) as i32) ^ -((raw & 1) as i32)
}

fn unzigzag64(raw: u64) -> i64 {
    ((raw >> 1) as i64) ^ -((raw & 1) as i64)
}

/// The value before zig-zag, its 64 bits carried in an `i64`.
fn raw(bytes: &[u8], longest: usize) -> Read {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().take(longest).enumerate() {
        let part = u64::from(byte & 0x7f);
        let shift = 7 * index as u32;
        // The tenth byte of a varlong has room for one bit.
        if shift == 63 && part > 1 {
            return Read::TooLong;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Read::Value(value as i64, index + 1);
        }
    }
    if bytes.len() < longest { Read::Short } else { Read::TooLong }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn known_forms() {
        for (value, bytes) in [
            (0_i64, &[0x00_u8][..]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = Vec::new();
            put(&mut out, value);
            assert_eq!(out, bytes);
            assert_eq!(read_i32(bytes), Read::Value(value, bytes.len()));
            assert_eq!(read_i64(bytes), Read::Value(value, bytes.len()));
        }
    }

    #[test]
    fn the_extremes_of_64_bits() {
        for value in [i64::MIN, i64::MAX, i64::MIN + 1] {
            let mut out = Vec::new();
            put(&mut out, value);
            assert_eq!(out.len(), MAX_VARLONG);
            assert_eq!(read_i64(&out), Read::Value(value, MAX_VARLONG));
            assert_eq!(read_i32(&out), Read::TooLong);
        }
    }

    #[test]
    fn illegal_forms() {
        assert_eq!(read_i32(&[]), Read::Short);
        assert_eq!(read_i32(&[0x80, 0x80]), Read::Short);
        assert_eq!(read_i32(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Read::TooLong);
        // 36 bits in five bytes.
        assert_eq!(read_i32(&[0xff, 0xff, 0xff, 0xff, 0x7f]), Read::TooLong);
        assert_eq!(
            read_i64(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
            Read::TooLong
        );
        assert_eq!(read_i64(&[0x80; 11]), Read::TooLong);
        // Longer than needed is legal, as it is in Apache's reader.
        assert_eq!(read_i32(&[0x82, 0x00]), Read::Value(1, 2));
    }
}
