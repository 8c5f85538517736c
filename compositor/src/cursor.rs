//! What the pointer looks like: told to viewers, and drawn where one of them cannot draw it.

use std::sync::{Arc, Mutex};

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::input::pointer::{CursorImageAttributes, CursorImageStatus};
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_shm::Format;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Physical, Point};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shm::with_buffer_contents;
use vroom_desktop::{BYTES_PER_PIXEL, Cursor, CursorImage, CursorShape, DesktopEvent};
use xcursor::CursorTheme;

use crate::paint::{Canvas, Ink, Picture};
use crate::shell::Element;
use crate::state::State;

/// The pointer's shape as the focused program wants it.
#[derive(Default)]
pub(crate) struct CursorTracker {
    surface: Option<WlSurface>,
    told: Cursor,
    /// Whether it is part of the picture.
    drawn: bool,
    /// How the present shape is drawn.
    sprite: Option<Sprite>,
    theme: Option<CursorTheme>,
    /// What a program drags, beside the pointer.
    pub(crate) drag_icon: Option<WlSurface>,
}

/// A shape that was made ready to draw.
struct Sprite {
    shape: CursorShape,
    scale: f64,
    picture: Option<Picture>,
    hotspot: (i32, i32),
}

impl CursorTracker {
    /// The surface that a program draws its pointer on.
    pub(crate) fn surface(&self) -> Option<&WlSurface> {
        self.surface.as_ref().filter(|surface| surface.alive())
    }

    /// Lets go of a surface that ended, and of what it is drawn on with it.
    pub(crate) fn forget(&mut self, gone: &WlSurface) {
        self.surface.take_if(|surface| surface == gone);
        self.drag_icon.take_if(|icon| icon == gone);
    }

    /// Whether the pointer is part of the picture.
    pub(crate) const fn is_drawn(&self) -> bool {
        self.drawn
    }
}

impl State {
    /// Draws the pointer into the picture, or leaves it to viewers.
    pub(crate) fn draw_cursor(&mut self, drawn: bool) {
        if self.cursor.drawn != drawn {
            self.cursor.drawn = drawn;
            self.cursor.sprite = None;
            self.clock.want();
        }
    }

    /// The pointer as something to compose; nothing before it was ever moved.
    pub(crate) fn pointer_element(&mut self) -> Option<Element> {
        if !self.input.pointer_is_known {
            return None;
        }
        let scale = self.scale();
        let Self { cursor, screen, .. } = self;
        let shape = &cursor.told.shape;
        let ready = cursor.sprite.as_ref().is_some_and(|sprite| {
            sprite.shape == *shape && (sprite.scale - scale).abs() < f64::EPSILON
        });
        if !ready {
            let image = match shape {
                CursorShape::Hidden => None,
                CursorShape::Image(image) => Some((**image).clone()),
                CursorShape::Named(name) => {
                    let theme = cursor.theme.get_or_insert_with(load_theme);
                    themed(theme, name, scale)
                }
            };
            let place = |at: u32| i32::try_from(at).unwrap_or(0);
            cursor.sprite = Some(Sprite {
                shape: shape.clone(),
                scale,
                hotspot: image.as_ref().map_or((0, 0), |image| {
                    (place(image.hotspot_x), place(image.hotspot_y))
                }),
                picture: image.and_then(|image| {
                    let size = (image.width, image.height);
                    Picture::new(screen.renderer(), &image.bgra, size, false)
                }),
            });
        }
        let sprite = self.cursor.sprite.as_ref()?;
        let at: Point<i32, Physical> = self
            .pointer
            .current_location()
            .to_physical(scale)
            .to_i32_round();
        let picture = sprite.picture.as_ref()?;
        Some(picture.at(at - Point::from(sprite.hotspot)).into())
    }

    /// What a program drags, and where it is.
    pub(crate) fn drag_icon(&self) -> Option<(WlSurface, Point<i32, Logical>)> {
        let icon = self.cursor.drag_icon.as_ref().filter(|icon| icon.alive())?;
        let at = self.pointer.current_location().to_i32_round();
        Some((icon.clone(), at))
    }

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
            if self.cursor.drawn {
                self.clock.want();
            }
            self.tell(DesktopEvent::Cursor(cursor));
        }
    }
}

/// The theme that the environment names, or the one that is installed as the default.
pub(crate) fn load_theme() -> CursorTheme {
    let name = std::env::var("XCURSOR_THEME").ok();
    CursorTheme::load(name.as_deref().unwrap_or("default"))
}

/// A shape as the theme draws it, or a plain arrow where there is no theme.
pub(crate) fn themed(theme: &CursorTheme, name: &str, scale: f64) -> Option<CursorImage> {
    let size = f64::from(CURSOR_SIZE) * scale;
    let names = std::iter::once(name)
        .chain(old_names(name).iter().copied())
        .chain(["default", "left_ptr"]);
    let adwaita = CursorTheme::load("Adwaita");
    for name in names {
        let path = theme.load_icon(name).or_else(|| adwaita.load_icon(name));
        let images = path
            .and_then(|path| std::fs::read(path).ok())
            .and_then(|bytes| xcursor::parser::parse_xcursor(&bytes));
        let nearest = images.into_iter().flatten().min_by_key(|image| {
            let difference = (f64::from(image.size) - size).abs();
            // Whole pixels are as near as it needs to be.
            whole(difference)
        });
        if let Some(image) = nearest
            && (1..=CURSOR_SIDE_MAX_PX).contains(&image.width)
            && (1..=CURSOR_SIDE_MAX_PX).contains(&image.height)
        {
            let mut bgra = image.pixels_rgba;
            for pixel in bgra.chunks_exact_mut(BYTES_PER_PIXEL) {
                pixel.swap(0, 2);
            }
            return Some(CursorImage {
                width: image.width,
                height: image.height,
                hotspot_x: image.xhot,
                hotspot_y: image.yhot,
                bgra,
            });
        }
    }
    arrow(scale)
}

/// What themes called a shape before CSS named it.
fn old_names(name: &str) -> &'static [&'static str] {
    match name {
        "text" => &["xterm", "ibeam"],
        "pointer" => &["hand2", "hand1"],
        "move" | "all-scroll" => &["fleur", "size_all"],
        "ew-resize" | "col-resize" | "e-resize" | "w-resize" => &["sb_h_double_arrow", "size_hor"],
        "ns-resize" | "row-resize" | "n-resize" | "s-resize" => &["sb_v_double_arrow", "size_ver"],
        "nwse-resize" | "nw-resize" | "se-resize" => &["size_fdiag", "bottom_right_corner"],
        "nesw-resize" | "ne-resize" | "sw-resize" => &["size_bdiag", "bottom_left_corner"],
        "wait" => &["watch"],
        "progress" => &["left_ptr_watch"],
        "crosshair" => &["cross"],
        "not-allowed" => &["crossed_circle", "forbidden"],
        "help" => &["question_arrow"],
        "grab" => &["openhand"],
        "grabbing" => &["closedhand"],
        _ => &[],
    }
}

/// A plain arrow.
fn arrow(scale: f64) -> Option<CursorImage> {
    let mut canvas = Canvas::new(16.0, 24.0, scale)?;
    let points = [
        (1.0, 1.0),
        (1.0, 18.0),
        (5.2, 14.2),
        (8.0, 20.6),
        (10.8, 19.4),
        (8.0, 13.2),
        (13.4, 13.0),
    ];
    canvas.polygon(&points, Ink(15, 17, 22, 1.0));
    let closed: Vec<_> = points.into_iter().chain(points.first().copied()).collect();
    canvas.line(&closed, 1.3, Ink(255, 255, 255, 1.0));
    Some(CursorImage {
        width: canvas.width_px(),
        height: canvas.height_px(),
        hotspot_x: 1,
        hotspot_y: 1,
        bgra: canvas.bgra(),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of cursors are small and not negative"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
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

/// The size of a themed pointer in logical pixels.
const CURSOR_SIZE: u32 = 24;

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
