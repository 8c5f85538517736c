//! TLS with a certificate that is vouched for by the system or known by its key.

use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::{TlsConnector, client};

use crate::trust::Fingerprint;

/// What was found out about the server while the handshake ran.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The fingerprint of its key.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether an authority of this system vouches for it under its name.
    pub(super) vouched: bool,
}

/// Makes a connector, and where it notes what it saw.
///
/// The handshake takes every certificate whose key the server proves to hold. Whether that key is
/// the right one is decided after the handshake and before anything is said inside.
pub(super) fn connector(
    alpn: &str,
) -> Result<(TlsConnector, Arc<Mutex<Seen>>), vroom_transport::Error> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        authorities: authorities(&provider),
        provider: Arc::clone(&provider),
        seen: Arc::clone(&seen),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    Ok((TlsConnector::from(Arc::new(config)), seen))
}

/// What signatures are bound to on this stream.
// RFC 9266.
pub(super) fn binding<S>(stream: &client::TlsStream<S>) -> Vec<u8> {
    let (_, session) = stream.get_ref();
    let exported = session.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
    // Without one the server refuses the signature, which is told.
    exported.map(|bytes| bytes.to_vec()).unwrap_or_default()
}

#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Arc<Mutex<Seen>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, tokio_rustls::rustls::Error> {
        let vouched = self.authorities.as_ref().is_some_and(|authorities| {
            authorities
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .is_ok()
        });
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            fingerprint: Fingerprint::of_certificate(end_entity),
            vouched,
        };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, tokio_rustls::rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// The authorities that this system trusts; none where it has none.
fn authorities(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .ok()
}
