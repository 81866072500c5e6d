//! The recordings of Apache Kafka that are part of this program, so that it has something to judge anywhere.

use std::path::Path;

use kconform_harness::recording::{self, Head, Recorded, RecordingError};

/// The files of a recording, a family each.
pub(crate) type Files = Vec<(Head, Vec<Recorded>)>;

/// A release, and its recorded families: file name and content.
type Release = (&'static str, &'static [(&'static str, &'static [u8])]);

macro_rules! release {
    ($release:literal: $($family:literal)*) => {
        ($release, &[$((
            concat!($family, ".zst"),
            include_bytes!(concat!("../../../fixtures/recordings/", $release, "/", $family, ".zst")),
        )),*])
    };
}

/// Oldest first.
const RELEASES: &[Release] = &[
    release!("3.9.2": "authorization" "batches" "batches.mortal-alone" "batches.three-nodes" "commits" "commits.mortal-alone" "fetch" "fetch.small-requests" "fetch.three-nodes" "groups" "metadata" "metadata.dead-broker" "metadata.locked-topics" "metadata.three-nodes" "offsets" "offsets.three-nodes" "produce" "produce.mortal" "produce.three-nodes" "properties" "security" "topics" "topics.locked-topics" "topics.three-nodes" "transactions" "transactions.mortal" "transactions.mortal-alone" "transactions.old-transactions" "transactions.three-nodes" "wire" "wire.small-requests" "wire.three-nodes"),
    release!("4.4.0": "authorization" "batches" "batches.mortal-alone" "batches.three-nodes" "commits" "commits.mortal-alone" "fetch" "fetch.small-requests" "fetch.three-nodes" "groups" "metadata" "metadata.dead-broker" "metadata.locked-topics" "metadata.three-nodes" "offsets" "offsets.three-nodes" "produce" "produce.mortal" "produce.three-nodes" "properties" "security" "topics" "topics.locked-topics" "topics.three-nodes" "transactions" "transactions.mortal" "transactions.mortal-alone" "transactions.old-transactions" "transactions.three-nodes" "wire" "wire.small-requests" "wire.three-nodes"),
];

/// The newest release of which there is a recording.
pub(crate) fn newest() -> &'static str {
    RELEASES.last().map_or("", |(release, _)| release)
}

/// The releases of which there is a recording.
pub(crate) fn releases() -> impl Iterator<Item = &'static str> {
    RELEASES.iter().map(|(release, _)| *release)
}

/// The recording of a release, or of the newest of a line; `None` if there is none.
pub(crate) fn read(wanted: &str) -> Option<Result<Files, RecordingError>> {
    let of_line = |release: &str| {
        release.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let (_, families) = RELEASES.iter().rev().find(|(release, _)| of_line(release))?;
    Some(
        families
            .iter()
            .map(|(name, bytes)| recording::read_bytes(Path::new(name), bytes))
            .collect(),
    )
}
