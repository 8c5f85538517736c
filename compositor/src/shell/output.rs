//! What happens to windows when the output changes its size.

use std::time::{Duration, Instant};

use smithay::desktop::layer_map_for_output;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Rectangle, Size, Transform};
use smithay::wayland::compositor::{SurfaceData, send_surface_state};
use smithay::wayland::fractional_scale::with_fractional_scale;

use super::{Fill, Managed, kept_inside};
use crate::state::State;

impl State {
    /// Tells all windows about the output's new size and scale, and holds the picture until those
    /// that fill it have followed.
    pub(crate) fn follow_output(&mut self) {
        self.shell.space.refresh();
        let mut map = layer_map_for_output(&self.output);
        map.arrange();
        self.shell.zone = map.non_exclusive_zone();
        drop(map);
        self.tell_scale();
        self.configure_lock();
        self.keep_windows_inside();
        let surfaces: Vec<_> = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped)
            .filter_map(|managed| managed.surface().cloned())
            .collect();
        for surface in &surfaces {
            self.apply_fill(surface);
        }
        let location = self.inside_output(self.pointer.current_location());
        self.pointer.set_location(location);
        self.shell.hold_until = Some(Instant::now() + self.shell.hold_for);
        self.send_callbacks();
        self.clock.want();
    }

    /// Lets the picture go on once the windows that fill the output have its size, or when they
    /// took too long.
    pub(crate) fn release_hold(&mut self, now: Instant) {
        let Some(until) = self.shell.hold_until else {
            return;
        };
        let settled = self.shell.windows.iter().all(|managed| {
            let waits = managed.mapped && !managed.minimized && managed.fill != Fill::None;
            !waits
                || managed
                    .surface()
                    .is_some_and(|surface| has_size(managed, self.target(surface).size))
        });
        if settled || now >= until {
            self.shell.hold_until = None;
            self.clock.rush();
        }
    }

    fn tell_scale(&self) {
        let scale = self.output.current_scale();
        let tell = |surface: &WlSurface, states: &SurfaceData| {
            // Pictures are composed upright, however the output is turned.
            send_surface_state(surface, states, scale.integer_scale(), Transform::Normal);
            with_fractional_scale(states, |fractional| {
                fractional.set_preferred_scale(scale.fractional_scale());
            });
        };
        for window in self.shell.windows() {
            window.with_surfaces(tell);
        }
        for layer in layer_map_for_output(&self.output).layers() {
            layer.with_surfaces(tell);
        }
    }

    pub(super) fn keep_windows_inside(&mut self) {
        let area = self.work_area();
        let style = self.shell.style;
        let mut moved = Vec::new();
        for managed in &mut self.shell.windows {
            let size = if managed.fill == Fill::None {
                managed.window.geometry().size
            } else {
                managed.floating.size
            };
            let location = kept_inside(area, managed.floating.loc, size, managed.bar(style));
            if location != managed.floating.loc {
                managed.floating = Rectangle::new(location, managed.floating.size);
                if managed.mapped && !managed.minimized && managed.fill == Fill::None {
                    moved.push((managed.window.clone(), location));
                }
            }
        }
        for (window, location) in moved {
            self.shell.relocate(&window, location);
        }
    }
}

/// Whether a window has drawn itself at the size it was told.
fn has_size(managed: &Managed, size: Size<i32, Logical>) -> bool {
    match managed.window.toplevel() {
        Some(toplevel) => toplevel.current_state().size == Some(size),
        None => managed.window.geometry().size == size,
    }
}

/// How long the last picture stays while windows follow a resize.
pub(crate) const RESIZE_HOLD: Duration = Duration::from_millis(50);
