//! One reply: how the wait for it ended, and what it says. `ok` gives *blocked*, `expect…` (in `expectations.rs`) gives
//! *failed*; a breach of the wire rules always gives *failed*.

use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use kconform_wire::schema::{self, Direction, Stop, Value};

use crate::Code;
use crate::failure::{Exchange, Failure, Finding, Outcome};

/// How the wait for an answer ended.
#[derive(Clone, Debug)]
pub enum Ending<B> {
    /// A well-formed answer.
    Answered(B),
    /// The peer closed the connection instead of answering.
    Closed {
        /// Bytes of an incomplete frame that had arrived before.
        partial: usize,
    },
    /// Nothing came before the deadline.
    Hung,
    /// Something came that breaks the rules of the wire; the exchange says which.
    Breach,
}

/// The reply to one request: body, close, hang or breach, with everything that a failure has to show.
#[derive(Clone, Debug)]
pub struct Reply<B> {
    pub(crate) ending: Ending<B>,
    pub(crate) exchange: Exchange,
    /// The version in which the body is laid out.
    pub(crate) layout: i16,
    /// The body's bytes.
    pub(crate) body: Bytes,
    /// Rules above the byte layer that the answer breaks, -1 and missing items for instance.
    pub(crate) strict: Vec<String>,
}

/// The body of a good answer; what the reply knew besides is at hand for further checks.
#[derive(Clone, Debug)]
pub struct Body<B> {
    body: B,
    reply: Reply<()>,
}

impl<B> Deref for Body<B> {
    type Target = B;
    fn deref(&self) -> &B {
        &self.body
    }
}

impl<B> Body<B> {
    /// The typed body alone.
    pub fn into_inner(self) -> B {
        self.body
    }
}

impl<B> Body<B> {
    /// Fails unless the condition holds; `got` is only called then.
    ///
    /// # Errors
    /// [`Failure::Failed`] when the condition does not hold.
    #[track_caller]
    pub fn require(
        &self,
        condition: bool,
        expected: impl Into<String>,
        got: impl FnOnce() -> String,
    ) -> Outcome {
        if condition { Ok(()) } else { Err(self.reply.violated(expected, got())) }
    }

    /// A field by its path, as in the message definition in snake case: `topics[0].partitions[0].high_watermark`.
    ///
    /// # Errors
    /// [`Failure::Error`] when the answer's version has no such field: what nobody sent must not be judged.
    pub fn at(&self, path: &str) -> Result<Value, Failure> {
        self.reply.at(path)
    }

    /// Time between the request and this answer.
    pub fn took(&self) -> Duration {
        self.reply.took()
    }

    /// The answer's body as bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.reply.body
    }
}

impl<B> Reply<B> {
    /// Time between the request and the end of the wait, from the recorded events.
    pub fn took(&self) -> Duration {
        self.exchange.took
    }

    /// The exchange, for a finding.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// How the wait ended.
    pub fn ending(&self) -> &Ending<B> {
        &self.ending
    }

    /// The answer's frame without its length prefix, if one came.
    pub fn frame(&self) -> Option<&Bytes> {
        self.exchange.received.as_ref()
    }

    /// The version in which the body is laid out.
    pub fn layout(&self) -> i16 {
        self.layout
    }

    /// A failure with this exchange as evidence.
    #[track_caller]
    pub fn violated(&self, expected: impl Into<String>, got: impl Into<String>) -> Failure {
        Failure::Failed(Box::new(Finding::new(expected, got, Some(self.exchange.clone()))))
    }

    #[track_caller]
    fn blocked(&self, expected: impl Into<String>, got: impl Into<String>) -> Failure {
        Failure::Blocked(Box::new(Finding::new(expected, got, Some(self.exchange.clone()))))
    }

    /// Set-up: the body, if it came and says no error anywhere.
    ///
    /// # Errors
    /// [`Failure::Blocked`] for a close, a hang or an error code; [`Failure::Failed`] for a breach.
    #[track_caller]
    pub fn ok(self) -> Result<Body<B>, Failure> {
        self.sound()?;
        if !matches!(self.ending, Ending::Answered(_)) {
            return Err(self.blocked("an answer", self.describe()));
        }
        if let Some((path, code)) = self.errors()?.into_iter().find(|(_, code)| code.0 != 0) {
            return Err(self.blocked(format!("{path} = 0"), code.to_string()));
        }
        self.take()
    }

    /// Set-up: the body, whatever error codes it says.
    ///
    /// # Errors
    /// [`Failure::Blocked`] for a close or a hang; [`Failure::Failed`] for a breach.
    #[track_caller]
    pub fn answered(self) -> Result<Body<B>, Failure> {
        self.sound()?;
        match self.ending {
            Ending::Answered(_) => self.take(),
            _ => Err(self.blocked("an answer", self.describe())),
        }
    }

    /// A field by its path, see [`Body::at`].
    ///
    /// # Errors
    /// [`Failure::Error`] when the answer's version has no such field, [`Failure::Failed`] when the item is missing.
    #[track_caller]
    pub fn at(&self, path: &str) -> Result<Value, Failure> {
        match self.lookup(path)? {
            Some(value) => Ok(value),
            None => Err(self.violated(format!("a field {path}"), "an answer without that item")),
        }
    }

    /// Every field that is named `error_code` (or ends so), with its path, in the order of the answer.
    ///
    /// # Errors
    /// [`Failure::Error`] when the body cannot be read, which the walk before excludes.
    pub fn errors(&self) -> Result<Vec<(String, Code)>, Failure> {
        let mut found = Vec::new();
        collect_errors(&self.value()?, &mut String::new(), &mut found);
        Ok(found)
    }

    /// The body as a dynamic value.
    ///
    /// # Errors
    /// [`Failure::Error`] when there is no well-formed body.
    pub fn value(&self) -> Result<Value, Failure> {
        schema::decode(self.exchange.key, self.layout, Direction::Response, &self.body)
            .map_err(|breach| Failure::error(format!("the body cannot be read: {breach}")))
    }

    pub(crate) fn lookup(&self, path: &str) -> Result<Option<Value>, Failure> {
        if !matches!(self.ending, Ending::Answered(_)) {
            return Err(self.violated(format!("an answer with {path}"), self.describe()));
        }
        let value = self.value()?;
        match value.at(path) {
            Ok(found) => Ok(Some(found.clone())),
            Err(error) if matches!(error.stop, Stop::NoElement { .. }) => Ok(None),
            Err(error) => Err(Failure::error(format!(
                "{} v{} has no field {path}: {error}",
                self.exchange.api, self.layout
            ))),
        }
    }

    /// Breaches of the wire rules, and of those above them, fail the case wherever they show.
    #[track_caller]
    pub(crate) fn sound(&self) -> Outcome {
        self.sound_but_for(&[])
    }

    #[track_caller]
    pub(crate) fn sound_but_for(&self, expected: &[Code]) -> Outcome {
        if let Some(breach) = &self.exchange.breach {
            return Err(self.violated("a well-formed answer", breach.to_string()));
        }
        let unknown = Code(-1);
        let rule =
            self.strict.iter().find(|rule| !(expected.contains(&unknown) && rule.contains("(-1)")));
        match rule {
            Some(rule) => {
                Err(self.violated("an answer that keeps the rules of the protocol", rule.clone()))
            }
            None => Ok(()),
        }
    }

    /// What came, in a few words and the error codes.
    pub fn describe(&self) -> String {
        match &self.ending {
            Ending::Closed { partial: 0 } => "the connection closed without an answer".to_owned(),
            Ending::Closed { partial } => {
                format!("the connection closed after {partial} bytes of an incomplete frame")
            }
            Ending::Hung => format!(
                "no answer within {:.1} s, the connection is open",
                self.took().as_secs_f64()
            ),
            Ending::Breach => match &self.exchange.breach {
                Some(breach) => breach.to_string(),
                None => "an answer that cannot be read".to_owned(),
            },
            Ending::Answered(_) => match self.value() {
                Ok(value) => shortened(&value.to_string()),
                Err(_) => "an answer".to_owned(),
            },
        }
    }

    pub(crate) fn take(self) -> Result<Body<B>, Failure> {
        let Reply { ending, exchange, layout, body, strict } = self;
        let reply = |ending| Reply { ending, exchange, layout, body, strict };
        match ending {
            Ending::Answered(typed) => Ok(Body { body: typed, reply: reply(Ending::Answered(())) }),
            _ => Err(Failure::error("a reply without an answer was taken for one")),
        }
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn collect_errors(value: &Value, path: &mut String, found: &mut Vec<(String, Code)>) {
    let length = path.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                collect_errors(item, path, found);
                path.truncate(length);
            }
        }
        Value::Struct(fields) => {
            for (name, value) in fields.fields() {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                match value {
                    Value::Int(code) if name.ends_with("error_code") => {
                        found.push((path.clone(), Code(i16::try_from(*code).unwrap_or(i16::MIN))));
                    }
                    _ => collect_errors(value, path, found),
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
}
