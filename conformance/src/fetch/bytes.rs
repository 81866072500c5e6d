//! Fetch (1): the bytes of a batch are those of the log, whoever reads them.
//!
//! From version 4 on nothing is converted. Not covered: conversion for versions 0 to 3.

use kconform_scenario::prelude::*;
use records::Record;

use super::answers::{contents, result};

scenarios![two_consumers_get_the_same_bytes];

/// Two consumers that fetch the same range get batches that are identical byte for byte, and what
/// the producer sent is in them unchanged from the attributes on.
#[scenario(
    "FETCH-074", api = Fetch, versions = 4..,
    vary = ["none", "gzip", "snappy", "lz4", "zstd"],
)]
async fn two_consumers_get_the_same_bytes(cx: &mut Cx) -> Outcome {
    let from = cx.partition().await?;
    let codec = Codec::all().into_iter().find(|codec| codec.name() == cx.variant());
    // Times that go up and down, headers of one name: what a copy of the records would lose.
    let timed = |value: String, timestamp_delta| {
        let record = Record { timestamp_delta, ..Record::of(value) };
        record.with_header("twice", "a").with_header("twice", "b")
    };
    let batch = Batch::new()
        .with_timestamp(cx.wall_ms())
        .record("key", "a")
        .push(timed("b".repeat(300), 5))
        .push(timed("c".to_owned(), 3));
    let sent = batch.with_codec(codec.unwrap_or_default()).encode();
    cx.append(&from, sent.clone()).await?;

    let mut one = cx.leader(&from).await?;
    let mut other = cx.leader(&from).await?;
    let first = one.ask(cx.fetch(&from, 0)?).await?.expect_ok()?;
    let second = other.ask(cx.fetch(&from, 1)?).await?.expect_ok()?;
    let got = result(&first, &from)?.records.clone().unwrap_or_default();
    let again = result(&second, &from)?.records.clone().unwrap_or_default();
    second.require(got == again, format!("the same bytes as before, {got:?}"), || {
        format!("{again:?}")
    })?;
    // Base offset, leader epoch and CRC are the broker's to set; the attributes begin behind them.
    let read = contents(&first, &from)?;
    let kept = read.entries.first().map(|entry| entry.raw().slice(21..)).unwrap_or_default();
    first.require(kept == sent.slice(21..), "the batch as it was sent", || format!("{kept:?}"))
}
