//! A finished picture of ours, as something to compose.

use smithay::backend::allocator::Fourcc;
use smithay::backend::renderer::element::{Element, Id, Kind, RenderElement};
use smithay::backend::renderer::pixman::{PixmanError, PixmanFrame, PixmanRenderer, PixmanTexture};
use smithay::backend::renderer::utils::{CommitCounter, OpaqueRegions};
use smithay::backend::renderer::{Frame as _, ImportMem as _};
use smithay::utils::{Buffer, Physical, Point, Rectangle, Scale, Size, Transform};

/// A finished picture; it is composed pixel by pixel, whatever the scale of the output.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    id: Id,
    texture: PixmanTexture,
    size: Size<i32, Buffer>,
    opaque: bool,
}

/// A picture at its place on the output.
#[derive(Debug)]
pub(crate) struct Placed {
    picture: Picture,
    at: Point<i32, Physical>,
}

impl Picture {
    /// Takes pixels over: B, G, R, A with premultiplied alpha, rows from the top without gaps.
    pub(crate) fn new(
        renderer: &mut PixmanRenderer,
        bgra: &[u8],
        size: (u32, u32),
        opaque: bool,
    ) -> Option<Self> {
        let format = if opaque {
            Fourcc::Xrgb8888
        } else {
            Fourcc::Argb8888
        };
        let side = |length: u32| i32::try_from(length).ok();
        let size = Size::from((side(size.0)?, side(size.1)?));
        let texture = renderer.import_memory(bgra, format, size, false);
        match texture {
            Ok(texture) => Some(Self {
                id: Id::new(),
                texture,
                size,
                opaque,
            }),
            Err(error) => {
                tracing::warn!(%error, "a picture of ours could not be kept");
                None
            }
        }
    }

    /// Puts it somewhere.
    pub(crate) fn at(&self, at: Point<i32, Physical>) -> Placed {
        Placed {
            picture: self.clone(),
            at,
        }
    }
}

impl Element for Placed {
    fn id(&self) -> &Id {
        &self.picture.id
    }

    // Another picture has another id.
    fn current_commit(&self) -> CommitCounter {
        CommitCounter::default()
    }

    fn src(&self) -> Rectangle<f64, Buffer> {
        Rectangle::from_size(self.picture.size.to_f64())
    }

    fn geometry(&self, _: Scale<f64>) -> Rectangle<i32, Physical> {
        let Size { w, h, .. } = self.picture.size;
        Rectangle::new(self.at, (w, h).into())
    }

    fn opaque_regions(&self, scale: Scale<f64>) -> OpaqueRegions<i32, Physical> {
        if self.picture.opaque {
            let whole = Rectangle::from_size(self.geometry(scale).size);
            OpaqueRegions::from_slice(&[whole])
        } else {
            OpaqueRegions::default()
        }
    }

    fn kind(&self) -> Kind {
        Kind::Unspecified
    }
}

impl RenderElement<PixmanRenderer> for Placed {
    fn draw(
        &self,
        frame: &mut PixmanFrame<'_, '_>,
        src: Rectangle<f64, Buffer>,
        dst: Rectangle<i32, Physical>,
        damage: &[Rectangle<i32, Physical>],
        opaque: &[Rectangle<i32, Physical>],
    ) -> Result<(), PixmanError> {
        let texture = &self.picture.texture;
        frame.render_texture_from_to(texture, src, dst, damage, opaque, Transform::Normal, 1.0)
    }
}
