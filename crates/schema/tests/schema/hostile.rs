//! Bytes that nobody sound would send: no panic, no disagreement between the two halves of the walker, nothing made up.

use std::cell::Cell;

use bytes::Bytes;
use kconform_schema::{Api, Direction, Oddity, decode_noting, encode, notes, passes, walk};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::random;

/// One change to a body.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Put(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Cut(Index, Index),
    Double(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let evil = prop_oneof![
        Just(vec![0xff]),
        Just(vec![0x00]),
        Just(vec![0x80, 0x00]),
        Just(vec![0xff, 0xff, 0xff, 0xff]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(vec![0xff, 0xff, 0xff, 0xff, 0x07]),
        Just(vec![0x01, 0x00, 0x01, 0x00]),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop_oneof![
        3 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, 1 << bit)),
        2 => (any::<Index>(), evil.clone()).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        1 => (any::<Index>(), evil).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Double(from, to)),
    ]
}

impl Change {
    fn apply(&self, body: &mut Vec<u8>) {
        let at = |index: &Index| index.index(body.len() + 1);
        match self {
            Self::Flip(index, mask) => {
                let at = at(index);
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= mask;
                }
            }
            Self::Put(index, bytes) => {
                let at = at(index);
                for (to, from) in body[at..].iter_mut().zip(bytes) {
                    *to = *from;
                }
            }
            Self::Insert(index, bytes) => {
                let at = at(index);
                body.splice(at..at, bytes.iter().copied());
            }
            Self::Cut(from, to) => {
                let (from, to) = (at(from), at(to));
                body.drain(from.min(to)..from.max(to));
            }
            Self::Double(from, to) => {
                let (from, to) = (at(from), at(to));
                let part = body[from.min(to)..from.max(to)].to_vec();
                body.splice(from.max(to)..from.max(to), part);
            }
        }
    }
}

/// What must hold for any bytes at all. Says whether they passed.
fn examine(
    api: &Api,
    direction: Direction,
    version: i16,
    body: &[u8],
) -> Result<bool, TestCaseError> {
    let key = api.key();
    let flat = passes(key, version, direction, body);
    let walked = walk(key, version, direction, body);
    let decoded = decode_noting(key, version, direction, &Bytes::copy_from_slice(body));
    prop_assert_eq!(flat, Some(decoded.is_ok()), "{:?}", &decoded);
    prop_assert_eq!(walked.as_ref().err(), decoded.as_ref().err());
    match decoded {
        Err(breach) => {
            prop_assert!(breach.offset <= body.len(), "{}", breach);
            prop_assert_eq!(notes(key, version, direction, body), vec![]);
            Ok(false)
        }
        Ok(decoded) => {
            let unusual =
                decoded.notes.iter().any(|note| !matches!(note.oddity, Oddity::UnknownTag { .. }));
            prop_assert_eq!(notes(key, version, direction, body), decoded.notes);
            let again = encode(key, version, direction, &decoded.value);
            if !unusual {
                prop_assert_eq!(again, Ok(body.to_vec()));
            }
            Ok(true)
        }
    }
}

#[test]
fn changed_messages() {
    let (passed, broken) = (Cell::new(0u32), Cell::new(0u32));
    let strategy = |api: &'static Api, direction, version| {
        (random::message(api, direction, version), prop::collection::vec(change(), 1..4))
    };
    random::check_all(
        48,
        random::every_message(),
        strategy,
        |api, direction, version, (value, changes)| {
            let mut body = encode(api.key(), version, direction, &value).unwrap();
            changes.iter().for_each(|change| change.apply(&mut body));
            let outcome = if examine(api, direction, version, &body)? { &passed } else { &broken };
            outcome.set(outcome.get() + 1);
            Ok(())
        },
    );
    // A change that never broke anything, or always did, would prove nothing.
    assert!(
        passed.get() > 1_000 && broken.get() > 1_000,
        "{} passed, {} broke",
        passed.get(),
        broken.get()
    );
}

#[test]
fn arbitrary_bytes() {
    let strategy = |_, _, _| {
        let small = prop_oneof![3 => 0..3u8, 1 => any::<u8>()];
        prop_oneof![prop::collection::vec(any::<u8>(), 0..80), prop::collection::vec(small, 0..120)]
    };
    random::check_all(16, random::every_message(), strategy, |api, direction, version, body| {
        examine(api, direction, version, &body).map(drop)
    });
}
