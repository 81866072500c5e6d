//! How a connection is opened: address, TLS, and the SASL exchange that makes it somebody's.
//!
//! A scenario about authentication sends its own SaslHandshake and SaslAuthenticate frames over a connection
//! that was dialled without [`Sasl`]; everybody else gets a connection that is ready, and neither the exchange
//! nor its secrets are part of the case.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::frame::framed;
use crate::link::Io;
use crate::sasl::{oauthbearer, plain, scram};

/// A text that must not be shown: `Debug` prints stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// SASL mechanisms that a dial can authenticate with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// RFC 7677.
    ScramSha256,
    /// RFC 5802 with SHA-512.
    ScramSha512,
    /// RFC 7628; the secret is the token.
    OauthBearer,
}

impl Mechanism {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
            Mechanism::OauthBearer => "OAUTHBEARER",
        }
    }

    /// The mechanism of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::ScramSha256, Self::ScramSha512, Self::OauthBearer]
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }
}

/// Who a connection authenticates as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The user; ignored by OAUTHBEARER.
    pub user: String,
    /// Password or token.
    pub secret: Secret,
}

/// TLS on a connection.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Trust, client certificate, versions.
    pub config: Arc<rustls::ClientConfig>,
    /// The name that the certificate must bear; `None` is the host dialled.
    pub server_name: Option<String>,
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS, or none.
    pub tls: Option<Tls>,
    /// The SASL exchange to go through, or none.
    pub sasl: Option<Sasl>,
    /// The local address to connect from.
    pub from: Option<IpAddr>,
    /// The time for all of it.
    pub within: Duration,
}

/// Why a connection could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The name does not resolve.
    Resolve(String),
    /// TCP refused or failed.
    Connect(String),
    /// The time was up; names the step.
    TimedOut(&'static str),
    /// The TLS handshake failed.
    Tls(String),
    /// The broker refused the mechanism or the credentials, or what it said made no sense.
    Sasl(String),
    /// The peer closed during the SASL exchange.
    ClosedDuringSasl,
    /// Played back: the text of the original.
    Recorded(String),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Resolve(why) => write!(f, "the name does not resolve: {why}"),
            OpenError::Connect(why) => write!(f, "no TCP connection: {why}"),
            OpenError::TimedOut(step) => write!(f, "timed out during {step}"),
            OpenError::Tls(why) => write!(f, "{NO_TLS}: {why}"),
            OpenError::Sasl(why) => write!(f, "not authenticated: {why}"),
            OpenError::ClosedDuringSasl => {
                write!(f, "not authenticated: the peer closed the connection during the exchange")
            }
            OpenError::Recorded(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}

impl OpenError {
    /// Whether it was the TLS handshake that failed, and not for want of time. Holds for the text of a played-back
    /// refusal too.
    pub fn is_tls(&self) -> bool {
        self.to_string().starts_with(NO_TLS)
    }
}

const NO_TLS: &str = "no TLS session";

impl Dial {
    /// A plain TCP dial with ten seconds of patience.
    pub fn plain(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: None,
            sasl: None,
            from: None,
            within: Duration::from_secs(10),
        }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn peer(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(crate) async fn connect(&self) -> Result<Box<dyn Io>, OpenError> {
        let deadline = tokio::time::Instant::now() + self.within;
        let step = |name| move |_| OpenError::TimedOut(name);
        let tcp = tokio::time::timeout_at(deadline, self.tcp())
            .await
            .map_err(step("the TCP connect"))??;
        let mut io: Box<dyn Io> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => {
                let name = tls.server_name.clone().unwrap_or_else(|| self.host.clone());
                let name = ServerName::try_from(name).map_err(|e| OpenError::Tls(e.to_string()))?;
                let connector = tokio_rustls::TlsConnector::from(tls.config.clone());
                let stream = tokio::time::timeout_at(deadline, connector.connect(name, tcp))
                    .await
                    .map_err(step("the TLS handshake"))?
                    .map_err(|e| OpenError::Tls(e.to_string()))?;
                Box::new(stream)
            }
        };
        if let Some(sasl) = &self.sasl {
            tokio::time::timeout_at(deadline, authenticate(&mut io, sasl))
                .await
                .map_err(step("the SASL exchange"))??;
        }
        Ok(io)
    }

    async fn tcp(&self) -> Result<TcpStream, OpenError> {
        let connect = |e: std::io::Error| OpenError::Connect(e.to_string());
        let mut last = OpenError::Resolve(format!("{} has no address", self.host));
        let found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|e| OpenError::Resolve(e.to_string()))?;
        for address in found {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
            let socket = socket.map_err(connect)?;
            if let Some(from) = self.from {
                socket.bind((from, 0).into()).map_err(connect)?;
            }
            match socket.connect(address).await {
                Ok(stream) => {
                    // Bytes that a scenario sends one by one must leave one by one.
                    stream.set_nodelay(true).map_err(connect)?;
                    return Ok(stream);
                }
                Err(error) => last = connect(error),
            }
        }
        Err(last)
    }
}

const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;
/// A reply of the exchange is a few hundred bytes; whatever is far larger is not one.
const REPLY_LIMIT: usize = 1 << 20;

async fn authenticate(io: &mut Box<dyn Io>, sasl: &Sasl) -> Result<(), OpenError> {
    let mut handshake = BytesMut::new();
    put_string(&mut handshake, sasl.mechanism.name());
    let reply = exchange(io, SASL_HANDSHAKE, &handshake).await?;
    if error_code(&reply)? != 0 {
        let why = format!("the broker does not enable {}", sasl.mechanism.name());
        return Err(OpenError::Sasl(why));
    }
    let bad = |e: &dyn std::fmt::Display| OpenError::Sasl(e.to_string());
    match sasl.mechanism {
        Mechanism::Plain => {
            let first = plain::message("", &sasl.user, &sasl.secret.0).map_err(|e| bad(&e))?;
            token(io, &first).await?;
        }
        Mechanism::OauthBearer => {
            let first = oauthbearer::message(&sasl.secret.0, &[]).map_err(|e| bad(&e))?;
            token(io, &first).await?;
        }
        Mechanism::ScramSha256 | Mechanism::ScramSha512 => {
            let hash = match sasl.mechanism {
                Mechanism::ScramSha256 => scram::Hash::Sha256,
                _ => scram::Hash::Sha512,
            };
            let mut nonce = [0; 18];
            getrandom::fill(&mut nonce).map_err(|e| bad(&e))?;
            let nonce = crate::event::hex(&nonce);
            let mut client = scram::Client::new(hash, &sasl.user, &sasl.secret.0, &nonce);
            let server_first = token(io, &client.client_first()).await?;
            let last = client.client_final(&server_first).map_err(|e| bad(&e))?;
            let server_final = token(io, &last).await?;
            client.verify(&server_final).map_err(|e| bad(&e))?;
        }
    }
    Ok(())
}

/// Sends one SaslAuthenticate v1 and gives the server's bytes back.
async fn token(io: &mut Box<dyn Io>, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut body = BytesMut::new();
    body.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    body.put_slice(bytes);
    let reply = exchange(io, SASL_AUTHENTICATE, &body).await?;
    let code = error_code(&reply)?;
    let garbled = || OpenError::Sasl("the broker's answer cannot be read".to_owned());
    let mut rest = &reply[2..];
    let message = take(&mut rest, 2).ok_or_else(garbled)?;
    if code != 0 {
        let name = kconform_schema::errors::name(code).unwrap_or("an unknown error");
        let message = message.map(|m| String::from_utf8_lossy(m).into_owned()).unwrap_or_default();
        return Err(OpenError::Sasl(format!("{name} ({code}) {message}")));
    }
    let token = take(&mut rest, 4).ok_or_else(garbled)?;
    Ok(token.unwrap_or_default().to_vec())
}

/// Takes a string or byte field with a length of `width` bytes; `Some(None)` is null, `None` a field cut short.
fn take<'a>(rest: &mut &'a [u8], width: usize) -> Option<Option<&'a [u8]>> {
    let (head, tail) = rest.split_at_checked(width)?;
    let length = match width {
        2 => i64::from(i16::from_be_bytes(head.try_into().ok()?)),
        _ => i64::from(i32::from_be_bytes(head.try_into().ok()?)),
    };
    let Ok(length) = usize::try_from(length) else {
        *rest = tail;
        return Some(None);
    };
    let (field, tail) = tail.split_at_checked(length)?;
    *rest = tail;
    Some(Some(field))
}

fn error_code(reply: &[u8]) -> Result<i16, OpenError> {
    reply
        .get(..2)
        .and_then(|code| code.try_into().ok())
        .map(i16::from_be_bytes)
        .ok_or_else(|| OpenError::Sasl("the broker's answer cannot be read".to_owned()))
}

fn put_string(out: &mut BytesMut, text: &str) {
    out.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    out.put_slice(text.as_bytes());
}

/// Version 1 of both APIs has header version 1; gives the body of the answer.
async fn exchange(io: &mut Box<dyn Io>, key: i16, body: &[u8]) -> Result<Vec<u8>, OpenError> {
    let lost = |_| OpenError::ClosedDuringSasl;
    let mut header = BytesMut::new();
    header.put_i16(key);
    header.put_i16(1);
    header.put_i32(0);
    put_string(&mut header, "kconform");
    io.write_all(&framed(&[&header, body])).await.map_err(lost)?;
    io.flush().await.map_err(lost)?;
    let length = io.read_i32().await.map_err(lost)?;
    let length = usize::try_from(length).ok().filter(|n| (4..=REPLY_LIMIT).contains(n));
    let length = length.ok_or_else(|| {
        OpenError::Sasl("the answer is not a Kafka frame; is this a SASL listener?".to_owned())
    })?;
    let mut reply = vec![0; length];
    io.read_exact(&mut reply).await.map_err(lost)?;
    Ok(reply.split_off(4))
}
