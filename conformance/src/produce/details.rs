//! Produce (0): what stands beside the error code: the log start offset (version 5 on), and the
//! records at fault and the message (version 8 on, KIP-467).

use bytes::{Bytes, BytesMut};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;
use records::Breakage;

use super::answers::{BASE_OFFSET, ERROR, NO_SUCH_INDEX};

scenarios![
    a_batch_at_fault_names_no_records,
    an_error_at_append_tells_the_log_start_offset,
    an_error_before_the_append_tells_no_log_start_offset,
];

/// What stands beside the only error code of an answer.
const RECORD_ERRORS: &str = "responses[0].partition_responses[0].record_errors";
const MESSAGE: &str = "responses[0].partition_responses[0].error_message";
const LOG_START: &str = "responses[0].partition_responses[0].log_start_offset";

/// record_errors and error_message are filled for faults of single records (PRODUCE-037,
/// PRODUCE-039, PRODUCE-042); where the batch as such is at fault (too large, CRC, count,
/// last_offset_delta, control bit, base_offset, no batch at all) record_errors is empty and
/// error_message null. A message without record errors comes with PRODUCE-019 (2) and PRODUCE-066
/// (48).
#[scenario(
    "PRODUCE-043", api = Produce, versions = 8..,
    vary = ["checksum", "count", "delta", "control bit", "base offset", "no batch", "two batches"],
)]
async fn a_batch_at_fault_names_no_records(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let (records, code) = faulty(cx)?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    reply.expect_error_at(ERROR, code)?;
    let (errors, message) = (reply.at(RECORD_ERRORS)?, reply.at(MESSAGE)?);
    if errors == Value::Array(vec![]) && message == Value::Null {
        return Ok(());
    }
    Err(reply.violated("no record errors, and no message", format!("{errors} and {message}")))
}

/// Where the leader finds the error as it appends (INVALID_TIMESTAMP (32),
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), INVALID_PRODUCER_EPOCH (47), UNKNOWN_SERVER_ERROR (-1), and
/// INVALID_RECORD (87) for a base_offset, count or control bit or a missing key), log_start_offset
/// is the partition's own; where a check before finds it (2, 3, 10, 17, 18, 21, 100, and 87 for no
/// batch or two), it is -1.
#[scenario(
    "PRODUCE-044", api = Produce, versions = 5..,
    vary = ["base offset", "count", "control bit", "gap", "old epoch", "unreadable"],
)]
async fn an_error_at_append_tells_the_log_start_offset(cx: &mut Cx) -> Outcome {
    let to = trimmed(cx).await?;
    let (records, code) = match cx.variant() {
        "gap" => {
            cx.append(&to, cx.batch(&["first"]).idempotent(FORGED_ID, 3, 0).encode()).await?;
            let gap = cx.batch(&["third"]).idempotent(FORGED_ID, 3, 2);
            (gap.encode(), Code::from(OutOfOrderSequenceNumber))
        }
        "old epoch" => {
            cx.append(&to, cx.batch(&["newer"]).idempotent(FORGED_ID, 3, 0).encode()).await?;
            let old = cx.batch(&["older"]).idempotent(FORGED_ID, 2, 1);
            (old.encode(), InvalidProducerEpoch.into())
        }
        "unreadable" => {
            let garbage = Breakage::Payload(Bytes::from_static(&[0xa5; 40]));
            let batch = cx.batch(&["unreadable"]).with_codec(Codec::Gzip);
            (batch.encode_broken(&[garbage]), UnknownServerError.into())
        }
        _ => faulty(cx)?,
    };
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    reply.expect_error_at(ERROR, code)?;
    expect(&reply, BASE_OFFSET, -1)?;
    expect(&reply, LOG_START, 2)
}

/// Where the leader finds the error as it appends (INVALID_TIMESTAMP (32),
/// OUT_OF_ORDER_SEQUENCE_NUMBER (45), INVALID_PRODUCER_EPOCH (47), UNKNOWN_SERVER_ERROR (-1), and
/// INVALID_RECORD (87) for a base_offset, count or control bit or a missing key), log_start_offset
/// is the partition's own; where a check before finds it (2, 3, 10, 17, 18, 21, 100, and 87 for no
/// batch or two), it is -1.
#[scenario(
    "PRODUCE-044", api = Produce, versions = 5..,
    vary = ["checksum", "no batch", "two batches", "no such partition", "acks"],
)]
async fn an_error_before_the_append_tells_no_log_start_offset(cx: &mut Cx) -> Outcome {
    let to = trimmed(cx).await?;
    let mut leader = cx.leader(&to).await?;
    let good = cx.records(&["good"])?;
    let (request, code) = match cx.variant() {
        "no such partition" => {
            let missing = Partition { index: NO_SUCH_INDEX, ..to };
            (cx.produce(&missing, good)?, UnknownTopicOrPartition.into())
        }
        "acks" => (cx.produce(&to, good)?.with_acks(2), InvalidRequiredAcks.into()),
        _ => {
            let (records, code) = faulty(cx)?;
            (cx.produce(&to, records)?, code)
        }
    };
    let reply = leader.ask(request).await?;
    reply.expect_error_at(ERROR, code)?;
    expect(&reply, BASE_OFFSET, -1)?;
    expect(&reply, LOG_START, -1)
}

/// A producer id that nobody hands out; brokers take any.
const FORGED_ID: i64 = 1 << 50;

/// Records with the fault that the variant names, and the code that refuses them.
fn faulty(cx: &Cx) -> Result<(Bytes, Code), Failure> {
    let batch = cx.batch(&["a", "b"]);
    let invalid = Code::from(InvalidRecord);
    Ok(match cx.variant() {
        "checksum" => (batch.encode_broken(&[Breakage::Crc(1)]), CorruptMessage.into()),
        "count" => {
            (batch.encode_broken(&[Breakage::Count(3), Breakage::LastOffsetDelta(2)]), invalid)
        }
        "delta" => (batch.encode_broken(&[Breakage::LastOffsetDelta(7)]), invalid),
        "control bit" => (Batch { control: true, ..batch }.encode(), invalid),
        "base offset" => (Batch { base_offset: 5, ..batch }.encode(), invalid),
        "no batch" => (Bytes::new(), invalid),
        "two batches" => {
            (BytesMut::from_iter(batch.encode().iter().chain(&batch.encode())).freeze(), invalid)
        }
        other => return Err(Failure::error(format!("no fault {other}"))),
    })
}

/// A partition whose log starts at offset 2.
async fn trimmed(cx: &Cx) -> Result<Partition, Failure> {
    let to = cx.partition().await?;
    cx.write(&to, &["a", "b", "c"]).await?;
    cx.delete_records(&to, 2).await?;
    Ok(to)
}

/// The number at this path of a refusal, which may be -1, is this one.
fn expect<B>(reply: &Reply<B>, path: &str, number: i64) -> Outcome {
    let got = reply.at(path)?;
    if got == Value::Int(number) {
        return Ok(());
    }
    Err(reply.violated(format!("{path} = {number}"), got.to_string()))
}
