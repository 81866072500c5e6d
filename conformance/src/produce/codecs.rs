//! Produce (0): compression.
//!
//! zstd may be sent from version 7 on (KIP-110). Message sets of versions 0 to 2 wrap a whole set
//! into one compressed message. Payloads that do not decompress are in
//! `payloads`.

use kconform_scenario::prelude::*;
use records::Record;

use super::answers::{BASE_OFFSET, codec, encoded, expect_refused, values};

scenarios![
    compressed_records_come_back_as_sent,
    zstd_records_come_back_as_sent,
    zstd_is_refused_in_old_versions,
    a_batch_is_stored_as_the_producer_compressed_it,
    a_topic_with_a_codec_of_its_own_compresses_anew,
];

/// Batches compressed with gzip (1), snappy (2) or lz4 (3) are accepted in every version, those
/// with zstd (4) from version 7 on; the records fetched equal those sent.
#[scenario("PRODUCE-032", api = Produce, vary = ["gzip", "snappy", "lz4"])]
async fn compressed_records_come_back_as_sent(cx: &mut Cx) -> Outcome {
    kept(cx, codec(cx.variant())?).await
}

/// Batches compressed with gzip (1), snappy (2) or lz4 (3) are accepted in every version, those
/// with zstd (4) from version 7 on; the records fetched equal those sent.
#[scenario("PRODUCE-032", api = Produce, versions = 7..)]
async fn zstd_records_come_back_as_sent(cx: &mut Cx) -> Outcome {
    kept(cx, Codec::Zstd).await
}

/// A batch compressed with zstd in versions 3 to 6 is refused with UNSUPPORTED_COMPRESSION_TYPE
/// (76), and nothing is appended.
#[scenario("PRODUCE-033", api = Produce, versions = 3..=6)]
async fn zstd_is_refused_in_old_versions(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let records = cx.batch(&["too new"]).with_codec(Codec::Zstd).encode();
    let reply = leader.ask(cx.produce(&to, records)?).await?;
    expect_refused(cx, reply, UnsupportedCompressionType, &to, 0).await
}

/// On a topic with compression.type=producer the fetched batch has the producer's codec and its
/// record payload byte for byte; with compression.type=X the fetched codec is X; with uncompressed
/// it is none (0).
#[scenario(
    "PRODUCE-036", api = Produce, versions = 7..,
    vary = ["none", "gzip", "snappy", "lz4", "zstd"],
)]
async fn a_batch_is_stored_as_the_producer_compressed_it(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut leader = cx.leader(&to).await?;
    let sent = cx.batch(&["as", "it", "was", "sent"]).with_codec(codec(cx.variant())?).encode();

    leader.ask(cx.produce(&to, sent.clone())?).await?.expect_ok()?;
    let stored = cx.read_log(&to, 0).await?;
    // Base offset, leader epoch and CRC are the broker's to set; the attributes begin behind them,
    // at byte 21.
    let bytes = stored.entries.first().map(|entry| entry.raw().slice(21..)).unwrap_or_default();
    require(bytes == sent.slice(21..), "the batch as it was sent, from its attributes on", || {
        format!("{bytes:?} in place of {:?}", sent.slice(21..))
    })
}

/// On a topic with compression.type=producer the fetched batch has the producer's codec and its
/// record payload byte for byte; with compression.type=X the fetched codec is X; with uncompressed
/// it is none (0).
#[scenario("PRODUCE-036", api = Produce, versions = 3.., vary = ["gzip", "uncompressed"])]
async fn a_topic_with_a_codec_of_its_own_compresses_anew(cx: &mut Cx) -> Outcome {
    let spec = TopicSpec::default().config("compression.type", cx.variant());
    let to = cx.topic_with(spec).await?.partition(0);
    let mut leader = cx.leader(&to).await?;
    let sent = cx.batch(&["compressed", "otherwise"]).with_codec(Codec::Lz4).encode();
    leader.ask(cx.produce(&to, sent)?).await?.expect_ok()?.expect_number(BASE_OFFSET, 0)?;
    let stored = cx.read_log(&to, 0).await?;
    let codecs: Vec<Codec> = stored.batches().map(|batch| batch.codec).collect();
    let wanted = if cx.variant() == "gzip" { Codec::Gzip } else { Codec::None };
    require(codecs == [wanted], &format!("one batch with codec {wanted}"), || {
        format!("{codecs:?}")
    })?;
    let stored = values(&stored);
    require(stored == ["compressed", "otherwise"], "the records as sent", || format!("{stored:?}"))
}

/// Records under this codec are accepted and come back.
async fn kept(cx: &Cx, codec: Codec) -> Outcome {
    let to = cx.partition().await?;
    cx.write(&to, &["before"]).await?;
    let mut leader = cx.leader(&to).await?;
    // Long enough that each codec has something to do, and more than one block of none.
    let long = "compressible ".repeat(400);
    let sent = ["first", &long, "last"];
    let records: Vec<Record> = sent.iter().map(|value| Record::of((*value).to_owned())).collect();

    let reply = leader.ask(cx.produce(&to, encoded(cx, codec, &records))?).await?;
    reply.expect_ok()?.expect_number(BASE_OFFSET, 1)?;
    let stored = values(&cx.read_log(&to, 0).await?);
    require(stored.get(1..) == Some(&sent.map(str::to_owned)[..]), "the records as sent", || {
        format!("{} records: {stored:?}", stored.len())
    })
}
