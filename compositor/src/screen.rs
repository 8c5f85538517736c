//! Draws the windows into memory and publishes what changed.

use std::sync::Arc;
use std::time::Instant;

use smithay::backend::allocator::Fourcc;
use smithay::backend::renderer::damage::OutputDamageTracker;
use smithay::backend::renderer::element::RenderElement;
use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::backend::renderer::{Bind, Color32F, Offscreen};
use smithay::output::Output;
use smithay::reexports::pixman::Image;
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::utils::{Physical, Rectangle, Transform};
use vroom_desktop::{BYTES_PER_PIXEL, Damage, FramePool, FrameSlot, Rect, Size};

use crate::Error;
use crate::handlers::Composed;

/// The picture of the output: one buffer that lives on from frame to frame.
///
/// Its memory exists only while somebody watches.
pub(crate) struct Screen {
    renderer: PixmanRenderer,
    tracker: OutputDamageTracker,
    target: Option<Image<'static, 'static>>,
    size: Size,
    /// Pixels per logical unit.
    scale: f64,
    pool: FramePool,
    frames: Arc<FrameSlot>,
    /// Damage that was drawn and that no published frame has shown yet.
    owed: Damage,
    /// Whether the next frame is published whole, changed or not.
    whole: bool,
    /// Frame callbacks of what the last tick showed.
    callbacks: Vec<WlCallback>,
}

impl Screen {
    /// Makes a screen without memory.
    pub(crate) fn new(frames: Arc<FrameSlot>) -> Result<Self, Error> {
        let renderer = PixmanRenderer::new().map_err(|error| Error::Renderer {
            reason: error.to_string(),
        })?;
        Ok(Self {
            renderer,
            tracker: upright(Size::default(), 1.0),
            target: None,
            size: Size::default(),
            scale: 1.0,
            pool: FramePool::new(Size::default()),
            frames,
            owed: Damage::none(),
            whole: false,
            callbacks: Vec::new(),
        })
    }

    /// The size in pixels.
    pub(crate) const fn size(&self) -> Size {
        self.size
    }

    /// The renderer, to make elements with.
    pub(crate) const fn renderer(&mut self) -> &mut PixmanRenderer {
        &mut self.renderer
    }

    /// Starts over at another size.
    pub(crate) fn resize(&mut self, size: Size, output: &Output) {
        self.size = size;
        self.scale = output.current_scale().fractional_scale();
        self.target = None;
        self.tracker = upright(size, self.scale);
        self.pool.resize(size);
        self.owed.clear();
        self.whole = true;
    }

    /// Publishes the next frame whole.
    pub(crate) fn want_whole(&mut self) {
        self.pool.release();
        self.whole = true;
    }

    /// Gives all memory of pictures back.
    pub(crate) fn release(&mut self) {
        self.target = None;
        self.pool.release();
        self.owed.clear();
        drop(self.frames.take());
    }

    /// Draws what changed and publishes it; tells whether anything was drawn.
    ///
    /// The frame says when the first change in it was made.
    pub(crate) fn draw<E>(&mut self, elements: &[E], changed_at: Instant) -> bool
    where
        E: RenderElement<PixmanRenderer>,
    {
        let age = usize::from(self.target.is_some());
        let mut target = match self.target.take().map_or_else(|| self.new_target(), Ok) {
            Ok(target) => target,
            Err(error) => {
                tracing::error!(%error, "cannot make a picture of {}", self.size);
                return false;
            }
        };
        let Self {
            renderer, tracker, ..
        } = self;
        let Some(drawn) = compose(renderer, tracker, &mut target, age, elements) else {
            return false;
        };
        self.owed.merge(&drawn.clipped(self.size));
        if self.whole || !self.owed.is_empty() {
            self.publish(&target, changed_at);
        }
        self.target = Some(target);
        !drawn.is_empty()
    }

    /// Draws all of it once, beside the picture that viewers see.
    pub(crate) fn snapshot<E>(&mut self, elements: &[E]) -> Option<Snapshot>
    where
        E: RenderElement<PixmanRenderer>,
    {
        let mut target = self.new_target().ok()?;
        let mut tracker = upright(self.size, self.scale);
        compose(&mut self.renderer, &mut tracker, &mut target, 0, elements)?;
        Some(Snapshot {
            target,
            size: self.size,
        })
    }

    fn publish(&mut self, target: &Image<'static, 'static>, changed_at: Instant) {
        if let Some(mut frame) = self.pool.frame(bytes(target), target.stride(), &self.owed) {
            self.owed.clear();
            self.whole = false;
            frame.captured_at = changed_at;
            self.frames.publish(frame);
        }
    }

    fn new_target(&mut self) -> Result<Image<'static, 'static>, String> {
        let (Ok(width), Ok(height)) = (self.size.width.try_into(), self.size.height.try_into())
        else {
            return Err("the size is too large".into());
        };
        let size = smithay::utils::Size::from((width, height));
        self.renderer
            .create_buffer(Fourcc::Xrgb8888, size)
            .map_err(|error| error.to_string())
    }

    /// Keeps frame callbacks until they are due.
    pub(crate) fn keep_callbacks(&mut self, callbacks: Vec<WlCallback>) {
        if self.callbacks.is_empty() {
            self.callbacks = callbacks;
        } else {
            self.callbacks.extend(callbacks);
        }
    }

    /// Takes the frame callbacks that wait.
    pub(crate) fn take_callbacks(&mut self) -> Vec<WlCallback> {
        std::mem::take(&mut self.callbacks)
    }
}

/// A picture of its own.
pub(crate) struct Snapshot {
    target: Image<'static, 'static>,
    size: Size,
}

impl Snapshot {
    /// Its pixels.
    pub(crate) fn composed(&self) -> Composed<'_> {
        Composed {
            bytes: bytes(&self.target),
            stride: self.target.stride(),
            size: self.size,
        }
    }
}

/// Composes pictures as viewers see them, however the output is turned.
fn upright(size: Size, scale: f64) -> OutputDamageTracker {
    let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    let size = (side(size.width), side(size.height));
    OutputDamageTracker::new(size, scale, Transform::Normal)
}

/// Draws elements; `None` when they could not be.
fn compose<E>(
    renderer: &mut PixmanRenderer,
    tracker: &mut OutputDamageTracker,
    target: &mut Image<'static, 'static>,
    age: usize,
    elements: &[E],
) -> Option<Damage>
where
    E: RenderElement<PixmanRenderer>,
{
    let drawn = renderer.bind(target).map(|mut framebuffer| {
        tracker
            .render_output(renderer, &mut framebuffer, age, elements, BACKGROUND)
            .map(|result| result.damage.map(|rects| to_damage(rects)))
    });
    match drawn {
        Ok(Ok(drawn)) => Some(drawn.unwrap_or_default()),
        Ok(Err(error)) => {
            // A program pulled its memory away. It loses its connection for that, and the next
            // tick draws everything anew.
            tracing::debug!(%error, "a picture could not be drawn");
            None
        }
        Err(error) => {
            tracing::error!(%error, "the picture cannot be drawn into");
            None
        }
    }
}

/// The pixels of an image of ours.
fn bytes<'a>(target: &'a Image<'static, 'static>) -> &'a [u8] {
    let length = target.stride() * target.height();
    // SAFETY: the image is alive.
    let pixels = unsafe { target.data() };
    // SAFETY: the image owns `stride * height` initialised bytes, `target` is borrowed for as long
    // as they are read, and nothing draws meanwhile.
    unsafe { std::slice::from_raw_parts(pixels.cast::<u8>(), length) }
}

fn to_damage(rects: &[Rectangle<i32, Physical>]) -> Damage {
    rects
        .iter()
        .map(|rect| {
            let side = |value: i32| u32::try_from(value).unwrap_or(0);
            let right = side(rect.loc.x.saturating_add(rect.size.w));
            let bottom = side(rect.loc.y.saturating_add(rect.size.h));
            let (x, y) = (side(rect.loc.x), side(rect.loc.y));
            Rect::new(x, y, right.saturating_sub(x), bottom.saturating_sub(y))
        })
        .collect()
}

/// What is seen where no window is.
const BACKGROUND: Color32F = Color32F::new(0.09, 0.10, 0.12, 1.0);

const _: () = assert!(BYTES_PER_PIXEL == 4, "Xrgb8888 has four bytes");
