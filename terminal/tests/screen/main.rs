//! The screen model: what it shows, and that a snapshot brings another screen to the same state.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod filtering;
mod law;
mod programs;
mod replies;
mod showing;
mod streams;

use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits, SnapshotOptions};

/// A small screen, whose edges are soon reached.
pub fn small(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        px_w: cols * 10,
        px_h: rows * 20,
    }
}

/// Limits that are soon reached.
pub const LIMITS: ScreenLimits = ScreenLimits {
    scrollback_lines: 20,
    image_bytes: 4096,
};

/// A screen that read a stream.
pub fn screen(size: PtySize, stream: &[u8]) -> Screen {
    let mut screen = Screen::new(size, LIMITS);
    screen.advance(stream);
    screen
}

/// Checks that a snapshot at `cut` carries everything over: right away, and when the rest is read.
pub fn check_cut(size: PtySize, stream: &[u8], cut: usize) {
    let (before, rest) = stream.split_at(cut);
    let first = screen(size, before);
    let snapshot = first.snapshot(&SnapshotOptions::EVERYTHING);
    let mut second = screen(size, &snapshot);
    assert!(
        first.digest() == second.digest(),
        "{size:?} cut at {cut} of {:?}\nsnapshot {:?}\n{}",
        escaped(stream),
        escaped(&snapshot),
        difference(&first, &second)
    );
    second.advance(rest);
    let whole = screen(size, stream);
    assert!(
        whole.digest() == second.digest(),
        "{size:?} rest after the cut at {cut} of {:?}\nsnapshot {:?}\n{}",
        escaped(stream),
        escaped(&snapshot),
        difference(&whole, &second)
    );
}

fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The lines of two digests that differ.
fn difference(left: &Screen, right: &Screen) -> String {
    let (left, right) = (
        format!("{:#?}", left.digest()),
        format!("{:#?}", right.digest()),
    );
    let pairs = left.lines().zip(right.lines());
    let differing = pairs.filter(|(left, right)| left != right).take(30);
    differing
        .map(|(left, right)| format!("- {left}\n+ {right}\n"))
        .collect()
}
