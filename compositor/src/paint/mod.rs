//! What the compositor paints itself: frames of windows, the wallpaper, the panel.

mod font;
mod picture;

use smithay::backend::renderer::pixman::PixmanRenderer;
use tiny_skia::{
    Color, FillRule, LineCap, Paint, Path, PathBuilder, Pixmap, PixmapPaint, Rect, Stroke,
    Transform as Skia,
};

use font::Font;
pub(crate) use picture::{Picture, Placed};

/// A picture in the making, in logical units at a scale.
pub(crate) struct Canvas {
    pixmap: Pixmap,
    scale: f32,
}

/// A colour: red, green, blue and opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink(pub(crate) u8, pub(crate) u8, pub(crate) u8, pub(crate) f32);

impl Ink {
    /// The same colour, less opaque.
    pub(crate) const fn faded(self, opacity: f32) -> Self {
        Self(self.0, self.1, self.2, self.3 * opacity)
    }

    fn colour(self) -> Color {
        let Self(red, green, blue, opacity) = self;
        let mut colour = Color::from_rgba8(red, green, blue, u8::MAX);
        colour.set_alpha(opacity.clamp(0.0, 1.0));
        colour
    }

    fn paint(self) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color(self.colour());
        paint.anti_alias = true;
        paint
    }
}

/// A rectangle in logical units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Area {
    pub(crate) const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    pub(crate) fn centre(self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

impl Canvas {
    /// An empty picture; `None` when it has no pixels or too many.
    pub(crate) fn new(width: f32, height: f32, scale: f64) -> Option<Self> {
        let scale = small(scale);
        let side = |length: f32| {
            let length = (length * scale).ceil();
            (1.0..=SIDE_MAX_PX).contains(&length).then(|| whole(length))
        };
        Some(Self {
            pixmap: Pixmap::new(side(width)?, side(height)?)?,
            scale,
        })
    }

    fn transform(&self) -> Skia {
        Skia::from_scale(self.scale, self.scale)
    }

    /// Fills all of it.
    pub(crate) fn clear(&mut self, ink: Ink) {
        self.pixmap.fill(ink.colour());
    }

    /// Fills a rectangle whose corners are round.
    pub(crate) fn round(&mut self, area: Area, radius: f32, ink: Ink) {
        if let Some(path) = rounded(area, [radius; 4]) {
            self.fill(&path, ink);
        }
    }

    /// Fills a rectangle whose upper corners are round.
    pub(crate) fn round_top(&mut self, area: Area, radius: f32, ink: Ink) {
        if let Some(path) = rounded(area, [radius, radius, 0.0, 0.0]) {
            self.fill(&path, ink);
        }
    }

    /// Fills a circle.
    pub(crate) fn circle(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            self.fill(&path, ink);
        }
    }

    /// Draws a line through points.
    pub(crate) fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        let mut builder = PathBuilder::new();
        for (at, (x, y)) in points.iter().enumerate() {
            if at == 0 {
                builder.move_to(*x, *y);
            } else {
                builder.line_to(*x, *y);
            }
        }
        if let Some(path) = builder.finish() {
            self.stroke(&path, width, ink);
        }
    }

    /// Draws the outline of a rectangle whose corners are round.
    pub(crate) fn outline(&mut self, area: Area, radius: f32, width: f32, ink: Ink) {
        if let Some(path) = rounded(area, [radius; 4]) {
            self.stroke(&path, width, ink);
        }
    }

    /// Fills a polygon.
    pub(crate) fn polygon(&mut self, points: &[(f32, f32)], ink: Ink) {
        let mut builder = PathBuilder::new();
        for (at, (x, y)) in points.iter().enumerate() {
            if at == 0 {
                builder.move_to(*x, *y);
            } else {
                builder.line_to(*x, *y);
            }
        }
        builder.close();
        if let Some(path) = builder.finish() {
            self.fill(&path, ink);
        }
    }

    fn fill(&mut self, path: &Path, ink: Ink) {
        let transform = self.transform();
        self.pixmap
            .fill_path(path, &ink.paint(), FillRule::Winding, transform, None);
    }

    fn stroke(&mut self, path: &Path, width: f32, ink: Ink) {
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            ..Stroke::default()
        };
        let transform = self.transform();
        self.pixmap
            .stroke_path(path, &ink.paint(), &stroke, transform, None);
    }

    /// Writes one line whose baseline is at `y`; what does not fit into `room` ends in an ellipsis.
    ///
    /// Tells how wide it came out.
    pub(crate) fn text(
        &mut self,
        text: &str,
        (x, y): (f32, f32),
        size: f32,
        room: f32,
        ink: Ink,
    ) -> f32 {
        let Some(font) = Font::shared() else {
            return 0.0;
        };
        let (path, width) = font.line(text, size, room);
        if let Some(path) = path {
            let transform = self.transform().pre_translate(x, y);
            self.pixmap
                .fill_path(&path, &ink.paint(), FillRule::Winding, transform, None);
        }
        width
    }

    /// Computes every pixel: `at` gets its place in logical units and answers with 0 to 1 per
    /// channel.
    pub(crate) fn compute(&mut self, at: impl Fn(f32, f32) -> [f32; 3]) {
        let width = self.pixmap.width() as usize;
        let scale = self.scale;
        for (index, pixel) in self.pixmap.pixels_mut().iter_mut().enumerate() {
            let (x, y) = (index % width, index / width);
            let [red, green, blue] = at(x as f32 / scale, y as f32 / scale);
            // Ordered noise hides the steps between neighbouring shades.
            let noise = DITHER[(y % 4) * 4 + x % 4];
            let channel = |value: f32| shade(value * 255.0 + noise);
            if let Some(colour) = tiny_skia::PremultipliedColorU8::from_rgba(
                channel(red),
                channel(green),
                channel(blue),
                u8::MAX,
            ) {
                *pixel = colour;
            }
        }
    }

    /// Draws another picture; `transform` places it in logical units.
    pub(crate) fn draw_pixmap(&mut self, picture: &Pixmap, paint: &PixmapPaint, transform: Skia) {
        let transform = transform.post_concat(self.transform());
        self.pixmap
            .draw_pixmap(0, 0, picture.as_ref(), paint, transform, None);
    }

    /// The pixels: B, G, R, A with premultiplied alpha, rows from the top without gaps.
    pub(crate) fn bgra(&self) -> Vec<u8> {
        let mut bytes = self.pixmap.data().to_vec();
        for pixel in bytes.chunks_exact_mut(4) {
            pixel.swap(0, 2);
        }
        bytes
    }

    pub(crate) fn width_px(&self) -> u32 {
        self.pixmap.width()
    }

    pub(crate) fn height_px(&self) -> u32 {
        self.pixmap.height()
    }

    /// The finished picture, as something to compose.
    pub(crate) fn finish(self, renderer: &mut PixmanRenderer, opaque: bool) -> Option<Picture> {
        let size = (self.width_px(), self.height_px());
        Picture::new(renderer, &self.bgra(), size, opaque)
    }
}

/// How wide a line of text is.
pub(crate) fn text_width(text: &str, size: f32) -> f32 {
    Font::shared().map_or(0.0, |font| font.line(text, size, f32::INFINITY).1)
}

/// A rectangle with round corners, from the top left one clockwise.
fn rounded(area: Area, radii: [f32; 4]) -> Option<Path> {
    let Area {
        x,
        y,
        width,
        height,
    } = area;
    let rect = Rect::from_xywh(x, y, width, height)?;
    let limit = width.min(height) / 2.0;
    let [a, b, c, d] = radii.map(|radius| radius.clamp(0.0, limit));
    // How far the handles of a curve lie from its ends to look like a quarter of a circle.
    const ARC: f32 = 0.552_285;
    let (left, top, right, bottom) = (rect.left(), rect.top(), rect.right(), rect.bottom());
    let mut path = PathBuilder::new();
    path.move_to(left + a, top);
    path.line_to(right - b, top);
    path.cubic_to(
        right - b + b * ARC,
        top,
        right,
        top + b - b * ARC,
        right,
        top + b,
    );
    path.line_to(right, bottom - c);
    path.cubic_to(
        right,
        bottom - c + c * ARC,
        right - c + c * ARC,
        bottom,
        right - c,
        bottom,
    );
    path.line_to(left + d, bottom);
    path.cubic_to(
        left + d - d * ARC,
        bottom,
        left,
        bottom - d + d * ARC,
        left,
        bottom - d,
    );
    path.line_to(left, top + a);
    path.cubic_to(
        left,
        top + a - a * ARC,
        left + a - a * ARC,
        top,
        left + a,
        top,
    );
    path.close();
    path.finish()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "scales and sides are small numbers"
)]
pub(crate) fn small(value: f64) -> f32 {
    value as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped to what a channel holds"
)]
pub(crate) fn shade(value: f32) -> u8 {
    value.clamp(0.0, 255.0) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers clamp it to what a side can be"
)]
fn whole(value: f32) -> u32 {
    value as u32
}

/// The longest side of a picture that we paint.
const SIDE_MAX_PX: f32 = 16_384.0;

/// Offsets below one step, spread over 4 by 4 pixels.
const DITHER: [f32; 16] = [
    0.03, 0.53, 0.16, 0.66, 0.78, 0.28, 0.91, 0.41, 0.22, 0.72, 0.09, 0.59, 0.97, 0.47, 0.84, 0.34,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_out_as_bgra_with_premultiplied_alpha() {
        let mut canvas = Canvas::new(2.0, 1.0, 2.0).unwrap();
        assert_eq!((canvas.width_px(), canvas.height_px()), (4, 2));
        canvas.clear(Ink(200, 100, 50, 0.5));
        let bytes = canvas.bgra();
        assert_eq!(bytes.len(), 32);
        let pixel = &bytes[0..4];
        assert!(
            pixel[0].abs_diff(25) < 2 && pixel[2].abs_diff(100) < 2,
            "{pixel:?}"
        );
        assert_eq!(pixel[3], 128);
    }

    #[test]
    fn no_picture_is_empty_or_endless() {
        assert!(Canvas::new(0.0, 5.0, 1.0).is_none());
        assert!(Canvas::new(1e9, 5.0, 1.0).is_none());
        assert!(Canvas::new(f32::NAN, 5.0, 1.0).is_none());
    }

    #[test]
    fn text_that_does_not_fit_is_cut() {
        let long = "A title that is longer than its window ".repeat(20);
        let mut canvas = Canvas::new(200.0, 30.0, 1.0).unwrap();
        let width = canvas.text(&long, (0.0, 20.0), 13.0, 120.0, Ink(0, 0, 0, 1.0));
        assert!(width > 60.0 && width <= 120.0, "{width}");
        let beyond = |x: usize| (0..30).all(|y| canvas.bgra()[(y * 200 + x) * 4 + 3] == 0);
        assert!((125..200).all(beyond), "nothing is drawn behind its end");
    }
}
