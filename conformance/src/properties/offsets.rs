//! OffsetCommit (8) and OffsetFetch (9): what a group committed last is what it reads back.
//!
//! Not covered: members of a live group, commits inside transactions, metadata that is null.

use kconform_scenario::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;

use super::for_all::for_all;
use crate::commits::offsets::{Commit, LEADER_EPOCHS, Lookup, Stored, stored};
use crate::groups::members::coordinator;

scenarios![any_commits_are_read_back, any_commits_are_found];

/// How many partitions a history is about.
const PARTITIONS: usize = 3;

/// One offset to commit.
#[derive(Clone, Debug)]
struct Committed {
    partition: usize,
    offset: i64,
    leader_epoch: i32,
    metadata: String,
}

fn commits() -> impl Strategy<Value = Vec<Vec<Committed>>> {
    let offset = prop_oneof![4 => 0..1000_i64, 1 => 0..=i64::MAX];
    let one = (0..PARTITIONS, offset, -1..50_i32, "\\PC{0,30}").prop_map(
        |(partition, offset, leader_epoch, metadata)| Committed {
            partition,
            offset,
            leader_epoch,
            metadata,
        },
    );
    vec(vec(one, 1..=PARTITIONS), 1..5)
}

/// Whatever offsets, leader epochs and metadata are committed to a group without members, in
/// whatever order and company, OffsetFetch gives for each partition those that were committed last,
/// and -1 with empty metadata where there are none.
#[scenario("PROP-006", api = OffsetCommit, versions = 1.., vary = ["seed_c"])]
async fn any_commits_are_read_back(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    for_all(cx, commits(), async |commits| history(cx, commits).await).await
}

/// Whatever offsets, leader epochs and metadata are committed to a group without members, in
/// whatever order and company, OffsetFetch gives for each partition those that were committed last,
/// and -1 with empty metadata where there are none.
#[scenario("PROP-006", api = OffsetFetch, versions = 1.., vary = ["seed_c"])]
async fn any_commits_are_found(cx: &mut Cx) -> Outcome {
    let cx = &*cx;
    for_all(cx, commits(), async |commits| history(cx, commits).await).await
}

async fn history(cx: &Cx, commits: &[Vec<Committed>]) -> Outcome {
    let group = cx.group();
    let mut partitions = Vec::new();
    for _ in 0..PARTITIONS {
        partitions.push(cx.partition().await?);
    }
    let (written, read) = (cx.version_of(keys::OffsetCommit)?, cx.version_of(keys::OffsetFetch)?);
    let mut conn = coordinator(cx, &group).await?;
    let mut last = vec![Stored::nothing(read); PARTITIONS];
    for commit in commits {
        let mut request = Commit::to(&group);
        let mut named = [false; PARTITIONS];
        for one in commit {
            // A partition twice in one request has no order that is promised.
            if std::mem::replace(&mut named[one.partition], true) {
                continue;
            }
            let epoch = if written >= LEADER_EPOCHS { one.leader_epoch } else { -1 };
            let partition = &partitions[one.partition];
            request = request.entry(partition, one.offset, epoch, Some(&one.metadata));
            last[one.partition] = Stored::at(read, one.offset, epoch.into(), &one.metadata);
        }
        request.ask(cx, &mut conn).await?.expect_ok()?;
    }
    let asked: Vec<&Partition> = partitions.iter().collect();
    let body = Lookup::of(&group, &asked).ask(cx, &mut conn).await?.expect_ok()?;
    for (index, want) in last.iter().enumerate() {
        let got = stored(&body, read, 0, &partitions[index])?;
        body.require(
            got.as_ref() == Some(want),
            format!("{want:?} for partition {index}"),
            || format!("{got:?}"),
        )?;
    }
    Ok(())
}
