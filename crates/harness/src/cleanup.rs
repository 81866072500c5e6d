//! Undoing what a run made. Best effort: it never decides a verdict, and what stays behind is listed.

use std::collections::BTreeSet;

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{DeleteTopicsRequest, MetadataRequest, TopicName};
use kconform_scenario::{Code, Conn, Cx, Failure, Undo, keys, text};

use crate::execute::Env;
use crate::probe::{self, Probed};

/// Topics that one DeleteTopics names.
const BATCH: usize = 100;

/// Undoes these; gives what stays behind, one line each.
pub(crate) async fn undo(env: &Env, undo: impl IntoIterator<Item = Undo>) -> Vec<String> {
    let undo: BTreeSet<Undo> = undo.into_iter().collect();
    if undo.is_empty() {
        return Vec::new();
    }
    let cx = probe::case(env.facts.clone(), &env.access);
    let mut left = Vec::new();
    let mut topics = Vec::new();
    for item in undo {
        match item {
            Undo::Topic(name) => topics.push(name),
            other => {
                if let Err(failure) = crate::undo_security::undo(&cx, &other).await {
                    left.push(format!("{other:?}: {}", probe::sentence(&failure)));
                }
            }
        }
    }
    left.extend(delete_topics(&cx, &topics).await);
    left
}

/// What `clean` found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What runs had left behind, and was to be removed.
    pub found: Vec<Undo>,
    /// One line for each that stays, and for each kind that could not be listed.
    pub left: Vec<String>,
}

/// Removes what runs left behind: topics, ACLs, SCRAM credentials and client quotas whose names begin with `prefix`, `kc-`
/// for all runs or `kc-4f3a09` for one.
///
/// # Errors
/// One sentence, when not even the topics can be listed.
pub async fn clean(probed: &Probed, prefix: &str) -> Result<Cleaned, String> {
    let cx = probed.case();
    let names = topics_of(&cx, prefix).await.map_err(|failure| probe::sentence(&failure))?;
    let mut cleaned = Cleaned::default();
    let (security, unlisted) = crate::undo_security::left_by(&cx, prefix).await;
    cleaned.left.extend(unlisted);
    cleaned.left.extend(delete_topics(&cx, &names).await);
    for item in &security {
        if let Err(failure) = crate::undo_security::undo(&cx, item).await {
            cleaned.left.push(format!("{item:?}: {}", probe::sentence(&failure)));
        }
    }
    cleaned.found.extend(names.into_iter().map(Undo::Topic));
    cleaned.found.extend(security);
    Ok(cleaned)
}

/// The topics whose names begin with this prefix.
///
/// # Errors
/// As asking Metadata.
pub(crate) async fn topics_of(cx: &Cx, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut conn = cx.connect().await?;
    let request =
        MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
    let body = conn.ask_newest(request).await?.answered()?;
    let names = body.topics.iter().filter_map(|topic| topic.name.as_ref());
    Ok(names.map(|name| name.to_string()).filter(|name| name.starts_with(prefix)).collect())
}

/// Deletes these topics; gives what stays behind.
pub(crate) async fn delete_topics(cx: &Cx, names: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    for batch in names.chunks(BATCH) {
        match delete_batch(cx, batch).await {
            Ok(stayed) => left.extend(stayed),
            Err(failure) => {
                let why = probe::sentence(&failure);
                left.extend(batch.iter().map(|name| format!("topic {name}: {why}")));
            }
        }
    }
    left
}

async fn delete_batch(cx: &Cx, names: &[String]) -> Result<Vec<String>, Failure> {
    let mut conn: Conn = cx.connect().await?;
    let version = cx.newest(keys::DeleteTopics)?;
    let topic = |name: &String| TopicName(text(name));
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
    let request = if version >= 6 {
        let states = names.iter().map(|name| {
            DeleteTopicState::default()
                .with_name(Some(topic(name)))
                .with_topic_id(uuid::Uuid::nil())
        });
        request.with_topics(states.collect())
    } else {
        request.with_topic_names(names.iter().map(topic).collect())
    };
    let body = conn.ask_newest(request).await?.answered()?;
    // Already gone, or never made, is as good as deleted.
    let gone = [Code::NONE, Code(3)];
    let left = body.responses.iter().filter(|result| !gone.contains(&Code(result.error_code)));
    Ok(left
        .map(|result| {
            let name = result.name.as_ref().map(|name| name.to_string()).unwrap_or_default();
            format!("topic {name}: {}", Code(result.error_code))
        })
        .collect())
}
