//! Transactions that take too long: the coordinator aborts them (`transaction_timeout_ms` of InitProducerId), and what the
//! producer meets that comes back late.

use kafka_protocol::messages::{DescribeTransactionsRequest, TransactionalId};
use kconform_scenario::prelude::*;
use kconform_scenario::requests::init_producer_id;
use kconform_scenario::wire::records::Marker;

use super::consumer::read_committed;
use super::decisions::completed;
use super::end_txn;
use super::known_producers::{expect_identity, expect_no_identity};
use super::offsets::add_offsets;
use crate::producer::{PRODUCED, Producer, decision, fenced, second_protocol, stable_at};

scenarios![
    a_transaction_that_takes_too_long_is_aborted,
    a_late_producer_cannot_write,
    a_late_producer_cannot_add_partitions,
    a_late_producer_cannot_add_offsets,
    a_late_producer_cannot_decide,
    an_idle_producer_does_not_time_out,
    a_further_partition_does_not_restart_the_clock,
    a_late_producer_gets_a_new_epoch_by_its_old_one,
    a_new_instance_gets_the_epoch_after_the_fence,
];

/// How long the transactions of these cases may last.
const TIMEOUT: Duration = Duration::from_millis(1200);

/// A transaction that is open for longer than its timeout is aborted by the coordinator within
/// about 10 s more (transaction.abort.timed.out.transaction.cleanup.interval.ms, 10 s by default):
/// its partitions get abort markers, and the last stable offset moves on.
#[scenario("TXNTMO-001", api = InitProducerId, slow)]
async fn a_transaction_that_takes_too_long_is_aborted(cx: &mut Cx) -> Outcome {
    let (producer, log) = timed_out(cx).await?;
    let got = read_committed(cx, &log).await?;
    got.expect(&[])?;
    let expected = [(producer.id, 0)];
    require(got.aborted == expected, &format!("aborted_transactions = {expected:?}"), || {
        format!("{:?}", got.aborted)
    })
}

/// After a transaction was aborted for its timeout, the old epoch is refused: by AddPartitionsToTxn
/// and AddOffsetsToTxn with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1), by
/// EndTxn v0 to v4 in the same way, by Produce with INVALID_PRODUCER_EPOCH (47). To EndTxn v5 the
/// old epoch looks like a retry: a commit is refused with INVALID_TXN_STATE (48), an abort answers
/// 0 with the producer id and the next epoch.
#[scenario("TXNTMO-002", api = Produce, versions = 3.., slow)]
async fn a_late_producer_cannot_write(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (late, log) = timed_out(cx).await?;
    let mut leader = cx.leader(&log).await?;
    let request = late.produce(cx, &log, &late.batch(cx, &["late"], 1))?;
    leader.ask(request).await?.expect_error_at(PRODUCED, InvalidProducerEpoch)?;
    cx.expect_next_offset(&log, 2).await
}

/// After a transaction was aborted for its timeout, the old epoch is refused: by AddPartitionsToTxn
/// and AddOffsetsToTxn with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1), by
/// EndTxn v0 to v4 in the same way, by Produce with INVALID_PRODUCER_EPOCH (47). To EndTxn v5 the
/// old epoch looks like a retry: a commit is refused with INVALID_TXN_STATE (48), an abort answers
/// 0 with the producer id and the next epoch.
#[scenario("TXNTMO-002", api = AddPartitionsToTxn, versions = 0..=3, slow)]
async fn a_late_producer_cannot_add_partitions(cx: &mut Cx) -> Outcome {
    let (mut late, log) = timed_out(cx).await?;
    let request = late.add_partitions(&[&log]);
    late.coordinator.ask(request).await?.expect_error(fenced(cx, 2))
}

/// After a transaction was aborted for its timeout, the old epoch is refused: by AddPartitionsToTxn
/// and AddOffsetsToTxn with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1), by
/// EndTxn v0 to v4 in the same way, by Produce with INVALID_PRODUCER_EPOCH (47). To EndTxn v5 the
/// old epoch looks like a retry: a commit is refused with INVALID_TXN_STATE (48), an abort answers
/// 0 with the producer id and the next epoch.
#[scenario("TXNTMO-002", api = AddOffsetsToTxn, slow)]
async fn a_late_producer_cannot_add_offsets(cx: &mut Cx) -> Outcome {
    let (mut late, _) = timed_out(cx).await?;
    let request = add_offsets(&late, &cx.group());
    late.coordinator.ask(request).await?.expect_error(fenced(cx, 2))
}

/// After a transaction was aborted for its timeout, the old epoch is refused: by AddPartitionsToTxn
/// and AddOffsetsToTxn with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in v0 and v1), by
/// EndTxn v0 to v4 in the same way, by Produce with INVALID_PRODUCER_EPOCH (47). To EndTxn v5 the
/// old epoch looks like a retry: a commit is refused with INVALID_TXN_STATE (48), an abort answers
/// 0 with the producer id and the next epoch.
#[scenario("TXNTMO-002", api = EndTxn, vary = ["commit", "abort"], slow)]
async fn a_late_producer_cannot_decide(cx: &mut Cx) -> Outcome {
    second_protocol(cx)?;
    let (mut late, log) = timed_out(cx).await?;
    let request = late.end_txn(decision(cx)?);
    let reply = late.coordinator.ask(request).await?;
    match (cx.version(), decision(cx)?) {
        (5.., Marker::Commit) => end_txn::expect_refused(cx, reply, InvalidTxnState)?,
        (5.., Marker::Abort) => {
            end_txn::expect_identity(&reply.expect_ok()?, (late.id, late.epoch + 1))?;
        }
        _ => reply.expect_error(fenced(cx, 2))?,
    }
    read_committed(cx, &log).await?.expect(&[])
}

/// The clock of a transaction starts with its first partition and not with InitProducerId: a
/// producer that adds nothing never times out, and DescribeTransactions shows
/// transaction_start_time_ms -1 until then.
#[scenario("TXNTMO-003", api = DescribeTransactions, slow)]
async fn an_idle_producer_does_not_time_out(cx: &mut Cx) -> Outcome {
    let (idle, mut other) =
        (Producer::with_timeout(cx, TIMEOUT).await?, Producer::with_timeout(cx, TIMEOUT).await?);
    // Begins later and times out: by then the idle one would have.
    let log = cx.partition().await?;
    other.write(cx, &log, &["given up"], 0).await?;
    stable_at(cx, &log, 2).await?;

    let mut idle = idle;
    let ids = vec![TransactionalId(text(&idle.txn_id))];
    let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
    let body = idle.coordinator.ask(request).await?.expect_ok()?;
    body.expect_number("transaction_states[0].transaction_start_time_ms", -1)?;
    body.expect_number("transaction_states[0].producer_epoch", idle.epoch.into())?;
    // Its epoch is still good.
    idle.add(cx, &[&log]).await
}

/// AddPartitionsToTxn in an open transaction does not restart its clock: transaction_start_time_ms
/// stays as it was.
#[scenario("TXNTMO-004", api = AddPartitionsToTxn, versions = 0..=3)]
async fn a_further_partition_does_not_restart_the_clock(cx: &mut Cx) -> Outcome {
    let (one, two) = (cx.partition().await?, cx.partition().await?);
    let mut producer = Producer::new(cx).await?;
    producer.write(cx, &one, &["first"], 0).await?;
    let before = producer.state(cx).await?.transaction_start_time_ms;
    // A clock of milliseconds must have moved on.
    cx.sleep(Duration::from_millis(15)).await;
    let request = producer.add_partitions(&[&two]);
    producer.coordinator.ask(request).await?.expect_ok()?;
    let after = producer.state(cx).await?.transaction_start_time_ms;
    require(before > 0 && after == before, &format!("still open since {before}"), || {
        format!("open since {after}")
    })
}

/// InitProducerId after a transaction was aborted for its timeout: naming the producer id and epoch
/// of that transaction (v3 and later) it gets the same producer id and the next epoch at finalized
/// transaction.version 2, and is refused with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in
/// v3) at 0 and 1 and by releases up to 3.9; naming none it gets the same producer id and an epoch
/// that is 2 higher.
#[scenario("TXNTMO-005", api = InitProducerId, versions = 3.., slow)]
async fn a_late_producer_gets_a_new_epoch_by_its_old_one(cx: &mut Cx) -> Outcome {
    let (mut late, _) = timed_out(cx).await?;
    let request = init_producer_id(Some(&late.txn_id))
        .with_producer_id(late.id.into())
        .with_producer_epoch(late.epoch);
    let reply = late.coordinator.ask(request).await?;
    // KIP-890: with its second part the epoch of the time-out counts as the producer's own.
    if cx.facts().feature("transaction.version") >= 2 {
        expect_identity(&reply.expect_ok()?, (late.id, late.epoch + 1))
    } else {
        expect_no_identity(reply, fenced(cx, 4))
    }
}

/// InitProducerId after a transaction was aborted for its timeout: naming the producer id and epoch
/// of that transaction (v3 and later) it gets the same producer id and the next epoch at finalized
/// transaction.version 2, and is refused with PRODUCER_FENCED (90; INVALID_PRODUCER_EPOCH (47) in
/// v3) at 0 and 1 and by releases up to 3.9; naming none it gets the same producer id and an epoch
/// that is 2 higher.
#[scenario("TXNTMO-005", api = InitProducerId, slow)]
async fn a_new_instance_gets_the_epoch_after_the_fence(cx: &mut Cx) -> Outcome {
    let (mut late, _) = timed_out(cx).await?;
    let request = init_producer_id(Some(&late.txn_id));
    let body = late.coordinator.ask(request).await?.expect_ok()?;
    expect_identity(&body, (late.id, late.epoch + 2))
}

/// A producer whose transaction was aborted because it took too long, and the partition with its one record at offset 0
/// and the marker at offset 1.
async fn timed_out(cx: &Cx) -> Result<(Producer, Partition), Failure> {
    let log = cx.partition().await?;
    let mut tries = cx.tries("a transaction with a record in it", Duration::from_secs(30));
    let mut producer = loop {
        let mut producer = Producer::with_timeout(cx, TIMEOUT).await?;
        match producer.write(cx, &log, &["given up"], 0).await {
            Ok(_) => break producer,
            // A broker under load may let it time out before anything was written.
            Err(Failure::Blocked(finding)) => tries.again(finding.got).await?,
            Err(other) => return Err(other),
        }
    };
    stable_at(cx, &log, 2).await?;
    completed(cx, &mut producer, Marker::Abort).await?;
    Ok((producer, log))
}
