//! What is seen where no window is.

use smithay::backend::renderer::pixman::PixmanRenderer;
use vroom_desktop::Size;

use crate::paint::{Canvas, Picture};

/// The wallpaper of a desktop, painted when it is first seen.
#[derive(Default)]
pub(super) struct Wallpaper {
    painted: Option<(Size, Picture)>,
}

impl Wallpaper {
    /// The picture for an output of this size.
    pub(super) fn picture(
        &mut self,
        renderer: &mut PixmanRenderer,
        size: Size,
    ) -> Option<&Picture> {
        if self.painted.as_ref().is_none_or(|(have, _)| *have != size) {
            self.painted = paint(renderer, size).map(|picture| (size, picture));
        }
        self.painted.as_ref().map(|(_, picture)| picture)
    }

    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        self.painted = None;
    }
}

/// A night sky over hills: two glows in a deep blue that gets darker towards the edges.
fn paint(renderer: &mut PixmanRenderer, size: Size) -> Option<Picture> {
    let (width, height) = (size.width as f32, size.height as f32);
    let mut canvas = Canvas::new(width, height, 1.0)?;
    canvas.compute(|x, y| {
        let (u, v) = (x / width, y / height);
        let aspect = width / height;
        let mut colour = mix([0.055, 0.075, 0.145], [0.115, 0.135, 0.235], v);
        let glow = |cx: f32, cy: f32, reach: f32| {
            let (dx, dy) = ((u - cx) * aspect, v - cy);
            let near = (1.0 - (dx * dx + dy * dy).sqrt() / reach).max(0.0);
            near * near * (3.0 - 2.0 * near)
        };
        colour = add(colour, [0.10, 0.20, 0.42], glow(0.18, 0.16, 0.95));
        colour = add(colour, [0.33, 0.12, 0.34], glow(0.86, 0.70, 0.90));
        colour = add(colour, [0.04, 0.22, 0.26], glow(0.52, 1.08, 0.75));
        // Three hills, the nearest one darkest.
        for (at, (base, swing, speed, phase)) in HILLS.into_iter().enumerate() {
            let ridge = base
                + swing * (u * speed + phase).sin()
                + swing * 0.45 * (u * speed * 2.3 + phase * 1.7).sin();
            // The edge of a hill is as soft as half a pixel is high.
            let cover = ((v - ridge) * height + 0.5).clamp(0.0, 1.0);
            if cover > 0.0 {
                let depth = ((v - ridge) / (1.02 - ridge)).clamp(0.0, 1.0);
                let tint = HILL_TINTS.get(at).copied().unwrap_or_default();
                let shade = mix(tint, [0.035, 0.045, 0.085], depth * 0.8);
                colour = mix(colour, shade, cover * 0.82);
            }
        }
        colour
    });
    canvas.finish(renderer, true)
}

fn mix(from: [f32; 3], to: [f32; 3], part: f32) -> [f32; 3] {
    let [a, b, c] = from;
    let [d, e, f] = to;
    [a + (d - a) * part, b + (e - b) * part, c + (f - c) * part]
}

fn add(to: [f32; 3], light: [f32; 3], part: f32) -> [f32; 3] {
    let [a, b, c] = to;
    let [d, e, f] = light;
    [a + d * part, b + e * part, c + f * part]
}

/// Height from the top, swing, waves and phase of each hill, the farthest first.
const HILLS: [(f32, f32, f32, f32); 3] = [
    (0.70, 0.035, 5.2, 0.6),
    (0.79, 0.045, 3.9, 2.4),
    (0.89, 0.035, 3.1, 4.4),
];

const HILL_TINTS: [[f32; 3]; 3] = [[0.20, 0.17, 0.36], [0.13, 0.13, 0.28], [0.08, 0.09, 0.19]];
