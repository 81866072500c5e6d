//! TxnOffsetCommit (28): offsets that become valid with the transaction that carries them, and who may send them. The
//! members of a group (version 3 on, KIP-447) are in `offset_commits_of_members`, the rights in `rights`.
//!
//! Not covered: a coordinator that is loading, whose COORDINATOR_LOAD_IN_PROGRESS (14) v0 and v1 show as 15.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;
use kconform_scenario::wire::schema::Value;

use super::offsets::{COMMITTED, Offsets, TOPIC_IDS, add_group};
use crate::commits::offsets::{Commit, Lookup, committed, ghost, stored};
use crate::groups::members::{coordinator, newer_coordinator};
use crate::producer::Producer;

scenarios![
    offsets_are_pending_until_the_commit,
    a_group_that_was_not_added_is_refused,
    a_group_is_added_by_its_first_offset,
    old_transactions_add_no_group_by_themselves,
    an_outdated_epoch_leaves_the_transaction_as_it_is,
    a_late_commit_is_kept_out_of_the_next_transaction,
    an_offset_that_cannot_be_is_refused_by_itself,
    an_abort_leaves_what_was_there,
];

/// How long offsets may take to become valid after EndTxn was answered.
const VALID_WITHIN: Duration = Duration::from_secs(20);
/// The longest metadata of an offset that a broker takes by default, in bytes.
const LONGEST_METADATA: i64 = 4096;

/// TxnOffsetCommit of a group that AddOffsetsToTxn added answers 0 for each partition (v0 to v2
/// carry no member); until the transaction ends OffsetFetch gives the offset from before (-1 if
/// there was none), and with require_stable UNSTABLE_OFFSET_COMMIT (88); soon after the commit it
/// gives the new one.
#[scenario("TXNOFF-001", api = TxnOffsetCommit)]
async fn offsets_are_pending_until_the_commit(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut conn).await?.expect_ok()?;

    let before = committed(cx, &mut conn, &group, &partition).await?;
    require(before.offset == -1, "no offset before the commit", || format!("{before:?}"))?;
    let version = cx.newest(keys::OffsetFetch)?;
    let stable = Lookup::of(&group, &[&partition]).stable();
    let body = stable.ask(cx, &mut conn).await?.answered()?;
    let pending = stored(&body, version, 0, &partition)?.map(|found| found.error);
    body.require(
        pending == Some(UnstableOffsetCommit.into()),
        "UNSTABLE_OFFSET_COMMIT (88)",
        || format!("{pending:?}"),
    )?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut conn, &group, &partition, 3).await
}

/// TxnOffsetCommit of a group that AddOffsetsToTxn did not add (from 3.7 on): v0 to v3 are refused
/// with INVALID_TXN_STATE (48), v4 with TRANSACTION_ABORTABLE (120) (among concurrent requests of
/// several versions now and then with the code of another). v5 and later add the group to the
/// transaction and answer 0 at finalized transaction.version 1 and 2; at 0 they are refused with
/// UNSUPPORTED_VERSION (35) and nothing is added.
#[scenario("TXNOFF-004", api = TxnOffsetCommit, versions = 0..=4, needs = [Since(3, 7)])]
async fn a_group_that_was_not_added_is_refused(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    producer.add(cx, &[&partition]).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    // KIP-890: version 4 brought the code that only asks for an abort.
    let (refusal, others) = match cx.version() {
        ..4 => (InvalidTxnState, TransactionAbortable),
        _ => (TransactionAbortable, InvalidTxnState),
    };
    // As with Produce (TXNPROD-002): beside requests of other versions the code of those may come.
    let mut tries = cx.tries("the code of this version", VALID_WITHIN);
    let reply = loop {
        let reply = offsets.ask(cx, &producer, &mut conn).await?;
        if reply.at(COMMITTED)? != Value::Int(others.code().into()) {
            break reply;
        }
        tries.expect(Code::from(others)).await?;
    };
    reply.expect_error_at(COMMITTED, refusal)?;
    producer.end(cx, Marker::Commit).await?;
    let after = committed(cx, &mut conn, &group, &partition).await?;
    require(after.offset == -1, "no offset", || format!("{after:?}"))
}

/// TxnOffsetCommit of a group that AddOffsetsToTxn did not add (from 3.7 on): v0 to v3 are refused
/// with INVALID_TXN_STATE (48), v4 with TRANSACTION_ABORTABLE (120) (among concurrent requests of
/// several versions now and then with the code of another). v5 and later add the group to the
/// transaction and answer 0 at finalized transaction.version 1 and 2; at 0 they are refused with
/// UNSUPPORTED_VERSION (35) and nothing is added.
#[scenario(
    "TXNOFF-004", api = TxnOffsetCommit, versions = 5.., needs = [Feature("transaction.version", 1)],
)]
async fn a_group_is_added_by_its_first_offset(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut conn).await?.expect_ok()?;
    producer.end(cx, Marker::Commit).await?;
    becomes(cx, &mut conn, &group, &partition, 3).await
}

/// TxnOffsetCommit of a group that AddOffsetsToTxn did not add (from 3.7 on): v0 to v3 are refused
/// with INVALID_TXN_STATE (48), v4 with TRANSACTION_ABORTABLE (120) (among concurrent requests of
/// several versions now and then with the code of another). v5 and later add the group to the
/// transaction and answer 0 at finalized transaction.version 1 and 2; at 0 they are refused with
/// UNSUPPORTED_VERSION (35) and nothing is added.
// Alone: brokers put their questions for the coordinator into one, and what refuses this one refuses all.
#[scenario(
    "TXNOFF-004", api = TxnOffsetCommit, versions = 5..,
    needs = [Shape("old-transactions"), Since(4, 0)], exclusive,
)]
async fn old_transactions_add_no_group_by_themselves(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    let reply = offsets.ask(cx, &producer, &mut conn).await?;
    reply.expect_error_at(COMMITTED, UnsupportedVersion)?;
    let state = producer.state(cx).await?.transaction_state;
    require(state.as_str() == "Empty", "no transaction: Empty", || state.to_string())
}

/// TxnOffsetCommit with an outdated producer epoch is refused with INVALID_PRODUCER_EPOCH (47) in
/// every version, also where the epoch is outdated because EndTxn v5 gave the next one; the offsets
/// that the running transaction of the current epoch sent before are committed with it, but for the
/// classic coordinator of releases up to 3.9, which drops its pending offset of that partition at
/// the refused request.
#[scenario("TXNOFF-005", api = TxnOffsetCommit)]
async fn an_outdated_epoch_leaves_the_transaction_as_it_is(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let zombie = Producer::new(cx).await?;
    let mut producer = zombie.successor(cx).await?;
    Offsets::of(&group).at(&partition, 3).pend(cx, &mut producer, &mut conn).await?;
    let reply = Offsets::of(&group).at(&partition, 7).ask(cx, &zombie, &mut conn).await?;
    reply.expect_error_at(COMMITTED, InvalidProducerEpoch)?;
    producer.end(cx, Marker::Commit).await?;
    // The classic coordinator drops what was pending for the partition.
    let expected = if newer_coordinator(cx) { 3 } else { -1 };
    becomes(cx, &mut conn, &group, &partition, expected).await
}

/// TxnOffsetCommit with an outdated producer epoch is refused with INVALID_PRODUCER_EPOCH (47) in
/// every version, also where the epoch is outdated because EndTxn v5 gave the next one; the offsets
/// that the running transaction of the current epoch sent before are committed with it, but for the
/// classic coordinator of releases up to 3.9, which drops its pending offset of that partition at
/// the refused request.
#[scenario("TXNOFF-005", api = TxnOffsetCommit, needs = [Feature("transaction.version", 1)])]
async fn a_late_commit_is_kept_out_of_the_next_transaction(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let late = Producer::new(cx).await?;
    let mut producer = Producer { coordinator: cx.txn_coordinator(&late.txn_id).await?, ..late };
    let first = Offsets::of(&group).at(&partition, 3);
    first.pend(cx, &mut producer, &mut conn).await?;
    let end = producer.end_txn(Marker::Commit);
    producer.coordinator.ask_at(5, end, &[]).await?.ok()?;
    becomes(cx, &mut conn, &group, &partition, 3).await?;
    producer.epoch += 1;
    add_group(cx, &mut producer, &group).await?;
    producer.epoch -= 1;
    let reply = Offsets::of(&group).at(&partition, 7).ask(cx, &producer, &mut conn).await?;
    reply.expect_error_at(COMMITTED, InvalidProducerEpoch)
}

/// TxnOffsetCommit refuses an empty group id with INVALID_GROUP_ID (24), metadata longer than
/// offset.metadata.max.bytes (4096 by default) with OFFSET_METADATA_TOO_LARGE (12), an unknown
/// topic or partition with UNKNOWN_TOPIC_OR_PARTITION (3), in v6 and later an unknown topic id with
/// UNKNOWN_TOPIC_ID (100): each for the partition concerned, while other partitions are taken.
#[scenario(
    "TXNOFF-006", api = TxnOffsetCommit,
    vary = ["empty group", "long metadata", "unknown topic", "unknown partition"],
)]
async fn an_offset_that_cannot_be_is_refused_by_itself(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let unknown = match cx.variant() {
        "unknown topic" => ghost(cx),
        "unknown partition" => Partition { index: 1_000_000, ..partition.clone() },
        _ => {
            let (offsets, refusal) = if cx.variant() == "empty group" {
                (Offsets::of(""), InvalidGroupId)
            } else {
                let longest = cx.facts().config_number("offset.metadata.max.bytes");
                let longest = usize::try_from(longest.unwrap_or(LONGEST_METADATA)).unwrap_or(0);
                (Offsets::of(&group).metadata(&"m".repeat(longest + 1)), OffsetMetadataTooLarge)
            };
            let reply = offsets.at(&partition, 3).ask(cx, &producer, &mut conn).await?;
            return reply.expect_error_at(COMMITTED, refusal);
        }
    };
    let by_id = cx.version() >= TOPIC_IDS && cx.variant() == "unknown topic";
    let refusal = if by_id { UnknownTopicId } else { UnknownTopicOrPartition };
    let offsets = Offsets::of(&group).at(&partition, 3).at(&unknown, 4);
    let body = offsets.ask(cx, &producer, &mut conn).await?.expect_answer()?;
    let topics = body.at("topics")?;
    let mut codes: Vec<i64> = Vec::new();
    for topic in topics.as_array().unwrap_or_default() {
        let found = topic.at("partitions").ok();
        for one in found.and_then(Value::as_array).unwrap_or_default() {
            codes.extend(one.at("error_code").ok().and_then(Value::as_int));
        }
    }
    codes.sort_unstable();
    let expected = [0, i64::from(refusal.code())];
    body.require(codes == expected, format!("error codes {expected:?}"), || format!("{codes:?}"))
}

/// When a transaction is aborted, OffsetFetch gives the offset that was committed before it (-1 if
/// there was none); one that an OffsetCommit stored while the transaction was open is not undone.
#[scenario(
    "TXNOFF-009", api = TxnOffsetCommit, vary = ["before", "none before", "meanwhile"],
)]
async fn an_abort_leaves_what_was_there(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let mut conn = coordinator(cx, &group).await?;
    if cx.variant() == "before" {
        Commit::to(&group).offset(&partition, 1).ask(cx, &mut conn).await?.ok()?;
    }
    let mut producer = Producer::new(cx).await?;
    add_group(cx, &mut producer, &group).await?;
    let offsets = Offsets::of(&group).at(&partition, 3);
    offsets.ask(cx, &producer, &mut conn).await?.ok()?;
    if cx.variant() == "meanwhile" {
        Commit::to(&group).offset(&partition, 2).ask(cx, &mut conn).await?.ok()?;
    }
    producer.end(cx, Marker::Abort).await?;
    let expected = match cx.variant() {
        "before" => 1,
        "meanwhile" => 2,
        _ => -1,
    };
    becomes(cx, &mut conn, &group, &partition, expected).await
}

/// The act: soon the offset is stable, and this one (-1 for none).
pub(super) async fn becomes(
    cx: &Cx,
    conn: &mut Conn,
    group: &str,
    of: &Partition,
    offset: i64,
) -> Outcome {
    let version = cx.newest(keys::OffsetFetch)?;
    let mut tries = cx.tries(format!("a stable offset of {offset}"), VALID_WITHIN);
    loop {
        let body = Lookup::of(group, &[of]).stable().ask(cx, conn).await?.answered()?;
        let seen = stored(&body, version, 0, of)?;
        let unstable = Code::from(UnstableOffsetCommit);
        if seen.as_ref().is_some_and(|seen| seen.error != unstable) {
            let found = seen.as_ref().map(|seen| (seen.offset, seen.error));
            let expected = Some((offset, Code::NONE));
            return body
                .require(found == expected, format!("{expected:?}"), || format!("{seen:?}"));
        }
        tries.expect(format!("{seen:?}")).await?;
    }
}
