//! Just enough of the protocol, byte by byte, to see that a listener works.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How a login ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Accepted,
    Refused,
}

/// A connection that does not wait for ever.
pub(crate) fn connect(endpoint: &str) -> io::Result<TcpStream> {
    let address = endpoint.to_socket_addrs()?.find(std::net::SocketAddr::is_ipv4);
    let stream = TcpStream::connect(address.ok_or_else(|| io::Error::other("no address"))?)?;
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    Ok(stream)
}

/// Sends a request with header version 1 and gives back the answer from its correlation id on.
pub(crate) fn call(
    stream: &mut (impl Read + Write),
    key: u8,
    version: u8,
    body: &[u8],
) -> io::Result<Vec<u8>> {
    let mut request = vec![0, 0, 0, 0, 0, key, 0, version, 0, 0, 0, 7, 0xff, 0xff];
    request.extend(body);
    let size = u32::try_from(request.len() - 4).map_err(io::Error::other)?;
    request[..4].copy_from_slice(&size.to_be_bytes());
    stream.write_all(&request)?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut answer = vec![0; u32::from_be_bytes(size).min(1 << 20) as usize];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer[..4], [0, 0, 0, 7]);
    Ok(answer)
}

/// How many brokers an endpoint lists (Metadata version 1).
pub(crate) fn brokers_at(endpoint: &str) -> io::Result<usize> {
    brokers(&mut connect(endpoint)?)
}

/// The same over TLS, with the name checked, and with a client certificate if there is one.
pub(crate) fn brokers_over_tls(
    endpoint: &str,
    ca: &Path,
    client: Option<(&Path, &Path)>,
) -> io::Result<usize> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
            builder.with_client_auth_cert(certificates(chain)?, key).map_err(io::Error::other)?
        }
    };
    let (host, _) = endpoint.split_once(':').ok_or_else(|| io::Error::other("no port"))?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    brokers(&mut StreamOwned::new(session, connect(endpoint)?))
}

/// Logs in with PLAIN (SaslHandshake version 1, SaslAuthenticate version 0).
pub(crate) fn log_in(endpoint: &str, user: &str, password: &str) -> io::Result<Login> {
    let mut stream = connect(endpoint)?;
    let handshake = call(&mut stream, 17, 1, b"\x00\x05PLAIN")?;
    assert_eq!(handshake[4..6], [0, 0], "the mechanism is not enabled");
    let token = format!("\0{user}\0{password}");
    let mut body = u32::try_from(token.len()).map_err(io::Error::other)?.to_be_bytes().to_vec();
    body.extend(token.as_bytes());
    let answer = call(&mut stream, 36, 0, &body)?;
    match i16::from_be_bytes([answer[4], answer[5]]) {
        0 => Ok(Login::Accepted),
        // SASL_AUTHENTICATION_FAILED
        58 => Ok(Login::Refused),
        other => Err(io::Error::other(format!("error code {other}"))),
    }
}

fn brokers(stream: &mut (impl Read + Write)) -> io::Result<usize> {
    let answer = call(stream, 3, 1, &[0, 0, 0, 0])?;
    Ok(u32::from_be_bytes([answer[4], answer[5], answer[6], answer[7]]) as usize)
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let reader = BufReader::new(File::open(path)?);
    CertificateDer::pem_reader_iter(reader).collect::<Result<_, _>>().map_err(io::Error::other)
}
