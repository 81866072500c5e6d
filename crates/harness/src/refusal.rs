//! What a target does with a version that it does not offer: it must close the connection, or, for ApiVersions, say so.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kconform_scenario::wire::schema::{self, Direction};
use kconform_scenario::{Ending, keys};

use crate::execute::Env;
use crate::probe;

/// What a target made of a request in a version that it does not offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It refused, in these words.
    Refused(String),
    /// It did something else.
    Served(String),
    /// It could not be asked.
    Unreachable(String),
}

/// Each refusal is asked for once a run.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    known: Mutex<BTreeMap<(i16, i16), Answer>>,
}

impl Refusals {
    /// How the target refuses this version.
    pub(crate) fn check(&self, env: &Env, key: i16, version: i16) -> Answer {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&(key, version)) {
            return answer.clone();
        }
        let answer = env.runtime.block_on(ask(env, key, version));
        // A target that could not be asked may be back for the next case.
        if !matches!(answer, Answer::Unreachable(_)) {
            known.insert((key, version), answer.clone());
        }
        answer
    }
}

async fn ask(env: &Env, key: i16, version: i16) -> Answer {
    let cx = probe::case(env.facts.clone(), &env.access);
    let mut conn = match cx.connect().await {
        Ok(conn) => conn,
        Err(failure) => return Answer::Unreachable(probe::sentence(&failure)),
    };
    conn.patience(Duration::from_secs(5));
    if key == keys::ApiVersions {
        // The header is read before the version is looked at, and must be one of version 2.
        let reply = conn.ask_bytes(key, version, &b"\x02k\x020\0"[..]).await;
        return match reply.expect_error(35) {
            Ok(()) => Answer::Refused("answered UNSUPPORTED_VERSION".to_owned()),
            Err(failure) => Answer::Served(probe::sentence(&failure)),
        };
    }
    // A well-formed body, so that a broker which serves the version after all has no reason to close.
    let body = schema::default_value(key, version, Direction::Request)
        .and_then(|value| schema::encode(key, version, Direction::Request, &value).ok())
        .unwrap_or_default();
    let reply = conn.ask_bytes(key, version, body).await;
    let name = schema::api(key).map_or("the API", |api| api.name());
    match reply.ending() {
        Ending::Closed { partial: 0 } => Answer::Refused("closed the connection".to_owned()),
        _ => Answer::Served(format!(
            "{name} v{version} is not advertised, and yet: {}",
            reply.describe()
        )),
    }
}
