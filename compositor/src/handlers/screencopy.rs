//! wlr-screencopy: pictures of the output for programs such as grim and wayvnc.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use smithay::reexports::wayland_protocols_wlr::screencopy::v1::server::zwlr_screencopy_frame_v1::{
    self, Error, Flags, ZwlrScreencopyFrameV1,
};
use smithay::reexports::wayland_protocols_wlr::screencopy::v1::server::zwlr_screencopy_manager_v1::{
    self, ZwlrScreencopyManagerV1,
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_shm::Format;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource as _,
};
use smithay::utils::{Clock, Logical, Monotonic, Rectangle, Transform};
use smithay::wayland::shm::with_buffer_contents_mut;
use vroom_desktop::{BYTES_PER_PIXEL, Rect, Size};

use super::sandbox::{self, Trusted};
use crate::output::turned;
use crate::state::State;

/// The pictures that programs wait for.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    waiting: Vec<Capture>,
    /// Counts the times that something changed.
    changes: u64,
}

#[derive(Debug)]
struct Capture {
    frame: ZwlrScreencopyFrameV1,
    buffer: WlBuffer,
    area: Rect,
    cursor: bool,
    /// The newest change that the program has seen; it waits for a newer one.
    seen: Option<u64>,
}

/// What a program asked for when it made a frame object.
#[derive(Debug)]
pub(crate) struct Asked {
    area: Rect,
    of: Size,
    /// How the output was turned then: programs get its pixels turned, and turn them back.
    transform: Transform,
    cursor: bool,
    used: AtomicBool,
    /// The newest change that this program's manager has handed out.
    seen: Arc<AtomicU64>,
}

/// A picture to copy from.
pub(crate) struct Composed<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
    pub(crate) size: Size,
}

impl Captures {
    /// Notes that the picture is another one now.
    pub(crate) fn changed(&mut self) {
        self.changes += 1;
    }

    /// Whether a program waits for the next picture, changed or not.
    pub(crate) fn are_due(&self) -> bool {
        self.waiting.iter().any(|capture| self.is_due(capture))
    }

    /// Whether a program waits for any picture, also a later one.
    pub(crate) fn are_wanted(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a due picture has to show the pointer.
    pub(crate) fn want_cursor(&self) -> bool {
        self.waiting.iter().any(|capture| capture.cursor)
    }

    fn is_due(&self, capture: &Capture) -> bool {
        capture.seen.is_none_or(|seen| seen < self.changes)
    }

    /// Hands the picture out; `with_cursor` is the same with the pointer in it.
    pub(crate) fn fulfil(&mut self, plain: &Composed<'_>, with_cursor: Option<&[u8]>) {
        let (due, rest) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|capture| self.is_due(capture));
        self.waiting = rest;
        for capture in due {
            let bytes = with_cursor.filter(|_| capture.cursor);
            let picture = Composed {
                bytes: bytes.unwrap_or(plain.bytes),
                ..*plain
            };
            capture.finish(&picture, self.changes);
        }
    }

    /// Tells all that wait that there is no picture.
    pub(crate) fn fail(&mut self) {
        for capture in self.waiting.drain(..) {
            capture.frame.failed();
        }
    }
}

impl Capture {
    fn finish(self, picture: &Composed<'_>, changes: u64) {
        let Some(asked) = self.frame.data::<Asked>() else {
            return;
        };
        if asked.of != picture.size || !self.buffer.is_alive() {
            return self.frame.failed();
        }
        let area = self.area;
        let copied = with_buffer_contents_mut(&self.buffer, |data, length, layout| {
            let side = |value: i32| usize::try_from(value).ok();
            let (offset, stride) = (side(layout.offset)?, side(layout.stride)?);
            let told = turned(area.size(), asked.transform);
            let row = told.width as usize * BYTES_PER_PIXEL;
            let rows = told.height as usize;
            let end = stride
                .checked_mul(rows.checked_sub(1)?)?
                .checked_add(offset)?;
            if row > stride || end.checked_add(row)? > length {
                return None;
            }
            let mut turned = vec![0; row];
            for y in 0..rows {
                let source = asked.row(picture, &area, y, &mut turned)?;
                // SAFETY: the row begins within `length` bytes, as `end` says.
                let target = unsafe { data.add(offset + y * stride) };
                // SAFETY: `row` bytes follow there, as was checked above, and the mapping of a
                // program's memory does not overlap with our picture.
                unsafe { std::ptr::copy_nonoverlapping(source.as_ptr(), target, row) };
            }
            Some(())
        });
        if !matches!(copied, Ok(Some(()))) {
            return self.frame.failed();
        }
        asked.seen.store(changes, Ordering::Relaxed);
        self.frame.flags(Flags::empty());
        if self.seen.is_some() {
            let told = turned(area.size(), asked.transform);
            self.frame.damage(0, 0, told.width, told.height);
        }
        let now = std::time::Duration::from(Clock::<Monotonic>::new().now());
        let seconds = now.as_secs();
        let high = u32::try_from(seconds >> 32).unwrap_or(0);
        let low = u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or(0);
        self.frame.ready(high, low, now.subsec_nanos());
    }
}

impl Asked {
    /// One row of what the program gets, `turned` being room for it; `None` where there is no
    /// such row.
    fn row<'a>(
        &self,
        picture: &'a Composed<'_>,
        area: &Rect,
        y: usize,
        turned: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let at = |x: usize, y: usize| {
            (area.y as usize + y) * picture.stride + (area.x as usize + x) * BYTES_PER_PIXEL
        };
        if self.transform == Transform::Normal {
            return picture.bytes.get(at(0, y)..at(0, y) + turned.len());
        }
        for (x, pixel) in turned.chunks_exact_mut(BYTES_PER_PIXEL).enumerate() {
            let (x, y) = upright(self.transform, (x, y), area.size())?;
            let from = at(x, y);
            pixel.copy_from_slice(picture.bytes.get(from..from + BYTES_PER_PIXEL)?);
        }
        Some(turned)
    }
}

/// The pixel of an upright picture of `size` that is at a place of the turned one.
fn upright(transform: Transform, (x, y): (usize, usize), size: Size) -> Option<(usize, usize)> {
    let (width, height) = (size.width as usize, size.height as usize);
    let from_right = |x: usize| width.checked_sub(x + 1);
    let from_bottom = |y: usize| height.checked_sub(y + 1);
    Some(match transform {
        Transform::Normal => (x, y),
        Transform::_90 => (from_right(y)?, x),
        Transform::_180 => (from_right(x)?, from_bottom(y)?),
        Transform::_270 => (y, from_bottom(x)?),
        Transform::Flipped => (from_right(x)?, y),
        Transform::Flipped90 => (y, x),
        Transform::Flipped180 => (x, from_bottom(y)?),
        Transform::Flipped270 => (from_right(y)?, from_bottom(x)?),
    })
}

/// Puts the global into the registry.
pub(super) fn offer(display: &DisplayHandle) {
    display.create_global::<State, ZwlrScreencopyManagerV1, Trusted>(3, Trusted);
}

impl GlobalDispatch<ZwlrScreencopyManagerV1, Trusted> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        resource: New<ZwlrScreencopyManagerV1>,
        _: &Trusted,
        data_init: &mut DataInit<'_, Self>,
    ) {
        data_init.init(resource, Arc::new(AtomicU64::new(u64::MAX)));
    }

    fn can_view(client: Client, _: &Trusted) -> bool {
        sandbox::is_trusted(&client)
    }
}

impl Dispatch<ZwlrScreencopyManagerV1, Arc<AtomicU64>> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &ZwlrScreencopyManagerV1,
        request: zwlr_screencopy_manager_v1::Request,
        seen: &Arc<AtomicU64>,
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        use zwlr_screencopy_manager_v1::Request;
        let (frame, overlay_cursor, region) = match request {
            Request::CaptureOutput {
                frame,
                overlay_cursor,
                ..
            } => (frame, overlay_cursor, None),
            Request::CaptureOutputRegion {
                frame,
                overlay_cursor,
                x,
                y,
                width,
                height,
                ..
            } => {
                let region = Rectangle::<i32, Logical>::new(
                    (x, y).into(),
                    (width.max(0), height.max(0)).into(),
                );
                (frame, overlay_cursor, Some(region))
            }
            _ => return,
        };
        let of = state.screen.size();
        let transform = state.output.current_transform();
        let area = match region {
            None => Some(of.rect()),
            Some(region) => state.to_pixels(region),
        };
        let frame = data_init.init(
            frame,
            Asked {
                area: area.unwrap_or_default(),
                of,
                transform,
                cursor: overlay_cursor != 0,
                used: AtomicBool::new(false),
                seen: Arc::clone(seen),
            },
        );
        let Some(area) = area else {
            return frame.failed();
        };
        let told = turned(area.size(), transform);
        frame.buffer(Format::Xrgb8888, told.width, told.height, told.width * 4);
        if frame.version() >= 3 {
            frame.buffer_done();
        }
    }
}

impl Dispatch<ZwlrScreencopyFrameV1, Asked> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        frame: &ZwlrScreencopyFrameV1,
        request: zwlr_screencopy_frame_v1::Request,
        asked: &Asked,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        use zwlr_screencopy_frame_v1::Request;
        let (buffer, with_damage) = match request {
            Request::Copy { buffer } => (buffer, false),
            Request::CopyWithDamage { buffer } => (buffer, true),
            _ => return,
        };
        if asked.used.swap(true, Ordering::Relaxed) {
            return frame.post_error(Error::AlreadyUsed, "a frame is copied once");
        }
        let fits = with_buffer_contents_mut(&buffer, |_, _, layout| {
            let same = |have: i32, want: u32| u32::try_from(have) == Ok(want);
            let told = turned(asked.area.size(), asked.transform);
            same(layout.width, told.width)
                && same(layout.height, told.height)
                && matches!(layout.format, Format::Xrgb8888 | Format::Argb8888)
        });
        if !matches!(fits, Ok(true)) {
            return frame.post_error(Error::InvalidBuffer, "the buffer is not as was asked for");
        }
        if state.captures.waiting.len() >= CAPTURES {
            return frame.failed();
        }
        let seen = asked.seen.load(Ordering::Relaxed);
        state.captures.waiting.push(Capture {
            frame: frame.clone(),
            buffer,
            area: asked.area,
            cursor: asked.cursor,
            // The first picture of a program does not wait for a change.
            seen: (with_damage && seen != u64::MAX).then_some(seen),
        });
        if state.captures.are_due() {
            state.clock.rush();
        }
    }

    fn destroyed(state: &mut Self, _: ClientId, frame: &ZwlrScreencopyFrameV1, _: &Asked) {
        let waiting = &mut state.captures.waiting;
        waiting.retain(|capture| capture.frame != *frame);
    }
}

/// The most pictures that are waited for; further ones fail.
const CAPTURES: usize = 64;
