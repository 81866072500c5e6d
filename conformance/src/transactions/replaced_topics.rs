//! Topics that go away under a producer: deleted, and created again under the same name.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreateTopicsRequest};
use kafka_protocol::messages::delete_topics_request::{DeleteTopicState, DeleteTopicsRequest};
use kconform_scenario::prelude::*;

/// How long a new topic may take to be seen in place of the former one.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

/// Set-up: deletes this topic.
pub(super) async fn delete(cx: &Cx, topic: &Topic) -> Outcome {
    let doomed = DeleteTopicState::default().with_name(Some(TopicName(text(&topic.name))));
    let delete = DeleteTopicsRequest::default().with_topics(vec![doomed]).with_timeout_ms(30_000);
    cx.connect().await?.ask_newest(delete).await?.ok()?;
    Ok(())
}

/// Set-up: deletes this topic of one partition and creates it again; gives the partition of the new one.
pub(super) async fn made_anew(cx: &Cx, topic: &Topic) -> Result<Partition, Failure> {
    delete(cx, topic).await?;
    let name = TopicName(text(&topic.name));
    let anew = CreatableTopic::default()
        .with_name(name)
        .with_num_partitions(1)
        .with_replication_factor(-1);
    let create = CreateTopicsRequest::default().with_topics(vec![anew]).with_timeout_ms(30_000);
    let mut conn = cx.connect().await?;
    let exists = [TopicAlreadyExists.into()];
    let version = cx.newest(keys::CreateTopics)?;
    cx.settle_at(&mut conn, version, &create, &exists).await?.ok()?;
    let mut tries = cx.tries("the new topic in the metadata", SEEN_WITHIN);
    loop {
        let found = cx.topic_ready(&topic.name, 1).await?;
        if found.id != topic.id {
            return Ok(found.partition(0));
        }
        tries.again("the former topic").await?;
    }
}
