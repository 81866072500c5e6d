//! Whatever can be built can be written, passes the walker, and is read back as it was.

use bytes::Bytes;
use kconform_schema::{
    Note, Oddity, Value, decode_noting, default_value, encode, notes, passes, walk,
};
use proptest::prelude::*;

use crate::random;

#[test]
fn random_messages_survive_the_bytes() {
    let messages = random::check_all(
        16,
        random::every_message(),
        random::message,
        |api, direction, version, value| {
            let key = api.key();
            let bytes = encode(key, version, direction, &value)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(walk(key, version, direction, &bytes), Ok(()));
            prop_assert_eq!(passes(key, version, direction, &bytes), Some(true));
            let decoded = decode_noting(key, version, direction, &Bytes::from(bytes.clone()));
            let decoded = decoded.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&decoded.value, &value);
            let unknown = |note: &Note| matches!(note.oddity, Oddity::UnknownTag { .. });
            prop_assert!(decoded.notes.iter().all(unknown), "{:?}", decoded.notes);
            prop_assert_eq!(notes(key, version, direction, &bytes), decoded.notes);
            let again = encode(key, version, direction, &decoded.value);
            prop_assert_eq!(again, Ok(bytes));
            Ok(())
        },
    );
    assert!(messages >= 736, "only {messages} messages");
}

#[test]
fn defaults_survive_the_bytes_and_an_empty_struct_means_them() {
    for (api, direction, version) in random::every_message() {
        let value = default_value(api.key(), version, direction).unwrap();
        let bytes = encode(api.key(), version, direction, &value).unwrap();
        let empty = Value::from(kconform_schema::Struct::new());
        assert_eq!(
            encode(api.key(), version, direction, &empty).unwrap(),
            bytes,
            "{} {version}",
            api.name()
        );
        let decoded = decode_noting(api.key(), version, direction, &Bytes::from(bytes)).unwrap();
        assert_eq!((decoded.value, decoded.notes), (value, vec![]), "{} {version}", api.name());
    }
}

#[test]
fn a_prefix_of_a_message_never_passes() {
    random::check_all(
        2,
        random::every_message(),
        random::message,
        |api, direction, version, value| {
            let bytes = encode(api.key(), version, direction, &value).unwrap();
            for end in 0..bytes.len() {
                prop_assert!(
                    walk(api.key(), version, direction, &bytes[..end]).is_err(),
                    "{} bytes of {:?}",
                    end,
                    bytes
                );
            }
            let mut longer = bytes;
            longer.push(0);
            prop_assert!(walk(api.key(), version, direction, &longer).is_err());
            Ok(())
        },
    );
}
