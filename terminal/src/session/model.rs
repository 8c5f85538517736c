//! The screen of a session, and what of the output is in it.

use super::flood::Flood;
use super::unheard::Unheard;
use crate::PtySize;
use crate::hold::{Mark, Welcome, is_checkpoint_possible};
use crate::screen::{Screen, ScreenLimits, SnapshotOptions};

/// The screen of a session, and what of the output is in it.
pub(crate) struct Model {
    /// What the driver's terminal answers instead.
    pub(crate) unheard: Unheard,
    screen: Screen,
    /// Plain text that the screen has not read yet.
    flood: Flood,
    size: PtySize,
    /// Output before this is in the screen from the start.
    from: u64,
    /// Queries in the output before this are answered.
    answered: u64,
    /// Where the newest checkpoint was made.
    pub(crate) mark: u64,
}

/// What the program wants of its terminal besides being shown.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Answers, each with the offset behind its query.
    pub(crate) replies: Vec<(u64, Vec<u8>)>,
    pub(crate) clipboard: Option<Vec<u8>>,
}

impl Model {
    /// A screen as it was at the checkpoint of a holder.
    pub(crate) fn new(welcome: &Welcome, checkpoint: &[u8]) -> Self {
        let mark = welcome.checkpoint;
        let mut screen = Screen::new(mark.size, ScreenLimits::default());
        if !checkpoint.is_empty() {
            screen.advance(checkpoint);
            // It repeats what was shown, and asks for nothing.
            drop(screen.take_replies());
            drop(screen.take_clipboard());
        }
        Self {
            unheard: Unheard::default(),
            screen,
            flood: Flood::default(),
            size: mark.size,
            from: mark.offset,
            answered: welcome.answered,
            mark: mark.offset,
        }
    }

    /// The screen, with all of the output in it.
    pub(crate) fn screen(&mut self) -> &mut Screen {
        self.flood.pour(&mut self.screen);
        &mut self.screen
    }

    /// Takes output from an offset on, as far as it was not taken before.
    ///
    /// Without wishes nothing of the terminal has changed but what it shows.
    pub(crate) fn advance(&mut self, offset: u64, bytes: &[u8]) -> Option<Wishes> {
        let is_news = offset >= self.from && offset >= self.answered;
        if is_news && self.flood.take(&mut self.screen, bytes) {
            return None;
        }
        self.flood.pour(&mut self.screen);
        let shown = before(self.from, offset, bytes);
        let (old, new) = bytes.split_at(before(self.answered, offset, bytes).max(shown));
        let old = old.get(shown..).unwrap_or_default();
        if !old.is_empty() {
            self.screen.advance(old);
            drop(self.screen.take_replies());
            drop(self.screen.take_clipboard());
        }
        let mut replies = Vec::new();
        let mut rest = new;
        while !rest.is_empty() {
            let read = self.screen.advance_to_query(rest);
            rest = rest.get(read..).unwrap_or_default();
            let reply = self.screen.take_replies();
            if !reply.is_empty() {
                let left = rest.len() as u64;
                replies.push(((offset + bytes.len() as u64).saturating_sub(left), reply));
            }
        }
        Some(Wishes {
            replies,
            clipboard: self.screen.take_clipboard(),
        })
    }

    pub(crate) fn size(&self) -> PtySize {
        self.size
    }

    pub(crate) fn resize(&mut self, size: PtySize) {
        self.size = size;
        self.screen().resize(size);
    }

    /// Bytes that redraw the screen as it was at an offset, of the output that ends at another one now.
    ///
    /// In the middle of a flood that is before it, where of the screen only its modes matter.
    pub(crate) fn checkpoint(&mut self, end: u64) -> (Mark, Vec<u8>) {
        let size = self.size;
        if let Some((bytes, flood)) = self.flood.checkpoint(&self.screen) {
            let offset = end.saturating_sub(flood);
            return (Mark { offset, size }, bytes);
        }
        let mark = Mark { offset: end, size };
        self.flood.pour(&mut self.screen);
        let bytes = self.screen.snapshot(&SnapshotOptions::EVERYTHING);
        if is_checkpoint_possible(bytes.len()) {
            return (mark, bytes);
        }
        // Better without the images than not at all.
        let options = SnapshotOptions {
            graphics: false,
            sixel: false,
            ..SnapshotOptions::EVERYTHING
        };
        (mark, self.screen.snapshot(&options))
    }
}

/// How many of the bytes that begin at an offset lie before another.
fn before(end: u64, offset: u64, bytes: &[u8]) -> usize {
    let count = end.saturating_sub(offset);
    usize::try_from(count).map_or(bytes.len(), |count| count.min(bytes.len()))
}
