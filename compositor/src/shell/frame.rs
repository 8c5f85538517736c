//! The frames of windows whose programs leave them to us: a bar with a title and buttons, edges to
//! resize by, and a shadow.

use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::utils::{Logical, Point, Rectangle, Size};

use super::{Fill, Managed, ResizingEdge};
use crate::ShellStyle;
use crate::handlers::names;
use crate::paint::{Area, Canvas, Ink, Picture, shade as shade_of, small, text_width};

/// A part of a frame that does something when pressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// The bar: it moves the window.
    Bar,
    /// The button that closes.
    Close,
    /// The button that maximises, and brings back.
    Maximize,
    /// The button that puts the window away.
    Minimize,
    /// An edge or a corner.
    Edge(ResizingEdge),
}

/// A painted frame.
pub(super) struct Frame {
    look: Look,
    /// The bar, at the upper left corner of the content, above it.
    pub(super) bar: Picture,
    /// The pieces of the shadow, and where they lie from the corner of the content.
    pub(super) shadow: Vec<(Point<i32, Logical>, Picture)>,
}

/// All that decides what a frame looks like.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    size: Size<i32, Logical>,
    title: String,
    active: bool,
    floats: bool,
    resizable: bool,
    hot: Option<Part>,
    scale: f64,
}

impl Managed {
    /// Paints the frame anew if it looks different now.
    pub(super) fn refresh_frame(
        &mut self,
        renderer: &mut PixmanRenderer,
        style: ShellStyle,
        active: bool,
        hot: Option<Part>,
        scale: f64,
    ) {
        if self.bar(style) == 0 {
            self.frame = None;
            return;
        }
        let Some(surface) = self.surface() else {
            return;
        };
        let (title, app_id) = names(surface);
        let look = Look {
            size: self.window.geometry().size,
            title: if title.is_empty() { app_id } else { title },
            active,
            floats: self.fill == Fill::None,
            resizable: !self.is_fixed_size(),
            hot: hot.filter(|part| !matches!(part, Part::Bar | Part::Edge(_))),
            scale,
        };
        let old = match self.frame.take() {
            Some(frame) if frame.look == look => {
                self.frame = Some(frame);
                return;
            }
            old => old,
        };
        let same_shadow = |frame: &Frame| {
            frame.look.size == look.size
                && frame.look.active == look.active
                && frame.look.floats == look.floats
                && (frame.look.scale - look.scale).abs() < f64::EPSILON
        };
        let shadow = match old.filter(same_shadow) {
            Some(frame) => frame.shadow,
            None => shadow(renderer, &look),
        };
        self.frame = paint_bar(renderer, &look).map(|bar| Frame { look, bar, shadow });
    }

    /// The part of the frame at a point that is not on the content.
    pub(super) fn part_at(
        &self,
        style: ShellStyle,
        content: Rectangle<i32, Logical>,
        at: Point<f64, Logical>,
    ) -> Option<Part> {
        let bar = self.bar(style);
        if bar == 0 {
            return None;
        }
        let floats = self.fill == Fill::None;
        let grip = if floats && !self.is_fixed_size() {
            GRIP_PX
        } else {
            0
        };
        let inside = at - content.loc.to_f64();
        let (width, height) = (f64::from(content.size.w), f64::from(content.size.h));
        let (top, grip) = (-f64::from(bar), f64::from(grip));
        if inside.x < -grip
            || inside.x >= width + grip
            || inside.y < top - grip
            || inside.y >= height + grip
        {
            return None;
        }
        let corner = if grip > 0.0 { CORNER_PX } else { 0.0 };
        let edges = ResizingEdge {
            left: inside.x < 0.0,
            right: inside.x >= width,
            top: inside.y < top + if grip > 0.0 { INNER_GRIP_PX } else { 0.0 },
            bottom: inside.y >= height,
        };
        if edges != ResizingEdge::default() {
            // Near a corner both of its edges are meant.
            let sideways = edges.left || edges.right;
            let upright = edges.top || edges.bottom;
            return Some(Part::Edge(ResizingEdge {
                left: edges.left || (upright && inside.x < corner),
                right: edges.right || (upright && inside.x >= width - corner),
                top: edges.top || (sideways && inside.y < top + corner),
                bottom: edges.bottom || (sideways && inside.y >= height - corner),
            }));
        }
        if inside.y >= 0.0 {
            return None;
        }
        let button = buttons(width, !self.is_fixed_size())
            .find(|(_, x)| (inside.x - x).abs() <= BUTTON_PX / 2.0 + 3.0);
        Some(button.map_or(Part::Bar, |(part, _)| part))
    }
}

/// The buttons that a bar of this width has room for, and where their middles are.
fn buttons(width: f64, resizable: bool) -> impl Iterator<Item = (Part, f64)> {
    let parts = [
        Some(Part::Close),
        resizable.then_some(Part::Maximize),
        Some(Part::Minimize),
    ];
    parts
        .into_iter()
        .flatten()
        .enumerate()
        .map(move |(at, part)| {
            let middle = width - BUTTON_MARGIN_PX - at as f64 * (BUTTON_PX + BUTTON_GAP_PX);
            (part, middle)
        })
        .filter(|(_, middle)| *middle > BUTTON_PX)
}

fn paint_bar(renderer: &mut PixmanRenderer, look: &Look) -> Option<Picture> {
    let (width, height) = (side(look.size.w), side(BAR_PX));
    let mut canvas = Canvas::new(width, height, look.scale)?;
    let area = Area::new(0.0, 0.0, width, height);
    let (ground, ink) = if look.active {
        (BAR_ACTIVE, TEXT_ACTIVE)
    } else {
        (BAR_INACTIVE, TEXT_INACTIVE)
    };
    if look.floats {
        // What shows at the round corners is the shadow.
        canvas.round(area, 0.0, Ink(0, 0, 0, 0.16));
        canvas.round_top(area, RADIUS_PX, ground);
        let light = Area::new(RADIUS_PX * 0.8, 0.0, width - RADIUS_PX * 1.6, 1.0);
        canvas.round(light, 0.0, Ink(255, 255, 255, 0.07));
    } else {
        canvas.round(area, 0.0, ground);
    }
    canvas.round(
        Area::new(0.0, height - 1.0, width, 1.0),
        0.0,
        Ink(0, 0, 0, 0.28),
    );
    let mut left_of_buttons = width;
    for (part, x) in buttons(f64::from(width), look.resizable) {
        let x = small(x);
        paint_button(&mut canvas, part, (x, height / 2.0), look, ink);
        left_of_buttons = left_of_buttons.min(x - small(BUTTON_PX));
    }
    let room = left_of_buttons - 14.0;
    let wide = text_width(&look.title, TITLE_SIZE).min(room);
    // In the middle of the bar, or as near to it as the buttons allow.
    let x = ((width - wide) / 2.0).min(left_of_buttons - wide).max(14.0);
    if room > 20.0 {
        canvas.text(&look.title, (x, height / 2.0 + 4.5), TITLE_SIZE, room, ink);
    }
    canvas.finish(renderer, !look.floats)
}

fn paint_button(canvas: &mut Canvas, part: Part, (x, y): (f32, f32), look: &Look, ink: Ink) {
    let hot = look.hot == Some(part);
    let radius = small(BUTTON_PX) / 2.0;
    let ground = match (part, hot) {
        (Part::Close, true) => Ink(229, 72, 77, 1.0),
        (_, true) => Ink(255, 255, 255, 0.16),
        (_, false) => Ink(255, 255, 255, if look.active { 0.06 } else { 0.03 }),
    };
    canvas.circle(x, y, radius, ground);
    let ink = if hot { Ink(255, 255, 255, 1.0) } else { ink };
    let arm = 3.6;
    match part {
        Part::Close => {
            canvas.line(&[(x - arm, y - arm), (x + arm, y + arm)], 1.4, ink);
            canvas.line(&[(x + arm, y - arm), (x - arm, y + arm)], 1.4, ink);
        }
        Part::Maximize if look.floats => {
            let area = Area::new(x - arm, y - arm, arm * 2.0, arm * 2.0);
            canvas.outline(area, 1.4, 1.3, ink);
        }
        Part::Maximize => {
            let area = Area::new(x - arm - 0.4, y - arm + 1.8, arm * 1.6, arm * 1.6);
            canvas.outline(area, 1.2, 1.3, ink);
            canvas.line(
                &[
                    (x - 1.4, y - arm - 0.6),
                    (x + arm + 0.6, y - arm - 0.6),
                    (x + arm + 0.6, y + 1.6),
                ],
                1.3,
                ink,
            );
        }
        Part::Minimize => canvas.line(&[(x - arm, y + 2.6), (x + arm, y + 2.6)], 1.4, ink),
        Part::Bar | Part::Edge(_) => {}
    }
}

/// The four sides of a shadow around a window with its bar.
fn shadow(renderer: &mut PixmanRenderer, look: &Look) -> Vec<(Point<i32, Logical>, Picture)> {
    if !look.floats {
        return Vec::new();
    }
    let (width, height) = (look.size.w, look.size.h + BAR_PX);
    let reach = SHADOW_PX;
    let pieces = [
        ((-reach, -reach), (width + 2 * reach, reach)),
        ((-reach, height), (width + 2 * reach, reach)),
        ((-reach, 0), (reach, height)),
        ((width, 0), (reach, height)),
    ];
    pieces
        .into_iter()
        .filter_map(|(at, size)| {
            let picture = shade(renderer, look, at, size, (width, height))?;
            // Pieces are placed from the content, which begins below the bar.
            Some((Point::from((at.0, at.1 - BAR_PX)), picture))
        })
        .collect()
}

/// One side of a shadow: black, thinner with the distance from the window.
fn shade(
    renderer: &mut PixmanRenderer,
    look: &Look,
    at: (i32, i32),
    size: (i32, i32),
    window: (i32, i32),
) -> Option<Picture> {
    let scale = small(look.scale);
    let canvas = Canvas::new(side(size.0), side(size.1), look.scale)?;
    let (columns, rows) = (canvas.width_px(), canvas.height_px());
    let strength = if look.active { 0.42 } else { 0.26 };
    let (width, height) = (side(window.0), side(window.1));
    let mut bytes = Vec::with_capacity(columns as usize * rows as usize * 4);
    for row in 0..rows {
        for column in 0..columns {
            let x = side(at.0) + (column as f32 + 0.5) / scale;
            let y = side(at.1) + (row as f32 + 0.5) / scale;
            let beyond = |value: f32, low: f32, high: f32| (low - value).max(value - high).max(0.0);
            // The light comes from above.
            let dx = beyond(x, 6.0, width - 6.0);
            let dy = beyond(y, 12.0, height - 1.0);
            let distance = (dx * dx + dy * dy).sqrt();
            let far = (distance / (side(SHADOW_PX) + 4.0)).min(1.0);
            let rim = beyond(x, 0.0, width).max(beyond(y, 0.0, height)) < 1.0;
            let alpha = strength * (1.0 - far) * (1.0 - far) + if rim { 0.22 } else { 0.0 };
            let alpha = shade_of(alpha * 255.0);
            bytes.extend([0, 0, 0, alpha]);
        }
    }
    Picture::new(renderer, &bytes, (columns, rows), false)
}

fn side(value: i32) -> f32 {
    value as f32
}

/// The height of the bar above a window, in logical pixels.
pub(crate) const BAR_PX: i32 = 34;

/// How far a shadow reaches.
pub(super) const SHADOW_PX: i32 = 22;

/// How far outside of a window its edges can be taken hold of.
const GRIP_PX: i32 = 7;

/// How much of the bar belongs to the upper edge.
const INNER_GRIP_PX: f64 = 4.0;

/// How far from a corner both of its edges are meant.
const CORNER_PX: f64 = 18.0;

const BUTTON_PX: f64 = 22.0;

const BUTTON_GAP_PX: f64 = 8.0;

/// From the right edge to the middle of the first button.
const BUTTON_MARGIN_PX: f64 = 22.0;

const RADIUS_PX: f32 = 10.0;

const TITLE_SIZE: f32 = 12.5;

const BAR_ACTIVE: Ink = Ink(45, 50, 62, 1.0);

const BAR_INACTIVE: Ink = Ink(34, 38, 47, 1.0);

const TEXT_ACTIVE: Ink = Ink(236, 239, 244, 1.0);

const TEXT_INACTIVE: Ink = Ink(140, 147, 160, 1.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_leave_where_there_is_no_room() {
        let parts = |width, resizable| {
            buttons(width, resizable)
                .map(|(part, _)| part)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            parts(300.0, true),
            [Part::Close, Part::Maximize, Part::Minimize]
        );
        assert_eq!(parts(300.0, false), [Part::Close, Part::Minimize]);
        assert_eq!(parts(50.0, true), [Part::Close]);
    }
}
