//! JPEG pictures for viewers that decode nothing better.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer_video as gst_video;
use tokio::sync::Notify;
use vroom_desktop::{BYTES_PER_PIXEL, Damage, PixelBuffer, Rect, Size};
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

use crate::convert::plane;
use crate::encoder::Shared;
use crate::stage::Stage;
use crate::{Error, elements};

/// A part of a picture, or all of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JpegPart {
    /// Where it lies; `None` when it is the whole picture, whatever its size.
    pub place: Option<Rect>,
    /// One JPEG file.
    pub jpeg: Bytes,
}

/// The newest picture as JPEG, each time the reader asks and it has changed.
///
/// Nothing is encoded while nobody asks. Readers that ask at the same time share one encoding. One
/// that takes parts gets what changed since it last asked, however long that is ago; it never
/// falls behind, since what it did not ask for in time is in the next parts.
#[derive(Debug)]
pub struct JpegFeed {
    shared: Arc<Shared>,
    slot: Arc<JpegSlot>,
}

impl JpegFeed {
    /// Makes a feed that has asked for nothing yet.
    pub(crate) fn new(shared: Arc<Shared>, parts: bool) -> Self {
        let slot = Arc::new(JpegSlot {
            parts,
            ..JpegSlot::default()
        });
        shared.jpegs.lock().push(Arc::clone(&slot));
        if shared.control().stopped {
            shared.jpegs.end();
        }
        Self { shared, slot }
    }

    /// Waits for a picture that differs from the last one; `None` when the encoder has ended.
    ///
    /// There is at least one part. Cancelling loses nothing: the picture is there for the next call.
    pub async fn next(&mut self) -> Option<Vec<JpegPart>> {
        loop {
            match self.slot.take() {
                Taken::Picture(parts) => return Some(parts),
                Taken::Ended => return None,
                Taken::Asked { first } => {
                    if first {
                        self.shared.change(|_| ());
                    }
                }
            }
            self.slot.changed.notified().await;
        }
    }
}

impl Drop for JpegFeed {
    fn drop(&mut self) {
        let mut slots = self.shared.jpegs.lock();
        slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

/// All who want JPEG pictures of one encoder.
#[derive(Debug, Default)]
pub(crate) struct JpegSlots(Mutex<Vec<Arc<JpegSlot>>>);

impl JpegSlots {
    /// Whether anybody waits for a picture.
    pub(crate) fn is_wanted(&self) -> bool {
        self.lock().iter().any(|slot| slot.lock().wanted)
    }

    /// Whether anybody waits who has not seen picture number `seq`.
    pub(crate) fn wants(&self, seq: u64) -> bool {
        let slots = self.lock();
        slots.iter().any(|slot| slot.lock().wants(seq))
    }

    /// Notes what changed; called by the encode thread for every frame.
    pub(crate) fn frame(&self, damage: &Damage) {
        for slot in self.lock().iter() {
            slot.lock().stale.merge(damage);
        }
    }

    /// Gives picture number `seq` to all who wait for it; fails with what `encode` says.
    pub(crate) fn deliver(
        &self,
        seq: u64,
        size: Size,
        mut encode: impl FnMut(Rect) -> Result<Bytes, Error>,
    ) -> Result<(), Error> {
        let mut done = HashMap::new();
        let slots: Vec<_> = self.lock().iter().cloned().collect();
        for slot in slots.iter().filter(|slot| slot.lock().wants(seq)) {
            let mut parts = Vec::new();
            // Only this thread adds to what is stale.
            for place in slot.places(size) {
                let jpeg = match done.get(&place) {
                    Some(jpeg) => Bytes::clone(jpeg),
                    None => encode(place)?,
                };
                done.insert(place, jpeg.clone());
                let place = (place != size.rect()).then_some(place);
                parts.push(JpegPart { place, jpeg });
            }
            let mut state = slot.lock();
            state.wanted = false;
            state.seen = seq;
            state.stale.clear();
            state.ready = Some((Instant::now(), parts));
            slot.changed.notify_one();
        }
        Ok(())
    }

    /// Tells everybody that no more will come.
    pub(crate) fn end(&self) {
        for slot in self.lock().iter() {
            slot.lock().ended = true;
            slot.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<JpegSlot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one reader asked for and got: at most one picture.
#[derive(Debug, Default)]
pub(crate) struct JpegSlot {
    /// Whether it takes parts of pictures.
    parts: bool,
    state: Mutex<SlotState>,
    changed: Notify,
}

#[derive(Debug)]
struct SlotState {
    wanted: bool,
    /// The number of the last picture it got.
    seen: u64,
    /// What changed since then.
    stale: Damage,
    ready: Option<(Instant, Vec<JpegPart>)>,
    ended: bool,
}

impl Default for SlotState {
    fn default() -> Self {
        Self {
            wanted: false,
            seen: 0,
            stale: [EVERYTHING].into_iter().collect(),
            ready: None,
            ended: false,
        }
    }
}

impl SlotState {
    fn wants(&self, seq: u64) -> bool {
        self.wanted && self.seen < seq
    }
}

enum Taken {
    Picture(Vec<JpegPart>),
    Asked { first: bool },
    Ended,
}

impl JpegSlot {
    fn take(&self) -> Taken {
        let mut state = self.lock();
        match state.ready.take() {
            Some((at, parts)) if at.elapsed() < STALE => Taken::Picture(parts),
            _ if state.ended => Taken::Ended,
            Some((_, parts)) => {
                // Nobody came for it in time: show the present picture, even if unchanged.
                state.seen = 0;
                for part in parts {
                    state.stale.add(part.place.unwrap_or(EVERYTHING));
                }
                Taken::Asked {
                    first: !std::mem::replace(&mut state.wanted, true),
                }
            }
            None => Taken::Asked {
                first: !std::mem::replace(&mut state.wanted, true),
            },
        }
    }

    /// What to make JPEG files of, so that this reader sees a picture of this size.
    fn places(&self, size: Size) -> Vec<Rect> {
        let places = joined(&self.lock().stale.clipped(size));
        let area: u64 = places.iter().map(|place| place.area()).sum();
        if !self.parts || places.is_empty() || area * WHOLE_SHARE > size.rect().area() {
            return vec![size.rect()];
        }
        places
    }

    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Damage as few rectangles: two become one where that adds less than a file of its own would.
fn joined(damage: &Damage) -> Vec<Rect> {
    let mut places: Vec<Rect> = damage.rects().to_vec();
    let mut at = 0;
    while let Some(one) = places.get(at).copied() {
        let partner = places
            .iter()
            .skip(at + 1)
            .position(|other| one.union(*other).area() <= one.area() + other.area() + FILE_PX);
        match partner {
            Some(offset) => {
                let other = places.swap_remove(at + 1 + offset);
                if let Some(place) = places.get_mut(at) {
                    *place = one.union(other);
                }
                // It may have come near to those that it was compared with before.
                at = 0;
            }
            None => at += 1,
        }
    }
    places
}

/// Encodes parts of pictures as JPEG, straight from their pixels.
pub(crate) struct JpegEncoder {
    stage: Stage,
    /// The form of the part that was encoded last.
    info: Option<gst_video::VideoInfo>,
    pixels: Vec<u8>,
}

impl JpegEncoder {
    /// Starts an encoder of this quality, 1 to 100.
    pub(crate) fn start(quality: u8) -> Result<Self, Error> {
        let element = elements::make(ELEMENT, "gstreamer1.0-plugins-good")?;
        elements::set(&element, "quality", &quality.clamp(1, 100).to_string());
        let output = gst::Caps::new_empty_simple("image/jpeg");
        let input = caps(&form(Size::new(16, 16))?)?;
        Ok(Self {
            stage: Stage::start(ELEMENT, element, input, &output)?,
            info: None,
            pixels: Vec::new(),
        })
    }

    /// Encodes a part of a picture.
    pub(crate) fn encode(&mut self, picture: &PixelBuffer, place: Rect) -> Result<Bytes, Error> {
        let size = Size::new(place.width, place.height);
        let same = |info: &gst_video::VideoInfo| {
            (info.width(), info.height()) == (size.width, size.height)
        };
        let info = match self.info.take().filter(same) {
            Some(info) => info,
            None => {
                let info = form(size)?;
                if !self.stage.send(gst::event::Caps::new(&caps(&info)?)) {
                    return Err(failed("it does not take the size"));
                }
                info
            }
        };
        let planes = self.planes(picture, place, &info);
        let planes = planes.ok_or_else(|| failed("there is no such part"))?;
        self.info = Some(info);
        let jpeg = self.stage.push(planes, Duration::ZERO)?;
        let map = jpeg.and_then(|jpeg| jpeg.into_mapped_buffer_readable().ok());
        let jpeg = map.ok_or_else(|| failed("it made no picture"))?;
        Ok(Bytes::from_owner(jpeg))
    }

    /// The part in the colours of JPEG: full range and BT.601.
    fn planes(
        &mut self,
        picture: &PixelBuffer,
        place: Rect,
        info: &gst_video::VideoInfo,
    ) -> Option<gst::Buffer> {
        let row = place.width as usize * BYTES_PER_PIXEL;
        self.pixels.clear();
        for y in place.y..place.bottom() {
            let start = y as usize * picture.stride() + place.x as usize * BYTES_PER_PIXEL;
            self.pixels
                .extend_from_slice(picture.bytes().get(start..start + row)?);
        }
        let (_, y_stride) = plane(info, 0)?;
        let (u_offset, u_stride) = plane(info, 1)?;
        let (v_offset, v_stride) = plane(info, 2)?;
        let height = place.height as usize;
        let half = height.div_ceil(2);
        let mut buffer = gst::Buffer::with_size(info.size()).ok()?;
        let mut map = buffer.get_mut()?.map_writable().ok()?;
        let (luma, chroma) = map.split_at_mut_checked(u_offset)?;
        let (u_plane, v_plane) = chroma.split_at_mut_checked(v_offset.checked_sub(u_offset)?)?;
        // Exactly these rows: with an odd number of them the crate counts from the end.
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(luma.get_mut(..height * y_stride as usize)?),
            y_stride,
            u_plane: BufferStoreMut::Borrowed(u_plane.get_mut(..half * u_stride as usize)?),
            u_stride,
            v_plane: BufferStoreMut::Borrowed(v_plane.get_mut(..half * v_stride as usize)?),
            v_stride,
            width: place.width,
            height: place.height,
        };
        yuv::bgra_to_yuv420(
            &mut image,
            &self.pixels,
            u32::try_from(row).ok()?,
            YuvRange::Full,
            YuvStandardMatrix::Bt601,
            YuvConversionMode::Balanced,
        )
        .ok()?;
        drop(map);
        Some(buffer)
    }
}

/// How the encoder takes pictures of this size.
fn form(size: Size) -> Result<gst_video::VideoInfo, Error> {
    gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, size.width, size.height)
        .fps(gst::Fraction::new(60, 1))
        .build()
        .map_err(|error| failed(&error.to_string()))
}

fn caps(info: &gst_video::VideoInfo) -> Result<gst::Caps, Error> {
    info.to_caps().map_err(|error| failed(&error.to_string()))
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: ELEMENT,
        reason: reason.into(),
    }
}

/// The element that encodes.
const ELEMENT: &str = "jpegenc";

/// A picture that nobody fetched for this long is made again.
const STALE: Duration = Duration::from_millis(250);

/// All of a picture, whatever its size.
const EVERYTHING: Rect = Rect::new(0, 0, u32::MAX, u32::MAX);

/// A picture of which more than one part in this many changed goes whole.
const WHOLE_SHARE: u64 = 2;

/// The pixels whose bytes are about those of the tables in each JPEG file.
const FILE_PX: u64 = 64 * 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(rects: &[(u32, u32, u32, u32)]) -> Damage {
        let rect = |&(x, y, width, height): &(u32, u32, u32, u32)| Rect::new(x, y, width, height);
        rects.iter().map(rect).collect()
    }

    #[test]
    fn neighbours_become_one_part_and_what_is_far_apart_does_not() {
        let near = damage(&[(0, 0, 64, 64), (0, 64, 64, 64), (96, 0, 64, 128)]);
        assert_eq!(joined(&near), [Rect::new(0, 0, 160, 128)]);
        let apart = damage(&[(0, 0, 64, 64), (1024, 640, 64, 64)]);
        assert_eq!(joined(&apart), apart.rects());
    }

    #[test]
    fn a_reader_gets_what_it_has_not_seen_and_everything_where_that_is_most() {
        let size = Size::new(640, 480);
        let slot = JpegSlot {
            parts: true,
            ..JpegSlot::default()
        };
        assert_eq!(slot.places(size), [size.rect()], "it has seen nothing");
        slot.lock().stale = damage(&[(64, 0, 64, 64)]);
        assert_eq!(slot.places(size), [Rect::new(64, 0, 64, 64)]);
        slot.lock().stale.merge(&damage(&[(0, 192, 640, 64)]));
        assert_eq!(slot.places(size).len(), 2);
        slot.lock().stale.merge(&damage(&[(0, 128, 640, 320)]));
        assert_eq!(slot.places(size), [size.rect()]);
        // The picture became smaller meanwhile.
        slot.lock().stale = damage(&[(0, 0, 64, 64), (600, 400, 40, 80)]);
        assert_eq!(slot.places(Size::new(320, 240)), [Rect::new(0, 0, 64, 64)]);
        let whole = JpegSlot::default();
        whole.lock().stale = damage(&[(64, 0, 64, 64)]);
        assert_eq!(whole.places(size), [size.rect()], "it takes no parts");
    }

    #[test]
    fn a_reader_that_comes_while_a_part_changes_gets_the_whole_picture_first() {
        let slots = JpegSlots::default();
        let slot = Arc::new(JpegSlot {
            parts: true,
            ..JpegSlot::default()
        });
        slots.lock().push(Arc::clone(&slot));
        slots.frame(&damage(&[(0, 0, 64, 64)]));
        let size = Size::new(640, 480);
        assert_eq!(slot.places(size), [size.rect()]);
    }

    #[test]
    fn parts_that_nobody_fetched_in_time_come_again_with_the_next() {
        let slots = JpegSlots::default();
        let slot = Arc::new(JpegSlot {
            parts: true,
            ..JpegSlot::default()
        });
        slots.lock().push(Arc::clone(&slot));
        let size = Size::new(640, 480);
        let deliver = |seq| {
            let encode = |_: Rect| Ok(Bytes::from_static(b"jpeg"));
            slots.deliver(seq, size, encode).unwrap();
        };
        slot.take();
        slots.frame(&Damage::full(size));
        deliver(1);
        assert!(matches!(slot.take(), Taken::Picture(parts) if parts[0].place.is_none()));
        slot.take();
        slots.frame(&damage(&[(0, 0, 64, 64)]));
        deliver(2);
        {
            let mut state = slot.lock();
            let (at, _) = state.ready.as_mut().unwrap();
            *at -= STALE;
        }
        assert!(matches!(slot.take(), Taken::Asked { first: true }));
        slots.frame(&damage(&[(512, 0, 64, 64)]));
        deliver(3);
        let Taken::Picture(parts) = slot.take() else {
            panic!("it is there");
        };
        let places: Vec<_> = parts.iter().filter_map(|part| part.place).collect();
        assert_eq!(places, [Rect::new(0, 0, 64, 64), Rect::new(512, 0, 64, 64)]);
    }

    #[test]
    fn parts_of_any_size_are_encoded() {
        gst::init().unwrap();
        let picture = PixelBuffer::new(Size::new(101, 77));
        let mut encoder = JpegEncoder::start(80).unwrap();
        for (x, y, width, height) in [
            (0, 0, 101, 77),
            (64, 64, 37, 13),
            (0, 0, 64, 64),
            (100, 76, 1, 1),
        ] {
            let jpeg = encoder
                .encode(&picture, Rect::new(x, y, width, height))
                .unwrap();
            assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
        }
        assert!(encoder.encode(&picture, Rect::new(64, 64, 64, 64)).is_err());
    }
}
