//! One connection in the hands of a scenario: ask, tell and receive, raw bytes, closes and silence.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::protocol::{Decodable, Message, Request};
use kconform_wire::frame::Header;
use kconform_wire::schema::{self, Direction, Value};
use kconform_wire::{Link, Received, answer, typed};

use crate::cx::Shared;
use crate::failure::{Exchange, Failure, Finding, Outcome};
use crate::reply::{Ending, Reply};
use crate::{keys, strict};

/// How long a scenario waits for an answer unless it says otherwise. Generous: a loaded broker is not a broken one.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// An open connection.
#[derive(Debug)]
pub struct Conn {
    link: Link,
    shared: Rc<Shared>,
    correlation: i32,
    client_id: Option<String>,
    patience: Duration,
}

/// A request on its way, see [`Conn::tell`]. It names the answer that must come.
#[derive(Debug)]
#[must_use = "an answer to it will come; receive it with `answer`, or say that none is due with `unanswered`"]
pub struct Sent<B> {
    asked: Asked,
    response: PhantomData<fn() -> B>,
}

impl<B> Sent<B> {
    /// The correlation id of the request.
    pub fn correlation(&self) -> i32 {
        self.asked.correlation
    }

    /// No answer is due: Produce with acks = 0.
    pub fn unanswered(self) {}
}

/// What is known of a request that was sent.
#[derive(Clone, Debug)]
struct Asked {
    key: i16,
    version: i16,
    correlation: i32,
    frame: Bytes,
    body: Bytes,
    secret: bool,
    at: Duration,
}

impl Conn {
    pub(crate) fn new(link: Link, shared: Rc<Shared>) -> Self {
        let client_id = Some("kconform".to_owned());
        Self { link, shared, correlation: 0, client_id, patience: PATIENCE }
    }

    /// The connection's number in its case.
    pub fn lane(&self) -> u32 {
        self.link.lane()
    }

    /// Sets how long this connection waits for an answer.
    pub fn patience(&mut self, patience: Duration) -> &mut Self {
        self.patience = patience;
        self
    }

    /// Sets the client id of the requests to come; `None` is a null string.
    pub fn client_id(&mut self, id: Option<&str>) -> &mut Self {
        self.client_id = id.map(str::to_owned);
        self
    }

    /// Sets the correlation id of the next request; later ones count on from it.
    pub fn next_correlation(&mut self, id: i32) -> &mut Self {
        self.correlation = id;
        self
    }

    /// Sends a request and waits for its reply. The scenario's own API goes at exactly its version, every other at the
    /// highest common one.
    ///
    /// # Errors
    /// [`Failure::Blocked`] when the target does not advertise the API, [`Failure::Error`] when the request cannot be
    /// said in the version. A close, a hang or a breach is not an error here: the reply's checks judge it.
    pub async fn ask<R>(&mut self, request: R) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let sent = self.tell(request).await?;
        self.answer(sent).await
    }

    /// Like [`Conn::ask`] at the highest common version, for set-up with the scenario's own API.
    ///
    /// # Errors
    /// As [`Conn::ask`].
    pub async fn ask_newest<R>(&mut self, request: R) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let version = self.shared.newest(R::KEY)?;
        let sent = self.tell_at(version, request, &[]).await?;
        self.answer(sent).await
    }

    /// Like [`Conn::ask`] at a version of the caller's choice, without the fields that are named and that it cannot carry.
    ///
    /// # Errors
    /// As [`Conn::ask`].
    pub async fn ask_at<R>(
        &mut self,
        version: i16,
        request: R,
        may_lose: &[&str],
    ) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let sent = self.tell_at(version, request, may_lose).await?;
        self.answer(sent).await
    }

    /// Like [`Conn::ask`], without the fields that are named (in snake case) where the version cannot carry them.
    ///
    /// # Errors
    /// As [`Conn::ask`].
    pub async fn ask_without<R>(
        &mut self,
        request: R,
        may_lose: &[&str],
    ) -> Result<Reply<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let version = self.shared.version_of(R::KEY)?;
        self.ask_at(version, request, may_lose).await
    }

    /// Sends a request and does not wait: for pipelining, and for acks = 0.
    ///
    /// # Errors
    /// As [`Conn::ask`].
    pub async fn tell<R>(&mut self, request: R) -> Result<Sent<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let version = self.shared.version_of(R::KEY)?;
        self.tell_at(version, request, &[]).await
    }

    /// Like [`Conn::tell`] at a version of the caller's choice.
    ///
    /// # Errors
    /// As [`Conn::ask`].
    pub async fn tell_at<R>(
        &mut self,
        version: i16,
        request: R,
        may_lose: &[&str],
    ) -> Result<Sent<R::Response>, Failure>
    where
        R: Request + Decodable + PartialEq,
    {
        let body = typed::request_body(&request, version, may_lose)
            .map_err(|e| Failure::error(e.to_string()))?;
        Ok(Sent { asked: self.post(R::KEY, version, body).await, response: PhantomData })
    }

    /// Waits for the answer to a request that was told.
    ///
    /// # Errors
    /// [`Failure::Error`] when a well-formed answer cannot be read as typed.
    pub async fn answer<B>(&mut self, sent: Sent<B>) -> Result<Reply<B>, Failure>
    where
        B: Message + Decodable,
    {
        let reply = self.collect(sent.asked).await;
        let Reply { ending, exchange, layout, body, strict } = reply;
        let ending = match ending {
            Ending::Answered(()) => Ending::Answered(
                typed::response::<B>(exchange.key, layout, &body)
                    .map_err(|e| Failure::error(e.to_string()))?,
            ),
            Ending::Closed { partial } => Ending::Closed { partial },
            Ending::Hung => Ending::Hung,
            Ending::Breach => Ending::Breach,
        };
        Ok(Reply { ending, exchange, layout, body, strict })
    }

    /// Sends a body of the caller's own bytes under a header that fits the API and version, and waits for the reply.
    pub async fn ask_bytes(&mut self, key: i16, version: i16, body: impl Into<Bytes>) -> Reply<()> {
        let asked = self.post(key, version, body.into()).await;
        self.collect(asked).await
    }

    /// Sends a dynamic value: for APIs that the typed messages lack.
    ///
    /// # Errors
    /// [`Failure::Error`] when the value does not fit the message.
    pub async fn ask_value(
        &mut self,
        key: i16,
        version: i16,
        value: &Value,
    ) -> Result<Reply<()>, Failure> {
        let body = schema::encode(key, version, Direction::Request, value)
            .map_err(|e| Failure::error(e.to_string()))?;
        Ok(self.ask_bytes(key, version, body).await)
    }

    /// The header that the next request of this API and version would have; takes a correlation id.
    pub fn header(&mut self, key: i16, version: i16) -> Header {
        let correlation = self.correlation;
        self.correlation = correlation.wrapping_add(1);
        let client_id = self.client_id.clone();
        Header { key, version, correlation, client_id, header_version: None }
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: impl Into<Bytes>) {
        self.link.send(bytes).await;
    }

    /// Sends bytes that must not get into a record, but for the first `visible` ones.
    pub async fn send_secret(&mut self, bytes: impl Into<Bytes>, visible: usize) {
        let bytes = bytes.into();
        let secret =
            if self.shared.secrets_are_public() { 0 } else { bytes.len().saturating_sub(visible) };
        self.link.send_secret(bytes, secret).await;
    }

    /// Closes the sending side.
    pub async fn shut(&mut self) {
        self.link.shut().await;
    }

    /// Waits for whatever comes next, for as long as this connection's patience.
    pub async fn receive(&mut self) -> Received {
        self.link.receive(self.patience).await
    }

    /// Waits for whatever comes next, for this long.
    pub async fn receive_within(&mut self, within: Duration) -> Received {
        self.link.receive(within).await
    }

    /// The answer to a request that was sent raw: same checks as for any other.
    pub async fn reply_to(&mut self, header: &Header, frame: Bytes) -> Reply<()> {
        let at = self.shared.session.now();
        let Header { key, version, correlation, .. } = *header;
        let asked =
            Asked { key, version, correlation, frame, body: Bytes::new(), secret: false, at };
        self.collect(asked).await
    }

    /// The act: the peer closes this connection and sends nothing more. Then a fresh connection is asked whether the
    /// broker still serves: closing is not crashing.
    ///
    /// # Errors
    /// [`Failure::Failed`] when something is sent, when the connection stays open, or when the broker is gone.
    pub async fn expect_close(&mut self) -> Outcome {
        match self.receive().await {
            Received::Closed { partial: 0, .. } => self.shared.still_serves().await,
            other => Err(self.unexpected("the connection closed without an answer", &other)),
        }
    }

    /// The act: nothing comes for this long, and the connection stays open.
    ///
    /// # Errors
    /// [`Failure::Failed`] when something comes, or the peer closes.
    pub async fn expect_silence(&mut self, during: Duration) -> Outcome {
        match self.receive_within(during).await {
            Received::Silence => Ok(()),
            other => {
                Err(self.unexpected(&format!("nothing for {} ms", during.as_millis()), &other))
            }
        }
    }

    fn unexpected(&self, expected: &str, got: &Received) -> Failure {
        let got = match got {
            Received::Frame(frame) => {
                let bytes = kconform_wire::event::hex(&frame[..frame.len().min(48)]);
                format!("a frame of {} bytes: {bytes}", frame.len())
            }
            Received::Closed { partial: 0, .. } => "the connection closed".to_owned(),
            Received::Closed { partial, .. } => {
                format!("the connection closed after {partial} bytes of a frame")
            }
            Received::BadLength(length) => format!("a frame that claims {length} bytes"),
            Received::Silence => format!(
                "nothing within {:.1} s, the connection is open",
                self.patience.as_secs_f64()
            ),
        };
        Failure::Failed(Box::new(Finding::new(expected, got, None)))
    }

    async fn post(&mut self, key: i16, version: i16, body: Bytes) -> Asked {
        let header = self.header(key, version);
        let frame = header.frame(&body);
        let secret = key == keys::SaslAuthenticate && !self.shared.secrets_are_public();
        let at = self.shared.session.now();
        self.link.send_secret(frame.clone(), if secret { body.len() } else { 0 }).await;
        let at = at.max(self.shared.session.now());
        Asked { key, version, correlation: header.correlation, frame, body, secret, at }
    }

    async fn collect(&mut self, asked: Asked) -> Reply<()> {
        let received = self.link.receive(self.patience).await;
        let took = self.shared.session.now().saturating_sub(asked.at);
        let Asked { key, version, correlation, frame, body: request, secret, .. } = asked;
        let mut exchange = Exchange {
            api: schema::api(key).map_or_else(|| format!("API {key}"), |api| api.name().to_owned()),
            key,
            version,
            peer: self.link.peer().to_owned(),
            lane: self.link.lane(),
            correlation,
            sent: if secret { Bytes::new() } else { frame },
            received: None,
            took,
            breach: None,
        };
        let reply = |ending, exchange| Reply {
            ending,
            exchange,
            layout: version,
            body: Bytes::new(),
            strict: Vec::new(),
        };
        let frame = match received {
            Received::Frame(frame) => frame,
            Received::Closed { partial, .. } => return reply(Ending::Closed { partial }, exchange),
            Received::Silence => return reply(Ending::Hung, exchange),
            Received::BadLength(length) => {
                exchange.breach = Some(answer::Breach {
                    offset: 0,
                    path: "length prefix".to_owned(),
                    rule: format!("claims {length} bytes"),
                });
                return reply(Ending::Breach, exchange);
            }
        };
        exchange.received = Some(frame.clone());
        match answer::read(key, version, correlation, &frame) {
            Err(breach) => {
                exchange.breach = Some(breach);
                reply(Ending::Breach, exchange)
            }
            Ok(answer) => {
                for note in &answer.notes {
                    self.shared.note(format!("{} v{version}: {note}", exchange.api));
                }
                let found = strict::check(key, answer.version, &answer.body, version, &request);
                for note in found.notes {
                    self.shared.note(format!("{} v{version}: {note}", exchange.api));
                }
                Reply {
                    ending: Ending::Answered(()),
                    exchange,
                    layout: answer.version,
                    body: answer.body,
                    strict: found.broken,
                }
            }
        }
    }
}
