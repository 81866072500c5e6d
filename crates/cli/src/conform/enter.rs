//! Getting in: the probe, and each configured way in tried once, before anything is planned.

use std::path::Path;
use std::time::{Duration, Instant};

use kconform_harness::{Probed, Target};

use crate::terminal::tell;
use crate::trouble::Trouble;

/// Between two looks at a target that is not there yet.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Probes a target that its operator described, and tries each listener and user that the file names. Waits for one that cannot
/// be reached where `--target-wait` says so; a configuration that is wrong stays wrong.
pub(super) async fn enter(
    target: &Target,
    file: Option<&Path>,
    wait: Duration,
) -> Result<Probed, Trouble> {
    let deadline = Instant::now() + wait;
    let mut told = false;
    loop {
        match once(target, file).await {
            Err(Trouble::Unreachable(why)) if Instant::now() < deadline => {
                if !told {
                    let why = why.lines().next().unwrap_or_default();
                    tell(&format!("{why}; waiting for it (--target-wait)"));
                    told = true;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            entered => return entered,
        }
    }
}

/// Probes a broker of our own. Its listeners and users are ours too: nothing about them can be mistaken.
pub(super) async fn enter_own(target: &Target) -> Result<Probed, Trouble> {
    let probed = kconform_harness::probe(target).await;
    probed.map_err(|error| Trouble::Unreachable(error.to_string()))
}

async fn once(target: &Target, file: Option<&Path>) -> Result<Probed, Trouble> {
    let probed = kconform_harness::probe(target).await.map_err(|error| {
        if error.login_refused() {
            let why = told(&error.tried.join("; "), target);
            let remedy = "user, password and mechanism must be those of a user of the target";
            return Trouble::Usage(format!("the login is refused: {why}\n    {remedy}"));
        }
        Trouble::Unreachable(told(&error.to_string(), target))
    })?;
    match kconform_harness::try_each(target, &probed).await {
        Ok(()) => Ok(probed),
        Err(barred) => {
            let file = file.map_or_else(String::new, |file| format!("{}: ", file.display()));
            let why = format!("{file}{barred}");
            Err(if barred.unreachable { Trouble::Unreachable(why) } else { Trouble::Usage(why) })
        }
    }
}

/// What a target made of a login, without what would steer the terminal and without the secret, which it might repeat.
fn told(why: &str, target: &Target) -> String {
    let mut text: String = why.chars().filter(|char| !char.is_control()).collect();
    for sasl in target.bootstrap.iter().filter_map(|dial| dial.sasl.as_ref()) {
        if !sasl.secret.0.is_empty() {
            text = text.replace(&sasl.secret.0, "***");
        }
    }
    text
}
