//! How records are written inside a batch of magic 2, and how large a batch may be. Read with Fetch
//! (1), version 4 on.

use kconform_scenario::prelude::*;
use records::{Header, Record};

use super::log::{only, same_from_attributes};

scenarios![
    records_are_written_as_varints,
    only_the_records_are_compressed,
    only_the_records_are_compressed_with_zstd,
    the_largest_batch_comes_back_whole,
];

/// A record is its length, attributes (1 byte), timestamp delta, offset delta, key length and key,
/// value length and value, header count, and for each header key length and key, value length and
/// value; all numbers but the attributes are zig-zag varints, and the length -1 is null.
#[scenario("BATCH-012", api = Fetch, versions = 4..)]
async fn records_are_written_as_varints(cx: &mut Cx) -> Outcome {
    // Compressed when it is sent and not when it is stored, so that the broker writes the records.
    let spec = TopicSpec::default().config("compression.type", "uncompressed");
    let to = cx.topic_with(spec).await?.partition(0);
    let header = |key: &'static str, value: Option<&'static str>| Header {
        key: key.into(),
        value: value.map(Into::into),
    };
    let second = Record {
        key: Some("k".into()),
        timestamp_delta: 300,
        headers: vec![header("h", None), header("", Some(""))],
        ..Record::default()
    };
    let sent = cx.batch(&["v"]).push(second).with_codec(Codec::Gzip);
    cx.append(&to, sent.encode()).await?;

    let (_, raw) = only(cx, &to, 0).await?;
    let first = [0x0e, 0x00, 0x00, 0x00, 0x01, 0x02, b'v', 0x00];
    let second =
        [0x1a, 0x00, 0xd8, 0x04, 0x02, 0x02, b'k', 0x01, 0x04, 0x02, b'h', 0x01, 0x00, 0x00];
    let (got, expected) = (raw.slice(61.min(raw.len())..), [&first[..], &second].concat());
    require(got == expected, &format!("{expected:02x?}"), || format!("{got:02x?}"))
}

/// In a compressed batch the header is plain, its attributes name the codec, and only the records
/// behind the header are compressed, all of them as one.
#[scenario("BATCH-014", api = Fetch, versions = 4.., vary = ["gzip", "snappy", "lz4"])]
async fn only_the_records_are_compressed(cx: &mut Cx) -> Outcome {
    let codec = Codec::all().into_iter().find(|codec| codec.name() == cx.variant());
    compressed(cx, codec.unwrap_or_default()).await
}

/// In a compressed batch the header is plain, its attributes name the codec, and only the records
/// behind the header are compressed, all of them as one.
#[scenario("BATCH-014", api = Fetch, versions = 10..)]
async fn only_the_records_are_compressed_with_zstd(cx: &mut Cx) -> Outcome {
    // Older versions must not be given batches of a topic that is set to zstd, KIP-110.
    compressed(cx, Codec::Zstd).await
}

/// A batch of exactly the size that message.max.bytes allows comes back as it was sent.
#[scenario("BATCH-018", api = Fetch, versions = 4.., needs = [Config("message.max.bytes")])]
async fn the_largest_batch_comes_back_whole(cx: &mut Cx) -> Outcome {
    let limit = cx.facts().config_number("message.max.bytes");
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if limit > 10 << 20 {
        return Err(Failure::NotRun("a message.max.bytes of at most 10 MiB".to_owned()));
    }
    let to = cx.partition().await?;
    let sent = Batch::of_size(limit)
        .ok_or_else(|| Failure::error(format!("no batch has {limit} bytes")))?;
    let sent = sent.with_timestamp(cx.wall_ms()).encode();
    cx.append(&to, sent.clone()).await?;
    let (_, raw) = only(cx, &to, 0).await?;
    same_from_attributes(&raw, &sent)
}

/// The act: a batch that the broker compressed with this codec is compressed behind its header.
async fn compressed(cx: &Cx, codec: Codec) -> Outcome {
    // Sent plain, so that the broker compresses.
    let spec = TopicSpec::default().config("compression.type", codec.name());
    let to = cx.topic_with(spec).await?.partition(0);
    let sent = cx.batch(&["first", "second", "third"]);
    cx.append(&to, sent.encode()).await?;
    let (stored, raw) = only(cx, &to, 0).await?;
    let got = (stored.codec, stored.last_offset_delta);
    require(got == (codec, 2), &format!("codec {codec} and delta 2"), || format!("{got:?}"))?;
    let count = raw.get(57..61);
    require(count == Some(&[0, 0, 0, 3]), "a count of 3 in the header", || format!("{count:?}"))?;
    let plain = codec.decompress(&raw.slice(61.min(raw.len())..), 1 << 16);
    let expected = sent.encode().slice(61..);
    require(plain == Ok(expected), "the records behind the header", || format!("{plain:?}"))
}
