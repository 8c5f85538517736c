//! How a compositor starts.

use std::ffi::OsString;
use std::path::PathBuf;

use vroom_desktop::{Layout, Size};

/// How a [`Compositor`](crate::Compositor) starts.
#[derive(Clone, Debug)]
pub struct CompositorConfig {
    /// The size of the output in pixels; made even and clamped to what is supported.
    pub size: Size,
    /// Pixels per logical unit, 0.5 to 4.
    pub scale: f64,
    /// Frames per second at most, 1 to 240.
    pub refresh_hz: u32,
    /// The layout of the keyboard.
    pub layout: Layout,
    /// The session command and its arguments; `None` starts nothing.
    pub command: Option<Vec<OsString>>,
    /// What happens when the session command ends.
    pub on_exit: OnExit,
    /// Whether there is a display for X11 programs; its server starts with the first of them.
    pub x11: bool,
    /// What windows do.
    pub shell: ShellStyle,
    /// Whether a desktop starts what entries in `autostart` folders name, the person's and the system's.
    pub autostart: bool,
    /// An existing directory that only this user can enter; the Wayland socket lies in it, and the
    /// session command gets it as `XDG_RUNTIME_DIR`.
    pub runtime_dir: PathBuf,
    /// Variables added to the environment of the session command, last one wins.
    pub env: Vec<(OsString, OsString)>,
}

/// What happens when the session command ends.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum OnExit {
    /// The desktop stays, with the windows that other programs still show.
    #[default]
    Keep,
    /// The command is started again after a quarter of a second; one that fails at once is given
    /// twice as long each time, up to 30 s.
    Restart,
    /// The desktop ends, too.
    Exit,
}

/// What kind of desktop it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ShellStyle {
    /// A program that is alone fills the picture.
    #[default]
    Kiosk,
    /// Windows float over a wallpaper, with a panel to start programs and to find windows.
    Desktop,
}

/// The size that an output gets when `size` is asked for: clamped and even.
///
/// Encoders work on pairs of pixels, so odd sides are cut by one.
pub(crate) fn supported_size(size: Size) -> Size {
    Size::new(
        size.width.clamp(SIDE_MIN_PX, WIDTH_MAX_PX) & !1,
        size.height.clamp(SIDE_MIN_PX, HEIGHT_MAX_PX) & !1,
    )
}

/// The scale that an output gets when `scale` is asked for.
pub(crate) fn supported_scale(scale: f64) -> f64 {
    if scale.is_finite() {
        scale.clamp(SCALE_MIN, SCALE_MAX)
    } else {
        1.0
    }
}

/// The smallest side of an output in pixels.
const SIDE_MIN_PX: u32 = 64;

/// The widest output in pixels.
const WIDTH_MAX_PX: u32 = 7680;

/// The highest output in pixels.
const HEIGHT_MAX_PX: u32 = 4320;

/// The smallest scale factor.
const SCALE_MIN: f64 = 0.5;

/// The largest scale factor.
const SCALE_MAX: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_even_and_stay_in_bounds() {
        assert_eq!(
            supported_size(Size::new(1281, 719)),
            Size::new(1280, 718),
            "odd sides are cut"
        );
        assert_eq!(supported_size(Size::new(0, 0)), Size::new(64, 64));
        assert_eq!(
            supported_size(Size::new(u32::MAX, u32::MAX)),
            Size::new(7680, 4320)
        );
    }

    #[test]
    fn a_scale_that_is_no_number_is_one() {
        assert!((supported_scale(f64::NAN) - 1.0).abs() < f64::EPSILON);
        assert!((supported_scale(99.0) - SCALE_MAX).abs() < f64::EPSILON);
    }
}
