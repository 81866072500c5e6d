//! The certificates of the TLS listeners, made anew for each cluster.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};

/// Paths of what a client needs for the TLS listeners. The files live as long as the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// The authority that signed the brokers' certificate (SAN `DNS:localhost, IP:127.0.0.1`), PEM.
    pub ca: PathBuf,
    /// The client's certificate (`CN=alice`, so that the mTLS listener takes it for `User:alice`)
    /// and the authority, PEM.
    pub client: PathBuf,
    /// The client's private key, PKCS#8 PEM.
    pub client_key: PathBuf,
}

/// The key store of the brokers within the certificates' directory.
pub(crate) const SERVER_STORE: &str = "server.pem";
/// The trust store of brokers and clients within the certificates' directory.
pub(crate) const TRUST_STORE: &str = "ca.pem";

/// Makes authority, server and client certificate in a directory.
///
/// # Errors
///
/// The directory cannot be written, or the system has no randomness.
pub(crate) fn write(dir: &Path) -> io::Result<Certificates> {
    let pems = generate().map_err(io::Error::other)?;
    fs::create_dir_all(dir)?;
    let certificates = Certificates {
        ca: dir.join(TRUST_STORE),
        client: dir.join("client.pem"),
        client_key: dir.join("client.key"),
    };
    // The order matters: Kafka's `DefaultSslEngineFactory.PemStore` reads the key, then the chain
    // from the leaf up.
    fs::write(dir.join(SERVER_STORE), format!("{}{}{}", pems.server_key, pems.server, pems.ca))?;
    fs::write(&certificates.ca, &pems.ca)?;
    fs::write(&certificates.client, format!("{}{}", pems.client, pems.ca))?;
    fs::write(&certificates.client_key, &pems.client_key)?;
    Ok(certificates)
}

struct Pems {
    ca: String,
    server: String,
    server_key: String,
    client: String,
    client_key: String,
}

fn generate() -> Result<Pems, rcgen::Error> {
    let mut authority = params("kconform test authority", &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let ca = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut server = params("localhost", &["localhost", "127.0.0.1"])?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Brokers are clients of each other when the inter-broker listener is TLS.
    server.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let server_key = KeyPair::generate()?;

    let mut client = params("alice", &[])?;
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client_key = KeyPair::generate()?;

    Ok(Pems {
        ca: ca.pem(),
        server: server.signed_by(&server_key, &issuer)?.pem(),
        server_key: server_key.serialize_pem(),
        client: client.signed_by(&client_key, &issuer)?.pem(),
        client_key: client_key.serialize_pem(),
    })
}

fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_key_store_holds_key_certificate_and_authority_in_this_order() {
        let dir = tempfile::tempdir().unwrap();
        let certificates = write(&dir.path().join("certs")).unwrap();
        let store = fs::read_to_string(dir.path().join("certs").join(SERVER_STORE)).unwrap();
        let heads: Vec<&str> =
            store.lines().filter(|line| line.starts_with("-----BEGIN")).collect();
        // "PRIVATE KEY" without an algorithm before it is PKCS#8, the only form that Kafka reads.
        assert_eq!(
            heads,
            [
                "-----BEGIN PRIVATE KEY-----",
                "-----BEGIN CERTIFICATE-----",
                "-----BEGIN CERTIFICATE-----"
            ]
        );
        let ca = fs::read_to_string(&certificates.ca).unwrap();
        assert!(store.ends_with(&ca));
        assert!(fs::read_to_string(&certificates.client).unwrap().ends_with(&ca));
        assert!(
            fs::read_to_string(&certificates.client_key)
                .unwrap()
                .starts_with("-----BEGIN PRIVATE KEY-----")
        );
    }
}
