//! What the scenarios of this family share: the user without rights, and the moment from which a right counts.

use kafka_protocol::protocol::{Decodable, Request};
use kconform_scenario::prelude::*;
use kconform_scenario::wire::schema::{Struct, Value};
use kconform_scenario::{COORDINATOR_ON_ITS_WAY, Tries};
use uuid::Uuid;

/// A user in a session of its own.
pub(crate) struct Somebody {
    /// The name; the principal is `User:` and it.
    pub(crate) name: String,
    /// A connection that is logged in.
    pub(crate) conn: Conn,
}

/// The user without rights. All cases share it: grant it nothing but rights on names of the case's own.
pub(crate) async fn unprivileged(cx: &Cx) -> Result<Somebody, Failure> {
    let role = Role::Unprivileged;
    let (name, _) = cx.credentials(role)?;
    let conn = cx.log_in(Listener::SaslPlaintext, role, Mechanism::Plain).await?;
    Ok(Somebody { name, conn })
}

/// Patience for a right to be seen by the broker that is asked.
pub(crate) fn until_seen(cx: &Cx) -> Tries {
    cx.tries("the change of rights to be seen", Duration::from_secs(15))
}

/// The act after a grant: asks until the answer says this refusal no more, nor that a coordinator is on its way.
pub(crate) async fn expect_past<R>(
    cx: &Cx,
    conn: &mut Conn,
    request: &R,
    refusal: ResponseError,
) -> Result<Reply<R::Response>, Failure>
where
    R: Request + Decodable + PartialEq + Clone,
{
    let mut tries = until_seen(cx);
    loop {
        let reply = conn.ask(request.clone()).await?;
        match not_yet(&reply, refusal)? {
            Some(last) => tries.expect(last).await?,
            None => return Ok(reply),
        }
    }
}

/// Like [`expect_past`], for a request that the typed messages lack, of the case's own API and version.
pub(crate) async fn expect_past_value(
    cx: &Cx,
    conn: &mut Conn,
    request: &Value,
    refusal: ResponseError,
) -> Result<Reply<()>, Failure> {
    let mut tries = until_seen(cx);
    loop {
        let reply = conn.ask_value(cx.key(), cx.version(), request).await?;
        match not_yet(&reply, refusal)? {
            Some(last) => tries.expect(last).await?,
            None => return Ok(reply),
        }
    }
}

/// The refusal, or that a coordinator is on its way, where the answer says so.
fn not_yet<B>(reply: &Reply<B>, refusal: ResponseError) -> Result<Option<String>, Failure> {
    let again = |code: &Code| *code == Code::from(refusal) || COORDINATOR_ON_ITS_WAY.contains(code);
    let found = reply.errors()?.into_iter().find(|(_, code)| again(code));
    Ok(found.map(|(path, code)| format!("{path} = {code}")))
}

/// A topic as OffsetCommit and its kin name it, with one partition of these fields; by id from this version on.
pub(crate) fn named(cx: &Cx, of: &Partition, ids_from: i16, partition: Struct) -> Value {
    let partition = Value::Struct(partition.with("partition_index", of.index));
    let topic = Struct::new().with("partitions", vec![partition]);
    Value::Struct(if cx.version() < ids_from {
        topic.with("name", of.topic.as_str())
    } else {
        topic.with("topic_id", Value::Uuid(*of.topic_id.as_bytes()))
    })
}

/// A topic of this name that does not exist, under an id that no topic has.
pub(crate) fn missing(cx: &Cx) -> Partition {
    let id = u128::from_str_radix(&cx.nonce(), 16).unwrap_or(1);
    Partition { topic: cx.name("missing"), topic_id: Uuid::from_u128(id), index: 0, leader: -1 }
}
