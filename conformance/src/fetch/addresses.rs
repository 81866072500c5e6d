//! Fetch (1): partitions, topics and topic ids that are asked for in vain.
//!
//! Version 13 (KIP-516) names topics by id alone. Not covered: reads from followers (KIP-392) and
//! the new leader that an error 6 names (KIP-951).

use kconform_scenario::prelude::*;
use uuid::Uuid;

use super::answers::{LONG_WAIT, NO_SUCH_INDEX, SOON, expect_offsets, fetch_all, result};

scenarios![
    an_unknown_partition_leaves_the_others_alone,
    an_unknown_topic_id_leaves_the_others_alone,
    a_topic_is_not_created_by_a_fetch,
    a_broker_without_the_partition_says_so_at_once,
    every_partition_is_answered_however_many_there_are,
];

/// An unknown topic or partition index is answered with UNKNOWN_TOPIC_OR_PARTITION (3) and
/// high_watermark -1 on that partition; the other partitions of the request are served.
#[scenario("FETCH-011", api = Fetch, versions = ..=12, vary = ["unknown topic", "unknown index", "-1"])]
async fn an_unknown_partition_leaves_the_others_alone(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    let bad = match cx.variant() {
        "unknown topic" => Partition { topic: cx.name("topic"), ..good.clone() },
        "-1" => Partition { index: -1, ..good.clone() },
        _ => Partition { index: NO_SUCH_INDEX, ..good.clone() },
    };
    served_beside(cx, &good, &bad, UnknownTopicOrPartition).await
}

/// Topics are named by id alone. An unknown id is answered with UNKNOWN_TOPIC_ID (100) and
/// high_watermark -1 on each of its partitions, the id echoed and the top-level error 0, and the
/// other partitions are served; several unknown ids or indexes of one get 100 each. The zero id,
/// alone or beside good partitions, gets 100 too (beside other unknown ids see FETCH-075). A known
/// id with a partition index that does not exist gets UNKNOWN_TOPIC_OR_PARTITION (3).
#[scenario(
    "FETCH-012", api = Fetch, versions = 13..,
    vary = ["unknown id", "zero id", "unknown index", "-1"],
)]
async fn an_unknown_topic_id_leaves_the_others_alone(cx: &mut Cx) -> Outcome {
    let good = cx.partition().await?;
    // An id that differs from a known one in its last bits, which are random.
    let unknown = Uuid::from_u128(good.topic_id.as_u128() ^ 0xffff);
    let (bad, code) = match cx.variant() {
        "unknown id" => (Partition { topic_id: unknown, ..good.clone() }, UnknownTopicId),
        "zero id" => (Partition { topic_id: Uuid::nil(), ..good.clone() }, UnknownTopicId),
        "-1" => (Partition { index: -1, ..good.clone() }, UnknownTopicOrPartition),
        _ => (Partition { index: NO_SUCH_INDEX, ..good.clone() }, UnknownTopicOrPartition),
    };
    served_beside(cx, &good, &bad, code).await
}

/// A Fetch of an unknown topic name does not create the topic, even with auto-creation on.
#[scenario("FETCH-076", api = Fetch, versions = ..=12)]
async fn a_topic_is_not_created_by_a_fetch(cx: &mut Cx) -> Outcome {
    let known = cx.partition().await?;
    let mut leader = cx.leader(&known).await?;
    let unknown = Partition { topic: cx.name("topic"), index: 0, ..known };

    let reply = leader.ask(cx.fetch(&unknown, 0)?).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", UnknownTopicOrPartition)?;
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&unknown.topic]);
    leader.ask(about).await?.expect_error_at("topics[0].error_code", UnknownTopicOrPartition)
}

/// A broker that is neither leader nor replica of the partition answers NOT_LEADER_OR_FOLLOWER (6)
/// at once, without the wait that the request allows.
#[scenario("FETCH-015", api = Fetch, needs = [ThreeBrokers])]
async fn a_broker_without_the_partition_says_so_at_once(cx: &mut Cx) -> Outcome {
    let from = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let mut others = cx.facts().brokers.iter().map(|broker| broker.id);
    let Some(other) = others.find(|id| *id != from.leader) else {
        return Err(Failure::blocked("a broker that does not lead", format!("{}", from.leader)));
    };
    let mut conn = cx.connect_broker(other).await?;
    // It must know the topic, or it would rightly say that there is none.
    let about = requests::metadata(cx.newest(keys::Metadata)?, &[&from.topic]);
    let about_version = cx.newest(keys::Metadata)?;
    let on_its_way = kconform_scenario::LEADER_ON_ITS_WAY;
    cx.settle_at(&mut conn, about_version, &about, on_its_way).await?.ok()?;

    let request = cx.fetch(&from, 0)?.with_max_wait_ms(LONG_WAIT).with_min_bytes(1);
    let reply = conn.ask(request).await?;
    reply.expect_error_at("responses[0].partitions[0].error_code", NotLeaderOrFollower)?;
    let body = reply.expect_answer()?;
    body.require(body.took() < SOON, "an answer at once", || format!("{:?}", body.took()))
}

/// Every partition of a Fetch outside a session is answered once, however many there are (1,200,
/// say).
#[scenario("FETCH-085", api = Fetch, versions = 4..)]
async fn every_partition_is_answered_however_many_there_are(cx: &mut Cx) -> Outcome {
    const MANY: i32 = 1_200;
    let good = cx.partition().await?;
    cx.write(&good, &["served"]).await?;
    let mut leader = cx.leader(&good).await?;
    let mut request = cx.fetch(&good, 0)?;
    let Some(topic) = request.topics.first_mut() else {
        return Err(Failure::error("a Fetch of no topic"));
    };
    // Indexes that do not exist cost the broker nothing, and are answered like all others.
    let first = topic.partitions.first().cloned().unwrap_or_default();
    let absent = NO_SUCH_INDEX..NO_SUCH_INDEX + MANY;
    topic.partitions.extend(absent.clone().map(|index| first.clone().with_partition(index)));

    let body = leader.ask(request).await?.expect_answer()?;
    expect_offsets(&body, &good, &[0])?;
    let results = body.responses.iter().flat_map(|topic| &topic.partitions);
    let mut got: Vec<_> = results
        .filter(|result| result.error_code == UnknownTopicOrPartition.code())
        .map(|result| result.partition_index)
        .collect();
    got.sort_unstable();
    body.require(got.iter().copied().eq(absent), format!("{MANY} results with code 3"), || {
        format!("{} results with code 3", got.len())
    })
}

/// The bad partition, asked for first, gets this code and no offsets; the good one its record.
async fn served_beside(cx: &Cx, good: &Partition, bad: &Partition, code: ResponseError) -> Outcome {
    cx.write(good, &["served"]).await?;
    let mut leader = cx.leader(good).await?;
    let body = leader.ask(fetch_all(cx, &[(bad, 0), (good, 0)])?).await?.expect_answer()?;
    if cx.version() >= 7 {
        body.expect_number("error_code", 0)?;
    }
    let refused = result(&body, bad)?;
    let got = Code(refused.error_code);
    body.require(got == code.into(), Code::from(code).to_string(), || got.to_string())?;
    body.require(refused.high_watermark == -1, "high_watermark = -1", || {
        refused.high_watermark.to_string()
    })?;
    expect_offsets(&body, good, &[0])
}
