//! Every way in that the operator configured, tried once before a run. A wrong port or password would otherwise look like hundreds
//! of failures of the target.

use std::time::Duration;

use futures_util::future::join_all;
use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use kconform_scenario::wire::{Dial, Mechanism, OpenError, Sasl, Secret};
use kconform_scenario::{Conn, Ending, Failure, Listener, Reply, Role, User, keys};

use crate::Target;
use crate::probe::{self, Probed, Unreachable, looks_like};

/// A way in that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The key in a target file: `listeners.ssl`, `users.super`.
    pub key: String,
    /// What came of trying it, never with a secret.
    pub what: String,
    /// What mends it.
    pub remedy: String,
    /// Nobody answered there; a later try may do better. Otherwise somebody did, and it is the configuration that is wrong.
    pub unreachable: bool,
}

impl std::fmt::Display for Barred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}\n    {}", self.key, self.what, self.remedy)
    }
}

impl std::error::Error for Barred {}

impl Unreachable {
    /// Somebody answered at each address and refused the login: no later try does better with the same one.
    pub fn login_refused(&self) -> bool {
        let refused = |why: &String| {
            ["SASL_AUTHENTICATION_FAILED", "the broker does not enable"]
                .iter()
                .any(|said| why.contains(&format!("not authenticated: {said}")))
        };
        !self.tried.is_empty() && self.tried.iter().all(refused)
    }
}

/// Opens one connection to each listener of the target, and logs in each user once with each of its mechanisms where there is a
/// listener for that. Every connection is closed again at once.
///
/// # Errors
/// The first that does not work, listeners before users.
pub async fn try_each(target: &Target, probed: &Probed) -> Result<(), Barred> {
    let listeners = target.listeners.iter();
    let tried = join_all(listeners.map(|(listener, dial)| try_listener(probed, *listener, dial)));
    let mut offered = Vec::new();
    for (found, listener) in tried.await.into_iter().zip(target.listeners.keys()) {
        if let Some(mechanisms) = found? {
            offered.push((*listener, mechanisms));
        }
    }
    // Cases log in on the plain one where there is a choice.
    let Some((listener, offered)) = offered.into_iter().next() else { return Ok(()) };
    let logins =
        target.users.iter().map(|(role, user)| try_user(probed, listener, &offered, *role, user));
    join_all(logins).await.into_iter().collect()
}

/// How long a listener may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The error codes of a handshake (`Errors.java`): the mechanism is not enabled, and a listener that wants no login.
const UNSUPPORTED_SASL_MECHANISM: i16 = 33;
const ILLEGAL_SASL_STATE: i16 = 34;

/// Whether a listener is there and of its kind; gives the mechanisms of one that wants a login.
async fn try_listener(
    probed: &Probed,
    listener: Listener,
    dial: &Dial,
) -> Result<Option<Vec<String>>, Barred> {
    let key = format!("listeners.{}", listener.name());
    let peer = dial.peer();
    let wrong = |what: String, remedy: &str| Barred {
        key: key.clone(),
        what: format!("{peer}: {what}"),
        remedy: remedy.to_owned(),
        unreachable: false,
    };
    let cx = probed.case();
    let mut conn = match cx.attempt(listener, |_| ()).await {
        Ok(Ok(conn)) => conn,
        Ok(Err(error)) => return Err(unopened(&key, &peer, &error)),
        Err(failure) => return Err(wrong(probe::sentence(&failure), ADDRESS)),
    };
    conn.patience(ANSWER_WITHIN);
    let remedy = match listener {
        Listener::Mtls => {
            "cert must name a certificate that the target trusts, and address this listener"
        }
        _ => ADDRESS,
    };
    ask(&mut conn, "ApiVersions", async |conn| {
        let reply = conn.ask_at(0, ApiVersionsRequest::default(), &[]).await;
        reply.map(|reply| (trouble(&reply), ()))
    })
    .await
    .map_err(|(what, hung)| Barred { unreachable: hung, ..wrong(what, remedy) })?;

    if matches!(listener, Listener::SaslPlaintext | Listener::SaslSsl | Listener::Reauth) {
        let mechanism = probed.facts.users.values().find_map(|user| user.mechanisms.first());
        let mechanism = mechanism.map_or("PLAIN", String::as_str).to_owned();
        let (code, mechanisms) = ask(&mut conn, "SaslHandshake", async |conn| {
            let mechanism = StrBytes::from_string(mechanism);
            let request = SaslHandshakeRequest::default().with_mechanism(mechanism);
            let reply = conn.ask_at(1, request, &[]).await?;
            let why = trouble(&reply);
            let body = reply.answered().map(|body| {
                let names = body.mechanisms.iter().map(|name| shown(name)).collect::<Vec<_>>();
                (body.error_code, names)
            });
            Ok((why, body.unwrap_or_default()))
        })
        .await
        .map_err(|(what, hung)| Barred { unreachable: hung, ..wrong(what, ADDRESS) })?;
        return match code {
            0 | UNSUPPORTED_SASL_MECHANISM => Ok(Some(mechanisms)),
            ILLEGAL_SASL_STATE => Err(wrong("no login is wanted there".to_owned(), ADDRESS)),
            other => Err(wrong(format!("SaslHandshake is answered with error {other}"), ADDRESS)),
        };
    }
    // A listener that wants a login answers ApiVersions before it, and closes on anything else.
    let version = probed.facts.apis.get(&keys::Metadata).map_or(0, |(_, max)| (*max).min(13));
    ask(&mut conn, "Metadata", async |conn| {
        let request = MetadataRequest::default()
            .with_topics(Some(Vec::new()))
            .with_allow_auto_topic_creation(false);
        let reply = conn.ask_at(version, request, &["allow_auto_topic_creation"]).await;
        reply.map(|reply| (trouble(&reply), ()))
    })
    .await
    .map_err(|(what, hung)| {
        let what = format!("{what}; a listener that wants a login does so");
        Barred { unreachable: hung, ..wrong(what, ADDRESS) }
    })?;
    Ok(None)
}

const ADDRESS: &str =
    "address must be that of a listener of this kind; leave the table out if there is none";

/// Asks something; the error says what came instead of an answer, and whether that was nothing at all.
async fn ask<T>(
    conn: &mut Conn,
    name: &str,
    ask: impl AsyncFnOnce(&mut Conn) -> Result<(Option<Trouble>, T), Failure>,
) -> Result<T, (String, bool)> {
    match ask(conn).await {
        Ok((None, answer)) => Ok(answer),
        Ok((Some(Trouble { what, hung }), _)) => Err((format!("{name}: {what}"), hung)),
        Err(failure) => Err((probe::sentence(&failure), false)),
    }
}

/// What came instead of an answer.
struct Trouble {
    what: String,
    hung: bool,
}

fn trouble<B>(reply: &Reply<B>) -> Option<Trouble> {
    if let Some(breach) = &reply.exchange().breach {
        let looks = looks_like(breach);
        return Some(Trouble {
            what: format!("the answer is not Kafka's ({breach}){looks}"),
            hung: false,
        });
    }
    match reply.ending() {
        Ending::Answered(_) => None,
        Ending::Hung => {
            let what = format!("there is no answer within {} s", ANSWER_WITHIN.as_secs());
            Some(Trouble { what, hung: true })
        }
        _ => Some(Trouble { what: "the connection is closed".to_owned(), hung: false }),
    }
}

fn unopened(key: &str, peer: &str, error: &OpenError) -> Barred {
    let unreachable =
        matches!(error, OpenError::Resolve(_) | OpenError::Connect(_) | OpenError::TimedOut(_));
    let remedy = if error.is_tls() {
        "address must be that of a TLS listener, ca must hold who vouches for its certificate, and the name dialled must stand \
         in that (or server_name names it, or check_name = false)"
    } else {
        "is the broker up, and address the right one? Leave the table out if there is no such listener"
    };
    let what = format!("{peer}: {}", shown(&error.to_string()));
    Barred { key: key.to_owned(), what, remedy: remedy.to_owned(), unreachable }
}

/// Logs in once with each mechanism.
async fn try_user(
    probed: &Probed,
    listener: Listener,
    offered: &[String],
    role: Role,
    user: &User,
) -> Result<(), Barred> {
    let key = format!("users.{}", role.name());
    let cx = probed.case();
    for name in &user.mechanisms {
        let known = Mechanism::named(name).filter(|_| offered.contains(name));
        let Some(mechanism) = known else {
            let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
            return Err(Barred {
                key: format!("{key}.mechanisms"),
                what: format!(
                    "the target does not enable {name} on its listener {}",
                    listener.name()
                ),
                remedy: format!("take it out of the list; enabled are {offered}"),
                unreachable: false,
            });
        };
        let secret = Secret(user.password.clone());
        let sasl = Sasl { mechanism, user: user.name.clone(), secret };
        let why = match cx.attempt(listener, |dial| dial.sasl = Some(sasl)).await {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => error,
            Err(failure) => OpenError::Connect(probe::sentence(&failure)),
        };
        // What a broker says of a refused login is its own affair, and might repeat the secret.
        let told = shown(&why.to_string());
        let told =
            if user.password.is_empty() { told } else { told.replace(&user.password, "***") };
        let unreachable =
            matches!(why, OpenError::Resolve(_) | OpenError::Connect(_) | OpenError::TimedOut(_));
        return Err(Barred {
            what: format!("{} cannot log in with {name} on the listener {}: {told}", user.name, listener.name()),
            remedy: "name and password (password_file, password_env) must be those of a user of the target whom it knows under \
                     each of mechanisms"
                .to_owned(),
            key,
            unreachable,
        });
    }
    Ok(())
}

/// Text from the target, which must not steer the terminal.
fn shown(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).collect()
}
