//! Bytes that a finding can name in a few characters: so many, of that kind.

use std::fmt;

use bytes::Bytes;
use proptest::prelude::*;

/// Bytes drawn from a length and a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Blob {
    /// How many.
    length: u32,
    /// Which: another kind gives other bytes.
    kind: u8,
}

/// After so many bytes they come again, so that long ones have something to compress and recordings stay small.
const PERIOD: usize = 61;

impl Blob {
    /// The bytes: every octet occurs, and none of them is special.
    pub(super) fn bytes(self) -> Bytes {
        Self::of(self.length as usize, self.kind)
    }

    /// So many bytes of this kind.
    pub(super) fn of(length: usize, kind: u8) -> Bytes {
        let octet = |at: usize| (at % PERIOD * 37) as u8 ^ kind.wrapping_mul(101);
        (0..length).map(octet).collect()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{:02x}", self.length, self.kind)
    }
}

/// Bytes: mostly few, often none, seldom up to `most`.
pub(super) fn blob(most: u32) -> impl Strategy<Value = Blob> {
    let length = prop_oneof![2 => Just(0), 8 => 1..40_u32, 2 => 1..most.max(2)];
    (length, any::<u8>()).prop_map(|(length, kind)| Blob { length, kind })
}

/// The same, or null.
pub(super) fn nullable(most: u32) -> impl Strategy<Value = Option<Blob>> {
    prop_oneof![1 => Just(None), 4 => blob(most).prop_map(Some)]
}
