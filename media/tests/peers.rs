//! Two ends of a WebRTC connection in one process, over loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use gstreamer::glib;
use support::browser::{Browser, until_open};
use support::{Screen, calm_card, media, psnr, soon, until_silent};
use vroom_desktop::Size;
use vroom_media::{Candidate, Encoder, Error, Media, Offer, Peer, PeerEvent, PeerEvents, PeerSend};

async fn connect(media: &Media, encoder: &Encoder, browser: &Browser) -> (Peer, PeerEvents) {
    let (offer, control) = browser.offer();
    let (peer, events, answer) = soon(media.answer(encoder, None, offer)).await.unwrap();
    browser.accept(&answer);
    until_open(&control);
    (peer, events)
}

/// The next event that `wanted` takes.
async fn event<T>(events: &mut PeerEvents, wanted: impl Fn(&PeerEvent) -> Option<T>) -> T {
    soon(async {
        loop {
            let event = events.recv().await.unwrap();
            if let Some(found) = wanted(&event) {
                return found;
            }
            assert!(!matches!(event, PeerEvent::Closed { .. }), "{event:?}");
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_sees_the_picture_and_its_changes() {
    let media = media("x264enc");
    let mut screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    screen.show(calm_card(Size::new(1280, 720), 0));
    let browser = Browser::new(true);
    let (peer, mut events) = connect(&media, &encoder, &browser).await;
    event(&mut events, |it| {
        (*it == PeerEvent::Connected).then_some(())
    })
    .await;
    for (width, height) in [(1280, 720), (1366, 768), (854, 480)] {
        let size = Size::new(width, height);
        screen.show(calm_card(size, 3));
        let mut best = 0.0_f64;
        while best < 38.0 {
            let picture = browser.picture();
            if picture.size == size {
                best = best.max(psnr(&calm_card(size, 3), &picture, false));
            }
        }
    }
    let stats = peer.stats();
    assert!(
        stats.connected && stats.units > 0 && stats.channels == 1,
        "{stats:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_peer_costs_nothing_and_goes_on_with_a_picture() {
    let media = media("x264enc");
    let mut screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let size = Size::new(640, 480);
    screen.show(calm_card(size, 0));
    let browser = Browser::new(true);
    let (peer, _events) = connect(&media, &encoder, &browser).await;
    browser.picture();
    peer.set_playing(false);
    until_silent(&encoder).await;
    let before = encoder.stats().units;
    screen.show(calm_card(size, 1));
    until_silent(&encoder).await;
    assert_eq!(encoder.stats().units, before);
    while browser.has_picture_within(Duration::from_millis(200)) {}
    peer.set_playing(true);
    while psnr(&calm_card(size, 1), &browser.picture(), false) < 37.0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_of_both_sides_carry_messages_both_ways() {
    let media = media("x264enc");
    let browser = Browser::new(true);
    let screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let (peer, mut events) = connect(&media, &encoder, &browser).await;
    peer.open_channel("omux/ours", true, None).unwrap();
    let theirs = browser.channel("omux/theirs", None);
    until_open(&theirs);
    let early = Bytes::from_static(b"early");
    theirs
        .send_data_full(Some(&glib::Bytes::from_owned(early.clone())))
        .unwrap();
    let first = event(&mut events, |it| match it {
        PeerEvent::Message { label, data } => Some((label.clone(), data.clone())),
        _ => None,
    })
    .await;
    assert_eq!(first, ("omux/theirs".into(), early));
    for label in ["omux/control", "omux/theirs", "omux/ours"] {
        let longest = Bytes::from(vec![7; 65_536]);
        soon(async {
            // The channel that we opened takes a moment.
            while peer.send(label, longest.clone()) == Err(PeerSend::Closed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        assert_eq!(browser.message(), (label.into(), longest.to_vec()));
    }
    let too_long = Bytes::from(vec![7; 65_537]);
    assert_eq!(peer.send("omux/control", too_long), Err(PeerSend::TooLarge));
    assert_eq!(peer.send("omux/none", Bytes::new()), Err(PeerSend::Closed));
    peer.close_channel("omux/theirs");
    let closed = event(&mut events, |it| match it {
        PeerEvent::ChannelClosed { label } => Some(label.clone()),
        _ => None,
    })
    .await;
    assert_eq!(closed, "omux/theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_channel_says_so_and_says_when_it_goes_on() {
    let media = media("x264enc");
    let browser = Browser::new(true);
    let screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let (peer, mut events) = connect(&media, &encoder, &browser).await;
    let bulk = browser.channel("omux/bulk", None);
    until_open(&bulk);
    event(&mut events, |it| match it {
        PeerEvent::ChannelOpened { label } if label == "omux/bulk" => Some(()),
        _ => None,
    })
    .await;
    let piece = Bytes::from(vec![1; 16 << 10]);
    let (mut sent, mut full) = (0_usize, 0);
    while sent < 1024 {
        match peer.send("omux/bulk", piece.clone()) {
            Ok(()) => sent += 1,
            Err(PeerSend::Full) => {
                full += 1;
                event(&mut events, |it| match it {
                    PeerEvent::Writable { label } if label == "omux/bulk" => Some(()),
                    _ => None,
                })
                .await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(full > 0, "16 MiB at once are more than may wait");
    for _ in 0..sent {
        assert_eq!(browser.message().1.len(), piece.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_that_cannot_be_served_are_refused_with_words() {
    let media = media("x264enc");
    let screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let (offer, _control) = Browser::new(true).offer();
    let cases = [
        (offer.sdp.replace("H264", "VP8"), true),
        (
            offer
                .sdp
                .replace("webrtc-datachannel", "x")
                .replace("SCTP", "X"),
            true,
        ),
        ("hello".into(), false),
        (
            offer
                .sdp
                .replace("a=ice-ufrag", "a=x")
                .replace("a=fingerprint", "a=y"),
            false,
        ),
    ];
    for (sdp, unsupported) in cases {
        let offer = Offer {
            sdp,
            candidates: Vec::new(),
        };
        let error = soon(media.answer(&encoder, None, offer)).await.unwrap_err();
        assert_eq!(
            matches!(error, Error::Unsupported(_)),
            unsupported,
            "{error}"
        );
    }
    // And the next one works as if nothing had been.
    let browser = Browser::new(true);
    let (peer, _events) = connect(&media, &encoder, &browser).await;
    for candidate in [
        "",
        "candidate:1 1 UDP 1 name.local 5 typ host",
        "\u{0}nonsense",
    ] {
        peer.add_candidate(&Candidate {
            candidate: candidate.into(),
            sdp_mid: None,
            sdp_mline_index: Some(u32::MAX),
        });
    }
    assert!(peer.stats().connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_either_side_is_told() {
    let media = media("x264enc");
    let screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    let browser = Browser::new(true);
    let (peer, mut events) = connect(&media, &encoder, &browser).await;
    drop(peer);
    let closed = soon(async {
        let mut last = None;
        while let Some(event) = events.recv().await {
            last = Some(event);
        }
        last
    });
    assert!(matches!(closed.await, Some(PeerEvent::Closed { .. })));
    let browser = Browser::new(true);
    let (_peer, mut events) = connect(&media, &encoder, &browser).await;
    encoder.stop();
    event(&mut events, |it| {
        matches!(it, PeerEvent::Closed { .. }).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_a_picture_has_channels() {
    let media = media("x264enc");
    let browser = Browser::new(true);
    let (offer, control) = browser.offer();
    let (peer, _events, answer) = soon(media.answer_without_picture(offer)).await.unwrap();
    browser.accept(&answer);
    until_open(&control);
    assert!(answer.sdp.contains("a=inactive"));
    soon(async {
        while peer
            .send("omux/control", Bytes::from_static(b"hi"))
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(browser.message(), ("omux/control".into(), b"hi".to_vec()));
}
