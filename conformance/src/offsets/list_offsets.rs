//! ListOffsets (2): what a request may hold: many partitions, one of them twice, an unknown
//! isolation level, a time limit.
//!
//! Version 2 brought isolation levels (KIP-98), version 10 the time limit (KIP-1075). Not covered:
//! the time limit of a search in tiered storage.

use kconform_scenario::prelude::*;

use super::answers::{
    END, NOTHING, START, base_time, expect_result, leader_epoch, list_all, results, write_at,
};

scenarios![
    each_of_many_partitions_gets_its_own_answer,
    a_partition_named_twice_is_refused_and_no_other,
    an_unknown_isolation_level_fails_every_partition,
    the_time_limit_has_no_effect,
];

/// A request for many partitions of many topics is answered with one result for each, in any order
/// (Apache Kafka groups them by topic).
#[scenario("LISTOFF-027", api = ListOffsets, versions = 1..)]
async fn each_of_many_partitions_gets_its_own_answer(cx: &mut Cx) -> Outcome {
    let single = cx.partition().await?;
    let topic = cx.topic_with(TopicSpec::default().partitions(3)).await?;
    // On several brokers each leads one of the three.
    let same_leader = (0..3).map(|index| topic.partition(index));
    let many: Vec<Partition> = same_leader.filter(|of| of.leader == single.leader).collect();
    let Some(first) = many.first() else {
        return Err(Failure::blocked("a partition of the same leader", format!("{topic:?}")));
    };
    let base = base_time(cx);
    cx.write(&single, &["a", "b"]).await?;
    write_at(cx, first, &[base]).await?;
    let epoch = leader_epoch(cx, &single).await?;

    let mut parts = vec![(&single, END), (first, base - 1)];
    parts.extend(many.iter().skip(1).map(|of| (of, START)));
    let mut leader = cx.leader(&single).await?;
    let body = leader.ask(list_all(&parts)).await?.expect_answer()?;
    expect_result(cx, &body, &single, Code::NONE, (2, -1, epoch))?;
    expect_result(cx, &body, first, Code::NONE, (0, base, epoch))?;
    for of in many.iter().skip(1) {
        expect_result(cx, &body, of, Code::NONE, (0, -1, epoch))?;
    }
    let answers = body.topics.iter().map(|topic| topic.partitions.len()).sum::<usize>();
    body.require(answers == parts.len(), format!("{} results", parts.len()), || answers.to_string())
}

/// A partition that the request names twice is refused with INVALID_REQUEST (42), offset -1 and
/// timestamp -1, and the other partitions are served. Up to release 3.9 (3.3.2, 3.7.2, 3.8.1, 3.9.2
/// seen) the refusal comes once for each time it was named, from 4.0 on once.
#[scenario("LISTOFF-021", api = ListOffsets, versions = 1..)]
async fn a_partition_named_twice_is_refused_and_no_other(cx: &mut Cx) -> Outcome {
    let [twice, other] = cx.partitions().await?;
    cx.write(&twice, &["a"]).await?;
    cx.write(&other, &["a", "b"]).await?;
    let epoch = leader_epoch(cx, &other).await?;
    let mut leader = cx.leader(&other).await?;
    let request = list_all(&[(&twice, END), (&other, END), (&twice, START)]);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_result(cx, &body, &other, Code::NONE, (2, -1, epoch))?;
    // ListOffsets was rewritten for 4.0 (KAFKA-16480 and its kin).
    let times = if cx.since(4, 0) { 1 } else { 2 };
    let refused = vec![(Code::from(InvalidRequest), NOTHING); times];
    let got = results(&body, &twice);
    body.require(got == refused, format!("{refused:?}"), || format!("{got:?}"))
}

/// An isolation_level other than 0 and 1 is answered with UNKNOWN_SERVER_ERROR (-1) and offset -1
/// on every partition.
#[scenario("LISTOFF-024", api = ListOffsets, versions = 2..)]
async fn an_unknown_isolation_level_fails_every_partition(cx: &mut Cx) -> Outcome {
    let [one, other] = cx.partitions().await?;
    cx.write(&one, &["a"]).await?;
    let mut leader = cx.leader(&one).await?;
    let request = list_all(&[(&one, END), (&other, START)]).with_isolation_level(2);
    let reply = leader.ask(request).await?;
    let second = if one.topic == other.topic {
        "topics[0].partitions[1]"
    } else {
        "topics[1].partitions[0]"
    };
    for result in ["topics[0].partitions[0]", second] {
        reply.expect_error_at(&format!("{result}.error_code"), Code(-1))?;
        let offset = reply.at(&format!("{result}.offset"))?;
        require(offset.as_int() == Some(-1), "offset = -1", || offset.to_string())?;
    }
    Ok(())
}

/// timeout_ms has no effect on a topic without tiered storage: 0, negative and large values give
/// the same answer at once.
#[scenario("LISTOFF-026", api = ListOffsets, versions = 10.., vary = ["0", "-1", "60000"])]
async fn the_time_limit_has_no_effect(cx: &mut Cx) -> Outcome {
    let of = cx.partition().await?;
    let base = base_time(cx);
    write_at(cx, &of, &[base, base + 10]).await?;
    let epoch = leader_epoch(cx, &of).await?;
    let mut leader = cx.leader(&of).await?;
    let limit = match cx.variant() {
        "0" => 0,
        "-1" => -1,
        _ => 60_000,
    };
    let request = requests::list_offsets(&of, base + 5).with_timeout_ms(limit);
    let body = leader.ask(request).await?.expect_answer()?;
    expect_result(cx, &body, &of, Code::NONE, (1, base + 10, epoch))?;
    let soon = Duration::from_secs(4);
    body.require(body.took() < soon, "an answer at once", || format!("{:?}", body.took()))
}
