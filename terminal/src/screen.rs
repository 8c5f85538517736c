//! What a program's output looks like: a terminal without a window.
//!
//! A [`Screen`] reads the bytes of a program and knows what a terminal that read them shows. Its
//! [`Screen::snapshot`] are bytes that bring a freshly reset terminal to the same state. It does no
//! I/O and reads no clock; what a program sends never panics, and memory is bounded.
//!
//! Lines, scrollback and the breaking of lines anew come from `alacritty_terminal`; what the
//! sequences mean follows xterm.js, which shows them to most viewers.

mod charset;
mod control;
mod csi;
mod digest;
mod filter;
mod images;
mod keyboard;
mod limits;
mod links;
mod model;
mod modes;
mod osc;
mod page;
mod palette;
mod params;
mod print;
mod replies;
mod sgr;
mod snapshot;
mod state;
mod title;
pub mod tokenizer;

pub use digest::ScreenDigest;
pub use filter::{OutputFilter, ViewerCapabilities};
pub use limits::{ScreenLimits, SnapshotOptions};
pub use state::{Progress, ScreenModes};

use self::model::Model;
use self::snapshot::Snapshot;
use self::tokenizer::Tokenizer;
use crate::PtySize;

/// What a terminal shows that read the output of a program.
pub struct Screen {
    tokenizer: Tokenizer,
    model: Model,
}

impl Screen {
    /// An empty screen, as a terminal shows it that was just reset.
    pub fn new(size: PtySize, limits: ScreenLimits) -> Self {
        Self {
            tokenizer: Tokenizer::new(limits.image_bytes),
            model: Model::new(size, limits),
        }
    }

    /// Reads output of the program; it may be cut anywhere.
    pub fn advance(&mut self, bytes: &[u8]) {
        let model = &mut self.model;
        self.tokenizer.advance(bytes, |token| model.obey(token));
    }

    /// Reads output up to the end of the first query in it, and says how much that was.
    pub(crate) fn advance_to_query(&mut self, bytes: &[u8]) -> usize {
        let Self { tokenizer, model } = self;
        let mut rest = bytes;
        while !rest.is_empty() && model.replies.is_empty() {
            rest = tokenizer.step(rest, &mut |token| model.obey(token));
        }
        bytes.len() - rest.len()
    }

    /// How many lines of plain text leave nothing of what is shown now, and nothing above it.
    ///
    /// `None` while something stays: lines outside a scroll region, the main screen behind the alternate
    /// one, or a sequence that has begun.
    pub(crate) fn lines_to_replace_all(&self) -> Option<usize> {
        let page = &self.model.page;
        let scrolls_whole = (page.top, page.bottom) == (0, page.rows());
        let is_replaced =
            scrolls_whole && self.model.main.is_none() && self.tokenizer.unfinished().is_empty();
        // The screen is filled by as many lines as it has, and emptied of what stood below the cursor by
        // as many more.
        is_replaced.then(|| self.model.scrollback_lines() + 2 * page.rows())
    }

    /// Follows a new size of the terminal.
    pub fn resize(&mut self, size: PtySize) {
        self.model.resize(size);
    }

    /// Says which abilities the terminal claims when a program asks; all of them before the first
    /// call.
    pub fn set_claims(&mut self, claims: &ViewerCapabilities) {
        self.model.claims = *claims;
    }

    /// Bytes that bring a freshly reset terminal of the same size to this state.
    pub fn snapshot(&self, options: &SnapshotOptions) -> Vec<u8> {
        Snapshot::of(&self.model, self.tokenizer.unfinished(), options)
    }

    /// The modes that the program has set.
    pub fn modes(&self) -> ScreenModes {
        let modes = &self.model.modes;
        ScreenModes {
            alternate: self.model.main.is_some(),
            mouse: modes.mouse != 0,
            kitty_flags: self.model.keyboard().flags,
            bracketed_paste: modes.bracketed_paste,
            application_cursor: modes.application_cursor,
            application_keypad: modes.application_keypad,
            focus: modes.focus,
            synchronized: modes.synchronized,
            cursor_visible: modes.cursor_visible,
        }
    }

    /// The title that the program has set; empty when none.
    pub fn title(&self) -> &str {
        &self.model.titles.title
    }

    /// The working directory that the shell last told (OSC 7), as a URL.
    pub fn cwd(&self) -> Option<&str> {
        self.model.directory.as_deref()
    }

    /// The progress that the program shows (OSC 9;4).
    pub fn progress(&self) -> Option<Progress> {
        self.model.progress
    }

    /// Takes the answers to the queries that were read since the last call.
    ///
    /// Whether they are sent to the program is the owner's choice: exactly one terminal answers.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.model.replies)
    }

    /// Takes what the program last wrote to the clipboard (OSC 52), at most 1 MiB.
    pub fn take_clipboard(&mut self) -> Option<Vec<u8>> {
        self.model.clipboard.take()
    }

    /// Everything that is visible and every mode, to compare two screens.
    pub fn digest(&self) -> ScreenDigest {
        ScreenDigest::of(&self.model, self.tokenizer.unfinished())
    }

    /// The visible lines, without trailing blanks.
    pub fn text(&self) -> Vec<String> {
        let page = &self.model.page;
        (0..page.rows()).map(|line| page.text_of(line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_found_where_it_ends_however_it_comes() {
        let output = b"text\x1b[5nmore\x1b]0;title\x07\x1b[6n";
        for cut in 0..=output.len() {
            let mut screen = Screen::new(PtySize::default(), ScreenLimits::default());
            let mut found = Vec::new();
            let mut at = 0;
            for mut rest in [&output[..cut], &output[cut..]] {
                while !rest.is_empty() {
                    let read = screen.advance_to_query(rest);
                    (at, rest) = (at + read, &rest[read..]);
                    let reply = screen.take_replies();
                    if !reply.is_empty() {
                        found.push((at, reply));
                    }
                }
            }
            let expected = [
                (8, b"\x1b[0n".to_vec()),
                (output.len(), b"\x1b[1;9R".to_vec()),
            ];
            assert_eq!(found, expected, "cut at {cut}");
        }
    }
}
