//! pointer-constraints: a program locks the pointer in place or confines it.

use smithay::delegate_pointer_constraints;
use smithay::input::pointer::PointerHandle;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point};
use smithay::wayland::pointer_constraints::{
    PointerConstraint, PointerConstraintsHandler, with_pointer_constraint,
};
use vroom_desktop::DesktopEvent;

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
    /// Activates the constraint of a surface that has the pointer, if it holds for where it is.
    pub(crate) fn activate_constraint(&self, surface: &WlSurface) {
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
