//! One connection, driven by hand: bytes out, frames in, closes told from silence.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::dial::{Dial, OpenError};
use crate::event::{Hex, What};
use crate::session::{Session, Turn};

/// The largest frame that is read: 256 MiB. Memory is taken as bytes arrive, never as they are announced.
pub const FRAME_LIMIT: usize = 256 << 20;

/// How long a write may be held up by a peer that does not read.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// What a wait for a frame ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole frame, without its length prefix.
    Frame(Bytes),
    /// The peer closed the connection (FIN or RST).
    Closed {
        /// Bytes of an incomplete frame that had arrived before.
        partial: usize,
        /// What TLS said of it, if it said something.
        detail: Option<String>,
    },
    /// A length prefix that no frame may have.
    BadLength(i32),
    /// Nothing arrived before the deadline, and the connection is open.
    Silence,
}

/// One open connection of a case. Dropping it closes it.
pub struct Link {
    session: Session,
    lane: u32,
    peer: String,
    io: Option<Box<dyn Io>>,
    arrived: BytesMut,
    closed: Option<Received>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection {} to {}", self.lane, self.peer)
    }
}

impl Link {
    /// Opens a connection: TCP, then TLS and SASL where the dial asks for them.
    pub async fn open(session: &Session, dial: &Dial) -> Result<Self, OpenError> {
        let lane = session.lane();
        let peer = dial.peer();
        let mut io = None;
        if session.is_replay() {
            let what = session
                .turn(lane, "an open", |what| match what {
                    What::Open { .. } => Turn::Mine,
                    _ => Turn::Drift("the case opens a connection".to_owned()),
                })
                .await;
            if let What::Open { error: Some(error), .. } = what {
                return Err(OpenError::Recorded(error));
            }
        } else {
            let _waiting = session.wait_for(format!("a connection to {peer}"));
            let opened = dial.connect().await;
            let error = opened.as_ref().err().map(ToString::to_string);
            session.log(lane, What::Open { peer: peer.clone(), error });
            io = Some(opened?);
        }
        let session = session.clone();
        Ok(Self { session, lane, peer, io, arrived: BytesMut::new(), closed: None })
    }

    /// The number of this connection in its case, from 1.
    pub fn lane(&self) -> u32 {
        self.lane
    }

    /// `host:port` of the peer.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// Sends bytes as they are. That the peer has closed shows at the next [`Link::receive`], never here: what a
    /// write meets is a matter of luck.
    pub async fn send(&mut self, bytes: impl Into<Bytes>) {
        self.send_secret(bytes, 0).await;
    }

    /// Like [`Link::send`], for bytes whose last `secret` ones must not get into a record.
    pub async fn send_secret(&mut self, bytes: impl Into<Bytes>, secret: usize) {
        let bytes = bytes.into();
        let secret = secret.min(bytes.len());
        if self.session.is_replay() {
            self.session.send_turn(self.lane, &bytes, secret).await;
            self.session.note_correlation(self.lane, &bytes);
            return;
        }
        let sent = What::Send { bytes: Hex(bytes.clone()), redacted: 0, secret };
        self.session.log(self.lane, sent);
        if let Some(io) = &mut self.io {
            let _waiting = self.session.wait_for(format!("{} to read what was sent", self.peer));
            let write = async {
                io.write_all(&bytes).await?;
                io.flush().await
            };
            // The outcome is left to the next receive on purpose.
            let _ = tokio::time::timeout(WRITE_PATIENCE, write).await;
        }
    }

    /// Closes the sending side; the peer's answers can still be received.
    pub async fn shut(&mut self) {
        if self.session.is_replay() {
            self.session
                .turn(self.lane, "a half-close", |what| match what {
                    What::Shut => Turn::Mine,
                    _ => Turn::Drift("the case closes its sending side".to_owned()),
                })
                .await;
            return;
        }
        self.session.log(self.lane, What::Shut);
        if let Some(io) = &mut self.io {
            let _ = io.shutdown().await;
        }
    }

    /// Waits for the next frame, a close, or the end of the time given.
    pub async fn receive(&mut self, within: Duration) -> Received {
        if self.session.is_replay() {
            return self.replay_receive().await;
        }
        let received = {
            let _waiting = self.session.wait_for(format!("a frame from {}", self.peer));
            match self.closed.clone() {
                Some(closed) => closed,
                None => self.live_receive(Instant::now() + within).await,
            }
        };
        let what = match received.clone() {
            Received::Frame(bytes) => What::Frame { bytes: Hex(bytes) },
            Received::Closed { partial, detail } => What::Closed { partial, detail },
            Received::BadLength(length) => What::BadLength { length },
            Received::Silence => What::Silence,
        };
        if !matches!(received, Received::Frame(_) | Received::Silence) {
            self.closed = Some(received.clone());
        }
        self.session.log(self.lane, what);
        received
    }

    async fn replay_receive(&mut self) -> Received {
        let what = self
            .session
            .turn(self.lane, "a frame", |what| match what {
                What::Frame { .. }
                | What::Closed { .. }
                | What::BadLength { .. }
                | What::Silence => Turn::Mine,
                _ => Turn::Drift("the case waits for a frame".to_owned()),
            })
            .await;
        match what {
            What::Frame { bytes } => Received::Frame(bytes.0),
            What::Closed { partial, detail } => Received::Closed { partial, detail },
            What::BadLength { length } => Received::BadLength(length),
            _ => Received::Silence,
        }
    }

    /// Cancel-safe: what has arrived stays in `arrived` when the wait is dropped.
    async fn live_receive(&mut self, deadline: Instant) -> Received {
        loop {
            if let Some(received) = self.take_frame() {
                return received;
            }
            let Some(io) = &mut self.io else {
                return Received::Closed { partial: 0, detail: None };
            };
            self.arrived.reserve(16 << 10);
            let partial = self.arrived.len();
            match tokio::time::timeout_at(deadline, io.read_buf(&mut self.arrived)).await {
                Err(_) => return Received::Silence,
                Ok(Ok(0)) => return Received::Closed { partial, detail: None },
                Ok(Err(error)) => {
                    // rustls reports an alert or a missing close_notify this way; TCP resets carry no news.
                    let told = error.kind() == std::io::ErrorKind::InvalidData;
                    return Received::Closed { partial, detail: told.then(|| error.to_string()) };
                }
                Ok(Ok(_)) => {}
            }
        }
    }

    fn take_frame(&mut self) -> Option<Received> {
        let length = i32::from_be_bytes(self.arrived.get(..4)?.try_into().ok()?);
        match usize::try_from(length) {
            Ok(size) if size <= FRAME_LIMIT => {
                if self.arrived.len() - 4 < size {
                    return None;
                }
                self.arrived.advance(4);
                Some(Received::Frame(self.arrived.split_to(size).freeze()))
            }
            _ => Some(Received::BadLength(length)),
        }
    }
}
