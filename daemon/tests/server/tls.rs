//! The same port, encrypted.

use std::time::Instant;

use rustls_pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vroom_transport::{stream, tls};

use crate::client::{Client, login, token};
use crate::daemon::{Daemon, WAIT};

/// Starts a server with a certificate of its own; returns the certificate's place.
fn start() -> (Daemon, std::path::PathBuf) {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert_arg, key_arg) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let args = [
        "--desktop",
        "none",
        "--tls-cert",
        cert_arg,
        "--tls-key",
        key_arg,
    ];
    (Daemon::start_in(folder, "", &args, &[]), cert)
}

async fn connect(
    daemon: &Daemon,
    cert: &std::path::Path,
    alpn: &str,
) -> impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + use<> {
    let connector = tls::connector(cert, &[alpn]).unwrap();
    let socket = TcpStream::connect(daemon.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    tls::connect(&connector, name, socket, Instant::now() + WAIT)
        .await
        .unwrap()
}

#[tokio::test]
async fn http_and_the_mux_are_told_apart_inside_tls() {
    let (daemon, cert) = start();
    let mut stream = connect(&daemon, &cert, tls::ALPN_HTTP).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let stream = connect(&daemon, &cert, tls::ALPN_MUX).await;
    let (rx, tx) = stream::connect(stream, Instant::now() + WAIT)
        .await
        .unwrap();
    let mut client = Client::over(rx, tx, Some(token(&daemon)));
    client.welcome().await;
}

#[tokio::test]
async fn loopback_may_still_speak_plainly() {
    let (daemon, _) = start();
    assert_eq!(login(&daemon, daemon.token()).await.0, 200);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n[limits]\npre_auth_ms = 500\n");
    let daemon = Daemon::start_in(folder, &config, &["--desktop", "none"], &[]);
    let started = Instant::now();
    crate::client::raw(&daemon, b"\x16\x03\x01\x00\xff\x01").await;
    assert!(started.elapsed().as_secs() < 5);
}
