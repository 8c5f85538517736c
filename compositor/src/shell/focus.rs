//! Which window has the focus.

use smithay::desktop::{Window, WindowSurfaceType};
use smithay::input::pointer::MotionEvent;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point, SERIAL_COUNTER};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::xdg::XdgToplevelSurfaceData;
use vroom_desktop::DesktopEvent;

use crate::state::State;

/// A walk through the windows, in the order they had when it began.
pub(crate) struct Cycle {
    windows: Vec<Window>,
    at: usize,
}

impl State {
    /// Raises a window and gives it the keyboard; `None` takes the keyboard from all.
    pub(crate) fn focus(&mut self, window: Option<&Window>) {
        self.dismiss_menus(window);
        if let Some(window) = window {
            self.shell.space.raise_element(window, false);
            self.raise_dialogs(window);
        }
        let windows: Vec<_> = self.shell.space.elements().cloned().collect();
        for other in &windows {
            if other.set_activated(Some(other) == window)
                && let Some(toplevel) = other.toplevel()
                && toplevel.is_initial_configure_sent()
            {
                toplevel.send_pending_configure();
            }
        }
        let surface = window.and_then(surface_of);
        let keyboard = self.keyboard.clone();
        keyboard.set_focus(self, surface, SERIAL_COUNTER.next_serial());
        self.clock.want();
        self.announce_title();
    }

    /// Keeps dialogs above the window they belong to.
    fn raise_dialogs(&mut self, parent: &Window) {
        let surface = surface_of(parent);
        let dialogs: Vec<_> = self
            .shell
            .space
            .elements()
            .filter(|window| {
                let toplevel = window.toplevel();
                toplevel.is_some_and(|toplevel| surface.is_some() && toplevel.parent() == surface)
            })
            .cloned()
            .collect();
        for dialog in dialogs {
            self.shell.space.raise_element(&dialog, false);
        }
    }

    /// The window that has the keyboard.
    pub(crate) fn focused(&self) -> Option<Window> {
        let surface = self.keyboard.current_focus()?;
        self.shell.window_of(&surface).or_else(|| {
            let popup = self.shell.popups.find_popup(&surface)?;
            self.shell.window(&super::popup_root(&popup)?)
        })
    }

    /// Puts a window below all others and gives the focus to the next one.
    ///
    /// A window that is alone stays as it is: there would be nothing to bring it back with.
    pub(crate) fn lower(&mut self, window: &Window) {
        let others: Vec<_> = self
            .shell
            .space
            .elements()
            .filter(|other| *other != window)
            .cloned()
            .collect();
        if others.is_empty() {
            return;
        }
        for other in &others {
            self.shell.space.raise_element(other, false);
        }
        let next = self.shell.topmost();
        self.focus(next.as_ref());
    }

    /// Gives the focus to the next window of a walk that lasts until Alt is released.
    pub(crate) fn cycle(&mut self, backwards: bool) {
        let windows = || self.shell.space.elements().rev().cloned().collect();
        let mut cycle = self.shell.cycle.take().unwrap_or_else(|| Cycle {
            windows: windows(),
            at: 0,
        });
        cycle.windows.retain(|window| window.alive());
        let count = cycle.windows.len();
        if count == 0 {
            return;
        }
        let step = if backwards { count - 1 } else { 1 };
        cycle.at = (cycle.at + step) % count;
        let next = cycle.windows.get(cycle.at).cloned();
        self.focus(next.as_ref());
        self.shell.cycle = Some(cycle);
    }

    /// Closes the menus of other windows, which hold keyboard and pointer.
    fn dismiss_menus(&mut self, except: Option<&Window>) {
        let keyboard = self.keyboard.clone();
        // Only menus hold the keyboard, and they name the window that they belong to.
        let root = keyboard.grab_start_data().and_then(|start| start.focus);
        if !keyboard.is_grabbed() || (root.is_some() && root == except.and_then(surface_of)) {
            return;
        }
        if let Some(root) = root {
            super::popups::dismiss_all(&root);
        }
        keyboard.unset_grab(self);
        let pointer = self.pointer.clone();
        if pointer.is_grabbed() {
            pointer.unset_grab(self, SERIAL_COUNTER.next_serial(), self.time_ms());
        }
    }

    /// Tells the title of the focused window when it is another one than before.
    pub(crate) fn announce_title(&mut self) {
        let title = self.focused().and_then(|window| {
            let surface = surface_of(&window)?;
            with_states(&surface, |states| {
                let data = states.data_map.get::<XdgToplevelSurfaceData>()?;
                let data = data.lock().ok()?;
                Some(data.title.clone().unwrap_or_default())
            })
        });
        let title = title.map(|title| title.chars().take(TITLE_CHARS).collect());
        if title != self.shell.title {
            self.shell.title.clone_from(&title);
            self.tell(DesktopEvent::Title(title));
        }
    }

    /// The surface at a point of the output and where its origin lies.
    pub(crate) fn surface_under(
        &self,
        at: Point<f64, Logical>,
    ) -> Option<(WlSurface, Point<f64, Logical>)> {
        let (window, location) = self.shell.space.element_under(at)?;
        let (surface, offset) =
            window.surface_under(at - location.to_f64(), WindowSurfaceType::ALL)?;
        Some((surface, (offset + location).to_f64()))
    }

    /// Where the origin of a window's or popup's surface lies on the output.
    pub(crate) fn surface_origin(&self, surface: &WlSurface) -> Option<Point<f64, Logical>> {
        let at = self.pointer.current_location();
        if let Some((under, origin)) = self.surface_under(at)
            && under == *surface
        {
            return Some(origin);
        }
        let window = self.shell.window(surface)?;
        let location = self.shell.space.element_location(&window)?;
        Some((location - window.geometry().loc).to_f64())
    }

    /// Lets the pointer enter what has come to lie under it.
    pub(crate) fn refocus_pointer(&mut self) {
        let pointer = self.pointer.clone();
        if pointer.is_grabbed() || !self.input.pointer_is_known {
            return;
        }
        let location = pointer.current_location();
        let under = self.surface_under(location);
        let focus = pointer.current_focus();
        if focus.as_ref() == under.as_ref().map(|(surface, _)| surface) {
            return;
        }
        let event = MotionEvent {
            location,
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        pointer.motion(self, under, &event);
        pointer.frame(self);
    }
}

/// The surface of a window.
fn surface_of(window: &Window) -> Option<WlSurface> {
    let toplevel = window.toplevel()?;
    Some(toplevel.wl_surface().clone())
}

/// The longest title told; the rest is cut.
const TITLE_CHARS: usize = 1024;
