//! Produce (0), version 3 on: compressed records that are not what their codec writes, and the two
//! forms of snappy.
//!
//! Apache Kafka decompresses every batch in order to validate it.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ProduceResponse;
use kconform_scenario::Ending;
use kconform_scenario::prelude::*;
use records::Breakage;

use super::answers::{BASE_OFFSET, codec, produce_all, refused, result_in, values};

scenarios![
    an_unknown_codec_is_refused,
    an_unknown_codec_spoils_the_request_in_old_versions,
    a_payload_that_does_not_decompress_is_refused,
    zstd_that_does_not_decompress_is_refused,
    snappy_blocks_that_lie_about_their_size_are_refused,
    bare_snappy_is_accepted,
    framed_snappy_of_several_blocks_is_accepted,
];

/// A batch whose codec bits say 5, 6 or 7, with a correct CRC, is refused with UNKNOWN_SERVER_ERROR
/// (-1) from version 7 on; in versions 3 to 6 every partition of the request is.
#[scenario("PRODUCE-034", api = Produce, versions = 7.., vary = ["5", "6", "7"])]
async fn an_unknown_codec_is_refused(cx: &mut Cx) -> Outcome {
    let records = coded(
        cx,
        match cx.variant() {
            "5" => 5,
            "6" => 6,
            _ => 7,
        },
    );
    let codes = beside_a_good_batch(cx, records).await?;
    require(codes == (Code(-1), Code::NONE), "UNKNOWN_SERVER_ERROR (-1) and NONE (0)", || {
        format!("{} and {}", codes.0, codes.1)
    })
}

/// A batch whose codec bits say 5, 6 or 7, with a correct CRC, is refused with UNKNOWN_SERVER_ERROR
/// (-1) from version 7 on; in versions 3 to 6 every partition of the request is.
#[scenario("PRODUCE-034", api = Produce, versions = 3..=6, vary = ["5", "7"])]
async fn an_unknown_codec_spoils_the_request_in_old_versions(cx: &mut Cx) -> Outcome {
    let records = coded(cx, if cx.variant() == "5" { 5 } else { 7 });
    let codes = beside_a_good_batch(cx, records).await?;
    require(codes == (Code(-1), Code(-1)), "UNKNOWN_SERVER_ERROR (-1) twice", || {
        format!("{} and {}", codes.0, codes.1)
    })
}

/// A batch with a correct CRC whose compressed records cannot be decompressed (garbage under each
/// codec, or a gzip stream that is cut short) is refused with UNKNOWN_SERVER_ERROR (-1), and nothing
/// is appended; 3.3 refuses a gzip stream that is cut short with INVALID_RECORD (87).
#[scenario(
    "PRODUCE-035", api = Produce, versions = 3..,
    vary = ["gzip", "snappy", "lz4", "gzip cut short"],
)]
async fn a_payload_that_does_not_decompress_is_refused(cx: &mut Cx) -> Outcome {
    let name = cx.variant().strip_suffix(" cut short");
    let batch =
        cx.batch(&["unreadable", "records"]).with_codec(codec(name.unwrap_or(cx.variant()))?);
    let payload = if name.is_some() {
        let whole = batch.encode().slice(61..);
        whole.slice(..whole.len() / 2)
    } else {
        Bytes::from_static(&[0xa5; 40])
    };
    let code = if name.is_some() && !cx.since(3, 7) { InvalidRecord } else { UnknownServerError };
    refused(cx, batch.encode_broken(&[Breakage::Payload(payload)]), code).await
}

/// A batch with a correct CRC whose compressed records cannot be decompressed (garbage under each
/// codec, or a gzip stream that is cut short) is refused with UNKNOWN_SERVER_ERROR (-1), and nothing
/// is appended; 3.3 refuses a gzip stream that is cut short with INVALID_RECORD (87).
#[scenario("PRODUCE-035", api = Produce, versions = 7..)]
async fn zstd_that_does_not_decompress_is_refused(cx: &mut Cx) -> Outcome {
    let garbage = Breakage::Payload(Bytes::from_static(&[0xa5; 40]));
    let batch = cx.batch(&["unreadable", "records"]).with_codec(Codec::Zstd);
    refused(cx, batch.encode_broken(&[garbage]), UnknownServerError).await
}

/// Snappy records whose framing claims a block of 2147483647 or of -1 bytes are refused with
/// UNKNOWN_SERVER_ERROR (-1) at once, and nothing is appended: the claim is not believed.
#[scenario(
    "PRODUCE-080", api = Produce, versions = 3..,
    vary = ["2147483647 bytes", "-1 bytes"],
)]
async fn snappy_blocks_that_lie_about_their_size_are_refused(cx: &mut Cx) -> Outcome {
    let batch = cx.batch(&["unreadable"]).with_codec(Codec::Snappy);
    let claimed = if cx.variant() == "-1 bytes" { -1 } else { i32::MAX };
    let mut payload = BytesMut::from(SNAPPY);
    payload.put_i32(claimed);
    payload.put_slice(&[0; 16]);
    refused(cx, batch.encode_broken(&[Breakage::Payload(payload.freeze())]), UnknownServerError)
        .await
}

/// Snappy records are accepted in both forms that clients write: one bare block, and blocks of any
/// number behind the header of snappy-java.
#[scenario("PRODUCE-081", api = Produce, versions = 3..)]
async fn bare_snappy_is_accepted(cx: &mut Cx) -> Outcome {
    let batch = cx.batch(&["bare", "snappy"]).with_codec(Codec::Snappy);
    // Behind the framing's header of 16 bytes and the size of its only block, 4 bytes.
    let payload = batch.encode().slice(61 + 20..);
    kept(cx, batch.encode_broken(&[Breakage::Payload(payload)])).await
}

/// Snappy records are accepted in both forms that clients write: one bare block, and blocks of any
/// number behind the header of snappy-java.
#[scenario("PRODUCE-081", api = Produce, versions = 3..)]
async fn framed_snappy_of_several_blocks_is_accepted(cx: &mut Cx) -> Outcome {
    let plain = cx.batch(&["bare", "snappy"]).encode().slice(61..);
    let mut payload = BytesMut::from(SNAPPY);
    // Each half as one block without any compression: its size, the length of a literal, the bytes.
    for half in plain.chunks(plain.len().div_ceil(2)) {
        let length = u8::try_from(half.len()).unwrap_or(u8::MAX);
        payload.put_u32(u32::from(length) + 2);
        payload.put_u8(length);
        payload.put_u8((length - 1) << 2);
        payload.put_slice(half);
    }
    let batch = cx.batch(&["bare", "snappy"]).with_codec(Codec::Snappy);
    kept(cx, batch.encode_broken(&[Breakage::Payload(payload.freeze())])).await
}

/// What snappy-java writes first: its magic, and two versions.
const SNAPPY: &[u8] = &[0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

/// A batch whose attributes name this codec.
fn coded(cx: &Cx, codec: u8) -> Bytes {
    cx.batch(&["strange"]).encode_broken(&[Breakage::CodecId(codec)])
}

/// Sends these records beside a good batch for another partition, and gives the codes of both. The
/// log of each must be as its code says.
async fn beside_a_good_batch(cx: &Cx, records: Bytes) -> Result<(Code, Code), Failure> {
    let [to, other] = cx.partitions().await?;
    let mut leader = cx.leader(&to).await?;
    let parts = [(&to, records), (&other, cx.records(&["good"])?)];
    let reply = leader.ask(produce_all(cx, &parts)?).await?;
    let mut codes = [Code::NONE; 2];
    for (code, of) in codes.iter_mut().zip([&to, &other]) {
        *code = code_of(&reply, of)?;
        cx.expect_next_offset(of, if *code == Code::NONE { 1 } else { 0 }).await?;
    }
    Ok((codes[0], codes[1]))
}

/// The code of this partition, which may be -1.
fn code_of(reply: &Reply<ProduceResponse>, of: &Partition) -> Result<Code, Failure> {
    if let Ending::Answered(answer) = reply.ending()
        && let Some(found) = result_in(answer, of)
    {
        return Ok(Code(found.error_code));
    }
    Err(reply.violated(format!("a result for {}-{}", of.topic, of.index), reply.describe()))
}

/// The two records of the scenarios about snappy are accepted and come back.
async fn kept(cx: &Cx, records: Bytes) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let stored = values(&cx.read_log(&to, 0).await?);
    require(stored == ["bare", "snappy"], "both records", || format!("{stored:?}"))
}
