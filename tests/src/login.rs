//! The login that a scripted broker may want: SaslHandshake and SaslAuthenticate in version 1, with PLAIN.

use bytes::Bytes;
use kconform_schema::primitives::Reader;
use kconform_schema::{self as schema, Direction, Value};

const API_VERSIONS: i16 = 18;
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;
const UNSUPPORTED_SASL_MECHANISM: i64 = 33;
const SASL_AUTHENTICATION_FAILED: i64 = 58;

/// Who may log in: the message of PLAIN that proves it.
pub(crate) struct Login(Vec<u8>);

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Handshake,
    Authenticate,
    Done,
}

/// Correlation id and body of an answer; `None` closes.
type Answer = Option<(i32, Bytes)>;

impl Login {
    pub(crate) fn of(user: &str, password: &str) -> Self {
        Self(format!("\0{user}\0{password}").into_bytes())
    }

    /// The answer to a request before the login; `None` for one that needs none.
    pub(crate) fn answer(&self, step: &mut Step, frame: &Bytes) -> Option<Answer> {
        let mut reader = Reader::new(frame);
        let (key, version) = (reader.i16().ok()?, reader.i16().ok()?);
        if key == API_VERSIONS {
            return None;
        }
        let correlation = reader.i32().ok()?;
        reader.nullable_string().ok()?;
        let expected = match step {
            Step::Handshake => SASL_HANDSHAKE,
            _ => SASL_AUTHENTICATE,
        };
        if key != expected || version != 1 {
            return Some(None);
        }
        let body = frame.slice(reader.offset()..);
        let request = schema::decode(key, version, Direction::Request, &body).ok()?;
        let mut value = schema::default_value(key, version, Direction::Response).unwrap();
        let code = if key == SASL_HANDSHAKE {
            let plain = vec![Value::Str("PLAIN".to_owned())];
            value.set("mechanisms", Value::Array(plain)).unwrap();
            match request.at("mechanism") {
                Ok(Value::Str(name)) if name == "PLAIN" => {
                    *step = Step::Authenticate;
                    0
                }
                _ => UNSUPPORTED_SASL_MECHANISM,
            }
        } else {
            match request.at("auth_bytes") {
                Ok(Value::Bytes(bytes)) if bytes[..] == self.0[..] => {
                    *step = Step::Done;
                    0
                }
                Ok(Value::Bytes(bytes)) => {
                    // A careless broker: it repeats what it was sent.
                    let said = format!("refused: {}", String::from_utf8_lossy(bytes));
                    value.set("error_message", Value::Str(said)).unwrap();
                    SASL_AUTHENTICATION_FAILED
                }
                _ => SASL_AUTHENTICATION_FAILED,
            }
        };
        value.set("error_code", Value::Int(code)).unwrap();
        let body = schema::encode(key, version, Direction::Response, &value).unwrap();
        Some(Some((correlation, body.into())))
    }
}
