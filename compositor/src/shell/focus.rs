//! Which window has the focus.

use smithay::desktop::LayerSurface;
use smithay::input::pointer::MotionEvent;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, Logical, Point, SERIAL_COUNTER};
use smithay::wayland::shell::wlr_layer::Layer;
use vroom_desktop::DesktopEvent;

use super::{Part, Spot, Window};
use crate::ShellStyle;
use crate::handlers::{Freedom, names, relist};
use crate::state::State;

/// What lies at a point of the output.
pub(crate) enum Hit {
    /// A surface, and where its origin lies.
    Surface(WlSurface, Point<f64, Logical>, Owner),
    /// A frame of ours.
    Frame(Window, Part),
    /// The panel of ours.
    Panel(Spot),
    /// The launcher of ours, and the program there.
    Launcher(Option<usize>),
}

/// Whose surface it is.
#[derive(Clone)]
pub(crate) enum Owner {
    Window(Window),
    Layer(LayerSurface),
    /// An X11 program's menu, which leaves the focus where it is.
    Menu,
    Lock,
}

/// A walk through the windows, in the order they had when it began.
pub(crate) struct Cycle {
    windows: Vec<Window>,
    at: usize,
}

impl State {
    /// Raises a window and gives it the keyboard; `None` takes the keyboard from all.
    ///
    /// A locked desktop and a layer that wants it for itself keep the keyboard.
    pub(crate) fn focus(&mut self, window: Option<&Window>) {
        self.dismiss_menus(window);
        if let Some(window) = window {
            self.restore(window);
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
        if self.locked.is_none() {
            let layer = self.exclusive_layer();
            let surface = match layer {
                Some(layer) => Some(layer.wl_surface().clone()),
                None => window.and_then(surface_of),
            };
            let keyboard = self.keyboard.clone();
            self.focus_x11(surface.as_ref());
            keyboard.set_focus(self, surface, SERIAL_COUNTER.next_serial());
            self.follow_constraints();
        }
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
            .filter(|window| surface.is_some() && self.shell.parent(window) == surface)
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

    /// Puts a window away and gives the focus to the next one.
    ///
    /// On a kiosk it only goes below all others, and one that is alone stays as it is: there would
    /// be nothing to bring it back with.
    pub(crate) fn minimize(&mut self, window: &Window) {
        if self.shell.style == ShellStyle::Desktop {
            let Some(managed) = surface_of(window)
                .and_then(|surface| self.shell.managed_mut(&surface))
                .filter(|managed| managed.mapped)
            else {
                return;
            };
            managed.minimized = true;
            self.shell.space.unmap_elem(window);
            self.shell.hot = None;
        } else {
            return self.lower(window);
        }
        let next = self.shell.topmost();
        self.focus(next.as_ref());
        self.follow_inhibitors();
        self.clock.want();
    }

    /// Puts a window below all others and gives the focus to the next one.
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

    /// Brings a window back that was put away.
    fn restore(&mut self, window: &Window) {
        let Some(surface) = surface_of(window) else {
            return;
        };
        let location = self.target(&surface).loc;
        if let Some(managed) = self.shell.managed_mut(&surface)
            && managed.mapped
            && std::mem::take(&mut managed.minimized)
        {
            self.shell
                .space
                .map_element(window.clone(), location, false);
            self.follow_inhibitors();
        }
    }

    /// Gives the focus to the next window of a walk that lasts until Alt is released.
    pub(crate) fn cycle(&mut self, backwards: bool) {
        let windows = || {
            let away = self.shell.windows.iter().filter(|have| have.minimized);
            let away = away.map(|managed| &managed.window);
            let shown = self.shell.space.elements().rev();
            shown.chain(away).cloned().collect()
        };
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
        let title = self
            .focused()
            .and_then(|window| Some(names(&surface_of(&window)?).0));
        let title = title.map(|title| title.chars().take(TITLE_CHARS).collect());
        if title != self.shell.title {
            self.shell.title.clone_from(&title);
            self.tell(DesktopEvent::Title(title));
        }
    }

    /// A window was renamed.
    pub(crate) fn renamed(&mut self, surface: &WlSurface) {
        if let Some(managed) = self.shell.managed(surface)
            && let Some(listed) = &managed.listed
        {
            relist(listed, surface);
        }
        self.announce_title();
        self.clock.want();
    }

    /// What lies at a point of the output, from front to back.
    pub(crate) fn hit(&self, at: Point<f64, Logical>) -> Option<Hit> {
        if self.locked.is_some() {
            let surface = self.lock_surface()?;
            return Some(Hit::Surface(surface, Point::default(), Owner::Lock));
        }
        let layer = |layers| {
            let (layer, surface, origin) = self.layer_under(layers, at)?;
            Some(Hit::Surface(surface, origin, Owner::Layer(layer)))
        };
        let upper = if self.is_fullscreen_on_top() {
            [Layer::Overlay, Layer::Overlay]
        } else {
            [Layer::Overlay, Layer::Top]
        };
        layer(upper)
            .or_else(|| self.launcher_hit(at).map(Hit::Launcher))
            .or_else(|| self.panel_hit(at).map(Hit::Panel))
            .or_else(|| self.window_hit(at))
            .or_else(|| layer([Layer::Bottom, Layer::Background]))
    }

    fn window_hit(&self, at: Point<f64, Logical>) -> Option<Hit> {
        if let Some((surface, origin)) = self.x11_menu_under(at) {
            return Some(Hit::Surface(surface, origin, Owner::Menu));
        }
        for window in self.shell.space.elements().rev() {
            let Some(location) = self.shell.space.element_location(window) else {
                continue;
            };
            let geometry = window.geometry();
            let origin = location - geometry.loc;
            if let Some((surface, offset)) = window.surface_under(at - origin.to_f64()) {
                let origin = (offset + origin).to_f64();
                return Some(Hit::Surface(surface, origin, Owner::Window(window.clone())));
            }
            let content = smithay::utils::Rectangle::new(location, geometry.size);
            let part = surface_of(window)
                .and_then(|surface| self.shell.managed(&surface))
                .and_then(|managed| managed.part_at(self.shell.style, content, at));
            if let Some(part) = part {
                return Some(Hit::Frame(window.clone(), part));
            }
        }
        None
    }

    /// The surface at a point of the output and where its origin lies.
    pub(crate) fn surface_under(
        &self,
        at: Point<f64, Logical>,
    ) -> Option<(WlSurface, Point<f64, Logical>)> {
        match self.hit(at)? {
            Hit::Surface(surface, origin, _) => Some((surface, origin)),
            Hit::Frame(..) | Hit::Panel(_) | Hit::Launcher(_) => None,
        }
    }

    /// Where the origin of a window's, a layer's or a popup's surface lies on the output.
    pub(crate) fn surface_origin(&self, surface: &WlSurface) -> Option<Point<f64, Logical>> {
        let at = self.pointer.current_location();
        if let Some((under, origin)) = self.surface_under(at)
            && under == *surface
        {
            return Some(origin);
        }
        if let Some(location) = self.layer_at(surface) {
            return Some(location.to_f64());
        }
        let window = self.shell.window(surface)?;
        let location = self.shell.space.element_location(&window)?;
        Some((location - window.geometry().loc).to_f64())
    }

    /// Ends whatever holds the pointer, the fingers or the keyboard.
    pub(crate) fn drop_grabs(&mut self) {
        self.dismiss_menus(None);
        let touch = self.touch.clone();
        if touch.is_grabbed() {
            touch.unset_grab(self);
        }
        let pointer = self.pointer.clone();
        if pointer.is_grabbed() {
            pointer.unset_grab(self, SERIAL_COUNTER.next_serial(), self.time_ms());
        }
    }

    /// Lets the pointer enter what has come to lie under it, and tells a surface that moved there
    /// where the pointer is now.
    pub(crate) fn refocus_pointer(&mut self) {
        let pointer = self.pointer.clone();
        if pointer.is_grabbed() || !self.input.pointer_is_known {
            return;
        }
        let location = pointer.current_location();
        let under = self.surface_under(location);
        let focus = pointer.current_focus();
        let origin = under.as_ref().map(|(_, origin)| *origin);
        if focus.as_ref() == under.as_ref().map(|(surface, _)| surface) {
            let held = focus.is_some_and(|focus| self.pointer_freedom(&focus) == Freedom::Locked);
            if held || origin == self.input.pointer_origin {
                return;
            }
        }
        self.input.pointer_origin = origin;
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
pub(super) fn surface_of(window: &Window) -> Option<WlSurface> {
    window.wl_surface().cloned()
}

/// The longest title told; the rest is cut.
const TITLE_CHARS: usize = 1024;
