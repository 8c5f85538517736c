//! What a SOCKS client says: versions 4, 4a and 5, to connect and without a password.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use vroom_protocol::forward::Endpoint;

/// Which version a client speaks, and so how it is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    Four,
    Five,
}

/// Reads where a client wants to go, in bounded time.
pub(super) async fn greet<S>(stream: &mut S) -> io::Result<(Version, Endpoint)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(GREETING, async {
        match stream.read_u8().await? {
            4 => greet_four(stream).await,
            5 => greet_five(stream).await,
            _ => Err(malformed("no SOCKS client")),
        }
    })
    .await
    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Tells a client whether it is there.
pub(super) async fn answer<S>(stream: &mut S, version: Version, reached: bool) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let answer: &[u8] = match (version, reached) {
        (Version::Four, true) => &[0, 90, 0, 0, 0, 0, 0, 0],
        (Version::Four, false) => &[0, 91, 0, 0, 0, 0, 0, 0],
        (Version::Five, true) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        (Version::Five, false) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
    };
    stream.write_all(answer).await?;
    stream.flush().await
}

async fn greet_four<S>(stream: &mut S) -> io::Result<(Version, Endpoint)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if stream.read_u8().await? != CONNECT {
        answer(stream, Version::Four, false).await?;
        return Err(malformed("only connecting is possible"));
    }
    let port = stream.read_u16().await?;
    let address = stream.read_u32().await?;
    // The user is of no interest.
    read_text(stream).await?;
    // 4a: an address of 0.0.0.x stands for a name that follows.
    let host = if (1..=0xFF).contains(&address) {
        read_text(stream).await?
    } else {
        Ipv4Addr::from(address).to_string()
    };
    Ok((Version::Four, Endpoint::tcp(host, port)))
}

async fn greet_five<S>(stream: &mut S) -> io::Result<(Version, Endpoint)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let count = stream.read_u8().await?;
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await?;
    if !methods.contains(&NO_PASSWORD) {
        stream.write_all(&[5, 0xFF]).await?;
        return Err(malformed("it wants a password"));
    }
    stream.write_all(&[5, NO_PASSWORD]).await?;
    stream.flush().await?;
    let (version, command) = (stream.read_u8().await?, stream.read_u8().await?);
    let _reserved = stream.read_u8().await?;
    let host = match stream.read_u8().await? {
        1 => Ipv4Addr::from(stream.read_u32().await?).to_string(),
        4 => Ipv6Addr::from(stream.read_u128().await?).to_string(),
        3 => {
            let len = stream.read_u8().await?;
            let mut name = vec![0; usize::from(len)];
            stream.read_exact(&mut name).await?;
            String::from_utf8(name).map_err(|_| malformed("a name that is not text"))?
        }
        _ => return Err(malformed("an address of an unknown kind")),
    };
    let port = stream.read_u16().await?;
    if version != 5 || command != CONNECT || host.is_empty() {
        // Command not supported.
        stream.write_all(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
        return Err(malformed("only connecting is possible"));
    }
    Ok((Version::Five, Endpoint::tcp(host, port)))
}

/// Reads text up to a zero byte.
async fn read_text<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut text = Vec::new();
    loop {
        match stream.read_u8().await? {
            0 => break,
            byte if text.len() < TEXT_BYTES_MAX => text.push(byte),
            _ => return Err(malformed("a text that is too long")),
        }
    }
    String::from_utf8(text).map_err(|_| malformed("a name that is not text"))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

const CONNECT: u8 = 1;
const NO_PASSWORD: u8 = 0;

/// The longest text of version 4.
const TEXT_BYTES_MAX: usize = 255;

/// How long a client may take to say where it wants to go; then it is left.
const GREETING: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    async fn said(bytes: &[u8]) -> (io::Result<(Version, Endpoint)>, Vec<u8>) {
        let (mut client, mut server) = duplex(1024);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let greeted = greet(&mut server).await;
        drop(server);
        let mut answered = Vec::new();
        client.read_to_end(&mut answered).await.unwrap();
        (greeted, answered)
    }

    #[tokio::test]
    async fn version_five_names_a_host() {
        let (greeted, answered) = said(b"\x05\x02\x02\x00\x05\x01\x00\x03\x01h\x00\x50").await;
        assert_eq!(greeted.unwrap(), (Version::Five, Endpoint::tcp("h", 80)));
        assert_eq!(answered, [5, 0]);
        let (greeted, _) = said(b"\x05\x01\x00\x05\x01\x00\x01\x7f\0\0\x01\x00\x50").await;
        assert_eq!(greeted.unwrap().1, Endpoint::tcp("127.0.0.1", 80));
    }

    #[tokio::test]
    async fn version_four_names_an_address_or_a_host() {
        let (greeted, _) = said(b"\x04\x01\x00\x50\x7f\0\0\x01user\0").await;
        let here = Endpoint::tcp("127.0.0.1", 80);
        assert_eq!(greeted.unwrap(), (Version::Four, here));
        let (greeted, _) = said(b"\x04\x01\x00\x50\0\0\0\x01\0h\0").await;
        assert_eq!(greeted.unwrap().1, Endpoint::tcp("h", 80));
    }

    #[tokio::test]
    async fn what_is_not_possible_is_refused() {
        let (greeted, answered) = said(b"\x05\x01\x02").await;
        assert!(greeted.is_err());
        assert_eq!(answered, [5, 0xFF]);
        let (greeted, answered) = said(b"\x05\x01\x00\x05\x02\x00\x01\x7f\0\0\x01\x00\x50").await;
        assert!(greeted.is_err());
        assert_eq!(answered.get(2..4), Some(&[5, 7][..]));
        assert!(said(b"GET / HTTP/1.1").await.0.is_err());
        assert!(said(b"\x05\x01").await.0.is_err());
    }
}
