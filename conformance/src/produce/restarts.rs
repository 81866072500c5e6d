//! Produce (0) while a follower dies: a write that waits for replicas which are not there any more.

use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::describe_producers_request::{
    DescribeProducersRequest, TopicRequest,
};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::answers::{BASE_OFFSET, ERROR, values};
use crate::restarts::whole;

scenarios![a_write_waits_for_a_dead_follower];

/// Longer than a cluster takes to notice a death: the session of a broker is some seconds.
const TIMEOUT_MS: i32 = 8000;
/// How long the leader may take to act by the death, and later by the return.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// A write with acks = -1 that was appended, while the replicas in sync become fewer than
/// min.insync.replicas before the high watermark passes it, is answered with REQUEST_TIMED_OUT (7)
/// when timeout_ms is over, and later writes get NOT_ENOUGH_REPLICAS (19) (from 3.7 on, where the
/// high watermark stays, PRODUCE-051); 3.3 answers NOT_ENOUGH_REPLICAS_AFTER_APPEND (20) as soon as
/// the replicas are too few. The records stay in the log and come to be readable when enough
/// replicas are in sync again.
#[scenario(
    "PRODUCE-049", api = DescribeProducers, needs = [Shape("mortal"), Restart], exclusive, slow,
)]
async fn a_write_waits_for_a_dead_follower(cx: &mut Cx) -> Outcome {
    whole(cx).await?;
    let spec = TopicSpec::default().replication(2).config("min.insync.replicas", 2);
    let to = cx.topic_with(spec).await?.partition(0);
    cx.write(&to, &["before"]).await?;
    let follower = cx.bystander(&to, true).await?;
    let mut leader = cx.leader(&to).await?;
    let (id, epoch) = cx.producer_id(&mut leader, None).await?;
    let version = cx.newest(keys::Produce)?;
    let records = cx.batch(&["waits"]).idempotent(id, epoch, 0).encode();
    let waits = requests::produce(version, &to, records).with_timeout_ms(TIMEOUT_MS);
    cx.kill_broker(follower).await?;

    let reply = leader.ask_newest(waits).await?;
    // KAFKA-15583: since then the high watermark, and the write with it, waits for min.insync.replicas.
    let refusal = if cx.since(3, 7) { RequestTimedOut } else { NotEnoughReplicasAfterAppend };
    reply.expect_error_at(ERROR, refusal)?;
    reply.expect_answer()?.expect_number(BASE_OFFSET, 1)?;
    let mut tries = cx.tries("writes to be refused", NOTICED_WITHIN);
    loop {
        let records = requests::records(version, &["refused"], cx.wall_ms());
        let later = requests::produce(version, &to, records).with_timeout_ms(500);
        let reply = leader.ask_newest(later).await?;
        if reply.at(ERROR)? == Value::Int(NotEnoughReplicas.code().into()) {
            break;
        }
        // Until the leader acts by the death it appends, and waits in vain.
        reply.expect_error_at(ERROR, RequestTimedOut)?;
        tries.expect("REQUEST_TIMED_OUT (7)").await?;
    }
    let topic = TopicRequest::default()
        .with_name(TopicName(text(&to.topic)))
        .with_partition_indexes(vec![to.index]);
    let about = DescribeProducersRequest::default().with_topics(vec![topic]);
    let body = leader.ask(about).await?.expect_ok()?;
    let known = body.topics.iter().flat_map(|topic| &topic.partitions);
    let mut known = known.flat_map(|partition| &partition.active_producers);
    let found = known.any(|known| known.producer_id.0 == id && known.last_sequence == 0);
    body.require(found, "the write in the log, after its refusal", || "it is not".to_owned())?;

    cx.start_broker(follower).await?;
    let mut tries = cx.tries("the write to be readable", NOTICED_WITHIN);
    while cx.log_ends(&to).await?.end < 2 {
        tries.expect("a high watermark below it").await?;
    }
    let read = values(&cx.read_log(&to, 0).await?);
    let expected = ["before", "waits"];
    require(read.starts_with(&expected.map(str::to_owned)), &format!("{expected:?} first"), || {
        format!("{read:?}")
    })
}
