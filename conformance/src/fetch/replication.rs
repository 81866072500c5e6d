//! Fetch (1): records that the leader has and a replica in sync may not have yet: the space between
//! the high watermark and the end of the log. With fewer replicas in sync than must be, the high
//! watermark stands still (KAFKA-15583).

use kconform_scenario::prelude::*;

use super::answers::{ERROR, expect_offsets};
use crate::in_sync::{Short, write};

scenarios![records_that_are_not_replicated_are_held_back];

/// A Fetch from an offset between the high watermark and the log end (records that some replica in
/// sync does not have yet) is answered with error 0 and no records.
#[scenario("FETCH-007", api = Fetch, versions = 4.., needs = [ThreeBrokers, Disruption])]
async fn records_that_are_not_replicated_are_held_back(cx: &mut Cx) -> Outcome {
    let short = Short::new(cx, 1).await?;
    short.over(cx, held_back(cx, &short).await).await
}

/// The act, with two records behind the high watermark.
async fn held_back(cx: &Cx, short: &Short) -> Outcome {
    let Short { to, mark, end, .. } = short;
    for value in ["behind the mark", "further behind"] {
        write(cx, to, value, 1).await?.ok()?;
    }
    let mut leader = cx.leader(to).await?;
    for offset in *mark..=end + 2 {
        let body = leader.ask(cx.fetch(to, offset)?).await?.expect_ok()?;
        expect_offsets(&body, to, &[])?;
        body.expect_number("responses[0].partitions[0].high_watermark", *mark)?;
    }
    let past = leader.ask(cx.fetch(to, end + 3)?).await?;
    past.expect_error_at(ERROR, OffsetOutOfRange)
}
