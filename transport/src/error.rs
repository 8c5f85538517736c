//! What can go wrong before a link exists.

use std::io;
use std::path::PathBuf;

use http::StatusCode;
use tokio_rustls::rustls;

/// Why a link could not be made.
///
/// Once a link is up it has no errors: it delivers [`Incoming::Closed`](crate::Incoming::Closed).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system or the remote broke the stream.
    #[error("stream: {0}")]
    Io(#[from] io::Error),

    /// The remote did not say what was due in time.
    #[error("the remote was silent for too long")]
    TimedOut,

    /// The remote does not speak the mux on a byte stream.
    #[error("the remote did not send the magic of the mux")]
    WrongMagic,

    /// A remote server answered the upgrade with something else.
    #[error("the server refused the WebSocket upgrade with status {0}")]
    Refused(StatusCode),

    /// A remote server broke the rules of the upgrade.
    #[error("the server's answer to the WebSocket upgrade is wrong: {0}")]
    BadUpgrade(&'static str),

    /// The address cannot be connected to.
    #[error("not an address of the form ws://HOST:PORT/PATH: {0}")]
    BadUrl(String),

    /// A header or sub-protocol of ours cannot be sent.
    #[error("cannot be sent in an HTTP header: {0}")]
    BadHeader(&'static str),

    /// A certificate or key file cannot be used.
    #[error("cannot use {path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },

    /// The TLS library refused the certificate, the key, or the remote.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}
