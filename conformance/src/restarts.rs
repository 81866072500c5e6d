//! Brokers that die and come back: what the cases share that kill them.

use kafka_protocol::messages::MetadataRequest;
use kconform_scenario::prelude::*;

/// How long replicas may take to be in sync again after the death of a broker.
const WHOLE_WITHIN: Duration = Duration::from_secs(40);

/// How the only broker of a target ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As in a power cut.
    Kill,
    /// In good order.
    Stop,
}

/// Ends the only broker of the target and starts it again; waits until it leads this topic again.
pub(crate) async fn restart(cx: &Cx, end: End, topic: &Topic) -> Outcome {
    let [only] = cx.facts().brokers.as_slice() else {
        let brokers = cx.facts().brokers.len();
        return Err(Failure::blocked("a target of one broker", format!("{brokers} brokers")));
    };
    match end {
        End::Kill => cx.kill_broker(only.id).await?,
        End::Stop => cx.stop_broker(only.id).await?,
    }
    cx.start_broker(only.id).await?;
    let partitions = i32::try_from(topic.leaders.len()).unwrap_or(i32::MAX);
    cx.topic_ready(&topic.name, partitions).await.map(drop)
}

/// Set-up: waits until every replica of every partition is in sync, so that one broker may be killed and the others still
/// have all that was written.
pub(crate) async fn whole(cx: &Cx) -> Outcome {
    let mut conn = cx.connect().await?;
    let about = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
    let mut tries = cx.tries("every replica to be in sync", WHOLE_WITHIN);
    loop {
        let body = conn.ask_newest(about.clone()).await?.answered()?;
        let partitions = body.topics.iter().flat_map(|topic| &topic.partitions);
        let short = partitions
            .filter(|partition| partition.isr_nodes.len() < partition.replica_nodes.len())
            .count();
        if short == 0 && body.brokers.len() == cx.facts().brokers.len() {
            return Ok(());
        }
        let brokers = body.brokers.len();
        tries.again(format!("{brokers} brokers, {short} partitions out of sync")).await?;
    }
}
