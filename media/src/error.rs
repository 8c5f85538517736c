//! What can go wrong, and who is at fault.

use gstreamer::glib;

/// Why media could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `GStreamer` itself does not start.
    #[error("GStreamer does not start: {0}")]
    Start(#[source] glib::Error),
    /// An element is not installed.
    #[error("the GStreamer element {element} is missing; install the package {package}")]
    Missing {
        /// The element's name.
        element: &'static str,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// The configuration names an encoder that nobody knows.
    #[error("there is no encoder named {name}; known are {known}")]
    UnknownEncoder {
        /// What the configuration says.
        name: String,
        /// The names that it may say.
        known: String,
    },
    /// The configuration names an encoder that does not work here.
    #[error("the encoder {name} cannot be used: {reason}")]
    EncoderUnavailable {
        /// Its element name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// No H264 encoder works here.
    #[error("no H264 encoder works here; install gstreamer1.0-plugins-ugly for x264enc")]
    NoEncoder,
    /// An element or a pipeline failed; it has to be built again.
    #[error("{element} failed: {reason}")]
    Failed {
        /// Which one.
        element: &'static str,
        /// What it said.
        reason: String,
    },
    /// The remote sent something that cannot be understood.
    #[error("the offer is not usable: {0}")]
    PeerMisbehaved(&'static str),
    /// The remote lacks something that we need; another transport may do without.
    #[error("the offer cannot be served: {0}")]
    Unsupported(&'static str),
    /// A step of connecting a peer took too long.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// What the desktop plays cannot be read.
    #[error("what the desktop plays cannot be read: {0}")]
    Sound(#[source] std::io::Error),
    /// What a viewer says cannot be handed to the desktop.
    #[error("what a viewer says cannot be handed to the desktop: {0}")]
    Voice(#[source] std::io::Error),
    /// The system refused a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}
