//! Operating system commands: titles, colours, links, the clipboard, and what shells tell.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::model::Model;
use super::palette::{self, Slot};
use super::state::Progress;
use super::title::plain;
use super::tokenizer::CLIPBOARD_BYTES;

/// The longest directory and the longest mark of a prompt; the rest is cut off.
const DIRECTORY_CHARS: usize = 4096;
const PROMPT_CHARS: usize = 64;

impl Model {
    /// The content of an operating system command.
    pub(super) fn osc(&mut self, content: &[u8]) {
        self.last = None;
        let number = content.iter().position(|byte| !byte.is_ascii_digit());
        if number.is_some_and(|end| content[end] != b';') {
            return;
        }
        let content = plain(&String::from_utf8_lossy(content), usize::MAX);
        let (number, rest) = content.split_once(';').unwrap_or((&content, ""));
        match number {
            "0" | "2" => self.titles.set(rest),
            "4" => self.indexed_colours(rest),
            "7" => {
                self.directory = Some(plain(rest, DIRECTORY_CHARS)).filter(|dir| !dir.is_empty());
            }
            "8" => self.link(rest),
            "9" => self.progress(rest),
            "10" => self.special_colours(rest, 0),
            "11" => self.special_colours(rest, 1),
            "12" => self.special_colours(rest, 2),
            "52" => self.set_clipboard(rest),
            "104" if rest.is_empty() => self
                .palette
                .changed
                .retain(|slot, _| !matches!(slot, Slot::Indexed(_))),
            "104" => {
                for index in rest.split(';').filter_map(|index| index.parse().ok()) {
                    self.palette.changed.remove(&Slot::Indexed(index));
                }
            }
            "110" => self.restore_colour(Slot::Foreground),
            "111" => self.restore_colour(Slot::Background),
            "112" => self.restore_colour(Slot::Cursor),
            "133" => self.prompt = Some(plain(rest, PROMPT_CHARS)).filter(|mark| !mark.is_empty()),
            _ => {}
        }
    }

    fn indexed_colours(&mut self, rest: &str) {
        let mut parts = rest.split(';');
        while let (Some(index), Some(spec)) = (parts.next(), parts.next()) {
            if let Ok(index) = index.parse() {
                self.colour(Slot::Indexed(index), spec);
            }
        }
    }

    fn special_colours(&mut self, rest: &str, first: usize) {
        for (slot, spec) in Slot::SPECIAL[first..].iter().zip(rest.split(';')) {
            self.colour(*slot, spec);
        }
    }

    /// Sets a colour, or tells it.
    fn colour(&mut self, slot: Slot, spec: &str) {
        if spec == "?" {
            let answer = format!("\x1b]{};{}\x1b\\", slot.name(), self.palette.spec(slot));
            self.reply(&answer);
        } else if let Some(colour) = palette::parse(spec) {
            self.palette.changed.insert(slot, colour);
        }
    }

    fn restore_colour(&mut self, slot: Slot) {
        self.palette.changed.remove(&slot);
    }

    /// OSC 8: `parameters ; address`, or nothing to end the link.
    fn link(&mut self, rest: &str) {
        let Some((parameters, uri)) = rest.split_once(';') else {
            return;
        };
        let id = parameters
            .split(':')
            .find_map(|parameter| parameter.trim().strip_prefix("id="))
            .unwrap_or_default();
        let (id, uri) = (plain(id, usize::MAX), plain(uri, usize::MAX));
        let (page, main) = (&self.page, &self.main);
        let link = if uri.is_empty() {
            None
        } else {
            self.links.open(&id, &uri, || {
                let main = main.as_ref().map(|main| &main.grid);
                main.into_iter().chain([&page.grid]).collect()
            })
        };
        self.page.pen_mut().set_hyperlink(link);
    }

    /// OSC 9;4: `state ; percent`. Other commands of this number are notifications.
    fn progress(&mut self, rest: &str) {
        let mut parts = rest.split(';');
        if parts.next() != Some("4") {
            return;
        }
        let Some(state) = parts.next() else {
            return;
        };
        let percent = parts.next().and_then(|text| text.parse().ok());
        let percent = percent.unwrap_or(0).min(100);
        self.progress = match state {
            "1" => Some(Progress::Normal(percent)),
            "2" => Some(Progress::Error(percent)),
            "3" => Some(Progress::Indeterminate),
            "4" => Some(Progress::Paused(percent)),
            _ => None,
        };
    }

    /// OSC 52: `which ; base64`. The clipboard is written, never read.
    fn set_clipboard(&mut self, rest: &str) {
        let Some((_, data)) = rest.split_once(';') else {
            return;
        };
        if let Ok(data) = STANDARD.decode(data)
            && data.len() <= CLIPBOARD_BYTES
        {
            self.clipboard = Some(data);
        }
    }
}
