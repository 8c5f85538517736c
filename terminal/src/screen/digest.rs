//! What makes two screens equal.

use std::collections::VecDeque;

use alacritty_terminal::grid::Row;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};

use super::charset::Charsets;
use super::images::{Anchor, Image, Key, Placement, Upload};
use super::keyboard::Keyboard;
use super::model::Model;
use super::modes::Modes;
use super::page::{Page, Saved};
use super::snapshot::without_layout;
use super::state::Progress;

/// Everything visible and every mode of a screen: equal for equal screens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScreenDigest {
    main: PageDigest,
    alternate: Option<PageDigest>,
    cursor: (usize, usize, bool),
    pen: Cell,
    charsets: Charsets,
    modes: Modes,
    keyboards: [Keyboard; 2],
    tabs: Vec<usize>,
    title: String,
    titles: VecDeque<String>,
    palette: Vec<(String, [u8; 3])>,
    cursor_style: u8,
    repeatable: Option<char>,
    directory: Option<String>,
    progress: Option<Progress>,
    prompt: Option<String>,
    images: Vec<(Key, ImageDigest)>,
    upload: Option<Upload>,
    unfinished: Vec<u8>,
}

/// One screen.
#[derive(Clone, Debug, Eq, PartialEq)]
struct PageDigest {
    /// The lines from the oldest; what follows the last character of a line is cut off when blank.
    lines: Vec<(Vec<CellDigest>, bool)>,
    visible: usize,
    region: (usize, usize),
    saved: (Saved, usize, usize, Cell),
    places: Vec<PlaceDigest>,
}

/// One character and its look, in a line.
type CellDigest = Cell;

/// An image as it was transmitted, without its name.
type ImageDigest = (super::images::Source, (u32, u32));

/// One place of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
struct PlaceDigest {
    line: Option<i64>,
    col: usize,
    cells: (usize, usize),
    name: (Option<Key>, u32),
    view: Vec<(u8, i64)>,
    image: Option<ImageDigest>,
}

impl ScreenDigest {
    pub(super) fn of(model: &Model, unfinished: &[u8]) -> Self {
        let page = &model.page;
        let stops = model.tabs.iter().enumerate();
        let mut named: Vec<_> = model.images.stored.iter().collect();
        named.retain(|(key, _)| !matches!(key, Key::Nameless(_)));
        named.sort_by_key(|(_, image)| image.age());
        Self {
            main: PageDigest::of(model, model.main_page()),
            alternate: model
                .alternate_page()
                .map(|page| PageDigest::of(model, page)),
            cursor: (page.line(), page.col(), page.pending()),
            pen: page.pen().clone(),
            charsets: model.charsets,
            modes: model.modes,
            keyboards: model.keyboards.clone(),
            tabs: stops
                .filter(|(_, stops)| **stops)
                .map(|(col, _)| col)
                .collect(),
            title: model.titles.title.clone(),
            titles: model.titles.stack.clone(),
            palette: model
                .palette
                .changed
                .iter()
                .map(|(slot, colour)| (slot.name(), *colour))
                .collect(),
            cursor_style: model.cursor_style,
            repeatable: model.last,
            directory: model.directory.clone(),
            progress: model.progress,
            prompt: model.prompt.clone(),
            images: named
                .into_iter()
                .map(|(key, image)| (*key, digest(image)))
                .collect(),
            upload: model.images.upload.clone(),
            unfinished: unfinished.to_vec(),
        }
    }
}

impl PageDigest {
    fn of(model: &Model, page: &Page) -> Self {
        let history = page.history();
        let cursor = &page.grid.saved_cursor;
        let mut pen = cursor.template.clone();
        pen.set_hyperlink(None);
        let line = usize::try_from(cursor.point.line.0).unwrap_or(0);
        let mut places: Vec<_> = page
            .placements
            .iter(history)
            .filter_map(|placement| PlaceDigest::of(model, page, placement))
            .collect();
        places.sort_by_key(|place| (place.line, place.col, place.name, place.cells));
        Self {
            lines: (0..history + page.rows())
                .map(|at| line_digest(page.row_from_oldest(at)))
                .collect(),
            visible: page.rows(),
            region: (page.top, page.bottom),
            saved: (page.saved.clone(), line, cursor.point.column.0, pen),
            places,
        }
    }
}

impl PlaceDigest {
    fn of(model: &Model, page: &Page, placement: &Placement) -> Option<Self> {
        let image = model.images.stored.get(&placement.image)?;
        let nameless = matches!(placement.image, Key::Nameless(_));
        Some(Self {
            line: page.placements.line(placement),
            col: placement.anchor.map_or(0, |Anchor { col, .. }| col),
            cells: (placement.rows, placement.cols),
            name: ((!nameless).then_some(placement.image), placement.id),
            view: placement.view.clone(),
            image: nameless.then(|| digest(image)),
        })
    }
}

fn digest(image: &Image) -> ImageDigest {
    (image.source.clone(), image.size)
}

/// The cells of a line, and whether the next line continues it.
fn line_digest(row: &Row<Cell>) -> (Vec<CellDigest>, bool) {
    let blank = super::page::default_cell();
    let spacer = Flags::WIDE_CHAR_SPACER;
    let mut cells: Vec<Cell> = (0..row.len())
        .map(|col| &row[Column(col)])
        .filter(|cell| !cell.flags.contains(spacer))
        .map(without_layout)
        .collect();
    while cells.last() == Some(&blank) {
        cells.pop();
    }
    let wrapped = row
        .last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE));
    (cells, wrapped)
}
