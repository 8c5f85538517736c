//! One tick of the frame clock.

use std::time::Instant;

use smithay::desktop::space::space_render_elements;
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::{
    SurfaceAttributes, SurfaceData, TraversalAction, with_surface_tree_downward,
};

use crate::state::State;

impl State {
    /// Draws what changed, if somebody watches, and collects who wants to be told.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.shell.space.refresh();
        self.shell.popups.cleanup();
        self.refocus_pointer();
        let callbacks = self.collect_callbacks();
        let owed = !callbacks.is_empty();
        self.screen.keep_callbacks(callbacks);
        self.clock.ticked(now, owed);
        if self.shell.hold_until().is_some() {
            // Programs that redraw for the new size must not wait for a picture.
            self.send_callbacks();
        } else if self.clock.is_watched() && self.draw() {
            self.presented();
        }
    }

    fn draw(&mut self) -> bool {
        let elements = space_render_elements(
            self.screen.renderer(),
            [&self.shell.space],
            &self.output,
            1.0,
        );
        match elements {
            Ok(elements) => self.screen.draw(&elements),
            Err(error) => {
                tracing::error!(%error, "the output lost its mode");
                false
            }
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
        if let Some(surface) = self.cursor.surface() {
            of_tree(surface, &mut callbacks);
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
