//! No bytes make the reader allocate more than a small multiple of their number. One test, so that nothing else allocates.
#![allow(clippy::unwrap_used)]

#[path = "schema/random.rs"]
mod random;

use std::alloc::System;
use std::cell::RefCell;

use bytes::Bytes;
use kconform_schema::{api, decode, encode, walk};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes allocated by `act`, freed ones too: more than were ever held at once.
fn allocated(act: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    act();
    region.change().bytes_allocated
}

#[test]
fn memory_is_bounded_by_the_bytes_at_hand() {
    assert!(api(0).is_some(), "the tables are read before anything is measured");
    let worst = RefCell::new((0, String::new()));
    random::check_all(
        6,
        random::every_message(),
        random::message,
        |api, direction, version, value| {
            let sound = encode(api.key(), version, direction, &value).unwrap();
            assert_eq!(
                allocated(|| walk(api.key(), version, direction, &sound).unwrap()),
                0,
                "a sound walk allocates"
            );
            for at in (0..=sound.len()).step_by(1 + sound.len() / 8) {
                // The most that a count can claim; then as much as the bytes behind it allow.
                for evil in [
                    &[0x7f, 0xff, 0xff, 0xff][..],
                    &[0xff, 0xff, 0xff, 0xff, 0x07],
                    &[0, 0, 0, 64],
                    &[65],
                ] {
                    let body = Bytes::from([&sound[..at], evil, &[1; 64]].concat());
                    let used = allocated(|| drop(decode(api.key(), version, direction, &body)));
                    let times = used / body.len();
                    if times > worst.borrow().0 {
                        *worst.borrow_mut() = (
                            times,
                            format!("{} {direction:?} version {version}: {body:x}", api.name()),
                        );
                    }
                }
            }
            Ok(())
        },
    );
    let (times, example) = worst.into_inner();
    println!("at most {times} times the input: {example}");
    assert!(times < 100, "{times} times the input: {example}");
}
