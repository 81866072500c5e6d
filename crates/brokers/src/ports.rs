//! Free ports for the listeners of a cluster.
//!
//! They lie below 32768: above begins the range from which the kernel takes the local ports of
//! outgoing connections, and one of those, even in TIME_WAIT, makes a broker fail with "Address
//! already in use".

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Where base ports are taken from.
const RANGE: Range<u16> = 11_000..32_700;

/// Ranges tried before giving up; with a few clusters on a machine the first is free nearly always.
const TRIES: usize = 200;

/// Ranges held by clusters of this process: they may not listen yet, so that a bind would not
/// notice them.
static TAKEN: Mutex<Vec<Range<u16>>> = Mutex::new(Vec::new());

/// A run of consecutive ports, free when it was chosen, that no other cluster of this process takes
/// until it is dropped.
#[derive(Debug)]
pub(crate) struct Ports {
    range: Range<u16>,
}

impl Ports {
    /// Chooses `count` consecutive ports at random, each proven free by a bind on 127.0.0.1.
    ///
    /// `None` when no free run was found, which means that the machine is full.
    pub(crate) fn choose(count: u16) -> Option<Ports> {
        (0..TRIES).find_map(|_| Ports::claim(random_base(count)?, count))
    }

    /// The port at this place of the run, from 0.
    pub(crate) fn at(&self, place: u16) -> u16 {
        self.range.start + place
    }

    fn claim(base: u16, count: u16) -> Option<Ports> {
        let range = base..base + count;
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let overlaps = |other: &Range<u16>| other.start < range.end && range.start < other.end;
        if taken.iter().any(overlaps) || !range.clone().all(is_free) {
            return None;
        }
        taken.push(range.clone());
        Some(Ports { range })
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner).retain(|range| *range != self.range);
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn random_base(count: u16) -> Option<u16> {
    let span = u32::from(RANGE.end - RANGE.start).checked_sub(u32::from(count))?;
    let place = getrandom::u32().ok()? % span;
    Some(RANGE.start + u16::try_from(place).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ports_are_free_and_below_the_ephemeral_range() {
        let ports = Ports::choose(9).unwrap();
        for place in 0..9 {
            assert!((11_000..32_768).contains(&ports.at(place)));
            TcpListener::bind((Ipv4Addr::LOCALHOST, ports.at(place))).unwrap();
        }
    }

    #[test]
    fn a_run_with_a_port_in_use_is_refused() {
        let ports = Ports::choose(3).unwrap();
        let base = ports.at(0);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.at(2))).unwrap();
        drop(ports);
        assert!(Ports::claim(base, 3).is_none());
        drop(listener);
        assert!(Ports::claim(base, 3).is_some());
    }

    #[test]
    fn a_held_run_is_not_given_twice() {
        let held = Ports::choose(4).unwrap();
        assert!(Ports::claim(held.at(3), 4).is_none(), "overlaps in its last port");
        assert!(Ports::claim(held.at(0), 1).is_none());
        let base = held.at(0);
        drop(held);
        assert!(Ports::claim(base, 4).is_some());
    }

    #[test]
    fn an_impossible_count_is_no_panic() {
        assert!(Ports::choose(u16::MAX).is_none());
    }
}
