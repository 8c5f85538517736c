//! The protocols that programs may speak, one file for each family.

mod compositor;
mod constraints;
mod data_device;
mod idle;
mod input_method;
mod layer_shell;
mod output_management;
mod presentation;
mod sandbox;
mod screencopy;
mod seat;
mod session_lock;
mod shm;
mod shortcuts;
mod small;
mod subsurface;
mod text_input;
mod toplevels;
mod virtual_keyboard;
mod xdg_activation;
mod xdg_decoration;
mod xdg_shell;
mod xwm;

use smithay::input::SeatState;
use smithay::reexports::calloop::LoopHandle;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::WmCapabilities;
use smithay::reexports::wayland_server::DisplayHandle;
use smithay::utils::{ClockSource as _, Monotonic};
use smithay::wayland::alpha_modifier::AlphaModifierState;
use smithay::wayland::compositor::CompositorState;
use smithay::wayland::content_type::ContentTypeState;
use smithay::wayland::cursor_shape::CursorShapeManagerState;
use smithay::wayland::foreign_toplevel_list::ForeignToplevelListState;
use smithay::wayland::fractional_scale::FractionalScaleManagerState;
use smithay::wayland::idle_inhibit::IdleInhibitManagerState;
use smithay::wayland::idle_notify::IdleNotifierState;
use smithay::wayland::keyboard_shortcuts_inhibit::KeyboardShortcutsInhibitState;
use smithay::wayland::output::OutputManagerState;
use smithay::wayland::pointer_constraints::PointerConstraintsState;
use smithay::wayland::pointer_gestures::PointerGesturesState;
use smithay::wayland::presentation::PresentationState;
use smithay::wayland::relative_pointer::RelativePointerManagerState;
use smithay::wayland::security_context::SecurityContextState;
use smithay::wayland::selection::data_device::DataDeviceState;
use smithay::wayland::selection::ext_data_control;
use smithay::wayland::selection::primary_selection::PrimarySelectionState;
use smithay::wayland::selection::wlr_data_control;
use smithay::wayland::session_lock::SessionLockManagerState;
use smithay::wayland::shell::wlr_layer::WlrLayerShellState;
use smithay::wayland::shell::xdg::XdgShellState;
use smithay::wayland::shell::xdg::decoration::XdgDecorationState;
use smithay::wayland::shell::xdg::dialog::XdgDialogState;
use smithay::wayland::shm::ShmState;
use smithay::wayland::single_pixel_buffer::SinglePixelBufferState;
use smithay::wayland::tablet_manager::TabletManagerState;
use smithay::wayland::viewporter::ViewporterState;
use smithay::wayland::xdg_activation::XdgActivationState;
use smithay::wayland::xdg_foreign::XdgForeignState;
use smithay::wayland::xwayland_shell::XWaylandShellState;

pub(crate) use constraints::Freedom;
pub(crate) use data_device::to_selection;
pub(crate) use input_method::InputMethod;
pub(crate) use output_management::OutputManagers;
pub(crate) use screencopy::{Captures, Composed};
pub(crate) use session_lock::Locked;
pub(crate) use text_input::TextInputs;
pub(crate) use toplevels::{Listed, names, relist};

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
    pub(crate) wlr_data_control: wlr_data_control::DataControlState,
    pub(crate) ext_data_control: ext_data_control::DataControlState,
    pub(crate) layer_shell: WlrLayerShellState,
    pub(crate) session_lock: SessionLockManagerState,
    pub(crate) idle: IdleNotifierState<State>,
    pub(crate) shortcuts: KeyboardShortcutsInhibitState,
    pub(crate) toplevels: ForeignToplevelListState,
    pub(crate) xdg_foreign: XdgForeignState,
    pub(crate) xwayland_shell: XWaylandShellState,
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
    gestures: PointerGesturesState,
    tablet: TabletManagerState,
    content_type: ContentTypeState,
    alpha: AlphaModifierState,
    dialog: XdgDialogState,
    security: SecurityContextState,
}

impl Protocols {
    /// Puts the globals into the registry.
    ///
    /// What would let a sandboxed program watch or drive the others is hidden from it.
    pub(crate) fn new(display: &DisplayHandle, events: LoopHandle<'static, State>) -> Self {
        let capabilities = [
            WmCapabilities::Maximize,
            WmCapabilities::Fullscreen,
            WmCapabilities::Minimize,
            WmCapabilities::WindowMenu,
        ];
        let primary_selection = PrimarySelectionState::new::<State>(display);
        let primary = Some(&primary_selection);
        screencopy::offer(display);
        text_input::offer(display);
        input_method::offer(display);
        output_management::offer(display);
        virtual_keyboard::offer(display);
        // The clock that `presented` times are on, as clock_gettime(2) numbers them.
        let clock = Monotonic::ID as u32;
        Self {
            compositor: CompositorState::new_v6::<State>(display),
            shm: ShmState::new::<State>(display, []),
            seat: SeatState::new(),
            xdg_shell: XdgShellState::new_with_capabilities::<State>(display, capabilities),
            xdg_activation: XdgActivationState::new::<State>(display),
            data_device: DataDeviceState::new::<State>(display),
            wlr_data_control: wlr_data_control::DataControlState::new::<State, _>(
                display,
                primary,
                sandbox::is_trusted,
            ),
            ext_data_control: ext_data_control::DataControlState::new::<State, _>(
                display,
                primary,
                sandbox::is_trusted,
            ),
            primary_selection,
            layer_shell: WlrLayerShellState::new_with_filter::<State, _>(
                display,
                sandbox::is_trusted,
            ),
            session_lock: SessionLockManagerState::new::<State, _>(display, sandbox::is_trusted),
            idle: IdleNotifierState::new(display, events),
            shortcuts: KeyboardShortcutsInhibitState::new::<State>(display),
            toplevels: ForeignToplevelListState::new_with_filter::<State>(
                display,
                sandbox::is_trusted,
            ),
            xdg_foreign: XdgForeignState::new::<State>(display),
            xwayland_shell: XWaylandShellState::new::<State>(display),
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
                gestures: PointerGesturesState::new::<State>(display),
                tablet: TabletManagerState::new::<State>(display),
                content_type: ContentTypeState::new::<State>(display),
                alpha: AlphaModifierState::new::<State>(display),
                dialog: XdgDialogState::new::<State>(display),
                security: SecurityContextState::new::<State, _>(display, sandbox::is_trusted),
            },
        }
    }
}
