//! WINDOW_RESIZE and WINDOW_SIZE: how large a terminal is.

use bytes::{BufMut, Bytes, BytesMut};

/// The size of a terminal, rows first; neither rows nor columns are 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WindowSize {
    /// Lines of text.
    pub rows: u16,
    /// Characters per line.
    pub cols: u16,
    /// The whole text area; 0 is unknown.
    pub pixel_width: u16,
    /// The whole text area; 0 is unknown.
    pub pixel_height: u16,
}

impl WindowSize {
    /// A size without pixels.
    pub const fn new(rows: u16, cols: u16) -> Self {
        Self {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        }
    }

    // VROOM-Terminal §5.5: rows, cols, pixel width, pixel height.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let &[r0, r1, c0, c1, w0, w1, h0, h1] = payload else {
            return None;
        };
        let size = Self {
            rows: u16::from_be_bytes([r0, r1]),
            cols: u16::from_be_bytes([c0, c1]),
            pixel_width: u16::from_be_bytes([w0, w1]),
            pixel_height: u16::from_be_bytes([h0, h1]),
        };
        (size.rows > 0 && size.cols > 0).then_some(size)
    }

    pub(super) fn write(self) -> Bytes {
        let mut out = BytesMut::with_capacity(8);
        out.put_u16(self.rows);
        out.put_u16(self.cols);
        out.put_u16(self.pixel_width);
        out.put_u16(self.pixel_height);
        out.freeze()
    }
}
