//! Playing a case back: the recorded events are the script, and every operation waits for its turn in it.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};

use bytes::Bytes;

use super::Session;
use crate::event::{Event, Hex, What};

/// How the bytes that a replayed case sends are compared with those recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// Byte for byte.
    Strict,
    /// API key and version must agree; correlation ids of the recorded answers are rewritten, and events may be left
    /// over. For recordings that were changed on purpose, and for cases that were edited since.
    Lenient,
}

/// The recording and the case disagree: an error of ours, never of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Index of the recorded event at which they parted.
    pub event: usize,
    /// The connection concerned.
    pub lane: u32,
    /// What the case did and what the recording has.
    pub what: String,
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "drift at event {} on connection {}: {}", self.event, self.lane, self.what)
    }
}

/// How a replayed case ended.
#[derive(Debug)]
pub enum Replayed<T> {
    /// It came to an end and used every event.
    Done(T),
    /// It left the path of the recording.
    Drift(Drift),
    /// The recording ends with the deadline of the case.
    Deadline,
}

#[derive(Debug)]
pub(super) struct Script {
    events: Arc<[Event]>,
    next: usize,
    matching: Matching,
    wakers: Vec<Waker>,
    drift: Option<Drift>,
    deadline: bool,
    /// Lenient matching: (lane, recorded correlation id, the id that the case used).
    correlations: Vec<(u32, [u8; 4], [u8; 4])>,
}

impl Script {
    pub(super) fn of(events: Arc<[Event]>, matching: Matching) -> Self {
        Self {
            events,
            next: 0,
            matching,
            wakers: Vec::new(),
            drift: None,
            deadline: false,
            correlations: Vec::new(),
        }
    }
}

/// What a waiting operation makes of the next recorded event of its lane.
pub(crate) enum Turn {
    /// It is the one.
    Mine,
    /// It belongs to another operation of the same lane.
    Later,
    /// It cannot be: the case left the recording.
    Drift(String),
}

impl Session {
    /// Whether the next recorded event is this input.
    pub(super) fn comes_next(&self, name: &str) -> bool {
        let state = self.state.borrow();
        let next = state.script.as_ref().and_then(|script| script.events.get(script.next));
        next.is_some_and(|event| match &event.what {
            What::Given { name: recorded, .. } => recorded == name,
            _ => false,
        })
    }

    /// Plays a case back to its end. The future is polled on this thread, without a runtime.
    pub fn play<F: Future>(&self, case: F) -> Replayed<F::Output> {
        let mut case = std::pin::pin!(case);
        let mut context = std::task::Context::from_waker(Waker::noop());
        loop {
            let before = self.position();
            let polled = case.as_mut().poll(&mut context);
            let mut state = self.state.borrow_mut();
            let waiting = state.waiting.join(", ");
            let Some(script) = &mut state.script else {
                return Replayed::Drift(Drift {
                    event: 0,
                    lane: 0,
                    what: "a live session cannot be played".to_owned(),
                });
            };
            if let Some(drift) = script.drift.take() {
                return Replayed::Drift(drift);
            }
            if script.deadline {
                return Replayed::Deadline;
            }
            match polled {
                Poll::Ready(output) => {
                    // A changed recording ends a case early, which is what it is changed for.
                    let lenient = script.matching == Matching::Lenient;
                    return match script.events.get(script.next) {
                        None => Replayed::Done(output),
                        Some(_) if lenient => Replayed::Done(output),
                        Some(unused) => Replayed::Drift(Drift {
                            event: script.next,
                            lane: unused.lane,
                            what: format!(
                                "the case ended, the recording goes on with {}",
                                unused.what.kind()
                            ),
                        }),
                    };
                }
                Poll::Pending if script.next == before => {
                    if script.events.get(before).is_some_and(|event| event.what == What::Deadline) {
                        return Replayed::Deadline;
                    }
                    let recorded = script.events.get(script.next);
                    return Replayed::Drift(Drift {
                        event: script.next,
                        lane: recorded.map_or(0, |event| event.lane),
                        what: format!(
                            "the case waits for [{waiting}], the recording has {}",
                            recorded.map_or("nothing more", |event| event.what.kind())
                        ),
                    });
                }
                Poll::Pending => {}
            }
        }
    }

    fn position(&self) -> usize {
        self.state.borrow().script.as_ref().map_or(0, |script| script.next)
    }

    /// Replays a send: it must be the next event of its lane, with the same bytes.
    pub(crate) async fn send_turn(&self, lane: u32, bytes: &Bytes, secret: usize) {
        let matching = self.state.borrow().script.as_ref().map(|script| script.matching);
        self.turn(lane, "a send", |what| match what {
            What::Send { bytes: Hex(recorded), redacted, .. } => {
                same_bytes(bytes, recorded, *redacted, matching)
            }
            _ => Turn::Drift("the case sends".to_owned()),
        })
        .await;
        if let Some(What::Send { bytes: sent, secret: marked, .. }) =
            self.state.borrow_mut().log.last_mut().map(|event| &mut event.what)
        {
            *sent = Hex(bytes.clone());
            *marked = secret;
        }
    }

    /// Waits until the next recorded event is one that `judge` claims for this lane, and takes it.
    pub(crate) async fn turn(
        &self,
        lane: u32,
        waiting: &str,
        judge: impl Fn(&What) -> Turn,
    ) -> What {
        let waiting = self.wait_for(format!("{waiting} on connection {lane}"));
        let what = poll_fn(|context| {
            let mut guard = self.state.borrow_mut();
            let state = &mut *guard;
            let Some(script) = &mut state.script else { return Poll::Pending };
            if script.drift.is_some() || script.deadline {
                return Poll::Pending;
            }
            let at = script.next;
            // Past the end nothing can come; `play` notices when no other branch goes on either.
            let Some(event) = script.events.get(at) else { return Poll::Pending };
            if event.what == What::Deadline {
                script.deadline = true;
                return Poll::Pending;
            }
            if event.lane != lane {
                script.wakers.push(context.waker().clone());
                return Poll::Pending;
            }
            match judge(&event.what) {
                Turn::Mine => {}
                Turn::Later => {
                    script.wakers.push(context.waker().clone());
                    return Poll::Pending;
                }
                Turn::Drift(why) => {
                    let what = if why.is_empty() { waiting.what.clone() } else { why };
                    let what = format!("{what}, the recording has {}", event.what.kind());
                    script.drift = Some(Drift { event: at, lane, what });
                    return Poll::Pending;
                }
            }
            let mut event = event.clone();
            script.next += 1;
            for waker in script.wakers.drain(..) {
                waker.wake();
            }
            if script.matching == Matching::Lenient {
                rewrite_correlation(script, lane, &mut event.what);
            }
            let what = event.what.clone();
            state.log.push(event);
            Poll::Ready(what)
        })
        .await;
        drop(waiting);
        what
    }

    pub(crate) fn note_correlation(&self, lane: u32, sent: &Bytes) {
        let mut guard = self.state.borrow_mut();
        let Some(script) = &mut guard.script else { return };
        if script.matching != Matching::Lenient || script.next == 0 {
            return;
        }
        let recorded = match &script.events[script.next - 1].what {
            What::Send { bytes, .. } => correlation_of(&bytes.0),
            _ => None,
        };
        if let (Some(recorded), Some(ours)) = (recorded, correlation_of(sent)) {
            script.correlations.push((lane, recorded, ours));
        }
    }
}

/// Correlation id of a request with its length prefix.
fn correlation_of(request: &[u8]) -> Option<[u8; 4]> {
    request.get(8..12)?.try_into().ok()
}

fn rewrite_correlation(script: &mut Script, lane: u32, what: &mut What) {
    let What::Frame { bytes } = what else { return };
    let Some(recorded) = bytes.0.get(..4) else { return };
    let found =
        script.correlations.iter().position(|(l, theirs, _)| *l == lane && theirs == recorded);
    if let Some(at) = found {
        let (_, _, ours) = script.correlations.remove(at);
        let mut changed = bytes.0.to_vec();
        changed[..4].copy_from_slice(&ours);
        bytes.0 = changed.into();
    }
}

fn same_bytes(ours: &Bytes, recorded: &Bytes, redacted: usize, matching: Option<Matching>) -> Turn {
    if matching == Some(Matching::Lenient) {
        return match (ours.get(4..8), recorded.get(4..8)) {
            (Some(a), Some(b)) if a != b => {
                Turn::Drift(format!("the case sends API key and version {a:02x?}, not {b:02x?}"))
            }
            _ => Turn::Mine,
        };
    }
    let comparable = if redacted > 0 { &ours[..recorded.len().min(ours.len())] } else { &ours[..] };
    if comparable == &recorded[..] {
        return Turn::Mine;
    }
    let differs = comparable.iter().zip(recorded.iter()).position(|(a, b)| a != b);
    let at = differs.unwrap_or(comparable.len().min(recorded.len()));
    Turn::Drift(format!(
        "the case sends {} bytes, {} were recorded, and they differ from byte {at} on",
        ours.len(),
        recorded.len() + redacted
    ))
}
