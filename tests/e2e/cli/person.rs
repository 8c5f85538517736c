//! Somebody at a terminal: types, and waits for what is shown.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use vroom_terminal::PtySize;
use vroom_terminal::screen::{Screen, ScreenLimits};
use vroom_tests::pty::{COLS, LocalPty, Output, PATIENCE, ROWS};

/// Somebody at a terminal in which a program runs.
///
/// The terminal answers what it is asked, as terminals do.
pub(crate) struct Person {
    pty: LocalPty,
    /// What the terminal shows.
    pub(crate) screen: Screen,
    /// All that was written to it.
    pub(crate) bytes: Vec<u8>,
}

impl Person {
    /// Starts a program.
    pub(crate) fn starts(line: &[String]) -> Self {
        Self {
            pty: LocalPty::spawn(line, &[]).unwrap(),
            screen: Screen::new(size(ROWS, COLS), ScreenLimits::default()),
            bytes: Vec::new(),
        }
    }

    /// Types.
    pub(crate) fn types(&mut self, text: &str) {
        self.pty.write(text.as_bytes()).unwrap();
    }

    /// Makes the window larger or smaller.
    pub(crate) fn resizes(&mut self, rows: u16, cols: u16) {
        self.screen.resize(size(rows, cols));
        self.pty.resize(rows, cols).unwrap();
    }

    /// Waits until the screen shows this.
    pub(crate) fn sees(&mut self, text: &str) {
        self.until(text, |person| person.shows(text));
    }

    /// Waits until a shell has nothing to do: its prompt is the last thing on the screen.
    pub(crate) fn sees_the_prompt(&mut self) {
        self.until("the prompt", |person| {
            person.text().trim_end().lines().last() == Some("$")
        });
    }

    /// Waits until the screen does not show this any more.
    pub(crate) fn no_longer_sees(&mut self, text: &str) {
        self.until(&format!("no {text}"), |person| !person.shows(text));
    }

    /// Whether the screen shows this now.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// What the screen shows, one line under the other.
    pub(crate) fn text(&self) -> String {
        let lines = self.screen.text();
        let lines = lines.iter().map(|line| line.trim_end());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// All that was written to the terminal, as text.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Waits for something to become true while output comes.
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(
                Instant::now() < deadline,
                "{what}: not on the screen, which shows\n{}\nand was told {:?}",
                self.text(),
                self.said()
            );
            if !self.reads(Duration::from_millis(100)) {
                assert!(
                    is_so(self),
                    "{what}: the program ended, and the screen shows\n{}",
                    self.text()
                );
            }
        }
    }

    /// Takes what the program writes within a time; false once it has ended.
    pub(crate) fn reads(&mut self, within: Duration) -> bool {
        match self.pty.read(Instant::now() + within).unwrap() {
            Output::Bytes(bytes) => {
                self.screen.advance(&bytes);
                self.bytes.extend_from_slice(&bytes);
                let replies = self.screen.take_replies();
                if !replies.is_empty() {
                    self.pty.write(&replies).unwrap();
                }
                true
            }
            Output::Late => true,
            Output::Ended => false,
        }
    }

    /// Does nothing for a second, as one who reads what is on the screen.
    pub(crate) fn reads_for_a_moment(&mut self) {
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until && self.reads(Duration::from_millis(50)) {}
    }

    /// Waits for the end of the program; returns its exit status.
    pub(crate) fn sees_the_end(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        while self.reads(Duration::from_millis(100)) {
            assert!(
                Instant::now() < deadline,
                "the program does not end: {:?}",
                self.said()
            );
        }
        let status = self.pty.wait_exit().unwrap();
        status.code().unwrap_or(-1)
    }

    /// Sends the program a signal.
    pub(crate) fn signals(&self, signal: Signal) {
        self.pty.signal(signal).unwrap();
    }

    /// Whether the terminal itself shows what is typed, as it does when nobody has taken it.
    pub(crate) fn terminal_echoes(&self) -> bool {
        self.pty.echoes().unwrap()
    }
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        px_w: 0,
        px_h: 0,
    }
}
