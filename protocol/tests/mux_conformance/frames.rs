//! Frames, fragments and their sizes: items 1 to 10 and 31.

use bytes::Bytes;
use vroom_protocol::mux::control::{ControlMessage, kind};
use vroom_protocol::mux::frame::{Frame, Part};
use vroom_protocol::testing::{End, Pair};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, LinkKind, SendError, ServerConfig,
    StreamDecoder, StreamError, testing,
};

use crate::mux_support::{Hand, hex, messages};
use crate::{busy_pair, bytes_of};

#[test]
fn item_1_a_mouse_move_is_ten_bytes_on_the_wire() {
    let mut hand = Hand::welcomed();
    hand.connection
        .send(
            hand.now,
            ChannelId(1),
            1,
            Bytes::from_static(&[2, 0, 1, 0x2C]),
        )
        .unwrap();
    assert_eq!(
        bytes_of(&mut hand.connection),
        [hex("01 01 00 00 00 04 02 00 01 2C")]
    );
}

#[test]
fn item_2_lengths_clocks_and_numbers_are_big_endian() {
    let frame = Frame::whole(ChannelId(1), 2, vec![0; 0x0102].into()).encode();
    assert_eq!(frame[4..6], [1, 2]);
    assert_eq!(
        ControlMessage::Ping(0x0102_0304).encode(),
        Bytes::from_static(&[1, 2, 3, 4])
    );
    let ack = ControlMessage::SeqAck(0x0102_0304_0506_0708).encode();
    assert_eq!(ack, Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7, 8]));
}

#[test]
fn item_3_long_payloads_get_a_four_byte_length() {
    let config = ServerConfig {
        max_message_size: 100_000,
        ..ServerConfig::default()
    };
    let mut hand = Hand::welcomed_with(config, r#","maxMessageSize":0"#);
    let payload = Bytes::from(vec![5; 70_000]);
    // Only an unreliable channel, where nothing may be cut, sends one.
    hand.connection
        .send(hand.now, ChannelId(1), 9, payload.clone())
        .unwrap();
    let frames = bytes_of(&mut hand.connection);
    assert_eq!(frames[0][..8], [1, 9, 1, 0, 0, 1, 0x11, 0x70]);
    assert_eq!(frames[0][8..], payload);
    hand.bytes(&frames[0]);
    assert_eq!(messages(hand.events()), [(1, 9, payload)]);
}

#[test]
fn item_4_reserved_bytes_and_bits_are_sent_as_zero() {
    let mut pair = busy_pair(LinkKind::Shared);
    let (mut client, mut server) = pair_frames(&mut pair);
    client.append(&mut server);
    assert!(client.len() > 20);
    for frame in client {
        assert_eq!((frame[2] & 0xF8, frame[3]), (0, 0));
    }
}

#[test]
fn item_5_pieces_are_put_together() {
    let mut hand = Hand::welcomed();
    hand.part(3, 7, Part::Piece, b"one ");
    hand.part(3, 7, Part::Piece, b"two ");
    assert_eq!(hand.events(), []);
    hand.part(3, 7, Part::LastPiece, b"three");
    assert_eq!(
        messages(hand.events()),
        [(3, 7, Bytes::from_static(b"one two three"))]
    );

    // And ours are cut the same way.
    let long = Bytes::from(vec![1; 40_000]);
    hand.connection
        .send(hand.now, ChannelId(3), 7, long.clone())
        .unwrap();
    let frames = hand.frames();
    let parts: Vec<Part> = frames.iter().map(|frame| frame.part).collect();
    assert_eq!(parts, [Part::Piece, Part::Piece, Part::LastPiece]);
    assert!(
        frames
            .iter()
            .all(|frame| (frame.channel, frame.kind) == (ChannelId(3), 7))
    );
    assert_eq!(
        frames
            .iter()
            .flat_map(|frame| frame.payload.clone())
            .collect::<Bytes>(),
        long
    );
}

#[test]
fn item_6_unreliable_channels_carry_no_fragments() {
    let mut hand = Hand::welcomed();
    let long = Bytes::from(vec![1; 40_000]);
    hand.connection
        .send(hand.now, ChannelId(1), 7, long)
        .unwrap();
    assert!(hand.frames().iter().all(|frame| frame.part == Part::Whole));
    let too_long = Bytes::from(vec![1; 65_536]);
    assert_eq!(
        hand.connection.send(hand.now, ChannelId(1), 7, too_long),
        Err(SendError::TooLarge)
    );
    hand.part(1, 7, Part::LastPiece, b"");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn item_7_a_message_between_the_pieces_of_one_is_a_protocol_error() {
    for (kind, part) in [(7, Part::Whole), (8, Part::Piece), (8, Part::LastPiece)] {
        let mut hand = Hand::welcomed();
        hand.part(3, 7, Part::Piece, b"begun");
        hand.part(3, kind, part, b"other");
        hand.expect_close(Code::PROTOCOL_ERROR);
    }
    // On channel 0 that includes PING.
    let mut hand = Hand::welcomed();
    hand.part(0, 0x83, Part::Piece, b"{");
    hand.control(&ControlMessage::Ping(1));
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn item_8_pieces_of_different_channels_interleave() {
    let mut hand = Hand::welcomed();
    hand.part(2, 1, Part::Piece, b"a");
    hand.part(3, 1, Part::Piece, b"x");
    hand.part(2, 1, Part::LastPiece, b"b");
    hand.part(3, 1, Part::LastPiece, b"y");
    let expected = [
        (2, 1, Bytes::from_static(b"ab")),
        (3, 1, Bytes::from_static(b"xy")),
    ];
    assert_eq!(messages(hand.events()), expected);
}

#[test]
fn item_9_the_magic_comes_first_and_another_closes_at_once() {
    let mut decoder = StreamDecoder::new();
    decoder.push(b"OMUX");
    decoder.push(&hex("00 10 00 00 00 04 00 00 03 E8"));
    assert!(decoder.poll(100).unwrap().is_some());
    for wrong in ["OMUY", "omux", "X", "\0"] {
        let mut decoder = StreamDecoder::new();
        decoder.push(wrong.as_bytes());
        assert_eq!(decoder.poll(100), Err(StreamError::Magic));
    }
}

#[test]
fn item_10_a_connection_itself_sends_no_magic() {
    let now = testing::start();
    let mut client = Connection::client(ClientConfig::default(), LinkKind::Shared, now);
    let first = client.poll_transmit().unwrap();
    assert_eq!(first.frame[..2], [0, kind::HELLO]);
}

#[test]
fn item_31_a_payload_above_the_agreed_size_closes_with_4005() {
    let mut hand = Hand::welcomed_with(ServerConfig::default(), r#","maxMessageSize":2000"#);
    hand.message(3, 1, &[0; 2000]);
    assert_eq!(messages(hand.events()).len(), 1);
    hand.message(3, 1, &[0; 2001]);
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

#[test]
fn item_31_before_welcome_16_kib_are_enough() {
    let mut hand = Hand::server();
    hand.message(0, kind::HELLO, &[b' '; 16 * 1024 + 1]);
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

/// The frames that both ends send for much of everything.
fn pair_frames(pair: &mut Pair) -> (Vec<Bytes>, Vec<Bytes>) {
    let mut frames = |end: End| {
        pair.set_reading(end.other(), false);
        pair.on(end, |connection, now| {
            for id in 0..=3 {
                let _ = connection.send(now, ChannelId(id), 0x80, vec![1; 40_000].into());
            }
            connection.ping(now);
            connection.error(now, Code::NOT_ALLOWED, None, "no");
            let _ = connection.open_channel(now, ChannelSpec::reliable("more"));
            connection.close_channel(now, ChannelId(2), "done");
            let mut all = bytes_of(connection);
            connection.close(now, Code::NORMAL, "bye");
            all.extend(bytes_of(connection));
            all
        })
    };
    (frames(End::Client), frames(End::Server))
}
