//! pointer-constraints: a program locks the pointer in place or confines it.

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::delegate_pointer_constraints;
use smithay::input::pointer::PointerHandle;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point, Rectangle, Size};
use smithay::wayland::compositor::RectangleKind;
use smithay::wayland::pointer_constraints::{
    PointerConstraint, PointerConstraintsHandler, with_pointer_constraint,
};
use vroom_desktop::DesktopEvent;

use crate::shell::root_of;
use crate::state::State;

impl PointerConstraintsHandler for State {
    fn new_constraint(&mut self, surface: &WlSurface, pointer: &PointerHandle<Self>) {
        if pointer.current_focus().as_ref() == Some(surface) {
            self.activate_constraint(surface);
        }
    }

    fn cursor_position_hint(
        &mut self,
        surface: &WlSurface,
        pointer: &PointerHandle<Self>,
        location: Point<f64, Logical>,
    ) {
        let active = with_pointer_constraint(surface, pointer, |constraint| {
            constraint.is_some_and(|constraint| constraint.is_active())
        });
        if active && let Some(origin) = self.surface_origin(surface) {
            pointer.set_location(self.inside_output(origin + location));
        }
    }
}

/// What a constraint allows a pointer to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Freedom {
    /// It may go anywhere.
    Free,
    /// It stays where it is.
    Locked,
    /// It stays on the surface.
    Confined,
}

impl State {
    /// Lets constraints hold for the window that has the keyboard only: a person who goes to another
    /// window has the pointer back.
    pub(crate) fn follow_constraints(&self) {
        let Some(surface) = self.pointer.current_focus() else {
            return;
        };
        if self.has_keyboard(&surface) {
            return self.activate_constraint(&surface);
        }
        with_pointer_constraint(&surface, &self.pointer, |constraint| {
            if let Some(constraint) = constraint.filter(|constraint| constraint.is_active()) {
                constraint.deactivate();
            }
        });
    }

    /// Whether the window that a surface is part of has the keyboard.
    fn has_keyboard(&self, surface: &WlSurface) -> bool {
        let focus = self.keyboard.current_focus();
        focus.is_some_and(|focus| root_of(&focus) == root_of(surface))
    }

    /// Activates the constraint of a surface that has the pointer and the keyboard, if it holds for
    /// where the pointer is.
    pub(crate) fn activate_constraint(&self, surface: &WlSurface) {
        if !self.has_keyboard(surface) {
            return;
        }
        let at = self.pointer.current_location();
        let origin = self.surface_origin(surface);
        with_pointer_constraint(surface, &self.pointer, |constraint| {
            let Some(constraint) = constraint.filter(|constraint| !constraint.is_active()) else {
                return;
            };
            let inside = match (constraint.region(), origin) {
                (Some(region), Some(origin)) => region.contains((at - origin).to_i32_round()),
                _ => true,
            };
            if inside {
                constraint.activate();
            }
        });
    }

    /// What the pointer may do where it is.
    pub(crate) fn pointer_freedom(&self, surface: &WlSurface) -> Freedom {
        with_pointer_constraint(surface, &self.pointer, |constraint| {
            match constraint
                .filter(|constraint| constraint.is_active())
                .as_deref()
            {
                None => Freedom::Free,
                Some(PointerConstraint::Locked(_)) => Freedom::Locked,
                Some(PointerConstraint::Confined(_)) => Freedom::Confined,
            }
        })
    }

    /// Whether a program holds the pointer in place.
    pub(crate) fn is_pointer_locked(&self) -> bool {
        let focus = self.pointer.current_focus();
        focus.is_some_and(|surface| {
            surface.alive() && self.pointer_freedom(&surface) == Freedom::Locked
        })
    }

    /// Tells whoever moves the pointer that a program has come to hold it in place, or has let go.
    ///
    /// Nobody says when a lock ends with its object, so this looks.
    pub(crate) fn follow_lock(&mut self) {
        let locked = self.is_pointer_locked();
        if std::mem::replace(&mut self.input.told_locked, locked) != locked {
            self.tell(DesktopEvent::PointerLocked(locked));
        }
    }

    /// The point of its surface nearest to `at` that a confined pointer may go to.
    pub(crate) fn confined(
        &self,
        surface: &WlSurface,
        at: Point<f64, Logical>,
    ) -> Option<Point<f64, Logical>> {
        let size = with_renderer_surface_state(surface, |state| state.surface_size());
        let whole = Rectangle::from_size(size.flatten()?);
        let added = with_pointer_constraint(surface, &self.pointer, |constraint| {
            let rects = &constraint.as_ref()?.region()?.rects;
            let added = rects
                .iter()
                .filter(|(kind, _)| matches!(kind, RectangleKind::Add));
            Some(added.map(|(_, rect)| *rect).collect::<Vec<_>>())
        });
        let parts = added.unwrap_or_else(|| vec![whole]);
        let parts = parts.iter().filter_map(|part| part.intersection(whole));
        let parts = parts.filter(|part| !part.is_empty());
        let nearest = parts.map(|part| {
            let last = part.loc + part.size - Size::from((1, 1));
            let clamp = |at: f64, first: i32, last: i32| at.clamp(first.into(), last.into());
            let (x, y) = (
                clamp(at.x, part.loc.x, last.x),
                clamp(at.y, part.loc.y, last.y),
            );
            Point::from((x, y))
        });
        let far = |to: &Point<f64, Logical>| (to.x - at.x).hypot(to.y - at.y);
        nearest
            .min_by(|one, other| far(one).total_cmp(&far(other)))
            .filter(|to| self.confinement_allows(surface, *to))
    }

    /// Whether a confined pointer may go to this point of its surface.
    pub(crate) fn confinement_allows(&self, surface: &WlSurface, at: Point<f64, Logical>) -> bool {
        with_pointer_constraint(surface, &self.pointer, |constraint| {
            constraint.is_none_or(|constraint| {
                let region = constraint.region();
                region.is_none_or(|region| region.contains(at.to_i32_round()))
            })
        })
    }
}

delegate_pointer_constraints!(State);
