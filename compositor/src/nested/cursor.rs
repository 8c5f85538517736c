//! The pointer over the window: the host shows it as the session's programs want it.

use std::io;
use std::sync::Arc;

use vroom_desktop::{CursorImage, CursorShape};
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Proxy as _, QueueHandle, delegate_noop};
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_device_v1::{
    Shape, WpCursorShapeDeviceV1,
};
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_manager_v1::WpCursorShapeManagerV1;
use wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use xcursor::CursorTheme;

use super::buffers;
use super::surfaces::Surfaces;
use super::window::View;
use crate::cursor::{load_theme, themed};

/// What the pointer looks like, and what it is shown with.
pub(super) struct HostCursor {
    pub(super) shape: CursorShape,
    /// Whether the picture has the pointer in it, so that the host must not show another.
    pub(super) drawn: bool,
    /// Hosts that have it know shapes by name.
    shapes: Option<WpCursorShapeManagerV1>,
    theme: Option<CursorTheme>,
    sprite: Option<Sprite>,
}

/// A surface with the picture of a pointer.
pub(super) struct Sprite {
    pub(super) surface: WlSurface,
    viewport: WpViewport,
    buffer: Option<WlBuffer>,
}

impl HostCursor {
    pub(super) fn new(shapes: Option<WpCursorShapeManagerV1>) -> Self {
        Self {
            shape: CursorShape::Named("default".into()),
            drawn: false,
            shapes,
            theme: None,
            sprite: None,
        }
    }

    /// The pointer as a picture, and its pixels in a logical unit of the window; `None` where there is
    /// none to be shown.
    pub(super) fn look(&mut self, host: f64, desktop: f64) -> Option<(Arc<CursorImage>, f64)> {
        match &self.shape {
            _ if self.drawn => None,
            CursorShape::Hidden => None,
            CursorShape::Named(name) => {
                let theme = self.theme.get_or_insert_with(load_theme);
                Some((Arc::new(themed(theme, name, host)?), host))
            }
            CursorShape::Image(image) => Some((Arc::clone(image), desktop)),
        }
    }
}

impl View {
    /// Shows the pointer as it is to be now, while it is over the window.
    pub(super) fn show_cursor(&mut self) {
        self.afar.redraw();
        let Some((pointer, serial)) = self.devices.pointer_over() else {
            return;
        };
        let (cursor, handle) = (&self.cursor, &self.handle);
        if let (false, CursorShape::Named(name), Some(shapes)) =
            (cursor.drawn, &cursor.shape, &cursor.shapes)
        {
            let device = shapes.get_pointer(&pointer, handle, ());
            device.set_shape(serial, shape_named(name, shapes.version()));
            device.destroy();
            return;
        }
        let scales = (self.scale.get(), self.pixels_per_unit());
        let Self {
            cursor,
            surfaces,
            handle,
            ..
        } = self;
        let Some((image, scale)) = cursor.look(scales.0, scales.1) else {
            return pointer.set_cursor(serial, None, 0, 0);
        };
        let sprite = &mut cursor.sprite;
        let sprite = sprite.get_or_insert_with(|| Sprite::new(surfaces, handle));
        match sprite.draw(&image, scale, surfaces, handle) {
            Ok((x, y)) => pointer.set_cursor(serial, Some(&sprite.surface), x, y),
            Err(error) => tracing::warn!(%error, "a pointer could not be shown"),
        }
    }
}

impl Sprite {
    pub(super) fn new(surfaces: &Surfaces, handle: &QueueHandle<View>) -> Self {
        let surface = surfaces.compositor.create_surface(handle, ());
        Self {
            viewport: surfaces.viewporter.get_viewport(&surface, handle, ()),
            surface,
            buffer: None,
        }
    }

    /// Shows a picture, so many of its pixels to a logical unit; tells where it points.
    pub(super) fn draw(
        &mut self,
        image: &CursorImage,
        scale: f64,
        surfaces: &Surfaces,
        handle: &QueueHandle<View>,
    ) -> io::Result<(i32, i32)> {
        let buffer = buffers::still(image, &surfaces.shm, handle)?;
        let units = |pixels: u32| units(pixels, scale);
        self.surface.attach(Some(&buffer), 0, 0);
        self.surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        let (width, height) = (units(image.width).max(1), units(image.height).max(1));
        self.viewport.set_destination(width, height);
        self.surface.commit();
        if let Some(before) = self.buffer.replace(buffer) {
            before.destroy();
        }
        Ok((units(image.hotspot_x), units(image.hotspot_y)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "pictures of pointers are a few hundred pixels"
)]
fn units(pixels: u32, scale: f64) -> i32 {
    (f64::from(pixels) / scale).round() as i32
}

/// What the host calls a shape that CSS has a name for.
fn shape_named(name: &str, version: u32) -> Shape {
    match name {
        "context-menu" => Shape::ContextMenu,
        "help" => Shape::Help,
        "pointer" => Shape::Pointer,
        "progress" => Shape::Progress,
        "wait" => Shape::Wait,
        "cell" => Shape::Cell,
        "crosshair" => Shape::Crosshair,
        "text" => Shape::Text,
        "vertical-text" => Shape::VerticalText,
        "alias" => Shape::Alias,
        "copy" => Shape::Copy,
        "move" => Shape::Move,
        "no-drop" => Shape::NoDrop,
        "not-allowed" => Shape::NotAllowed,
        "grab" => Shape::Grab,
        "grabbing" => Shape::Grabbing,
        "e-resize" => Shape::EResize,
        "n-resize" => Shape::NResize,
        "ne-resize" => Shape::NeResize,
        "nw-resize" => Shape::NwResize,
        "s-resize" => Shape::SResize,
        "se-resize" => Shape::SeResize,
        "sw-resize" => Shape::SwResize,
        "w-resize" => Shape::WResize,
        "ew-resize" => Shape::EwResize,
        "ns-resize" => Shape::NsResize,
        "nesw-resize" => Shape::NeswResize,
        "nwse-resize" => Shape::NwseResize,
        "col-resize" => Shape::ColResize,
        "row-resize" => Shape::RowResize,
        "all-scroll" => Shape::AllScroll,
        "zoom-in" => Shape::ZoomIn,
        "zoom-out" => Shape::ZoomOut,
        "dnd-ask" if version >= 2 => Shape::DndAsk,
        "all-resize" if version >= 2 => Shape::AllResize,
        _ => Shape::Default,
    }
}

delegate_noop!(View: ignore WpCursorShapeManagerV1);
delegate_noop!(View: ignore WpCursorShapeDeviceV1);
