//! The keys that may prove who we are, and signatures by them.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ssh_key::{PrivateKey, PublicKey, SigningKey};

use super::agent::{Agent, Identity, algorithm};
use crate::error::Error;
use crate::paths;
use crate::ui::Ui;

/// Where keys come from.
#[derive(Clone, Debug)]
pub struct KeySources {
    /// The agent, where there is one.
    pub agent: Option<Agent>,
    /// The files that were named.
    pub files: Vec<PathBuf>,
    /// Whether only keys of those files are tried.
    pub only_files: bool,
}

/// A key that may be tried.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What the person calls it.
    pub(super) name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Agent(Agent, Identity),
    File(PathBuf),
    Opened(Box<PrivateKey>),
}

impl KeySources {
    /// The keys in the order in which they are tried: those that were named, then the agent's, then
    /// the usual files.
    pub(super) async fn candidates(&self, ui: &Ui) -> Vec<Candidate> {
        let held = match &self.agent {
            Some(agent) => match agent.identities().await {
                Ok(identities) => identities,
                Err(error) => {
                    ui.verbose(&format!("the ssh-agent does not answer: {error}"));
                    Vec::new()
                }
            },
            None => Vec::new(),
        };
        let all: Vec<Bytes> = held.iter().map(|held| held.key.clone()).collect();
        let mut left = held;
        let mut candidates = Vec::new();
        let usual = self.files.is_empty() && !self.only_files;
        for path in &self.files {
            let path = paths::expand(path);
            let public = public_key(&path);
            let at = public.and_then(|public| left.iter().position(|held| held.key == public));
            match (at, &self.agent) {
                // The agent has it unlocked.
                (Some(at), Some(agent)) => {
                    candidates.push(Candidate::held(agent, left.remove(at)));
                }
                _ => candidates.push(Candidate::file(path)),
            }
        }
        if let Some(agent) = self.agent.as_ref().filter(|_| !self.only_files) {
            candidates.extend(left.drain(..).map(|held| Candidate::held(agent, held)));
        }
        if usual {
            // A key that the agent holds is tried once, and without its passphrase.
            let is_new =
                |path: &PathBuf| !public_key(path).is_some_and(|public| all.contains(&public));
            let files = usual_key_files().into_iter().filter(is_new);
            candidates.extend(files.map(Candidate::file));
        }
        candidates
    }
}

impl Candidate {
    fn held(agent: &Agent, identity: Identity) -> Self {
        Self {
            name: format!("{} (agent)", identity.comment),
            source: Source::Agent(agent.clone(), identity),
        }
    }

    fn file(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            source: Source::File(path),
        }
    }

    /// The public key; opens the file, and asks for its passphrase, if need be.
    ///
    /// The server does not tell which keys it knows, so a key that cannot be used is not shown to it.
    pub(super) async fn public(&mut self, ui: &Ui) -> Result<Bytes, Error> {
        if let Source::File(path) = &self.source {
            self.source = Source::Opened(Box::new(open(path, ui).await?));
        }
        match &self.source {
            Source::Agent(_, identity) => Ok(identity.key.clone()),
            Source::Opened(key) => encoded(key.public_key()).ok_or_else(|| {
                Error::Declined(format!(
                    "the public half of {} cannot be written",
                    self.name
                ))
            }),
            Source::File(_) => Err(Error::Lost),
        }
    }

    /// Signs data; the key has to be opened.
    pub(super) async fn sign(&self, data: &[u8], ui: &Ui) -> Result<Bytes, Error> {
        match &self.source {
            Source::Agent(agent, identity) => {
                if algorithm(&identity.key).is_some_and(is_hardware) {
                    ui.notice(&format!("Touch the key {} to go on.", identity.comment));
                }
                let signed = agent.sign(&identity.key, data).await;
                signed.map_err(|source| Error::Io {
                    what: "the ssh-agent did not sign",
                    source,
                })
            }
            Source::Opened(key) => sign(&**key, data),
            Source::File(_) => Err(Error::Lost),
        }
    }
}

/// The files that are tried when none is named, as far as they are there.
#[must_use]
pub fn usual_key_files() -> Vec<PathBuf> {
    let Some(dir) = paths::ssh_dir() else {
        return Vec::new();
    };
    let files = USUAL_FILES.iter().map(|name| dir.join(name));
    files.filter(|path| path.exists()).collect()
}

/// The name of the algorithm that signatures by a key are made with.
pub(super) fn signature_algorithm(key: &[u8]) -> Option<&str> {
    match algorithm(key)? {
        "ssh-rsa" => Some("rsa-sha2-512"),
        other => Some(other),
    }
}

fn sign<K: SigningKey>(key: &K, data: &[u8]) -> Result<Bytes, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Io {
        what: "the key did not sign",
        source: io::Error::other(error.to_string()),
    };
    let signature = key.try_sign(data).map_err(|error| failed(&error))?;
    let blob = Vec::try_from(signature).map_err(|error| failed(&error))?;
    Ok(blob.into())
}

async fn open(path: &Path, ui: &Ui) -> Result<PrivateKey, Error> {
    let failed = |source| Error::File {
        path: path.to_path_buf(),
        source,
    };
    let text = std::fs::read(path).map_err(failed)?;
    let key = PrivateKey::from_openssh(&text).map_err(|error| {
        let is_pem = text.starts_with(b"-----BEGIN ") && !text.starts_with(OPENSSH);
        failed(io::Error::other(if is_pem {
            "it is not in OpenSSH's format; `ssh-keygen -p -f` on it changes that".to_owned()
        } else {
            error.to_string()
        }))
    })?;
    if is_hardware(key.algorithm().as_str()) {
        return Err(failed(io::Error::other(
            "this key is in a token, which the ssh-agent knows how to use; `ssh-add` adds it",
        )));
    }
    if !key.is_encrypted() {
        return Ok(key);
    }
    let mut prompt = format!("Enter passphrase for key '{}': ", path.display());
    for _ in 0..PASSPHRASES_MAX {
        let passphrase = ui.ask_secret(&prompt).await?;
        if passphrase.is_empty() {
            break;
        }
        let locked = key.clone();
        // The derivation takes long on purpose.
        let unlocked =
            tokio::task::spawn_blocking(move || locked.decrypt(passphrase.as_bytes())).await;
        if let Ok(Ok(unlocked)) = unlocked {
            return Ok(unlocked);
        }
        prompt = format!("Bad passphrase, try again for {}: ", path.display());
    }
    Err(failed(io::Error::other("it was not unlocked")))
}

/// Whether a key of this algorithm never leaves its token.
fn is_hardware(algorithm: &str) -> bool {
    algorithm.starts_with("sk-")
}

/// The public key beside a private one, or in it, without unlocking it.
fn public_key(path: &Path) -> Option<Bytes> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    if let Ok(public) = PublicKey::read_openssh_file(Path::new(&beside)) {
        return encoded(&public);
    }
    let private = PrivateKey::read_openssh_file(path).ok()?;
    encoded(private.public_key())
}

fn encoded(key: &PublicKey) -> Option<Bytes> {
    key.to_bytes().ok().map(Bytes::from)
}

/// Their names in `~/.ssh`, as ssh has them.
const USUAL_FILES: [&str; 5] = [
    "id_ed25519",
    "id_ecdsa",
    "id_rsa",
    "id_ed25519_sk",
    "id_ecdsa_sk",
];

/// How files in OpenSSH's own format begin.
const OPENSSH: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";

/// How often a passphrase may be typed for one key.
const PASSPHRASES_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use ssh_key::{LineEnding, Signature};

    use super::*;
    use crate::options::LogLevel;

    const ED25519: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACCzPq7zfqLffKoBDe/eo04kH2XxtSmk9D7RQyf1xUqrYgAAAJgAIAxdACAM
XQAAAAtzc2gtZWQyNTUxOQAAACCzPq7zfqLffKoBDe/eo04kH2XxtSmk9D7RQyf1xUqrYg
AAAEC2BsIi0QwW2uFscKTUUXNHLsYX4FxlaSDSblbAj7WR7bM+rvN+ot98qgEN796jTiQf
ZfG1KaT0PtFDJ/XFSqtiAAAAEHVzZXJAZXhhbXBsZS5jb20BAgMEBQ==
-----END OPENSSH PRIVATE KEY-----
";

    #[tokio::test]
    async fn a_named_file_signs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, ED25519).unwrap();
        let sources = KeySources {
            agent: None,
            files: vec![path],
            only_files: false,
        };
        let ui = Ui::new(LogLevel::Quiet, true);
        let mut candidates = sources.candidates(&ui).await;
        assert_eq!(candidates.len(), 1);
        let candidate = &mut candidates[0];
        let public = candidate.public(&ui).await.unwrap();
        assert_eq!(signature_algorithm(&public), Some("ssh-ed25519"));
        let blob = candidate.sign(b"data", &ui).await.unwrap();
        let signature = Signature::try_from(&blob[..]).unwrap();
        let key = PublicKey::from_bytes(&public).unwrap();
        assert!(verifies(&key, b"data", &signature));
        assert!(!verifies(&key, b"date", &signature));
    }

    fn verifies(key: &PublicKey, data: &[u8], signature: &Signature) -> bool {
        use tokio_rustls::rustls::crypto::ring::default_provider;
        let key = key.key_data().ed25519().unwrap();
        let known = default_provider().signature_verification_algorithms.all;
        let ed25519 = rustls_pki_types::alg_id::ED25519;
        let mut known = known.iter();
        let algorithm = known.find(|known| known.signature_alg_id() == ed25519);
        algorithm
            .unwrap()
            .verify_signature(&key.0, data, signature.as_bytes())
            .is_ok()
    }

    #[tokio::test]
    async fn an_encrypted_file_is_not_opened_without_a_person() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = PrivateKey::from_openssh(ED25519).unwrap();
        let locked = key
            .encrypt(&mut ssh_key::rand_core::OsRng, b"hunter2")
            .unwrap();
        std::fs::write(&path, locked.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        let ui = Ui::new(LogLevel::Quiet, true);
        let mut candidate = Candidate::file(path);
        assert!(candidate.public(&ui).await.is_err());
    }

    #[test]
    fn rsa_keys_sign_with_sha_2() {
        assert_eq!(
            signature_algorithm(b"\0\0\0\x07ssh-rsa"),
            Some("rsa-sha2-512")
        );
    }
}
