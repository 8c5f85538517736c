//! How fast a screen reads output, what an idle one costs, and how long a snapshot takes.
//!
//! `cargo run --release -p vroom-terminal --example screen_rate`
#![allow(clippy::print_stdout, reason = "it prints a table")]

use std::fs;
use std::hint::black_box;

use vroom_terminal::PtySize;
use vroom_terminal::screen::ViewerCapabilities;
use vroom_terminal::screen::{OutputFilter, Screen, ScreenLimits, SnapshotOptions};

/// Bytes of each stream.
const STREAM_BYTES: usize = 64 << 20;
/// The pieces that a stream is read in, as a PTY gives them.
const PIECE_BYTES: usize = 16 << 10;
/// Idle screens, over which the cost of one is averaged.
const SCREENS: usize = 100;

fn main() {
    idle();
    println!(
        "{:<22} {:>14} {:>14}",
        "stream", "model MiB/s", "filter MiB/s"
    );
    for (name, pattern) in patterns() {
        let stream = pattern.repeat(STREAM_BYTES / pattern.len());
        let mut screen = Screen::new(PtySize::default(), ScreenLimits::default());
        let model = rate(stream.len(), || {
            for piece in stream.chunks(PIECE_BYTES) {
                screen.advance(black_box(piece));
            }
        });
        let mut filter = OutputFilter::new(&ViewerCapabilities::EVERYTHING);
        let mut out = Vec::new();
        let filter = rate(stream.len(), || {
            for piece in stream.chunks(PIECE_BYTES) {
                out.clear();
                filter.push(black_box(piece), &mut out);
                black_box(&out);
            }
        });
        println!("{name:<22} {model:>14.0} {filter:>14.0}");
        let options = SnapshotOptions {
            scrollback_lines: 0,
            ..SnapshotOptions::EVERYTHING
        };
        let mut bytes = 0;
        let seconds = cpu_seconds(|| {
            for _ in 0..100 {
                bytes = black_box(screen.snapshot(&options)).len();
            }
        }) / 100.0;
        println!(
            "{:<22} {bytes} bytes in {:.3} ms",
            "  snapshot",
            seconds * 1e3
        );
        let whole = SnapshotOptions::EVERYTHING;
        let seconds = cpu_seconds(|| bytes = black_box(screen.snapshot(&whole)).len());
        println!(
            "{:<22} {bytes} bytes in {:.0} ms",
            "  with scrollback",
            seconds * 1e3
        );
    }
}

/// What a screen costs that shows a prompt and nothing else.
fn idle() {
    let before = resident_kib();
    let screens: Vec<Screen> = (0..SCREENS)
        .map(|_| {
            let mut screen = Screen::new(PtySize::default(), ScreenLimits::default());
            screen.advance(b"\x1b[?2004h\x1b]0;user@host: ~\x07user@host:~$ ");
            screen
        })
        .collect();
    let cost = (resident_kib() - before) / SCREENS;
    println!("an idle screen of 80x24: {cost} KiB");
    drop(screens);
}

fn patterns() -> Vec<(&'static str, Vec<u8>)> {
    let words = "the quick brown fox jumps over the lazy dog and runs away again while it can\r\n";
    let mut colours = Vec::new();
    let mut cursor = Vec::new();
    for at in 0..1000 {
        let (colour, bold) = (at % 256, 1 + at % 2);
        colours.extend_from_slice(
            format!(
                "\x1b[{bold};38;5;{colour}mword {at}\x1b[0m \x1b[3{}mnext\x1b[m\r\n",
                at % 8
            )
            .as_bytes(),
        );
        let (line, col) = (1 + at * 7 % 24, 1 + at * 13 % 70);
        cursor.extend_from_slice(format!("\x1b[{line};{col}Hcell {at}\x1b[K").as_bytes());
    }
    vec![
        ("plain", words.repeat(100).into_bytes()),
        ("SGR", colours),
        ("cursor-addressed", cursor),
        (
            "UTF-8",
            "Grüße aus Ελλάδα, 日本語テキスト und ─│┌┐ Linien\r\n"
                .repeat(100)
                .into_bytes(),
        ),
    ]
}

fn rate(bytes: usize, work: impl FnMut()) -> f64 {
    let mib = bytes as f64 / f64::from(1 << 20);
    mib / cpu_seconds(work)
}

/// The seconds that this thread computed.
fn cpu_seconds(mut work: impl FnMut()) -> f64 {
    let before = cpu_ns();
    work();
    (cpu_ns() - before) as f64 / 1e9
}

fn cpu_ns() -> u64 {
    number("/proc/thread-self/schedstat", 0)
}

fn resident_kib() -> usize {
    const PAGE_KIB: u64 = 4;
    usize::try_from(number("/proc/self/statm", 1) * PAGE_KIB).unwrap_or(0)
}

fn number(path: &str, at: usize) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let field = text.split_whitespace().nth(at).unwrap_or_default();
    field.parse().unwrap_or(0)
}
