//! A user, a link and a program, on a virtual clock.

use std::collections::{HashSet, VecDeque};

use vroom_predict::{
    ECHO_LATE_MS_MAX, ECHO_WAIT_MS, Glyph, Grid as _, Mode, Position, Predictor, Preference,
};

use crate::programs::Program;
use crate::random::Random;
use crate::terminal::Terminal;

/// What a link does to what is sent: it arrives late, but in order.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// One way.
    pub(crate) delay_ms: u64,
    /// Of 1000 messages; a lost one holds up what follows until it is sent again.
    pub(crate) lost: u64,
}

enum Down {
    Output(Vec<u8>),
    Mode(Mode),
    Ack(u64),
}

pub(crate) struct Session<P> {
    pub(crate) now_ms: u64,
    pub(crate) predictor: Predictor,
    pub(crate) terminal: Terminal,
    program: P,
    link: Link,
    random: Random,
    up: VecDeque<(u64, Vec<u8>)>,
    down: VecDeque<(u64, Down)>,
    sent: u64,
    applied: u64,
    acked_at_ms: u64,
    acked: u64,
    /// Everything that was typed, but secrets: what may be shown.
    typed: String,
    /// Everything that the screen ever showed, by row.
    shown: HashSet<(u16, Glyph)>,
}

impl<P: Program> Session<P> {
    pub(crate) fn new(program: P, link: Link, seed: u64) -> Self {
        let mut session = Self {
            now_ms: 1_000,
            predictor: Predictor::new(Preference::Adaptive),
            terminal: Terminal::new(24, 80),
            program,
            link,
            random: Random::new(seed),
            up: VecDeque::new(),
            down: VecDeque::new(),
            sent: 0,
            applied: 0,
            acked_at_ms: 0,
            acked: 0,
            typed: String::new(),
            shown: HashSet::new(),
        };
        #[allow(clippy::cast_precision_loss, reason = "a few hundred milliseconds")]
        session.predictor.set_link((2 * link.delay_ms) as f32);
        let output = session.program.start();
        session.send_down(Down::Mode(session.program.mode()), 0);
        session.send_down(Down::Output(output), 0);
        session.wait(1_000);
        session
    }

    /// Types a key, and says whether it is seen at once: whether the cursor moved.
    pub(crate) fn key(&mut self, bytes: &[u8]) -> bool {
        let before = self.cursor();
        self.sent += bytes.len() as u64;
        let text = String::from_utf8_lossy(bytes);
        if !self.program.is_secret() {
            self.typed.push_str(&text);
        }
        self.predictor.typed(self.now_ms, bytes, &self.terminal);
        let at = self.arrival(self.up.back().map(|(at, _)| *at));
        self.up.push_back((at, bytes.to_vec()));
        self.check();
        self.cursor() != before
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        loop {
            let up = self.up.front().map(|(at, _)| *at);
            let down = self.down.front().map(|(at, _)| *at);
            let deadline = self.predictor.deadline().map(|at| at.max(self.now_ms));
            let Some(next) = [up, down, deadline]
                .into_iter()
                .flatten()
                .min()
                .filter(|at| *at <= end)
            else {
                break;
            };
            self.now_ms = self.now_ms.max(next);
            if up == Some(next) {
                let (_, bytes) = self.up.pop_front().unwrap();
                self.serve(&bytes);
            } else if down == Some(next) {
                let (_, message) = self.down.pop_front().unwrap();
                self.receive(message);
            } else {
                self.predictor.confirm(self.now_ms, &self.terminal);
            }
            self.check();
        }
        self.now_ms = end;
    }

    /// Whether nothing is on its way, and the echo of all of it had its time.
    pub(crate) fn is_settled(&self) -> bool {
        // What the program takes for its answers is part of the round trip as it is measured.
        let round_trip_ms = 2 * self.link.delay_ms + 10;
        let late_ms = if self.link.lost > 0 {
            ECHO_LATE_MS_MAX
        } else {
            round_trip_ms
        };
        let settled_at_ms = self.acked_at_ms + ECHO_WAIT_MS + late_ms;
        self.up.is_empty()
            && self.down.is_empty()
            && self.acked == self.sent
            && self.now_ms > settled_at_ms
    }

    pub(crate) fn cursor(&self) -> Option<Position> {
        self.predictor.cursor().or_else(|| self.terminal.cursor())
    }

    /// A row as the user sees it.
    pub(crate) fn seen(&self, row: u16) -> String {
        let overlay = self.predictor.overlay();
        let mut text = String::new();
        let mut is_covered = false;
        for col in 0..80 {
            let over = overlay
                .iter()
                .find(|cell| (cell.row, cell.col) == (row, col));
            let over = over.map(|cell| cell.glyph);
            // A wide character is drawn over what the screen has in its second column.
            if !is_covered {
                let glyph = over.unwrap_or_else(|| self.terminal.glyph(Position::new(row, col)));
                text.push_str(&glyph.to_string());
            }
            is_covered = over.is_some_and(|glyph| glyph.width() == 2);
        }
        text.trim_end().to_owned()
    }

    fn serve(&mut self, bytes: &[u8]) {
        self.applied += bytes.len() as u64;
        self.send_down(Down::Ack(self.applied), 0);
        for byte in bytes {
            let mode = self.program.mode();
            let output = self.program.input(*byte);
            if self.program.mode() != mode {
                self.send_down(Down::Mode(self.program.mode()), 1);
            }
            let thinks_ms = 1 + self.random.below(5);
            self.send_down(Down::Output(output), thinks_ms);
        }
    }

    fn receive(&mut self, message: Down) {
        match message {
            Down::Output(bytes) => {
                self.terminal.write(&bytes);
                for at in (0..24 * 80).map(|cell| Position::new(cell / 80, cell % 80)) {
                    let glyph = self.terminal.glyph(at);
                    if !glyph.is_blank() {
                        self.shown.insert((at.row, glyph));
                    }
                }
                self.predictor.confirm(self.now_ms, &self.terminal);
            }
            Down::Mode(mode) => self.predictor.set_mode(mode),
            Down::Ack(offset) => {
                self.acked = offset;
                self.acked_at_ms = self.now_ms;
                self.predictor.acknowledged(self.now_ms, offset);
            }
        }
    }

    fn send_down(&mut self, message: Down, after_ms: u64) {
        let at = self.arrival(
            self.down
                .back()
                .map(|(at, _)| *at)
                .map(|at| at.saturating_sub(after_ms)),
        );
        self.down.push_back((at + after_ms, message));
    }

    fn arrival(&mut self, previous: Option<u64>) -> u64 {
        let resent_ms = 200 + 2 * self.link.delay_ms;
        let lost = self.random.below(1_000) < self.link.lost;
        let at = self.now_ms + self.link.delay_ms + if lost { resent_ms } else { 0 };
        at.max(previous.unwrap_or(0))
    }

    /// What must hold at any time.
    fn check(&self) {
        let overlay = self.predictor.overlay();
        for cell in overlay {
            let text = cell.glyph.to_string();
            let moved = self.shown.contains(&(cell.row, cell.glyph));
            if cell.glyph.is_blank() || moved {
                continue;
            }
            assert!(
                self.typed.contains(&text),
                "a cell shows what nobody typed, or a secret"
            );
        }
        if self.program.is_secret() && self.down.is_empty() {
            assert!(overlay.is_empty(), "shown while a secret is read");
        }
        if self.is_settled() {
            assert!(
                overlay.is_empty(),
                "{} cells left when all is settled",
                overlay.len()
            );
            assert_eq!(
                self.predictor.cursor(),
                None,
                "a cursor left when all is settled"
            );
        }
    }
}
