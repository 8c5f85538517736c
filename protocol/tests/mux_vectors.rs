//! The frames of the specification, byte for byte, read and written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use bytes::Bytes;
use vroom_protocol::mux::control::{
    AssignedChannel, ChannelAck, ChannelReject, Close, CloseChannel, ControlMessage, ErrorReport,
    Hello, OpenChannel, ResumeRequest, Welcome,
};
use vroom_protocol::mux::frame::{Frame, FrameError, Header, Part};
use vroom_protocol::{
    ChannelId, ChannelSpec, Code, Event, MAGIC, Secret, StreamDecoder, StreamError,
};

use mux_support::{Hand, hex, messages};

/// A control message and its frame are each other.
#[track_caller]
fn is(vector: &str, message: &ControlMessage) {
    let bytes = Bytes::from(hex(vector));
    let frame = Frame::decode(&bytes, 65_535).unwrap();
    assert_eq!(
        (frame.channel, frame.kind, frame.part),
        (ChannelId::CONTROL, message.kind(), Part::Whole)
    );
    assert_eq!(
        ControlMessage::decode(frame.kind, &frame.payload).as_ref(),
        Ok(message)
    );
    let written = Frame::whole(ChannelId::CONTROL, message.kind(), message.encode()).encode();
    assert_eq!(written, bytes);
}

/// A frame and its bytes are each other.
#[track_caller]
fn is_frame(vector: &str, channel: u8, kind: u8, part: Part, payload: &[u8]) {
    let bytes = Bytes::from(hex(vector));
    let frame = Frame {
        channel: ChannelId(channel),
        kind,
        part,
        payload: Bytes::copy_from_slice(payload),
    };
    assert_eq!(Frame::decode(&bytes, 65_535), Ok(frame.clone()));
    assert_eq!(frame.encode(), bytes);
}

#[test]
fn f1_magic() {
    assert_eq!(hex(F1), MAGIC);
    let mut decoder = StreamDecoder::new();
    decoder.push(&hex(F1));
    assert_eq!(decoder.poll(100), Ok(None));
    assert!(decoder.has_magic());
}

#[test]
fn f2_ping() {
    is(F2, &ControlMessage::Ping(1000));
}

#[test]
fn f3_pong() {
    is(
        F3,
        &ControlMessage::Pong {
            echo: 1000,
            clock: 500,
        },
    );
}

#[test]
fn f4_hello_that_asks_for_nothing() {
    is(F4, &ControlMessage::Hello(Hello::default()));
    assert_eq!(hex(F4).len(), 6 + 33);
}

#[test]
fn f5_hello_that_lists_control() {
    is(
        F5,
        &ControlMessage::Hello(Hello {
            lists_control: true,
            ..Hello::default()
        }),
    );
}

#[test]
fn f6_welcome() {
    let control = AssignedChannel {
        name: "control".to_owned(),
        id: ChannelId(0),
    };
    is(
        F6,
        &ControlMessage::Welcome(Welcome {
            version: [0, 1, 0],
            extensions: None,
            max_message_size: None,
            ping_interval: None,
            ping_timeout: None,
            channels: vec![control],
            session: None,
            user: None,
            role: None,
            server: None,
            time: None,
        }),
    );
}

#[test]
fn f7_open_channel() {
    let spec = ChannelSpec::lossy("pointer");
    is(
        F7,
        &ControlMessage::OpenChannel(OpenChannel {
            request: 1,
            spec,
            id: None,
        }),
    );
}

#[test]
fn f8_channel_ack() {
    let name = "pointer".to_owned();
    is(
        F8,
        &ControlMessage::ChannelAck(ChannelAck {
            request: 1,
            id: ChannelId(1),
            name,
        }),
    );
}

#[test]
fn f9_channel_reject() {
    let reason = "unknown channel".to_owned();
    is(
        F9,
        &ControlMessage::ChannelReject(ChannelReject {
            request: 2,
            code: Code::UNSUPPORTED,
            reason,
        }),
    );
}

#[test]
fn f10_close_channel() {
    is(
        F10,
        &ControlMessage::CloseChannel(CloseChannel {
            id: 1,
            reason: String::new(),
        }),
    );
}

#[test]
fn f11_close() {
    is(
        F11,
        &ControlMessage::Close(Close {
            code: Code::NORMAL,
            reason: "done".to_owned(),
        }),
    );
}

#[test]
fn f12_error() {
    is(
        F12,
        &ControlMessage::Error(ErrorReport {
            code: Code::PROTOCOL_ERROR,
            channel: Some(ChannelId::CONTROL),
            reason: "channel 0 cannot be closed".to_owned(),
        }),
    );
}

#[test]
fn f13_extended_length_that_need_not_be() {
    let frame = Frame::decode(&hex(F13).into(), 65_535).unwrap();
    assert_eq!(
        frame,
        Frame::whole(ChannelId(5), 0, Bytes::from_static(b"abc"))
    );
    // We write it short, as a sender should.
    assert_eq!(frame.encode(), Bytes::from_static(b"\x05\0\0\0\0\x03abc"));
}

#[test]
fn f14_and_f15_fragments() {
    is_frame(F14, 2, 0, Part::Piece, b"hel");
    is_frame(F15, 2, 0, Part::LastPiece, b"lo");
    let mut hand = Hand::welcomed();
    hand.hex(F14);
    hand.hex(F15);
    assert_eq!(
        messages(hand.events()),
        [(2, 0, Bytes::from_static(b"hello"))]
    );
}

#[test]
fn f16_stream_preface_says_nothing() {
    is_frame(F16, 3, 0, Part::Whole, b"");
    let mut hand = Hand::welcomed();
    hand.hex(F16);
    assert_eq!(hand.events(), []);
    hand.expect_silence();
}

#[test]
fn f17_header_of_an_extended_frame() {
    let header = Header::decode(&hex(F17)).unwrap().unwrap();
    assert_eq!(
        (header.channel, header.kind, header.part),
        (ChannelId(7), 1, Part::Whole)
    );
    assert_eq!((header.header_bytes, header.payload_bytes), (8, 70_000));
    let frame = Frame::whole(ChannelId(7), 1, vec![0; 70_000].into()).encode();
    assert_eq!(frame[..8], hex(F17));
}

#[test]
fn f18_resume_request() {
    is(
        F18,
        &ControlMessage::ResumeRequest(ResumeRequest {
            session_id: Secret::new("00112233445566778899aabbccddeeff"),
            last_sequence: 42,
            auth: None,
        }),
    );
}

#[test]
fn f19_numbered_message() {
    let frame = Frame::decode(&hex(F19).into(), 65_535).unwrap();
    assert_eq!((frame.channel, frame.kind), (ChannelId(2), 0x10));
    assert_eq!(frame.payload[..8], 43_u64.to_be_bytes());
    assert_eq!(frame.payload[8..], [2, 0, 1, 0x2C, 0]);
    assert_eq!(frame.encode(), hex(F19));
}

#[test]
fn a_reserved_byte_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.hex("00 10 00 01 00 04 00 00 03 E8");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn a_reserved_flag_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.hex("00 10 08 00 00 04 00 00 03 E8");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn an_end_without_fragment_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.hex("02 00 04 00 00 01 41");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn a_fragment_on_an_unreliable_channel_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.hex("01 01 02 00 00 04 02 00 01 2C");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn closing_channel_0_gets_1002_and_closes_nothing() {
    let mut hand = Hand::welcomed();
    hand.hex("00 05 00 00 00 08 7B 22 69 64 22 3A 30 7D");
    hand.expect_error(Code::PROTOCOL_ERROR, Some(0));
}

#[test]
fn a_frame_for_a_channel_that_is_not_open_gets_4003() {
    let mut hand = Hand::welcomed();
    hand.hex("09 01 00 00 00 00");
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(9));
}

#[test]
fn a_hello_of_the_8_byte_dialect_is_answered_in_it() {
    let mut hello = hex("00 00 01 00 00 00 00 21");
    hello.extend_from_slice(&hex(F4)[6..]);
    let mut hand = Hand::server();
    hand.bytes(&hello);
    let answer = hand.connection.poll_transmit().unwrap().frame;
    assert_eq!(answer[..4], [0, 0, 0x20, 0]);
    let length = u32::from_be_bytes(answer[4..8].try_into().unwrap());
    assert_eq!(length as usize, answer.len() - 8);
    let close = ControlMessage::decode(0x20, &answer[8..]).unwrap();
    assert!(matches!(
        close,
        ControlMessage::Close(Close {
            code: Code::VERSION_MISMATCH,
            ..
        })
    ));
    assert!(hand.connection.is_closed());
    assert!(matches!(
        hand.events().as_slice(),
        [Event::Closed {
            code: Code::VERSION_MISMATCH,
            ..
        }]
    ));
}

#[test]
fn http_instead_of_the_magic_is_answered_with_nothing() {
    let mut decoder = StreamDecoder::new();
    decoder.push(&hex("47 45 54 20"));
    assert_eq!(decoder.poll(100), Err(StreamError::Magic));
    let mut hand = Hand::server();
    hand.connection
        .handle_malformed(hand.now, StreamError::Magic);
    assert!(hand.connection.is_closed());
    assert_eq!(hand.connection.poll_transmit(), None);
}

#[test]
fn every_truncation_of_every_vector_is_refused() {
    for vector in [
        F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12, F13, F14, F15, F16, F18, F19,
    ] {
        let bytes = Bytes::from(hex(vector));
        for cut in 0..bytes.len() {
            assert_eq!(
                Frame::decode(&bytes.slice(..cut), 65_535),
                Err(FrameError::Length)
            );
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(
            Frame::decode(&longer.into(), 65_535),
            Err(FrameError::Length)
        );
        // A connection takes each as a fault and goes on.
        let mut hand = Hand::welcomed();
        for cut in 0..bytes.len() {
            hand.bytes(&bytes[..cut]);
        }
        drop(hand.frames());
        hand.expect_alive();
    }
}

const F1: &str = "4F 4D 55 58";
const F2: &str = "00 10 00 00 00 04 00 00 03 E8";
const F3: &str = "00 11 00 00 00 08 00 00 03 E8 00 00 01 F4";
const F4: &str = "00 01 00 00 00 21 7B 22 76 65 72 73 69 6F 6E 22 3A 5B 30 2C 31 2C 30 5D 2C 22 63 68 61 6E \
     6E 65 6C 73 22 3A 5B 5D 7D";
const F5: &str = "00 01 00 00 00 52 7B 22 76 65 72 73 69 6F 6E 22 3A 5B 30 2C 31 2C 30 5D 2C 22 63 68 61 6E \
     6E 65 6C 73 22 3A 5B 7B 22 6E 61 6D 65 22 3A 22 63 6F 6E 74 72 6F 6C 22 2C 22 72 65 6C 69 \
     61 62 6C 65 22 3A 74 72 75 65 2C 22 6F 72 64 65 72 65 64 22 3A 74 72 75 65 7D 5D 7D";
const F6: &str = "00 02 00 00 00 3A 7B 22 76 65 72 73 69 6F 6E 22 3A 5B 30 2C 31 2C 30 5D 2C 22 63 68 61 6E \
     6E 65 6C 73 22 3A 5B 7B 22 6E 61 6D 65 22 3A 22 63 6F 6E 74 72 6F 6C 22 2C 22 69 64 22 3A \
     30 7D 5D 7D";
const F7: &str = "00 03 00 00 00 54 7B 22 72 65 71 75 65 73 74 49 64 22 3A 31 2C 22 6E 61 6D 65 22 3A 22 70 \
     6F 69 6E 74 65 72 22 2C 22 72 65 6C 69 61 62 6C 65 22 3A 66 61 6C 73 65 2C 22 6F 72 64 65 \
     72 65 64 22 3A 66 61 6C 73 65 2C 22 6D 61 78 52 65 74 72 61 6E 73 6D 69 74 73 22 3A 30 7D";
const F8: &str = "00 04 00 00 00 27 7B 22 72 65 71 75 65 73 74 49 64 22 3A 31 2C 22 69 64 22 3A 31 2C 22 6E \
     61 6D 65 22 3A 22 70 6F 69 6E 74 65 72 22 7D";
const F9: &str = "00 06 00 00 00 36 7B 22 72 65 71 75 65 73 74 49 64 22 3A 32 2C 22 63 6F 64 65 22 3A 31 30 \
     30 33 2C 22 72 65 61 73 6F 6E 22 3A 22 75 6E 6B 6E 6F 77 6E 20 63 68 61 6E 6E 65 6C 22 7D";
const F10: &str = "00 05 00 00 00 08 7B 22 69 64 22 3A 31 7D";
const F11: &str = "00 20 00 00 00 1D 7B 22 63 6F 64 65 22 3A 31 30 30 30 2C 22 72 65 61 73 6F 6E 22 3A 22 64 \
     6F 6E 65 22 7D";
const F12: &str = "00 F0 00 00 00 3F 7B 22 63 6F 64 65 22 3A 31 30 30 32 2C 22 63 68 61 6E 6E 65 6C 22 3A 30 \
     2C 22 72 65 61 73 6F 6E 22 3A 22 63 68 61 6E 6E 65 6C 20 30 20 63 61 6E 6E 6F 74 20 62 65 \
     20 63 6C 6F 73 65 64 22 7D";
const F13: &str = "05 00 01 00 00 00 00 03 61 62 63";
const F14: &str = "02 00 02 00 00 03 68 65 6C";
const F15: &str = "02 00 06 00 00 02 6C 6F";
const F16: &str = "03 00 00 00 00 00";
const F17: &str = "07 01 01 00 00 01 11 70";
const F18: &str = "00 31 00 00 00 42 7B 22 73 65 73 73 69 6F 6E 49 64 22 3A 22 30 30 31 31 32 32 33 33 34 34 \
     35 35 36 36 37 37 38 38 39 39 61 61 62 62 63 63 64 64 65 65 66 66 22 2C 22 6C 61 73 74 53 \
     65 71 75 65 6E 63 65 22 3A 34 32 7D";
const F19: &str = "02 10 00 00 00 0D 00 00 00 00 00 00 00 2B 02 00 01 2C 00";
