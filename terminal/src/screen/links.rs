//! The hyperlinks of a terminal (OSC 8).

use std::collections::HashMap;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Hyperlink};

/// The links that were opened, each kept once however many cells it covers.
#[derive(Debug, Default)]
pub(super) struct Links {
    known: HashMap<(String, String), Hyperlink>,
    bytes: usize,
    /// Bytes of refused links after which the store is looked through again.
    patience: usize,
}

/// The longest address of a link, and the longest name; longer ones are no links.
const URI_BYTES: usize = 2083;
const ID_BYTES: usize = 250;
/// Bytes of all addresses; when that is full of links on the screen, further text is without.
const LINK_BYTES: usize = 4 << 20;

impl Links {
    /// The link of this address; `None` when it is too long or there are too many.
    ///
    /// `in_use` is asked for the screens when the store is full, to forget links that are gone.
    pub(super) fn open<'a>(
        &mut self,
        id: &str,
        uri: &str,
        in_use: impl FnOnce() -> Vec<&'a Grid<Cell>>,
    ) -> Option<Hyperlink> {
        if uri.len() > URI_BYTES || id.len() > ID_BYTES {
            return None;
        }
        let name = (id.to_owned(), uri.to_owned());
        if let Some(link) = self.known.get(&name) {
            return Some(link.clone());
        }
        let bytes = id.len() + uri.len();
        if self.bytes + bytes > LINK_BYTES {
            self.patience = self.patience.saturating_sub(bytes);
            if self.patience == 0 {
                self.forget_unused(&in_use());
                self.patience = LINK_BYTES / 4;
            }
            if self.bytes + bytes > LINK_BYTES {
                return None;
            }
        }
        self.bytes += bytes;
        let link = Hyperlink::new(Some(id), uri.to_owned());
        self.known.insert(name, link.clone());
        Some(link)
    }

    fn forget_unused(&mut self, grids: &[&Grid<Cell>]) {
        let mut used = HashMap::new();
        for grid in grids {
            let mut note = |cell: &Cell| {
                if let Some(link) = cell.hyperlink() {
                    used.insert((link.id().to_owned(), link.uri().to_owned()), link);
                }
            };
            note(&grid.cursor.template);
            for line in grid.topmost_line().0..=grid.bottommost_line().0 {
                for col in 0..grid.columns() {
                    note(&grid[Line(line)][Column(col)]);
                }
            }
        }
        self.bytes = used.keys().map(|(id, uri)| id.len() + uri.len()).sum();
        self.known = used;
    }
}
