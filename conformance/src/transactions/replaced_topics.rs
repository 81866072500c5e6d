//! Topics that go away under a producer: deleted, and created again under the same name.

use kconform_scenario::prelude::*;

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

/// Waits until the leader serves the new log, which is empty. It is asked by name, and answers for the former one until it
/// has taken up the deletion; a broker that is alone knows of it by its own metadata.
async fn taken_up(cx: &Cx, anew: &Partition) -> Outcome {
    if cx.facts().brokers.len() < 2 {
        return Ok(());
    }
    let mut tries = cx.tries("the new log at the leader", SEEN_WITHIN);
    loop {
        match cx.log_ends(anew).await {
            Ok(ends) if ends.end == 0 => return Ok(()),
            Ok(_) => tries.again("the former log").await?,
            Err(Failure::Blocked(last)) => tries.again(last.got).await?,
            Err(other) => return Err(other),
        }
    }
}
