//! A snapshot brings another screen to the same state, wherever the stream is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits, SnapshotOptions};

const LIMITS: ScreenLimits = ScreenLimits {
    scrollback_lines: 12,
    image_bytes: 2048,
};

fn size(rows: u8, cols: u8) -> PtySize {
    let (rows, cols) = (u16::from(rows % 8) + 1, u16::from(cols % 20) + 2);
    PtySize {
        rows,
        cols,
        px_w: cols * 10,
        px_h: rows * 20,
    }
}

fuzz_target!(|data: &[u8]| {
    let [rows, cols, rows_after, cols_after, cut, stream @ ..] = data else {
        return;
    };
    let first_size = size(*rows, *cols);
    let cut = usize::from(*cut) * stream.len() / 255;
    let (before, after) = stream.split_at(cut);

    let mut first = Screen::new(first_size, LIMITS);
    first.advance(before);
    let mut pieces = Screen::new(first_size, LIMITS);
    for byte in before {
        pieces.advance(&[*byte]);
    }
    assert!(first.digest() == pieces.digest(), "pieces");

    for next_size in [first_size, size(*rows_after, *cols_after)] {
        first.resize(next_size);
        let mut second = Screen::new(next_size, LIMITS);
        second.advance(&first.snapshot(&SnapshotOptions::EVERYTHING));
        assert!(first.digest() == second.digest(), "snapshot");
        let poor = SnapshotOptions {
            graphics: false,
            sixel: false,
            kitty_level: 0,
            links: false,
            scrollback_lines: 3,
        };
        Screen::new(next_size, LIMITS).advance(&first.snapshot(&poor));
        if next_size != first_size {
            first.advance(after);
            second.advance(after);
            assert!(first.digest() == second.digest(), "rest after a new size");
        } else {
            let mut whole = Screen::new(first_size, LIMITS);
            whole.advance(stream);
            second.advance(after);
            assert!(whole.digest() == second.digest(), "rest");
        }
    }
});
