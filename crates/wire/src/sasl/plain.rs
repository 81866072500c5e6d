//! PLAIN (RFC 4616): everything in one message, `authzid NUL user NUL password`.

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::plain::PLAIN;
use rsasl::prelude::{Mechanism, SessionError};
use rsasl::property::{AuthId, AuthzId, Password};

use super::SaslError;

static MECHANISM: &[Mechanism] = &[PLAIN];

/// The message of a well-behaved client. An empty `authzid` means "the user itself". Empty or NUL-bearing users
/// and passwords are errors; [`raw`] sends those.
pub fn message(authzid: &str, user: &str, password: &str) -> Result<Vec<u8>, SaslError> {
    let credentials = Credentials {
        authzid: authzid.to_owned(),
        user: user.to_owned(),
        password: password.to_owned(),
    };
    super::first_message(MECHANISM, b"PLAIN", credentials)
}

/// Any parts, joined by NUL and not looked at.
pub fn raw(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}

struct Credentials {
    authzid: String,
    user: String,
    password: String,
}

impl SessionCallback for Credentials {
    fn callback(
        &self,
        _session: &SessionData,
        _context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if !self.authzid.is_empty() {
            request.satisfy::<AuthzId>(&self.authzid)?;
        }
        request.satisfy::<AuthId>(&self.user)?.satisfy::<Password>(self.password.as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The examples of RFC 4616, section 4.
    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(message("", "tim", "tanstaaftanstaaf").unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(message("Ursel", "Kurt", "xipj3plmq").unwrap(), b"Ursel\0Kurt\0xipj3plmq");
    }

    #[test]
    fn text_beyond_ascii_is_utf_8() {
        assert_eq!(message("", "ü", "Ж").unwrap(), "\0ü\0Ж".as_bytes());
    }

    #[test]
    fn what_the_mechanism_forbids_is_an_error_without_the_secret() {
        for (user, password) in [("", "sesame"), ("u", ""), ("u\0v", "sesame"), ("u", "ses\0ame")] {
            let error = message("", user, password).unwrap_err().to_string();
            assert!(!error.contains("ses"), "{error}");
        }
    }

    #[test]
    fn raw_joins_whatever_it_gets() {
        assert_eq!(raw(&[b"", b"u"]), b"\0u");
        assert_eq!(raw(&[b"a", b"", b"", b"\xff"]), b"a\0\0\0\xff");
    }
}
