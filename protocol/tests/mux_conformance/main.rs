//! What the conformance checklist asks of the mux, item by item where the mux alone can show it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod channels;
mod frames;
mod handshake;
mod liveness;
#[path = "../mux_support/mod.rs"]
mod mux_support;
mod order;

use bytes::Bytes;
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{ChannelSpec, ClientConfig, Connection, LinkKind, ServerConfig, WelcomeInfo};

use mux_support::messages;

/// The frames that want to go out.
fn bytes_of(connection: &mut Connection) -> Vec<Bytes> {
    std::iter::from_fn(|| connection.poll_transmit())
        .map(|transmit| transmit.frame)
        .collect()
}

/// A pair with `pointer`, `button` and `data` open and something said on each.
fn busy_pair(kind: LinkKind) -> Pair {
    let client = ClientConfig {
        channels: vec![
            ChannelSpec::lossy("pointer"),
            ChannelSpec::reliable("button"),
            ChannelSpec::reliable("data"),
        ],
        ..ClientConfig::default()
    };
    let mut pair = Pair::up(
        client,
        ServerConfig::default(),
        WelcomeInfo::default(),
        kind,
        Weather::default(),
    );
    for end in [End::Client, End::Server] {
        for name in ["pointer", "button", "data"] {
            let id = pair.connection(end).channel_id(name).unwrap();
            pair.on(end, |connection, now| {
                connection.send(now, id, 3, Bytes::from_static(b"hi"))
            })
            .unwrap();
        }
    }
    pair.settle();
    for end in [End::Client, End::Server] {
        assert_eq!(messages(pair.events(end)).len(), 3);
    }
    pair
}
