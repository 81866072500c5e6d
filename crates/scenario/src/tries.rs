//! Bounded patience: how a case waits for a state to come about.

use std::time::Duration;

use kconform_wire::Session;

use crate::Cx;
use crate::failure::{Failure, Outcome};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl Cx {
    /// Bounded patience for a state to come about; `what` completes the sentence "waiting for …".
    pub fn tries(&self, what: impl Into<String>, within: Duration) -> Tries {
        Tries {
            session: self.shared.session.clone(),
            what: what.into(),
            ends: self.now() + within,
            pause: FIRST_PAUSE,
        }
    }
}

/// Bounded patience, see [`Cx::tries`]: pauses grow from 5 to 200 ms.
#[derive(Debug)]
pub struct Tries {
    session: Session,
    what: String,
    ends: Duration,
    pause: Duration,
}

impl Tries {
    /// Waits a little before the next try. `last` says what the last one saw.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the time is up.
    pub async fn again(&mut self, last: impl std::fmt::Display) -> Outcome {
        if self.session.now() + self.pause > self.ends {
            return Err(Failure::blocked(self.what.clone(), last.to_string()));
        }
        self.session.sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Like [`Tries::again`], where the state that is waited for is the act's: the end of patience is a violation.
    ///
    /// # Errors
    /// [`Failure::Failed`] when the time is up.
    pub async fn expect(&mut self, last: impl std::fmt::Display) -> Outcome {
        match self.again(last).await {
            Err(Failure::Blocked(finding)) => Err(Failure::Failed(finding)),
            other => other,
        }
    }
}
