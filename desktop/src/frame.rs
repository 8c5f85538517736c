//! One captured picture and the memory it lies in.

use std::sync::Arc;
use std::time::Instant;

use crate::{Damage, Size};

/// One captured picture.
///
/// Cloning it shares the pixels.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Counts the frames of one desktop, from 1.
    pub seq: u64,
    /// When the first change was made that it shows: where a desktop does not know, when the picture was complete.
    pub captured_at: Instant,
    /// What changed since the frame that was taken before this one.
    pub damage: Damage,
    /// The pixels.
    pub pixels: Arc<PixelBuffer>,
}

impl Frame {
    /// The size in pixels.
    pub fn size(&self) -> Size {
        self.pixels.size()
    }
}

/// Pixels in memory: rows from the top, each pixel four bytes B, G, R, unused.
///
/// This is `XRGB8888` of Wayland and DRM and `BGRx` of GStreamer on a little-endian machine.
#[derive(Debug)]
pub struct PixelBuffer {
    size: Size,
    bytes: Box<[u8]>,
}

impl PixelBuffer {
    /// A black picture.
    pub fn new(size: Size) -> Self {
        let length = size.width as usize * size.height as usize * BYTES_PER_PIXEL;
        Self {
            size,
            bytes: vec![0; length].into_boxed_slice(),
        }
    }

    /// The size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.size.width as usize * BYTES_PER_PIXEL
    }

    /// All rows, without gaps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All rows, without gaps, for writing.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Bytes of one pixel.
pub const BYTES_PER_PIXEL: usize = 4;
