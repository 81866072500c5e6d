//! OffsetCommit and OffsetFetch in every version they have: built from the tables of the protocol,
//! since the typed messages know neither the oldest versions nor topic ids.

use kconform_scenario::Body;
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};

use crate::groups::members::Member;

/// First version of OffsetCommit that names generation and member; version 0 wrote to ZooKeeper.
const MEMBERS: i16 = 1;

/// First version of OffsetCommit with a leader epoch (KIP-320).
pub(crate) const LEADER_EPOCHS: i16 = 6;

/// First version of OffsetCommit with an instance id (KIP-345).
const INSTANCES: i16 = 7;

/// First version of OffsetCommit and of OffsetFetch that names topics by id (KIP-848).
pub(crate) const TOPIC_IDS: i16 = 10;

/// First version of OffsetFetch whose error of the group stands at the top.
pub(crate) const GROUP_ERROR: i16 = 2;

/// First version of OffsetFetch that asks for several groups (KIP-709).
pub(crate) const MANY_GROUPS: i16 = 8;

/// An OffsetCommit to be: by nobody in particular (generation -1, no member id) unless it says otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    group: String,
    generation: i32,
    member: String,
    instance: Option<String>,
    offsets: Vec<Offset>,
}

/// An offset to be stored.
#[derive(Clone, Debug)]
struct Offset {
    partition: Partition,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<String>,
}

impl Commit {
    /// To this group, by a client that is no member of it.
    pub(crate) fn to(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            generation: -1,
            member: String::new(),
            instance: None,
            offsets: Vec::new(),
        }
    }

    /// By this member, in its generation.
    pub(crate) fn by(member: &Member) -> Self {
        let instance = member.joined.group_instance_id.as_ref().map(ToString::to_string);
        Self {
            instance,
            ..Self::to(&member.group).member(&member.id).generation(member.generation)
        }
    }

    /// Sets the member id.
    pub(crate) fn member(mut self, id: &str) -> Self {
        id.clone_into(&mut self.member);
        self
    }

    /// Sets the generation.
    pub(crate) fn generation(mut self, generation: i32) -> Self {
        self.generation = generation;
        self
    }

    /// Sets the instance id.
    pub(crate) fn instance(mut self, instance: &str) -> Self {
        self.instance = Some(instance.to_owned());
        self
    }

    /// Adds an offset, with the metadata "".
    pub(crate) fn offset(self, partition: &Partition, offset: i64) -> Self {
        self.entry(partition, offset, -1, Some(""))
    }

    /// Adds an offset with leader epoch (-1 for none; only from version 6 on) and metadata.
    pub(crate) fn entry(
        mut self,
        partition: &Partition,
        offset: i64,
        leader_epoch: i32,
        metadata: Option<&str>,
    ) -> Self {
        let metadata = metadata.map(str::to_owned);
        self.offsets.push(Offset { partition: partition.clone(), offset, leader_epoch, metadata });
        self
    }

    /// Sends it in the version at which OffsetCommit goes in this case.
    pub(crate) async fn ask(&self, cx: &Cx, conn: &mut Conn) -> Result<Reply<()>, Failure> {
        let version = cx.version_of(keys::OffsetCommit)?;
        conn.ask_value(keys::OffsetCommit, version, &self.value(version)).await
    }

    /// What a version cannot carry is left in, so that the writer refuses it; version 0 alone has no member by nature.
    fn value(&self, version: i16) -> Value {
        let topics = topics(
            &self.offsets,
            version,
            |entry| &entry.partition,
            |entry| {
                let value = Struct::new()
                    .with("partition_index", entry.partition.index)
                    .with("committed_offset", entry.offset);
                let value = if entry.leader_epoch == -1 && version < LEADER_EPOCHS {
                    value
                } else {
                    value.with("committed_leader_epoch", entry.leader_epoch)
                };
                value.with("committed_metadata", entry.metadata.clone()).into()
            },
        );
        let mut value = Struct::new()
            .with("group_id", self.group.clone())
            .with("topics", with_partitions(topics));
        if version >= MEMBERS || self.generation != -1 || !self.member.is_empty() {
            value = value
                .with("generation_id_or_member_epoch", self.generation)
                .with("member_id", self.member.clone());
        }
        if version >= INSTANCES || self.instance.is_some() {
            value = value.with("group_instance_id", self.instance.clone());
        }
        value.into()
    }
}

/// An OffsetFetch to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// Groups, each with the partitions that are asked for; `None` is all that have an offset.
    groups: Vec<(String, Option<Vec<Partition>>)>,
    stable: bool,
}

impl Lookup {
    /// The offsets of these partitions.
    pub(crate) fn of(group: &str, partitions: &[&Partition]) -> Self {
        Self::default().and(group, partitions)
    }

    /// Every offset of the group; from version 2 on.
    pub(crate) fn all(group: &str) -> Self {
        Self::default().and_all(group)
    }

    /// Another group; from version 8 on.
    pub(crate) fn and(mut self, group: &str, partitions: &[&Partition]) -> Self {
        let partitions = partitions.iter().map(|partition| (*partition).clone()).collect();
        self.groups.push((group.to_owned(), Some(partitions)));
        self
    }

    /// Every offset of another group; from version 8 on.
    pub(crate) fn and_all(mut self, group: &str) -> Self {
        self.groups.push((group.to_owned(), None));
        self
    }

    /// Only offsets on which no transaction is open (KIP-447); from version 7 on.
    pub(crate) fn stable(mut self) -> Self {
        self.stable = true;
        self
    }

    /// Sends it in the version at which OffsetFetch goes in this case.
    pub(crate) async fn ask(&self, cx: &Cx, conn: &mut Conn) -> Result<Reply<()>, Failure> {
        self.ask_at(cx.version_of(keys::OffsetFetch)?, conn).await
    }

    /// Sends it in this version.
    pub(crate) async fn ask_at(&self, version: i16, conn: &mut Conn) -> Result<Reply<()>, Failure> {
        conn.ask_value(keys::OffsetFetch, version, &self.value(version)?).await
    }

    fn value(&self, version: i16) -> Result<Value, Failure> {
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|(group, partitions)| {
                let topics = match partitions {
                    None => Value::Null,
                    Some(partitions) => {
                        let listed = topics(partitions, version, |one| one, |one| one.index.into());
                        listed
                            .into_iter()
                            .map(|(topic, indices)| topic.with("partition_indexes", indices).into())
                            .collect::<Vec<Value>>()
                            .into()
                    }
                };
                Struct::new().with("group_id", group.clone()).with("topics", topics).into()
            })
            .collect();
        let value = if version >= MANY_GROUPS {
            Struct::new().with("groups", groups)
        } else {
            let mut groups = groups.into_iter();
            match (groups.next(), groups.next()) {
                (Some(Value::Struct(only)), None) => only,
                _ => return Err(Failure::error("this version of OffsetFetch asks for one group")),
            }
        };
        Ok(if self.stable { value.with("require_stable", true) } else { value }.into())
    }
}

/// Entries under their topics, both in the order given.
fn topics<E>(
    entries: &[E],
    version: i16,
    partition: impl Fn(&E) -> &Partition,
    value: impl Fn(&E) -> Value,
) -> Vec<(Struct, Vec<Value>)> {
    let mut topics: Vec<(&Partition, Struct, Vec<Value>)> = Vec::new();
    for entry in entries {
        let of = partition(entry);
        match topics.iter_mut().find(|(known, ..)| known.topic == of.topic) {
            Some((.., values)) => values.push(value(entry)),
            None => {
                let named = if version >= TOPIC_IDS {
                    Struct::new().with("topic_id", Value::Uuid(*of.topic_id.as_bytes()))
                } else {
                    Struct::new().with("name", of.topic.clone())
                };
                topics.push((of, named, vec![value(entry)]));
            }
        }
    }
    topics.into_iter().map(|(_, topic, values)| (topic, values)).collect()
}

fn with_partitions(topics: Vec<(Struct, Vec<Value>)>) -> Vec<Value> {
    topics.into_iter().map(|(topic, values)| topic.with("partitions", values).into()).collect()
}

/// What OffsetFetch says of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The offset; -1 for none.
    pub(crate) offset: i64,
    /// Leader epoch, -1 for none; `None` where the version has none (below 5).
    pub(crate) leader_epoch: Option<i64>,
    /// The metadata; `None` is null.
    pub(crate) metadata: Option<String>,
    /// Error of the partition.
    pub(crate) error: Code,
}

impl Stored {
    /// The act: this offset is stored; -1 is none.
    #[track_caller]
    pub(crate) fn expect_offset(&self, offset: i64) -> Outcome {
        let expected =
            if offset == -1 { "no offset".to_owned() } else { format!("offset {offset}") };
        require(self.offset == offset, &expected, || format!("{self:?}"))
    }

    /// No offset is stored, and that is no error.
    pub(crate) fn nothing(version: i16) -> Self {
        Self::at(version, -1, -1, "")
    }

    /// This offset, leader epoch and metadata, as far as the version shows them.
    pub(crate) fn at(version: i16, offset: i64, leader_epoch: i64, metadata: &str) -> Self {
        Self {
            offset,
            leader_epoch: (version >= 5).then_some(leader_epoch),
            metadata: Some(metadata.to_owned()),
            error: Code::NONE,
        }
    }

    /// The same with an error.
    pub(crate) fn refused(self, error: impl Into<Code>) -> Self {
        Self { error: error.into(), ..self }
    }
}

/// Path of the group's own part in an answer of this version.
pub(crate) fn group_path(version: i16, index: usize) -> String {
    if version >= MANY_GROUPS { format!("groups[{index}].") } else { String::new() }
}

/// What an OffsetFetch answer of this version says of a partition, in its group with this index.
pub(crate) fn stored(
    body: &Body<()>,
    version: i16,
    index: usize,
    of: &Partition,
) -> Result<Option<Stored>, Failure> {
    let topics = body.at(&format!("{}topics", group_path(version, index)))?;
    let field = |value: &Value, path: &str| value.at(path).ok().cloned();
    for topic in topics.as_array().unwrap_or_default() {
        let same = if version >= TOPIC_IDS {
            field(topic, "topic_id") == Some(Value::Uuid(*of.topic_id.as_bytes()))
        } else {
            field(topic, "name") == Some(Value::from(of.topic.clone()))
        };
        let partitions = field(topic, "partitions");
        for found in partitions.as_ref().and_then(Value::as_array).unwrap_or_default() {
            let number = |path| field(found, path).and_then(|value| value.as_int());
            if same && number("partition_index") == Some(of.index.into()) {
                let error = number("error_code").and_then(|code| i16::try_from(code).ok());
                return Ok(Some(Stored {
                    offset: number("committed_offset").unwrap_or(i64::MIN),
                    leader_epoch: number("committed_leader_epoch"),
                    metadata: field(found, "metadata")
                        .and_then(|value| value.as_str().map(str::to_owned)),
                    error: Code(error.unwrap_or(i16::MIN)),
                }));
            }
        }
    }
    Ok(None)
}

/// What the group has stored for this partition, asked in the version at which OffsetFetch goes in this case.
pub(crate) async fn committed(
    cx: &Cx,
    conn: &mut Conn,
    group: &str,
    of: &Partition,
) -> Result<Stored, Failure> {
    let version = cx.version_of(keys::OffsetFetch)?;
    let body = Lookup::of(group, &[of]).ask(cx, conn).await?.answered()?;
    let code = if version >= GROUP_ERROR {
        body.at(&format!("{}error_code", group_path(version, 0)))?.as_int()
    } else {
        Some(0)
    };
    match stored(&body, version, 0, of)? {
        Some(stored) if code == Some(0) => Ok(stored),
        _ => {
            Err(Failure::blocked("an offset or none", format!("error code {code:?} of the group")))
        }
    }
}

/// A partition of a topic that does not exist.
pub(crate) fn ghost(cx: &Cx) -> Partition {
    let topic = cx.name("ghost");
    // Topic ids of brokers are random (version 4); this one is not.
    let mut id = [0xAB; 16];
    for (byte, letter) in id.iter_mut().zip(topic.bytes().rev()) {
        *byte ^= letter;
    }
    Partition { topic, topic_id: uuid::Uuid::from_bytes(id), index: 0, leader: -1 }
}
