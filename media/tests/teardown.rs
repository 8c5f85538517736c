//! Peers leave nothing behind. This looks at the whole process, so it is the only test here.

mod support;

use std::time::{Duration, Instant};

use support::browser::{Browser, until_open};
use support::{DEADLINE, Screen, calm_card, media, soon};
use vroom_desktop::Size;

/// The threads and the file descriptors of this process.
fn held() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).map_or(0, Iterator::count);
    (count("/proc/self/task"), count("/proc/self/fd"))
}

/// The same, once it has stayed the same for a while.
async fn settled() -> (usize, usize) {
    let mut last = held();
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if held() != last {
            last = held();
            since = Instant::now();
        }
    }
    last
}

#[tokio::test]
async fn fifty_peers_give_back_their_threads_and_descriptors() {
    let media = media("x264enc");
    let mut screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    screen.show(calm_card(Size::new(320, 240), 0));
    let mut base = None;
    for round in 0..6 {
        // The first round loads libraries and starts what is shared.
        let peers = if round == 0 { 1 } else { 10 };
        let mut ends = Vec::new();
        for _ in 0..peers {
            let browser = Browser::new();
            let (offer, control) = browser.offer();
            let (peer, events, answer) = soon(media.answer(&encoder, None, offer)).await.unwrap();
            browser.accept(&answer);
            until_open(&control);
            ends.push((browser, peer, events));
        }
        for (browser, ..) in &ends {
            browser.picture();
        }
        drop(ends);
        let base = match base {
            Some(base) => base,
            None => *base.insert(settled().await),
        };
        let start = Instant::now();
        loop {
            let now = held();
            if now.0 <= base.0 && now.1 <= base.1 {
                break;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "round {round}: {now:?}, at first {base:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(encoder.stats().listeners, 0);
}
