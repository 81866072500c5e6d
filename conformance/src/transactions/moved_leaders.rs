//! What survives when a leader moves to another broker (three brokers): the state of producers.

use kconform_scenario::prelude::*;

use super::leaders::move_leader;
use super::producer::{PRODUCED, expect_base_offset};
use super::writer::Writer;

scenarios![a_new_leader_knows_the_producers];

/// When the leader of a partition moves, the new leader still answers each of the last five batches
/// of a producer with error 0 and its original offset and the sixth last with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), refuses a gap with 45 and takes the next sequence number;
/// nothing is appended twice. (After a restart of the only replica just the last batch of each
/// producer is known, older ones get 45: the snapshot keeps one batch.)
#[scenario("IDEMP-016", api = Produce, versions = 3.., needs = [ThreeBrokers], slow)]
async fn a_new_leader_knows_the_producers(cx: &mut Cx) -> Outcome {
    let topic = cx.topic().await?;
    let mut writer = Writer::to(cx, topic.partition(0)).await?;
    writer.singles(cx, 6).await?;
    writer.to = move_leader(cx, &writer.to).await?;
    writer.leader = cx.leader(&writer.to).await?;

    let fifth_last = cx.produce(&writer.to, writer.batch(cx, &["single"], 1).encode())?;
    let transient = kconform_scenario::LEADER_ON_ITS_WAY;
    let body = cx.settle(&mut writer.leader, &fifth_last, transient).await?.expect_ok()?;
    expect_base_offset(&body, 1)?;
    let body = writer.send(cx, &writer.batch(cx, &["single"], 5)).await?.expect_ok()?;
    expect_base_offset(&body, 5)?;
    for refused in [0, 7] {
        let reply = writer.send(cx, &writer.batch(cx, &["single"], refused)).await?;
        reply.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    }
    let body = writer.send(cx, &writer.batch(cx, &["next"], 6)).await?.expect_ok()?;
    expect_base_offset(&body, 6)
}
