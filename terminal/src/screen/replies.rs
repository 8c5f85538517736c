//! Answers to what programs ask.
//!
//! An answer is made of numbers and of fixed text only: a string that a program set, such as a title,
//! never comes back as if it was typed.

use super::keyboard::Keyboard;
use super::model::Model;
use super::modes::Setting;
use super::params::Params;
use super::snapshot;

/// Answers that wait to be taken; further ones are dropped, as nobody seems to read them.
const REPLY_BYTES: usize = 64 << 10;

impl Model {
    pub(super) fn reply(&mut self, answer: &str) {
        if self.replies.len() + answer.len() <= REPLY_BYTES {
            self.replies.extend_from_slice(answer.as_bytes());
        }
    }

    /// A control sequence that asks something, or that has no meaning here.
    pub(super) fn query(&mut self, params: &Params) {
        let first = params.get(0, 0);
        match (params.prefix, params.intermediate, params.last) {
            (0, 0, b'c') if first == 0 => self.answer_attributes(),
            // What xterm.js says; programs read the version of xterm from it.
            (b'>', 0, b'c') if first == 0 => self.reply("\x1b[>0;276;0c"),
            (b'>', 0, b'q') if first == 0 => {
                let version = env!("CARGO_PKG_VERSION");
                self.reply(&format!("\x1bP>|VROOM({version})\x1b\\"));
            }
            (0, 0, b'n') if first == 5 => self.reply("\x1b[0n"),
            (0 | b'?', 0, b'n') if first == 6 => {
                let prefix = if params.prefix == b'?' { "?" } else { "" };
                let line = self.page.line() - self.origin_line();
                let col = self.page.col() + 1;
                self.reply(&format!("\x1b[{prefix}{};{col}R", line + 1));
            }
            (0, b'$', b'p') => {
                let setting = self.modes.ansi(first) as u8;
                self.reply(&format!("\x1b[{first};{setting}$y"));
            }
            (b'?', b'$', b'p') => {
                let setting = match first {
                    47 | 1047 | 1049 if self.main.is_some() => Setting::Set,
                    47 | 1047 | 1049 => Setting::Reset,
                    1048 => Setting::Set,
                    mode => self.modes.private(mode),
                };
                self.reply(&format!("\x1b[?{first};{}$y", setting as u8));
            }
            (b'?', 0, b'u') => {
                let Keyboard { flags, .. } = self.keyboard();
                let flags = flags & self.claims.kitty_flags();
                self.reply(&format!("\x1b[?{flags}u"));
            }
            _ => {}
        }
    }

    /// What kind of terminal this is (DA1): a VT220 with colours and a clipboard.
    pub(super) fn answer_attributes(&mut self) {
        let sixel = if self.claims.sixel { "4;" } else { "" };
        self.reply(&format!("\x1b[?62;{sixel}22;52c"));
    }

    /// Window operations: sizes are told and titles are put by; nothing is moved, and the title is
    /// not told.
    pub(super) fn window(&mut self, params: &Params) {
        let (rows, cols) = (self.size.rows, self.size.cols);
        match params.get(0, 0) {
            14 if self.cell_px().is_some() && params.get(1, 0) != 2 => {
                let (height, width) = (self.size.px_h, self.size.px_w);
                self.reply(&format!("\x1b[4;{height};{width}t"));
            }
            16 => {
                if let Some((width, height)) = self.cell_px() {
                    self.reply(&format!("\x1b[6;{height};{width}t"));
                }
            }
            18 => self.reply(&format!("\x1b[8;{rows};{cols}t")),
            22 if matches!(params.get(1, 0), 0 | 2) => self.titles.push(),
            23 if matches!(params.get(1, 0), 0 | 2) => self.titles.pop(),
            _ => {}
        }
    }

    /// Tells the size as mode 2048 wants it.
    pub(super) fn report_size(&mut self) {
        let size = self.size;
        let (rows, cols, height, width) = (size.rows, size.cols, size.px_h, size.px_w);
        self.reply(&format!("\x1b[48;{rows};{cols};{height};{width}t"));
    }

    /// A status string is asked for (DECRQSS); only settings that are numbers are told.
    pub(super) fn answer_setting(&mut self, what: &[u8]) {
        let answer = match what {
            b"m" => format!("{}m", snapshot::sgr(self.page.pen())),
            b"r" => format!("{};{}r", self.page.top + 1, self.page.bottom),
            b" q" => format!("{} q", self.cursor_style),
            b"\"p" => "62;1\"p".to_owned(),
            _ => return self.reply("\x1bP0$r\x1b\\"),
        };
        self.reply(&format!("\x1bP1$r{answer}\x1b\\"));
    }

    fn origin_line(&self) -> usize {
        if self.modes.origin {
            self.page.top.min(self.page.line())
        } else {
            0
        }
    }
}
