//! How a picture lies in a window.

use vroom_desktop::Size;

use crate::config::supported_size;

/// The place of a picture in a window, in the host's logical units.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Fit {
    /// Units from the left.
    pub(super) x: i32,
    /// Units from the top.
    pub(super) y: i32,
    /// Units across, at least 1.
    pub(super) width: i32,
    /// Units down, at least 1.
    pub(super) height: i32,
}

impl Fit {
    /// Fits a picture in pixels into a window in logical units, of which each has `scale` pixels.
    ///
    /// A picture of the window's own size lies in it pixel by pixel. Any other is shown as large as it
    /// fits with its proportions, in the middle.
    pub(super) fn new(picture: Size, window: Size, scale: f64) -> Self {
        let (width, height) = (even(window.width, scale), even(window.height, scale));
        if picture == Size::new(width.pixels, height.pixels) {
            return Self {
                x: 0,
                y: 0,
                width: signed(width.units),
                height: signed(height.units),
            };
        }
        let across = f64::from(window.width) / f64::from(picture.width.max(1));
        let down = f64::from(window.height) / f64::from(picture.height.max(1));
        let factor = across.min(down);
        let width = whole(f64::from(picture.width) * factor).max(1);
        let height = whole(f64::from(picture.height) * factor).max(1);
        Self {
            x: (signed(window.width) - width) / 2,
            y: (signed(window.height) - height) / 2,
            width,
            height,
        }
    }

    /// The point of a desktop of `size` pixels that a point of the window shows, or is nearest to.
    pub(super) fn to_desktop(self, x: f64, y: f64, size: Size) -> (f64, f64) {
        let along = |at: f64, start: i32, units: i32, pixels: u32| {
            let pixels = f64::from(pixels);
            ((at - f64::from(start)) * pixels / f64::from(units.max(1))).clamp(0.0, pixels)
        };
        (
            along(x, self.x, self.width, size.width),
            along(y, self.y, self.height, size.height),
        )
    }

    /// The unit of the window that shows a point of a desktop of `size` pixels.
    pub(super) fn to_window(self, x: f64, y: f64, size: Size) -> (i32, i32) {
        let along = |at: f64, start: i32, units: i32, pixels: u32| {
            let pixels = f64::from(pixels.max(1));
            start.saturating_add(whole(at.clamp(0.0, pixels) * f64::from(units) / pixels))
        };
        (
            along(x, self.x, self.width, size.width),
            along(y, self.y, self.height, size.height),
        )
    }
}

/// The size in pixels of a session that fills a window, but for what makes a side odd.
pub(super) fn pixels(window: Size, scale: f64) -> Size {
    let side = |side| even(side, scale).pixels;
    supported_size(Size::new(side(window.width), side(window.height)))
}

/// A part of a side of a window.
struct Part {
    units: u32,
    pixels: u32,
}

/// The most of a side that is an even number of pixels, as sides of a session are.
fn even(side: u32, scale: f64) -> Part {
    let pixels = |units: u32| u32::try_from(whole(f64::from(units) * scale)).unwrap_or(0);
    let parts = (side.saturating_sub(SPARE)..=side).rev().map(|units| Part {
        units,
        pixels: pixels(units),
    });
    let found = parts.into_iter().find(|part| part.pixels % 2 == 0);
    found.unwrap_or(Part {
        units: side,
        pixels: pixels(side) & !1,
    })
}

fn signed(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

/// Rounds as hosts do, half away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sides of windows are far below the bounds, and `as` stops there"
)]
fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// The most units of a side that are left black so that what is shown is sharp.
const SPARE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(picture: (u32, u32), window: (u32, u32), scale: f64) -> (i32, i32, i32, i32) {
        let size = |(width, height)| Size::new(width, height);
        let Fit {
            x,
            y,
            width,
            height,
        } = Fit::new(size(picture), size(window), scale);
        (x, y, width, height)
    }

    #[test]
    fn a_session_of_the_windows_size_is_shown_pixel_by_pixel() {
        assert_eq!(fit((800, 600), (800, 600), 1.0), (0, 0, 800, 600));
        // Sides of a session are even.
        assert_eq!(fit((800, 600), (801, 601), 1.0), (0, 0, 800, 600));
        assert_eq!(fit((1602, 1202), (801, 601), 2.0), (0, 0, 801, 601));
        for scale in [1.0, 1.25, 1.5, 1.75, 2.0, 3.0] {
            for side in 300..400 {
                let window = Size::new(side, side);
                let picture = pixels(window, scale);
                let at = Fit::new(picture, window, scale);
                let shown = whole(f64::from(at.width) * scale);
                assert_eq!(shown, signed(picture.width), "{side} at {scale}");
                assert_eq!((at.x, at.y), (0, 0));
                assert!(
                    signed(side) - at.width <= signed(SPARE),
                    "{side} at {scale}"
                );
            }
        }
    }

    #[test]
    fn any_other_keeps_its_proportions_in_the_middle() {
        assert_eq!(fit((1600, 900), (800, 600), 1.0), (0, 75, 800, 450));
        assert_eq!(fit((400, 600), (800, 600), 1.0), (200, 0, 400, 600));
        assert_eq!(fit((320, 240), (640, 480), 1.0), (0, 0, 640, 480));
        assert_eq!(fit((7680, 64), (64, 64), 1.0).3, 1);
    }

    #[test]
    fn points_of_the_window_are_points_of_the_desktop() {
        let picture = Size::new(1600, 900);
        let at = Fit::new(picture, Size::new(800, 600), 1.0);
        assert_eq!(at.to_desktop(0.0, 75.0, picture), (0.0, 0.0));
        assert_eq!(at.to_desktop(400.0, 300.0, picture), (800.0, 450.0));
        assert_eq!(at.to_window(800.0, 450.0, picture), (400, 300));
        assert_eq!(at.to_desktop(-5.0, 599.0, picture), (0.0, 900.0));
        let picture = Size::new(1280, 720);
        let at = Fit::new(picture, picture, 1.0);
        assert_eq!(at.to_desktop(333.0, 7.0, picture), (333.0, 7.0));
    }
}
