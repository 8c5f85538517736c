//! What a peer can cost us: bounded memory, bounded words, and the defined code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use std::time::Duration;

use bytes::Bytes;
use vroom_protocol::mux::control::{Close, CloseChannel, ControlMessage, kind};
use vroom_protocol::mux::frame::{FrameError, Part};
use vroom_protocol::mux::{
    CONTROL_MESSAGE_BYTES, MESSAGE_BYTES, PTY_QUEUE_BYTES, QUEUE_BYTES, VIDEO_MESSAGE_BYTES,
};
use vroom_protocol::{
    ChannelId, ChannelSpec, Code, Event, MAGIC, SendError, ServerConfig, StreamDecoder, StreamError,
};

use mux_support::{Hand, messages};

const SECOND: Duration = Duration::from_secs(1);
static PIECE: [u8; 65_535] = [0; 65_535];

/// Opens a channel as the peer and yields its id.
fn open(hand: &mut Hand, number: u64, spec: ChannelSpec) -> ChannelId {
    hand.ask(number, spec);
    let events = hand.events();
    let [Event::ChannelRequested { request, .. }] = events[..] else {
        panic!("{events:?}")
    };
    let id = hand.connection.accept_channel(hand.now, request).unwrap();
    drop((hand.frames(), hand.events()));
    id
}

/// Sends pieces that never end and counts the bytes that are borne.
fn endless(hand: &mut Hand, channel: ChannelId) -> usize {
    let mut borne = 0;
    while hand.connection.is_up()
        && (channel == ChannelId::CONTROL || hand.connection.channel(channel).is_some())
    {
        hand.part(channel.0, 0x83, Part::Piece, &PIECE);
        borne += PIECE.len();
        assert!(borne < 64 << 20, "no end to it");
    }
    borne
}

#[test]
fn a_message_that_never_ends_closes_its_channel_with_4005() {
    let mut hand = Hand::welcomed();
    let borne = endless(&mut hand, ChannelId(3));
    assert!(
        (MESSAGE_BYTES..MESSAGE_BYTES + PIECE.len() + 1).contains(&borne),
        "{borne}"
    );
    let answers = hand.controls();
    assert!(
        matches!(&answers[..], [
        ControlMessage::Error(error),
        ControlMessage::CloseChannel(CloseChannel { id: 3, .. }),
    ] if error.code == Code::MESSAGE_TOO_LARGE && error.channel == Some(ChannelId(3))),
        "{answers:?}"
    );
    assert!(matches!(
        hand.events()[..],
        [Event::ChannelClosed {
            id: ChannelId(3),
            by_peer: false,
            ..
        }]
    ));
    hand.part(3, 0x83, Part::Piece, &PIECE);
    hand.expect_silence();
}

#[test]
fn video_and_channel_0_bear_8_mib() {
    let mut hand = Hand::welcomed();
    let video = open(&mut hand, 1, ChannelSpec::reliable("video"));
    let borne = endless(&mut hand, video);
    assert!(
        (VIDEO_MESSAGE_BYTES..VIDEO_MESSAGE_BYTES + PIECE.len() + 1).contains(&borne),
        "{borne}"
    );
    drop((hand.frames(), hand.events()));

    let borne = endless(&mut hand, ChannelId::CONTROL);
    assert!(
        (CONTROL_MESSAGE_BYTES..CONTROL_MESSAGE_BYTES + PIECE.len() + 1).contains(&borne),
        "{borne}"
    );
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

#[test]
fn all_unfinished_messages_together_bear_16_mib() {
    let mut hand = Hand::welcomed();
    let mut borne = 0;
    'all: for number in 0..20 {
        let id = open(
            &mut hand,
            number,
            ChannelSpec::reliable(format!("n{number}")),
        );
        for _ in 0..60 {
            hand.part(id.0, 1, Part::Piece, &PIECE);
            if hand.connection.channel(id).is_none() {
                break 'all;
            }
            borne += PIECE.len();
        }
    }
    assert!((15 << 20..=16 << 20).contains(&borne), "{borne}");
    assert!(hand.connection.is_up());
}

#[test]
fn a_message_of_the_full_size_arrives() {
    let mut hand = Hand::welcomed();
    let largest = Bytes::from(vec![7; MESSAGE_BYTES]);
    hand.connection
        .send(hand.now, ChannelId(3), 1, largest.clone())
        .unwrap();
    let frames = hand.frames();
    for frame in frames {
        hand.bytes(&frame.encode());
    }
    assert_eq!(messages(hand.events()), [(3, 1, largest)]);
    let larger = Bytes::from(vec![7; MESSAGE_BYTES + 1]);
    assert_eq!(
        hand.connection.send(hand.now, ChannelId(3), 1, larger),
        Err(SendError::TooLarge)
    );
}

#[test]
fn a_lying_length_closes_with_4005_before_its_payload_is_there() {
    let mut hand = Hand::server();
    let mut decoder = StreamDecoder::new();
    decoder.push(&MAGIC);
    decoder.push(&[0, 1, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let error = decoder.poll(hand.connection.frame_limit()).unwrap_err();
    assert_eq!(error, StreamError::Frame(FrameError::TooLarge));
    assert_eq!(decoder.buffered_bytes(), 0);
    hand.connection.handle_malformed(hand.now, error);
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

#[test]
fn what_a_stream_decoder_reports_closes_with_its_code() {
    for (error, code) in [
        (
            StreamError::Frame(FrameError::Reserved),
            Code::PROTOCOL_ERROR,
        ),
        (
            StreamError::Frame(FrameError::EndWithoutFragment),
            Code::PROTOCOL_ERROR,
        ),
        (
            StreamError::Frame(FrameError::TooLarge),
            Code::MESSAGE_TOO_LARGE,
        ),
    ] {
        let mut hand = Hand::welcomed();
        hand.connection.handle_malformed(hand.now, error);
        hand.expect_close(code);
    }
}

#[test]
fn ten_errors_a_second_are_sent_and_no_more() {
    let mut hand = Hand::welcomed();
    for _ in 0..100 {
        hand.message(9, 1, b"x");
    }
    assert_eq!(hand.controls().len(), 10);
    hand.after(Duration::from_millis(999));
    hand.message(9, 1, b"x");
    assert_eq!(hand.controls().len(), 0);
    hand.after(Duration::from_millis(1));
    for _ in 0..100 {
        hand.connection.error(
            hand.now,
            Code::NOT_ALLOWED,
            Some(ChannelId(1)),
            "not in view",
        );
    }
    assert_eq!(hand.controls().len(), 10);
}

#[test]
fn more_than_a_thousand_faulty_frames_in_ten_seconds_close_with_4004() {
    let mut hand = Hand::welcomed();
    for _ in 0..1000 {
        hand.message(9, 1, b"x");
    }
    drop(hand.frames());
    hand.expect_alive();
    hand.message(9, 1, b"x");
    hand.expect_close(Code::RATE_LIMITED);
}

#[test]
fn faults_of_the_application_count_as_well() {
    let mut hand = Hand::welcomed();
    for _ in 0..1001 {
        hand.connection
            .error(hand.now, Code::INVALID_MESSAGE, Some(ChannelId(1)), "short");
    }
    let answers = hand.controls();
    assert!(matches!(
        answers.last(),
        Some(ControlMessage::Close(Close {
            code: Code::RATE_LIMITED,
            ..
        }))
    ));
}

#[test]
fn a_hundred_faulty_frames_a_second_are_borne_for_ever() {
    let mut hand = Hand::welcomed();
    for _ in 0..300 {
        for _ in 0..10 {
            hand.message(9, 1, b"x");
        }
        hand.after(Duration::from_millis(100));
        drop((hand.frames(), hand.events()));
    }
    hand.expect_alive();
}

#[test]
fn errors_that_cannot_be_read_count_and_are_not_answered() {
    let mut hand = Hand::welcomed();
    for _ in 0..1000 {
        hand.json(kind::ERROR, "{");
    }
    hand.expect_silence();
    hand.json(kind::ERROR, "{");
    hand.expect_close(Code::RATE_LIMITED);
}

#[test]
fn sixty_four_requests_may_be_open() {
    let mut hand = Hand::welcomed();
    for number in 0..65 {
        hand.ask(number, ChannelSpec::reliable(format!("n{number}")));
    }
    assert_eq!(hand.events().len(), 64);
    match hand.answer() {
        ControlMessage::ChannelReject(reject) => {
            assert_eq!((reject.request, reject.code), (64, Code::LIMIT_REACHED));
        }
        other => panic!("{other:?}"),
    }
    for number in 0..64 {
        hand.connection
            .open_channel(hand.now, ChannelSpec::reliable(format!("o{number}")))
            .unwrap();
    }
    assert_eq!(
        hand.connection
            .open_channel(hand.now, ChannelSpec::reliable("p")),
        Err(SendError::Full)
    );
}

#[test]
fn a_request_number_that_is_open_cannot_be_used_again() {
    let mut hand = Hand::welcomed();
    hand.ask(5, ChannelSpec::reliable("a"));
    hand.ask(5, ChannelSpec::reliable("b"));
    assert_eq!(hand.events().len(), 1);
    hand.expect_error(Code::INVALID_MESSAGE, Some(0));
}

#[test]
fn a_peer_that_asks_and_never_reads_is_closed_with_4004() {
    let mut hand = Hand::welcomed();
    for _ in 0..2000 {
        hand.ask(1, ChannelSpec::reliable("control"));
        hand.after(Duration::from_millis(20));
    }
    hand.after(Duration::ZERO);
    let events = hand.events();
    assert!(
        matches!(
            events.last(),
            Some(Event::Closed {
                code: Code::RATE_LIMITED,
                ..
            })
        ),
        "{events:?}"
    );
}

#[test]
fn pongs_that_cannot_be_sent_do_not_pile_up() {
    let mut hand = Hand::welcomed();
    for clock in 0..10_000 {
        hand.control(&ControlMessage::Ping(clock));
    }
    let pongs = hand.controls();
    assert_eq!(pongs.len(), 16);
    assert!(matches!(
        pongs.last(),
        Some(ControlMessage::Pong { echo: 9_999, .. })
    ));
}

#[test]
fn a_reliable_queue_that_is_full_refuses_and_takes_again() {
    let mut hand = Hand::welcomed();
    let pty = open(&mut hand, 1, ChannelSpec::reliable("vroom.terminal.pty#2"));
    for (id, bound) in [(ChannelId(3), QUEUE_BYTES), (pty, PTY_QUEUE_BYTES)] {
        let piece = Bytes::from(vec![0; 1000]);
        let mut sent = 0;
        let refused = loop {
            match hand.connection.send(hand.now, id, 1, piece.clone()) {
                Ok(()) => sent += piece.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(refused, SendError::Full);
        assert_eq!(hand.connection.queued_bytes(id), sent);
        assert!((bound * 9 / 10..=bound).contains(&sent), "{sent}");
        drop(hand.connection.poll_transmit());
        drop(hand.connection.poll_transmit());
        hand.connection.send(hand.now, id, 1, piece).unwrap();
        drop(hand.frames());
        assert_eq!(hand.connection.queued_bytes(id), 0);
    }
}

#[test]
fn tiny_messages_fill_a_queue_too() {
    let mut hand = Hand::welcomed();
    let tiny = Bytes::from_static(b"x");
    let sent = (0..100_000).take_while(|_| {
        hand.connection
            .send(hand.now, ChannelId(3), 1, tiny.clone())
            .is_ok()
    });
    assert!(sent.count() < 20_000);
}

#[test]
fn an_unreliable_queue_keeps_the_newest() {
    let mut hand = Hand::welcomed();
    for number in 0..1000_u32 {
        let payload = Bytes::copy_from_slice(&number.to_be_bytes());
        hand.connection
            .send(hand.now, ChannelId(1), 1, payload)
            .unwrap();
    }
    let frames = hand.frames();
    assert_eq!(frames.len(), 64);
    assert_eq!(frames[63].payload, 999_u32.to_be_bytes()[..]);
}

#[test]
fn channel_0_refuses_what_is_too_much() {
    let mut hand = Hand::welcomed();
    let sent = (0..10_000)
        .take_while(|_| {
            hand.connection
                .send(
                    hand.now,
                    ChannelId::CONTROL,
                    0x90,
                    Bytes::from_static(b"{}"),
                )
                .is_ok()
        })
        .count();
    assert_eq!(sent, 512);
    hand.message(9, 1, b"there is room for our own words");
    assert_eq!(hand.frames().len(), 513);
    let larger = Bytes::from(vec![0; CONTROL_MESSAGE_BYTES + 1]);
    assert_eq!(
        hand.connection
            .send(hand.now, ChannelId::CONTROL, 0x83, larger),
        Err(SendError::TooLarge)
    );
}

#[test]
fn reasons_are_cut_to_what_a_small_frame_holds() {
    let mut hand = Hand::welcomed_with(ServerConfig::default(), r#","maxMessageSize":1024"#);
    let long = "ä".repeat(5000);
    hand.connection
        .error(hand.now, Code::NOT_ALLOWED, None, &long);
    hand.connection.close_channel(hand.now, ChannelId(3), &long);
    hand.connection.close(hand.now, Code::NORMAL, &long);
    let controls = hand.frames();
    assert_eq!(controls.len(), 3);
    assert!(
        controls
            .iter()
            .all(|frame| frame.part == Part::Whole && frame.payload.len() <= 1024)
    );
}

#[test]
fn a_late_flood_into_a_closing_connection_costs_nothing() {
    let mut hand = Hand::welcomed();
    hand.connection.close(hand.now, Code::NORMAL, "bye");
    drop((hand.frames(), hand.events()));
    for _ in 0..1000 {
        hand.message(3, 1, b"x");
        hand.message(99, 1, b"x");
        hand.json(kind::OPEN_CHANNEL, "{");
    }
    assert_eq!(hand.frames(), []);
    assert_eq!(hand.events(), []);
    hand.after(2 * SECOND);
    assert!(hand.connection.is_closed());
}
