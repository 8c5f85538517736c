//! How many pixels the host has for a logical unit.

use wayland_client::protocol::wl_output::{self, WlOutput};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_surface::{self, WlSurface};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle};
use wayland_protocols::wp::fractional_scale::v1::client::wp_fractional_scale_v1::{
    self, WpFractionalScaleV1,
};

use super::window::View;

/// What the host says about its scale: newer hosts what they prefer, older ones what their outputs have.
#[derive(Default)]
pub(super) struct HostScale {
    /// In 120ths.
    fractional: Option<u32>,
    preferred: Option<i32>,
    outputs: Vec<Output>,
}

struct Output {
    number: u32,
    output: WlOutput,
    scale: i32,
    /// Whether the window is on it.
    entered: bool,
}

impl HostScale {
    /// Pixels per logical unit, 0.5 to 8.
    pub(super) fn get(&self) -> f64 {
        let of_outputs = self.outputs.iter().filter(|output| output.entered);
        let scale = match (self.fractional, self.preferred) {
            (Some(parts), _) => f64::from(parts) / PARTS,
            (None, Some(preferred)) => f64::from(preferred),
            (None, None) => of_outputs
                .map(|output| output.scale)
                .max()
                .map_or(1.0, f64::from),
        };
        scale.clamp(0.5, 8.0)
    }
}

impl View {
    /// Takes part of what the host says about its scale.
    fn rescale(&mut self, take: impl FnOnce(&mut HostScale)) {
        let before = self.scale.get();
        take(&mut self.scale);
        if (self.scale.get() - before).abs() > f64::EPSILON {
            self.rescaled();
        }
    }
}

impl Dispatch<WlRegistry, ()> for View {
    fn event(
        view: &mut Self,
        registry: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global {
                name,
                interface,
                version,
            } if interface == WlOutput::interface().name && view.scale.outputs.len() < OUTPUTS => {
                let output = registry.bind(name, version.min(4), handle, ());
                view.scale.outputs.push(Output {
                    number: name,
                    output,
                    scale: 1,
                    entered: false,
                });
            }
            wl_registry::Event::Global {
                name,
                interface,
                version,
            } => view.seat_came(registry, name, &interface, version),
            wl_registry::Event::GlobalRemove { name } => {
                view.seat_went(name);
                view.rescale(|scale| scale.outputs.retain(|output| output.number != name));
            }
            _ => {}
        }
    }
}

impl Dispatch<WlOutput, ()> for View {
    fn event(
        view: &mut Self,
        output: &WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_output::Event::Scale { factor } = event {
            view.rescale(|scale| {
                for have in &mut scale.outputs {
                    if have.output == *output {
                        have.scale = factor;
                    }
                }
            });
        }
    }
}

impl Dispatch<WlSurface, ()> for View {
    fn event(
        view: &mut Self,
        surface: &WlSurface,
        event: wl_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if *surface != view.surfaces.ground {
            return;
        }
        let entered = |view: &mut Self, output: &WlOutput, entered| {
            view.rescale(|scale| {
                for have in &mut scale.outputs {
                    if have.output == *output {
                        have.entered = entered;
                    }
                }
            });
        };
        match event {
            wl_surface::Event::Enter { output } => entered(view, &output, true),
            wl_surface::Event::Leave { output } => entered(view, &output, false),
            wl_surface::Event::PreferredBufferScale { factor } => {
                view.rescale(|scale| scale.preferred = Some(factor));
            }
            _ => {}
        }
    }
}

impl Dispatch<WpFractionalScaleV1, ()> for View {
    fn event(
        view: &mut Self,
        _: &WpFractionalScaleV1,
        event: wp_fractional_scale_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wp_fractional_scale_v1::Event::PreferredScale { scale: parts } = event {
            view.rescale(|scale| scale.fractional = Some(parts));
        }
    }
}

/// The parts that a scale is told in.
const PARTS: f64 = 120.0;

/// The outputs of the host that are looked at.
const OUTPUTS: usize = 64;
