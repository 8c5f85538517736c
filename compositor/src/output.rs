//! The one output: its size, its scale, how it is turned, and whether programs see it.
//!
//! Viewers always see the picture upright. An output that is turned by 90 degrees is told so to
//! programs, and its picture is high instead of wide.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use smithay::desktop::layer_map_for_output;
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::wayland_server::DisplayHandle;
use smithay::reexports::wayland_server::backend::GlobalId;
use smithay::utils::{Physical, Transform};
use vroom_desktop::{DesktopEvent, Size};

use crate::clock::FrameClock;
use crate::config::{supported_scale, supported_size};
use crate::state::State;

/// What programs find of the output in the registry.
pub(crate) struct Globals {
    /// Nothing while it is switched off.
    present: Option<GlobalId>,
    /// Those that were taken back, and when: a program may not have heard of it yet.
    retired: VecDeque<(Instant, GlobalId)>,
}

/// How an output is to be; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Setup {
    /// The size in pixels before it is turned.
    pub(crate) mode: Option<Size>,
    /// Frames per second.
    pub(crate) refresh_hz: Option<u32>,
    pub(crate) transform: Option<Transform>,
    /// Pixels per logical unit.
    pub(crate) scale: Option<f64>,
}

impl Globals {
    /// Shows an output to programs.
    pub(crate) fn of(output: &Output, display: &DisplayHandle) -> Self {
        Self {
            present: Some(output.create_global::<State>(display)),
            retired: VecDeque::new(),
        }
    }

    fn show(&mut self, output: &Output, display: &DisplayHandle) {
        self.present = Some(output.create_global::<State>(display));
    }

    fn hide(&mut self, display: &DisplayHandle, now: Instant) {
        if let Some(global) = self.present.take() {
            display.disable_global::<State>(global.clone());
            self.retired.push_back((now, global));
        }
        let heard = |at: Instant| now.saturating_duration_since(at) > HEARD_AFTER;
        while self.retired.len() > RETIRED || self.retired.front().is_some_and(|(at, _)| heard(*at))
        {
            if let Some((_, global)) = self.retired.pop_front() {
                display.remove_global::<State>(global);
            }
        }
    }
}

impl State {
    /// Follows a viewer: the picture is to have this size in pixels.
    pub(crate) fn resize(&mut self, size: Size, scale: f64) {
        let size = supported_size(size);
        let scale = supported_scale(scale);
        let unchanged = self.screen.size() == size && same(self.scale(), scale);
        if !unchanged {
            self.set_mode(size, scale, self.output.current_transform());
            self.follow_output();
        }
        self.tell(DesktopEvent::Resized { size, scale });
    }

    /// Pixels per logical unit.
    pub(crate) fn scale(&self) -> f64 {
        self.output.current_scale().fractional_scale()
    }

    /// The size in pixels before it is turned.
    pub(crate) fn mode_size(&self) -> Size {
        turned(self.screen.size(), self.output.current_transform())
    }

    /// Whether an output can be as asked for.
    pub(crate) fn can_be(&self, setup: &Setup) -> bool {
        let mode = setup.mode.unwrap_or_else(|| self.mode_size());
        let scale = setup.scale.unwrap_or_else(|| self.scale());
        supported_size(mode) == mode
            && same(supported_scale(scale), scale)
            && setup.refresh_hz.is_none_or(FrameClock::can_be)
    }

    /// Follows a program that may set the output up.
    pub(crate) fn set_up(&mut self, setup: &Setup) {
        let transform = setup
            .transform
            .unwrap_or_else(|| self.output.current_transform());
        let mode = setup.mode.unwrap_or_else(|| self.mode_size());
        let scale = setup.scale.unwrap_or_else(|| self.scale());
        if let Some(refresh_hz) = setup.refresh_hz {
            self.clock.set_refresh(refresh_hz);
        }
        let size = turned(mode, transform);
        self.set_mode(size, scale, transform);
        self.follow_output();
        self.tell(DesktopEvent::Resized { size, scale });
    }

    /// Shows the output to programs, or takes it from them.
    ///
    /// Viewers read then why there is nothing to see, and whoever drives gets it back by any input.
    pub(crate) fn switch_output(&mut self, on: bool) {
        if on != self.output_is_off() {
            return;
        }
        if on {
            self.output_globals.show(&self.output, &self.display);
            self.shell.off = None;
        } else {
            self.show_that_it_is_off();
            self.output_globals.hide(&self.display, Instant::now());
            self.replace_output();
        }
        self.follow_output();
        self.announce_output();
    }

    /// Puts another output in the place of the old one, which programs may still hold for a while.
    fn replace_output(&mut self) {
        let old = std::mem::replace(&mut self.output, new_output());
        self.output.change_current_state(
            old.current_mode(),
            Some(old.current_transform()),
            Some(old.current_scale()),
            None,
        );
        if let Some(mode) = old.current_mode() {
            self.output.set_preferred(mode);
        }
        let layers: Vec<_> = layer_map_for_output(&old).layers().cloned().collect();
        for layer in layers {
            layer_map_for_output(&old).unmap_layer(&layer);
            layer.layer_surface().send_close();
        }
        self.shell.space.unmap_output(&old);
        self.shell.space.map_output(&self.output, (0, 0));
    }

    /// Sets the size of the picture in pixels, its scale, and how the output is turned.
    pub(crate) fn set_mode(&mut self, size: Size, scale: f64, transform: Transform) {
        let of_mode = turned(size, transform);
        let mode = Mode {
            size: (to_i32(of_mode.width), to_i32(of_mode.height)).into(),
            refresh: to_i32(self.clock.refresh_mhz()),
        };
        let old = self.output.current_mode();
        let scale = if scale.fract() == 0.0 {
            Scale::Integer(whole(scale))
        } else {
            Scale::Fractional(scale)
        };
        self.output
            .change_current_state(Some(mode), Some(transform), Some(scale), None);
        self.output.set_preferred(mode);
        if let Some(old) = old.filter(|old| *old != mode) {
            self.output.delete_mode(old);
        }
        self.screen.resize(size, &self.output);
        self.outlets.set_size(size);
        self.announce_output();
    }
}

/// Makes an output that nobody sees yet.
pub(crate) fn new_output() -> Output {
    let properties = PhysicalProperties {
        // Zero means unknown; programs then assume 96 dots per inch.
        size: (0, 0).into(),
        subpixel: Subpixel::None,
        make: "VROOM".into(),
        model: "headless".into(),
    };
    Output::new(OUTPUT_NAME.into(), properties)
}

/// The size of a picture that is turned.
pub(crate) fn turned(size: Size, transform: Transform) -> Size {
    let size =
        smithay::utils::Size::<i32, Physical>::from((to_i32(size.width), to_i32(size.height)));
    let size = transform.transform_size(size);
    let side = |value: i32| u32::try_from(value).unwrap_or(0);
    Size::new(side(size.w), side(size.h))
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < f64::EPSILON
}

fn to_i32(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the scale was clamped to a few units"
)]
fn whole(scale: f64) -> i32 {
    scale as i32
}

/// The name of the one output.
const OUTPUT_NAME: &str = "VROOM-1";

/// By then every program has heard that an output is gone, and none asks for it any more.
const HEARD_AFTER: Duration = Duration::from_secs(5);

/// The most outputs that are gone and that a program may still ask for.
const RETIRED: usize = 256;
