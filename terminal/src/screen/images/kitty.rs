//! The kitty graphics protocol, as far as images come in the stream itself.
//!
//! Files and shared memory are refused: what they name lies on another machine, or must not be read.

use std::str;

use super::super::model::Model;
use super::{Command, Image, Key, Placement, Placements, Source, Upload, is_base64, png};

/// The largest image in pixels, either way.
const SIZE_MAX_PX: u32 = 10_000;
/// The largest place in characters, either way.
const PLACE_MAX: u64 = 4096;

impl Model {
    /// A graphics command without its `G`: control data, `;`, payload.
    pub(in super::super) fn graphics(&mut self, content: &[u8]) {
        self.last = None;
        let split = content.iter().position(|byte| *byte == b';');
        let (control, payload) = match split {
            Some(at) => (&content[..at], content[at + 1..].to_vec()),
            None => (content, Vec::new()),
        };
        let mut payload = payload;
        payload.retain(|byte| is_base64(*byte));
        let Some(control) = str::from_utf8(control).ok() else {
            return;
        };
        let Some(command) = Command::parse(control) else {
            return;
        };
        if !command.direct {
            self.image_reply(&command, "EINVAL:only direct transmission is supported");
        } else if command.action == b'd' {
            self.images.upload = None;
            self.delete_images(&command);
        } else if self.images.upload.is_some() {
            self.chunk(&command, &payload);
        } else {
            match command.action {
                b'p' => self.put(&command),
                b't' | b'T' | b'q' if !command.more => self.transmitted(&command, payload),
                _ if command.more => self.begin_upload(control, &command, payload),
                _ => self.image_reply(&command, "EINVAL:unsupported action"),
            }
        }
    }

    fn begin_upload(&mut self, control: &str, command: &Command, payload: Vec<u8>) {
        let wanted = matches!(command.action, b't' | b'T' | b'q');
        let keys = control.split(',').filter(|key| !key.starts_with("m="));
        self.images.upload = Some(Upload {
            control: keys.collect::<Vec<_>>().join(","),
            payload: if wanted { payload } else { Vec::new() },
            wanted,
        });
    }

    /// One more chunk of an image.
    fn chunk(&mut self, command: &Command, payload: &[u8]) {
        let quota = self.images.quota;
        let Some(upload) = &mut self.images.upload else {
            return;
        };
        if upload.wanted && upload.payload.len() + payload.len() > quota {
            *upload = Upload::unwanted(&upload.control);
        } else if upload.wanted {
            upload.payload.extend_from_slice(payload);
        }
        if command.more {
            return;
        }
        let Some(upload) = self.images.upload.take() else {
            return;
        };
        let Some(first) = Command::parse(&upload.control) else {
            return;
        };
        if upload.wanted {
            self.transmitted(&first, upload.payload);
        } else {
            self.image_reply(&first, "EINVAL:unsupported or too large");
        }
    }

    /// An image has come whole.
    fn transmitted(&mut self, command: &Command, payload: Vec<u8>) {
        let format = match command.get(b'f') {
            0 => 32,
            format => format,
        };
        let size = match image_size(command, format, &payload) {
            Ok(size) => size,
            Err(reason) => return self.image_reply(command, reason),
        };
        let key = match (command.get(b'i'), command.get(b'I')) {
            (0, 0) => self.images.nameless(),
            (0, number) => Key::Number(number),
            (id, _) => Key::Id(id),
        };
        // An image that nobody can name and that is not shown at once is never shown.
        if command.action == b'T' || (command.action == b't' && !matches!(key, Key::Nameless(_))) {
            self.forget_places(key);
            if command.action == b'T' {
                self.place(command, key, size);
            }
            let source = Source::Kitty {
                format,
                compressed: command.compressed,
                payload,
            };
            self.keep_image(key, source, size);
        }
        self.image_reply(command, "OK");
    }

    /// Shows an image that was transmitted before.
    fn put(&mut self, command: &Command) {
        let key = match (command.get(b'i'), command.get(b'I')) {
            (0, number) => Key::Number(number),
            (id, _) => Key::Id(id),
        };
        match self.images.stored.get(&key).map(|image| image.size) {
            Some(size) => {
                self.place(command, key, size);
                self.image_reply(command, "OK");
            }
            None => self.image_reply(command, "ENOENT:no such image"),
        }
    }

    fn place(&mut self, command: &Command, image: Key, size: (u32, u32)) {
        let virtual_place = command.get(b'U') == 1;
        let (rows, cols) = self.place_cells(&command.view(), size);
        let (line, col) = (self.page.line(), self.page.col());
        let stays = command.get(b'C') == 1 || virtual_place;
        // One that is cut off by the lower edge cannot be shown again the same way.
        let fits = rows <= self.page.rows() && (!stays || line + rows <= self.page.rows());
        if fits || virtual_place {
            self.page.placements.add(
                (!virtual_place).then_some((line, col)),
                Placement {
                    image,
                    id: command.get(b'p'),
                    anchor: None,
                    rows,
                    cols,
                    view: command.view(),
                    sixel: false,
                },
            );
        }
        if !stays {
            self.feed_under_image(rows);
            self.page.go_behind(col.saturating_add(cols));
        }
    }

    /// Goes to the last line of an image; where the lines do not scroll, it has no room.
    pub(super) fn feed_under_image(&mut self, rows: usize) {
        for _ in 1..rows {
            self.page.feed();
        }
        let end = i64::try_from(self.page.rows()).unwrap_or(i64::MAX);
        self.page.placements.remove(|placement, line| {
            let rows = i64::try_from(placement.rows).unwrap_or(i64::MAX);
            line.is_some_and(|line| line.saturating_add(rows) > end)
        });
    }

    /// How many characters a place covers: lines and columns.
    fn place_cells(&self, view: &[(u8, i64)], (width, height): (u32, u32)) -> (usize, usize) {
        let (cell_width, cell_height) = self.image_cell_px();
        let get = |key: u8| {
            let found = view.iter().find(|(name, _)| *name == key);
            found.map_or(0, |(_, value)| u32::try_from(*value).unwrap_or(0))
        };
        let shown = |whole: u32, from: u8, len: u8| {
            let rest = whole.saturating_sub(get(from)).max(1);
            match get(len) {
                0 => rest,
                len => len.min(rest),
            }
        };
        let width = u64::from(shown(width, b'x', b'w'));
        let height = u64::from(shown(height, b'y', b'h'));
        let (cell_width, cell_height) = (u64::from(cell_width), u64::from(cell_height));
        let offset = |key: u8, cell: u64| u64::from(get(key)).min(cell - 1);
        let (cols, rows) = (u64::from(get(b'c')), u64::from(get(b'r')));
        let (cols, rows) = (cols.min(PLACE_MAX), rows.min(PLACE_MAX));
        let (cols, rows) = match (cols, rows) {
            (0, 0) => (
                (width + offset(b'X', cell_width)).div_ceil(cell_width),
                (height + offset(b'Y', cell_height)).div_ceil(cell_height),
            ),
            (cols, 0) => {
                let rows = (height * cols * cell_width).div_ceil(width * cell_height);
                (cols, rows)
            }
            (0, rows) => {
                let cols = (width * rows * cell_height).div_ceil(height * cell_width);
                (cols, rows)
            }
            both => both,
        };
        let cells = |value: u64| usize::try_from(value.clamp(1, PLACE_MAX)).unwrap_or(1);
        (cells(rows), cells(cols))
    }

    /// Measures all places anew, for characters of another size.
    pub(in super::super) fn measure_places(&mut self) {
        let measured = |places: &Placements| -> Vec<(usize, usize)> {
            let measure = |place: &Placement| match self.images.stored.get(&place.image) {
                Some(image) if place.sixel => self.cells(image.size),
                Some(image) => self.place_cells(&place.view, image.size),
                None => (place.rows, place.cols),
            };
            places.all().map(measure).collect()
        };
        let page = measured(&self.page.placements);
        let main = self.main.as_ref().map(|main| measured(&main.placements));
        self.page.set_place_sizes(page);
        if let (Some(page), Some(sizes)) = (&mut self.main, main) {
            page.set_place_sizes(sizes);
        }
    }

    /// Keeps an image, and forgets where those are shown that had to go for it.
    pub(super) fn keep_image(&mut self, key: Key, source: Source, size: (u32, u32)) {
        self.forget_hidden_images();
        for gone in self.images.store(key, source, size) {
            self.forget_places(gone);
        }
        self.forget_hidden_images();
    }

    fn forget_hidden_images(&mut self) {
        let (page, main) = (&self.page.placements, &self.main);
        self.images.forget_hidden(|key| {
            page.shows(key) || main.as_ref().is_some_and(|main| main.placements.shows(key))
        });
    }

    fn forget_places(&mut self, image: Key) {
        let pages = self.main.iter_mut().chain([&mut self.page]);
        for page in pages {
            page.placements.remove(|place, _| place.image == image);
        }
    }

    /// Answers a command of a program that wants to hear, in numbers and fixed words.
    pub(super) fn image_reply(&mut self, command: &Command, answer: &str) {
        let (id, number, place) = (command.get(b'i'), command.get(b'I'), command.get(b'p'));
        let quiet = command.get(b'q');
        let silent = quiet >= 2 || (quiet == 1 && answer == "OK");
        if silent || !self.claims.graphics || (id == 0 && number == 0) {
            return;
        }
        let mut keys = Vec::new();
        for (name, value) in [("i", id), ("I", number), ("p", place)] {
            if value != 0 {
                keys.push(format!("{name}={value}"));
            }
        }
        self.reply(&format!("\x1b_G{};{answer}\x1b\\", keys.join(",")));
    }
}

impl Upload {
    /// An image that is too large: its chunks are passed over.
    fn unwanted(control: &str) -> Self {
        let key = |key| Command::parse(control).map_or(0, |command| command.get(key));
        let (id, number, quiet) = (key(b'i'), key(b'I'), key(b'q'));
        Self {
            // An action that is not supported.
            control: format!("a=f,i={id},I={number},q={quiet}"),
            payload: Vec::new(),
            wanted: false,
        }
    }
}

/// The size of an image in pixels, or what is wrong with it.
fn image_size(command: &Command, format: u32, payload: &[u8]) -> Result<(u32, u32), &'static str> {
    let (width, height) = match format {
        100 => png::size(payload).ok_or("EBADPNG:not a PNG")?,
        24 | 32 => (command.get(b's'), command.get(b'v')),
        _ => return Err("EINVAL:unknown format"),
    };
    if !(1..=SIZE_MAX_PX).contains(&width) || !(1..=SIZE_MAX_PX).contains(&height) {
        return Err("EINVAL:no width or height, or too large");
    }
    let pixels = u64::from(width) * u64::from(height);
    let wanted = pixels * u64::from(format / 8);
    let bytes = u64::try_from(payload.len()).unwrap_or(0) * 3 / 4;
    if format != 100 && !command.compressed && bytes < wanted {
        return Err("ENODATA:insufficient pixel data");
    }
    Ok((width, height))
}

impl Image {
    /// The format, compression and size of a kitty image, as keys.
    pub(in super::super) fn keys(&self) -> String {
        let (width, height) = self.size;
        match &self.source {
            Source::Kitty { format: 100, .. } => ",f=100".to_owned(),
            Source::Kitty {
                format, compressed, ..
            } => {
                let compressed = if *compressed { ",o=z" } else { "" };
                format!(",f={format},s={width},v={height}{compressed}")
            }
            Source::Sixel(_) => String::new(),
        }
    }
}
