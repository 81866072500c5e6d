//! TLS configuration of a connection, from PEM files or PEM text.
//!
//! The cryptography is ring's, named explicitly: another provider linked in by chance must not decide.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// Where PEM comes from. `Debug` names the source and shows nothing of the content.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file.
    File(PathBuf),
    /// The text itself.
    Text(Vec<u8>),
}

/// Which versions of TLS the client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

/// How to speak TLS to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificates to trust; without it those of the operating system.
    pub ca_pem: Option<Pem>,
    /// The client's own certificate and those that vouch for it, for mutual TLS. Needs `client_key_pem`.
    pub client_cert_pem: Option<Pem>,
    /// The key of the client's certificate. Needs `client_cert_pem`.
    pub client_key_pem: Option<Pem>,
    /// The name that the server's certificate must bear in place of the host dialled. Taken up by the dial.
    pub server_name: Option<String>,
    /// Whether the server's certificate is checked at all.
    pub verify: bool,
    /// Whether the certificate must bear the server's name; `false` still wants one that the CA vouches for, as an empty
    /// `ssl.endpoint.identification.algorithm` does in Kafka's clients.
    pub check_name: bool,
    /// Which versions are offered.
    pub versions: Versions,
    /// Whether the name is sent to the server (SNI).
    pub send_server_name: bool,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            ca_pem: None,
            client_cert_pem: None,
            client_key_pem: None,
            server_name: None,
            verify: true,
            check_name: true,
            versions: Versions::Both,
            send_server_name: true,
        }
    }
}

/// The configuration that these options describe. Reads the files they name.
pub fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let versions = match options.versions {
        Versions::Both => &[&TLS12, &TLS13][..],
        Versions::Only12 => &[&TLS12],
        Versions::Only13 => &[&TLS13],
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(TlsError::Rustls)?;
    let builder = if options.verify && options.check_name {
        builder.with_root_certificates(roots(options.ca_pem.as_ref())?)
    } else if options.verify {
        let roots = Arc::new(roots(options.ca_pem.as_ref())?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| TlsError::Rustls(rustls::Error::General(error.to_string())))?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyName(verifier)))
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
    };
    let mut config = match (&options.client_cert_pem, &options.client_key_pem) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|error| TlsError::ClientPair(cert.to_string(), key.to_string(), error))?,
        (Some(cert), None) => return Err(TlsError::Half("key", cert.to_string())),
        (None, Some(key)) => return Err(TlsError::Half("certificate", key.to_string())),
    };
    config.enable_sni = options.send_server_name;
    Ok(Arc::new(config))
}

/// Why there is no configuration. Names the file at fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The file cannot be read.
    Read(String, std::io::Error),
    /// The file holds no PEM of the kind wanted, or a broken one.
    Pem {
        /// The file.
        source: String,
        /// What was wanted: `certificate` or `private key`.
        wanted: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Only one half of the client's pair was given: the missing half, and where the other is.
    Half(&'static str, String),
    /// The client's certificate (first file) and key (second) do not make a pair.
    ClientPair(String, String, rustls::Error),
    /// No CA was named, and the operating system offers none.
    NoSystemRoots(String),
    /// rustls refuses the rest.
    Rustls(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(source, error) => write!(f, "cannot read {source}: {error}"),
            Self::Pem { source, wanted, reason } => {
                write!(f, "no usable {wanted} in {source}: {reason}")
            }
            Self::Half(missing, given) => {
                write!(f, "the client {missing} that belongs to {given} is missing")
            }
            Self::ClientPair(cert, key, error) => {
                write!(f, "{cert} and {key} are not usable as a client certificate: {error}")
            }
            Self::NoSystemRoots(reason) => {
                write!(
                    f,
                    "the operating system offers no trusted certificates, name a CA file: {reason}"
                )
            }
            Self::Rustls(error) => write!(f, "TLS cannot be configured: {error}"),
        }
    }
}

impl Error for TlsError {}

impl Pem {
    fn bytes(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::File(path) => {
                fs::read(path).map_err(|error| TlsError::Read(self.to_string(), error))
            }
            Self::Text(text) => Ok(text.clone()),
        }
    }

    fn unusable(&self, wanted: &'static str, reason: &dyn fmt::Display) -> TlsError {
        TlsError::Pem { source: self.to_string(), wanted, reason: reason.to_string() }
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Text(_) => f.write_str("the PEM text given"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({self})")
    }
}

fn roots(ca: Option<&Pem>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            return Err(TlsError::NoSystemRoots(reasons.join("; ")));
        }
        return Ok(roots);
    };
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| ca.unusable("certificate", &error))?;
    }
    Ok(roots)
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.bytes()?).collect();
    let found = found.map_err(|error| pem.unusable("certificate", &error))?;
    if found.is_empty() {
        return Err(pem.unusable("certificate", &"there is none"));
    }
    Ok(found)
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&pem.bytes()?)
        .map_err(|error| pem.unusable("private key", &error))
}

/// Takes every certificate that the CA vouches for, whatever name it bears. The chain is judged before the name is, so that a wrong
/// name is the only thing wrong.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
        let judged =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match judged {
            Err(rustls::Error::InvalidCertificate(
                NotValidForName | NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Takes every certificate, but still makes the server prove that it has the key.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
