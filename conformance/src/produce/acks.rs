//! Produce (0): acknowledgements and the offsets in them.
//!
//! Versions 0 to 2 carry message sets, 3 and later one record batch a partition; version 5 brought
//! the log start offset, version 13 topic ids. Below min.insync.replicas, and where
//! replication times out: see `replication`.

use kconform_scenario::prelude::*;

use super::answers::{BASE_OFFSET, NO_SUCH_INDEX, produce_all, result, values};

scenarios![
    a_batch_begins_where_the_log_ended,
    the_log_start_offset_follows_deleted_records,
    acks_0_is_not_answered_and_the_record_is_kept,
    acks_0_and_an_error_close_the_connection,
    unknown_acks_are_refused,
    one_bad_partition_leaves_the_others_alone,
];

const PATIENCE: Duration = Duration::from_secs(5);

/// With acks 1 or -1, a valid batch of n records sent to the leader is answered with error 0 and
/// base_offset = the previous log end offset; the base_offset of the next batch is that plus n.
#[scenario("PRODUCE-001", api = Produce, vary = ["acks=1", "acks=-1"])]
async fn a_batch_begins_where_the_log_ended(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    let acks = if cx.variant() == "acks=1" { 1 } else { -1 };

    let three = cx.produce(&to, cx.records(&["a", "b", "c"])?)?.with_acks(acks);
    leader.ask(three).await?.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    let two = cx.produce(&to, cx.records(&["d", "e"])?)?.with_acks(acks);
    leader.ask(two).await?.expect_ok()?.expect_number(BASE_OFFSET, 4)?;
    cx.expect_next_offset(&to, 6).await?;

    let stored = values(&cx.read_log(&to, 0).await?);
    let sent = ["before", "a", "b", "c", "d", "e", "next"];
    require(stored == sent, &format!("the records {sent:?} in the log"), || format!("{stored:?}"))
}

/// On success log_start_offset is the partition's earliest offset: 0 on a fresh topic, the new
/// start after DeleteRecords.
#[scenario("PRODUCE-003", api = Produce, versions = 5..)]
async fn the_log_start_offset_follows_deleted_records(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let start = "responses[0].partition_responses[0].log_start_offset";

    let fresh = cx.produce(&to, cx.records(&["a", "b", "c"])?)?;
    leader.ask(fresh).await?.expect_ok()?.expect_number(start, 0)?;
    cx.delete_records(&to, 2).await?;
    let trimmed = cx.produce(&to, cx.records(&["d"])?)?;
    leader.ask(trimmed).await?.expect_ok()?.expect_number(start, 2)
}

/// With acks = 0 and no error, no response frame is sent (the next frame answers the next request)
/// and the records can be read.
#[scenario("PRODUCE-004", api = Produce)]
async fn acks_0_is_not_answered_and_the_record_is_kept(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;

    let silent = cx.produce(&to, cx.records(&["silent"])?)?.with_acks(0);
    leader.tell(silent).await?.unanswered();
    // An answer to the Produce would come first, and its correlation id would give it away.
    leader.ask(requests::list_offsets(&to, -1)).await?.expect_ok()?;
    readable(cx, &to).await?;

    let stored = values(&cx.read_log(&to, 0).await?);
    require(stored == ["silent"], "the record sent with acks = 0", || format!("{stored:?}"))
}

/// With acks = 0 and an error on any partition (an unknown topic or partition, a broker that does
/// not lead, a wrong checksum, a batch that is too large), the broker closes the connection without
/// a response; the partitions that were fine are still written.
#[scenario("PRODUCE-005", api = Produce, vary = ["no such partition", "wrong checksum"])]
async fn acks_0_and_an_error_close_the_connection(cx: &mut Cx) -> Outcome {
    let [good, bad] = cx.partitions().await?;
    let mut leader = cx.leader(&good).await?;
    let (bad, records) = misfit(cx, &bad)?;

    let parts = [(&bad, records), (&good, cx.records(&["kept"])?)];
    leader.tell(produce_all(cx, &parts)?.with_acks(0)).await?.unanswered();
    leader.expect_close().await?;
    readable(cx, &good).await
}

/// acks other than -1, 0 and 1 (2 or -2, say) are refused with INVALID_REQUIRED_ACKS (21) on every
/// partition that is otherwise valid, and nothing is appended.
#[scenario("PRODUCE-006", api = Produce, vary = ["2", "-2"])]
async fn unknown_acks_are_refused(cx: &mut Cx) -> Outcome {
    let [one, other] = cx.partitions().await?;
    let mut leader = cx.leader(&one).await?;
    let acks = if cx.variant() == "2" { 2 } else { -2 };

    let parts = [(&one, cx.records(&["a"])?), (&other, cx.records(&["b"])?)];
    let body = leader.ask(produce_all(cx, &parts)?.with_acks(acks)).await?.expect_answer()?;
    for to in [&one, &other] {
        let code = Code(result(&body, to)?.error_code);
        body.require(code == InvalidRequiredAcks.into(), "INVALID_REQUIRED_ACKS (21)", || {
            code.to_string()
        })?;
        cx.expect_next_offset(to, 0).await?;
    }
    Ok(())
}

/// A partition that is refused does not affect the others of the request: each has a result of its
/// own, and the response has one entry for each distinct partition.
#[scenario("PRODUCE-013", api = Produce, vary = ["no such partition", "wrong checksum"])]
async fn one_bad_partition_leaves_the_others_alone(cx: &mut Cx) -> Outcome {
    let [first, bad, last] = cx.partitions().await?;
    let mut leader = cx.leader(&first).await?;
    let (bad, records) = misfit(cx, &bad)?;

    let good = cx.records(&["kept"])?;
    let parts = [(&first, good.clone()), (&bad, records), (&last, good)];
    let body = leader.ask(produce_all(cx, &parts)?).await?.expect_answer()?;
    let refused = result(&body, &bad)?.error_code;
    body.require(refused != 0, "an error for the bad partition", || Code(refused).to_string())?;
    for to in [&first, &last] {
        let stored = result(&body, to)?;
        let got = (stored.error_code, stored.base_offset);
        body.require(got == (0, 0), "error 0 and base_offset 0 for the good ones", || {
            format!("{} and base_offset {}", Code(got.0), got.1)
        })?;
        cx.expect_next_offset(to, 1).await?;
    }
    Ok(())
}

/// A partition and records that are refused, as the variant says: an index that does not exist, or
/// a damaged byte.
fn misfit(cx: &Cx, bad: &Partition) -> Result<(Partition, bytes::Bytes), Failure> {
    let records = cx.records(&["damaged"])?;
    if cx.variant() == "no such partition" {
        return Ok((Partition { index: NO_SUCH_INDEX, ..bad.clone() }, records));
    }
    Ok((bad.clone(), super::batches::damaged(&records)))
}

/// The one record that was sent without a response comes to be readable.
async fn readable(cx: &Cx, to: &Partition) -> Outcome {
    let mut tries = cx.tries("the record sent with acks = 0", PATIENCE);
    loop {
        let end = cx.log_ends(to).await?.end;
        if end == 1 {
            return Ok(());
        }
        tries.expect(format!("a log that ends at {end}")).await?;
    }
}
