//! Produce (0), version 3 on, where one request or one transaction mixes what does not belong together.

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, TopicName};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use crate::producer::{PRODUCED, Producer, expect_base_offset, stable_at};

scenarios![
    two_producers_cannot_share_a_request,
    a_plain_batch_needs_no_transaction,
    a_first_sequence_too_low_spoils_the_transaction,
    a_first_sequence_too_high_does_no_harm,
];

/// First version of Produce that names topics by id (KIP-516).
const TOPIC_IDS: i16 = 13;

/// Transactional batches of two producers in one Produce are all refused: every partition of the
/// answer carries INVALID_PRODUCER_ID_MAPPING (49), and nothing is appended.
#[scenario("TXNPROD-008", api = Produce, versions = 3..)]
async fn two_producers_cannot_share_a_request(cx: &mut Cx) -> Outcome {
    let [one, two] = cx.partitions::<2>().await?;
    let (mut first, mut second) = (Producer::new(cx).await?, Producer::new(cx).await?);
    first.add(cx, &[&one]).await?;
    second.add(cx, &[&two]).await?;
    let both = [(&one, first.batch(cx, &["one"], 0)), (&two, second.batch(cx, &["two"], 0))];
    let request = first.own(to_several(cx, &both));
    let mut leader = cx.leader(&one).await?;
    let body = leader.ask(request).await?.expect_answer()?;
    let results = body.responses.iter().flat_map(|topic| &topic.partition_responses);
    let codes: Vec<Code> = results.map(|result| Code(result.error_code)).collect();
    let expected = vec![Code::from(InvalidProducerIdMapping); 2];
    body.require(codes == expected, format!("{expected:?}"), || format!("{codes:?}"))?;
    cx.expect_next_offset(&one, 0).await?;
    cx.expect_next_offset(&two, 0).await
}

/// A batch outside of transactions in a Produce that names a transactional id is appended, and no
/// transaction begins.
#[scenario("TXNPROD-011", api = Produce, versions = 3..)]
async fn a_plain_batch_needs_no_transaction(cx: &mut Cx) -> Outcome {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    let plain = cx.batch(&["plain"]).idempotent(producer.id, producer.epoch, 0);
    let request = producer.produce(cx, &partition, &plain)?;
    let mut leader = cx.leader(&partition).await?;
    expect_base_offset(&leader.ask(request).await?.expect_ok()?, 0)?;
    stable_at(cx, &partition, 1).await?;
    let state = producer.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// Before Produce v12, a first batch of a transaction that is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45) for a sequence number too low makes the right number fail with
/// 45 too until the transaction is ended (the broker remembers the lowest number tried); a refused
/// number too high does no harm.
#[scenario("TXNPROD-010", api = Produce, versions = 3..=11, needs = [Since(3, 6)])]
async fn a_first_sequence_too_low_spoils_the_transaction(cx: &mut Cx) -> Outcome {
    let (partition, mut producer) = second_transaction(cx).await?;
    let mut leader = cx.leader(&partition).await?;
    let send = |sequence| {
        producer.produce(cx, &partition, &producer.batch(cx, &["second", "second"], sequence))
    };
    let low = leader.ask(send(1)?).await?;
    low.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    let right = leader.ask(send(3)?).await?;
    right.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    producer.end(cx, Marker::Abort).await?;
    stable_at(cx, &partition, 5).await?;
    producer.write(cx, &partition, &["third"], 3).await.map(|_| ())
}

/// Before Produce v12, a first batch of a transaction that is refused with
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45) for a sequence number too low makes the right number fail with
/// 45 too until the transaction is ended (the broker remembers the lowest number tried); a refused
/// number too high does no harm.
#[scenario("TXNPROD-010", api = Produce, versions = 3..=11, needs = [Since(3, 6)])]
async fn a_first_sequence_too_high_does_no_harm(cx: &mut Cx) -> Outcome {
    let (partition, producer) = second_transaction(cx).await?;
    let mut leader = cx.leader(&partition).await?;
    let send =
        |sequence| producer.produce(cx, &partition, &producer.batch(cx, &["second"], sequence));
    let high = leader.ask(send(4)?).await?;
    high.expect_error_at(PRODUCED, OutOfOrderSequenceNumber)?;
    expect_base_offset(&leader.ask(send(3)?).await?.expect_ok()?, 4)
}

/// Set-up: a first transaction of three records and its marker, offsets 0 to 3, and a second one that is open and has the
/// partition, and in which nothing was written yet: sequence number 3 is due.
async fn second_transaction(cx: &Cx) -> Result<(Partition, Producer), Failure> {
    let partition = cx.partition().await?;
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &partition, &["a", "b", "c"], 0).await?;
    producer.end(cx, Marker::Commit).await?;
    stable_at(cx, &partition, 4).await?;
    producer.add(cx, &[&partition]).await?;
    Ok((partition, producer))
}

/// A Produce of these batches, each to a partition of its own.
fn to_several(cx: &Cx, batches: &[(&Partition, Batch)]) -> ProduceRequest {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    for (to, batch) in batches {
        let data =
            PartitionProduceData::default().with_index(to.index).with_records(Some(batch.encode()));
        let named = if cx.version() >= TOPIC_IDS {
            TopicProduceData::default().with_topic_id(to.topic_id)
        } else {
            TopicProduceData::default().with_name(TopicName(text(&to.topic)))
        };
        let same = |topic: &&mut TopicProduceData| {
            topic.name == named.name && topic.topic_id == named.topic_id
        };
        match topics.iter_mut().find(same) {
            Some(topic) => topic.partition_data.push(data),
            None => topics.push(named.with_partition_data(vec![data])),
        }
    }
    ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(topics)
}
