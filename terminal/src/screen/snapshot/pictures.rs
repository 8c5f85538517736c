//! Images in a snapshot.

use super::super::images::{Image, Key, Placement, Source, words};
use super::super::page::Page;
use super::Snapshot;

/// The places on a screen, by the line that they end at.
pub(super) struct Pictures<'a> {
    /// The last line of each place, counted from the oldest line of the screen.
    places: Vec<(usize, &'a Placement)>,
}

/// Bytes of base64 in one chunk, as the protocol wants it.
const CHUNK_BYTES: usize = 4096;

impl<'a> Pictures<'a> {
    /// The places that begin at line `first` or below.
    pub(super) fn of(page: &'a Page, first: usize) -> Self {
        let history = page.history();
        let end = history + page.rows();
        let mut places: Vec<_> = page
            .placements
            .iter(history)
            .filter_map(|placement| {
                let line = page.placements.line(placement)?;
                let begin = usize::try_from(line + i64::try_from(history).ok()?).ok()?;
                let last = begin + placement.rows - 1;
                (begin >= first && last < end).then_some((last, placement))
            })
            .collect();
        places.sort_by_key(|(last, _)| *last);
        Self { places }
    }

    /// Whether some place lies in the lines before `end` or below.
    pub(super) fn cover(&self, end: usize) -> bool {
        self.places.iter().any(|(last, _)| last + 1 >= end)
    }

    /// The places whose last line this is.
    pub(super) fn ending_at(&self, line: usize) -> Vec<&'a Placement> {
        let ending = self.places.iter().filter(|(last, _)| *last == line);
        ending.map(|(_, placement)| *placement).collect()
    }
}

impl Snapshot<'_> {
    /// The kitty images that have a name, without showing them.
    pub(super) fn images(&mut self) {
        if !self.options.graphics {
            return;
        }
        let named = self.model.images.stored.iter();
        let mut named: Vec<_> = named
            .filter(|(key, _)| !matches!(key, Key::Nameless(_)))
            .collect();
        named.sort_by_key(|(_, image)| image.age());
        for (key, image) in named {
            let keys = format!("a=t,q=2{}{}", name(*key), image.keys());
            self.transmit(&keys, image);
        }
    }

    /// Shows one image whose last line is `last` on the screen, and returns there.
    pub(super) fn picture(&mut self, page: &Page, placement: &Placement, last: usize) {
        let (Some(anchor), Some(image)) = (
            placement.anchor,
            self.model.images.stored.get(&placement.image),
        ) else {
            return;
        };
        let line = (last + 1).saturating_sub(placement.rows);
        self.go(line, anchor.col);
        let room = placement.cols.min(page.cols().saturating_sub(anchor.col));
        match &image.source {
            Source::Sixel(content) if self.options.sixel => {
                self.put("\x1bP");
                self.out.extend_from_slice(content);
                self.put("\x1b\\");
            }
            Source::Kitty { .. } if self.options.graphics => self.show(placement, image),
            _ => {
                self.plain_pen();
                let text = format!("[image {}x{}]", image.size.0, image.size.1);
                self.put(text.get(..room).unwrap_or(&text));
            }
        }
        self.go(last, 0);
    }

    /// The places that are shown through placeholder characters only.
    pub(super) fn virtual_places(&mut self, page: &Page) {
        if !self.options.graphics {
            return;
        }
        for placement in page.placements.iter(page.history()) {
            if let (None, Some(image)) = (
                placement.anchor,
                self.model.images.stored.get(&placement.image),
            ) {
                self.show(placement, image);
            }
        }
    }

    fn show(&mut self, placement: &Placement, image: &Image) {
        let mut keys = words(&placement.view);
        if placement.id != 0 {
            keys.push_str(&format!(",p={}", placement.id));
        }
        keys.push_str(if placement.anchor.is_some() {
            ",C=1"
        } else {
            ",U=1"
        });
        match placement.image {
            Key::Nameless(_) => {
                let keys = format!("a=T,q=2{}{keys}", image.keys());
                self.transmit(&keys, image);
            }
            key => self.print(format_args!("\x1b_Ga=p,q=2{}{keys}\x1b\\", name(key))),
        }
    }

    fn transmit(&mut self, keys: &str, image: &Image) {
        if let Source::Kitty { payload, .. } = &image.source {
            self.chunks(keys, payload, false);
        }
    }

    /// A payload in chunks; after the last one more are to come when `open`.
    fn chunks(&mut self, keys: &str, payload: &[u8], open: bool) {
        let mut rest = payload;
        let mut keys = keys;
        loop {
            let (chunk, later) = rest.split_at(rest.len().min(CHUNK_BYTES));
            let more = u8::from(open || !later.is_empty());
            let comma = if keys.is_empty() { "" } else { "," };
            self.print(format_args!("\x1b_G{keys}{comma}m={more};"));
            self.out.extend_from_slice(chunk);
            self.put("\x1b\\");
            (rest, keys) = (later, "");
            if rest.is_empty() {
                return;
            }
        }
    }

    /// An image whose chunks are still coming.
    pub(super) fn upload(&mut self) {
        if let Some(upload) = &self.model.images.upload
            && self.options.graphics
        {
            self.chunks(&upload.control, &upload.payload, true);
        }
    }
}

fn name(key: Key) -> String {
    match key {
        Key::Id(id) => format!(",i={id}"),
        Key::Number(number) => format!(",I={number}"),
        Key::Nameless(_) => String::new(),
    }
}
