//! Agents: OpenSSH's own, and one that holds a FIDO token which is only software.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use signature::Signer as _;
use ssh_key::private::Ed25519Keypair;
use vroom_tests::pty::PATIENCE;

use super::stage::tool;

/// Makes a key of OpenSSH's in a file; its public half lies beside it.
pub(crate) fn keygen(path: &Path, passphrase: &str) {
    let path = path.display().to_string();
    let line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C"];
    tool(
        "openssh-client",
        &[&line[..], &["a key of a test", "-f", &path]].concat(),
    );
}

/// The public half of a key.
pub(crate) fn public(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

/// The ssh-agent of OpenSSH, without any keys. It ends with this value.
pub(crate) struct SshAgent {
    child: Child,
    socket: PathBuf,
}

impl SshAgent {
    /// Starts one whose socket is in a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("ssh-agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let child = match child {
            Ok(child) => child,
            Err(error) => panic!("ssh-agent: {error}; it is in the Debian package openssh-client"),
        };
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "the ssh-agent does not start");
            std::thread::yield_now();
        }
        Self { child, socket }
    }

    /// Adds a key without a passphrase.
    pub(crate) fn add(&self, key: &Path) {
        let socket = format!("SSH_AUTH_SOCK={}", self.socket.display());
        let key = key.display().to_string();
        tool("openssh-client", &["env", &socket, "ssh-add", "-q", &key]);
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> String {
        self.socket.display().to_string()
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An agent with one `sk-ssh-ed25519` key that is held by no token: the signatures are genuine, and
/// the touch that they tell of never happened.
pub(crate) struct SoftwareToken {
    socket: PathBuf,
    signed: Arc<AtomicU32>,
}

impl SoftwareToken {
    /// Starts one whose socket is in a folder; it ends with the process.
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("software-token");
        let listener = UnixListener::bind(&socket).unwrap();
        let signed = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&signed);
        std::thread::spawn(move || {
            let key = Ed25519Keypair::from_seed(&[11; 32]);
            for stream in listener.incoming() {
                // A client that goes away in the middle is no concern of the others.
                drop(serve(stream.unwrap(), &key, &counter));
            }
        });
        Self { socket, signed }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> String {
        self.socket.display().to_string()
    }

    /// How often it has signed.
    pub(crate) fn signed(&self) -> u32 {
        self.signed.load(Ordering::SeqCst)
    }

    /// The line of `authorized_keys` that lets it in.
    pub(crate) fn line() -> String {
        use base64::Engine as _;
        let blob = blob(&Ed25519Keypair::from_seed(&[11; 32]));
        let blob = base64::engine::general_purpose::STANDARD.encode(blob);
        format!("{ALGORITHM} {blob} software\n")
    }
}

fn serve(mut stream: UnixStream, key: &Ed25519Keypair, signed: &AtomicU32) -> std::io::Result<()> {
    loop {
        let mut len = [0; 4];
        stream.read_exact(&mut len)?;
        let mut request = vec![0; u32::from_be_bytes(len) as usize];
        stream.read_exact(&mut request)?;
        let answer = match request[0] {
            // SSH_AGENTC_REQUEST_IDENTITIES
            11 => [
                &[12, 0, 0, 0, 1][..],
                &text(&blob(key)),
                &text(b"a token in software"),
            ]
            .concat(),
            // SSH_AGENTC_SIGN_REQUEST
            13 => {
                let (asked, rest) = take(&request[1..]);
                assert_eq!(asked, blob(key));
                let (data, _) = take(rest);
                let counter = signed.fetch_add(1, Ordering::SeqCst) + 1;
                [&[14][..], &text(&sign(key, data, counter))].concat()
            }
            _ => vec![5],
        };
        stream.write_all(&text(&answer))?;
    }
}

/// Signs as a token does: over hashes of the application and the data, flags and a counter.
fn sign(key: &Ed25519Keypair, data: &[u8], counter: u32) -> Vec<u8> {
    let signed = [
        &Sha256::digest(APPLICATION)[..],
        &[TOUCHED],
        &counter.to_be_bytes(),
        &Sha256::digest(data)[..],
    ]
    .concat();
    let signature: ssh_key::Signature = key.sign(&signed);
    [
        &text(ALGORITHM.as_bytes())[..],
        &text(signature.as_bytes()),
        &[TOUCHED],
        &counter.to_be_bytes(),
    ]
    .concat()
}

fn blob(key: &Ed25519Keypair) -> Vec<u8> {
    [
        text(ALGORITHM.as_bytes()),
        text(&key.public.0),
        text(APPLICATION),
    ]
    .concat()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap();
    [&len.to_be_bytes(), bytes].concat()
}

fn take(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (len, rest) = bytes.split_first_chunk().unwrap();
    rest.split_at(u32::from_be_bytes(*len) as usize)
}

const ALGORITHM: &str = "sk-ssh-ed25519@openssh.com";
const APPLICATION: &[u8] = b"ssh:";

/// The flag that says that somebody touched the token.
const TOUCHED: u8 = 1;
