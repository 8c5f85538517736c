//! The law of snapshots, on what real programs write.

use vroom_terminal::screen::{
    OutputFilter, Screen, ScreenLimits, SnapshotOptions, ViewerCapabilities,
};

use super::programs::{PROGRAMS, SIZE, record};

/// How often a recording is cut.
const CUTS: usize = 150;

#[test]
fn every_program_is_carried_over() {
    // At the same time: they wait for the machine more than for one another.
    std::thread::scope(|scope| {
        for program in PROGRAMS {
            scope.spawn(move || check(program));
        }
    });
}

fn check(program: &str) {
    let stream = record(program);
    assert!(
        stream.len() > 1000,
        "{program} wrote {} bytes",
        stream.len()
    );
    let screen = |bytes: &[u8]| {
        let mut screen = Screen::new(SIZE, ScreenLimits::default());
        screen.advance(bytes);
        screen
    };
    let whole = screen(&stream).digest();
    let mut first = screen(b"");
    let step = stream.len() / CUTS + 1;
    for (at, piece) in stream.chunks(step).enumerate() {
        first.advance(piece);
        let cut = at * step + piece.len();
        let mut second = screen(&first.snapshot(&SnapshotOptions::EVERYTHING));
        assert!(first.digest() == second.digest(), "{program} cut at {cut}");
        second.advance(&stream[cut..]);
        assert!(whole == second.digest(), "{program} after a cut at {cut}");
    }
    // What it writes is nothing that a viewer must not see.
    let mut filter = OutputFilter::new(&ViewerCapabilities::EVERYTHING);
    let mut shown = Vec::new();
    filter.push(&stream, &mut shown);
    assert!(
        whole == screen(&shown).digest(),
        "{program} through the filter"
    );
}
