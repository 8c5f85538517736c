//! The size of a picture, as client and server see it.

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// The size of a picture in logical pixels.
///
/// The server's viewport is the coordinate space of all input; the client's is a wish.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Viewport {
    /// Logical pixels.
    pub width: u32,
    /// Logical pixels.
    pub height: u32,
    /// How large the desktop draws its controls; absent means 1.
    pub scale: Option<f64>,
    /// Physical pixels per logical pixel; absent means 1.
    pub pixel_ratio: Option<f64>,
}

/// What the client asks the desktop to become.
pub type Resize = Viewport;

impl Viewport {
    /// A viewport that says only its size.
    pub const fn new(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            scale: None,
            pixel_ratio: None,
        }
    }

    /// The physical size that a headless desktop takes: even, between 320x200 and 7680x4320.
    // VROOM-Graphical §4.4 RESIZE; the bounds are those of clarification C14.
    pub fn output_size(&self) -> (u32, u32) {
        let ratio = self.pixel_ratio.unwrap_or(1.0);
        (
            output_length(self.width, ratio, WIDTH_MIN, WIDTH_MAX),
            output_length(self.height, ratio, HEIGHT_MIN, HEIGHT_MAX),
        )
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            width: members.required("width")?,
            height: members.required("height")?,
            scale: positive(members, "scale")?,
            pixel_ratio: positive(members, "pixelRatio")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("width", self.width)
            .with("height", self.height)
            .maybe("scale", self.scale)
            .maybe("pixelRatio", self.pixel_ratio)
    }
}

impl FromValue for Viewport {
    fn from_value(value: Value) -> Option<Self> {
        Self::read(&mut Members::from_value(value)?).ok()
    }
}

impl From<&Viewport> for Value {
    fn from(viewport: &Viewport) -> Self {
        viewport.fields().into()
    }
}

fn positive(members: &mut Members, name: &'static str) -> Result<Option<f64>, DecodeError> {
    match members.optional::<f64>(name)? {
        Some(factor) if factor <= 0.0 => Err(DecodeError::member(name)),
        factor => Ok(factor),
    }
}

fn output_length(logical: u32, ratio: f64, min: u32, max: u32) -> u32 {
    // `max` and `min` rather than `clamp`: they turn NaN into a number.
    let physical = (f64::from(logical) * ratio)
        .max(f64::from(min))
        .min(f64::from(max));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a few thousand; only the fraction is lost"
    )]
    let whole = physical as u32;
    whole & !1
}

const WIDTH_MIN: u32 = 320;
const WIDTH_MAX: u32 = 7680;
const HEIGHT_MIN: u32 = 200;
const HEIGHT_MAX: u32 = 4320;
