//! What a terminal shows, as asciicast v2: a line of JSON for each piece of output and each size.
// https://docs.asciinema.org/manual/asciicast/v2/

use std::time::Duration;

use serde_json::json;
use vroom_terminal::PtySize;
use vroom_terminal::screen::{OutputFilter, ViewerCapabilities};

/// Makes the lines of one terminal; its input is not among them.
pub(super) struct Cast {
    /// Takes out what the terminals of those who play it must not see, or cannot show.
    filter: OutputFilter,
    /// The beginning of a character whose rest is to come.
    rest: Vec<u8>,
    size: PtySize,
}

impl Cast {
    /// Begins with a size; returns the first line as well. Times of the lines count from `began`,
    /// in seconds since 1970.
    pub(super) fn begin(size: PtySize, began: u64, title: &str) -> (Self, String) {
        let header = json!({
            "version": 2,
            "width": size.cols,
            "height": size.rows,
            "timestamp": began,
            "title": title,
            "env": {"TERM": "xterm-256color"},
        });
        let cast = Self {
            filter: OutputFilter::new(&PLAYER),
            rest: Vec::new(),
            size,
        };
        (cast, format!("{header}\n"))
    }

    /// The line that says another size, where it is another.
    pub(super) fn resize(&mut self, at: Duration, size: PtySize) -> Option<String> {
        let same = (self.size.cols, self.size.rows) == (size.cols, size.rows);
        self.size = size;
        (!same).then(|| line(at, "r", &format!("{}x{}", size.cols, size.rows)))
    }

    /// The line that shows this output, where it shows anything yet.
    pub(super) fn output(&mut self, at: Duration, bytes: &[u8]) -> Option<String> {
        self.filter.push(bytes, &mut self.rest);
        // At most three bytes may belong to a character that is not whole.
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // What is no text at all is replaced, and what follows it cut where it may not be whole.
            Err(_) => self.rest.len() - unfinished(&self.rest),
            Ok(_) => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let text = std::mem::replace(&mut self.rest, rest);
        (!text.is_empty()).then(|| line(at, "o", &String::from_utf8_lossy(&text)))
    }

    /// The line that shows a screen instead of what was not shown.
    pub(super) fn screen(&mut self, at: Duration, snapshot: &[u8]) -> Option<String> {
        self.filter = OutputFilter::new(&PLAYER);
        self.rest.clear();
        // Players know of no other way back from the alternate screen.
        let mut bytes = b"\x1bc".to_vec();
        bytes.extend_from_slice(snapshot);
        self.output(at, &bytes)
    }
}

fn line(at: Duration, kind: &str, data: &str) -> String {
    let seconds = at.as_micros();
    let (whole, part) = (seconds / 1_000_000, seconds % 1_000_000);
    format!("[{whole}.{part:06}, \"{kind}\", {}]\n", json!(data))
}

/// The bytes at the end that may be the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.len().min(3);
    (1..=tail)
        .rev()
        .find(|length| {
            let end = bytes.get(bytes.len() - length..).unwrap_or_default();
            matches!(std::str::from_utf8(end), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

/// What players of recordings show.
const PLAYER: ViewerCapabilities = ViewerCapabilities {
    graphics: false,
    sixel: false,
    kitty_level: 0,
};

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PtySize = PtySize {
        rows: 24,
        cols: 80,
        px_w: 0,
        px_h: 0,
    };

    fn cast() -> Cast {
        Cast::begin(SIZE, 1, "a").0
    }

    #[test]
    fn the_header_is_that_of_version_2() {
        let (_, line) = Cast::begin(SIZE, 1_700_000_000, "bash");
        let header: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(header["version"], 2);
        assert_eq!(
            (&header["width"], &header["height"]),
            (&json!(80), &json!(24))
        );
        assert_eq!(header["timestamp"], 1_700_000_000_u64);
    }

    #[test]
    fn characters_are_whole_wherever_output_is_cut() {
        let text = "a\u{e4}\u{20ac}\u{1f600}z";
        for cut in 0..text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            let mut cast = cast();
            let lines = [first, second]
                .into_iter()
                .filter_map(|part| cast.output(Duration::from_millis(1500), part));
            let shown: String = lines
                .map(|line| {
                    let event: (f64, String, String) = serde_json::from_str(&line).unwrap();
                    assert_eq!((event.0, event.1.as_str()), (1.5, "o"));
                    event.2
                })
                .collect();
            assert_eq!(shown, text, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_text_is_replaced_and_costs_nothing_else() {
        let mut cast = cast();
        let line = cast.output(Duration::ZERO, b"a\xff\xfeb\xe2\x82").unwrap();
        let event: (f64, String, String) = serde_json::from_str(&line).unwrap();
        assert_eq!(event.2, "a\u{fffd}\u{fffd}b");
        let line = cast.output(Duration::ZERO, b"\xac").unwrap();
        assert!(line.contains('\u{20ac}'), "{line}");
    }

    #[test]
    fn another_size_is_said_once() {
        let mut cast = cast();
        assert_eq!(cast.resize(Duration::ZERO, SIZE), None);
        let size = PtySize { rows: 30, ..SIZE };
        let line = cast.resize(Duration::from_micros(2_000_010), size);
        assert_eq!(line.as_deref(), Some("[2.000010, \"r\", \"80x30\"]\n"));
    }
}
