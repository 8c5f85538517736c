//! Icons of programs.

use std::collections::HashMap;

use tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};

use crate::apps::{App, icon_file, installed};
use crate::paint::{Area, Canvas, Ink, text_width};

/// The programs that are installed, and their icons as far as they were needed.
#[derive(Default)]
pub(super) struct Icons {
    apps: Option<Vec<App>>,
    pictures: HashMap<String, Option<Pixmap>>,
}

impl Icons {
    /// The programs that are installed; looked up when first asked for.
    pub(super) fn apps(&mut self) -> &[App] {
        self.apps.get_or_insert_with(installed)
    }

    #[cfg(test)]
    pub(super) fn install(&mut self, app: App) {
        self.apps.get_or_insert_with(Vec::new).push(app);
    }

    /// Forgets what is installed and drawn.
    pub(super) fn release(&mut self) {
        *self = Self::default();
    }

    /// Draws the icon of a program, or the first letter of its name on a colour of its own.
    pub(super) fn draw(&mut self, canvas: &mut Canvas, app: &str, name: &str, area: Area) {
        let icon = self
            .apps()
            .iter()
            .find(|have| have.id.eq_ignore_ascii_case(app))
            .map_or_else(|| app.to_owned(), |have| have.icon.clone());
        let picture = self.pictures.entry(icon).or_insert_with_key(|icon| {
            let file = icon_file(icon, ICON_PX)?;
            let small = std::fs::metadata(&file).ok()?.len() <= ICON_BYTES;
            small.then(|| Pixmap::load_png(file).ok()).flatten()
        });
        match picture {
            Some(picture) => canvas.picture(picture, area),
            None => letter(canvas, app, name, area),
        }
    }
}

impl Canvas {
    /// Draws a picture into an area.
    fn picture(&mut self, picture: &Pixmap, area: Area) {
        let scale =
            (area.width / picture.width() as f32).min(area.height / picture.height() as f32);
        let transform = Transform::from_scale(scale, scale).post_translate(area.x, area.y);
        let paint = PixmapPaint {
            quality: FilterQuality::Bicubic,
            ..PixmapPaint::default()
        };
        self.draw_pixmap(picture, &paint, transform);
    }
}

fn letter(canvas: &mut Canvas, app: &str, name: &str, area: Area) {
    let hash = app
        .bytes()
        .chain(name.bytes().take(3))
        .fold(7u32, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(byte.into())
        });
    let ground = GROUNDS.get(hash as usize % GROUNDS.len()).copied();
    canvas.round(
        area,
        area.width * 0.28,
        ground.unwrap_or(Ink(90, 90, 90, 1.0)),
    );
    let first = if name.is_empty() { app } else { name };
    let first: String = first.chars().take(1).flat_map(char::to_uppercase).collect();
    let size = area.height * 0.56;
    let x = area.x + (area.width - text_width(&first, size)) / 2.0;
    let y = area.y + area.height * 0.5 + size * 0.36;
    canvas.text(&first, (x, y), size, area.width, Ink(255, 255, 255, 0.96));
}

const GROUNDS: [Ink; 8] = [
    Ink(82, 113, 226, 1.0),
    Ink(32, 148, 139, 1.0),
    Ink(190, 86, 135, 1.0),
    Ink(204, 120, 50, 1.0),
    Ink(122, 92, 205, 1.0),
    Ink(58, 140, 84, 1.0),
    Ink(178, 77, 77, 1.0),
    Ink(72, 128, 170, 1.0),
];

/// The side that icons are looked for at.
const ICON_PX: u32 = 48;

/// The largest file of an icon.
const ICON_BYTES: u64 = 1024 * 1024;
