//! The user's terminal: a real one, without a window.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::Processor;
use vroom_predict::{Glyph, Grid, Position};

pub(crate) struct Terminal {
    term: Term<VoidListener>,
    parser: Processor,
}

struct Size(u16, u16);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0)
    }

    fn columns(&self) -> usize {
        usize::from(self.1)
    }
}

impl Terminal {
    pub(crate) fn new(rows: u16, cols: u16) -> Self {
        Self {
            term: Term::new(Config::default(), &Size(rows, cols), VoidListener),
            parser: Processor::new(),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }
}

impl Grid for Terminal {
    fn size(&self) -> (u16, u16) {
        let size = |count: usize| u16::try_from(count).unwrap();
        (size(self.term.screen_lines()), size(self.term.columns()))
    }

    fn cursor(&self) -> Option<Position> {
        if !self.term.mode().contains(TermMode::SHOW_CURSOR) {
            return None;
        }
        let cursor = &self.term.grid().cursor;
        let row = u16::try_from(cursor.point.line.0).unwrap();
        let col = u16::try_from(cursor.point.column.0).unwrap();
        Some(Position::new(row, col + u16::from(cursor.input_needs_wrap)))
    }

    fn glyph(&self, at: Position) -> Glyph {
        let (rows, cols) = self.size();
        if at.row >= rows || at.col >= cols {
            return Glyph::BLANK;
        }
        let cell = &self.term.grid()[Line(i32::from(at.row))][Column(usize::from(at.col))];
        let width = if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            0
        } else {
            1 + u8::from(cell.flags.contains(Flags::WIDE_CHAR))
        };
        let marks = cell.zerowidth().unwrap_or_default();
        Glyph::from_cell(core::iter::once(cell.c).chain(marks.iter().copied()), width)
    }
}
