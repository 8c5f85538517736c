//! Why a compositor cannot start.

use std::io;
use std::path::PathBuf;

/// Why a [`Compositor`](crate::Compositor) cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Wayland socket cannot be made.
    #[error("cannot make a Wayland socket in {path}: {reason}")]
    Socket {
        /// The runtime directory.
        path: PathBuf,
        /// What stood in the way.
        reason: String,
    },
    /// xkb does not know the keyboard layout.
    #[error("cannot use the keyboard layout {layout:?}: xkb does not know it")]
    Layout {
        /// The layout that was asked for.
        layout: String,
    },
    /// The software renderer cannot start.
    #[error("cannot start the renderer: {reason}")]
    Renderer {
        /// What stood in the way.
        reason: String,
    },
    /// The event loop or one of its sources cannot be made.
    #[error("cannot start the event loop of the compositor")]
    EventLoop(#[source] io::Error),
    /// There is no Wayland session that a window could be opened in.
    #[cfg(feature = "nested")]
    #[error(
        "cannot open a window: there is no Wayland session here, since WAYLAND_DISPLAY is not set; \
         start it from a terminal of one, or have a desktop without a window"
    )]
    NoHost,
    /// The Wayland session that the window was to be in cannot be used.
    #[cfg(feature = "nested")]
    #[error("cannot open a window in the Wayland session {host}: {reason}")]
    Host {
        /// What `WAYLAND_DISPLAY` says.
        host: String,
        /// What stood in the way.
        reason: String,
    },
    /// The thread cannot be started.
    #[error("cannot start the thread of the compositor")]
    Thread(#[source] io::Error),
}
