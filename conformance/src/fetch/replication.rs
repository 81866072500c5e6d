//! Fetch (1): records that the leader has and a replica in sync may not have yet: the space between
//! the high watermark and the end of the log.
//!
//! A partition with one replica and min.insync.replicas 2 gets a second replica that a replication
//! quota keeps from catching up (KIP-73). As long as that lasts, fewer replicas are in sync than
//! must be, and the high watermark stands still (KAFKA-15583).

use kconform_scenario::LEADER_ON_ITS_WAY;
use kconform_scenario::prelude::*;

use super::answers::{ERROR, expect_offsets};
use super::followers::another;

scenarios![records_that_are_not_replicated_are_held_back];

/// A Fetch from an offset between the high watermark and the log end (records that some replica in
/// sync does not have yet) is answered with error 0 and no records.
#[scenario("FETCH-007", api = Fetch, versions = 4.., needs = [ThreeBrokers, Disruption],
           exclusive)]
async fn records_that_are_not_replicated_are_held_back(cx: &mut Cx) -> Outcome {
    let (from, mark) = held_back(cx).await?;
    let mut leader = cx.leader(&from).await?;
    // Two records lie behind the mark: their offsets, and the end of the log.
    let mut replies = Vec::new();
    for offset in [mark, mark + 1, mark + 2] {
        replies.push(leader.ask(cx.fetch(&from, offset)?).await?);
    }
    let past = leader.ask(cx.fetch(&from, mark + 3)?).await?;
    throttle(cx, &from, None).await?;
    for reply in replies {
        let body = reply.expect_ok()?;
        expect_offsets(&body, &from, &[])?;
        body.expect_number("responses[0].partitions[0].high_watermark", mark)?;
    }
    past.expect_error_at(ERROR, OffsetOutOfRange)
}

/// A partition whose log goes two records beyond its high watermark, and the latter.
async fn held_back(cx: &Cx) -> Result<(Partition, i64), Failure> {
    let spec = TopicSpec::default()
        .replication(1)
        .config("min.insync.replicas", 2)
        .config("leader.replication.throttled.replicas", "*");
    let partition = cx.topic_with(spec).await?.partition(0);
    throttle(cx, &partition, Some("1")).await?;
    // More than a follower takes with one fetch (replica.fetch.max.bytes, 1 MiB); the first one
    // uses the quota up for eleven seconds.
    for _ in 0..2 {
        cx.write(&partition, &[&"v".repeat(700_000)]).await?;
    }
    replicate(cx, &partition).await?;
    let mut leader = cx.leader(&partition).await?;
    let mut tries = cx.tries("the high watermark to stand still", Duration::from_secs(10));
    loop {
        let offset = append(cx, &mut leader, &partition).await?;
        let ends = cx.log_ends(&partition).await?;
        if ends.end == offset {
            append(cx, &mut leader, &partition).await?;
            return Ok((partition, offset));
        }
        tries.again(format!("{ends:?} after offset {offset}")).await?;
    }
}

/// Appends a record for which the leader alone answers.
async fn append(cx: &Cx, leader: &mut Conn, to: &Partition) -> Result<i64, Failure> {
    let version = cx.newest(keys::Produce)?;
    let records = requests::records(version, &["behind the mark"], cx.wall_ms());
    let request = requests::produce(version, to, records).with_acks(1);
    let body = cx.settle_at(leader, version, &request, LEADER_ON_ITS_WAY).await?.ok()?;
    let result = body.responses.first().and_then(|topic| topic.partition_responses.first());
    result
        .map(|partition| partition.base_offset)
        .ok_or_else(|| Failure::blocked("one result for one partition", "none"))
}

/// Gives the partition a second replica, and does not wait for it.
async fn replicate(cx: &Cx, what: &Partition) -> Outcome {
    let replicas = [what.leader, another(cx, what.leader)?];
    let order = requests::reassignment(what, Some(&replicas));
    cx.connect().await?.ask_newest(order).await?.ok().map(drop)
}

/// Sets or removes the bytes a second that the leader of this partition gives to throttled replicas
/// which are not in sync. No other case has such replicas. A broker takes settings of its own alone.
async fn throttle(cx: &Cx, at_leader_of: &Partition, rate: Option<&str>) -> Outcome {
    let name = "leader.replication.throttled.rate";
    let request = requests::broker_setting(Some(at_leader_of.leader), name, rate);
    cx.leader(at_leader_of).await?.ask_newest(request).await?.ok().map(drop)
}
