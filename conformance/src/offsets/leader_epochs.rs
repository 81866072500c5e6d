//! OffsetForLeaderEpoch (23): where a leader epoch ends, by which a consumer sees that its records
//! were replaced (KIP-320).
//!
//! Version 1 brought the epoch to the answer, version 2 current_leader_epoch, version 3 the
//! replica id. Not covered: epochs that end in an unclean election.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{BrokerId, OffsetForLeaderEpochResponse, TopicName};
use kconform_scenario::Body;
use kconform_scenario::prelude::*;

scenarios![
    the_current_epoch_ends_at_the_end_of_the_log,
    a_past_epoch_ends_where_the_next_one_begins,
    an_epoch_to_come_has_no_end,
    no_epoch_has_no_end,
    an_epoch_before_the_log_ends_where_the_log_begins,
    the_epoch_of_an_unwritten_partition_ends_at_0,
    a_replica_id_makes_no_difference,
    old_versions_tell_the_end,
    the_error_comes_before_the_partition,
    a_partition_named_twice_is_answered_twice,
    nothing_asked_is_nothing_answered,
];

/// For the current leader epoch OffsetForLeaderEpoch answers with error 0, that epoch, and the log
/// end offset as end_offset.
#[scenario("OFLE-001", api = OffsetForLeaderEpoch, versions = 2..)]
async fn the_current_epoch_ends_at_the_end_of_the_log(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b", "c"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    expect_end(cx, &mut leader, &of, epoch, (epoch, 3)).await
}

/// For an epoch that a later one followed the answer is the greatest epoch up to it in which
/// something was written, and the offset at which the next such epoch begins; so a past epoch in
/// which nothing was written is answered with the one before it.
#[scenario("OFLE-002", api = OffsetForLeaderEpoch, versions = 2.., needs = [ThreeBrokers])]
async fn a_past_epoch_ends_where_the_next_one_begins(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let first = cx.leadership(&of).await?.epoch;
    cx.write(&of, &["a", "b"]).await?;
    let (home, away) = (of.leader, cx.bystander(&of, false).await?);
    let of = cx.move_to(&of, away).await?;
    let second = cx.leadership(&of).await?.epoch;
    cx.write(&of, &["c", "d", "e"]).await?;
    // Two more moves, with nothing written in between.
    let of = cx.move_to(&of, home).await?;
    let unwritten = cx.leadership(&of).await?.epoch;
    let of = cx.move_to(&of, away).await?;
    let last = cx.leadership(&of).await?.epoch;
    cx.write(&of, &["f"]).await?;

    let mut leader = cx.leader(&of).await?;
    let ends = [(first, (first, 2)), (second, (second, 5)), (unwritten, (second, 5))];
    for (epoch, end) in ends.into_iter().chain([(last, (last, 6)), (last + 1, (-1, -1))]) {
        expect_end(cx, &mut leader, &of, epoch, end).await?;
    }
    Ok(())
}

/// An epoch later than any that the leader knows is answered with error 0, leader_epoch -1 and
/// end_offset -1.
#[scenario("OFLE-003", api = OffsetForLeaderEpoch, versions = 2.., vary = ["next", "greatest"])]
async fn an_epoch_to_come_has_no_end(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let to_come = if cx.variant() == "next" { epoch + 1 } else { i32::MAX };
    expect_end(cx, &mut leader, &of, to_come, (-1, -1)).await
}

/// Epoch -1 is answered with error 0, leader_epoch -1 and end_offset -1.
#[scenario("OFLE-004", api = OffsetForLeaderEpoch, versions = 2..)]
async fn no_epoch_has_no_end(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_end(cx, &mut leader, &of, -1, (-1, -1)).await
}

/// An epoch before the earliest one of which records are left (after DeleteRecords or retention) is
/// echoed, and its end_offset is the start of the first epoch that is known.
#[scenario("OFLE-005", api = OffsetForLeaderEpoch, versions = 2.., needs = [ThreeBrokers])]
async fn an_epoch_before_the_log_ends_where_the_log_begins(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().replication(1)).await?.partition(0);
    let old = cx.leadership(&of).await?.epoch;
    cx.write(&of, &["a", "b"]).await?;
    let of = cx.move_to(&of, cx.bystander(&of, false).await?).await?;
    let new = cx.leadership(&of).await?.epoch;
    cx.write(&of, &["c", "d", "e"]).await?;
    let mut leader = cx.leader(&of).await?;
    expect_end(cx, &mut leader, &of, old, (old, 2)).await?;
    cx.delete_records(&of, 4).await?;
    expect_end(cx, &mut leader, &of, old, (old, 4)).await?;
    expect_end(cx, &mut leader, &of, new, (new, 5)).await
}

/// On a partition that was never written the current epoch is answered with error 0, that epoch and
/// end_offset 0: it is known as soon as leadership begins.
#[scenario("OFLE-006", api = OffsetForLeaderEpoch, versions = 2..)]
async fn the_epoch_of_an_unwritten_partition_ends_at_0(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    expect_end(cx, &mut leader, &of, epoch, (epoch, 0)).await
}

/// replica_id -1 (a consumer) and -2 (the default, a debugging client) get the same answer.
#[scenario("OFLE-011", api = OffsetForLeaderEpoch, versions = 3.., vary = ["-1", "-2"])]
async fn a_replica_id_makes_no_difference(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let replica = if cx.variant() == "-1" { BrokerId(-1) } else { BrokerId(-2) };
    let request = end_of(cx, &[(&of, epoch)]).with_replica_id(replica);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_ends(&body, &of, &[(Code::NONE, (epoch, 2))])
}

/// Versions 0 and 1 have no current_leader_epoch in the request, and version 0 has no leader_epoch
/// in the answer; end_offset is the same as in later versions.
#[scenario("OFLE-012", api = OffsetForLeaderEpoch, versions = ..=1)]
async fn old_versions_tell_the_end(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let told = if cx.version() == 0 { -1 } else { epoch };
    expect_end(cx, &mut leader, &of, epoch, (told, 2)).await?;
    expect_end(cx, &mut leader, &of, epoch + 1, (-1, -1)).await
}

/// In a partition's result error_code comes first, followed by partition, leader_epoch and
/// end_offset.
#[scenario("OFLE-013", api = OffsetForLeaderEpoch)]
async fn the_error_comes_before_the_partition(cx: &mut Cx) -> Outcome {
    let of = cx.topic_with(TopicSpec::default().partitions(3)).await?.partition(2);
    cx.write(&of, &["a", "b"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let body = leader.ask(end_of(cx, &[(&of, epoch)])).await?.expect_ok()?;
    let mut result = BytesMut::new();
    result.put_i16(0);
    result.put_i32(of.index);
    if cx.version() >= 1 {
        result.put_i32(epoch);
    }
    result.put_i64(2);
    let found = body.bytes().windows(result.len()).any(|bytes| bytes == &result[..]);
    let expected = format!("an answer with the bytes {:?}", &result[..]);
    body.require(found, expected, || format!("{:?}", &body.bytes()[..]))
}

/// A partition that the request names twice is answered twice, each time for its own leader_epoch
/// (unlike Produce and DeleteRecords). A topic without partitions comes back empty, and a request
/// without topics is answered with no topics.
#[scenario("OFLE-014", api = OffsetForLeaderEpoch, versions = 2..)]
async fn a_partition_named_twice_is_answered_twice(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    cx.write(&of, &["a", "b"]).await?;
    let epoch = cx.leadership(&of).await?.epoch;
    let mut leader = cx.leader(&of).await?;
    let twice = end_of(cx, &[(&of, epoch), (&of, epoch + 1)]);
    let body = leader.ask(twice).await?.expect_answer()?;
    expect_ends(&body, &of, &[(Code::NONE, (epoch, 2)), (Code::NONE, (-1, -1))])
}

/// A partition that the request names twice is answered twice, each time for its own leader_epoch
/// (unlike Produce and DeleteRecords). A topic without partitions comes back empty, and a request
/// without topics is answered with no topics.
#[scenario(
    "OFLE-014", api = OffsetForLeaderEpoch, versions = 2.., vary = ["no topics", "no partitions"],
)]
async fn nothing_asked_is_nothing_answered(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let mut leader = cx.leader(&of).await?;
    let mut request = end_of(cx, &[(&of, 0)]);
    if cx.variant() == "no topics" {
        request.topics.clear();
    }
    request.topics.iter_mut().for_each(|topic| topic.partitions.clear());
    let body = leader.ask(request).await?.expect_answer()?;
    let got: Vec<_> = body.topics.iter().map(|topic| topic.topic.as_str()).collect();
    let expected = if cx.variant() == "no topics" { &[][..] } else { &[of.topic.as_str()] };
    body.require(got == expected, format!("the topics {expected:?}"), || format!("{got:?}"))?;
    let empty = body.topics.iter().all(|topic| topic.partitions.is_empty());
    body.require(empty, "no partitions", || format!("{:?}", body.topics))
}

/// One consumer's OffsetForLeaderEpoch of several partitions in this order, each for its epoch, and
/// without current_leader_epoch.
pub(super) fn end_of(cx: &Cx, parts: &[(&Partition, i32)]) -> OffsetForLeaderEpochRequest {
    let mut topics: Vec<OffsetForLeaderTopic> = Vec::new();
    for (of, epoch) in parts {
        let partition = OffsetForLeaderPartition::default()
            .with_partition(of.index)
            .with_current_leader_epoch(-1)
            .with_leader_epoch(*epoch);
        let name = TopicName(text(&of.topic));
        match topics.last_mut().filter(|last| last.topic == name) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(
                OffsetForLeaderTopic::default().with_topic(name).with_partitions(vec![partition]),
            ),
        }
    }
    // The field of version 3; -2 is its default, which versions without it stand for.
    let replica = BrokerId(if cx.version() < 3 { -2 } else { -1 });
    OffsetForLeaderEpochRequest::default().with_replica_id(replica).with_topics(topics)
}

/// The act: asks where this epoch of the partition ends; the answer names this epoch and offset.
pub(crate) async fn expect_end(
    cx: &Cx,
    leader: &mut Conn,
    of: &Partition,
    epoch: i32,
    end: (i32, i64),
) -> Outcome {
    let body = leader.ask(end_of(cx, &[(of, epoch)])).await?.expect_answer()?;
    expect_ends(&body, of, &[(Code::NONE, end)])
}

/// The act: these are the answer's results for the partition: code, epoch and end offset.
#[track_caller]
pub(super) fn expect_ends(
    body: &Body<OffsetForLeaderEpochResponse>,
    of: &Partition,
    expected: &[(Code, (i32, i64))],
) -> Outcome {
    let topics = body.topics.iter().filter(|topic| topic.topic.as_str() == of.topic);
    let results = topics
        .flat_map(|topic| &topic.partitions)
        .filter(|result| result.partition == of.index)
        .map(|result| (Code(result.error_code), (result.leader_epoch, result.end_offset)));
    let got: Vec<_> = results.collect();
    let text = |results: &[(Code, (i32, i64))]| {
        let text = |(code, (epoch, end)): &(Code, (i32, i64))| {
            format!("{code}, leader_epoch {epoch}, end_offset {end}")
        };
        results.iter().map(text).collect::<Vec<_>>().join("; ")
    };
    body.require(got == expected, text(expected), || text(&got))
}
