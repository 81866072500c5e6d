//! Metadata (3) of topics that were just created: where their replicas are, which broker knows of
//! them, and when their leaders serve.

use std::collections::BTreeMap;

use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest,
};
use kafka_protocol::messages::{BrokerId, TopicName};
use kconform_scenario::Undo;
use kconform_scenario::prelude::*;

scenarios![
    replicas_keep_the_order_of_their_assignment,
    every_broker_comes_to_know_a_new_topic,
    a_new_leader_may_not_serve_at_once,
];

/// How soon a new topic is known and served: twenty times what was seen on an idle cluster.
const SOON: Duration = Duration::from_secs(5);

/// replica_nodes lists the replicas in the order of their assignment, the preferred leader first,
/// and is not sorted.
#[scenario("META-009", api = Metadata, needs = [ThreeBrokers])]
async fn replicas_keep_the_order_of_their_assignment(cx: &mut Cx) -> Outcome {
    let mut brokers: Vec<i32> = cx.facts().brokers.iter().map(|broker| broker.id).collect();
    brokers.sort_unstable();
    // Neither ascending nor descending, and a different leader for each partition.
    let orders: Vec<Vec<i32>> = match brokers[..] {
        [a, b, c, ..] => vec![vec![b, a, c], vec![c, a, b], vec![a, c, b]],
        _ => return Err(Failure::blocked("three brokers", format!("{brokers:?}"))),
    };
    let name = new_topic(cx, &orders).await?;
    let partitions = i32::try_from(orders.len()).unwrap_or(i32::MAX);
    cx.topic_ready(&name, partitions).await?;

    let request = requests::metadata(cx.version(), &[&name]);
    let body = cx.connect().await?.ask(request).await?.expect_ok()?;
    let found = body.topics.iter().flat_map(|topic| &topic.partitions);
    let got: BTreeMap<i32, (i32, Vec<i32>)> = found
        .map(|partition| {
            let replicas = partition.replica_nodes.iter().map(|id| id.0).collect();
            (partition.partition_index, (partition.leader_id.0, replicas))
        })
        .collect();
    let first = |order: &Vec<i32>| order.first().copied().unwrap_or(-1);
    let expected: BTreeMap<i32, (i32, Vec<i32>)> =
        (0..).zip(orders.iter().map(|order| (first(order), order.clone()))).collect();
    body.require(got == expected, format!("leader and replicas {expected:?}"), || {
        format!("{got:?}")
    })
}

/// After CreateTopics succeeded, every broker gives the topic with error 0 within a bounded time (5
/// s are allowed), and UNKNOWN_TOPIC_OR_PARTITION (3) until then.
#[scenario("META-038", api = Metadata, needs = [ThreeBrokers])]
async fn every_broker_comes_to_know_a_new_topic(cx: &mut Cx) -> Outcome {
    let mut conns = Vec::new();
    for broker in &cx.facts().brokers {
        conns.push(cx.connect_broker(broker.id).await?);
    }
    let name = new_topic(cx, &[]).await?;
    let mut tries = cx.tries(format!("every broker to know {name}"), SOON);
    for conn in &mut conns {
        loop {
            let body =
                conn.ask(requests::metadata(cx.version(), &[&name])).await?.expect_answer()?;
            let found = body.topics.first();
            let code = Code(found.map_or(-1, |topic| topic.error_code));
            let led = found.is_some_and(|topic| {
                topic.partitions.len() == 1 && topic.partitions.iter().all(|p| p.error_code == 0)
            });
            if code == Code::NONE && led {
                break;
            }
            let on_its_way = [Code::NONE, UnknownTopicOrPartition.into()].contains(&code);
            body.require(on_its_way, "error 0 or 3", || code.to_string())?;
            tries.expect(code).await?;
        }
    }
    Ok(())
}

/// Metadata may give a new topic without error a moment before its leader serves it: a Fetch right
/// after that may be answered with NOT_LEADER_OR_FOLLOWER (6), UNKNOWN_TOPIC_OR_PARTITION (3) or
/// UNKNOWN_TOPIC_ID (100), and with error 0 within 5 s.
#[scenario("META-040", api = Metadata, versions = 12..)]
async fn a_new_leader_may_not_serve_at_once(cx: &mut Cx) -> Outcome {
    let name = new_topic(cx, &[]).await?;
    let mut conn = cx.connect().await?;
    let mut tries = cx.tries(format!("topic {name} in the metadata"), SOON);
    let of = loop {
        let body = conn.ask(requests::metadata(cx.version(), &[&name])).await?.expect_answer()?;
        let Some(topic) = body.topics.first() else {
            return Err(Failure::failed("an entry for the topic", "none"));
        };
        let leader = topic.partitions.first().filter(|partition| partition.error_code == 0);
        if let (0, Some(partition)) = (topic.error_code, leader) {
            let (topic_id, leader) = (topic.topic_id, partition.leader_id.0);
            break Partition { topic: name.clone(), topic_id, index: 0, leader };
        }
        tries.expect(Code(topic.error_code)).await?;
    };

    let mut leader = cx.leader(&of).await?;
    let not_yet = [UnknownTopicOrPartition, NotLeaderOrFollower, UnknownTopicId].map(Code::from);
    let mut tries = cx.tries("the leader to serve", SOON);
    loop {
        let body = leader.ask(cx.fetch(&of, 0)?).await?.expect_answer()?;
        let found = body.responses.first().and_then(|topic| topic.partitions.first());
        let code = found.map_or(body.error_code, |partition| partition.error_code);
        if code == 0 {
            let mark = found.map(|partition| partition.high_watermark);
            return body.require(mark == Some(0), "high_watermark = 0", || format!("{mark:?}"));
        }
        let code = Code(code);
        body.require(not_yet.contains(&code), format!("0 or one of {not_yet:?}"), || {
            code.to_string()
        })?;
        tries.expect(code).await?;
    }
}

/// Creates a topic with these replicas for each partition, or of one partition placed by the
/// broker; gives its name as soon as it is created, and waits for nothing else.
async fn new_topic(cx: &Cx, replicas: &[Vec<i32>]) -> Result<String, Failure> {
    let name = cx.name("topic");
    cx.undo(Undo::Topic(name.clone()));
    let assignments = (0..).zip(replicas).map(|(index, replicas)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(index)
            .with_broker_ids(replicas.iter().copied().map(BrokerId).collect())
    });
    let topic = CreatableTopic::default()
        .with_name(TopicName(text(&*name)))
        .with_num_partitions(if replicas.is_empty() { 1 } else { -1 })
        .with_replication_factor(-1)
        .with_assignments(assignments.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    cx.connect().await?.ask_newest(request).await?.ok()?;
    Ok(name)
}
