//! Topics that go away under a producer: deleted, and created again under the same name.

use kconform_scenario::prelude::*;

use crate::topics::taken_up;

/// How long a new topic may take to be seen in place of the former one.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

/// Set-up: deletes this topic.
pub(super) async fn delete(cx: &Cx, topic: &Topic) -> Outcome {
    let delete = requests::delete_topic(cx.newest(keys::DeleteTopics)?, &topic.name);
    cx.connect().await?.ask_newest(delete).await?.ok().map(drop)
}

/// Set-up: deletes this topic of one partition and creates it again; gives the partition of the new one.
pub(super) async fn made_anew(cx: &Cx, topic: &Topic) -> Result<Partition, Failure> {
    delete(cx, topic).await?;
    let create = requests::create_topic(&topic.name, &TopicSpec::default());
    let mut conn = cx.connect().await?;
    let exists = [TopicAlreadyExists.into()];
    let version = cx.newest(keys::CreateTopics)?;
    cx.settle_at(&mut conn, version, &create, &exists).await?.ok()?;
    let mut tries = cx.tries("the new topic in the metadata", SEEN_WITHIN);
    loop {
        let found = cx.topic_ready(&topic.name, 1).await?;
        if found.id != topic.id {
            let anew = found.partition(0);
            taken_up(cx, &anew).await?;
            return Ok(anew);
        }
        tries.again("the former topic").await?;
    }
}
