//! TLS: the server's acceptor from PEM files, and a connector that trusts given roots.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::Error;

/// The ALPN name of the mux directly on TLS.
pub const ALPN_MUX: &str = "xumux/0.1";
/// The ALPN name of HTTP, inside which a WebSocket may be made.
pub const ALPN_HTTP: &str = "http/1.1";

/// Loads a certificate chain and its key, both PEM, into an acceptor for TLS 1.2 and 1.3.
///
/// `alpn` is what is offered, in the server's order of preference. A client without ALPN is
/// accepted, one without a name in common is refused.
pub fn acceptor(chain: &Path, key: &Path, alpn: &[&str]) -> Result<TlsAcceptor, Error> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| pem(key, source))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = alpn_list(alpn);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Makes a connector that trusts the certificates of one PEM file and nothing else.
pub fn connector(roots: &Path, alpn: &[&str]) -> Result<TlsConnector, Error> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(roots)? {
        store.add(certificate)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = alpn_list(alpn);
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Makes the server's half of the handshake, at most until the deadline.
pub async fn accept<S>(
    acceptor: &TlsAcceptor,
    stream: S,
    deadline: Instant,
) -> Result<server::TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = timeout_at(deadline.into(), acceptor.accept(stream)).await;
    Ok(handshake.map_err(|_| Error::TimedOut)??)
}

/// Makes the client's half of the handshake, at most until the deadline.
pub async fn connect<S>(
    connector: &TlsConnector,
    name: ServerName<'static>,
    stream: S,
    deadline: Instant,
) -> Result<client::TlsStream<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = timeout_at(deadline.into(), connector.connect(name, stream)).await;
    Ok(handshake.map_err(|_| Error::TimedOut)??)
}

/// What tells this connection from all others, the same on both of its sides; none before TLS 1.3.
// RFC 9266: the tls-exporter binding, which is unique only with TLS 1.3 or an extended master secret.
pub fn server_binding<S>(stream: &server::TlsStream<S>) -> Option<[u8; BINDING_BYTES]> {
    let (_, session) = stream.get_ref();
    if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let empty = [0; BINDING_BYTES];
    let exported = session.export_keying_material(empty, BINDING_LABEL, Some(&[]));
    exported.ok()
}

/// The client's side of [`server_binding`].
pub fn client_binding<S>(stream: &client::TlsStream<S>) -> Option<[u8; BINDING_BYTES]> {
    let (_, session) = stream.get_ref();
    if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let empty = [0; BINDING_BYTES];
    let exported = session.export_keying_material(empty, BINDING_LABEL, Some(&[]));
    exported.ok()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(|source| pem(path, source))?
        .collect();
    let certificates = certificates.map_err(|source| pem(path, source))?;
    if certificates.is_empty() {
        return Err(pem(path, rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn pem(path: &Path, source: rustls_pki_types::pem::Error) -> Error {
    Error::Pem {
        path: path.to_owned(),
        source,
    }
}

fn alpn_list(alpn: &[&str]) -> Vec<Vec<u8>> {
    alpn.iter().map(|name| name.as_bytes().to_vec()).collect()
}

/// What TLS is asked for.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// How many bytes of it.
pub const BINDING_BYTES: usize = 32;
