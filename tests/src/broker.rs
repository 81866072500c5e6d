//! The broker: a listener, a thread a connection, and the lie at its place.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use kconform_schema::primitives::Reader;
use kconform_schema::{self as schema, Direction, Value};

use crate::answers::{self, ADVERTISED};
use crate::lie::{Lie, Script};
use crate::login::{Login, Step};
use crate::store::Store;

/// A broker on a free port of 127.0.0.1; dropping it ends it.
pub struct ScriptedBroker {
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    script: Option<Script>,
    /// The newest version of Metadata that is served although a lower one is advertised.
    metadata: i16,
    /// Who may log in, where a login is wanted.
    login: Option<Login>,
    told: Mutex<(usize, usize)>,
    store: Mutex<Store>,
    /// Open connections by the address of their client, to be cut.
    open: Mutex<BTreeMap<SocketAddr, TcpStream>>,
    ended: AtomicBool,
    down: AtomicBool,
}

impl ScriptedBroker {
    /// An honest broker.
    pub fn honest() -> Self {
        Self::start(None, 0, None)
    }

    /// A broker that serves Metadata to this version and advertises it to 12.
    pub fn serving_unadvertised(version: i16) -> Self {
        Self::start(None, version, None)
    }

    /// A broker that lies where the script says.
    pub fn lying(script: Script) -> Self {
        Self::start(Some(script), 0, None)
    }

    /// A broker that serves nobody but this user, who logs in with PLAIN.
    pub fn wanting_login(user: &str, password: &str) -> Self {
        Self::start(None, 0, Some(Login::of(user, password)))
    }

    fn start(script: Option<Script>, metadata: i16, login: Option<Login>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            script,
            metadata,
            login,
            told: Mutex::default(),
            store: Mutex::default(),
            open: Mutex::default(),
            ended: AtomicBool::new(false),
            down: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accept(&accepting, &listener));
        Self { shared }
    }

    /// Port of the listener.
    pub fn port(&self) -> u16 {
        self.shared.address.port()
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.shared.address.to_string()
    }

    /// How often the lie was told.
    pub fn lies_told(&self) -> usize {
        self.shared.told.lock().unwrap().1
    }

    /// Topics that exist now.
    pub fn topics(&self) -> Vec<String> {
        self.shared.store.lock().unwrap().topics.keys().cloned().collect()
    }
}

impl Drop for ScriptedBroker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.cut();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(self.shared.address);
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        // "Down" closes what it accepts: the port of a test cannot be given up and be sure to be had again.
        if shared.down.load(Ordering::SeqCst) {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let Ok(peer) = stream.peer_addr() else { continue };
        shared.open.lock().unwrap().insert(peer, stream.try_clone().unwrap());
        let shared = shared.clone();
        thread::spawn(move || {
            serve(&shared, stream);
            shared.open.lock().unwrap().remove(&peer);
        });
    }
}

fn serve(shared: &Arc<Shared>, mut stream: TcpStream) {
    let mut step = shared.login.as_ref().map_or(Step::Done, |_| Step::Handshake);
    while let Some(frame) = read_frame(&mut stream) {
        if let (Some(login), false) = (&shared.login, step == Step::Done) {
            match login.answer(&mut step, &frame) {
                Some(Some((correlation, body))) => {
                    if !send(&mut stream, correlation, false, &body) {
                        break;
                    }
                    continue;
                }
                Some(None) => break,
                // ApiVersions, which needs no login.
                None => {}
            }
        }
        if !answer(shared, &mut stream, &frame) {
            break;
        }
    }
    // A copy of the stream is kept to be cut; dropping this one would leave it open.
    let _ = stream.shutdown(Shutdown::Both);
}

fn read_frame(stream: &mut TcpStream) -> Option<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length =
        usize::try_from(i32::from_be_bytes(length)).ok().filter(|length| *length < 100 << 20)?;
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).ok()?;
    Some(frame.into())
}

/// Answers one request; false closes the connection.
fn answer(shared: &Arc<Shared>, stream: &mut TcpStream, frame: &Bytes) -> bool {
    let mut reader = Reader::new(frame);
    let (Ok(key), Ok(version), Ok(correlation)) = (reader.i16(), reader.i16(), reader.i32()) else {
        return false;
    };
    let Some(&(_, min, max)) = ADVERTISED.iter().find(|(known, _, _)| *known == key) else {
        return false;
    };
    let max = if key == 3 { max.max(shared.metadata) } else { max };
    let too_new = !(min..=max).contains(&version);
    if too_new && key != 18 {
        return false;
    }
    let api = schema::api(key).unwrap();
    if reader.nullable_string().is_err()
        || (!too_new && api.request_header_version(version) >= 2 && reader.tags().is_err())
    {
        return false;
    }
    if too_new {
        let mut value = schema::default_value(18, 0, Direction::Response).unwrap();
        value.set("error_code", Value::Int(35)).unwrap();
        let body = schema::encode(18, 0, Direction::Response, &value).unwrap();
        return send(stream, correlation, false, &body);
    }
    let body = frame.slice(reader.offset()..);
    let Ok(request) = schema::decode(key, version, Direction::Request, &body) else { return false };
    let honest = {
        let mut store = shared.store.lock().unwrap();
        answers::honest(&mut store, shared.address.port(), key, version, &request)
    };
    let lie = shared.lie(key, version);
    let header = api.response_header_version(version) >= 1;
    let Some(mut value) = honest else {
        return match lie {
            Some(Lie::AnswersTheUnanswered) => send(stream, correlation, header, &[0]),
            _ => true,
        };
    };
    match &lie {
        Some(Lie::Error(code)) => set_errors(&mut value, *code),
        Some(Lie::OneShort) => first_array(&mut value, |items| drop(items.pop())),
        Some(Lie::OneTooMany) => {
            first_array(&mut value, |items| items.extend(items.last().cloned()))
        }
        Some(Lie::ShiftedTimes) => each_records(&mut value, |records| shift_times(records)),
        Some(Lie::FirstBatchMissing) => each_records(&mut value, |records| {
            drop(records.drain(..batch_length(records)));
        }),
        Some(Lie::UnknownTag) => {
            if let Value::Struct(fields) = value {
                value = Value::Struct(fields.with_unknown(77, Bytes::from_static(b"?")));
            }
        }
        _ => {}
    }
    let mut body = schema::encode(key, version, Direction::Response, &value).unwrap();
    match lie {
        None
        | Some(
            Lie::Error(_)
            | Lie::OneShort
            | Lie::OneTooMany
            | Lie::UnknownTag
            | Lie::ShiftedTimes
            | Lie::FirstBatchMissing
            | Lie::AnswersTheUnanswered,
        ) => {}
        Some(Lie::WrongCorrelation) => {
            return send(stream, correlation.wrapping_add(1), header, &body);
        }
        Some(Lie::TrailingByte) => body.push(0),
        Some(Lie::MissingByte) => drop(body.pop()),
        Some(Lie::NullArray) => null_array(&mut body, api.is_flexible(version)),
        Some(Lie::NegativeLength) => return stream.write_all(&[0xff; 4]).is_ok(),
        Some(Lie::Http) => return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_ok(),
        Some(Lie::Late(wait)) => thread::sleep(wait),
        Some(Lie::Never) => return true,
        Some(Lie::Close) => return false,
        Some(Lie::CloseMidFrame) => {
            let _ = stream.write_all(&[0, 0, 1, 0, 0, 0]);
            return false;
        }
        Some(Lie::Die(time)) => {
            shared.die(time);
            return false;
        }
    }
    send(stream, correlation, header, &body)
}

fn send(stream: &mut TcpStream, correlation: i32, tagged_header: bool, body: &[u8]) -> bool {
    let tags = usize::from(tagged_header);
    let mut frame = i32::try_from(4 + tags + body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(correlation.to_be_bytes());
    frame.extend(std::iter::repeat_n(0, tags));
    frame.extend(body);
    stream.write_all(&frame).is_ok()
}

fn set_errors(value: &mut Value, code: i16) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_errors(item, code)),
        Value::Struct(fields) => {
            let names: Vec<&'static str> = fields.fields().map(|(name, _)| name).collect();
            for name in names {
                let Some(field) = fields.field_mut(name) else { continue };
                if name == "error_code" {
                    *field = Value::Int(code.into())
                } else {
                    set_errors(field, code)
                }
            }
        }
        _ => {}
    }
}

fn first_array(value: &mut Value, change: impl FnOnce(&mut Vec<Value>)) {
    let Value::Struct(fields) = value else { return };
    let names: Vec<&'static str> = fields.fields().map(|(name, _)| name).collect();
    for name in names {
        if let Some(Value::Array(items)) = fields.field_mut(name) {
            return change(items);
        }
    }
}

/// Changes the records of every partition of a Fetch answer that has any.
fn each_records(value: &mut Value, change: impl Fn(&mut Vec<u8>) + Copy) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_records(item, change)),
        Value::Struct(fields) => {
            for name in ["responses", "partitions"] {
                if let Some(inner) = fields.field_mut(name) {
                    each_records(inner, change);
                }
            }
            if let Some(Value::Bytes(records)) = fields.field_mut("records")
                && !records.is_empty()
            {
                let mut changed = records.to_vec();
                change(&mut changed);
                *records = changed.into();
            }
        }
        _ => {}
    }
}

/// Bytes of the first batch, or of what there is of it.
fn batch_length(records: &[u8]) -> usize {
    let length = records
        .get(8..12)
        .map_or(0, |bytes| usize::try_from(i32::from_be_bytes(bytes.try_into().unwrap())).unwrap());
    (12 + length).min(records.len())
}

/// Moves base and largest timestamp of the first batch and puts its checksum right.
fn shift_times(records: &mut [u8]) {
    let end = batch_length(records);
    if end < 61 {
        return;
    }
    for at in [27, 35] {
        let field: &mut [u8; 8] = (&mut records[at..at + 8]).try_into().unwrap();
        *field = i64::from_be_bytes(*field).wrapping_add(1).to_be_bytes();
    }
    let crc = crc32c::crc32c(&records[21..end]);
    records[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// Writes a null over the count of an array that stands first in the body (as in Produce): the rest is then left over.
fn null_array(body: &mut [u8], flexible: bool) {
    let width = if flexible { 1 } else { 4 };
    let null = if flexible { 0 } else { 0xff };
    body.iter_mut().take(width).for_each(|byte| *byte = null);
}

impl Shared {
    fn lie(&self, key: i16, version: i16) -> Option<Lie> {
        let script = self.script.as_ref()?;
        if script.key != key || script.version.is_some_and(|only| only != version) {
            return None;
        }
        let mut told = self.told.lock().unwrap();
        told.0 += 1;
        if told.0 <= script.after || script.times.is_some_and(|times| told.1 >= times) {
            return None;
        }
        told.1 += 1;
        Some(script.lie.clone())
    }

    fn cut(&self) {
        for stream in std::mem::take(&mut *self.open.lock().unwrap()).into_values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn die(self: &Arc<Self>, time: Duration) {
        self.down.store(true, Ordering::SeqCst);
        self.cut();
        let shared = self.clone();
        thread::spawn(move || {
            thread::sleep(time);
            shared.down.store(false, Ordering::SeqCst);
        });
    }
}
