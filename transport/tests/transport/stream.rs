//! Byte streams: TCP and Unix sockets.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use vroom_protocol::{ChannelId, Code, FrameError, MAGIC, StreamError, Transmit};
use vroom_transport::{Error, Incoming, LinkRx, LinkTx, TrySend, stream, tcp};

use crate::common::{Manual, Side, client, now, numbered, soon};

const LIMIT: usize = 65_535;

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(client, listener.accept());
    let (client, (server, _)) = (client.unwrap(), server.unwrap());
    tcp::tune(&client).unwrap();
    tcp::tune(&server).unwrap();
    (client, server)
}

fn frame(number: u32, len: usize) -> Transmit {
    let payload = numbered(number, len);
    let mut frame = vec![1, 7, 0, 0];
    frame.extend_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
    frame.extend_from_slice(&payload);
    Transmit {
        channel: ChannelId(1),
        lane: "data".into(),
        frame: frame.into(),
    }
}

#[tokio::test]
async fn a_connection_works_over_tcp() {
    let (near, far) = tcp_pair().await;
    let (server, client) = tokio::join!(stream::accept(near, soon()), stream::connect(far, soon()));
    let (mut server, mut client) = (Side::server(server.unwrap()), Side::client(client.unwrap()));
    let id = client.channel().await;
    server.channel().await;
    client.send_many(id, 1000, 10_000);
    server.send_many(id, 1000, 10_000);
    server.messages(1000, 10_000).await;
    client.messages(1000, 10_000).await;
    client.close(Code::NORMAL, "done");
    assert_eq!(client.ended().await.0, Code::NORMAL);
    assert_eq!(server.ended().await.0, Code::NORMAL);
}

#[tokio::test]
async fn a_connection_works_over_a_unix_socket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vroom.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (far, near) = tokio::join!(UnixStream::connect(&path), listener.accept());
    let (far, (near, _)) = (far.unwrap(), near.unwrap());
    let (server, client) = tokio::join!(stream::accept(near, soon()), stream::connect(far, soon()));
    let (mut server, mut client) = (Side::server(server.unwrap()), Side::client(client.unwrap()));
    let id = client.channel().await;
    server.channel().await;
    client.send_many(id, 100, 10_000);
    server.messages(100, 10_000).await;
}

#[tokio::test]
async fn a_wrong_magic_is_closed_with_nothing_sent() {
    for start in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"OMU?", b"\x00"] {
        let (mut far, near) = tcp_pair().await;
        far.write_all(start).await.unwrap();
        let refused = stream::accept(near, soon()).await;
        assert!(matches!(refused, Err(Error::WrongMagic)));
        drop(refused);
        let mut answer = Vec::new();
        // A reset is as good as an end; both are without a byte.
        let _ended = far.read_to_end(&mut answer).await;
        assert_eq!(answer, b"");
    }
}

#[tokio::test(start_paused = true)]
async fn the_magic_is_answered_only_when_it_is_complete() {
    let (near, mut far) = duplex(64);
    let accepting = tokio::spawn(stream::accept(near, soon()));
    far.write_all(b"OMU").await.unwrap();
    let mut answer = [0; 4];
    let waited = tokio::time::timeout(Duration::from_secs(1), far.read(&mut answer)).await;
    assert!(
        waited.is_err(),
        "something was sent before the magic was complete"
    );
    far.write_all(b"X").await.unwrap();
    far.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, MAGIC);
    assert!(accepting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn silence_in_place_of_the_magic_ends_at_the_deadline() {
    let (near, _far) = duplex(64);
    let started = now();
    assert!(matches!(
        stream::accept(near, soon()).await,
        Err(Error::TimedOut)
    ));
    assert_eq!(now() - started, Duration::from_secs(10));
    let (near, _far) = duplex(64);
    assert!(matches!(
        stream::connect(near, soon()).await,
        Err(Error::TimedOut)
    ));
}

#[tokio::test(start_paused = true)]
async fn receiving_can_be_cancelled_at_every_byte() {
    let (near, mut far) = duplex(1024);
    far.write_all(&MAGIC).await.unwrap();
    let (mut rx, _tx) = stream::accept(near, soon()).await.unwrap();
    let frames: Vec<Bytes> = (0..3).map(|number| frame(number, 20).frame).collect();
    let bytes = frames.concat();
    let mut received = Vec::new();
    for byte in bytes {
        tokio::select! {
            biased;
            incoming = rx.recv(LIMIT) => panic!("{incoming:?} without a whole frame"),
            () = tokio::task::yield_now() => {}
        }
        far.write_u8(byte).await.unwrap();
        tokio::select! {
            biased;
            incoming = rx.recv(LIMIT) => match incoming {
                Incoming::Message { frame, .. } => received.push(frame),
                other => panic!("{other:?} in place of a frame"),
            },
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(received, frames);
}

#[tokio::test(start_paused = true)]
async fn sending_can_be_cancelled_and_the_queue_is_bounded() {
    let (near, mut far) = duplex(100);
    far.write_all(&MAGIC).await.unwrap();
    let (_rx, mut tx) = stream::accept(near, soon()).await.unwrap();
    let mut answer = [0; 4];
    far.read_exact(&mut answer).await.unwrap();

    let mut sent = 0;
    while tx.try_send(frame(sent, 1000)).is_ok() {
        sent += 1;
        assert!(sent < 1000, "the link takes everything");
    }
    assert!((1..=65).contains(&sent));
    assert!(matches!(
        tx.try_send(frame(sent, 1000)),
        Err(TrySend::Full(_))
    ));
    let mut expected = Vec::new();
    for number in 0..sent {
        expected.extend_from_slice(&frame(number, 1000).frame);
    }
    let mut received = vec![0; expected.len()];
    let (start, end) = received.split_at_mut(expected.len() / 2);
    // Half of it is read while the writing is dropped after every step.
    for byte in start {
        tokio::select! {
            biased;
            () = tx.writable() => panic!("not everything can be written yet"),
            () = tokio::task::yield_now() => {}
        }
        *byte = far.read_u8().await.unwrap();
    }
    let (read, ()) = tokio::join!(far.read_exact(end), tx.writable());
    read.unwrap();
    assert_eq!(received, expected);
    assert!(tx.try_send(frame(0, 1000)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_frame_larger_than_the_queue_is_sent() {
    let (near, mut far) = duplex(1000);
    far.write_all(&MAGIC).await.unwrap();
    let (_rx, mut tx) = stream::accept(near, soon()).await.unwrap();
    let large = Transmit {
        channel: ChannelId(1),
        lane: "data".into(),
        frame: vec![3; 1_000_000].into(),
    };
    tx.try_send(large.clone()).unwrap();
    assert!(matches!(tx.try_send(frame(0, 1)), Err(TrySend::Full(_))));
    let mut received = vec![0; 1_000_004];
    let (read, ()) = tokio::join!(far.read_exact(&mut received), tx.writable());
    read.unwrap();
    assert_eq!(received[4..], large.frame);
}

#[tokio::test(start_paused = true)]
async fn a_length_above_the_limit_is_malformed_and_the_rest_is_thrown_away() {
    let (near, mut far) = duplex(1024);
    far.write_all(&MAGIC).await.unwrap();
    let (mut rx, _tx) = stream::accept(near, soon()).await.unwrap();
    far.write_all(&[1, 7, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        .await
        .unwrap();
    let incoming = rx.recv(LIMIT).await;
    let Incoming::Malformed(StreamError::Frame(FrameError::TooLarge)) = incoming else {
        panic!("{incoming:?} in place of the error");
    };
    // More than the pipe holds, so all of it must have been read.
    let flood = async {
        far.write_all(&[0; 100_000]).await.unwrap();
        drop(far);
    };
    let (incoming, ()) = tokio::join!(rx.recv(LIMIT), flood);
    assert!(matches!(incoming, Incoming::Closed));
}

#[tokio::test]
async fn an_oversized_frame_is_answered_with_close_4005() {
    let (near, far) = tcp_pair().await;
    let (server, client_link) =
        tokio::join!(stream::accept(near, soon()), stream::connect(far, soon()));
    let server = Side::server(server.unwrap());
    let mut peer = Manual::new(client(), client_link.unwrap());
    let id = peer.channel().await;
    let mut lie = frame(0, 10);
    lie.frame = Bytes::from(vec![id.0, 7, 1, 0, 0x7F, 0xFF, 0xFF, 0xFF]);
    peer.tx.try_send(lie).unwrap();
    peer.write().await;
    assert_eq!(peer.close_code().await, Code::MESSAGE_TOO_LARGE);
    peer.write().await;
    peer.tx.shutdown(Code::NORMAL).await;
    assert_eq!(server.ended().await.0, Code::MESSAGE_TOO_LARGE);
}

#[tokio::test]
async fn garbage_before_hello_is_answered_with_close_1002() {
    let (mut far, near) = tcp_pair().await;
    far.write_all(&MAGIC).await.unwrap();
    let server = Side::server(stream::accept(near, soon()).await.unwrap());
    far.write_all(&[0xFF; 100]).await.unwrap();
    far.shutdown().await.unwrap();
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).await.unwrap();
    let answer = answer.strip_prefix(&MAGIC).unwrap();
    assert!(answer.starts_with(&[0, 0x20]), "no CLOSE: {answer:?}");
    let close = String::from_utf8_lossy(&answer[6..]);
    assert!(close.contains("1002"), "{close}");
    assert_eq!(server.ended().await.0, Code::PROTOCOL_ERROR);
}
