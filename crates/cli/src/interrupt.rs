//! Ctrl-C and SIGTERM: the first ends the run in good order, the second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::terminal::tell;

/// The exit code of a process that was ended from outside, by the custom of shells: 128 and SIGINT.
const ENDED: i32 = 130;

/// Listens for signals from its making until the end of the process.
#[derive(Debug)]
pub(crate) struct Interrupt {
    orderly: Arc<AtomicBool>,
    receiver: watch::Receiver<bool>,
}

impl Interrupt {
    /// Starts listening. Until [`orderly`](Self::orderly) is called there is nothing to clean up, and the first signal ends the
    /// process; brokers of ours end with it, because a watcher sees to that.
    pub(crate) fn install(runtime: &tokio::runtime::Handle) -> Self {
        let (sender, receiver) = watch::channel(false);
        let orderly = Arc::new(AtomicBool::new(false));
        let known = orderly.clone();
        runtime.spawn(async move {
            loop {
                signal().await;
                if !known.load(Ordering::SeqCst) || *sender.borrow() {
                    std::process::exit(ENDED);
                }
                // The run holds a receiver until it has ended, and after that it matters to nobody.
                let _ = sender.send(true);
                tell(
                    "\ninterrupted: the cases in flight end, what they made is removed and the records are \
                     written; once more ends at once, and leaves to `clean` what they made",
                );
            }
        });
        Self { orderly, receiver }
    }

    /// From now on the first signal only asks the run to end.
    pub(crate) fn orderly(&self) -> watch::Receiver<bool> {
        self.orderly.store(true, Ordering::SeqCst);
        self.receiver.clone()
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => ctrl_c().await,
    }
}

#[cfg(not(unix))]
async fn signal() {
    ctrl_c().await;
}

/// Where signals cannot be listened for they keep their usual meaning.
async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
