//! OffsetFetch (9) beside a transaction: what a pending TxnOffsetCommit shows before it ends, and
//! after (KIP-447).
//!
//! The transactions are those of a client that names its groups first (AddOffsetsToTxn), which
//! every release serves, whatever transaction.version is finalized.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::records::Marker;

use super::offsets::{Commit, Lookup, Stored, group_path, stored};
use crate::groups::members::{GRACE, coordinator};
use crate::producer::Producer;
use crate::transactions::offsets::Offsets;

scenarios![
    a_pending_offset_is_unstable,
    a_pending_offset_never_leaks,
    the_end_of_the_transaction_decides,
];

/// While a transaction has an offset of a partition pending, an OffsetFetch with require_stable is
/// answered for that partition with UNSTABLE_OFFSET_COMMIT (88), offset -1, leader epoch -1 and
/// metadata "", with null topics too; the other partitions and the group are answered as ever.
#[scenario("OFFFETCH-008", api = OffsetFetch, versions = 7.., vary = ["listed", "null topics"])]
async fn a_pending_offset_is_unstable(cx: &mut Cx) -> Outcome {
    let (group, open, settled) = (cx.group(), cx.partition().await?, cx.partition().await?);
    let version = cx.version();
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&open, 1).offset(&settled, 2).ask(cx, &mut conn).await?.ok()?;
    let mut pending = pending(cx, &mut conn, &group, &open, 3).await?;
    let lookup = match cx.variant() {
        "listed" => Lookup::of(&group, &[&open, &settled]),
        _ => Lookup::all(&group),
    };
    let reply = lookup.stable().ask(cx, &mut conn).await?;
    reply.clone().expect_error_at(&format!("{}error_code", group_path(version, 0)), Code::NONE)?;
    let body = reply.expect_answer()?;
    let seen = [stored(&body, version, 0, &open)?, stored(&body, version, 0, &settled)?];
    let unstable = Stored::at(version, -1, -1, "").refused(UnstableOffsetCommit);
    let expected = [Some(unstable), Some(Stored::at(version, 2, -1, ""))];
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    pending.end(cx, Marker::Abort).await
}

/// While a transaction has an offset of a partition pending, an OffsetFetch without require_stable,
/// which versions below 7 do not know, is answered with the offset that was committed before and
/// error 0.
#[scenario("OFFFETCH-009", api = OffsetFetch, versions = 1..)]
async fn a_pending_offset_never_leaks(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let version = cx.version();
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&partition, 1).ask(cx, &mut conn).await?.ok()?;
    let mut pending = pending(cx, &mut conn, &group, &partition, 3).await?;
    let body = Lookup::of(&group, &[&partition]).ask(cx, &mut conn).await?.expect_ok()?;
    let seen = stored(&body, version, 0, &partition)?;
    let expected = Some(Stored::at(version, 1, -1, ""));
    body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"))?;
    pending.end(cx, Marker::Abort).await
}

/// Soon after a transaction that had an offset pending ends, an OffsetFetch with require_stable is
/// answered with error 0: with the new offset if the transaction was committed, with the former one
/// if it was aborted. Until then it is answered with UNSTABLE_OFFSET_COMMIT (88).
#[scenario("OFFFETCH-010", api = OffsetFetch, versions = 7.., vary = ["committed", "aborted"])]
async fn the_end_of_the_transaction_decides(cx: &mut Cx) -> Outcome {
    let (group, partition) = (cx.group(), cx.partition().await?);
    let (version, committed) = (cx.version(), cx.variant() == "committed");
    let mut conn = coordinator(cx, &group).await?;
    Commit::to(&group).offset(&partition, 1).ask(cx, &mut conn).await?.ok()?;
    let mut pending = pending(cx, &mut conn, &group, &partition, 3).await?;
    let decision = if committed { Marker::Commit } else { Marker::Abort };
    pending.end(cx, decision).await?;

    let mut tries = cx.tries("the offset to be stable", GRACE);
    loop {
        let reply = Lookup::of(&group, &[&partition]).stable().ask(cx, &mut conn).await?;
        let body = reply.expect_answer()?;
        let seen = stored(&body, version, 0, &partition)?;
        if seen.as_ref().is_some_and(|seen| seen.error == UnstableOffsetCommit.into()) {
            tries.expect("UNSTABLE_OFFSET_COMMIT (88)").await?;
            continue;
        }
        let expected = Some(Stored::at(version, if committed { 3 } else { 1 }, -1, ""));
        return body.require(seen == expected, format!("{expected:?}"), || format!("{seen:?}"));
    }
}

/// Set-up: a transaction that wants to store this offset.
async fn pending(
    cx: &Cx,
    conn: &mut Conn,
    group: &str,
    of: &Partition,
    offset: i64,
) -> Result<Producer, Failure> {
    let mut producer = Producer::new(cx).await?;
    Offsets::of(group).at(of, offset).pend(cx, &mut producer, conn).await?;
    Ok(producer)
}
