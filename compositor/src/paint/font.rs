//! Letters as outlines.

use std::path::Path;
use std::sync::OnceLock;

use tiny_skia::{PathBuilder, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// A typeface of the system, and another one for what it lacks.
pub(super) struct Font {
    faces: Vec<Face<'static>>,
}

impl Font {
    /// The font for everything that we write; `None` when the system has none.
    pub(super) fn shared() -> Option<&'static Self> {
        static FONT: OnceLock<Option<Font>> = OnceLock::new();
        FONT.get_or_init(Self::load).as_ref()
    }

    /// Reads the first fonts that are there; they stay for as long as the program runs.
    fn load() -> Option<Self> {
        let faces: Vec<_> = FONTS
            .iter()
            .filter_map(|path| {
                let bytes = std::fs::read(Path::new(FOLDER).join(path)).ok()?;
                Face::parse(Box::leak(bytes.into_boxed_slice()), 0).ok()
            })
            .take(FACES)
            .collect();
        if faces.is_empty() {
            tracing::warn!(
                "no font was found, so windows have no titles; install fonts-dejavu-core"
            );
        }
        (!faces.is_empty()).then_some(Self { faces })
    }

    /// The outline of a line that starts at the origin, cut to `room`, and its width.
    pub(super) fn line(&self, text: &str, size: f32, room: f32) -> (Option<tiny_skia::Path>, f32) {
        let ellipsis = self.glyph('…').map_or(0.0, |glyph| glyph.advance(size));
        let mut builder = PathBuilder::new();
        let mut pen = 0.0;
        let mut letters = text
            .chars()
            .filter(|letter| !letter.is_control())
            .peekable();
        while let Some(letter) = letters.next() {
            let Some(glyph) = self.glyph(letter) else {
                continue;
            };
            let advance = glyph.advance(size);
            let last = letters.peek().is_none();
            let fits = pen + advance + if last { 0.0 } else { ellipsis } <= room;
            if !fits {
                if let Some(glyph) = self.glyph('…').filter(|_| pen + ellipsis <= room) {
                    glyph.draw(&mut builder, pen, size);
                    pen += ellipsis;
                }
                break;
            }
            glyph.draw(&mut builder, pen, size);
            pen += advance;
        }
        (builder.finish(), pen)
    }

    fn glyph(&self, letter: char) -> Option<Glyph<'_>> {
        let find = |face: &'_ Face<'static>| face.glyph_index(letter);
        let found = self
            .faces
            .iter()
            .find_map(|face| Some((face, find(face)?)))
            .or_else(|| {
                let face = self.faces.first()?;
                Some((face, face.glyph_index('\u{fffd}')?))
            });
        found.map(|(face, id)| Glyph { face, id })
    }
}

struct Glyph<'a> {
    face: &'a Face<'static>,
    id: GlyphId,
}

impl Glyph<'_> {
    fn unit(&self, size: f32) -> f32 {
        size / f32::from(self.face.units_per_em().max(1))
    }

    fn advance(&self, size: f32) -> f32 {
        f32::from(self.face.glyph_hor_advance(self.id).unwrap_or(0)) * self.unit(size)
    }

    fn draw(&self, builder: &mut PathBuilder, x: f32, size: f32) {
        let mut outline = Outline(PathBuilder::new());
        self.face.outline_glyph(self.id, &mut outline);
        let unit = self.unit(size);
        let transform = Transform::from_row(unit, 0.0, 0.0, -unit, x, 0.0);
        if let Some(path) = outline
            .0
            .finish()
            .and_then(|path| path.transform(transform))
        {
            builder.push_path(&path);
        }
    }
}

struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

/// Where fonts are installed.
const FOLDER: &str = "/usr/share/fonts";

/// Fonts to write with, the best one first; later ones fill in what earlier ones lack.
const FONTS: [&str; 8] = [
    "opentype/inter/Inter-Medium.otf",
    "opentype/cantarell/Cantarell-VF.otf",
    "truetype/noto/NotoSans-Medium.ttf",
    "truetype/noto/NotoSans-Regular.ttf",
    "truetype/dejavu/DejaVuSans.ttf",
    "truetype/liberation/LiberationSans-Regular.ttf",
    "truetype/freefont/FreeSans.ttf",
    "truetype/droid/DroidSansFallbackFull.ttf",
];

/// The fonts that are held in memory at most.
const FACES: usize = 2;
