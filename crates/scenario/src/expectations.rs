//! The check verbs of the act: what a reply is expected to be. What differs gives *failed*.

use kconform_wire::schema::Value;

use crate::Code;
use crate::failure::{Failure, Outcome};
use crate::reply::{Body, Ending, Reply};

impl<B> Reply<B> {
    /// The act: an answer must come; its error codes are the caller's to judge.
    ///
    /// # Errors
    /// [`Failure::Failed`] for a close, a hang or a breach.
    #[track_caller]
    pub fn expect_answer(self) -> Result<Body<B>, Failure> {
        self.sound()?;
        match self.ending {
            Ending::Answered(_) => self.take(),
            _ => Err(self.violated("an answer", self.describe())),
        }
    }

    /// The act: an answer must come, with error code 0 everywhere.
    ///
    /// # Errors
    /// [`Failure::Failed`] for anything else.
    #[track_caller]
    pub fn expect_ok(self) -> Result<Body<B>, Failure> {
        self.sound()?;
        if !matches!(self.ending, Ending::Answered(_)) {
            return Err(self.violated("an answer", self.describe()));
        }
        if let Some((path, code)) = self.errors()?.into_iter().find(|(_, code)| code.0 != 0) {
            return Err(self.violated(format!("{path} = {}", Code::NONE), code.to_string()));
        }
        self.take()
    }

    /// The act: the one error code of the answer is this one. It is the top-level one where the answer has one that is
    /// set or has no other, and else that of the only item.
    ///
    /// # Errors
    /// [`Failure::Failed`] when the answer says something else, or does not come.
    #[track_caller]
    pub fn expect_error(self, code: impl Into<Code>) -> Outcome {
        self.expect_error_in(&[code.into()])
    }

    /// The act: the one error code of the answer is one of these. Leniency belongs here, in the scenario.
    ///
    /// # Errors
    /// [`Failure::Failed`] when the answer says something else, or does not come.
    #[track_caller]
    pub fn expect_error_in(self, codes: &[Code]) -> Outcome {
        self.sound_but_for(codes)?;
        let wanted = codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        if !matches!(self.ending, Ending::Answered(_)) {
            return Err(self.violated(format!("error_code = {wanted}"), self.describe()));
        }
        let errors = self.errors()?;
        let top = errors.iter().find(|(path, _)| path == "error_code");
        let items: Vec<_> = errors.iter().filter(|(path, _)| path != "error_code").collect();
        let (path, code) = match (top, items.as_slice()) {
            (Some(top), items) if top.1.0 != 0 || items.is_empty() => top,
            (_, [only]) => *only,
            (_, []) => {
                return Err(self.violated(
                    format!("error_code = {wanted}"),
                    "an answer without one".to_owned(),
                ));
            }
            (_, several) => {
                let paths =
                    several.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Failure::error(format!(
                    "expect_error needs one error code, the answer has {paths}"
                )));
            }
        };
        if codes.contains(code) {
            return Ok(());
        }
        Err(self.violated(format!("{path} = {wanted}"), code.to_string()))
    }

    /// The act: the error code at this path is this one.
    ///
    /// # Errors
    /// [`Failure::Failed`] when it is another, or no answer comes.
    #[track_caller]
    pub fn expect_error_at(&self, path: &str, code: impl Into<Code>) -> Outcome {
        let code = code.into();
        self.sound_but_for(&[code])?;
        if !matches!(self.ending, Ending::Answered(_)) {
            return Err(self.violated(format!("{path} = {code}"), self.describe()));
        }
        let got = match self.lookup(path)? {
            Some(Value::Int(got)) => Code(i16::try_from(got).unwrap_or(i16::MIN)),
            Some(other) => {
                return Err(Failure::error(format!("{path} is no error code but {other}")));
            }
            None => {
                return Err(self.violated(
                    format!("{path} = {code}"),
                    "an answer without that item".to_owned(),
                ));
            }
        };
        if got == code {
            Ok(())
        } else {
            Err(self.violated(format!("{path} = {code}"), got.to_string()))
        }
    }

    /// The act: the peer closes the connection and sends nothing. [`Conn::expect_close`](crate::Conn::expect_close)
    /// also asks whether the broker still serves.
    ///
    /// # Errors
    /// [`Failure::Failed`] when it answers or keeps silent.
    #[track_caller]
    pub fn expect_closed(&self) -> Outcome {
        match self.ending {
            Ending::Closed { partial: 0 } => Ok(()),
            _ => Err(self.violated("the connection closed without an answer", self.describe())),
        }
    }
}
