//! TLS configurations, by handshakes in memory against a rustls server.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use kconform_wire::tls::{Pem, TlsError, TlsOptions, Versions, client_config};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConnection, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;

/// A certificate and its key, as PEM.
struct Pair {
    cert: String,
    key: String,
}

impl Pair {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.cert.as_bytes()).unwrap()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

/// An authority with a server's and a client's certificate.
struct Authority {
    ca: String,
    server: Pair,
    client: Pair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            let cert = params.signed_by(&key, &issuer).unwrap().pem();
            Pair { cert, key: key.serialize_pem() }
        };
        Self { ca, server: signed("broker.test"), client: signed("client.test") }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap()).unwrap();
        roots
    }

    /// A server that offers `versions` and, with `mutual`, wants a certificate of this authority.
    fn server(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        mutual: bool,
    ) -> ServerConnection {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .unwrap();
        let builder = if mutual {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let config = builder.with_single_cert(self.server.chain(), self.server.key()).unwrap();
        ServerConnection::new(Arc::new(config)).unwrap()
    }

    fn trusting(&self) -> TlsOptions {
        TlsOptions { ca_pem: Some(pem(&self.ca)), ..TlsOptions::default() }
    }
}

fn pem(text: &str) -> Pem {
    Pem::Text(text.as_bytes().to_vec())
}

/// Carries bytes both ways until the handshake is done on both sides, and gives the server back.
fn handshake(
    options: &TlsOptions,
    name: &str,
    mut server: ServerConnection,
) -> Result<ServerConnection, String> {
    let config = client_config(options).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut &bytes[..]).unwrap();
        server.process_new_packets().map_err(|error| format!("server: {error}"))?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut &bytes[..]).unwrap();
        client.process_new_packets().map_err(|error| format!("client: {error}"))?;
        if !client.is_handshaking() && !server.is_handshaking() && !client.wants_write() {
            return Ok(server);
        }
    }
    Err("the handshake does not end".to_owned())
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12, &rustls::version::TLS13];
const OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const NEW: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

#[test]
fn a_trusted_server_is_accepted_and_no_other() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = || ours.server(BOTH, false);
    let done = handshake(&ours.trusting(), "broker.test", server()).unwrap();
    assert_eq!(done.server_name(), Some("broker.test"));
    let unknown = handshake(&other.trusting(), "broker.test", server()).unwrap_err();
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let misnamed = handshake(&ours.trusting(), "elsewhere.test", server()).unwrap_err();
    assert!(misnamed.contains("not valid for name"), "{misnamed}");

    let lenient = TlsOptions { verify: false, ..other.trusting() };
    for versions in [Versions::Only12, Versions::Only13] {
        let lenient = TlsOptions { versions, ..lenient.clone() };
        handshake(&lenient, "elsewhere.test", server()).unwrap();
    }
}

/// An empty `ssl.endpoint.identification.algorithm` in Kafka's clients: any name, but no other authority.
#[test]
fn an_unchecked_name_still_needs_the_authority() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    for versions in [Versions::Only12, Versions::Only13] {
        let server = || ours.server(BOTH, false);
        let any_name = TlsOptions { check_name: false, versions, ..ours.trusting() };
        handshake(&any_name, "elsewhere.test", server()).unwrap();
        let stranger = TlsOptions { check_name: false, versions, ..other.trusting() };
        let refused = handshake(&stranger, "broker.test", server()).unwrap_err();
        assert!(refused.contains("UnknownIssuer"), "{refused}");
    }
}

#[test]
fn the_versions_offered() {
    let authority = Authority::new("ours");
    let with = |versions, server| {
        let options = TlsOptions { versions, ..authority.trusting() };
        handshake(&options, "broker.test", authority.server(server, false))
            .map(|server| server.protocol_version().unwrap())
    };
    assert_eq!(with(Versions::Both, BOTH), Ok(ProtocolVersion::TLSv1_3));
    assert_eq!(with(Versions::Only12, BOTH), Ok(ProtocolVersion::TLSv1_2));
    assert_eq!(with(Versions::Only13, BOTH), Ok(ProtocolVersion::TLSv1_3));
    assert!(with(Versions::Only13, OLD).is_err());
    assert!(with(Versions::Only12, NEW).is_err());
}

#[test]
fn the_name_can_be_kept_back() {
    let authority = Authority::new("ours");
    let options = TlsOptions { send_server_name: false, ..authority.trusting() };
    let done = handshake(&options, "broker.test", authority.server(BOTH, false)).unwrap();
    assert_eq!(done.server_name(), None);
}

#[test]
fn mutual_tls() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let with = |pair: Option<&Pair>, versions| {
        let options = TlsOptions {
            client_cert_pem: pair.map(|pair| pem(&pair.cert)),
            client_key_pem: pair.map(|pair| pem(&pair.key)),
            versions,
            ..ours.trusting()
        };
        handshake(&options, "broker.test", ours.server(BOTH, true))
    };
    for versions in [Versions::Only12, Versions::Only13] {
        let done = with(Some(&ours.client), versions).unwrap();
        assert_eq!(done.peer_certificates(), Some(&ours.client.chain()[..]));
        let without = with(None, versions).unwrap_err();
        assert!(without.starts_with("server: peer sent no certificates"), "{without}");
        let foreign = with(Some(&other.client), versions).unwrap_err();
        assert!(foreign.contains("UnknownIssuer"), "{foreign}");
    }
}

fn file(folder: &TempDir, name: &str, text: &str) -> Pem {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    Pem::File(path)
}

#[test]
fn files_serve_as_well_as_text() {
    let authority = Authority::new("ours");
    let folder = TempDir::new().unwrap();
    let options = TlsOptions {
        ca_pem: Some(file(&folder, "ca.pem", &authority.ca)),
        client_cert_pem: Some(file(&folder, "client.pem", &authority.client.cert)),
        client_key_pem: Some(file(&folder, "client.key", &authority.client.key)),
        ..TlsOptions::default()
    };
    handshake(&options, "broker.test", authority.server(BOTH, true)).unwrap();
}

#[test]
fn errors_name_the_file() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let folder = TempDir::new().unwrap();
    let error = |options: TlsOptions| client_config(&options).unwrap_err();
    let ca = |ca_pem| TlsOptions { ca_pem: Some(ca_pem), ..TlsOptions::default() };

    let missing = error(ca(Pem::File(folder.path().join("missing.pem"))));
    assert!(
        matches!(missing, TlsError::Read(..)) && missing.to_string().contains("missing.pem"),
        "{missing}"
    );
    let empty = error(ca(file(&folder, "empty.pem", "nothing here")));
    assert!(
        empty.to_string().contains("no usable certificate in")
            && empty.to_string().contains("empty.pem")
    );
    let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    let broken = error(ca(file(&folder, "broken.pem", broken)));
    assert!(broken.to_string().contains("broken.pem"), "{broken}");
    let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let hollow = error(ca(file(&folder, "hollow.pem", hollow)));
    assert!(hollow.to_string().contains("hollow.pem"), "{hollow}");

    let cert = file(&folder, "client.pem", &ours.client.cert);
    let half = error(TlsOptions { client_cert_pem: Some(cert.clone()), ..ours.trusting() });
    assert!(
        half.to_string().contains("client key that belongs to")
            && half.to_string().contains("client.pem")
    );
    let key = file(&folder, "other.key", &other.client.key);
    let half = error(TlsOptions { client_key_pem: Some(key.clone()), ..ours.trusting() });
    assert!(half.to_string().contains("client certificate that belongs to"), "{half}");

    let pair = |key| TlsOptions {
        client_cert_pem: Some(cert.clone()),
        client_key_pem: Some(key),
        ..ours.trusting()
    };
    let mismatch = error(pair(key)).to_string();
    assert!(mismatch.contains("client.pem") && mismatch.contains("other.key"), "{mismatch}");
    let no_key = error(pair(cert.clone()));
    assert!(no_key.to_string().contains("no usable private key in"), "{no_key}");
}

#[test]
fn what_is_shown_of_pem_text_is_nothing() {
    let shown = format!("{:?}", pem("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(shown, "Pem(the PEM text given)");
}
