//! Everything that a terminal remembers.

use super::charset::Charsets;
use super::filter::ViewerCapabilities;
use super::images::Images;
use super::keyboard::Keyboard;
use super::limits::ScreenLimits;
use super::links::Links;
use super::modes::Modes;
use super::page::Page;
use super::palette::Palette;
use super::state::Progress;
use super::title::Titles;
use super::tokenizer::Token;
use crate::PtySize;

/// A terminal without its window: what tokens do to it.
pub(super) struct Model {
    /// The screen that is shown.
    pub(super) page: Page,
    /// The main screen, while the alternate one is shown.
    pub(super) main: Option<Page>,
    /// The alternate screen, when it was shown before: to use its memory again.
    pub(super) spare: Option<Page>,
    pub(super) charsets: Charsets,
    pub(super) modes: Modes,
    /// Of the main screen and of the alternate one.
    pub(super) keyboards: [Keyboard; 2],
    /// Where tabs stop, for each column.
    pub(super) tabs: Vec<bool>,
    pub(super) titles: Titles,
    pub(super) palette: Palette,
    pub(super) links: Links,
    pub(super) images: Images,
    /// The shape of the cursor as DECSCUSR counts them; 0 is the user's choice.
    pub(super) cursor_style: u8,
    /// The character before, when nothing but it came last.
    pub(super) last: Option<char>,
    /// What the shell told of its directory (OSC 7).
    pub(super) directory: Option<String>,
    pub(super) progress: Option<Progress>,
    /// The newest mark of the shell (OSC 133).
    pub(super) prompt: Option<String>,
    /// What the clipboard is to hold.
    pub(super) clipboard: Option<Vec<u8>>,
    pub(super) replies: Vec<u8>,
    /// What the terminal says it can when it is asked.
    pub(super) claims: ViewerCapabilities,
    pub(super) size: PtySize,
    limits: ScreenLimits,
}

/// The largest screen that is kept; a larger terminal is kept in part.
const ROWS_MAX: usize = 1000;
const COLS_MAX: usize = 2000;
/// Cells of the lines above the screen; wide terminals keep fewer lines.
const SCROLLBACK_CELLS: usize = 4 << 20;
/// Columns between the tab stops of a new terminal.
const TAB_COLS: usize = 8;

impl Model {
    pub(super) fn new(size: PtySize, limits: ScreenLimits) -> Self {
        let (rows, cols) = dimensions(size);
        let page = Page::new(rows, cols, scrollback(limits, cols));
        Self::with_page(page, size, limits)
    }

    /// A terminal with a blank screen.
    fn with_page(page: Page, size: PtySize, limits: ScreenLimits) -> Self {
        let cols = page.cols();
        Self {
            page,
            main: None,
            spare: None,
            charsets: Charsets::default(),
            modes: Modes::default(),
            keyboards: Default::default(),
            tabs: tabs(cols),
            titles: Titles::default(),
            palette: Palette::default(),
            links: Links::default(),
            images: Images::new(limits.image_bytes),
            cursor_style: 0,
            last: None,
            directory: None,
            progress: None,
            prompt: None,
            clipboard: None,
            replies: Vec::new(),
            claims: ViewerCapabilities::EVERYTHING,
            size,
            limits,
        }
    }

    /// Does what a token says.
    pub(super) fn obey(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => self.text(text),
            Token::Escape(sequence) => self.escape(sequence),
            Token::Csi(sequence) => self.csi(sequence),
            Token::Osc(content) => self.osc(content),
            Token::Dcs(content) => self.dcs(content),
            Token::Graphics(content) => self.graphics(content),
        }
    }

    /// A full reset (RIS); what was asked before is still answered.
    pub(super) fn reset(&mut self) {
        let blank = Page::new(1, 2, 0);
        let shown = std::mem::replace(&mut self.page, blank);
        let mut page = self.main.take().unwrap_or(shown);
        page.reset();
        let fresh = Self::with_page(page, self.size, self.limits);
        let old = std::mem::replace(self, fresh);
        self.spare = old.spare;
        self.replies = old.replies;
        self.clipboard = old.clipboard;
        self.claims = old.claims;
    }

    pub(super) fn resize(&mut self, size: PtySize) {
        let (rows, cols) = dimensions(size);
        let changed = (rows, cols) != (self.page.rows(), self.page.cols());
        let (told, cell_px) = (size != self.size, self.cell_px());
        self.size = size;
        if changed {
            self.spare = None;
            self.page.resize(rows, cols, self.main.is_none());
            if let Some(main) = &mut self.main {
                main.resize(rows, cols, true);
            }
            let known = self.tabs.len().min(cols);
            self.tabs.truncate(cols);
            self.tabs.extend_from_slice(&tabs(cols)[known..]);
            self.last = None;
            self.keep_in_region();
        }
        if changed || cell_px != self.cell_px() {
            self.measure_places();
        }
        if told && self.modes.size_reports {
            self.report_size();
        }
    }

    /// The size of a character in pixels, as far as it is known.
    pub(super) fn cell_px(&self) -> Option<(u32, u32)> {
        let width = u32::from(self.size.px_w) / u32::from(self.size.cols.max(1));
        let height = u32::from(self.size.px_h) / u32::from(self.size.rows.max(1));
        (width > 0 && height > 0).then_some((width, height))
    }

    /// How many lines are kept above the main screen at most.
    pub(super) fn scrollback_lines(&self) -> usize {
        scrollback(self.limits, self.page.cols())
    }

    /// The main screen, whether it is shown or not.
    pub(super) fn main_page(&self) -> &Page {
        self.main.as_ref().unwrap_or(&self.page)
    }

    /// The alternate screen, while it is shown.
    pub(super) fn alternate_page(&self) -> Option<&Page> {
        self.main.is_some().then_some(&self.page)
    }
}

/// Lines and columns of a screen; at least as many as a wide character needs.
fn dimensions(size: PtySize) -> (usize, usize) {
    (
        usize::from(size.rows).clamp(1, ROWS_MAX),
        usize::from(size.cols).clamp(2, COLS_MAX),
    )
}

fn scrollback(limits: ScreenLimits, cols: usize) -> usize {
    limits.scrollback_lines.min(SCROLLBACK_CELLS / cols)
}

pub(super) fn tabs(cols: usize) -> Vec<bool> {
    (0..cols).map(|col| col % TAB_COLS == 0).collect()
}
