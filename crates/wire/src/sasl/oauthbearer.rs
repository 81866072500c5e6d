//! OAUTHBEARER (RFC 7628, KIP-255): one message with a token. A server that refuses the token says so in a
//! *successful* answer, and the client must then send a single 0x01 to get its failure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::OAUTHBEARER;
use rsasl::prelude::{Mechanism, SessionError};
use rsasl::property::{AuthzId, OAuthBearerKV, OAuthBearerToken};
use serde::Deserialize;

use super::SaslError;

static MECHANISM: &[Mechanism] = &[OAUTHBEARER];

/// What a client answers to a [`ServerError`] (RFC 7628, section 3.2.3).
pub const ANSWER_TO_ERROR: [u8; 1] = [0x01];

/// The first message: `n,,` and the token, with extensions (KIP-342) as `key=value` pairs.
pub fn message(token: &str, extensions: &[(&str, &str)]) -> Result<Vec<u8>, SaslError> {
    message_as("", token, extensions)
}

/// The first message in the name of `authzid`; empty means "whomever the token names".
pub fn message_as(
    authzid: &str,
    token: &str,
    extensions: &[(&str, &str)],
) -> Result<Vec<u8>, SaslError> {
    let credentials = Credentials {
        authzid: authzid.to_owned(),
        token: token.to_owned(),
        extensions: extensions
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    super::first_message(MECHANISM, b"OAUTHBEARER", credentials)
}

/// A first message with this text as it stands between `n,,` and the end, for what [`message`] would not say. The
/// pairs are `key=value` texts.
pub fn raw(gs2_header: &str, pairs: &[&str]) -> Vec<u8> {
    let mut message = gs2_header.to_owned();
    for pair in pairs {
        message.push('\x01');
        message.push_str(pair);
    }
    message.push_str("\x01\x01");
    message.into_bytes()
}

/// An unsecured JWT (RFC 7519, section 6): algorithm `none` and an empty signature. `claims` is a JSON object.
pub fn unsecured_token(claims: &serde_json::Value) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!("{}.{}.", part(r#"{"alg":"none"}"#), part(&claims.to_string()))
}

/// Why a server refuses a token (RFC 7628, section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServerError {
    /// An error of the OAuth registry, e.g. `invalid_token`.
    pub status: String,
    /// The scope that would have been needed.
    pub scope: Option<String>,
    /// Where to ask for tokens.
    #[serde(rename = "openid-configuration")]
    pub openid_configuration: Option<String>,
}

impl ServerError {
    /// Reads the JSON of a server's answer. An empty answer is success, not an error.
    pub fn read(answer: &[u8]) -> Result<Self, SaslError> {
        serde_json::from_slice(answer)
            .map_err(|error| SaslError(format!("the answer is no OAUTHBEARER error: {error}")))
    }
}

struct Credentials {
    authzid: String,
    token: String,
    extensions: Vec<(String, String)>,
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
        if !self.extensions.is_empty() {
            let pairs: Vec<(&str, &str)> =
                self.extensions.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            request.satisfy::<OAuthBearerKV>(&pairs)?;
        }
        request.satisfy::<OAuthBearerToken>(&self.token)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_first_message() {
        assert_eq!(message("abc", &[]).unwrap(), b"n,,\x01auth=Bearer abc\x01\x01");
        assert_eq!(
            message_as("me", "abc", &[("host", "h"), ("port", "1")]).unwrap(),
            b"n,a=me,\x01host=h\x01port=1\x01auth=Bearer abc\x01\x01"
        );
        assert_eq!(raw("n,,", &["auth=Basic abc"]), b"n,,\x01auth=Basic abc\x01\x01");
        assert_eq!(raw("n,,", &["auth=Bearer abc"]), message("abc", &[]).unwrap());
    }

    /// Header and claims of RFC 7519, section 6.1 (there with line breaks inside the claims).
    #[test]
    fn an_unsecured_token() {
        let token = unsecured_token(&serde_json::json!({ "iss": "joe" }));
        assert_eq!(token, "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.");
    }

    /// The example of RFC 7628, section 4.3.
    #[test]
    fn an_error_of_the_server() {
        let error = ServerError::read(
            br#"{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}"#,
        )
        .unwrap();
        assert_eq!(error.status, "invalid_token");
        assert_eq!(error.scope.as_deref(), Some("example_scope"));
        let bare = ServerError::read(br#"{"status":"invalid_token"}"#).unwrap();
        assert_eq!((bare.scope, bare.openid_configuration), (None, None));
        assert!(ServerError::read(b"").is_err());
        assert!(ServerError::read(&[0xff, 0x00]).is_err());
    }
}
