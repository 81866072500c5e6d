//! SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677, KIP-84), the client's side.
//!
//! [`Client`] is the well-behaved client. What a negative case needs lies open: the GS2 header, the encoded user
//! name, extensions, and [`Client::prove`], which gives a right proof for a wrong client-final message.
//!
//! As in Apache's own client, user and password are their UTF-8 bytes, without SASLprep (`ScramFormatter`).

use std::error::Error;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

/// Fewest iterations that a client accepts (`ScramMechanism`, RFC 7677 section 4).
pub const MIN_ITERATIONS: u32 = 4096;

/// Most iterations that a client accepts: some tenths of a second of work. Brokers of Apache store 16384 at most.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// Which hash, and so which mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl Hash {
    /// The name of the mechanism.
    pub const fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The number of the mechanism in AlterUserScramCredentials and its describing twin (KIP-554).
    pub const fn id(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// `H(data)`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// `HMAC(key, data)`.
    pub fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        const ANY_KEY: &str = "HMAC takes keys of any length";
        match self {
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                .expect(ANY_KEY)
                .chain_update(data)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                .expect(ANY_KEY)
                .chain_update(data)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }

    /// `SaltedPassword`, what a broker is given when a user is made (AlterUserScramCredentials). Costs about 0.15
    /// microseconds per iteration.
    pub fn salted_password(self, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        const ANY_KEY: &str = "HMAC takes keys of any length";
        let password = password.as_bytes();
        match self {
            Self::Sha256 => {
                let mut out = vec![0; 32];
                pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, iterations, &mut out)
                    .expect(ANY_KEY);
                out
            }
            Self::Sha512 => {
                let mut out = vec![0; 64];
                pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, iterations, &mut out)
                    .expect(ANY_KEY);
                out
            }
        }
    }

    /// `ClientProof` for an auth message: the client key masked with its signature.
    pub fn client_proof(self, salted_password: &[u8], auth_message: &[u8]) -> Vec<u8> {
        let client_key = self.hmac(salted_password, b"Client Key");
        let signature = self.hmac(&self.digest(&client_key), auth_message);
        client_key.iter().zip(signature).map(|(key, mask)| key ^ mask).collect()
    }

    /// `ServerSignature` for an auth message.
    pub fn server_signature(self, salted_password: &[u8], auth_message: &[u8]) -> Vec<u8> {
        let server_key = self.hmac(salted_password, b"Server Key");
        self.hmac(&server_key, auth_message)
    }
}

/// One authentication.
pub struct Client {
    hash: Hash,
    encoded_user: String,
    password: String,
    nonce: String,
    gs2_header: String,
    mandatory: Option<String>,
    extensions: Vec<String>,
    server_signature: Option<Vec<u8>>,
}

impl Client {
    /// A client without authorization id, channel binding or extensions. `nonce` is printable ASCII without commas;
    /// it must differ from one exchange to the next.
    pub fn new(hash: Hash, user: &str, password: &str, nonce: &str) -> Self {
        Self {
            hash,
            encoded_user: encode_name(user),
            password: password.to_owned(),
            nonce: nonce.to_owned(),
            gs2_header: "n,,".to_owned(),
            mandatory: None,
            extensions: Vec::new(),
            server_signature: None,
        }
    }

    /// Acts in the name of `authzid`.
    pub fn with_authzid(self, authzid: &str) -> Self {
        let header = format!("n,a={},", encode_name(authzid));
        self.with_gs2_header(&header)
    }

    /// Sends this GS2 header as it stands, and binds it into the proof. The usual one is `n,,`.
    pub fn with_gs2_header(mut self, header: &str) -> Self {
        header.clone_into(&mut self.gs2_header);
        self
    }

    /// Sends this user name as it stands, without encoding `,` and `=`.
    pub fn with_encoded_user(mut self, encoded: &str) -> Self {
        encoded.clone_into(&mut self.encoded_user);
        self
    }

    /// Appends an extension to the first message, e.g. `tokenauth=true` for a delegation token (KIP-48).
    pub fn with_extension(mut self, extension: &str) -> Self {
        self.extensions.push(extension.to_owned());
        self
    }

    /// Puts a mandatory extension (`m=...`) before the user name. No server knows any.
    pub fn with_mandatory_extension(mut self, extension: &str) -> Self {
        self.mandatory = Some(extension.to_owned());
        self
    }

    /// The first message.
    pub fn client_first(&self) -> Vec<u8> {
        format!("{}{}", self.gs2_header, self.client_first_bare()).into_bytes()
    }

    /// Checks the server's first message and answers it with the proof.
    pub fn client_final(&mut self, server_first: &[u8]) -> Result<Vec<u8>, ScramError> {
        let server_first = ServerFirst::read(server_first)?;
        let extends = server_first.nonce.len() > self.nonce.len()
            && server_first.nonce.starts_with(&self.nonce);
        if !extends {
            return Err(ScramError::Nonce);
        }
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&server_first.iterations) {
            return Err(ScramError::Iterations(server_first.iterations));
        }
        let without_proof = self.without_proof(&server_first.nonce);
        Ok(self.prove(&server_first, &without_proof))
    }

    /// Checks the server's last message: it must prove that the server knows the password too.
    pub fn verify(&self, server_final: &[u8]) -> Result<(), ScramError> {
        let expected = self.server_signature.as_ref().ok_or(ScramError::Early)?;
        let text = as_text(server_final)?;
        let first = text.split(',').next().unwrap_or_default();
        if let Some(error) = first.strip_prefix("e=") {
            return Err(ScramError::Server(error.to_owned()));
        }
        let signature = first
            .strip_prefix("v=")
            .and_then(|signature| STANDARD.decode(signature).ok())
            .ok_or(ScramError::Malformed("verifier"))?;
        if signature == *expected { Ok(()) } else { Err(ScramError::Signature) }
    }

    /// The last message up to its proof, saying `nonce`: channel binding (the GS2 header) and nonce.
    pub fn without_proof(&self, nonce: &str) -> String {
        format!("c={},r={nonce}", STANDARD.encode(&self.gs2_header))
    }

    /// Appends to `without_proof` the proof that is right for it, whatever it says, and remembers the server's
    /// signature for [`Client::verify`]. Nothing of `server_first` is checked, not even the iterations.
    pub fn prove(&mut self, server_first: &ServerFirst, without_proof: &str) -> Vec<u8> {
        let auth_message =
            format!("{},{},{without_proof}", self.client_first_bare(), server_first.text);
        let salted =
            self.hash.salted_password(&self.password, &server_first.salt, server_first.iterations);
        let proof = self.hash.client_proof(&salted, auth_message.as_bytes());
        self.server_signature = Some(self.hash.server_signature(&salted, auth_message.as_bytes()));
        format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes()
    }

    fn client_first_bare(&self) -> String {
        let mut bare = self.mandatory.as_ref().map(|m| format!("{m},")).unwrap_or_default();
        bare.push_str(&format!("n={},r={}", self.encoded_user, self.nonce));
        for extension in &self.extensions {
            bare.push(',');
            bare.push_str(extension);
        }
        bare
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("hash", &self.hash)
            .field("user", &self.encoded_user)
            .finish_non_exhaustive()
    }
}

/// The server's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFirst {
    /// The client's nonce with the server's behind it.
    pub nonce: String,
    /// Salt of the user.
    pub salt: Vec<u8>,
    /// How often to hash.
    pub iterations: u32,
    /// The message as it came; the proof covers it.
    pub text: String,
}

impl ServerFirst {
    /// Reads `r=<nonce>,s=<salt>,i=<iterations>` and lets further extensions be.
    pub fn read(message: &[u8]) -> Result<Self, ScramError> {
        let text = as_text(message)?;
        let mut parts = text.split(',');
        let mut part = |prefix: &'static str, name: &'static str| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(prefix))
                .ok_or(ScramError::Malformed(name))
        };
        if let Some(error) = text.strip_prefix("e=") {
            return Err(ScramError::Server(error.to_owned()));
        }
        let nonce = part("r=", "nonce")?;
        let salt = part("s=", "salt")?;
        let iterations = part("i=", "iterations")?;
        let digits = !iterations.is_empty() && iterations.bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self {
            nonce: nonce.to_owned(),
            salt: STANDARD.decode(salt).map_err(|_| ScramError::Malformed("salt"))?,
            iterations: iterations
                .parse()
                .ok()
                .filter(|_| digits)
                .ok_or(ScramError::Malformed("iterations"))?,
            text: text.to_owned(),
        })
    }
}

/// Why an exchange cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScramError {
    /// A message of the server is not UTF-8.
    Encoding,
    /// A field of the server's message is missing or cannot be read.
    Malformed(&'static str),
    /// The server's nonce does not extend ours.
    Nonce,
    /// The server asks for fewer than [`MIN_ITERATIONS`] or more than [`MAX_ITERATIONS`].
    Iterations(u32),
    /// The server's signature is wrong: it does not know the password.
    Signature,
    /// The server refuses with this error (`e=`).
    Server(String),
    /// [`Client::verify`] before [`Client::client_final`].
    Early,
}

impl fmt::Display for ScramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("the server's message is not UTF-8"),
            Self::Malformed(field) => write!(f, "the server's message has no readable {field}"),
            Self::Nonce => f.write_str("the server's nonce does not extend the client's"),
            Self::Iterations(iterations) => write!(
                f,
                "the server asks for {iterations} iterations, outside {MIN_ITERATIONS} to {MAX_ITERATIONS}"
            ),
            Self::Signature => f.write_str("the server's signature is wrong"),
            Self::Server(error) => write!(f, "the server refuses: {error}"),
            Self::Early => f.write_str("the server's signature came before the client's proof"),
        }
    }
}

impl Error for ScramError {}

/// `,` and `=` as RFC 5802 wants them in names.
pub fn encode_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn as_text(message: &[u8]) -> Result<&str, ScramError> {
    std::str::from_utf8(message).map_err(|_| ScramError::Encoding)
}
