//! layer-shell: panels, wallpapers, launchers and notifications that other programs draw.

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::delegate_layer_shell;
use smithay::desktop::{LayerSurface, PopupKind, WindowSurfaceType, layer_map_for_output};
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, SERIAL_COUNTER};
use smithay::wayland::compositor::with_states;
use smithay::wayland::shell::wlr_layer::{
    KeyboardInteractivity, Layer, LayerSurface as WlrLayerSurface, LayerSurfaceData,
    WlrLayerShellHandler, WlrLayerShellState,
};
use smithay::wayland::shell::xdg::PopupSurface;

use crate::state::State;

impl WlrLayerShellHandler for State {
    fn shell_state(&mut self) -> &mut WlrLayerShellState {
        &mut self.protocols.layer_shell
    }

    fn new_layer_surface(
        &mut self,
        surface: WlrLayerSurface,
        _output: Option<WlOutput>,
        _layer: Layer,
        namespace: String,
    ) {
        let mut map = layer_map_for_output(&self.output);
        if map.len() >= LAYERS {
            drop(map);
            tracing::warn!("{LAYERS} layers are shown; a program that wanted more got none");
            surface.send_close();
            return;
        }
        let layer = LayerSurface::new(surface, namespace);
        if map.map_layer(&layer).is_err() {
            tracing::debug!("a layer was mapped twice");
        }
    }

    fn new_popup(&mut self, _parent: WlrLayerSurface, popup: PopupSurface) {
        self.place_popup(&popup);
        let kind = PopupKind::Xdg(popup.clone());
        if self.shell.popups.track_popup(kind).is_err() {
            popup.send_popup_done();
        }
    }

    fn layer_destroyed(&mut self, surface: WlrLayerSurface) {
        let of = surface.wl_surface().clone();
        self.pen_leaves(&of);
        self.once_gone(&of, move |state| state.layer_gone(&surface));
    }
}

impl State {
    fn layer_gone(&mut self, surface: &WlrLayerSurface) {
        let mut map = layer_map_for_output(&self.output);
        let layer = map
            .layers()
            .find(|layer| layer.layer_surface() == surface)
            .cloned();
        if let Some(layer) = layer {
            map.unmap_layer(&layer);
        }
        drop(map);
        self.layers_changed();
        if self.keyboard.current_focus().as_ref() == Some(surface.wl_surface())
            || self.keyboard.current_focus().is_none()
        {
            let next = self.shell.topmost();
            self.focus(next.as_ref());
        }
    }

    /// Looks at a layer whose surface committed.
    pub(super) fn layer_committed(&mut self, surface: &WlSurface) {
        let mut map = layer_map_for_output(&self.output);
        let Some(layer) = map
            .layer_for_surface(surface, WindowSurfaceType::TOPLEVEL)
            .cloned()
        else {
            return;
        };
        let configured = with_states(surface, |states| {
            let data = states.data_map.get::<LayerSurfaceData>();
            data.and_then(|data| data.lock().ok())
                .is_some_and(|data| data.initial_configure_sent)
        });
        map.arrange();
        drop(map);
        if !configured {
            layer.layer_surface().send_configure();
            return;
        }
        self.layers_changed();
        let shown = with_renderer_surface_state(surface, |state| state.buffer().is_some());
        let wants = layer.cached_state().keyboard_interactivity;
        let has = self.keyboard.current_focus().as_ref() == Some(surface);
        if shown == Some(true) && wants == KeyboardInteractivity::Exclusive && !has {
            self.focus_layer(&layer);
        } else if has && (shown != Some(true) || wants == KeyboardInteractivity::None) {
            let next = self.shell.topmost();
            self.focus(next.as_ref());
        }
    }

    /// Windows follow the space that panels leave them.
    pub(crate) fn layers_changed(&mut self) {
        let zone = layer_map_for_output(&self.output).non_exclusive_zone();
        if self.shell.zone != zone {
            self.shell.zone = zone;
            self.follow_work_area();
        }
        self.clock.want();
    }

    /// Gives a layer the keyboard.
    pub(crate) fn focus_layer(&mut self, layer: &LayerSurface) {
        if self.locked.is_some() {
            return;
        }
        let keyboard = self.keyboard.clone();
        if !keyboard.is_grabbed() {
            let focus = Some(layer.wl_surface().clone());
            keyboard.set_focus(self, focus, SERIAL_COUNTER.next_serial());
            self.follow_constraints();
            self.announce_title();
        }
    }

    /// The layer that holds the keyboard for itself.
    pub(crate) fn exclusive_layer(&self) -> Option<LayerSurface> {
        let map = layer_map_for_output(&self.output);
        let mut upper = map
            .layers_on(Layer::Overlay)
            .chain(map.layers_on(Layer::Top));
        upper
            .find(|layer| {
                let state = layer.cached_state();
                let shown = with_renderer_surface_state(layer.wl_surface(), |state| {
                    state.buffer().is_some()
                });
                state.keyboard_interactivity == KeyboardInteractivity::Exclusive
                    && shown == Some(true)
            })
            .cloned()
    }

    /// The layer that a surface is the root of, and where it lies.
    pub(crate) fn layer_at(&self, surface: &WlSurface) -> Option<Point<i32, Logical>> {
        let map = layer_map_for_output(&self.output);
        let layer = map.layer_for_surface(surface, WindowSurfaceType::TOPLEVEL)?;
        map.layer_geometry(layer).map(|geometry| geometry.loc)
    }

    /// The topmost layer with a surface at a point, among the given ones.
    pub(crate) fn layer_under(
        &self,
        layers: [Layer; 2],
        at: Point<f64, Logical>,
    ) -> Option<(LayerSurface, WlSurface, Point<f64, Logical>)> {
        let map = layer_map_for_output(&self.output);
        for layer in layers
            .into_iter()
            .flat_map(|layer| map.layers_on(layer).rev())
        {
            let Some(geometry) = map.layer_geometry(layer) else {
                continue;
            };
            let inside = at - geometry.loc.to_f64();
            if let Some((surface, offset)) = layer.surface_under(inside, WindowSurfaceType::ALL) {
                return Some((layer.clone(), surface, (offset + geometry.loc).to_f64()));
            }
        }
        None
    }
}

/// The most layers; a program that wants more gets none.
const LAYERS: usize = 64;

delegate_layer_shell!(State);
