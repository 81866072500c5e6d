//! Batches beside one another: writers at the same time, and reading with little room. Read with
//! Fetch (1), version 4 on.

use kconform_scenario::prelude::*;

use super::log::{fetched, fetched_within, same_from_attributes};

scenarios![batches_of_two_writers_stay_whole, batches_are_never_grouped_anew];

/// Batches of two writers stand in the log whole, one after the other; those that one connection
/// sent without waiting stand there in the order in which it sent them.
#[scenario("BATCH-016", api = Fetch, versions = 4..)]
async fn batches_of_two_writers_stay_whole(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let mut writers = [cx.leader(&to).await?, cx.leader(&to).await?];
    let version = cx.newest(keys::Produce)?;
    let pairs =
        [["a1", "a2"], ["b1", "b2"], ["a3", "a4"], ["b3", "b4"], ["a5", "a6"], ["b5", "b6"]];
    let mut sent = Vec::new();
    for (pair, writer) in pairs.iter().zip([0, 1].into_iter().cycle()) {
        let request = requests::produce(version, &to, cx.batch(pair).encode());
        sent.push((writer, writers[writer].tell(request).await?));
    }
    for (writer, sent) in sent {
        writers[writer].answer(sent).await?.ok()?;
    }

    let contents = fetched(cx, &to, 0).await?;
    let text = |batch: &Batch| {
        let values = batch.records.iter().filter_map(|record| record.value.as_ref());
        values.map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>()
    };
    let stored: Vec<Vec<String>> = contents.batches().map(text).collect();
    for writer in ["a", "b"] {
        let theirs = |pair: &[&str; 2]| pair.iter().all(|value| value.starts_with(writer));
        let expected: Vec<_> = pairs.iter().filter(|pair| theirs(pair)).collect();
        let got: Vec<_> = stored
            .iter()
            .filter(|values| values.iter().any(|value| value.starts_with(writer)))
            .collect();
        require(got == expected, &format!("{expected:?} as three batches"), || {
            format!("{stored:?}")
        })?;
    }
    require(stored.len() == 6, "six batches", || format!("{stored:?}"))
}

/// A Fetch may cut at its limit of bytes but never groups records anew: the batches that are read
/// are those that were written, with their codecs, and what is cut off is the begin of the next.
#[scenario("BATCH-019", api = Fetch, versions = 4..)]
async fn batches_are_never_grouped_anew(cx: &mut Cx) -> Outcome {
    let to = cx.partition().await?;
    let sent = [
        cx.batch(&["a", "b"]).encode(),
        cx.batch(&["c", "d", "e"]).with_codec(Codec::Gzip).encode(),
        cx.batch(&["f"]).encode(),
    ];
    for records in &sent {
        cx.append(&to, records.clone()).await?;
    }
    let whole = fetched(cx, &to, 0).await?;
    require(whole.entries.len() == 3, "three batches", || format!("{}", whole.entries.len()))?;
    for (entry, sent) in whole.entries.iter().zip(&sent) {
        same_from_attributes(entry.raw(), sent)?;
    }
    // Room for the first and the begin of the second.
    let room = i32::try_from(sent[0].len() + 10).unwrap_or(i32::MAX);
    let cut = fetched_within(cx, &to, 0, room).await?;
    let one = cut.entries == whole.entries[..1] && cut.partial <= 10;
    require(one, "the first batch, and at most 10 bytes of the next", || {
        format!("{} batches and {} bytes", cut.entries.len(), cut.partial)
    })
}
