//! The pointer of whoever drives from afar, in the window.

use vroom_desktop::{CursorShape, Desktop as _};
use wayland_client::protocol::wl_subsurface::WlSubsurface;

use super::cursor::Sprite;
use super::window::View;

/// Where the pointer was put from afar, and what it is shown on; nowhere once it was moved at home.
#[derive(Default)]
pub(super) struct Afar {
    at: Option<(f64, f64)>,
    /// Whether the window does not show it as it is now.
    changed: bool,
    shown: Option<Shown>,
}

struct Shown {
    sprite: Sprite,
    place: WlSubsurface,
    /// What is drawn on the sprite, pixels of it to a logical unit, and where it points.
    drawn: Option<(CursorShape, f64, (i32, i32))>,
}

impl Afar {
    /// The pointer was moved from afar, or, for `None`, at home.
    pub(super) fn move_to(&mut self, at: Option<(f64, f64)>) {
        self.changed |= self.at != at;
        self.at = at;
    }

    /// The window, the picture or the pointer's shape changed.
    pub(super) const fn redraw(&mut self) {
        self.changed |= self.at.is_some();
    }
}

impl View {
    /// Puts the pointer where it is now; tells whether anything changed.
    pub(super) fn put_afar(&mut self) -> bool {
        if !std::mem::take(&mut self.afar.changed) {
            return false;
        }
        let look = self.cursor.look(self.scale.get(), self.pixels_per_unit());
        let (Some(at), Some(fit), Some((image, scale))) = (self.afar.at, self.fit(), look) else {
            return self.hide_afar();
        };
        let (surfaces, handle) = (&self.surfaces, &self.handle);
        let shown = self.afar.shown.get_or_insert_with(|| {
            let sprite = Sprite::new(surfaces, handle);
            let place = surfaces.above(&sprite.surface, handle);
            Shown {
                sprite,
                place,
                drawn: None,
            }
        });
        let shape = &self.cursor.shape;
        let drawn = shown.drawn.as_ref();
        let hotspot = match drawn.filter(|(have, at, _)| have == shape && *at == scale) {
            Some((.., hotspot)) => *hotspot,
            None => match shown.sprite.draw(&image, scale, surfaces, handle) {
                Ok(hotspot) => hotspot,
                Err(error) => {
                    tracing::warn!(%error, "a pointer could not be shown");
                    return false;
                }
            },
        };
        shown.drawn = Some((shape.clone(), scale, hotspot));
        let (x, y) = fit.to_window(at.0, at.1, self.shared.inner.size());
        shown.place.set_position(x - hotspot.0, y - hotspot.1);
        true
    }

    fn hide_afar(&mut self) -> bool {
        let Some(shown) = &mut self.afar.shown else {
            return false;
        };
        if shown.drawn.take().is_none() {
            return false;
        }
        shown.sprite.surface.attach(None, 0, 0);
        shown.sprite.surface.commit();
        true
    }
}
