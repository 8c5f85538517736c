//! Writes streams of real and made-up programs, and snapshots at places where they are cut, for the
//! comparison with another terminal: `cargo run -p vroom-terminal --example screen_streams -- FOLDER`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for tests"
)]

#[path = "../tests/screen/programs.rs"]
mod programs;

use std::fs;
use std::path::Path;

use programs::{PROGRAMS, SIZE, record};
use vroom_terminal::screen::{Screen, ScreenLimits, SnapshotOptions};

/// How often a stream is cut.
const CUTS: usize = 40;

fn main() {
    let folder = std::env::args_os().nth(1).expect("the folder to write to");
    let folder = Path::new(&folder);
    if folder.exists() {
        fs::remove_dir_all(folder).expect("no old files");
    }
    fs::create_dir_all(folder).expect("the folder");
    for program in PROGRAMS {
        write(folder, program, &record(program));
    }
    for (name, stream) in made_up() {
        write(folder, name, stream.as_bytes());
    }
}

/// Writes `name.stream`, and for every cut `name.OFFSET.snapshot`.
fn write(folder: &Path, name: &str, stream: &[u8]) {
    fs::write(folder.join(format!("{name}.stream")), stream).expect("the stream");
    let step = stream.len() / CUTS + 1;
    let mut screen = Screen::new(SIZE, ScreenLimits::default());
    let mut cut = 0;
    for piece in stream.chunks(step) {
        screen.advance(piece);
        cut += piece.len();
        let snapshot = screen.snapshot(&SnapshotOptions::EVERYTHING);
        let file = folder.join(format!("{name}.{cut}.snapshot"));
        fs::write(file, snapshot).expect("a snapshot");
    }
    println!("{name}: {} bytes", stream.len());
}

/// What programs do that are not at hand.
fn made_up() -> [(&'static str, String); 5] {
    let coloured = (0..200).map(|at| {
        let (style, colour) = (1 + at % 9, at % 256);
        format!(
            "\x1b[{style};38;5;{colour}mline {at}\x1b[m \x1b[48;2;{colour};0;9mrest\x1b[K\x1b[m\r\n"
        )
    });
    let wide = "日本語テキスト, e\u{301}, ".repeat(60) + "\r\n\x1b[5C字\x1b[3D\x1b[Pq\x1b[@\x1b[2X";
    let modes = "\x1b[?1h\x1b=\x1b[?2004h\x1b[?1003;1006h\x1b[?25l\x1b[4h\x1b[5;10r\x1b[?6h\x1b[3;3Horigin\
        \x1b7\x1b[?6l\x1b[1;1H\x1b(0lqqqk\x0e\x1b)0x\x0f\x1b(B\x1b8restored\x1b[?7l\x1b[20;79Hno wrap\
        \x1b[?7h\x1b[4l\x1b[r\x1b[>5u\x1b[=3;2u\x1b[3g\x1b[10G\x1bH\x1b[1G\tafter the tab";
    let screens = "main screen\r\n\x1b[31mred\x1b7\x1b[?1049h\x1b[2J\x1b[5;5Halternate \x1b[44mblue\x1b[K\
        \x1b[>1u\x1b[3;8r\x1b[8;1H\n\n\nlines\x1b[?1049l\x1b[m back on the main one\r\nnext";
    let text = (0..300).map(|at| {
        let word = "word ".repeat(at % 40);
        format!("{at} \x1b]8;;http://localhost/{at}\x1b\\link\x1b]8;;\x1b\\ {word}\r\n")
    });
    [
        ("coloured", coloured.collect()),
        ("wide", wide),
        ("modes", modes.repeat(3)),
        ("screens", screens.repeat(3)),
        ("text", text.collect()),
    ]
}
