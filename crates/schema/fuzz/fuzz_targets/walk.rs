//! Any bytes, as the body of any message: the flat program and the tree agree, and what passes is written back as it was.
//!
//! The first byte is the API key, the second the version and the direction, the rest the body.
#![no_main]

use bytes::Bytes;
use kconform_schema::{Direction, Oddity, decode_noting, encode, notes, passes, walk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [key, version, body @ ..] = data else { return };
    let direction = if version & 0x80 == 0 { Direction::Response } else { Direction::Request };
    let (key, version) = (i16::from(*key), i16::from(version & 0x1f));

    let decoded = decode_noting(key, version, direction, &Bytes::copy_from_slice(body));
    let Some(passes) = passes(key, version, direction, body) else {
        assert!(decoded.is_err(), "read without a table");
        return;
    };
    assert_eq!(passes, decoded.is_ok(), "flat program and tree disagree: {decoded:?}");
    assert_eq!(walk(key, version, direction, body).err().as_ref(), decoded.as_ref().err());
    match decoded {
        Err(breach) => assert!(breach.offset <= body.len(), "{breach}"),
        Ok(decoded) => {
            let again = encode(key, version, direction, &decoded.value);
            let unusual = decoded.notes.iter().any(|note| !matches!(note.oddity, Oddity::UnknownTag { .. }));
            assert_eq!(notes(key, version, direction, body), decoded.notes);
            assert!(unusual || again.as_deref() == Ok(body), "{again:?}");
        }
    }
});
