//! Requests of any API and version, field by field out of the tables of the protocol: what `requests.rs` is made with.

use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{self, Direction, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use super::for_all::for_all;
use crate::groups::members::coordinator;

/// What a request is made of; each API takes what it has a field for.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Names the partition that exists.
    pub(super) here: bool,
    /// Names an index that the topic does not have.
    pub(super) strange_index: Option<i32>,
    /// Names a topic that does not exist.
    pub(super) strange_topic: Option<u64>,
    /// An offset, or what stands for one.
    pub(super) offset: i64,
    /// A leader epoch, -1 for none.
    pub(super) epoch: i32,
    /// A limit in bytes.
    pub(super) bytes: i32,
    /// A time to wait, milliseconds.
    pub(super) wait: i32,
    /// Whatever can be on or off.
    pub(super) flags: [bool; 3],
    /// A few letters.
    pub(super) text: String,
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let offset = prop_oneof![6 => -1..6_i64, 1 => 0..=i64::MAX];
    let index = prop_oneof![2 => Just(None), 1 => (1000..=i32::MAX).prop_map(Some)];
    let topic = prop_oneof![2 => Just(None), 1 => (1..=u64::MAX).prop_map(Some)];
    let places = (prop_oneof![1 => Just(false), 4 => Just(true)], index, topic);
    let bytes = prop_oneof![0..200_i32, Just(1 << 20), Just(i32::MAX)];
    let numbers = (offset, -1..4_i32, bytes, 0..20_i32);
    let one = (places, numbers, any::<[bool; 3]>(), "[a-z0-9]{0,12}").prop_map(
        |((here, strange_index, strange_topic), (offset, epoch, bytes, wait), flags, text)| Drawn {
            here,
            strange_index,
            strange_topic,
            offset,
            epoch,
            bytes,
            wait,
            flags,
            text,
        },
    );
    vec(one, 1..4)
}

/// What exists, and may be asked for.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) log: Partition,
    pub(super) group: String,
}

/// A field and its value.
type Field = (&'static str, Value);

/// Asks what `request` makes of each drawn value, one after the other. The log has two records, except for the APIs
/// of groups. Only these codes may be in an answer, and those for what does not exist where such was asked for.
pub(super) async fn each(
    cx: &Cx,
    codes: &[i16],
    request: impl Fn(&Cx, &Place, &Drawn) -> Result<Value, Failure>,
) -> Outcome {
    let of_group = [keys::OffsetCommit, keys::OffsetFetch].contains(&cx.key());
    for_all(cx, drawn(), async |drawn| {
        let at = Place { log: cx.partition().await?, group: cx.group() };
        let mut conn = if of_group {
            coordinator(cx, &at.group).await?
        } else {
            cx.write(&at.log, &["one", "two"]).await?;
            cx.leader(&at.log).await?
        };
        for drawn in drawn {
            let value = request(cx, &at, drawn)?;
            let reply = conn.ask_value(cx.key(), cx.version(), &value).await?;
            let body = reply.clone().expect_answer()?;
            let strange = drawn.strange_index.is_some() || drawn.strange_topic.is_some();
            for (path, code) in reply.errors()? {
                let caused = code == Code::NONE
                    || codes.contains(&code.0)
                    || (strange && [3, 100].contains(&code.0));
                let expected = format!("{path} that the request can cause");
                body.require(caused, expected, || code.to_string())?;
            }
        }
        Ok(())
    })
    .await
}

/// The request of the case's API and version at its defaults.
pub(super) fn default(cx: &Cx) -> Result<Value, Failure> {
    schema::default_value(cx.key(), cx.version(), Direction::Request)
        .ok_or_else(|| Failure::error("the tables lack the case's version"))
}

/// The request of the case's API and version with these fields, as far as the version has them.
pub(super) fn with(cx: &Cx, fields: Vec<Field>) -> Result<Value, Failure> {
    filled(default(cx)?, fields)
}

/// An item of the array at this path, with these fields as far as the version has them.
pub(super) fn item(cx: &Cx, path: &str, fields: Vec<Field>) -> Result<Value, Failure> {
    let item = schema::default_item(cx.key(), cx.version(), Direction::Request, path);
    filled(item.ok_or_else(|| Failure::error(format!("no array {path}")))?, fields)
}

fn filled(mut value: Value, fields: Vec<Field>) -> Result<Value, Failure> {
    for (name, field) in fields {
        if value.at(name).is_ok() {
            value.set(name, field).map_err(|error| Failure::error(error.to_string()))?;
        }
    }
    Ok(value)
}

/// Name, id and partition indices of each topic that is asked for; never nothing.
pub(super) fn named(cx: &Cx, at: &Place, drawn: &Drawn) -> Vec<(String, [u8; 16], Vec<i32>)> {
    let nothing_else = drawn.strange_index.is_none() && drawn.strange_topic.is_none();
    let here = (drawn.here || nothing_else).then_some(at.log.index);
    let mut named = Vec::new();
    let indices: Vec<i32> = here.into_iter().chain(drawn.strange_index).collect();
    if !indices.is_empty() {
        named.push((at.log.topic.clone(), *at.log.topic_id.as_bytes(), indices));
    }
    if let Some(id) = drawn.strange_topic {
        named.push((cx.name("absent"), strange_id(id), vec![0]));
    }
    named
}

/// The array of topics, each with its partitions, which have these further fields.
pub(super) fn topics(
    cx: &Cx,
    at: &Place,
    drawn: &Drawn,
    (topics, partitions): (&'static str, &'static str),
    further: impl Fn() -> Vec<Field>,
) -> Result<Value, Failure> {
    let partition = |index: i32| {
        // Each API has a name of its own for it, and none has two of them.
        let names = ["index", "partition", "partition_index"];
        let fields = names.map(|name| (name, index.into())).into_iter().chain(further());
        item(cx, &format!("{topics}.{partitions}"), fields.collect())
    };
    let topic = |(name, id, indices): (String, [u8; 16], Vec<i32>)| {
        let inner = indices.into_iter().map(partition).collect::<Result<_, _>>()?;
        let fields = vec![
            ("name", name.clone().into()),
            ("topic", name.into()),
            ("topic_id", Value::Uuid(id)),
            (partitions, Value::Array(inner)),
        ];
        item(cx, topics, fields)
    };
    let topics = named(cx, at, drawn).into_iter().map(topic).collect::<Result<_, _>>()?;
    Ok(Value::Array(topics))
}

/// The id of a topic that nobody made; never one of the reserved ones.
pub(super) fn strange_id(id: u64) -> [u8; 16] {
    (u128::from(id) << 64 | 0xfeed).to_be_bytes()
}
