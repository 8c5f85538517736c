//! What the pointer looks like, told to viewers and never drawn.

use std::sync::{Arc, Mutex};

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::input::pointer::{CursorImageAttributes, CursorImageStatus};
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_shm::Format;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::IsAlive as _;
use smithay::wayland::compositor::with_states;
use smithay::wayland::shm::with_buffer_contents;
use vroom_desktop::{BYTES_PER_PIXEL, Cursor, CursorImage, CursorShape, DesktopEvent};

use crate::state::State;

/// The pointer's shape as the focused program wants it.
#[derive(Default)]
pub(crate) struct CursorTracker {
    surface: Option<WlSurface>,
    told: Cursor,
}

impl CursorTracker {
    /// The surface that a program draws its pointer on.
    pub(crate) fn surface(&self) -> Option<&WlSurface> {
        self.surface.as_ref().filter(|surface| surface.alive())
    }
}

impl State {
    /// Takes another shape.
    pub(crate) fn set_cursor(&mut self, image: CursorImageStatus) {
        self.cursor.surface = None;
        match image {
            CursorImageStatus::Hidden => self.tell_cursor(CursorShape::Hidden),
            CursorImageStatus::Named(icon) => {
                self.tell_cursor(CursorShape::Named(icon.name().into()));
            }
            CursorImageStatus::Surface(surface) => {
                self.cursor.surface = Some(surface.clone());
                self.cursor_committed(&surface);
            }
        }
    }

    /// Reads the picture when the pointer's surface committed one.
    pub(crate) fn cursor_committed(&mut self, surface: &WlSurface) {
        if self.cursor.surface.as_ref() != Some(surface) {
            return;
        }
        let shape = read(surface).map_or(CursorShape::Hidden, |image| {
            CursorShape::Image(Arc::new(image))
        });
        self.tell_cursor(shape);
    }

    fn tell_cursor(&mut self, shape: CursorShape) {
        let cursor = Cursor { shape };
        if cursor != self.cursor.told {
            self.cursor.told = cursor.clone();
            self.tell(DesktopEvent::Cursor(cursor));
        }
    }
}

/// The picture on a surface; `None` when there is none that we can show.
fn read(surface: &WlSurface) -> Option<CursorImage> {
    let (buffer, scale) = with_renderer_surface_state(surface, |state| {
        let buffer: Option<WlBuffer> = state.buffer().map(|buffer| (**buffer).clone());
        buffer.map(|buffer| (buffer, state.buffer_scale()))
    })
    .flatten()?;
    let hotspot = with_states(surface, |states| {
        let attributes = states.data_map.get::<Mutex<CursorImageAttributes>>()?;
        Some(attributes.lock().ok()?.hotspot)
    })?;
    let (width, height, bgra) = with_buffer_contents(&buffer, |data, length, layout| {
        let rows = Rows::check(
            layout.offset,
            layout.width,
            layout.height,
            layout.stride,
            length,
        )?;
        // SAFETY: `check` saw that every row lies within the `length` bytes at `data`, which stay
        // mapped during this call.
        let bgra = unsafe { rows.copy(data) };
        let opaque = layout.format == Format::Xrgb8888;
        let known = opaque || layout.format == Format::Argb8888;
        known.then(|| (rows.width, rows.height, with_alpha(bgra, opaque)))
    })
    .ok()??;
    let place = |at: i32, side: u32| {
        let at = u32::try_from(at.saturating_mul(scale)).unwrap_or(0);
        at.min(side.saturating_sub(1))
    };
    Some(CursorImage {
        hotspot_x: place(hotspot.x, width),
        hotspot_y: place(hotspot.y, height),
        width,
        height,
        bgra,
    })
}

/// Rows of pixels that lie within a buffer.
#[derive(Debug)]
struct Rows {
    offset: usize,
    stride: usize,
    width: u32,
    height: u32,
}

impl Rows {
    /// Checks a layout against the memory it is in and the size that a pointer may have.
    fn check(offset: i32, width: i32, height: i32, stride: i32, length: usize) -> Option<Self> {
        let offset = usize::try_from(offset).ok()?;
        let stride = usize::try_from(stride).ok()?;
        let width = u32::try_from(width).ok()?;
        let height = u32::try_from(height).ok()?;
        let sides = 1..=CURSOR_SIDE_MAX_PX;
        let row = width as usize * BYTES_PER_PIXEL;
        let end = stride
            .checked_mul(height.checked_sub(1)? as usize)?
            .checked_add(offset)?
            .checked_add(row)?;
        let fits = sides.contains(&width) && sides.contains(&height) && row <= stride;
        (fits && end <= length).then_some(Self {
            offset,
            stride,
            width,
            height,
        })
    }

    /// Copies the rows without gaps.
    ///
    /// # Safety
    ///
    /// `data` must point to as many readable bytes as `check` was told.
    unsafe fn copy(&self, data: *const u8) -> Vec<u8> {
        let row = self.width as usize * BYTES_PER_PIXEL;
        let mut pixels = Vec::with_capacity(row * self.height as usize);
        for y in 0..self.height as usize {
            let start = self.offset + y * self.stride;
            for at in start..start + row {
                // SAFETY: `at` lies within the bytes that the caller vouches for.
                let byte = unsafe { data.add(at) };
                // SAFETY: as above; the read is volatile because the program may write meanwhile.
                pixels.push(unsafe { byte.read_volatile() });
            }
        }
        pixels
    }
}

fn with_alpha(mut bgra: Vec<u8>, opaque: bool) -> Vec<u8> {
    if opaque {
        for pixel in bgra.chunks_exact_mut(BYTES_PER_PIXEL) {
            if let Some(alpha) = pixel.last_mut() {
                *alpha = u8::MAX;
            }
        }
    }
    bgra
}

/// The largest side of a pointer's picture; a larger one is not shown.
const CURSOR_SIDE_MAX_PX: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_outside_the_memory_are_refused() {
        assert!(Rows::check(0, 4, 4, 16, 64).is_some());
        assert!(Rows::check(1, 4, 4, 16, 64).is_none());
        assert!(Rows::check(0, 4, 4, 8, 64).is_none(), "rows overlap");
        assert!(Rows::check(0, 257, 1, 2000, 5000).is_none(), "too wide");
        assert!(Rows::check(0, 0, 0, 0, 64).is_none());
        assert!(Rows::check(i32::MAX, 4, i32::MAX, i32::MAX, 64).is_none());
        assert!(Rows::check(-1, 4, 4, 16, 64).is_none());
    }
}
