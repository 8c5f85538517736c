//! TLS, with certificates made on the spot.

use std::path::PathBuf;

use rustls_pki_types::ServerName;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use vroom_transport::{Error, sniff, stream, tls};

use crate::common::{Side, soon};

/// A self-signed certificate for `localhost` and its key, as files.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    _directory: TempDir,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let certificate = directory.path().join("certificate.pem");
        let key = directory.path().join("key.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self {
            certificate,
            key,
            _directory: directory,
        }
    }
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(client, listener.accept());
    (client.unwrap(), server.unwrap().0)
}

fn localhost() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

#[tokio::test]
async fn a_connection_works_over_tls_behind_the_sniffer() {
    let identity = Identity::new();
    let alpn = [tls::ALPN_MUX, tls::ALPN_HTTP];
    let acceptor = tls::acceptor(&identity.certificate, &identity.key, &alpn).unwrap();
    let connector = tls::connector(&identity.certificate, &[tls::ALPN_MUX]).unwrap();
    let (far, near) = tcp_pair().await;
    let serving = async {
        let (spoken, near) = sniff::sniff(near, soon()).await.unwrap();
        assert_eq!(spoken, sniff::Spoken::Tls);
        let near = tls::accept(&acceptor, near, soon()).await.unwrap();
        assert_eq!(
            near.get_ref().1.alpn_protocol(),
            Some(tls::ALPN_MUX.as_bytes())
        );
        let (spoken, near) = sniff::sniff(near, soon()).await.unwrap();
        assert_eq!(spoken, sniff::Spoken::Mux);
        stream::accept(near, soon()).await.unwrap()
    };
    let connecting = async {
        let far = tls::connect(&connector, localhost(), far, soon())
            .await
            .unwrap();
        stream::connect(far, soon()).await.unwrap()
    };
    let (server, client) = tokio::join!(serving, connecting);
    let (mut server, mut client) = (Side::server(server), Side::client(client));
    let id = client.channel().await;
    server.channel().await;
    client.send_many(id, 200, 10_000);
    server.send_many(id, 200, 10_000);
    server.messages(200, 10_000).await;
    client.messages(200, 10_000).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused() {
    let (ours, theirs) = (Identity::new(), Identity::new());
    let acceptor = tls::acceptor(&theirs.certificate, &theirs.key, &[]).unwrap();
    let connector = tls::connector(&ours.certificate, &[]).unwrap();
    let (far, near) = tcp_pair().await;
    let (_, refused) = tokio::join!(
        tls::accept(&acceptor, near, soon()),
        tls::connect(&connector, localhost(), far, soon()),
    );
    assert!(matches!(refused, Err(Error::Io(_))));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let identity = Identity::new();
    let missing = identity.certificate.with_file_name("missing.pem");
    let refused = tls::acceptor(&missing, &identity.key, &[])
        .map(|_| ())
        .unwrap_err();
    assert!(refused.to_string().contains("missing.pem"), "{refused}");
    // A key where a certificate should be.
    let refused = tls::acceptor(&identity.key, &identity.key, &[])
        .map(|_| ())
        .unwrap_err();
    assert!(refused.to_string().contains("key.pem"), "{refused}");
    let other = Identity::new();
    let refused = tls::acceptor(&identity.certificate, &other.key, &[]);
    assert!(
        matches!(refused, Err(Error::Tls(_))),
        "a key that does not fit"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_in_place_of_a_handshake_ends_at_the_deadline() {
    let identity = Identity::new();
    let acceptor = tls::acceptor(&identity.certificate, &identity.key, &[]).unwrap();
    let (near, _far) = tokio::io::duplex(64);
    assert!(matches!(
        tls::accept(&acceptor, near, soon()).await,
        Err(Error::TimedOut)
    ));
}
