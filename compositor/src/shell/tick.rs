//! One tick of the frame clock.

use std::time::Instant;

use smithay::desktop::layer_map_for_output;
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::{
    SurfaceAttributes, SurfaceData, TraversalAction, with_surface_tree_downward,
};

use super::scene::Element;
use crate::state::State;

impl State {
    /// Draws what changed, if somebody watches, and collects who wants to be told.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.shell.space.refresh();
        self.place_x11_windows();
        self.shell.popups.cleanup();
        self.refocus_pointer();
        let callbacks = self.collect_callbacks();
        let owed = !callbacks.is_empty();
        self.screen.keep_callbacks(callbacks);
        let changed_at = self.clock.wanted_at().unwrap_or(now);
        self.clock.ticked(now, owed);
        if self.shell.hold_until().is_some() {
            // Programs that redraw for the new size must not wait for a picture.
            self.send_callbacks();
        } else {
            if self.clock.is_watched() && self.draw(changed_at) {
                self.captures.changed();
                self.presented();
            }
            self.serve_captures();
        }
    }

    fn draw(&mut self, changed_at: Instant) -> bool {
        let scene = self.picture();
        self.screen.draw(&scene, changed_at)
    }

    /// The scene as viewers see it: with the pointer when one of them cannot draw it.
    fn picture(&mut self) -> Vec<Element> {
        let mut scene = self.scene();
        if self.cursor.is_drawn() {
            let pointer = self.pointer_element();
            scene.splice(0..0, pointer);
        }
        scene
    }

    /// Gives pictures to the programs that wait for one.
    fn serve_captures(&mut self) {
        if !self.captures.are_wanted() {
            return;
        }
        if !self.clock.is_watched() {
            // Nobody else draws, so nobody knows whether something changed.
            self.captures.changed();
        }
        if !self.captures.are_due() {
            return;
        }
        let pointer = self.captures.want_cursor() && !self.cursor.is_drawn();
        let scene = self.picture();
        let plain = self.screen.snapshot(&scene);
        let with_pointer = if pointer {
            let mut scene = self.scene();
            scene.splice(0..0, self.pointer_element());
            self.screen.snapshot(&scene)
        } else {
            None
        };
        match plain {
            Some(plain) => {
                let composed = plain.composed();
                let bytes = with_pointer.as_ref().map(|shot| shot.composed().bytes);
                self.captures.fulfil(&composed, bytes);
            }
            None => self.captures.fail(),
        }
    }

    /// Tells programs to draw what comes next.
    pub(crate) fn send_callbacks(&mut self) {
        self.clock.called_back();
        let time = self.time_ms();
        for callback in self.screen.take_callbacks() {
            callback.done(time);
        }
    }

    /// Takes the frame callbacks of all that is shown: windows, popups and the pointer's surface.
    fn collect_callbacks(&self) -> Vec<WlCallback> {
        let mut callbacks = Vec::new();
        for window in self.shell.windows() {
            window.with_surfaces(|_, states| take_callbacks(states, &mut callbacks));
        }
        for menu in &self.shell.menus {
            of_tree(&menu.surface, &mut callbacks);
        }
        for layer in layer_map_for_output(&self.output).layers() {
            layer.with_surfaces(|_, states| take_callbacks(states, &mut callbacks));
        }
        let others = [
            self.cursor.surface().cloned(),
            self.lock_surface(),
            self.drag_icon().map(|(icon, _)| icon),
            self.input_popup().map(|(popup, _)| popup),
        ];
        for surface in others.into_iter().flatten() {
            of_tree(&surface, &mut callbacks);
        }
        callbacks
    }
}

fn of_tree(surface: &WlSurface, callbacks: &mut Vec<WlCallback>) {
    with_surface_tree_downward(
        surface,
        (),
        |_, _, ()| TraversalAction::DoChildren(()),
        |_, states, ()| take_callbacks(states, callbacks),
        |_, _, ()| true,
    );
}

fn take_callbacks(states: &SurfaceData, callbacks: &mut Vec<WlCallback>) {
    let mut attributes = states.cached_state.get::<SurfaceAttributes>();
    callbacks.append(&mut attributes.current().frame_callbacks);
}
