//! Telling apart what arrives on the one TCP port.

use std::io;
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout_at;
use vroom_protocol::MAGIC;

use crate::{Error, Prefixed};

/// What a client begins to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// The mux on a byte stream. The magic is still to be read.
    Mux,
    /// TLS. What is inside is sniffed again.
    Tls,
    /// HTTP, and with it WebSocket; also anything else, which HTTP then refuses.
    Http,
}

/// Reads as few bytes as are needed to know what the client speaks; they are replayed by the
/// returned stream.
///
/// They are read and not peeked at: a client that sends one byte and then nothing would make a peek
/// return at once, again and again. Fails with [`Error::TimedOut`] at the deadline, and when the
/// client leaves before it can be told.
pub async fn sniff<S>(mut stream: S, deadline: Instant) -> Result<(Spoken, Prefixed<S>), Error>
where
    S: AsyncRead + Unpin,
{
    let mut start = BytesMut::with_capacity(MAGIC.len());
    let spoken = loop {
        if let Some(spoken) = spoken(&start) {
            break spoken;
        }
        // The magic decides at its full length, so this never reads beyond it.
        let mut rest = (&mut stream).take((MAGIC.len() - start.len()) as u64);
        let read = timeout_at(deadline.into(), rest.read_buf(&mut start)).await;
        if read.map_err(|_| Error::TimedOut)?? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    };
    Ok((spoken, Prefixed::new(start.freeze(), stream)))
}

/// Decides by the first bytes, or not yet.
fn spoken(start: &[u8]) -> Option<Spoken> {
    match start {
        [] => None,
        [TLS_HANDSHAKE, ..] => Some(Spoken::Tls),
        start if start == MAGIC => Some(Spoken::Mux),
        start if MAGIC.starts_with(start) => None,
        _ => Some(Spoken::Http),
    }
}

/// The first byte of a TLS record that carries a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    async fn sniffed(bytes: &[u8]) -> (Spoken, Vec<u8>) {
        let (near, mut far) = duplex(64);
        far.write_all(bytes).await.unwrap();
        far.shutdown().await.unwrap();
        let (spoken, mut stream) = sniff(near, in_a_while()).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        (spoken, all)
    }

    fn in_a_while() -> Instant {
        tokio::time::Instant::now().into_std() + Duration::from_secs(10)
    }

    #[tokio::test]
    async fn each_protocol_is_told_and_nothing_is_lost() {
        for (bytes, expected) in [
            (&b"OMUX\x00\x01"[..], Spoken::Mux),
            (b"\x16\x03\x01", Spoken::Tls),
            (b"GET / HTTP/1.1\r\n", Spoken::Http),
            (b"OPTIONS * HTTP/1.1\r\n", Spoken::Http),
            (b"OMUY", Spoken::Http),
            (b"\x00", Spoken::Http),
        ] {
            assert_eq!(sniffed(bytes).await, (expected, bytes.to_vec()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_magic_that_comes_in_pieces_is_still_a_magic() {
        let (near, mut far) = duplex(64);
        let sniffing = tokio::spawn(sniff(near, in_a_while()));
        for byte in *b"OMUX!" {
            far.write_u8(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        let (spoken, mut stream) = sniffing.await.unwrap().unwrap();
        assert_eq!(spoken, Spoken::Mux);
        let mut all = [0; 5];
        stream.read_exact(&mut all).await.unwrap();
        assert_eq!(&all, b"OMUX!");
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_magic_and_silence_ends_at_the_deadline() {
        let (near, mut far) = duplex(64);
        far.write_all(b"OM").await.unwrap();
        let started = tokio::time::Instant::now();
        let result = sniff(near, in_a_while()).await;
        assert!(matches!(result, Err(Error::TimedOut)));
        assert_eq!(started.elapsed().as_secs(), 10);
    }

    #[tokio::test]
    async fn a_client_that_leaves_early_is_an_error() {
        let (near, mut far) = duplex(64);
        far.write_all(b"OMU").await.unwrap();
        drop(far);
        assert!(matches!(sniff(near, in_a_while()).await, Err(Error::Io(_))));
    }
}
