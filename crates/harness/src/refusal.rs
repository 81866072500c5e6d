//! What a target does with a version that it does not offer: it must close the connection, or, for ApiVersions, say so.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use kconform_scenario::wire::schema::{self, Direction};
use kconform_scenario::{Ending, Outcome, keys};

use crate::execute::Env;
use crate::probe;

/// Each refusal is asked for once a run.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    known: Mutex<BTreeMap<(i16, i16), Result<String, String>>>,
}

impl Refusals {
    /// How the target refuses this version: a few words, or what it did instead.
    pub(crate) fn check(&self, env: &Env, key: i16, version: i16) -> Result<String, String> {
        let mut known = self.known.lock().map_err(|_| "a refusal check panicked".to_owned())?;
        if let Some(answer) = known.get(&(key, version)) {
            return answer.clone();
        }
        let answer = env.runtime.block_on(ask(env, key, version));
        known.insert((key, version), answer.clone());
        answer
    }
}

async fn ask(env: &Env, key: i16, version: i16) -> Result<String, String> {
    let cx = probe::case(&env.facts, &env.access);
    let mut conn = cx.connect().await.map_err(|e| probe::sentence(&e))?;
    conn.patience(Duration::from_secs(5));
    if key == keys::ApiVersions {
        // The header is read before the version is looked at, and must be one of version 2.
        let reply = conn.ask_bytes(key, version, &b"\x02k\x020\0"[..]).await;
        let answer: Outcome = reply.expect_error(35);
        return match answer {
            Ok(()) => Ok("answered UNSUPPORTED_VERSION".to_owned()),
            Err(failure) => Err(probe::sentence(&failure)),
        };
    }
    // A well-formed body, so that a broker which serves the version after all has no reason to close.
    let body = schema::default_value(key, version, Direction::Request)
        .and_then(|value| schema::encode(key, version, Direction::Request, &value).ok())
        .unwrap_or_default();
    let reply = conn.ask_bytes(key, version, body).await;
    let name = schema::api(key).map_or("the API", |api| api.name());
    match reply.ending() {
        Ending::Closed { partial: 0 } => Ok("closed the connection".to_owned()),
        _ => Err(format!("{name} v{version} is not advertised, and yet: {}", reply.describe())),
    }
}
