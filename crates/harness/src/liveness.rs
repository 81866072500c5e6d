//! Whether the target is still there. A target that dies is a finding and not the end of the run: the cases in flight
//! are the suspects, the run waits for the target and goes on, and each suspect runs alone at the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use kconform_scenario::{Conn, keys};

use crate::execute::Env;
use crate::probe;
use crate::sink::Sink;

/// What became of a case while it was in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The target was there all the time: the verdict stands.
    Sound,
    /// The target was lost meanwhile: the verdict means nothing.
    Suspect,
}

/// The target did not come back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// A case in flight, from [`Liveness::enter`] to [`Liveness::leave`].
#[derive(Debug)]
pub(crate) struct Flight(u64);

/// Keeps an eye on the target.
#[derive(Debug)]
pub(crate) struct Liveness {
    state: Mutex<State>,
    changed: Condvar,
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    begun: u64,
    in_flight: BTreeSet<u64>,
    suspects: BTreeSet<u64>,
    lost: bool,
    gone: bool,
}

/// Time between two looks at a lost target.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// A live target answers ApiVersions well within it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The sentinel asks this often when nobody bids it to.
const UNBIDDEN_EVERY: Duration = Duration::from_millis(500);
/// A target that takes so long for ApiVersions, which it answers from memory, stands still.
const SILENT: Duration = Duration::from_secs(2);

impl Liveness {
    /// A watch over a target that is there; `patience` is how long it may be away.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), patience }
    }

    /// A case begins. Waits while the target is lost.
    ///
    /// # Errors
    /// [`Gone`] when the target did not come back in time.
    pub(crate) fn enter(&self) -> Result<Flight, Gone> {
        let mut state = self.lock();
        while state.lost && !state.gone {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.gone {
            return Err(Gone);
        }
        state.begun += 1;
        let flight = state.begun;
        state.in_flight.insert(flight);
        Ok(Flight(flight))
    }

    /// A case ended; `trouble` says that it ended in a way that a lost target would explain.
    pub(crate) fn leave(
        &self,
        env: &Env,
        sentinel: &Sentinel,
        sink: &Sink,
        Flight(case): Flight,
        trouble: bool,
    ) -> Fate {
        {
            let mut state = self.lock();
            state.in_flight.remove(&case);
            if state.suspects.contains(&case) {
                return Fate::Suspect;
            }
            if !trouble {
                return Fate::Sound;
            }
        }
        if sentinel.holds() {
            return Fate::Sound;
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        state.suspects.extend(&state.in_flight);
        state.suspects.insert(case);
        if state.lost {
            // Somebody else is waiting for it already.
            return Fate::Suspect;
        }
        state.lost = true;
        let suspects = state.suspects.len();
        drop(guard);
        sink.tell(&format!(
            "the target is lost; {suspects} case(s) were in flight; waiting up to {} s for it (--target-wait)",
            self.patience.as_secs()
        ));
        let back = self.wait(env, sentinel);
        let mut state = self.lock();
        state.lost = false;
        state.gone = !back;
        self.changed.notify_all();
        drop(state);
        sink.tell(if back {
            "the target is back, going on"
        } else {
            "the target did not come back"
        });
        Fate::Suspect
    }

    /// Whether the target went away for good.
    pub(crate) fn gone(&self) -> bool {
        self.lock().gone
    }

    /// Forgets who was suspected, before the suspects run alone.
    pub(crate) fn acquit(&self) {
        self.lock().suspects.clear();
    }

    fn wait(&self, env: &Env, sentinel: &Sentinel) -> bool {
        let until = Instant::now() + self.patience;
        loop {
            if sentinel.renew(env) {
                return true;
            }
            if Instant::now() >= until || *env.interrupted.borrow() {
                return false;
            }
            let mut interrupted = env.interrupted.clone();
            let _ = env.runtime.block_on(async {
                tokio::time::timeout(LOOK_EVERY, interrupted.wait_for(|interrupted| *interrupted))
                    .await
                    .is_ok()
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that stays open. If it breaks, the broker behind it went away, however soon it came back. It is asked now and then
/// unbidden, so that a target that stood still for a while is noticed too.
pub(crate) struct Sentinel {
    /// When the target let a question wait, from when to when.
    silences: Arc<Mutex<Vec<(Instant, Instant)>>>,
    /// A connection belongs to one thread, and any case's thread may ask; so it has a thread of its own.
    thread: Mutex<Option<mpsc::Sender<mpsc::Sender<bool>>>>,
}

impl std::fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sentinel")
    }
}

impl Sentinel {
    /// Opens the connection.
    pub(crate) fn new(env: &Env) -> Self {
        let sentinel = Self { silences: Arc::default(), thread: Mutex::new(None) };
        sentinel.renew(env);
        sentinel
    }

    /// What to know of a case that ran then and did not pass: that the target answered nobody meanwhile, if so. Whatever waits
    /// for a time that is kept by one side alone goes wrong then.
    pub(crate) fn silence(&self, began: Instant, took: Duration) -> Option<String> {
        let silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        let meanwhile = silences.iter().filter(|(from, to)| *from <= began + took && *to >= began);
        let longest = meanwhile.map(|(from, to)| *to - *from).max()?;
        Some(format!(
            "while this case was in flight the target answered nobody for {:.1} s; it may have stood still, or been overloaded",
            longest.as_secs_f64()
        ))
    }

    /// Whether the connection still stands and is answered.
    pub(crate) fn holds(&self) -> bool {
        let mut held = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, answered) = mpsc::channel();
        let holds = held.as_ref().is_some_and(|ask| {
            ask.send(answer).is_ok() && answered.recv_timeout(ANSWER_WITHIN * 2).unwrap_or(false)
        });
        if !holds {
            *held = None;
        }
        holds
    }

    /// Opens a fresh connection; whether it is answered.
    pub(crate) fn renew(&self, env: &Env) -> bool {
        let (ask, asked) = mpsc::channel::<mpsc::Sender<bool>>();
        let (env, silences) = (env.clone(), self.silences.clone());
        std::thread::spawn(move || {
            let cx = probe::case(env.facts.clone(), &env.access);
            let mut conn = env.runtime.block_on(async {
                let mut conn = cx.connect().await.ok()?;
                conn.patience(ANSWER_WITHIN);
                Some(conn)
            });
            loop {
                let answer = match asked.recv_timeout(UNBIDDEN_EVERY) {
                    Ok(answer) => Some(answer),
                    Err(mpsc::RecvTimeoutError::Timeout) => None,
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                };
                let since = Instant::now();
                let alive = match &mut conn {
                    Some(conn) => env.runtime.block_on(answers(conn)),
                    None => false,
                };
                if since.elapsed() >= SILENT {
                    let mut silences = silences.lock().unwrap_or_else(PoisonError::into_inner);
                    silences.push((since, Instant::now()));
                }
                let heard = answer.is_none_or(|answer| answer.send(alive).is_ok());
                if !heard || !alive {
                    return;
                }
            }
        });
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(ask);
        self.holds()
    }
}

async fn answers(conn: &mut Conn) -> bool {
    conn.ask_bytes(keys::ApiVersions, 0, bytes::Bytes::new()).await.expect_answer().is_ok()
}
