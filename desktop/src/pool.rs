//! Turns a composed picture with coarse damage into frames with exact damage.

use std::sync::Arc;
use std::time::Instant;

use crate::{BYTES_PER_PIXEL, Damage, Frame, PixelBuffer, Rect, Size};

/// The buffers that frames are published in, for one desktop.
///
/// The composed picture is compared with the last published one in tiles of [`TILE_PX`], inside
/// the damage that was reported, and only what really changed is copied. Many toolkits damage
/// their whole window for one blinking caret, so this is where a keystroke becomes small.
///
/// A buffer is written only while nobody else holds it. With one frame waiting in the slot, one in
/// the encoder's hands, the one before that it still keeps and one that is looked at for what keeps
/// still, the fifth is always free. A second encoder holds two more, and a window that shows the desktop
/// at home one.
#[derive(Debug)]
pub struct FramePool {
    size: Size,
    buffers: Vec<Buffer>,
    last: Option<usize>,
    seq: u64,
}

impl FramePool {
    /// Makes a pool without memory; buffers are made when they are first needed.
    pub const fn new(size: Size) -> Self {
        Self {
            size,
            buffers: Vec::new(),
            last: None,
            seq: 0,
        }
    }

    /// The size of its frames.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Starts over at another size; what was published stays valid.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.release();
    }

    /// Gives the memory back; the next frame is a whole one.
    pub fn release(&mut self) {
        self.buffers.clear();
        self.last = None;
    }

    /// Makes a frame of the composed picture, or `None` when nothing in `damage` really changed.
    ///
    /// `stride` is the bytes from one row of `composed` to the next. The first frame after
    /// [`new`](Self::new), [`resize`](Self::resize) and [`release`](Self::release) is whole,
    /// whatever `damage` says. A `composed` too short for the size gives `None`.
    pub fn frame(&mut self, composed: &[u8], stride: usize, damage: &Damage) -> Option<Frame> {
        if self.size.is_empty() || composed.len() < minimum_length(self.size, stride) {
            return None;
        }
        let changed = match self.last.and_then(|last| self.buffers.get(last)) {
            Some(last) => refine(composed, stride, &last.pixels, damage),
            None => Damage::full(self.size),
        };
        if changed.is_empty() {
            return None;
        }
        for buffer in &mut self.buffers {
            buffer.stale.merge(&changed);
        }
        let index = self.free_buffer()?;
        let buffer = self.buffers.get_mut(index)?;
        let pixels = Arc::get_mut(&mut buffer.pixels)?;
        for rect in buffer.stale.rects() {
            copy(composed, stride, pixels, *rect);
        }
        buffer.stale.clear();
        self.last = Some(index);
        self.seq += 1;
        Some(Frame {
            seq: self.seq,
            captured_at: Instant::now(),
            damage: changed,
            pixels: Arc::clone(&buffer.pixels),
        })
    }

    /// The index of a buffer that nobody reads: the last one if possible, since least is copied.
    fn free_buffer(&mut self) -> Option<usize> {
        let is_free = |buffer: &Buffer| Arc::strong_count(&buffer.pixels) == 1;
        if let Some(last) = self.last
            && self.buffers.get(last).is_some_and(is_free)
        {
            return Some(last);
        }
        if let Some(index) = self.buffers.iter().position(is_free) {
            return Some(index);
        }
        if self.buffers.len() >= POOL_BUFFERS {
            return None;
        }
        self.buffers.push(Buffer {
            pixels: Arc::new(PixelBuffer::new(self.size)),
            stale: Damage::full(self.size),
        });
        Some(self.buffers.len() - 1)
    }
}

#[derive(Debug)]
struct Buffer {
    pixels: Arc<PixelBuffer>,
    /// What the composed picture has changed since this buffer was written.
    stale: Damage,
}

/// The most buffers of one pool: three wait, four are read, one is written.
pub const POOL_BUFFERS: usize = 8;

/// The side of a tile of the comparison, in pixels.
pub const TILE_PX: u32 = 64;

fn minimum_length(size: Size, stride: usize) -> usize {
    stride * (size.height as usize - 1) + size.width as usize * BYTES_PER_PIXEL
}

/// The tiles inside `damage` that differ; neighbours in a row are joined.
fn refine(composed: &[u8], stride: usize, last: &PixelBuffer, damage: &Damage) -> Damage {
    let mut changed = Damage::none();
    for rect in damage.rects() {
        let Some(rect) = rect.intersection(last.size().rect()) else {
            continue;
        };
        let mut y = rect.y;
        while y < rect.bottom() {
            let bottom = ((y / TILE_PX + 1) * TILE_PX).min(rect.bottom());
            let mut run: Option<Rect> = None;
            let mut x = rect.x;
            while x < rect.right() {
                let right = ((x / TILE_PX + 1) * TILE_PX).min(rect.right());
                let tile = Rect::new(x, y, right - x, bottom - y);
                if differs(composed, stride, last, tile) {
                    run = Some(run.map_or(tile, |run| run.union(tile)));
                } else if let Some(run) = run.take() {
                    changed.add(run);
                }
                x = right;
            }
            if let Some(run) = run {
                changed.add(run);
            }
            y = bottom;
        }
    }
    changed
}

fn differs(composed: &[u8], stride: usize, last: &PixelBuffer, tile: Rect) -> bool {
    (tile.y..tile.bottom()).any(|y| {
        let ours = row(composed, stride, tile, y);
        let theirs = row(last.bytes(), last.stride(), tile, y);
        ours != theirs
    })
}

fn copy(composed: &[u8], stride: usize, pixels: &mut PixelBuffer, rect: Rect) {
    let to_stride = pixels.stride();
    for y in rect.y..rect.bottom() {
        let from = row(composed, stride, rect, y);
        let start = y as usize * to_stride + rect.x as usize * BYTES_PER_PIXEL;
        if let Some(to) = pixels.bytes_mut().get_mut(start..start + from.len()) {
            to.copy_from_slice(from);
        }
    }
}

fn row(bytes: &[u8], stride: usize, rect: Rect, y: u32) -> &[u8] {
    let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
    bytes
        .get(start..start + rect.width as usize * BYTES_PER_PIXEL)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(200, 130);

    fn picture() -> PixelBuffer {
        PixelBuffer::new(SIZE)
    }

    fn set(picture: &mut PixelBuffer, x: usize, y: usize, value: u8) {
        let at = y * picture.stride() + x * BYTES_PER_PIXEL;
        picture.bytes_mut()[at] = value;
    }

    #[test]
    fn the_first_frame_is_whole_and_an_equal_one_is_none() {
        let mut pool = FramePool::new(SIZE);
        let picture = picture();
        let frame = pool
            .frame(picture.bytes(), picture.stride(), &Damage::none())
            .unwrap();
        assert_eq!(frame.damage, Damage::full(SIZE));
        assert!(
            pool.frame(picture.bytes(), picture.stride(), &Damage::full(SIZE))
                .is_none()
        );
    }

    #[test]
    fn full_damage_shrinks_to_the_tiles_that_changed() {
        let mut pool = FramePool::new(SIZE);
        let mut picture = picture();
        let full = Damage::full(SIZE);
        drop(pool.frame(picture.bytes(), picture.stride(), &full));
        set(&mut picture, 70, 3, 9);
        set(&mut picture, 130, 5, 9);
        set(&mut picture, 199, 129, 9);
        let frame = pool
            .frame(picture.bytes(), picture.stride(), &full)
            .unwrap();
        assert_eq!(
            frame.damage.rects(),
            &[Rect::new(64, 0, 128, 64), Rect::new(192, 128, 8, 2)]
        );
        assert_eq!(frame.pixels.bytes(), picture.bytes());
    }

    #[test]
    fn held_frames_do_not_change_and_later_ones_are_complete() {
        let mut pool = FramePool::new(SIZE);
        let mut picture = picture();
        let full = Damage::full(SIZE);
        let mut held = Vec::new();
        for number in 1..=POOL_BUFFERS {
            let at = 20 * number;
            set(&mut picture, at, at / 2, 1);
            let frame = pool.frame(picture.bytes(), picture.stride(), &full);
            let frame = frame.unwrap();
            assert_eq!(frame.pixels.bytes(), picture.bytes(), "frame {number}");
            held.push((frame, picture.bytes().to_vec()));
        }
        set(&mut picture, 1, 1, 5);
        assert!(
            pool.frame(picture.bytes(), picture.stride(), &full)
                .is_none(),
            "all buffers are held"
        );
        for (frame, shown) in &held {
            assert_eq!(frame.pixels.bytes(), shown);
        }
        held.remove(0);
        let last = pool
            .frame(picture.bytes(), picture.stride(), &full)
            .expect("a buffer came back");
        assert_eq!(last.pixels.bytes(), picture.bytes());
    }

    #[test]
    fn a_short_picture_is_refused() {
        let mut pool = FramePool::new(SIZE);
        assert!(pool.frame(&[0; 100], 800, &Damage::full(SIZE)).is_none());
    }
}
