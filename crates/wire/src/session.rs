//! One case's conversation with the outside: live, or played back from a recording.
//!
//! Everything that a case may learn passes through its [`Session`] and is written into one totally
//! ordered list of [`Event`]s at the moment in which the case receives it. Played back, an operation
//! completes exactly when it is its turn in that list, so the same case takes the same path; the time
//! in a case is the time of its last event. Nothing waits during a replay, and no runtime is needed.

use std::cell::{Ref, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::{Event, What};

mod script;

use script::Script;
pub(crate) use script::Turn;
pub use script::{Drift, Matching, Replayed};

/// A case's conversation; cheap to clone, all clones are the same one.
#[derive(Clone, Debug)]
pub struct Session {
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    log: Vec<Event>,
    started: Instant,
    lanes: u32,
    timers: u32,
    waiting: Vec<String>,
    script: Option<Script>,
}

impl Session {
    /// A live session; its clock starts now.
    pub fn live() -> Self {
        Self::new(None)
    }

    /// A session that plays back these events.
    pub fn replay(events: Arc<[Event]>, matching: Matching) -> Self {
        Self::new(Some(Script::of(events, matching)))
    }

    fn new(script: Option<Script>) -> Self {
        let state = State {
            log: Vec::new(),
            started: Instant::now(),
            lanes: 0,
            timers: 0,
            waiting: Vec::new(),
            script,
        };
        Self { state: Rc::new(RefCell::new(state)) }
    }

    /// Whether this is a replay. For the transport only: a scenario must not know.
    pub fn is_replay(&self) -> bool {
        self.state.borrow().script.is_some()
    }

    /// The time of the last event, since the case began.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.state.borrow().log.last().map_or(0, |event| event.at_us))
    }

    /// The events so far.
    pub fn events(&self) -> Ref<'_, [Event]> {
        Ref::map(self.state.borrow(), |state| state.log.as_slice())
    }

    /// What the case is waiting for at this moment, for the diagnosis of a hang.
    pub fn waiting(&self) -> Vec<String> {
        self.state.borrow().waiting.clone()
    }

    /// Sleeps, as a recorded wake-up.
    pub async fn sleep(&self, duration: Duration) {
        let id = {
            let mut state = self.state.borrow_mut();
            state.timers += 1;
            state.timers - 1
        };
        if self.is_replay() {
            self.turn(0, &format!("a sleep of {duration:?}"), |what| match what {
                What::Timer { id: recorded } if *recorded == id => Turn::Mine,
                What::Timer { .. } | What::Given { .. } => Turn::Later,
                _ => Turn::Drift(String::new()),
            })
            .await;
        } else {
            let _waiting = self.wait_for(format!("a sleep of {duration:?}"));
            tokio::time::sleep(duration).await;
            self.log(0, What::Timer { id });
        }
    }

    /// An input that does not come over a connection (a pooled partition, say): computed live, recorded, and
    /// handed over again in a replay.
    pub async fn given<F>(&self, name: &str, live: F) -> serde_json::Value
    where
        F: Future<Output = serde_json::Value>,
    {
        if self.is_replay() {
            let what = self
                .turn(0, name, |what| match what {
                    What::Given { name: recorded, .. } if recorded == name => Turn::Mine,
                    What::Timer { .. } | What::Given { .. } => Turn::Later,
                    _ => Turn::Drift(String::new()),
                })
                .await;
            match what {
                What::Given { value, .. } => value,
                _ => serde_json::Value::Null,
            }
        } else {
            let value = {
                let _waiting = self.wait_for(name.to_owned());
                live.await
            };
            self.log(0, What::Given { name: name.to_owned(), value: value.clone() });
            value
        }
    }

    /// Whether the case goes on with something that it may also leave out, such as a search for a smaller failing value:
    /// always live, and in a replay exactly as far as the recording did. So a changed recording, which fails where the
    /// recorded case did not, is not taken for one that has left its path.
    pub async fn goes_on(&self, name: &str) -> bool {
        if self.is_replay() && !self.comes_next(name) {
            return false;
        }
        self.given(name, async { serde_json::Value::Null }).await;
        true
    }

    /// Records that the deadline of the whole case passed.
    pub fn deadline(&self) {
        self.log(0, What::Deadline);
    }

    pub(crate) fn lane(&self) -> u32 {
        let mut state = self.state.borrow_mut();
        state.lanes += 1;
        state.lanes
    }

    pub(crate) fn log(&self, lane: u32, what: What) {
        let mut state = self.state.borrow_mut();
        let at_us = u64::try_from(state.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        state.log.push(Event { at_us, lane, what });
    }

    pub(crate) fn wait_for(&self, what: String) -> Waiting {
        self.state.borrow_mut().waiting.push(what.clone());
        Waiting { session: self.clone(), what }
    }
}

/// Keeps a line in the list of waits while the wait lasts.
pub(crate) struct Waiting {
    session: Session,
    what: String,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.session.state.borrow_mut();
        if let Some(at) = state.waiting.iter().position(|waiting| *waiting == self.what) {
            state.waiting.swap_remove(at);
        }
    }
}
