//! A terminal that predictions are drawn on, beside one that gets the program's output alone.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::{Cursor, Dimensions};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::Processor;
use vroom_predict::{Mode, Preference};
use vroom_predict_tty::Echo;

const ROWS: u16 = 8;
const COLS: u16 = 20;

struct Terminal {
    term: Term<VoidListener>,
    parser: Processor,
}

struct Size;

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        ROWS.into()
    }

    fn screen_lines(&self) -> usize {
        ROWS.into()
    }

    fn columns(&self) -> usize {
        COLS.into()
    }
}

impl Terminal {
    fn new() -> Self {
        Self {
            term: Term::new(Config::default(), &Size, VoidListener),
            parser: Processor::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    fn rows(&self) -> Vec<String> {
        let row = |line: i32| -> String {
            let cells =
                (0..usize::from(COLS)).map(|col| &self.term.grid()[Line(line)][Column(col)]);
            cells
                .filter(|cell| !cell.flags.contains(Flags::WIDE_CHAR_SPACER))
                .map(|cell| cell.c)
                .collect()
        };
        (0..ROWS)
            .map(|line| row(line.into()).trim_end().to_owned())
            .collect()
    }

    /// Everything that must be the same.
    fn state(&self) -> (Vec<Cell>, Cursor<Cell>) {
        let cells = (0..i32::from(ROWS))
            .flat_map(|line| (0..usize::from(COLS)).map(move |col| (line, col)));
        let cells = cells.map(|(line, col)| {
            let mut cell = self.term.grid()[Line(line)][Column(col)].clone();
            // Whether a line goes on in the next one is not seen, and cannot be written.
            cell.flags
                .remove(Flags::WRAPLINE | Flags::LEADING_WIDE_CHAR_SPACER);
            cell
        });
        (cells.collect(), self.term.grid().cursor.clone())
    }

    fn cursor(&self) -> (i32, usize) {
        let point = self.term.grid().cursor.point;
        (point.line.0, point.column.0)
    }
}

/// A program that has echoed a first key, so that the next ones are shown.
fn warm(before: &[u8], prompt: &[u8]) -> (Echo, Terminal) {
    let mut echo = Echo::new(ROWS, COLS, Preference::Adaptive);
    let mut terminal = Terminal::new();
    terminal.write(before);
    echo.set_link(100.0);
    let mut out = echo.set_mode(Mode::default());
    out.extend(echo.output(0, prompt));
    out.extend(echo.typed(0, b"a"));
    out.extend(echo.acknowledged(100, 1));
    out.extend(echo.output(101, b"a"));
    out.extend(echo.tick(1_000));
    terminal.write(&out);
    (echo, terminal)
}

#[test]
fn what_is_typed_is_seen_on_whatever_line_the_program_began() {
    for above in ["", "one\r\ntwo\r\nthree\r\n", &"line\r\n".repeat(30)] {
        let (mut echo, mut terminal) = warm(above.as_bytes(), b"$ ");
        terminal.write(&echo.typed(1_000, b"b"));
        terminal.write(&echo.typed(1_010, b"c"));
        let rows = terminal.rows();
        let row = rows.iter().rposition(|row| !row.is_empty()).unwrap();
        assert_eq!(rows.get(row).unwrap(), "$ abc");
        assert_eq!(terminal.cursor(), (i32::try_from(row).unwrap(), 5));
        terminal.write(&echo.output(1_100, b"b"));
        assert_eq!(
            terminal.rows().get(row).unwrap(),
            "$ abc",
            "drawn again behind the new output"
        );
        terminal.write(&echo.hide());
        assert_eq!(terminal.rows().get(row).unwrap(), "$ ab");
    }
}

#[test]
fn what_goes_on_in_the_next_line_is_seen_at_once_on_whatever_line_the_program_began() {
    let typed = "bcdefghijklmnopqrstuvw".as_bytes();
    for above in ["", "one\r\ntwo\r\nthree\r\n", &"line\r\n".repeat(30)] {
        let (mut echo, mut terminal) = warm(above.as_bytes(), b"$ ");
        let mut alone = Terminal::new();
        alone.write(above.as_bytes());
        alone.write(b"$ a");
        for (key, now_ms) in typed.iter().zip(1_000..) {
            terminal.write(&echo.typed(now_ms, &[*key]));
        }
        let row = wrapped(&terminal);
        assert_eq!(terminal.cursor(), (i32::try_from(row).unwrap() + 1, 5));
        // The echo comes in pieces, and is the same in the end as without all that.
        for (piece, now_ms) in typed.chunks(5).zip(1_100..) {
            terminal.write(&echo.output(now_ms, piece));
            alone.write(piece);
            assert_eq!(terminal.rows().get(row + 1).unwrap(), "stuvw");
        }
        terminal.write(&echo.hide());
        assert!(terminal.state() == alone.state(), "{above:?}");
    }
}

/// The row of what was typed, which goes on in the next one.
fn wrapped(terminal: &Terminal) -> usize {
    let rows = terminal.rows();
    let row = rows.iter().position(|row| row == "$ abcdefghijklmnopqr");
    let row = row.unwrap();
    assert_eq!(rows.get(row + 1).unwrap(), "stuvw");
    row
}

#[test]
fn a_guess_in_the_next_line_that_was_wrong_is_taken_off() {
    for above in ["", &"line\r\n".repeat(30)] {
        let (mut echo, mut terminal) = warm(above.as_bytes(), b"$ ");
        terminal.write(&echo.typed(1_000, b"bcdefghijklmnopqrstuvw"));
        let row = wrapped(&terminal);
        // A line editor that shows the end of the line in the same row.
        terminal.write(&echo.output(1_100, b"\r< fghijklmnopqrstuvw\x1b[K\x08"));
        terminal.write(&echo.acknowledged(1_100, 23));
        terminal.write(&echo.tick(2_000));
        terminal.write(&echo.output(2_000, b""));
        assert_eq!(terminal.rows().get(row).unwrap(), "< fghijklmnopqrstuvw");
        assert_eq!(terminal.rows().get(row + 1).unwrap(), "");
        assert_eq!(terminal.cursor().0, i32::try_from(row).unwrap());
    }
}

#[test]
fn nothing_is_drawn_below_while_a_part_of_the_screen_scrolls_or_a_place_is_saved() {
    for state in [&b"\x1b7"[..], b"\x1b[s", b"\x1b[1;4r\x1b[1;4H"] {
        let (mut echo, mut terminal) = warm(b"", b"$ ");
        terminal.write(&echo.output(1_000, state));
        terminal.write(&echo.typed(1_010, b"bcdefghijklmnopqrstuvw"));
        let rows = terminal.rows();
        assert_eq!(rows.first().unwrap(), "$ abcdefghijklmnopqr", "{state:?}");
        assert_eq!(rows.get(1).unwrap(), "", "{state:?}");
    }
}

#[test]
fn a_wrong_guess_is_taken_off_in_time() {
    let (mut echo, mut terminal) = warm(b"", b"$ ");
    terminal.write(&echo.typed(1_000, b"b"));
    terminal.write(&echo.acknowledged(1_100, 2));
    assert_eq!(terminal.rows().first().unwrap(), "$ ab");
    let mut now_ms = 1_100;
    while let Some(deadline) = echo.deadline().filter(|at| *at < 1_300) {
        now_ms = deadline.max(now_ms);
        terminal.write(&echo.tick(now_ms));
    }
    assert_eq!(terminal.rows().first().unwrap(), "$ a");
    assert_eq!(terminal.cursor(), (0, 3));
}

#[test]
fn nothing_is_drawn_inside_a_sequence() {
    let (mut echo, mut terminal) = warm(b"", b"$ ");
    terminal.write(&echo.output(1_000, b"\x1b]0;ti"));
    assert!(echo.typed(1_000, b"b").is_empty());
    terminal.write(&echo.output(1_010, b"tle\x07"));
    assert_eq!(terminal.rows().first().unwrap(), "$ ab");
}

#[test]
fn nothing_is_drawn_where_text_would_not_stay_text() {
    for state in [&b"\x1b(0"[..], b"\x1b[4h", b"\x1b]8;;file:///\x1b\\"] {
        let (mut echo, mut terminal) = warm(b"", b"$ ");
        terminal.write(&echo.output(1_000, state));
        assert!(echo.typed(1_000, b"b").is_empty(), "{state:?}");
    }
}

/// Random programs and users: with the predictions taken off, nothing of them is left.
#[test]
fn the_terminal_is_as_the_program_alone_would_leave_it() {
    const OUTPUT: [&[u8]; 28] = [
        b"a",
        b"b",
        b"x y",
        b"\r\n",
        b"\r\n\r\n",
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[1;4;38;5;99;48;2;1;2;3m",
        b"\x1b[92;7m",
        b"\x1b[H",
        b"\x1b[5;18H",
        b"\x1b[K",
        b"\x1b[2J",
        b"\x1b[3C",
        b"\x1b[2D",
        b"\x1b[A",
        b"\x1b7",
        b"\x1b8",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[?25l",
        b"\x1b[?25h",
        b"\x1b(0",
        b"\x1b(B",
        "漢字".as_bytes(),
        "e\u{301}".as_bytes(),
        b"0123456789012345678",
        b"\x1b[58:2::9:8:7m\x1b[4:3m",
    ];
    const KEYS: [&[u8]; 8] = [
        b"a",
        b"b",
        b" ",
        "漢".as_bytes(),
        b"\x7f",
        b"\x1b[D",
        b"\x1b[C",
        b"\r",
    ];
    let mut drawn = 0;
    for seed in 1..=400_u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from((random >> 16) % bound as u64).unwrap()
        };
        let (mut echo, mut shown) = warm(b"", b"$ ");
        let mut plain = Terminal::new();
        plain.write(b"$ a");
        let (mut now_ms, mut sent) = (2_000, 1);
        for _ in 0..60 {
            now_ms += below(120) as u64;
            match below(8) {
                0..=3 => {
                    let key = KEYS[below(KEYS.len())];
                    sent += key.len() as u64;
                    let out = echo.typed(now_ms, key);
                    drawn += usize::from(!out.is_empty());
                    shown.write(&out);
                    // Mostly the program echoes it.
                    if below(4) > 0
                        && key
                            .first()
                            .is_some_and(|byte| *byte >= b' ' && *byte != 0x7f)
                    {
                        shown.write(&echo.acknowledged(now_ms, sent));
                        shown.write(&echo.output(now_ms, key));
                        plain.write(key);
                    }
                }
                4 => shown.write(&echo.acknowledged(now_ms, sent)),
                5 => shown.write(&echo.tick(now_ms)),
                _ => {
                    let bytes = OUTPUT[below(OUTPUT.len())];
                    let (one, other) = bytes.split_at(below(bytes.len() + 1));
                    for part in [one, other] {
                        shown.write(&echo.output(now_ms, part));
                        plain.write(part);
                    }
                }
            }
            if below(3) == 0 {
                shown.write(&echo.hide());
                assert_eq!(shown.rows(), plain.rows(), "seed {seed}");
                assert!(shown.state() == plain.state(), "seed {seed}");
            }
        }
    }
    assert!(drawn > 1_000, "only {drawn} keys were drawn");
}
