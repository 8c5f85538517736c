//! Frames to planes: BGRx to I420, straight into the buffers that the encoder reads.

use gstreamer as gst;
use gstreamer_video as gst_video;
use vroom_desktop::{Damage, Frame, PixelBuffer, Size};
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

/// The buffers that one size of picture is converted into.
///
/// Only rows that changed since a buffer was last written are converted. A buffer is written only
/// while the encoder does not hold it; it copies what it reads, so the first one is nearly always
/// free again.
pub(crate) struct PicturePool {
    visible: Size,
    info: gst_video::VideoInfo,
    pictures: Vec<Picture>,
    newest: Option<usize>,
}

impl PicturePool {
    /// Makes a pool for frames of this size, or `None` when no encoder could take them.
    pub(crate) fn new(visible: Size, fps: u32) -> Option<Self> {
        if visible.is_empty() || visible.width > SIDE_PX_MAX || visible.height > SIDE_PX_MAX {
            return None;
        }
        let encoded = encoded_size(visible);
        let fps = i32::try_from(fps).unwrap_or(FPS_FALLBACK);
        let info = gst_video::VideoInfo::builder(
            gst_video::VideoFormat::I420,
            encoded.width,
            encoded.height,
        )
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
            info,
            pictures: Vec::new(),
            newest: None,
        })
    }

    /// The size of the frames.
    pub(crate) fn visible(&self) -> Size {
        self.visible
    }

    /// The form of the buffers.
    pub(crate) fn info(&self) -> &gst_video::VideoInfo {
        &self.info
    }

    /// Whether a picture is there to be repeated.
    pub(crate) fn has_picture(&self) -> bool {
        self.newest.is_some()
    }

    /// Converts what changed; `None` when every buffer is in use.
    ///
    /// The frame has to be of this pool's size.
    pub(crate) fn update(&mut self, frame: &Frame) -> Option<()> {
        for picture in &mut self.pictures {
            picture.stale.merge(&frame.damage);
        }
        let index = self.free_picture()?;
        let picture = self.pictures.get_mut(index)?;
        let info = &self.info;
        let stale = std::mem::take(&mut picture.stale);
        let done = picture.write(|bytes| convert(&frame.pixels, &stale, info, bytes));
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
    let [y_stride, u_stride, v_stride] = strides(info)?;
    let [_, u_offset, v_offset] = offsets(info)?;
    let (luma, chroma) = planes.split_at_mut_checked(u_offset)?;
    let (u_plane, v_plane) = chroma.split_at_mut_checked(v_offset.checked_sub(u_offset)?)?;
    for (top, bottom) in bands(damage, size.height) {
        let source = pixels
            .bytes()
            .get(top as usize * pixels.stride()..bottom as usize * pixels.stride())?;
        let half = top as usize / 2;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(luma.get_mut(top as usize * y_stride as usize..)?),
            y_stride,
            u_plane: BufferStoreMut::Borrowed(u_plane.get_mut(half * u_stride as usize..)?),
            u_stride,
            v_plane: BufferStoreMut::Borrowed(v_plane.get_mut(half * v_stride as usize..)?),
            v_stride,
            width: size.width,
            height: bottom - top,
        };
        yuv::bgra_to_yuv420(
            &mut image,
            source,
            u32::try_from(pixels.stride()).ok()?,
            YuvRange::Limited,
            YuvStandardMatrix::Bt709,
            YuvConversionMode::Balanced,
        )
        .ok()?;
    }
    repeat_edges(size, info, luma)
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

/// Fills the column and the row that an odd size lacks; colour has them already.
fn repeat_edges(size: Size, info: &gst_video::VideoInfo, luma: &mut [u8]) -> Option<()> {
    let (width, height) = (size.width as usize, size.height as usize);
    let stride = strides(info)?[0] as usize;
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

/// Bytes from one row to the next, of each plane.
pub(crate) fn strides(info: &gst_video::VideoInfo) -> Option<[u32; 3]> {
    let strides = info.stride();
    let stride = |plane: usize| u32::try_from(*strides.get(plane)?).ok();
    Some([stride(0)?, stride(1)?, stride(2)?])
}

/// Where each plane starts.
pub(crate) fn offsets(info: &gst_video::VideoInfo) -> Option<[usize; 3]> {
    info.offset().get(..3)?.try_into().ok()
}

/// The most pictures of one pool: one is read by the encoder, one is written, one is spare.
const POOL_PICTURES: usize = 3;

/// The longest side that is encoded; larger frames are not.
const SIDE_PX_MAX: u32 = 8192;

/// Stands in for a rate beyond all reason.
const FPS_FALLBACK: i32 = 60;
