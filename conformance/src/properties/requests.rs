//! Valid requests of the data APIs, drawn field by field: Produce (0), Fetch (1), ListOffsets (2), Metadata (3),
//! OffsetCommit (8), OffsetFetch (9), DeleteRecords (21) and OffsetForLeaderEpoch (23).
//!
//! Every answer is walked strictly, and its error codes must be those that the request can cause. Not covered: acks 0,
//! replica ids, and names that would create topics.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::Value;

use super::request::{default, each, item, named, strange_id, topics, with};

scenarios![
    any_produce_is_answered,
    any_fetch_is_answered,
    any_list_offsets_is_answered,
    any_offset_for_leader_epoch_is_answered,
    any_metadata_is_answered,
    any_delete_records_is_answered,
    any_offset_commit_is_answered,
    any_offset_fetch_is_answered,
];

/// First versions of Metadata that can ask not to create topics, and that can ask by id alone.
const FIRST_WITHOUT_CREATION: i16 = 4;
const FIRST_BY_ID: i16 = 12;
/// First version of OffsetFetch that can ask for everything of a group.
const FIRST_FOR_ALL: i16 = 2;
/// First version of Fetch with sessions (KIP-227).
const FIRST_WITH_SESSIONS: i16 = 7;

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = Produce, versions = 3.., vary = ["seed_6"])]
async fn any_produce_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[], |cx, at, drawn| {
        let records = requests::records(cx.version(), &[&drawn.text, "more"], cx.wall_ms());
        let topics = topics(cx, at, drawn, ("topic_data", "partition_data"), || {
            vec![("records", Value::Bytes(records.clone()))]
        })?;
        let acks: i16 = if drawn.flags[0] { 1 } else { -1 };
        let wait = 1_000 + drawn.wait;
        with(cx, vec![("acks", acks.into()), ("timeout_ms", wait.into()), ("topic_data", topics)])
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = Fetch, vary = ["seed_6"])]
async fn any_fetch_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[1, 74, 75], |cx, at, drawn| {
        let topics = topics(cx, at, drawn, ("topics", "partitions"), || {
            vec![
                ("fetch_offset", drawn.offset.into()),
                ("current_leader_epoch", drawn.epoch.into()),
                ("last_fetched_epoch", (-1_i32).into()),
                ("log_start_offset", (-1_i64).into()),
                ("partition_max_bytes", drawn.bytes.into()),
            ]
        })?;
        let [committed, session, other] = drawn.flags;
        let session = session && cx.version() >= FIRST_WITH_SESSIONS;
        let mut fields = vec![
            ("max_wait_ms", drawn.wait.into()),
            ("min_bytes", i32::from(other).into()),
            ("max_bytes", drawn.bytes.max(1).into()),
            ("isolation_level", i8::from(committed).into()),
            ("session_epoch", if session { 0_i32 } else { -1 }.into()),
            ("rack_id", drawn.text.clone().into()),
            ("topics", topics),
        ];
        // A consumer, never a replica; from version 15 on that is the default of a tagged field.
        fields.push(("replica_id", (-1_i32).into()));
        with(cx, fields)
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = ListOffsets, vary = ["seed_6"])]
async fn any_list_offsets_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[74, 75], |cx, at, drawn| {
        let timestamp = if drawn.flags[1] { drawn.offset } else { -1 - (drawn.offset & 1) };
        let topics = topics(cx, at, drawn, ("topics", "partitions"), || {
            vec![
                ("timestamp", timestamp.into()),
                ("current_leader_epoch", drawn.epoch.into()),
                ("max_num_offsets", (drawn.wait + 1).into()),
            ]
        })?;
        let committed = i8::from(drawn.flags[0]);
        with(
            cx,
            vec![
                ("replica_id", (-1_i32).into()),
                ("isolation_level", committed.into()),
                ("timeout_ms", (1_000 + drawn.wait).into()),
                ("topics", topics),
            ],
        )
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = OffsetForLeaderEpoch, vary = ["seed_6"])]
async fn any_offset_for_leader_epoch_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[74, 75], |cx, at, drawn| {
        let topics = topics(cx, at, drawn, ("topics", "partitions"), || {
            vec![("current_leader_epoch", drawn.epoch.into()), ("leader_epoch", drawn.wait.into())]
        })?;
        with(cx, vec![("replica_id", (-1_i32).into()), ("topics", topics)])
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = Metadata, vary = ["seed_6"])]
async fn any_metadata_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[], |cx, at, drawn| {
        let mut topics = Vec::new();
        let mut add = |name: Option<String>, id: Option<[u8; 16]>| {
            let name = name.map_or(Value::Null, Value::from);
            let id = Value::Uuid(id.unwrap_or_default());
            topics.push(item(cx, "topics", vec![("name", name), ("topic_id", id)])?);
            Ok::<(), Failure>(())
        };
        let by_id = cx.version() >= FIRST_BY_ID && drawn.flags[0] && !at.log.topic_id.is_nil();
        // In old versions a name that nobody has would create a topic, and no name at all asks for every topic.
        let strange = drawn.strange_topic.filter(|_| cx.version() >= FIRST_WITHOUT_CREATION);
        if drawn.here || strange.is_none() {
            if by_id {
                add(None, Some(*at.log.topic_id.as_bytes()))?;
            } else {
                add(Some(at.log.topic.clone()), None)?;
            }
        }
        if let Some(id) = strange {
            if by_id {
                add(None, Some(strange_id(id)))?
            } else {
                add(Some(cx.name("absent")), None)?
            }
        }
        let [_, cluster, rights] = drawn.flags;
        with(
            cx,
            vec![
                ("topics", Value::Array(topics)),
                ("allow_auto_topic_creation", false.into()),
                ("include_cluster_authorized_operations", cluster.into()),
                ("include_topic_authorized_operations", rights.into()),
            ],
        )
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = DeleteRecords, vary = ["seed_6"])]
async fn any_delete_records_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[1], |cx, at, drawn| {
        let topics = topics(cx, at, drawn, ("topics", "partitions"), || {
            vec![("offset", drawn.offset.into())]
        })?;
        with(cx, vec![("topics", topics), ("timeout_ms", (5_000 + drawn.wait).into())])
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = OffsetCommit, versions = 1.., vary = ["seed_6"])]
async fn any_offset_commit_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[], |cx, at, drawn| {
        let metadata = if drawn.flags[0] { Value::Null } else { drawn.text.clone().into() };
        let topics = topics(cx, at, drawn, ("topics", "partitions"), || {
            vec![
                ("committed_offset", drawn.offset.max(0).into()),
                ("committed_leader_epoch", drawn.epoch.into()),
                ("committed_metadata", metadata.clone()),
            ]
        })?;
        with(cx, vec![("group_id", at.group.clone().into()), ("topics", topics)])
    })
    .await
}

/// Any valid request of Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata, DeleteRecords,
/// OffsetCommit or OffsetFetch gets a well-formed answer, in which nothing has an error code but
/// what was asked for amiss: OFFSET_OUT_OF_RANGE (1) for an offset, UNKNOWN_TOPIC_OR_PARTITION (3)
/// or UNKNOWN_TOPIC_ID (100) for what does not exist, FENCED_LEADER_EPOCH (74) or
/// UNKNOWN_LEADER_EPOCH (75) for an epoch.
#[scenario("PROP-005", api = OffsetFetch, versions = 1.., vary = ["seed_6"])]
async fn any_offset_fetch_is_answered(cx: &mut Cx) -> Outcome {
    each(cx, &[], |cx, at, drawn| {
        let [all, stable, _] = drawn.flags;
        let groups = default(cx)?.at("groups").is_ok();
        let array = if groups { "groups.topics" } else { "topics" };
        let topics = if all && cx.version() >= FIRST_FOR_ALL {
            Value::Null
        } else {
            let named = named(cx, at, drawn);
            let topic = |(name, id, indices): (String, [u8; 16], Vec<i32>)| {
                let indices = indices.into_iter().map(Value::from).collect();
                let fields = vec![
                    ("name", name.into()),
                    ("topic_id", Value::Uuid(id)),
                    ("partition_indexes", Value::Array(indices)),
                ];
                item(cx, array, fields)
            };
            Value::Array(named.into_iter().map(topic).collect::<Result<_, _>>()?)
        };
        let group = || vec![("group_id", at.group.clone().into()), ("topics", topics.clone())];
        let fields = if groups {
            vec![("groups", Value::Array(vec![item(cx, "groups", group())?]))]
        } else {
            group()
        };
        with(cx, [fields, vec![("require_stable", stable.into())]].concat())
    })
    .await
}
