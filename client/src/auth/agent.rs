//! The ssh-agent: which keys it holds, and signatures by them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The agent behind a socket.
#[derive(Clone, Debug)]
pub struct Agent {
    path: PathBuf,
}

/// A key that the agent holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The public key as an SSH wire blob.
    pub key: Bytes,
    /// What the person calls it.
    pub comment: String,
}

impl Agent {
    /// The agent of the environment, where there is one.
    #[must_use]
    pub fn of_environment() -> Option<Self> {
        let path = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty())?;
        Some(Self::at(Path::new(&path)))
    }

    /// The agent behind this socket.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys that it holds.
    pub async fn identities(&self) -> io::Result<Vec<Identity>> {
        let mut answer = self
            .request(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER, LIST_WAIT)
            .await?;
        let count = take_u32(&mut answer)?;
        let mut identities = Vec::new();
        for _ in 0..count.min(IDENTITIES_MAX) {
            let key = take_text(&mut answer)?;
            let comment = take_text(&mut answer)?;
            identities.push(Identity {
                key,
                comment: String::from_utf8_lossy(&comment).into_owned(),
            });
        }
        Ok(identities)
    }

    /// Signs data by a key; may wait for the person to touch or to unlock it.
    pub async fn sign(&self, key: &[u8], data: &[u8]) -> io::Result<Bytes> {
        let flags = match algorithm(key) {
            Some("ssh-rsa") => RSA_SHA2_512,
            _ => 0,
        };
        let mut request = BytesMut::new();
        request.put_u8(SIGN_REQUEST);
        put_text(&mut request, key);
        put_text(&mut request, data);
        request.put_u32(flags);
        let mut answer = self.request(&request, SIGN_RESPONSE, SIGN_WAIT).await?;
        take_text(&mut answer)
    }

    async fn request(&self, request: &[u8], expected: u8, wait: Duration) -> io::Result<Bytes> {
        let exchange = async {
            let mut stream = UnixStream::connect(&self.path).await?;
            let len = u32::try_from(request.len()).map_err(io::Error::other)?;
            stream.write_all(&len.to_be_bytes()).await?;
            stream.write_all(request).await?;
            let len = stream.read_u32().await?;
            if len == 0 || len > ANSWER_BYTES_MAX {
                return Err(malformed());
            }
            let mut answer = BytesMut::zeroed(usize::try_from(len).map_err(io::Error::other)?);
            stream.read_exact(&mut answer).await?;
            Ok(answer.freeze())
        };
        let mut answer = timeout(wait, exchange)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        match answer.get_u8() {
            kind if kind == expected => Ok(answer),
            FAILURE => Err(io::Error::other("the agent refused")),
            _ => Err(malformed()),
        }
    }
}

/// The algorithm that a key blob names.
pub(super) fn algorithm(key: &[u8]) -> Option<&str> {
    let (len, rest) = key.split_first_chunk()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    std::str::from_utf8(rest.get(..len)?).ok()
}

fn put_text(out: &mut BytesMut, text: &[u8]) {
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.put_slice(text);
}

fn take_u32(from: &mut Bytes) -> io::Result<u32> {
    from.try_get_u32().map_err(|_| malformed())
}

fn take_text(from: &mut Bytes) -> io::Result<Bytes> {
    let len = usize::try_from(take_u32(from)?).map_err(|_| malformed())?;
    if len > from.len() {
        return Err(malformed());
    }
    Ok(from.split_to(len))
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the agent's answer cannot be read",
    )
}

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Asks for SHA-512 in signatures of RSA keys.
const RSA_SHA2_512: u32 = 4;

/// The longest answer that is taken.
const ANSWER_BYTES_MAX: u32 = 1024 * 1024;

/// The most keys that are taken; further ones are not seen.
const IDENTITIES_MAX: u32 = 256;

/// How long the agent may take to list its keys; then there are none.
const LIST_WAIT: Duration = Duration::from_secs(10);

/// How long a signature may take: somebody may have to find the key and touch it.
const SIGN_WAIT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    async fn answering(answer: &'static [u8]) -> (tempfile::TempDir, Agent) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let len = stream.read_u32().await.unwrap();
            let mut request = vec![0; usize::try_from(len).unwrap()];
            stream.read_exact(&mut request).await.unwrap();
            stream
                .write_u32(u32::try_from(answer.len()).unwrap())
                .await
                .unwrap();
            stream.write_all(answer).await.unwrap();
        });
        (dir, Agent::at(&path))
    }

    #[tokio::test]
    async fn keys_are_listed() {
        let (_dir, agent) = answering(b"\x0c\0\0\0\x01\0\0\0\x03key\0\0\0\x04name").await;
        let identity = Identity {
            key: Bytes::from_static(b"key"),
            comment: "name".into(),
        };
        assert_eq!(agent.identities().await.unwrap(), [identity]);
    }

    #[tokio::test]
    async fn a_broken_answer_is_an_error() {
        let answers: [&[u8]; 5] = [
            b"\x0c\0\0\0\x01\0\0\0\xffkey",
            b"\x0c\0\0",
            b"\x0c\0\0\0\x01",
            b"\x0e",
            b"\x05",
        ];
        for answer in answers {
            let (_dir, agent) = answering(answer).await;
            assert!(agent.identities().await.is_err(), "{answer:?}");
        }
    }

    #[test]
    fn a_blob_names_its_algorithm() {
        assert_eq!(algorithm(b"\0\0\0\x07ssh-rsa..."), Some("ssh-rsa"));
        assert_eq!(algorithm(b"\0\0\0\x09ssh-rsa"), None);
        assert_eq!(algorithm(b""), None);
    }
}
