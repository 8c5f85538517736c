//! Being let in by SSH keys and pairing codes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use rustls_pki_types::ServerName;
use signature::Signer as _;
use ssh_key::PrivateKey;
use ssh_key::private::Ed25519Keypair;
use tempfile::TempDir;
use tokio::net::TcpStream;
use vroom_protocol::Code;
use vroom_protocol::terminal::{AuthMethod, AuthRequest, PtyRequest, PublicKeyProof, signed_data};
use vroom_transport::{LinkRx, LinkTx, stream, tls};

use crate::client::{Client, http, tcp};
use crate::daemon::{Daemon, WAIT, command};
use crate::terminal::Terminal;

fn key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))
}

fn blob() -> Bytes {
    key().public_key().to_bytes().unwrap().into()
}

/// Writes a line for the key, and starts a server that believes it.
fn start(options: &str, args: &[&str]) -> Daemon {
    let folder = tempfile::tempdir().unwrap();
    start_in(folder, options, args)
}

fn start_in(folder: TempDir, options: &str, args: &[&str]) -> Daemon {
    let path = folder.path().join("authorized_keys");
    let line = format!("{options}{}\n", key().public_key().to_openssh().unwrap());
    std::fs::write(&path, line).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let args = [&["--desktop", "none", "--authorized-keys", &path], args].concat();
    Daemon::start_in(folder, "", &args, &[])
}

fn request(proof: Option<PublicKeyProof>) -> AuthRequest {
    AuthRequest {
        user: None,
        method: AuthMethod::PublicKey {
            algorithm: "ssh-ed25519".to_owned(),
            key: blob(),
            proof,
        },
    }
}

fn user() -> String {
    vroom_terminal::Account::current().unwrap().name
}

fn sign(nonce: &Bytes, binding: &[u8]) -> PublicKeyProof {
    let data = signed_data(nonce, binding, &user(), &blob());
    let signature = key().try_sign(&data).unwrap();
    PublicKeyProof {
        nonce: nonce.clone(),
        signature: Vec::<u8>::try_from(signature).unwrap().into(),
    }
}

/// Shows the key, bound to something.
async fn prove(
    client: &mut Client<impl LinkRx, impl LinkTx>,
    suffix: &str,
    binding: &[u8],
) -> (Terminal, Result<(), Code>) {
    let mut terminal = Terminal::start(client, suffix).await.unwrap();
    let nonce = terminal.challenge(client, request(None)).await;
    let proof = sign(&nonce, binding);
    let proved = terminal.authenticate(client, request(Some(proof))).await;
    (terminal, proved)
}

#[tokio::test]
async fn a_key_opens_once_per_nonce_and_no_more_than_its_line_says() {
    let daemon = start("no-pty,command=\"echo forced $SSH_ORIGINAL_COMMAND\" ", &[]);
    let mut client = tcp(&daemon, None).await;
    client.welcome().await;
    let (mut terminal, proved) = prove(&mut client, "", &[]).await;
    assert_eq!(proved, Ok(()));
    let refused = terminal.ask(&mut client, PtyRequest::default()).await;
    assert_eq!(refused, Err(Code::NOT_ALLOWED));
    let mut pipes = Terminal::inherit(&mut client, "#2").await;
    pipes.exec(&mut client, "id").await;
    assert_eq!(pipes.exit(&mut client).await.exit_code, Some(0));
    assert_eq!(String::from_utf8_lossy(&pipes.output), "forced id\n");
    assert_eq!(client.open("file-transfer").await, Err(Code::NOT_ALLOWED));
}

#[tokio::test]
async fn a_replayed_signature_is_worth_nothing() {
    let daemon = start("", &[]);
    let mut client = tcp(&daemon, None).await;
    client.welcome().await;
    let mut terminal = Terminal::start(&mut client, "").await.unwrap();
    let nonce = terminal.challenge(&mut client, request(None)).await;
    let proof = sign(&nonce, &[]);
    let again = terminal.challenge(&mut client, request(None)).await;
    assert_ne!(nonce, again);
    let replayed = terminal
        .authenticate(&mut client, request(Some(proof)))
        .await;
    assert_eq!(replayed, Err(Code::AUTH_FAILED));
}

#[tokio::test]
async fn a_key_from_elsewhere_or_too_late_is_not_let_in() {
    for options in [
        "from=\"192.0.2.1\" ",
        "expiry-time=\"20200101\" ",
        "unknown-option ",
    ] {
        let daemon = start(options, &[]);
        let mut client = tcp(&daemon, None).await;
        client.welcome().await;
        let (_, proved) = prove(&mut client, "", &[]).await;
        assert_eq!(proved, Err(Code::AUTH_FAILED), "{options}");
    }
}

/// A certificate for `localhost` in a folder.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert, key)
}

#[tokio::test]
async fn inside_tls_a_signature_is_bound_to_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(folder.path());
    let args = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let daemon = start_in(folder, "", &args);
    let connect = async || {
        let connector = tls::connector(&cert, &[tls::ALPN_MUX]).unwrap();
        let socket = TcpStream::connect(daemon.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let deadline = Instant::now() + WAIT;
        let encrypted = tls::connect(&connector, name, socket, deadline)
            .await
            .unwrap();
        let binding = tls::client_binding(&encrypted).unwrap();
        let (rx, tx) = stream::connect(encrypted, deadline).await.unwrap();
        let mut client = Client::over(rx, tx, None);
        client.welcome().await;
        (client, binding)
    };
    let (mut first, binding) = connect().await;
    let (mut second, other) = connect().await;
    assert_ne!(binding, other);
    assert_eq!(
        prove(&mut second, "", &binding).await.1,
        Err(Code::AUTH_FAILED)
    );
    assert_eq!(
        prove(&mut second, "#2", &[]).await.1,
        Err(Code::AUTH_FAILED)
    );
    assert_eq!(prove(&mut first, "", &binding).await.1, Ok(()));
}

#[tokio::test]
async fn a_pairing_code_works_once() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let asked = command(daemon.folder()).arg("pair").output().unwrap();
    assert!(asked.status.success(), "{asked:?}");
    let said = String::from_utf8(asked.stdout).unwrap();
    let code: String = said.chars().take(9).collect();
    let body = serde_json::json!({ "code": code }).to_string();
    let json = [("Content-Type", "application/json")];
    let (status, _, answer) = http(&daemon, "POST", "/pair", &json, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"owner\""));
    let (status, _, _) = http(&daemon, "POST", "/pair", &json, &body).await;
    assert_eq!(status, 401);
    let nobody = tempfile::tempdir().unwrap();
    let asked = command(nobody.path()).arg("pair").output().unwrap();
    assert_eq!(asked.status.code(), Some(1));
}
