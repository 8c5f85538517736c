//! Where images are shown.
//!
//! An image lies over lines and moves with them. A kitty image lies over the text, which does not
//! touch it; a sixel image is gone when something is written where it is.

use std::ops::Range;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Cell;

use super::super::page::Page;
use super::super::snapshot::character_at;
use super::Key;

/// One image in one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Placement {
    pub(in super::super) image: Key,
    /// What the program calls this place; 0 is no name.
    pub(in super::super) id: u32,
    /// Where it is; `None` for one that is only shown through placeholder characters.
    pub(in super::super) anchor: Option<Anchor>,
    /// Height and width in characters.
    pub(in super::super) rows: usize,
    pub(in super::super) cols: usize,
    /// The keys that say which part is shown and how: `x`, `y`, `w`, `h`, `X`, `Y`, `c`, `r`, `z`.
    pub(in super::super) view: Vec<(u8, i64)>,
    pub(in super::super) sixel: bool,
}

/// The upper left corner of an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) struct Anchor {
    /// Counted from a line that never changes; see [`Placements::line`].
    line: i64,
    pub(in super::super) col: usize,
}

/// The images on one screen.
#[derive(Debug, Default)]
pub(in super::super) struct Placements {
    list: Vec<Placement>,
    /// How many lines have left the screen at its top.
    scrolled: i64,
    /// The line behind the last sixel image; above it text has to look for images.
    sixels_end: i64,
}

/// Places on one screen; the oldest goes when there are more.
const PLACEMENTS_MAX: usize = 512;
/// Marks the line of a place while lines are broken anew: private characters, one for each place.
const PIN: u32 = 0xf_0000;

impl Placements {
    /// Shows an image at a line of the screen, or nowhere in particular.
    pub(in super::super) fn add(&mut self, at: Option<(usize, usize)>, mut placement: Placement) {
        placement.anchor = at.map(|(line, col)| Anchor {
            line: wide(line) + self.scrolled,
            col,
        });
        if placement.id != 0 {
            self.list
                .retain(|other| (other.image, other.id) != (placement.image, placement.id));
        }
        if placement.sixel
            && let Some(anchor) = placement.anchor
        {
            self.sixels_end = self.sixels_end.max(anchor.line + wide(placement.rows));
        }
        if self.list.len() == PLACEMENTS_MAX {
            self.list.remove(0);
        }
        self.list.push(placement);
    }

    /// The places that still exist on a screen with so many lines above it.
    pub(in super::super) fn iter(&self, history: usize) -> impl Iterator<Item = &Placement> {
        let oldest = -wide(history);
        self.list
            .iter()
            .filter(move |placement| self.line(placement).is_none_or(|line| line >= oldest))
    }

    /// All places, also those that are gone.
    pub(in super::super) fn all(&self) -> impl Iterator<Item = &Placement> {
        self.list.iter()
    }

    /// Gives all places other sizes, on a screen of so many lines and columns.
    fn set_sizes(&mut self, sizes: Vec<(usize, usize)>, rows: usize, cols: usize) {
        for (place, size) in self.list.iter_mut().zip(sizes) {
            (place.rows, place.cols) = size;
        }
        self.list.retain_mut(|place| {
            let Some(anchor) = place.anchor else {
                return true;
            };
            if place.sixel {
                place.cols = place.cols.min(cols.saturating_sub(anchor.col));
            }
            let end = anchor.line - self.scrolled + wide(place.rows);
            let fits = place.rows <= rows && end <= wide(rows);
            fits && place.rows > 0 && place.cols > 0 && anchor.col < cols
        });
        self.change(|_, line| Some(line));
    }

    /// The line of a place, counted from the first visible one.
    pub(in super::super) fn line(&self, placement: &Placement) -> Option<i64> {
        Some(placement.anchor?.line - self.scrolled)
    }

    /// Removes places; the filter gets the line counted from the first visible one.
    pub(in super::super) fn remove(&mut self, gone: impl Fn(&Placement, Option<i64>) -> bool) {
        let scrolled = self.scrolled;
        self.list.retain(|placement| {
            !gone(
                placement,
                placement.anchor.map(|anchor| anchor.line - scrolled),
            )
        });
    }

    pub(in super::super) fn shows(&self, image: Key) -> bool {
        self.list.iter().any(|placement| placement.image == image)
    }

    /// The region has scrolled by a line; what was at the top of the screen is above it now.
    pub(in super::super) fn scroll_out(&mut self, top: usize, bottom: usize, rows: usize) {
        if self.list.is_empty() {
            return;
        }
        if top > 0 {
            return self.shift_up(top, bottom, 1);
        }
        if bottom < rows {
            // The lines below the region stay where they are.
            let bottom = wide(bottom);
            self.change(|placement, line| match placement.sixel {
                true if line < bottom && line + wide(placement.rows) > bottom => None,
                _ => Some(line + i64::from(line >= bottom)),
            });
        }
        self.scrolled += 1;
    }

    /// Lines between `from` and `to` have moved up.
    pub(in super::super) fn shift_up(&mut self, from: usize, to: usize, count: usize) {
        self.shift(from, to, -wide(count));
    }

    /// Lines between `from` and `to` have moved down.
    pub(in super::super) fn shift_down(&mut self, from: usize, to: usize, count: usize) {
        self.shift(from, to, wide(count));
    }

    fn shift(&mut self, from: usize, to: usize, by: i64) {
        let (from, to) = (wide(from), wide(to));
        self.change(|placement, line| {
            let rows = wide(placement.rows);
            if line >= to || line + rows <= from {
                return Some(line);
            }
            // What is torn or leaves the region is gone.
            let moved = line + by;
            let whole = line >= from && line + rows <= to;
            (whole && moved >= from && moved + rows <= to).then_some(moved)
        });
    }

    fn change(&mut self, to: impl Fn(&Placement, i64) -> Option<i64>) {
        let scrolled = self.scrolled;
        let mut end = i64::MIN;
        self.list.retain_mut(|placement| {
            let Some(anchor) = placement.anchor else {
                return true;
            };
            let Some(line) = to(placement, anchor.line - scrolled) else {
                return false;
            };
            let line = line + scrolled;
            if placement.sixel {
                end = end.max(line + wide(placement.rows));
            }
            placement.anchor = Some(Anchor { line, ..anchor });
            true
        });
        self.sixels_end = end;
    }

    /// Something was written: the sixel images there are gone.
    pub(in super::super) fn overwrite(&mut self, lines: Range<usize>, cols: Range<usize>) {
        if self.list.is_empty() || wide(lines.start) + self.scrolled >= self.sixels_end {
            return;
        }
        let lines = wide(lines.start)..wide(lines.end);
        self.remove(|placement, line| {
            let (Some(line), Some(anchor)) = (line, placement.anchor) else {
                return false;
            };
            placement.sixel
                && line < lines.end
                && line + wide(placement.rows) > lines.start
                && anchor.col < cols.end
                && anchor.col + placement.cols > cols.start
        });
    }

    /// The screen was cleared, and its images with it.
    pub(in super::super) fn clear_screen(&mut self, rows: usize) {
        self.remove(|placement, line| {
            line.is_some_and(|line| line < wide(rows) && line + wide(placement.rows) > 0)
        });
    }

    /// The lines above the screen were forgotten.
    pub(in super::super) fn clear_history(&mut self) {
        self.remove(|_, line| line.is_some_and(|line| line < 0));
    }

    /// Marks the lines of all places in the grid, before its lines are broken anew.
    pub(in super::super) fn pin(&mut self, grid: &mut Grid<Cell>) {
        let (oldest, end) = (i64::from(grid.topmost_line().0), wide(grid.screen_lines()));
        let scrolled = self.scrolled;
        let mut pin = PIN;
        self.list.retain(|placement| {
            let Some(anchor) = placement.anchor else {
                return true;
            };
            let line = anchor.line - scrolled;
            let (true, Ok(at), Some(mark)) = (
                (oldest..end).contains(&line),
                i32::try_from(line),
                char::from_u32(pin),
            ) else {
                return false;
            };
            grid[Line(at)][Column(0)].push_zerowidth(mark);
            pin += 1;
            true
        });
    }

    /// Finds the lines that were marked, and removes the marks.
    pub(in super::super) fn unpin(&mut self, grid: &mut Grid<Cell>) {
        let anchored = self.list.iter().filter(|it| it.anchor.is_some()).count();
        if anchored == 0 {
            return;
        }
        let mut lines = vec![None; anchored];
        for line in grid.topmost_line().0..=grid.bottommost_line().0 {
            for col in 0..grid.columns() {
                let cell = &grid[Line(line)][Column(col)];
                if cell
                    .zerowidth()
                    .is_some_and(|marks| marks.iter().any(is_pin))
                {
                    let cell = &mut grid[Line(line)][Column(col)];
                    for pin in take_pins(cell) {
                        if let Some(found) = lines.get_mut(pin) {
                            *found = Some(i64::from(line));
                        }
                    }
                }
            }
        }
        (self.scrolled, self.sixels_end) = (0, i64::MIN);
        let mut lines = lines.into_iter();
        self.list.retain_mut(|placement| {
            let Some(anchor) = &mut placement.anchor else {
                return true;
            };
            let Some(line) = lines.next().flatten() else {
                return false;
            };
            anchor.line = line;
            true
        });
    }
}

impl Page {
    /// Gives the images of the screen other sizes; what does not fit any more is gone.
    pub(super) fn set_place_sizes(&mut self, sizes: Vec<(usize, usize)>) {
        let (rows, cols) = (self.rows(), self.cols());
        self.placements.set_sizes(sizes, rows, cols);
        if self.pending() {
            // Its line is full: something is written at its end.
            let line = self.line();
            let last = character_at(self.row(line), cols - 1);
            self.placements.overwrite(line..line + 1, last..cols);
        }
        // Nor does a line go on whose last character lies under an image.
        let mut lines = Vec::new();
        for place in self.placements.list.iter().filter(|place| place.sixel) {
            let (Some(first), Some(anchor)) = (self.placements.line(place), place.anchor) else {
                continue;
            };
            let oldest = self.grid.topmost_line();
            for line in first..first + wide(place.rows) {
                let line = Line(i32::try_from(line).unwrap_or(i32::MIN));
                if line >= oldest
                    && anchor.col + place.cols > character_at(&self.grid[line], cols - 1)
                {
                    lines.push(line);
                }
            }
        }
        for line in lines {
            self.end_wrap_at(line);
        }
    }
}

fn is_pin(mark: &char) -> bool {
    (PIN..PIN + 0x1000).contains(&u32::from(*mark))
}

/// Removes the marks from a cell and says which they were.
fn take_pins(cell: &mut Cell) -> Vec<usize> {
    let marks = cell.zerowidth().unwrap_or_default().to_vec();
    let (color, link) = (cell.underline_color(), cell.hyperlink());
    cell.extra = None;
    if color.is_some() {
        cell.set_underline_color(color);
    }
    if link.is_some() {
        cell.set_hyperlink(link);
    }
    let (pins, others): (Vec<char>, Vec<char>) = marks.into_iter().partition(is_pin);
    for other in others {
        cell.push_zerowidth(other);
    }
    let number = |pin: char| usize::try_from(u32::from(pin) - PIN).unwrap_or(usize::MAX);
    pins.into_iter().map(number).collect()
}

fn wide(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
