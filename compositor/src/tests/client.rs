//! A small Wayland program for tests.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use wayland_client::backend::ObjectId;
use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{
    wl_buffer, wl_callback, wl_compositor, wl_data_device, wl_data_device_manager, wl_data_offer,
    wl_data_source, wl_keyboard, wl_output, wl_pointer, wl_region, wl_registry, wl_seat, wl_shm,
    wl_shm_pool, wl_subcompositor, wl_subsurface, wl_surface, wl_touch,
};
use wayland_client::{
    Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop, event_created_child,
};
use wayland_protocols::ext::foreign_toplevel_list::v1::client::{
    ext_foreign_toplevel_handle_v1, ext_foreign_toplevel_list_v1,
};
use wayland_protocols::ext::idle_notify::v1::client::{
    ext_idle_notification_v1, ext_idle_notifier_v1,
};
use wayland_protocols::ext::session_lock::v1::client::{
    ext_session_lock_manager_v1, ext_session_lock_surface_v1, ext_session_lock_v1,
};
use wayland_protocols::wp::alpha_modifier::v1::client::{
    wp_alpha_modifier_surface_v1, wp_alpha_modifier_v1,
};
use wayland_protocols::wp::content_type::v1::client::{
    wp_content_type_manager_v1, wp_content_type_v1,
};
use wayland_protocols::wp::cursor_shape::v1::client::{
    wp_cursor_shape_device_v1, wp_cursor_shape_manager_v1,
};
use wayland_protocols::wp::idle_inhibit::zv1::client::{
    zwp_idle_inhibit_manager_v1, zwp_idle_inhibitor_v1,
};
use wayland_protocols::wp::keyboard_shortcuts_inhibit::zv1::client::{
    zwp_keyboard_shortcuts_inhibit_manager_v1, zwp_keyboard_shortcuts_inhibitor_v1,
};
use wayland_protocols::wp::pointer_constraints::zv1::client::{
    zwp_confined_pointer_v1, zwp_locked_pointer_v1, zwp_pointer_constraints_v1,
};
use wayland_protocols::wp::pointer_gestures::zv1::client::{
    zwp_pointer_gesture_swipe_v1, zwp_pointer_gestures_v1,
};
use wayland_protocols::wp::presentation_time::client::{wp_presentation, wp_presentation_feedback};
use wayland_protocols::wp::relative_pointer::zv1::client::{
    zwp_relative_pointer_manager_v1, zwp_relative_pointer_v1,
};
use wayland_protocols::wp::security_context::v1::client::{
    wp_security_context_manager_v1, wp_security_context_v1,
};
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1;
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_tool_v2;
use wayland_protocols::wp::text_input::zv3::client::{
    zwp_text_input_manager_v3, zwp_text_input_v3,
};
use wayland_protocols::wp::viewporter::client::{wp_viewport, wp_viewporter};
use wayland_protocols::xdg::activation::v1::client::{xdg_activation_token_v1, xdg_activation_v1};
use wayland_protocols::xdg::decoration::zv1::client::{
    zxdg_decoration_manager_v1, zxdg_toplevel_decoration_v1,
};
use wayland_protocols::xdg::dialog::v1::client::{xdg_dialog_v1, xdg_wm_dialog_v1};
use wayland_protocols::xdg::foreign::zv2::client::{
    zxdg_exported_v2, zxdg_exporter_v2, zxdg_imported_v2, zxdg_importer_v2,
};
use wayland_protocols::xdg::shell::client::{
    xdg_popup, xdg_positioner, xdg_surface, xdg_toplevel, xdg_wm_base,
};

use wayland_protocols_misc::zwp_input_method_v2::client::{
    zwp_input_method_manager_v2, zwp_input_method_v2,
};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1, zwp_virtual_keyboard_v1,
};
use wayland_protocols_wlr::layer_shell::v1::client::{zwlr_layer_shell_v1, zwlr_layer_surface_v1};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1, zwlr_screencopy_manager_v1,
};

/// A connected program.
pub(super) struct Client {
    connection: Connection,
    queue: EventQueue<Memory>,
    pub(super) handle: QueueHandle<Memory>,
    registry: wl_registry::WlRegistry,
    pub(super) memory: Memory,
    syncs: usize,
    disconnected: bool,
}

/// What the program was told.
#[derive(Default)]
pub(super) struct Memory {
    globals: HashMap<String, (u32, u32)>,
    pub(super) told: Vec<Told>,
    configures: HashMap<ObjectId, Configure>,
    pending: HashMap<ObjectId, Configure>,
    popups: HashMap<ObjectId, (i32, i32, i32, i32)>,
    done: Vec<usize>,
    offer_types: HashMap<ObjectId, Vec<String>>,
    pub(super) offer: Option<wl_data_offer::WlDataOffer>,
    pub(super) copied: String,
    pub(super) acked: HashMap<ObjectId, u32>,
}

/// One event that tests look at.
#[derive(Debug)]
pub(super) enum Told {
    Frame(usize),
    Keymap(OwnedFd, u32),
    Keyboard(wl_keyboard::Event),
    Pointer(wl_pointer::Event),
    Token(String),
    Exported(String),
    Inhibited,
    Text(zwp_text_input_v3::Event),
    InputMethod(zwp_input_method_v2::Event),
    Copied(zwlr_screencopy_frame_v1::Event),
    Layer(u32, u32, u32),
    Locking(ext_session_lock_v1::Event),
    LockSize(u32, u32, u32),
    Idle(ext_idle_notification_v1::Event),
    Listed(ext_foreign_toplevel_handle_v1::Event),
    Relative(f64, f64),
    Unaccelerated(f64, f64),
    Locked,
    Touch(wl_touch::Event),
    Drag(wl_data_device::Event),
    Cancelled,
    Tool(ObjectId, zwp_tablet_tool_v2::Event),
    Output(wl_output::Event),
    Close(ObjectId),
    PopupDone(ObjectId),
    Presented,
    Decoration(zxdg_toplevel_decoration_v1::Mode),
}

/// A configuration of a window.
#[derive(Clone, Debug, Default)]
pub(super) struct Configure {
    pub(super) serial: u32,
    pub(super) size: (i32, i32),
    pub(super) states: Vec<xdg_toplevel::State>,
}

/// A toplevel window.
#[derive(Clone)]
pub(super) struct Window {
    pub(super) surface: wl_surface::WlSurface,
    pub(super) xdg_surface: xdg_surface::XdgSurface,
    pub(super) toplevel: xdg_toplevel::XdgToplevel,
}

/// A popup.
#[derive(Clone)]
pub(super) struct Popup {
    pub(super) surface: wl_surface::WlSurface,
    pub(super) xdg_surface: xdg_surface::XdgSurface,
    pub(super) popup: xdg_popup::XdgPopup,
}

impl Client {
    pub(super) fn new(stream: UnixStream) -> Self {
        let connection = Connection::from_socket(stream).unwrap();
        let queue = connection.new_event_queue();
        let handle = queue.handle();
        let registry = connection.display().get_registry(&handle, ());
        Self {
            connection,
            queue,
            handle,
            registry,
            memory: Memory::default(),
            syncs: 0,
            disconnected: false,
        }
    }

    /// Reads and handles what was sent; never waits.
    pub(super) fn dispatch(&mut self) {
        // A connection that the compositor ended fails here and stays failed.
        self.disconnected |=
            self.queue.flush().is_err() && self.connection.protocol_error().is_some();
        if let Some(guard) = self.queue.prepare_read()
            && let Err(error) = guard.read()
        {
            let would_block = matches!(
                &error,
                wayland_client::backend::WaylandError::Io(io)
                    if io.kind() == std::io::ErrorKind::WouldBlock
            );
            self.disconnected |= !would_block;
        }
        self.disconnected |= self.queue.dispatch_pending(&mut self.memory).is_err();
    }

    pub(super) const fn is_disconnected(&self) -> bool {
        self.disconnected
    }

    pub(super) fn sync(&mut self) -> usize {
        self.syncs += 1;
        self.connection
            .display()
            .sync(&self.handle, Sync(self.syncs));
        self.syncs
    }

    pub(super) fn is_done(&self, sync: usize) -> bool {
        self.memory.done.contains(&sync)
    }

    /// Binds a global at the highest version that both sides know.
    pub(super) fn bind<I>(&self) -> I
    where
        I: Proxy + 'static,
        Memory: Dispatch<I, ()>,
    {
        let name = I::interface().name;
        let (number, version) = *self
            .memory
            .globals
            .get(name)
            .unwrap_or_else(|| panic!("{name}"));
        let version = version.min(I::interface().version);
        self.registry.bind(number, version, &self.handle, ())
    }

    /// The globals and their versions.
    pub(super) fn globals(&self) -> std::collections::BTreeMap<String, u32> {
        let globals = self.memory.globals.iter();
        globals
            .map(|(name, (_, version))| (name.clone(), *version))
            .collect()
    }

    pub(super) fn create_surface(&self) -> wl_surface::WlSurface {
        let compositor: wl_compositor::WlCompositor = self.bind();
        compositor.create_surface(&self.handle, ())
    }

    pub(super) fn create_window(&self) -> Window {
        let base: xdg_wm_base::XdgWmBase = self.bind();
        let surface = self.create_surface();
        let xdg_surface = base.get_xdg_surface(&surface, &self.handle, ());
        let toplevel = xdg_surface.get_toplevel(&self.handle, xdg_surface.id());
        Window {
            surface,
            xdg_surface,
            toplevel,
        }
    }

    /// Makes a popup of `size` that hangs off the bottom right corner of a 1x1 rectangle.
    pub(super) fn create_popup(
        &self,
        parent: Option<&xdg_surface::XdgSurface>,
        at: (i32, i32),
        size: (i32, i32),
    ) -> Popup {
        let base: xdg_wm_base::XdgWmBase = self.bind();
        let positioner = base.create_positioner(&self.handle, ());
        positioner.set_size(size.0, size.1);
        positioner.set_anchor_rect(at.0, at.1, 1, 1);
        positioner.set_anchor(xdg_positioner::Anchor::BottomRight);
        positioner.set_gravity(xdg_positioner::Gravity::BottomRight);
        positioner.set_constraint_adjustment(
            xdg_positioner::ConstraintAdjustment::SlideX
                | xdg_positioner::ConstraintAdjustment::SlideY,
        );
        let surface = self.create_surface();
        let xdg_surface = base.get_xdg_surface(&surface, &self.handle, ());
        let popup = xdg_surface.get_popup(parent, &positioner, &self.handle, ());
        Popup {
            surface,
            xdg_surface,
            popup,
        }
    }

    /// The last complete configuration of a window.
    pub(super) fn configure(&self, window: &Window) -> Option<Configure> {
        self.memory
            .configures
            .get(&window.xdg_surface.id())
            .cloned()
    }

    pub(super) fn popup_configure(&self, popup: &Popup) -> Option<(u32, (i32, i32, i32, i32))> {
        let serial = self.memory.configures.get(&popup.xdg_surface.id())?.serial;
        Some((serial, *self.memory.popups.get(&popup.popup.id())?))
    }

    /// A buffer of one colour, 0xRRGGBB.
    pub(super) fn buffer(&self, width: i32, height: i32, colour: u32) -> wl_buffer::WlBuffer {
        self.buffer_with(width, height, |_, _| 0xff00_0000 | colour)
            .0
    }

    /// A buffer whose pixels are computed, and the file that they lie in.
    pub(super) fn buffer_with(
        &self,
        width: i32,
        height: i32,
        pixel: impl Fn(i32, i32) -> u32,
    ) -> (wl_buffer::WlBuffer, File) {
        let mut file = tempfile::tempfile().unwrap();
        let pixels: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| pixel(x, y).to_le_bytes())
            .collect();
        file.write_all(&pixels).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let shm: wl_shm::WlShm = self.bind();
        let length = i32::try_from(pixels.len()).unwrap();
        let pool = shm.create_pool(file.as_fd(), length, &self.handle, ());
        let format = wl_shm::Format::Argb8888;
        let buffer = pool.create_buffer(0, width, height, width * 4, format, &self.handle, ());
        pool.destroy();
        (buffer, file)
    }

    /// Asks for a frame callback that is remembered under a number.
    pub(super) fn ask_frame(&self, surface: &wl_surface::WlSurface, number: usize) {
        surface.frame(&self.handle, Frame(number));
    }

    pub(super) fn was_called_back(&self, number: usize) -> bool {
        let frame = |told: &Told| matches!(told, Told::Frame(have) if *have == number);
        self.memory.told.iter().any(frame)
    }

    /// Takes what the program was told so far.
    pub(super) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.memory.told)
    }

    pub(super) fn offer_types(&self) -> Vec<String> {
        let offer = self.memory.offer.as_ref();
        offer
            .and_then(|offer| self.memory.offer_types.get(&offer.id()))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn flush(&self) {
        self.connection.flush().unwrap();
    }
}

/// Numbers a roundtrip.
pub(super) struct Sync(usize);

/// Numbers a frame callback.
pub(super) struct Frame(usize);

impl Dispatch<wl_registry::WlRegistry, ()> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global {
                name,
                interface,
                version,
            } => {
                memory.globals.insert(interface, (name, version));
            }
            wl_registry::Event::GlobalRemove { name } => {
                memory.globals.retain(|_, (have, _)| *have != name);
            }
            _ => {}
        }
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Memory {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<wl_callback::WlCallback, Sync> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        sync: &Sync,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        memory.done.push(sync.0);
    }
}

impl Dispatch<wl_callback::WlCallback, Frame> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        frame: &Frame,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        memory.told.push(Told::Frame(frame.0));
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Memory {
    fn event(
        _: &mut Self,
        base: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            base.pong(serial);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Memory {
    fn event(
        memory: &mut Self,
        surface: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            let pending = memory.pending.get(&surface.id()).cloned();
            let configure = Configure {
                serial,
                ..pending.unwrap_or_default()
            };
            memory.configures.insert(surface.id(), configure);
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ObjectId> for Memory {
    fn event(
        memory: &mut Self,
        toplevel: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        surface: &ObjectId,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure {
                width,
                height,
                states,
            } => {
                let states = states.chunks_exact(4).filter_map(|raw| {
                    let raw = u32::from_ne_bytes(raw.try_into().ok()?);
                    xdg_toplevel::State::try_from(raw).ok()
                });
                let configure = Configure {
                    serial: 0,
                    size: (width, height),
                    states: states.collect(),
                };
                memory.pending.insert(surface.clone(), configure);
            }
            xdg_toplevel::Event::Close => memory.told.push(Told::Close(toplevel.id())),
            _ => {}
        }
    }
}

impl Dispatch<xdg_popup::XdgPopup, ()> for Memory {
    fn event(
        memory: &mut Self,
        popup: &xdg_popup::XdgPopup,
        event: xdg_popup::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_popup::Event::Configure {
                x,
                y,
                width,
                height,
            } => {
                memory.popups.insert(popup.id(), (x, y, width, height));
            }
            xdg_popup::Event::PopupDone => memory.told.push(Told::PopupDone(popup.id())),
            _ => {}
        }
    }
}

impl Dispatch<wl_keyboard::WlKeyboard, ()> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_keyboard::WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        memory.told.push(match event {
            wl_keyboard::Event::Keymap { fd, size, .. } => Told::Keymap(fd, size),
            event => Told::Keyboard(event),
        });
    }
}

/// Remembers every event of an interface.
macro_rules! remember {
    ($interface:ty, $event:pat => $told:expr) => {
        impl Dispatch<$interface, ()> for Memory {
            fn event(
                memory: &mut Self,
                _: &$interface,
                event: <$interface as Proxy>::Event,
                (): &(),
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
                #[allow(
                    irrefutable_let_patterns,
                    reason = "some interfaces have one event only"
                )]
                if let $event = event {
                    memory.told.push($told);
                }
            }
        }
    };
}

remember!(wl_pointer::WlPointer, event => Told::Pointer(event));
remember!(wl_touch::WlTouch, event => Told::Touch(event));
remember!(wl_output::WlOutput, event => Told::Output(event));
remember!(
    zwp_locked_pointer_v1::ZwpLockedPointerV1,
    zwp_locked_pointer_v1::Event::Locked => Told::Locked
);
remember!(
    wp_presentation_feedback::WpPresentationFeedback,
    wp_presentation_feedback::Event::Presented { .. } => Told::Presented
);
remember!(
    zxdg_toplevel_decoration_v1::ZxdgToplevelDecorationV1,
    zxdg_toplevel_decoration_v1::Event::Configure { mode: wayland_client::WEnum::Value(mode) } =>
        Told::Decoration(mode)
);

remember!(
    xdg_activation_token_v1::XdgActivationTokenV1,
    xdg_activation_token_v1::Event::Done { token } => Told::Token(token)
);
remember!(
    zxdg_exported_v2::ZxdgExportedV2,
    zxdg_exported_v2::Event::Handle { handle } => Told::Exported(handle)
);
remember!(
    zwp_keyboard_shortcuts_inhibitor_v1::ZwpKeyboardShortcutsInhibitorV1,
    zwp_keyboard_shortcuts_inhibitor_v1::Event::Active => Told::Inhibited
);
remember!(zwp_text_input_v3::ZwpTextInputV3, event => Told::Text(event));
remember!(zwp_input_method_v2::ZwpInputMethodV2, event => Told::InputMethod(event));
remember!(zwlr_screencopy_frame_v1::ZwlrScreencopyFrameV1, event => Told::Copied(event));
remember!(ext_session_lock_v1::ExtSessionLockV1, event => Told::Locking(event));
remember!(ext_idle_notification_v1::ExtIdleNotificationV1, event => Told::Idle(event));
remember!(
    ext_foreign_toplevel_handle_v1::ExtForeignToplevelHandleV1,
    event => Told::Listed(event)
);
remember!(
    zwlr_layer_surface_v1::ZwlrLayerSurfaceV1,
    zwlr_layer_surface_v1::Event::Configure { serial, width, height } =>
        Told::Layer(serial, width, height)
);
remember!(
    ext_session_lock_surface_v1::ExtSessionLockSurfaceV1,
    ext_session_lock_surface_v1::Event::Configure { serial, width, height } =>
        Told::LockSize(serial, width, height)
);

impl Dispatch<ext_foreign_toplevel_list_v1::ExtForeignToplevelListV1, ()> for Memory {
    fn event(
        _: &mut Self,
        _: &ext_foreign_toplevel_list_v1::ExtForeignToplevelListV1,
        _: ext_foreign_toplevel_list_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }

    event_created_child!(Self, ext_foreign_toplevel_list_v1::ExtForeignToplevelListV1, [
        ext_foreign_toplevel_list_v1::EVT_TOPLEVEL_OPCODE =>
            (ext_foreign_toplevel_handle_v1::ExtForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<zwp_relative_pointer_v1::ZwpRelativePointerV1, ()> for Memory {
    fn event(
        memory: &mut Self,
        _: &zwp_relative_pointer_v1::ZwpRelativePointerV1,
        event: zwp_relative_pointer_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zwp_relative_pointer_v1::Event::RelativeMotion {
            dx,
            dy,
            dx_unaccel,
            dy_unaccel,
            ..
        } = event
        {
            memory.told.push(Told::Relative(dx, dy));
            memory
                .told
                .push(Told::Unaccelerated(dx_unaccel, dy_unaccel));
        }
    }
}

impl Dispatch<wl_data_device::WlDataDevice, ()> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_data_device::WlDataDevice,
        event: wl_data_device::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            wl_data_device::Event::Selection { id } => memory.offer = id,
            wl_data_device::Event::DataOffer { .. } => {}
            event => memory.told.push(Told::Drag(event)),
        }
    }

    event_created_child!(Self, wl_data_device::WlDataDevice, [
        wl_data_device::EVT_DATA_OFFER_OPCODE => (wl_data_offer::WlDataOffer, ()),
    ]);
}

impl Dispatch<wl_data_offer::WlDataOffer, ()> for Memory {
    fn event(
        memory: &mut Self,
        offer: &wl_data_offer::WlDataOffer,
        event: wl_data_offer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_data_offer::Event::Offer { mime_type } = event {
            let types = memory.offer_types.entry(offer.id()).or_default();
            types.push(mime_type);
        }
    }
}

impl Dispatch<wl_data_source::WlDataSource, ()> for Memory {
    fn event(
        memory: &mut Self,
        _: &wl_data_source::WlDataSource,
        event: wl_data_source::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            wl_data_source::Event::Send { fd, .. } => {
                File::from(fd).write_all(memory.copied.as_bytes()).unwrap();
            }
            wl_data_source::Event::Cancelled => memory.told.push(Told::Cancelled),
            _ => {}
        }
    }
}

delegate_noop!(Memory: ignore xdg_activation_v1::XdgActivationV1);
delegate_noop!(Memory: ignore zxdg_exporter_v2::ZxdgExporterV2);
delegate_noop!(Memory: ignore zxdg_importer_v2::ZxdgImporterV2);
delegate_noop!(Memory: ignore zxdg_imported_v2::ZxdgImportedV2);
delegate_noop!(Memory: ignore xdg_wm_dialog_v1::XdgWmDialogV1);
delegate_noop!(Memory: ignore xdg_dialog_v1::XdgDialogV1);
delegate_noop!(Memory: ignore wp_content_type_manager_v1::WpContentTypeManagerV1);
delegate_noop!(Memory: ignore wp_content_type_v1::WpContentTypeV1);
delegate_noop!(Memory: ignore wp_alpha_modifier_v1::WpAlphaModifierV1);
delegate_noop!(Memory: ignore wp_alpha_modifier_surface_v1::WpAlphaModifierSurfaceV1);
delegate_noop!(Memory: ignore zwp_pointer_gestures_v1::ZwpPointerGesturesV1);
delegate_noop!(Memory: ignore zwp_pointer_gesture_swipe_v1::ZwpPointerGestureSwipeV1);
delegate_noop!(
    Memory: ignore zwp_keyboard_shortcuts_inhibit_manager_v1::ZwpKeyboardShortcutsInhibitManagerV1
);
delegate_noop!(Memory: ignore zwp_text_input_manager_v3::ZwpTextInputManagerV3);
delegate_noop!(Memory: ignore zwp_input_method_manager_v2::ZwpInputMethodManagerV2);
delegate_noop!(Memory: ignore zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1);
delegate_noop!(Memory: ignore zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1);
delegate_noop!(Memory: ignore zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1);
delegate_noop!(Memory: ignore zwlr_layer_shell_v1::ZwlrLayerShellV1);
delegate_noop!(Memory: ignore ext_session_lock_manager_v1::ExtSessionLockManagerV1);
delegate_noop!(Memory: ignore ext_idle_notifier_v1::ExtIdleNotifierV1);
delegate_noop!(Memory: ignore zwp_idle_inhibit_manager_v1::ZwpIdleInhibitManagerV1);
delegate_noop!(Memory: ignore zwp_idle_inhibitor_v1::ZwpIdleInhibitorV1);
delegate_noop!(Memory: ignore wp_security_context_manager_v1::WpSecurityContextManagerV1);
delegate_noop!(Memory: ignore wp_security_context_v1::WpSecurityContextV1);
delegate_noop!(Memory: ignore wl_compositor::WlCompositor);
delegate_noop!(Memory: ignore wl_subcompositor::WlSubcompositor);
delegate_noop!(Memory: ignore wl_subsurface::WlSubsurface);
delegate_noop!(Memory: ignore wl_surface::WlSurface);
delegate_noop!(Memory: ignore wl_region::WlRegion);
delegate_noop!(Memory: ignore wl_shm::WlShm);
delegate_noop!(Memory: ignore wl_shm_pool::WlShmPool);
delegate_noop!(Memory: ignore wl_buffer::WlBuffer);
delegate_noop!(Memory: ignore wl_seat::WlSeat);
delegate_noop!(Memory: ignore wl_data_device_manager::WlDataDeviceManager);
delegate_noop!(Memory: ignore xdg_positioner::XdgPositioner);
delegate_noop!(Memory: ignore zxdg_decoration_manager_v1::ZxdgDecorationManagerV1);
delegate_noop!(Memory: ignore zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1);
delegate_noop!(Memory: ignore zwp_pointer_constraints_v1::ZwpPointerConstraintsV1);
delegate_noop!(Memory: ignore zwp_confined_pointer_v1::ZwpConfinedPointerV1);
delegate_noop!(Memory: ignore wp_presentation::WpPresentation);
delegate_noop!(Memory: ignore wp_viewporter::WpViewporter);
delegate_noop!(Memory: ignore wp_viewport::WpViewport);
delegate_noop!(Memory: ignore wp_cursor_shape_manager_v1::WpCursorShapeManagerV1);
delegate_noop!(Memory: ignore wp_cursor_shape_device_v1::WpCursorShapeDeviceV1);
delegate_noop!(Memory: ignore wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1);
