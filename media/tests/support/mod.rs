//! What the tests of this crate share: a test card, a desktop made by hand, a decoder.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub(crate) mod browser;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use vroom_desktop::{Damage, Frame, FrameSlot, PixelBuffer, Rect, Size};
use vroom_media::{AccessUnit, Encoder, EncoderChoice, Media, MediaConfig};

/// Nothing in these tests takes this long unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Media with one encoder, on loopback only.
pub(crate) fn media(encoder: &str) -> Media {
    media_at(encoder, MediaConfig::default().fps_max)
}

/// The same with so many pictures a second at most.
pub(crate) fn media_at(encoder: &str, fps_max: u32) -> Media {
    Media::start(MediaConfig {
        encoder: EncoderChoice::Named(encoder.into()),
        addresses: vec![[127, 0, 0, 1].into()],
        fps_max,
        ..MediaConfig::default()
    })
    .unwrap()
}

/// Waits for something that has to happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.unwrap()
}

/// A desktop that shows what the test says.
pub(crate) struct Screen {
    pub(crate) frames: Arc<FrameSlot>,
    seq: u64,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            frames: Arc::new(FrameSlot::new()),
            seq: 0,
        }
    }

    /// Shows a whole picture.
    pub(crate) fn show(&mut self, pixels: PixelBuffer) {
        let damage = Damage::full(pixels.size());
        self.show_part(pixels, damage);
    }

    /// Shows a picture of which only a part changed.
    pub(crate) fn show_part(&mut self, pixels: PixelBuffer, damage: Damage) {
        self.show_shared(Arc::new(pixels), damage);
    }

    /// Shows a picture that may be shown again.
    pub(crate) fn show_shared(&mut self, pixels: Arc<PixelBuffer>, damage: Damage) {
        self.seq += 1;
        self.frames.publish(Frame {
            seq: self.seq,
            captured_at: Instant::now(),
            damage,
            pixels,
        });
    }
}

/// A picture with smooth, sharp and colourful parts; another `step` moves some of them.
pub(crate) fn card(size: Size, step: u32) -> PixelBuffer {
    let mut pixels = PixelBuffer::new(size);
    let width = size.width;
    for (index, pixel) in (0_u32..).zip(pixels.bytes_mut().chunks_exact_mut(4)) {
        let (x, y) = (index % width, index / width);
        let (column, row) = (x * 4 / width, y * 4 / size.height);
        let text = (x / 2 * 7 + y / 3 * 13 + x * y / 64).is_multiple_of(5);
        let shade = |value: u32| u8::try_from(value % 256).unwrap();
        let colour = match (column + row) % 4 {
            0 => [shade(x * 255 / width), shade(y * 255 / size.height), 90],
            1 if text => [20, 20, 20],
            1 => [240, 240, 240],
            2 => [200, shade(40 + step * 50), 60],
            _ if ((x + step * 5) / 16).is_multiple_of(2) => [60, 60, 220],
            _ => [60, 180, 60],
        };
        pixel[..3].copy_from_slice(&colour);
    }
    pixels
}

/// A picture whose key frame is a few packets: the browser of these tests has little room.
pub(crate) fn calm_card(size: Size, step: u32) -> PixelBuffer {
    let mut pixels = PixelBuffer::new(size);
    let width = size.width;
    for (index, pixel) in (0_u32..).zip(pixels.bytes_mut().chunks_exact_mut(4)) {
        let (x, y) = (index % width, index / width);
        let is_box = ((x + step * 40) / 80).is_multiple_of(3) && (y / 60).is_multiple_of(2);
        let shade = u8::try_from(x * 255 / width).unwrap();
        pixel[..3].copy_from_slice(&if is_box {
            [60, 200, 220]
        } else {
            [shade, 90, 40]
        });
    }
    pixels
}

/// A copy with one rectangle filled, and its damage.
pub(crate) fn with_box(pixels: &PixelBuffer, rect: Rect, shade: u8) -> (PixelBuffer, Damage) {
    let mut copy = PixelBuffer::new(pixels.size());
    copy.bytes_mut().copy_from_slice(pixels.bytes());
    let stride = copy.stride();
    for y in rect.y..rect.bottom() {
        let start = y as usize * stride + rect.x as usize * 4;
        copy.bytes_mut()[start..start + rect.width as usize * 4].fill(shade);
    }
    (copy, [rect].into_iter().collect())
}

/// A picture that no encoder makes small.
pub(crate) fn noise(size: Size, seed: u32) -> PixelBuffer {
    let mut pixels = PixelBuffer::new(size);
    let mut state = seed;
    for byte in pixels.bytes_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    pixels
}

/// How well a decoded picture shows the source, in dB of luma and of the colours' halves.
///
/// `full` says that the picture is a JPEG: full range and BT.601.
pub(crate) fn psnr(source: &PixelBuffer, picture: &Picture, full: bool) -> f64 {
    let (width, height) = (source.size().width as usize, source.size().height as usize);
    let [kr, kg, kb] = if full {
        [0.299, 0.587, 0.114]
    } else {
        [0.2126, 0.7152, 0.0722]
    };
    let (scale, black) = if full {
        (1.0, 0.0)
    } else {
        (219.0 / 255.0, 16.0)
    };
    let mut error = 0.0;
    for y in 0..height {
        for x in 0..width {
            let start = y * source.stride() + x * 4;
            let [b, g, r] = [0, 1, 2].map(|i| f64::from(source.bytes()[start + i]));
            let want = (kr * r + kg * g + kb * b) * scale + black;
            let have = f64::from(picture.luma[y * picture.stride + x]);
            error += (want - have) * (want - have);
        }
    }
    let mean = error / (source.size().rect().area() as f64);
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// The luma of one decoded picture.
pub(crate) struct Picture {
    pub(crate) size: Size,
    pub(crate) stride: usize,
    pub(crate) luma: Vec<u8>,
}

/// Decodes what an encoder makes.
pub(crate) struct Decoder {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    sink: gst_app::AppSink,
}

impl Decoder {
    pub(crate) fn h264() -> Self {
        Self::new(
            "video/x-h264,stream-format=byte-stream,alignment=au",
            "h264parse ! openh264dec",
        )
    }

    pub(crate) fn jpeg() -> Self {
        Self::new("image/jpeg,framerate=1/1", "jpegdec")
    }

    fn new(caps: &str, elements: &str) -> Self {
        gst::init().unwrap();
        let launch = format!(
            "appsrc name=in format=time caps=\"{caps}\" ! {elements} ! video/x-raw,format=I420 ! \
             appsink name=out sync=false"
        );
        let pipeline = gst::parse::launch(&launch).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let source = pipeline.by_name("in").unwrap().downcast().unwrap();
        let sink = pipeline.by_name("out").unwrap().downcast().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            source,
            sink,
        }
    }

    /// Decodes one picture; there is one for each.
    pub(crate) fn decode(&self, data: &[u8], pts_us: u64) -> Picture {
        let mut buffer = gst::Buffer::from_slice(data.to_vec());
        let pts = gst::ClockTime::from_useconds(pts_us);
        buffer.get_mut().unwrap().set_pts(pts);
        self.source.push_buffer(buffer).unwrap();
        let deadline = gst::ClockTime::from_seconds(DEADLINE.as_secs());
        let sample = self.sink.try_pull_sample(deadline).unwrap();
        let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
        let buffer = sample.buffer_owned().unwrap();
        let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap();
        Picture {
            size: Size::new(frame.width(), frame.height()),
            stride: frame.plane_stride()[0].try_into().unwrap(),
            luma: frame.plane_data(0).unwrap().to_vec(),
        }
    }

    pub(crate) fn unit(&self, unit: &AccessUnit) -> Picture {
        self.decode(&unit.data, unit.pts_us)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// Waits until an encoder sleeps: it has been asked for nothing and makes nothing.
pub(crate) async fn until_silent(encoder: &Encoder) {
    let mut last = encoder.stats();
    let mut since = Instant::now();
    soon(async {
        while since.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let stats = encoder.stats();
            if (stats.units, stats.wakeups) != (last.units, last.wakeups) {
                last = stats;
                since = Instant::now();
            }
        }
    })
    .await;
}
