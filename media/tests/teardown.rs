//! Peers leave nothing behind. This looks at the whole process, so it is the only test here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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

/// The memory of this process in KiB, without what was freed and only kept by the allocator.
fn memory_kib() -> u64 {
    #[expect(unsafe_code, reason = "there is no other way to ask the allocator")]
    // SAFETY: malloc_trim works on free memory alone, under the allocator's own locks.
    unsafe {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> i32;
        }
        malloc_trim(0);
    }
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = rollup.lines().find(|it| it.starts_with("Pss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn two_hundred_peers_give_back_their_threads_descriptors_and_memory() {
    let media = media("x264enc");
    let mut screen = Screen::new();
    let encoder = media.encoder(screen.frames.clone()).unwrap();
    screen.show(calm_card(Size::new(320, 240), 0));
    let mut base = None;
    let mut memory = 0;
    for round in 0..ROUNDS {
        // The first round loads libraries and starts what is shared.
        let peers = if round == 0 { 1 } else { 10 };
        let mut ends = Vec::new();
        for _ in 0..peers {
            let browser = Browser::new(true);
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
        if round <= ROUNDS_SETTLED {
            memory = memory.max(memory_kib());
        }
    }
    assert_eq!(encoder.stats().listeners, 0);
    let (first, last) = (memory, memory_kib());
    assert!(
        last <= first + MEMORY_KIB,
        "{last} KiB, after the first rounds {first}"
    );
}

/// The first with one peer, the others with ten.
const ROUNDS: usize = 21;

/// After these the allocator has what ten peers at a time need.
const ROUNDS_SETTLED: usize = 10;

/// What differs from round to round; a leak of 160 KiB in each of 100 peers would be more.
const MEMORY_KIB: u64 = 15 << 10;
