//! JPEG pictures for viewers that decode nothing better.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer_video as gst_video;
use tokio::sync::Notify;
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

use crate::convert::{plane, to_bgra};
use crate::encoder::Shared;
use crate::stage::Stage;
use crate::{Error, elements};

/// The newest picture as JPEG, each time the reader asks and it has changed.
///
/// Nothing is encoded while nobody asks. Readers that ask at the same time share one encoding.
#[derive(Debug)]
pub struct JpegFeed {
    shared: Arc<Shared>,
    slot: Arc<JpegSlot>,
}

impl JpegFeed {
    /// Makes a feed that has asked for nothing yet.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let slot = Arc::new(JpegSlot::default());
        shared.jpegs.lock().push(Arc::clone(&slot));
        if shared.control().stopped {
            shared.jpegs.end();
        }
        Self { shared, slot }
    }

    /// Waits for a picture that differs from the last one; `None` when the encoder has ended.
    ///
    /// Cancelling loses nothing: the picture is there for the next call.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.slot.take() {
                Taken::Picture(jpeg) => return Some(jpeg),
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

    /// Gives the picture to all who wait for it.
    pub(crate) fn deliver(&self, seq: u64, jpeg: &Bytes) {
        for slot in self.lock().iter() {
            let mut state = slot.lock();
            if state.wants(seq) {
                state.wanted = false;
                state.seen = seq;
                state.ready = Some((Instant::now(), jpeg.clone()));
                slot.changed.notify_one();
            }
        }
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
    state: Mutex<SlotState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct SlotState {
    wanted: bool,
    /// The number of the last picture it got.
    seen: u64,
    ready: Option<(Instant, Bytes)>,
    ended: bool,
}

impl SlotState {
    fn wants(&self, seq: u64) -> bool {
        self.wanted && self.seen < seq
    }
}

enum Taken {
    Picture(Bytes),
    Asked { first: bool },
    Ended,
}

impl JpegSlot {
    fn take(&self) -> Taken {
        let mut state = self.lock();
        match state.ready.take() {
            Some((at, jpeg)) if at.elapsed() < STALE => Taken::Picture(jpeg),
            _ if state.ended => Taken::Ended,
            Some(_) => {
                // Nobody came for it in time: show the present picture, even if unchanged.
                state.seen = 0;
                Taken::Asked {
                    first: !std::mem::replace(&mut state.wanted, true),
                }
            }
            None => Taken::Asked {
                first: !std::mem::replace(&mut state.wanted, true),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Encodes pictures of one size as JPEG.
pub(crate) struct JpegEncoder {
    stage: Stage,
    source: gst_video::VideoInfo,
    info: gst_video::VideoInfo,
    rgb: Vec<u8>,
}

impl JpegEncoder {
    /// Starts an encoder for pictures in this form.
    pub(crate) fn start(source: &gst_video::VideoInfo, quality: u8) -> Result<Self, Error> {
        let failed = |error: gst::glib::BoolError| Error::Failed {
            element: ELEMENT,
            reason: error.to_string(),
        };
        let element = elements::make(ELEMENT, "gstreamer1.0-plugins-good")?;
        elements::set(&element, "quality", &quality.clamp(1, 100).to_string());
        let info = gst_video::VideoInfo::builder(
            gst_video::VideoFormat::I420,
            source.width(),
            source.height(),
        )
        .fps(source.fps())
        .build()
        .map_err(failed)?;
        let output = gst::Caps::new_empty_simple("image/jpeg");
        let stage = Stage::start(ELEMENT, element, info.to_caps().map_err(failed)?, &output)?;
        let pixels = source.width() as usize * source.height() as usize;
        Ok(Self {
            stage,
            source: source.clone(),
            info,
            rgb: vec![0; pixels * 4],
        })
    }

    /// The form of the pictures it takes.
    pub(crate) fn source(&self) -> &gst_video::VideoInfo {
        &self.source
    }

    /// Encodes the planes of one picture.
    pub(crate) fn encode(&mut self, planes: &[u8]) -> Result<Bytes, Error> {
        let failed = |reason: &str| Error::Failed {
            element: ELEMENT,
            reason: reason.into(),
        };
        let picture = self
            .full_range(planes)
            .ok_or_else(|| failed("bad planes"))?;
        let jpeg = self.stage.push(picture, Duration::ZERO)?;
        let map = jpeg.and_then(|jpeg| jpeg.into_mapped_buffer_readable().ok());
        let jpeg = map.ok_or_else(|| failed("it made no picture"))?;
        Ok(Bytes::from_owner(jpeg))
    }

    /// The same picture in the colours of JPEG: full range and BT.601, by way of RGB.
    fn full_range(&mut self, planes: &[u8]) -> Option<gst::Buffer> {
        to_bgra(&self.source, planes, &mut self.rgb)?;
        let (_, y_stride) = plane(&self.info, 0)?;
        let (u_offset, u_stride) = plane(&self.info, 1)?;
        let (v_offset, v_stride) = plane(&self.info, 2)?;
        let mut buffer = gst::Buffer::with_size(self.info.size()).ok()?;
        let mut map = buffer.get_mut()?.map_writable().ok()?;
        let (luma, chroma) = map.split_at_mut_checked(u_offset)?;
        let (u_plane, v_plane) = chroma.split_at_mut_checked(v_offset.checked_sub(u_offset)?)?;
        let mut image = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(luma),
            y_stride,
            u_plane: BufferStoreMut::Borrowed(u_plane),
            u_stride,
            v_plane: BufferStoreMut::Borrowed(v_plane),
            v_stride,
            width: self.info.width(),
            height: self.info.height(),
        };
        yuv::bgra_to_yuv420(
            &mut image,
            &self.rgb,
            self.source.width() * 4,
            YuvRange::Full,
            YuvStandardMatrix::Bt601,
            YuvConversionMode::Balanced,
        )
        .ok()?;
        drop(map);
        Some(buffer)
    }
}

/// The element that encodes.
const ELEMENT: &str = "jpegenc";

/// A picture that nobody fetched for this long is made again.
const STALE: Duration = Duration::from_millis(250);
