//! The protocols that programs may speak, one file for each family.

mod compositor;
mod constraints;
mod data_device;
mod presentation;
mod seat;
mod small;
mod xdg_activation;
mod xdg_decoration;
mod xdg_shell;

use smithay::input::SeatState;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::WmCapabilities;
use smithay::reexports::wayland_server::DisplayHandle;
use smithay::utils::{ClockSource as _, Monotonic};
use smithay::wayland::compositor::CompositorState;
use smithay::wayland::cursor_shape::CursorShapeManagerState;
use smithay::wayland::fractional_scale::FractionalScaleManagerState;
use smithay::wayland::idle_inhibit::IdleInhibitManagerState;
use smithay::wayland::output::OutputManagerState;
use smithay::wayland::pointer_constraints::PointerConstraintsState;
use smithay::wayland::presentation::PresentationState;
use smithay::wayland::relative_pointer::RelativePointerManagerState;
use smithay::wayland::selection::data_device::DataDeviceState;
use smithay::wayland::selection::primary_selection::PrimarySelectionState;
use smithay::wayland::shell::xdg::XdgShellState;
use smithay::wayland::shell::xdg::decoration::XdgDecorationState;
use smithay::wayland::shm::ShmState;
use smithay::wayland::single_pixel_buffer::SinglePixelBufferState;
use smithay::wayland::viewporter::ViewporterState;
use smithay::wayland::xdg_activation::XdgActivationState;

pub(crate) use constraints::Freedom;

use crate::state::State;

/// The globals that programs find in the registry.
pub(crate) struct Protocols {
    pub(crate) compositor: CompositorState,
    pub(crate) shm: ShmState,
    pub(crate) seat: SeatState<State>,
    pub(crate) xdg_shell: XdgShellState,
    pub(crate) xdg_activation: XdgActivationState,
    pub(crate) data_device: DataDeviceState,
    pub(crate) primary_selection: PrimarySelectionState,
    _silent: Silent,
}

/// Globals that need nothing from us once they exist.
#[expect(dead_code, reason = "they live as long as the display")]
struct Silent {
    output: OutputManagerState,
    decoration: XdgDecorationState,
    viewporter: ViewporterState,
    fractional_scale: FractionalScaleManagerState,
    single_pixel: SinglePixelBufferState,
    presentation: PresentationState,
    cursor_shape: CursorShapeManagerState,
    relative_pointer: RelativePointerManagerState,
    constraints: PointerConstraintsState,
    idle_inhibit: IdleInhibitManagerState,
}

impl Protocols {
    /// Puts the globals into the registry.
    pub(crate) fn new(display: &DisplayHandle) -> Self {
        let capabilities = [
            WmCapabilities::Maximize,
            WmCapabilities::Fullscreen,
            WmCapabilities::Minimize,
        ];
        // The clock that `presented` times are on, as clock_gettime(2) numbers them.
        let clock = Monotonic::ID as u32;
        Self {
            compositor: CompositorState::new::<State>(display),
            shm: ShmState::new::<State>(display, []),
            seat: SeatState::new(),
            xdg_shell: XdgShellState::new_with_capabilities::<State>(display, capabilities),
            xdg_activation: XdgActivationState::new::<State>(display),
            data_device: DataDeviceState::new::<State>(display),
            primary_selection: PrimarySelectionState::new::<State>(display),
            _silent: Silent {
                output: OutputManagerState::new_with_xdg_output::<State>(display),
                decoration: XdgDecorationState::new::<State>(display),
                viewporter: ViewporterState::new::<State>(display),
                fractional_scale: FractionalScaleManagerState::new::<State>(display),
                single_pixel: SinglePixelBufferState::new::<State>(display),
                presentation: PresentationState::new::<State>(display, clock),
                cursor_shape: CursorShapeManagerState::new::<State>(display),
                relative_pointer: RelativePointerManagerState::new::<State>(display),
                constraints: PointerConstraintsState::new::<State>(display),
                idle_inhibit: IdleInhibitManagerState::new::<State>(display),
            },
        }
    }
}
