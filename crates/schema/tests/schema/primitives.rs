//! The primitives alone: what is written is read, known bytes are known, and nothing is read beyond the end.

use kconform_schema::Rule;
use kconform_schema::primitives::{Reader, Writer};
use proptest::prelude::*;

proptest! {
    #[test]
    fn numbers_are_read_as_written(
        small in any::<i8>(), short in any::<i16>(), int in any::<i32>(), long in any::<i64>(),
        unsigned in any::<u32>(), float in any::<f64>(), uuid in any::<[u8; 16]>(), flag in any::<bool>(),
    ) {
        let mut writer = Writer::new();
        writer.put_i8(small).put_i16(short).put_i32(int).put_i64(long).put_u32(unsigned).put_f64(float).put_uuid(uuid);
        writer.put_bool(flag).put_uvarint(unsigned).put_varint(int).put_varlong(long).put_u16(7).put_u8(9);
        let mut reader = Reader::new(writer.as_slice());
        prop_assert_eq!(reader.i8(), Ok(small));
        prop_assert_eq!(reader.i16(), Ok(short));
        prop_assert_eq!(reader.i32(), Ok(int));
        prop_assert_eq!(reader.i64(), Ok(long));
        prop_assert_eq!(reader.u32(), Ok(unsigned));
        prop_assert_eq!(reader.f64(), Ok(float));
        prop_assert_eq!(reader.uuid(), Ok(uuid));
        prop_assert_eq!(reader.bool(), Ok(flag));
        prop_assert_eq!(reader.uvarint(), Ok(unsigned));
        prop_assert_eq!(reader.varint(), Ok(int));
        prop_assert_eq!(reader.varlong(), Ok(long));
        prop_assert_eq!(reader.u16(), Ok(7));
        prop_assert_eq!(reader.u8(), Ok(9));
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn texts_and_bytes_are_read_as_written(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut writer = Writer::new();
        writer.put_string(&text).put_nullable_string(None).put_nullable_string(Some(&text));
        writer.put_compact_string(&text).put_compact_nullable_string(None).put_compact_nullable_string(Some(&text));
        writer.put_bytes(&bytes).put_nullable_bytes(None).put_nullable_bytes(Some(&bytes));
        writer.put_compact_bytes(&bytes).put_compact_nullable_bytes(None).put_compact_nullable_bytes(Some(&bytes));
        writer.put_tags(&[(0, &bytes), (300, text.as_bytes())]);
        let written = writer.into_vec();
        let mut reader = Reader::new(&written);
        prop_assert_eq!(reader.string(), Ok(text.as_str()));
        prop_assert_eq!(reader.nullable_string(), Ok(None));
        prop_assert_eq!(reader.nullable_string(), Ok(Some(text.as_str())));
        prop_assert_eq!(reader.compact_string(), Ok(text.as_str()));
        prop_assert_eq!(reader.compact_nullable_string(), Ok(None));
        prop_assert_eq!(reader.compact_nullable_string(), Ok(Some(text.as_str())));
        prop_assert_eq!(reader.bytes(), Ok(&*bytes));
        prop_assert_eq!(reader.nullable_bytes(), Ok(None));
        prop_assert_eq!(reader.nullable_bytes(), Ok(Some(&*bytes)));
        prop_assert_eq!(reader.compact_bytes(), Ok(&*bytes));
        prop_assert_eq!(reader.compact_nullable_bytes(), Ok(None));
        prop_assert_eq!(reader.compact_nullable_bytes(), Ok(Some(&*bytes)));
        prop_assert_eq!(reader.tags(), Ok(vec![(0, &*bytes), (300, text.as_bytes())]));
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        macro_rules! read {
            ($($name:ident)*) => { $({
                let mut reader = Reader::new(&bytes);
                while reader.$name().is_ok() && reader.left() > 0 {}
                prop_assert!(reader.offset() <= bytes.len());
            })* };
        }
        read! {
            i8 u8 i16 u16 i32 u32 i64 f64 uuid bool uvarint varint varlong string nullable_string compact_string
            compact_nullable_string bytes nullable_bytes compact_bytes compact_nullable_bytes array_len compact_array_len tags
        }
    }
}

#[test]
fn known_bytes_are_known() {
    let written = |write: fn(&mut Writer) -> &mut Writer| {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.into_vec()
    };
    assert_eq!(written(|to| to.put_uvarint(300)), [0xac, 0x02]);
    assert_eq!(written(|to| to.put_uvarint(u32::MAX)), [0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(written(|to| to.put_varint(-1)), [0x01]);
    assert_eq!(written(|to| to.put_varint(i32::MIN)), [0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(written(|to| to.put_varlong(i64::MIN)), [[0xff; 9].as_slice(), &[0x01]].concat());
    assert_eq!(written(|to| to.put_compact_string("a")), [0x02, b'a']);
    assert_eq!(written(|to| to.put_compact_nullable_string(None)), [0x00]);
    assert_eq!(written(|to| to.put_string("a")), [0x00, 0x01, b'a']);
    assert_eq!(written(|to| to.put_nullable_bytes(None)), [0xff; 4]);
    assert_eq!(written(|to| to.put_array_len(2)), [0, 0, 0, 2]);
    assert_eq!(written(|to| to.put_compact_array_len(2)), [3]);
    assert_eq!(written(|to| to.put_tags(&[])), [0]);
    assert_eq!(written(|to| to.put_tags(&[(1, &[0xab])])), [1, 1, 1, 0xab]);
}

#[test]
fn varints_end_where_their_type_does() {
    let rule = |bytes: &[u8]| Reader::new(bytes).uvarint().unwrap_err().rule;
    assert_eq!(rule(&[0xff, 0xff, 0xff, 0xff, 0x10]), Rule::Varint { most: 5 });
    assert_eq!(rule(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), Rule::Varint { most: 5 });
    assert_eq!(rule(&[0x80]), Rule::Short { needed: 1, left: 0 });
    let long = [[0xff; 9].as_slice(), &[0x02]].concat();
    assert_eq!(Reader::new(&long).varlong().unwrap_err().rule, Rule::Varint { most: 10 });
}

#[test]
fn null_is_refused_where_it_is_not_asked_for() {
    let error = Reader::new(&[0xff, 0xff]).string().unwrap_err();
    assert_eq!(error.to_string(), "at byte 0: null where this version allows none");
    assert_eq!(Reader::new(&[0]).compact_bytes().unwrap_err().rule, Rule::Null);
    assert_eq!(Reader::new(&[0xff; 4]).array_len(), Ok(None));
    assert_eq!(
        Reader::new(&[0, 0, 0, 9]).array_len().unwrap_err().rule,
        Rule::TooMany { count: 9, left: 0 }
    );
}
