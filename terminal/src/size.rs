//! The size of a terminal.

/// The size of a terminal in characters and in pixels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PtySize {
    /// Lines of text.
    pub rows: u16,
    /// Characters in a line.
    pub cols: u16,
    /// Pixels across the whole text area; 0 when unknown.
    pub px_w: u16,
    /// Pixels down the whole text area; 0 when unknown.
    pub px_h: u16,
}

impl Default for PtySize {
    fn default() -> Self {
        Self {
            rows: 24,
            cols: 80,
            px_w: 0,
            px_h: 0,
        }
    }
}

impl From<PtySize> for portable_pty::PtySize {
    fn from(size: PtySize) -> Self {
        Self {
            rows: size.rows,
            cols: size.cols,
            pixel_width: size.px_w,
            pixel_height: size.px_h,
        }
    }
}
