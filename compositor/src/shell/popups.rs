//! Menus and tooltips.

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::desktop::{
    PopupKeyboardGrab, PopupKind, PopupManager, PopupPointerGrab, PopupUngrabStrategy,
};
use smithay::input::pointer::Focus;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_wm_base;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point, Rectangle, Serial};
use smithay::wayland::compositor::{get_role, with_states};
use smithay::wayland::shell::xdg::{
    PopupSurface, PositionerState, XDG_POPUP_ROLE, XdgPopupSurfaceData,
};

use crate::state::State;

impl State {
    /// Takes a new popup in, unless its parents make no sense.
    pub(crate) fn add_popup(&mut self, popup: PopupSurface, positioner: PositionerState) {
        let kind = PopupKind::Xdg(popup.clone());
        if popup_parent(popup.wl_surface()).is_none() && is_sane(&positioner) {
            // It may still be given to a layer; it is looked at again when it commits.
            return;
        }
        if popup_root(&kind).is_none() || !is_sane(&positioner) {
            popup.xdg_popup().post_error(
                xdg_wm_base::Error::InvalidPopupParent,
                "a popup needs a parent that leads to a window",
            );
            return;
        }
        self.unconstrain(&popup, positioner);
        if self.shell.popups.track_popup(kind).is_err() {
            popup.send_popup_done();
        }
    }

    /// Finds a place for a popup that got its parent later.
    pub(crate) fn place_popup(&self, popup: &PopupSurface) {
        let positioner = popup.with_pending_state(|state| state.positioner);
        if is_sane(&positioner) {
            self.unconstrain(popup, positioner);
        }
    }

    /// Moves a popup that its program wants elsewhere.
    pub(crate) fn reposition_popup(
        &self,
        popup: &PopupSurface,
        positioner: PositionerState,
        token: u32,
    ) {
        if is_sane(&positioner) {
            self.unconstrain(popup, positioner);
        }
        popup.send_repositioned(token);
    }

    /// Gives keyboard and pointer to a menu until it is dismissed.
    pub(crate) fn grab_popup(&mut self, popup: PopupSurface, serial: Serial) {
        let kind = PopupKind::Xdg(popup);
        let Some(root) = popup_root(&kind) else {
            return;
        };
        let seat = self.seat.clone();
        let Ok(mut grab) = self.shell.popups.grab_popup(root, kind, &seat, serial) else {
            return;
        };
        let previous = grab.previous_serial().unwrap_or(serial);
        let (keyboard, pointer) = (self.keyboard.clone(), self.pointer.clone());
        let keyboard_busy =
            keyboard.is_grabbed() && !(keyboard.has_grab(serial) || keyboard.has_grab(previous));
        let pointer_busy =
            pointer.is_grabbed() && !(pointer.has_grab(serial) || pointer.has_grab(previous));
        if keyboard_busy || pointer_busy {
            grab.ungrab(PopupUngrabStrategy::All);
            return;
        }
        keyboard.set_focus(self, grab.current_grab(), serial);
        keyboard.set_grab(self, PopupKeyboardGrab::new(&grab), serial);
        pointer.set_grab(self, PopupPointerGrab::new(&grab), serial, Focus::Keep);
    }

    /// Sends a popup its first configuration.
    pub(crate) fn popup_committed(&mut self, surface: &WlSurface) {
        self.shell.popups.commit(surface);
        let Some(PopupKind::Xdg(popup)) = self.shell.popups.find_popup(surface) else {
            if popup_parent(surface).is_none() {
                self.refuse_orphan(surface);
            }
            return;
        };
        let has_content = with_renderer_surface_state(surface, |state| state.buffer().is_some());
        if has_content == Some(true) && !self.shell.forgives() && !popup.ensure_configured() {
            return;
        }
        if !popup.is_initial_configure_sent()
            && let Err(error) = popup.send_configure()
        {
            tracing::debug!(%error, "a popup could not be configured");
        }
    }

    /// Ends the connection of a program whose popup belongs to nobody.
    fn refuse_orphan(&self, surface: &WlSurface) {
        let popups = self.protocols.xdg_shell.popup_surfaces();
        if let Some(popup) = popups.iter().find(|popup| popup.wl_surface() == surface) {
            popup.xdg_popup().post_error(
                xdg_wm_base::Error::InvalidPopupParent,
                "a popup needs a parent before it commits",
            );
        }
    }

    /// Forgets a popup; the keyboard goes back to its window.
    pub(crate) fn popup_gone(&mut self) {
        self.shell.popups.cleanup();
        self.clock.want();
    }

    /// Finds a place for a popup on the output.
    fn unconstrain(&self, popup: &PopupSurface, positioner: PositionerState) {
        let kind = PopupKind::Xdg(popup.clone());
        let origin = popup_root(&kind)
            .and_then(|root| self.root_location(&root))
            .map(|location| location + parents_offset(&kind));
        let geometry = match origin {
            Some(origin) => {
                let mut area = self.output_area();
                area.loc -= origin;
                positioner.get_unconstrained_geometry(area)
            }
            None => positioner.get_geometry(),
        };
        popup.with_pending_state(|state| {
            state.geometry = geometry;
            state.positioner = positioner;
        });
    }
}

impl State {
    /// Where the geometry of a window or a layer begins on the output.
    fn root_location(&self, root: &WlSurface) -> Option<Point<i32, Logical>> {
        let window = self.shell.window(root);
        let location = window.and_then(|window| self.shell.space.element_location(&window));
        location.or_else(|| self.layer_at(root))
    }
}

/// The toplevel surface that a popup belongs to, through at most [`POPUP_DEPTH`] other popups.
///
/// A program can build chains that end nowhere or go in circles; they have no root.
pub(crate) fn popup_root(popup: &PopupKind) -> Option<WlSurface> {
    let mut surface = popup_parent(popup.wl_surface())?;
    for _ in 0..POPUP_DEPTH {
        if get_role(&surface) != Some(XDG_POPUP_ROLE) {
            return Some(surface);
        }
        surface = popup_parent(&surface)?;
    }
    None
}

fn popup_parent(surface: &WlSurface) -> Option<WlSurface> {
    with_states(surface, |states| {
        let data = states.data_map.get::<XdgPopupSurfaceData>()?;
        let data = data.lock().ok()?;
        data.parent.clone()
    })
}

/// How far the parent of a popup lies from its window.
fn parents_offset(popup: &PopupKind) -> Point<i32, Logical> {
    let mut offset = Point::default();
    let mut parent = popup_parent(popup.wl_surface());
    for _ in 0..POPUP_DEPTH {
        let Some(surface) = parent.filter(|parent| get_role(parent) == Some(XDG_POPUP_ROLE)) else {
            break;
        };
        offset += with_states(&surface, |states| {
            let data = states.data_map.get::<XdgPopupSurfaceData>()?;
            let data = data.lock().ok()?;
            Some(data.current.geometry.loc)
        })
        .unwrap_or_default();
        parent = popup_parent(&surface);
    }
    offset
}

/// Whether the numbers of a positioner are such that they can be added up.
pub(crate) fn is_sane(positioner: &PositionerState) -> bool {
    let PositionerState {
        rect_size,
        anchor_rect,
        offset,
        ..
    } = positioner;
    let Rectangle { loc, size } = anchor_rect;
    [
        rect_size.w,
        rect_size.h,
        loc.x,
        loc.y,
        size.w,
        size.h,
        offset.x,
        offset.y,
    ]
    .into_iter()
    .all(|value| value.unsigned_abs() <= COORDINATE_MAX)
}

/// Dismisses all popups of a window.
pub(super) fn dismiss_all(surface: &WlSurface) {
    if !surface.alive() {
        return;
    }
    let popups: Vec<_> = PopupManager::popups_for_surface(surface).collect();
    for (popup, _) in popups {
        // It fails for a window that is gone, whose popups are gone with it.
        drop(PopupManager::dismiss_popup(surface, &popup));
    }
}

/// The longest chain of popups; a longer one is a program's mistake.
const POPUP_DEPTH: usize = 32;

/// The largest coordinate in a positioner.
const COORDINATE_MAX: u32 = 1 << 20;
