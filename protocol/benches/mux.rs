//! How many frames a second the mux moves, on this machine: `cargo bench -p vroom-protocol`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement is for people"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use vroom_protocol::mux::frame::Frame;
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Connection, LinkKind, MAGIC, ServerConfig, StreamDecoder,
    WelcomeInfo,
};

fn main() {
    let (mut client, mut server) = connected();
    let small = Bytes::from_static(&[2, 0, 1, 0x2C]);
    measure("pointer move, client to server", 10, || {
        let now = Instant::now();
        client.send(now, ChannelId(1), 1, small.clone()).unwrap();
        carry(&mut client, &mut server, now)
    });
    let chunk = Bytes::from(vec![7; 16 * 1024]);
    measure("16 KiB of terminal output", chunk.len(), || {
        let now = Instant::now();
        server.send(now, ChannelId(2), 0, chunk.clone()).unwrap();
        carry(&mut server, &mut client, now)
    });
    let picture = Bytes::from(vec![7; 256 * 1024]);
    measure("256 KiB of video, in pieces", picture.len(), || {
        let now = Instant::now();
        server.send(now, ChannelId(3), 3, picture.clone()).unwrap();
        carry(&mut server, &mut client, now)
    });

    let frame = Frame::whole(ChannelId(1), 1, small).encode();
    measure("decode a pointer move", 10, || {
        black_box(Frame::decode(black_box(&frame), 65_535)).unwrap();
        1
    });
    let mut decoder = StreamDecoder::new();
    decoder.push(&MAGIC);
    let stream = frame.repeat(100);
    measure("cut a stream into pointer moves", stream.len(), || {
        decoder.push(&stream);
        std::iter::from_fn(|| decoder.poll(65_535).unwrap()).count()
    });
}

/// A client and a server with `pointer`, a PTY and `video` open.
fn connected() -> (Connection, Connection) {
    let channels = vec![
        ChannelSpec::lossy("pointer"),
        ChannelSpec::reliable("vroom.terminal.pty"),
        ChannelSpec::reliable("video"),
    ];
    let client = ClientConfig {
        channels,
        ..ClientConfig::default()
    };
    let weather = Weather::default();
    let mut pair = Pair::up(
        client,
        ServerConfig::default(),
        WelcomeInfo::default(),
        LinkKind::Shared,
        weather,
    );
    drop((pair.events(End::Client), pair.events(End::Server)));
    pair.split()
}

/// Carries all frames across and yields their number.
fn carry(from: &mut Connection, to: &mut Connection, now: Instant) -> usize {
    let mut frames = 0;
    while let Some(transmit) = from.poll_transmit() {
        to.handle_message(now, None, transmit.frame);
        frames += 1;
    }
    while let Some(event) = to.poll_event() {
        black_box(event);
    }
    frames
}

/// Runs for a second and prints the rate.
fn measure(what: &str, bytes: usize, mut step: impl FnMut() -> usize) {
    let start = Instant::now();
    let (mut steps, mut frames) = (0_u32, 0);
    while start.elapsed().as_millis() < 1000 {
        for _ in 0..16 {
            frames += step();
            steps += 1;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(frames).unwrap_or(u32::MAX)) / seconds;
    let mib = f64::from(steps) * f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
        / seconds
        / f64::from(1 << 20);
    println!("{what:34} {rate:12.0} frames/s {mib:9.1} MiB/s");
}
