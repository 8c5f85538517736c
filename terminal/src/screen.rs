//! What a program's output looks like: a terminal without a window.
//!
//! A [`Screen`] reads the bytes of a program and knows what a terminal that read them shows. Its
//! [`Screen::snapshot`] are bytes that bring a freshly reset terminal to the same state. It does no
//! I/O and reads no clock; what a program sends never panics, and memory is bounded.

mod digest;
mod filter;
mod limits;
mod state;

pub use digest::ScreenDigest;
pub use filter::{OutputFilter, ViewerCapabilities};
pub use limits::{ScreenLimits, SnapshotOptions};
pub use state::{Progress, ScreenModes};

use crate::PtySize;

/// What a terminal shows that read the output of a program.
pub struct Screen {
    size: PtySize,
    limits: ScreenLimits,
    title: String,
}

impl Screen {
    /// An empty screen, as a terminal shows it that was just reset.
    pub fn new(size: PtySize, limits: ScreenLimits) -> Self {
        Self {
            size,
            limits,
            title: String::new(),
        }
    }

    /// Reads output of the program; it may be cut anywhere.
    pub fn advance(&mut self, _bytes: &[u8]) {}

    /// Follows a new size of the terminal.
    pub fn resize(&mut self, size: PtySize) {
        self.size = size;
    }

    /// Bytes that bring a freshly reset terminal to this state.
    pub fn snapshot(&self, options: &SnapshotOptions) -> Vec<u8> {
        let _ = (options, self.limits);
        Vec::new()
    }

    /// The modes that the program has set.
    pub fn modes(&self) -> ScreenModes {
        ScreenModes::default()
    }

    /// The title that the program has set; empty when none.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The working directory that the shell last told (OSC 7), as a URL.
    pub fn cwd(&self) -> Option<&str> {
        None
    }

    /// The progress that the program shows (OSC 9;4).
    pub fn progress(&self) -> Option<Progress> {
        None
    }

    /// Takes the answers to the queries that were read since the last call.
    ///
    /// Whether they are sent to the program is the owner's choice: exactly one terminal answers.
    pub fn take_replies(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes what the program last wrote to the clipboard (OSC 52), at most 1 MiB.
    pub fn take_clipboard(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// Everything that is visible and every mode, to compare two screens.
    pub fn digest(&self) -> ScreenDigest {
        ScreenDigest::default()
    }

    /// The visible lines, without trailing blanks.
    pub fn text(&self) -> Vec<String> {
        Vec::new()
    }
}
