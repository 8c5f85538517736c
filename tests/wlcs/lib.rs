//! Lets wlcs, the Wayland conformance suite, run against the compositor.
//!
//! wlcs loads this library and asks it for a compositor per test, for connections to that, and for
//! a pointer and fingers. Windows float, as on a desktop without a panel.
#![expect(
    clippy::expect_used,
    reason = "a suite without a compositor ends and says why"
)]

pub mod abi;

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{AsRawFd as _, IntoRawFd as _, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, Program, ShellStyle};
use vroom_desktop::{Desktop as _, Evdev, InputEvent, KeyState, Layout, Size};

use abi::{
    Descriptor, Display, DisplayServer, Extension, Pointer, ServerIntegration, Surface, Touch,
    wl_display_get_fd, wl_proxy_get_id,
};

/// What wlcs looks for.
#[unsafe(no_mangle)]
pub static wlcs_server_integration: ServerIntegration = ServerIntegration {
    version: 1,
    create_server,
    destroy_server,
};

/// What wlcs has of us for one test. What it knows stands first, so that its address is ours.
#[repr(C)]
struct Server {
    known: DisplayServer,
    running: Option<Running>,
}

/// The compositor of one test.
struct Running {
    compositor: Arc<Compositor>,
    /// The programs by their ends of the connections.
    programs: HashMap<RawFd, Program>,
    _runtime_dir: TempDir,
}

impl Running {
    fn start() -> Self {
        let runtime_dir = tempfile::tempdir().expect("there is a folder for temporary files");
        let config = CompositorConfig {
            size: SIZE,
            scale: 1.0,
            refresh_hz: 60,
            layout: Layout {
                layout: "us".into(),
                ..Layout::default()
            },
            command: None,
            on_exit: OnExit::Keep,
            x11: false,
            shell: ShellStyle::Desktop,
            autostart: false,
            runtime_dir: runtime_dir.path().to_owned(),
            env: Vec::new(),
        };
        let compositor =
            Compositor::start(config, Arc::new(|_| ())).expect("the compositor starts");
        compositor.bare();
        compositor.set_watched(true);
        Self {
            compositor: Arc::new(compositor),
            programs: HashMap::new(),
            _runtime_dir: runtime_dir,
        }
    }
}

/// A pointer or a finger, and the compositor that it belongs to.
#[repr(C)]
struct Device<Known> {
    known: Known,
    compositor: Arc<Compositor>,
    id: u32,
}

extern "C" fn create_server(_: c_int, _: *mut *const c_char) -> *mut DisplayServer {
    let known = DisplayServer {
        version: 3,
        start,
        stop,
        create_client_socket,
        position_window_absolute,
        create_pointer,
        create_touch,
        descriptor,
        start_on_this_thread: None,
    };
    let running = None;
    Box::into_raw(Box::new(Server { known, running })).cast()
}

unsafe extern "C" fn destroy_server(server: *mut DisplayServer) {
    // SAFETY: wlcs passes what `create_server` gave it, for the last time.
    drop(unsafe { Box::from_raw(server.cast::<Server>()) });
}

/// What is behind a server that wlcs knows.
///
/// # Safety
///
/// It is one of `create_server` that was not destroyed, and nobody else looks at it.
unsafe fn server_of<'a>(server: *mut DisplayServer) -> &'a mut Server {
    // SAFETY: The caller says that it is there, and it begins with what wlcs knows of it.
    unsafe { &mut *server.cast::<Server>() }
}

unsafe extern "C" fn start(server: *mut DisplayServer) {
    // SAFETY: wlcs calls with servers of ours, one call at a time.
    unsafe { server_of(server) }.running = Some(Running::start());
}

unsafe extern "C" fn stop(server: *mut DisplayServer) {
    // SAFETY: As above.
    if let Some(running) = unsafe { server_of(server) }.running.take() {
        running.compositor.shut_down();
    }
}

unsafe extern "C" fn create_client_socket(server: *mut DisplayServer) -> c_int {
    // SAFETY: As above.
    let Some(running) = &mut unsafe { server_of(server) }.running else {
        return -1;
    };
    let Ok((stream, program)) = running.compositor.connect() else {
        return -1;
    };
    running.programs.insert(stream.as_raw_fd(), program);
    stream.into_raw_fd()
}

unsafe extern "C" fn position_window_absolute(
    server: *mut DisplayServer,
    display: *mut Display,
    surface: *mut Surface,
    x: c_int,
    y: c_int,
) {
    // SAFETY: wlcs passes a connection of its own, which lives during this call.
    let fd = unsafe { wl_display_get_fd(display) };
    // SAFETY: The same holds for the surface.
    let id = unsafe { wl_proxy_get_id(surface) };
    // SAFETY: As above.
    if let Some(running) = &unsafe { server_of(server) }.running
        && let Some(program) = running.programs.get(&fd)
    {
        running.compositor.put_window(program, id, x, y);
    }
}

unsafe extern "C" fn create_pointer(server: *mut DisplayServer) -> *mut Pointer {
    let known = Pointer {
        version: 1,
        move_absolute,
        move_relative,
        button_up,
        button_down,
        destroy: destroy_pointer,
    };
    // SAFETY: As above.
    device(unsafe { server_of(server) }, known).cast()
}

unsafe extern "C" fn create_touch(server: *mut DisplayServer) -> *mut Touch {
    let known = Touch {
        version: 1,
        down,
        motion,
        up,
        destroy: destroy_touch,
    };
    // SAFETY: As above.
    device(unsafe { server_of(server) }, known).cast()
}

/// Makes a device; nothing where no compositor runs.
fn device<Known>(server: &Server, known: Known) -> *mut Device<Known> {
    static DEVICES: AtomicU32 = AtomicU32::new(0);
    let Some(running) = &server.running else {
        return std::ptr::null_mut();
    };
    Box::into_raw(Box::new(Device {
        known,
        compositor: Arc::clone(&running.compositor),
        id: DEVICES.fetch_add(1, Ordering::Relaxed),
    }))
}

/// Applies input of a device.
///
/// # Safety
///
/// The device is one of ours that was not destroyed.
unsafe fn inject<Known>(device: *mut Known, event: impl FnOnce(u32) -> InputEvent) {
    // SAFETY: The caller says that it is there, and it begins with what wlcs knows of it.
    let device = unsafe { &*device.cast::<Device<Known>>() };
    device.compositor.inject_now(event(device.id));
}

unsafe extern "C" fn move_absolute(pointer: *mut Pointer, x: i32, y: i32) {
    let (x, y) = (number(x), number(y));
    // SAFETY: wlcs calls with pointers of ours.
    unsafe { inject(pointer, |_| InputEvent::PointerMotion { x, y }) };
}

unsafe extern "C" fn move_relative(pointer: *mut Pointer, dx: i32, dy: i32) {
    let (dx, dy) = (number(dx), number(dy));
    // SAFETY: As above.
    unsafe { inject(pointer, |_| InputEvent::PointerMotionRelative { dx, dy }) };
}

unsafe extern "C" fn button_up(pointer: *mut Pointer, button: c_int) {
    // SAFETY: As above.
    unsafe { inject(pointer, |_| button_event(button, KeyState::Released)) };
}

unsafe extern "C" fn button_down(pointer: *mut Pointer, button: c_int) {
    // SAFETY: As above.
    unsafe { inject(pointer, |_| button_event(button, KeyState::Pressed)) };
}

unsafe extern "C" fn destroy_pointer(pointer: *mut Pointer) {
    // SAFETY: wlcs passes what `create_pointer` gave it, for the last time.
    drop(unsafe { Box::from_raw(pointer.cast::<Device<Pointer>>()) });
}

unsafe extern "C" fn down(touch: *mut Touch, x: i32, y: i32) {
    let (x, y) = (f64::from(x), f64::from(y));
    // SAFETY: wlcs calls with fingers of ours.
    unsafe { inject(touch, |id| InputEvent::TouchDown { id, x, y }) };
}

unsafe extern "C" fn motion(touch: *mut Touch, x: i32, y: i32) {
    let (x, y) = (f64::from(x), f64::from(y));
    // SAFETY: As above.
    unsafe { inject(touch, |id| InputEvent::TouchMotion { id, x, y }) };
}

unsafe extern "C" fn up(touch: *mut Touch) {
    // SAFETY: As above.
    unsafe { inject(touch, |id| InputEvent::TouchUp { id }) };
}

unsafe extern "C" fn destroy_touch(touch: *mut Touch) {
    // SAFETY: wlcs passes what `create_touch` gave it, for the last time.
    drop(unsafe { Box::from_raw(touch.cast::<Device<Touch>>()) });
}

fn button_event(button: c_int, state: KeyState) -> InputEvent {
    let code = Evdev(u16::try_from(button).expect("buttons have small numbers"));
    InputEvent::PointerButton { code, state }
}

/// The number that a wl_fixed is.
fn number(fixed: i32) -> f64 {
    f64::from(fixed) / 256.0
}

extern "C" fn descriptor(_: *const DisplayServer) -> *const Descriptor {
    static DESCRIPTOR: Descriptor = Descriptor {
        version: 1,
        extensions: EXTENSIONS.len(),
        first: EXTENSIONS.as_ptr(),
    };
    &DESCRIPTOR
}

const fn serves(name: &'static CStr, version: u32) -> Extension {
    let name = name.as_ptr();
    Extension { name, version }
}

/// What is served. wlcs skips tests of what does not stand here, and those of what does fail where
/// it is missing.
static EXTENSIONS: [Extension; 29] = [
    serves(c"wl_compositor", 6),
    serves(c"wl_subcompositor", 1),
    serves(c"wl_shm", 2),
    serves(c"wl_seat", 9),
    serves(c"wl_output", 4),
    serves(c"wl_data_device_manager", 3),
    serves(c"zwp_primary_selection_device_manager_v1", 1),
    serves(c"xdg_wm_base", 6),
    serves(c"zxdg_output_manager_v1", 3),
    serves(c"zxdg_decoration_manager_v1", 1),
    serves(c"xdg_activation_v1", 1),
    serves(c"wp_viewporter", 1),
    serves(c"wp_fractional_scale_manager_v1", 1),
    serves(c"wp_presentation", 2),
    serves(c"wp_cursor_shape_manager_v1", 2),
    serves(c"zwp_relative_pointer_manager_v1", 1),
    serves(c"zwp_pointer_constraints_v1", 1),
    serves(c"zwp_pointer_gestures_v1", 3),
    serves(c"zwp_text_input_manager_v3", 1),
    serves(c"zwp_input_method_manager_v2", 1),
    serves(c"zwp_virtual_keyboard_manager_v1", 1),
    serves(c"zwp_idle_inhibit_manager_v1", 1),
    serves(c"ext_idle_notifier_v1", 2),
    serves(c"ext_session_lock_manager_v1", 1),
    serves(c"ext_foreign_toplevel_list_v1", 1),
    serves(c"zwlr_layer_shell_v1", 4),
    serves(c"zwlr_screencopy_manager_v1", 3),
    serves(c"zwlr_data_control_manager_v1", 2),
    serves(c"ext_data_control_manager_v1", 1),
];

/// The size of the output, in which the tests of wlcs have room.
const SIZE: Size = Size::new(1280, 1024);
