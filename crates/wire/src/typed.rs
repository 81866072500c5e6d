//! Typed messages in every version: kafka-protocol's where it knows the version, lifted or lowered through a
//! dynamic value where it does not. Nothing is lost in silence.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Message, Request, VersionRange};
use kconform_schema::{self as schema, Direction};

/// A typed message that cannot be said in the wanted version, or an answer that cannot be read as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable {
    /// What could not be said, naming API, version and field where known.
    pub what: String,
}

impl std::fmt::Display for Unsayable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Unsayable {}

/// The body of a request in this version. A set field that the version cannot carry is an error unless its
/// snake-case name is in `may_lose`.
pub fn request_body<R>(request: &R, version: i16, may_lose: &[&str]) -> Result<Bytes, Unsayable>
where
    R: Request + Decodable + PartialEq,
{
    let typed = nearest(R::VERSIONS, version);
    let mut bytes = BytesMut::new();
    request.encode(&mut bytes, typed).map_err(|e| unsayable(R::KEY, typed, &e.to_string()))?;
    let bytes = bytes.freeze();
    let body = if typed == version {
        bytes.clone()
    } else {
        let value = schema::decode(R::KEY, typed, Direction::Request, &bytes)
            .map_err(|e| unsayable(R::KEY, typed, &e.to_string()))?;
        let value = schema::cross(R::KEY, Direction::Request, &value, typed, version, may_lose)
            .map_err(|e| unsayable(R::KEY, version, &e.to_string()))?;
        schema::encode(R::KEY, version, Direction::Request, &value)
            .map_err(|e| unsayable(R::KEY, version, &e.to_string()))?
            .into()
    };
    // kafka-protocol drops what the version lacks without a word, so what was written is read back.
    if may_lose.is_empty() {
        let back = R::decode(&mut bytes.clone(), typed)
            .map_err(|e| unsayable(R::KEY, typed, &e.to_string()))?;
        if back != *request {
            let what = "a field is set that this version cannot carry";
            return Err(unsayable(R::KEY, typed, what));
        }
    }
    Ok(body)
}

/// The typed form of a well-formed body of this version.
pub fn response<B>(key: i16, version: i16, body: &Bytes) -> Result<B, Unsayable>
where
    B: Message + Decodable,
{
    let typed = nearest(B::VERSIONS, version);
    let bytes = if typed == version {
        body.clone()
    } else {
        let value = schema::decode(key, version, Direction::Response, body)
            .map_err(|e| unsayable(key, version, &e.to_string()))?;
        let all = &["*"];
        let value = schema::cross(key, Direction::Response, &value, version, typed, all)
            .map_err(|e| unsayable(key, version, &e.to_string()))?;
        schema::encode(key, typed, Direction::Response, &value)
            .map_err(|e| unsayable(key, typed, &e.to_string()))?
            .into()
    };
    B::decode(&mut bytes.clone(), typed).map_err(|e| unsayable(key, typed, &e.to_string()))
}

fn nearest(range: VersionRange, version: i16) -> i16 {
    version.clamp(range.min, range.max)
}

fn unsayable(key: i16, version: i16, why: &str) -> Unsayable {
    let name = schema::api(key).map_or("unknown API", |api| api.name());
    Unsayable { what: format!("{name} v{version}: {why}") }
}
