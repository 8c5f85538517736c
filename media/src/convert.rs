//! Frames to planes: BGRx to 4:2:0, straight into the buffers that the encoder reads.

use std::ops::Range;

use gstreamer as gst;
use gstreamer_video as gst_video;
use vroom_desktop::{Damage, PixelBuffer, Size};
use yuv::{
    BufferStoreMut, YuvBiPlanarImageMut, YuvConversionMode, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};

use crate::codec::Layout;

/// The buffers that one size of picture is converted into.
///
/// Only rows that changed since a buffer was last written are converted. A buffer is written only
/// while the encoder does not hold it; it copies what it reads, so the first one is nearly always
/// free again.
pub(crate) struct PicturePool {
    visible: Size,
    layout: Layout,
    info: gst_video::VideoInfo,
    pictures: Vec<Picture>,
    newest: Option<usize>,
}

impl PicturePool {
    /// Makes a pool for frames of this size, or `None` when no encoder could take them.
    pub(crate) fn new(visible: Size, layout: Layout, fps: u32) -> Option<Self> {
        if visible.is_empty() || visible.width > SIDE_PX_MAX || visible.height > SIDE_PX_MAX {
            return None;
        }
        let encoded = encoded_size(visible);
        let fps = i32::try_from(fps).unwrap_or(FPS_FALLBACK);
        let format = match layout {
            Layout::I420 => gst_video::VideoFormat::I420,
            Layout::Nv12 => gst_video::VideoFormat::Nv12,
        };
        let info = gst_video::VideoInfo::builder(format, encoded.width, encoded.height)
            .fps(gst::Fraction::new(fps, 1))
            .colorimetry(&gst_video::VideoColorimetry::new(
                gst_video::VideoColorRange::Range16_235,
                gst_video::VideoColorMatrix::Bt709,
                gst_video::VideoTransferFunction::Bt709,
                gst_video::VideoColorPrimaries::Bt709,
            ))
            .build()
            .ok()?;
        Some(Self {
            visible,
            layout,
            info,
            pictures: Vec::new(),
            newest: None,
        })
    }

    /// The same picture for an encoder that wants another layout.
    pub(crate) fn into_layout(self, layout: Layout) -> Option<Self> {
        if layout == self.layout {
            return Some(self);
        }
        let fps = u32::try_from(self.info.fps().numer()).ok()?;
        let mut pool = Self::new(self.visible, layout, fps)?;
        let Some(newest) = self.newest.and_then(|index| self.pictures.get(index)) else {
            return Some(pool);
        };
        let from = newest.buffer.map_readable().ok()?;
        let index = pool.free_picture()?;
        let picture = pool.pictures.get_mut(index)?;
        picture.stale = newest.stale.clone();
        picture.write(|bytes| rearrange(&self.info, &from, &pool.info, bytes))?;
        drop(from);
        pool.newest = Some(index);
        Some(pool)
    }

    /// The size of the frames.
    pub(crate) fn visible(&self) -> Size {
        self.visible
    }

    /// The form of the buffers.
    pub(crate) fn info(&self) -> &gst_video::VideoInfo {
        &self.info
    }

    /// Notes what a frame of this pool's size changed.
    pub(crate) fn note(&mut self, damage: &Damage) {
        for picture in &mut self.pictures {
            picture.stale.merge(damage);
        }
    }

    /// Converts what changed; `None` when every buffer is in use.
    ///
    /// The pixels have to be those of the frame that was noted last.
    pub(crate) fn update(&mut self, pixels: &PixelBuffer) -> Option<()> {
        let index = self.free_picture()?;
        let picture = self.pictures.get_mut(index)?;
        let info = &self.info;
        let stale = std::mem::take(&mut picture.stale);
        let done = picture.write(|bytes| convert(pixels, &stale, info, bytes));
        if done.is_none() {
            picture.stale = stale;
            return None;
        }
        self.newest = Some(index);
        Some(())
    }

    /// The newest picture with this presentation time, for the encoder to read.
    pub(crate) fn newest(&mut self, pts: gst::ClockTime) -> Option<gst::Buffer> {
        let mut index = self.newest?;
        if !self.pictures.get_mut(index)?.is_free() {
            let copy = self.pictures.get(index)?.buffer.copy_deep().ok()?;
            let stale = self.pictures.get(index)?.stale.clone();
            index = self.free_picture()?;
            *self.pictures.get_mut(index)? = Picture {
                buffer: copy,
                stale,
            };
            self.newest = Some(index);
        }
        let picture = self.pictures.get_mut(index)?;
        picture.buffer.get_mut()?.set_pts(pts);
        Some(picture.buffer.clone())
    }

    #[cfg(test)]
    /// Lets `read` see the planes of the newest picture.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let picture = self.pictures.get(self.newest?)?;
        let map = picture.buffer.map_readable().ok()?;
        Some(read(&map))
    }

    /// The index of a picture that nobody reads: the newest if possible, since least is stale.
    fn free_picture(&mut self) -> Option<usize> {
        if let Some(newest) = self.newest
            && self.pictures.get_mut(newest)?.is_free()
        {
            return Some(newest);
        }
        if let Some(index) = self.pictures.iter_mut().position(Picture::is_free) {
            return Some(index);
        }
        if self.pictures.len() == POOL_PICTURES {
            return None;
        }
        self.pictures.push(Picture {
            buffer: gst::Buffer::with_size(self.info.size()).ok()?,
            stale: Damage::full(self.visible),
        });
        Some(self.pictures.len() - 1)
    }
}

/// One buffer, and what the frames have changed since it was written.
struct Picture {
    buffer: gst::Buffer,
    stale: Damage,
}

impl Picture {
    fn is_free(&mut self) -> bool {
        self.buffer.get_mut().is_some()
    }

    fn write(&mut self, write: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<()> {
        let mut map = self.buffer.get_mut()?.map_writable().ok()?;
        write(&mut map)
    }
}

/// The size that is encoded for frames of this size: both sides even.
///
/// 4:2:0 has one colour for two pixels each way. Any even size will do; the encoder itself pads to
/// its blocks and writes into the stream what of it to show. The row and column that an odd size
/// lacks repeat their neighbours.
pub(crate) fn encoded_size(visible: Size) -> Size {
    Size::new(
        visible.width.next_multiple_of(2),
        visible.height.next_multiple_of(2),
    )
}

/// Converts the damaged rows of a frame into planes; `None` when the sizes do not fit.
fn convert(
    pixels: &PixelBuffer,
    damage: &Damage,
    info: &gst_video::VideoInfo,
    planes: &mut [u8],
) -> Option<()> {
    let size = pixels.size();
    let (luma, chroma) = planes.split_at_mut_checked(plane(info, 1)?.0)?;
    for (top, bottom) in bands(damage, size.height) {
        let (top, bottom) = (top as usize, bottom as usize);
        let (half_top, half_bottom) = (top / 2, bottom.div_ceil(2));
        let source = pixels.bytes().get(rows(top, bottom, pixels.stride()))?;
        let source_stride = u32::try_from(pixels.stride()).ok()?;
        let height = u32::try_from(bottom - top).ok()?;
        // Exactly these rows: with an odd number of them the crate counts from the end.
        let (_, y_stride) = plane(info, 0)?;
        let luma = luma.get_mut(rows(top, bottom, y_stride as usize))?;
        let (u_offset, u_stride) = plane(info, 1)?;
        let half = rows(half_top, half_bottom, u_stride as usize);
        let (range, matrix, mode) = (
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        );
        if info.format() == gst_video::VideoFormat::Nv12 {
            let mut image = YuvBiPlanarImageMut {
                y_plane: BufferStoreMut::Borrowed(luma),
                y_stride,
                uv_plane: BufferStoreMut::Borrowed(chroma.get_mut(half)?),
                uv_stride: u_stride,
                width: size.width,
                height,
            };
            yuv::bgra_to_yuv_nv12(&mut image, source, source_stride, range, matrix, mode).ok()?;
            continue;
        }
        let (v_offset, v_stride) = plane(info, 2)?;
        let (u_plane, v_plane) = chroma.split_at_mut_checked(v_offset.checked_sub(u_offset)?)?;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(luma),
            y_stride,
            u_plane: BufferStoreMut::Borrowed(u_plane.get_mut(half.clone())?),
            u_stride,
            v_plane: BufferStoreMut::Borrowed(v_plane.get_mut(half)?),
            v_stride,
            width: size.width,
            height,
        };
        yuv::bgra_to_yuv420(&mut image, source, source_stride, range, matrix, mode).ok()?;
    }
    repeat_edges(size, info, luma)
}

/// Copies the planes of one layout into those of the other.
fn rearrange(
    from: &gst_video::VideoInfo,
    source: &[u8],
    to: &gst_video::VideoInfo,
    target: &mut [u8],
) -> Option<()> {
    let (width, height) = (from.width() as usize, from.height() as usize);
    for row in 0..height {
        let [into, of] = [to, from].map(|info| row_of(info, 0, row, width));
        target.get_mut(into?)?.copy_from_slice(source.get(of?)?);
    }
    let packed = to.format() == gst_video::VideoFormat::Nv12;
    let (two, three) = if packed { (to, from) } else { (from, to) };
    for row in 0..height / 2 {
        let both = row_of(two, 1, row, width)?;
        let parts = [
            row_of(three, 1, row, width / 2)?,
            row_of(three, 2, row, width / 2)?,
        ];
        for (index, part) in parts.into_iter().enumerate() {
            for (pair, single) in both.clone().skip(index).step_by(2).zip(part) {
                let (into, of) = if packed {
                    (pair, single)
                } else {
                    (single, pair)
                };
                *target.get_mut(into)? = *source.get(of)?;
            }
        }
    }
    Some(())
}

/// Where the first `length` bytes of a row of a plane lie.
fn row_of(
    info: &gst_video::VideoInfo,
    index: usize,
    row: usize,
    length: usize,
) -> Option<Range<usize>> {
    let (offset, stride) = plane(info, index)?;
    let start = offset + row * stride as usize;
    Some(start..start + length)
}

/// The rows of a damage as bands from an even row, top to bottom, apart from each other.
fn bands(damage: &Damage, height: u32) -> Vec<(u32, u32)> {
    let mut bands: Vec<_> = damage
        .rects()
        .iter()
        .map(|rect| {
            let bottom = rect.bottom().next_multiple_of(2).min(height);
            (rect.y / 2 * 2, bottom)
        })
        .filter(|(top, bottom)| top < bottom)
        .collect();
    bands.sort_unstable();
    bands.dedup_by(|next, band| {
        let touches = next.0 <= band.1;
        if touches {
            band.1 = band.1.max(next.1);
        }
        touches
    });
    bands
}

/// Where the rows from `top` to before `bottom` lie.
fn rows(top: usize, bottom: usize, stride: usize) -> Range<usize> {
    top * stride..bottom * stride
}

/// Fills the column and the row that an odd size lacks; colour has them already.
fn repeat_edges(size: Size, info: &gst_video::VideoInfo, luma: &mut [u8]) -> Option<()> {
    let (width, height) = (size.width as usize, size.height as usize);
    let stride = plane(info, 0)?.1 as usize;
    if width % 2 == 1 {
        for row in luma.chunks_mut(stride).take(height) {
            *row.get_mut(width)? = *row.get(width - 1)?;
        }
    }
    if height % 2 == 1 {
        let last = (height - 1) * stride;
        luma.get(last..last + 2 * stride)?;
        luma.copy_within(last..last + stride, last + stride);
    }
    Some(())
}

/// Where a plane starts, and its bytes from one row to the next.
pub(crate) fn plane(info: &gst_video::VideoInfo, index: usize) -> Option<(usize, u32)> {
    let offset = info.offset().get(index)?;
    let stride = info.stride().get(index)?;
    Some((*offset, u32::try_from(*stride).ok()?))
}

/// The most pictures of one pool: one is read by the encoder, one is written, one is spare.
const POOL_PICTURES: usize = 3;

/// The longest side that is encoded; larger frames are not.
const SIDE_PX_MAX: u32 = 8192;

/// Stands in for a rate beyond all reason.
const FPS_FALLBACK: i32 = 60;

#[cfg(test)]
mod tests {
    use vroom_desktop::Rect;

    use yuv::{YuvBiPlanarImage, YuvPlanarImage};

    use super::*;

    /// A picture in which every pixel differs from its neighbours, and from other seeds.
    fn noise(size: Size, seed: u32) -> PixelBuffer {
        let mut pixels = PixelBuffer::new(size);
        let mut state = seed;
        for byte in pixels.bytes_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        pixels
    }

    /// Converts a picture of which so much is new.
    fn show(pool: &mut PicturePool, pixels: &PixelBuffer, damage: &Damage) {
        pool.note(damage);
        pool.update(pixels).unwrap();
    }

    fn pool(size: Size) -> PicturePool {
        pool_of(size, Layout::I420)
    }

    fn pool_of(size: Size, layout: Layout) -> PicturePool {
        gst::init().unwrap();
        PicturePool::new(size, layout, 60).unwrap()
    }

    fn planes(pool: &PicturePool) -> Vec<u8> {
        pool.read(<[u8]>::to_vec).unwrap()
    }

    /// What the planes have to hold at a pixel: luma, and for even ones chroma.
    fn reference(pixels: &PixelBuffer, x: usize, y: usize) -> [f64; 3] {
        let at = |x: usize, y: usize| {
            let start = y * pixels.stride() + x * 4;
            let [b, g, r] = [0, 1, 2].map(|i| f64::from(pixels.bytes()[start + i]));
            (r, g, b)
        };
        let luma = |(r, g, b): (f64, f64, f64)| 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let (left, top) = (x / 2 * 2, y / 2 * 2);
        let right = (left + 1).min(pixels.size().width as usize - 1);
        let bottom = (top + 1).min(pixels.size().height as usize - 1);
        let four = [
            at(left, top),
            at(right, top),
            at(left, bottom),
            at(right, bottom),
        ];
        let mean = |of: fn((f64, f64, f64)) -> f64| four.map(of).iter().sum::<f64>() / 4.0;
        let block = (mean(|it| it.0), mean(|it| it.1), mean(|it| it.2));
        let scale = 224.0 / 255.0;
        [
            16.0 + luma(at(x, y)) * 219.0 / 255.0,
            128.0 + (block.2 - luma(block)) / 1.8556 * scale,
            128.0 + (block.0 - luma(block)) / 1.5748 * scale,
        ]
    }

    #[test]
    fn colours_are_those_of_bt709_in_limited_range() {
        for size in [(64, 48), (1366, 34), (33, 17), (2, 2), (1, 1)] {
            let size = Size::new(size.0, size.1);
            let pixels = noise(size, 7);
            let mut pool = pool(size);
            let damage = Damage::full(size);
            show(&mut pool, &noise(size, 7), &damage);
            let have = planes(&pool);
            let places = [0, 1, 2].map(|index| plane(pool.info(), index).unwrap());
            for y in 0..size.height as usize {
                for x in 0..size.width as usize {
                    let want = reference(&pixels, x, y);
                    let at = [(x, y), (x / 2, y / 2), (x / 2, y / 2)];
                    for plane in 0..3 {
                        let (offset, stride) = places[plane];
                        let index = offset + at[plane].1 * stride as usize + at[plane].0;
                        let off = (f64::from(have[index]) - want[plane]).abs();
                        assert!(off <= 2.0, "{size} plane {plane} at {x},{y}: off by {off}");
                    }
                }
            }
        }
    }

    /// The picture in RGB again, each pixel four bytes B, G, R, 255.
    fn to_bgra(info: &gst_video::VideoInfo, planes: &[u8], rgb: &mut [u8]) -> Option<()> {
        let (range, matrix) = (YuvRange::Limited, YuvStandardMatrix::Bt709);
        let (width, height) = (info.width(), info.height());
        let (u_offset, u_stride) = plane(info, 1)?;
        let (_, y_stride) = plane(info, 0)?;
        let (y_plane, chroma) = planes.split_at_checked(u_offset)?;
        if info.format() == gst_video::VideoFormat::Nv12 {
            let image = YuvBiPlanarImage {
                y_plane,
                y_stride,
                uv_plane: chroma,
                uv_stride: u_stride,
                width,
                height,
            };
            let mode = YuvConversionMode::Balanced;
            return yuv::yuv_nv12_to_bgra(&image, rgb, width * 4, range, matrix, mode).ok();
        }
        let (v_offset, v_stride) = plane(info, 2)?;
        let (u_plane, v_plane) = chroma.split_at_checked(v_offset.checked_sub(u_offset)?)?;
        let image = YuvPlanarImage {
            y_plane,
            y_stride,
            u_plane,
            u_stride,
            v_plane,
            v_stride,
            width,
            height,
        };
        yuv::yuv420_to_bgra(&image, rgb, width * 4, range, matrix).ok()
    }

    #[test]
    fn both_layouts_hold_the_same_picture() {
        for size in [(64, 48), (1366, 34), (33, 17), (2, 2), (1, 1)] {
            let size = Size::new(size.0, size.1);
            let all = Damage::full(size);
            let mut three = pool_of(size, Layout::I420);
            let mut two = pool_of(size, Layout::Nv12);
            show(&mut three, &noise(size, 3), &all);
            show(&mut two, &noise(size, 3), &all);
            let bgra = |pool: &PicturePool| {
                let info = pool.info().clone();
                let mut rgb = vec![0; info.width() as usize * info.height() as usize * 4];
                to_bgra(&info, &planes(pool), &mut rgb).unwrap();
                rgb
            };
            assert!(bgra(&three) == bgra(&two), "{size}");
            let (seen, visible) = (planes(&three), planes(&two));
            let two = two.into_layout(Layout::I420).unwrap();
            let three = three.into_layout(Layout::Nv12).unwrap();
            assert!(bgra(&two) == bgra(&three), "{size} after changing");
            // The planes of the other layout have their padding in other places.
            assert_eq!(seen.len(), planes(&two).len());
            assert_eq!(visible.len(), planes(&three).len());
        }
    }

    #[test]
    fn converting_the_damage_is_converting_all() {
        for layout in [Layout::I420, Layout::Nv12] {
            converting_damage(layout);
        }
    }

    fn converting_damage(layout: Layout) {
        let size = Size::new(854, 481);
        let mut damaged = pool_of(size, layout);
        show(&mut damaged, &noise(size, 1), &Damage::full(size));
        let (old, new) = (noise(size, 1), noise(size, 2));
        let rects = [
            Rect::new(3, 5, 7, 1),
            Rect::new(800, 6, 54, 30),
            Rect::new(0, 480, 1, 1),
            Rect::new(100, 101, 33, 77),
        ];
        let mut mixed = old;
        for rect in rects {
            for y in rect.y..rect.bottom() {
                let start = y as usize * mixed.stride() + rect.x as usize * 4;
                let range = start..start + rect.width as usize * 4;
                mixed.bytes_mut()[range.clone()].copy_from_slice(&new.bytes()[range]);
            }
        }
        let mut whole = pool_of(size, layout);
        show(&mut whole, &mixed, &Damage::full(size));
        show(&mut damaged, &mixed, &rects.into_iter().collect());
        assert!(planes(&whole) == planes(&damaged));
    }

    #[test]
    fn a_picture_that_is_being_read_is_not_written() {
        let size = Size::new(64, 64);
        let mut pool = pool(size);
        show(&mut pool, &noise(size, 1), &Damage::full(size));
        let first = planes(&pool);
        let held = pool.newest(gst::ClockTime::ZERO).unwrap();
        // Only the first row changes; the second buffer still has to get everything.
        let second = noise(size, 2);
        let row: Damage = [Rect::new(0, 0, 64, 2)].into_iter().collect();
        let mut mixed = noise(size, 1);
        let rows = 2 * mixed.stride();
        mixed.bytes_mut()[..rows].copy_from_slice(&second.bytes()[..rows]);
        show(&mut pool, &mixed, &row);
        assert!(held.map_readable().unwrap().as_slice() == first);
        let again = pool.newest(gst::ClockTime::SECOND).unwrap();
        assert_eq!(again.pts(), Some(gst::ClockTime::SECOND));
        let now = again.map_readable().unwrap();
        assert!(now.as_slice()[..64] != first[..64], "the first row is new");
        assert!(
            now.as_slice()[4 * 64..8 * 64] == first[4 * 64..8 * 64],
            "the rest is kept"
        );
    }

    #[test]
    fn repeating_a_picture_that_is_being_read_gives_a_copy() {
        let size = Size::new(64, 64);
        let mut pool = pool(size);
        show(&mut pool, &noise(size, 1), &Damage::full(size));
        let held = pool.newest(gst::ClockTime::ZERO).unwrap();
        let again = pool.newest(gst::ClockTime::SECOND).unwrap();
        assert_eq!(held.pts(), Some(gst::ClockTime::ZERO));
        assert_eq!(again.pts(), Some(gst::ClockTime::SECOND));
        assert!(
            held.map_readable().unwrap().as_slice() == again.map_readable().unwrap().as_slice()
        );
    }

    #[test]
    fn bands_are_even_and_apart() {
        let damage: Damage = [
            Rect::new(0, 3, 1, 2),
            Rect::new(9, 6, 1, 1),
            Rect::new(5, 20, 1, 1),
        ]
        .into_iter()
        .collect();
        assert_eq!(bands(&damage, 21), [(2, 8), (20, 21)]);
        assert_eq!(bands(&Damage::none(), 21), []);
    }

    #[test]
    fn sizes_that_cannot_be_encoded_have_no_pool() {
        gst::init().unwrap();
        for size in [(0, 5), (5, 0), (SIDE_PX_MAX + 1, 5), (u32::MAX, u32::MAX)] {
            assert!(PicturePool::new(Size::new(size.0, size.1), Layout::I420, 60).is_none());
        }
    }
}
