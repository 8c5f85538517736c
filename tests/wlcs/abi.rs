//! What wlcs and an integration know of each other, as its headers say it.
//!
//! The crate that has this would bring libwayland's half for programs into all of the workspace.

use std::ffi::{c_char, c_int, c_void};

/// What wlcs looks for in the library.
#[repr(C)]
#[derive(Debug)]
pub struct ServerIntegration {
    pub(crate) version: u32,
    pub(crate) create_server: extern "C" fn(c_int, *mut *const c_char) -> *mut DisplayServer,
    pub(crate) destroy_server: unsafe extern "C" fn(*mut DisplayServer),
}

/// A compositor.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct DisplayServer {
    pub(crate) version: u32,
    pub(crate) start: unsafe extern "C" fn(*mut Self),
    pub(crate) stop: unsafe extern "C" fn(*mut Self),
    pub(crate) create_client_socket: unsafe extern "C" fn(*mut Self) -> c_int,
    pub(crate) position_window_absolute:
        unsafe extern "C" fn(*mut Self, *mut Display, *mut Surface, c_int, c_int),
    pub(crate) create_pointer: unsafe extern "C" fn(*mut Self) -> *mut Pointer,
    pub(crate) create_touch: unsafe extern "C" fn(*mut Self) -> *mut Touch,
    pub(crate) descriptor: extern "C" fn(*const Self) -> *const Descriptor,
    /// For compositors that cannot have a thread of their own.
    pub(crate) start_on_this_thread: Option<unsafe extern "C" fn(*mut Self, *mut c_void)>,
}

/// What a compositor serves.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Descriptor {
    pub(crate) version: u32,
    pub(crate) extensions: usize,
    pub(crate) first: *const Extension,
}

// SAFETY: It and what it points to are constants.
unsafe impl Sync for Descriptor {}

/// One global and the newest version of it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) name: *const c_char,
    pub(crate) version: u32,
}

// SAFETY: It and the name that it points to are constants.
unsafe impl Sync for Extension {}

/// A pointer; numbers are of wl_fixed.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Pointer {
    pub(crate) version: u32,
    pub(crate) move_absolute: unsafe extern "C" fn(*mut Self, i32, i32),
    pub(crate) move_relative: unsafe extern "C" fn(*mut Self, i32, i32),
    pub(crate) button_up: unsafe extern "C" fn(*mut Self, c_int),
    pub(crate) button_down: unsafe extern "C" fn(*mut Self, c_int),
    pub(crate) destroy: unsafe extern "C" fn(*mut Self),
}

/// A finger; its numbers are whole, whatever the headers of wlcs say.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Touch {
    pub(crate) version: u32,
    pub(crate) down: unsafe extern "C" fn(*mut Self, i32, i32),
    pub(crate) motion: unsafe extern "C" fn(*mut Self, i32, i32),
    pub(crate) up: unsafe extern "C" fn(*mut Self),
    pub(crate) destroy: unsafe extern "C" fn(*mut Self),
}

/// libwayland's connection of a program.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Display(c_void);

/// libwayland's surface of a program.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Surface(c_void);

#[link(name = "wayland-client")]
unsafe extern "C" {
    /// The connection's end of the program.
    pub(crate) fn wl_display_get_fd(display: *mut Display) -> c_int;
    /// The number of an object in its connection.
    pub(crate) fn wl_proxy_get_id(proxy: *mut Surface) -> u32;
}
