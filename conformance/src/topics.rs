//! See `requirements/topics.toml`.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use kconform_scenario::Scenario;
use kconform_scenario::prelude::*;

mod create_topics;
mod create_topics_names;
mod create_topics_shape;

/// The files of this family.
pub(crate) const FILES: &[&[&Scenario]] =
    &[create_topics::SCENARIOS, create_topics_names::SCENARIOS, create_topics_shape::SCENARIOS];

/// Set-up: deletes a topic and waits until the metadata of this connection's broker has it no more. Until then a topic
/// created again under the name could be taken for the old one.
pub(crate) async fn delete_topic(cx: &Cx, conn: &mut Conn, name: &str) -> Outcome {
    let topic = DeleteTopicState::default().with_name(Some(TopicName(text(name))));
    let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    conn.ask_newest(request).await?.ok()?;
    let mut tries = cx.tries(format!("topic {name} to be gone"), Duration::from_secs(20));
    loop {
        // Version 4 is the first that can say "do not create".
        let asked = requests::metadata(4, &[name]);
        let body = conn.ask_newest(asked).await?.answered()?;
        let code = body.topics.first().map_or(0, |found| found.error_code);
        if code == UnknownTopicOrPartition.code() {
            return Ok(());
        }
        tries.again(Code(code)).await?;
    }
}
