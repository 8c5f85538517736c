//! Sixel images.

use super::super::model::Model;
use super::{Placement, Source, is_sixel};

/// The largest image in pixels, either way; the rest of a larger one is not counted.
const SIZE_MAX_PX: u32 = 16_384;

impl Model {
    /// The content of a device control string.
    pub(in super::super) fn dcs(&mut self, content: &[u8]) {
        self.last = None;
        if let Some(what) = content.strip_prefix(b"$q") {
            return self.answer_setting(what);
        }
        let mut content = content.to_vec();
        content.retain(|byte| is_sixel(*byte));
        let head = content.iter().position(|byte| *byte == b'q');
        if let Some(head) = head {
            let size = size(&content[head + 1..]);
            self.show_sixel(content, size);
        }
    }

    fn show_sixel(&mut self, content: Vec<u8>, size: (u32, u32)) {
        let (rows, cols) = self.cells(size);
        let (line, col) = (self.page.line(), self.page.col());
        // Behind the last column there is no room for it.
        let fits = rows > 0 && cols > 0 && rows <= self.page.rows() && !self.page.pending();
        if fits {
            let image = self.images.nameless();
            let cols = cols.min(self.page.cols() - col);
            // The place is taken before the lines that it needs scroll in.
            let placements = &mut self.page.placements;
            placements.overwrite(line..line + rows, col..col + cols);
            self.page.placements.add(
                Some((line, col)),
                Placement {
                    image,
                    id: 0,
                    anchor: None,
                    rows,
                    cols,
                    view: Vec::new(),
                    sixel: true,
                },
            );
            self.keep_image(image, Source::Sixel(content), size);
        }
        self.feed_under_image(rows);
        if fits && col + cols >= self.page.cols() {
            // A line under the image does not go on: what says so is hidden.
            let last = self.page.line();
            for line in (last + 1).saturating_sub(rows)..=last {
                self.page.end_wrap(line);
            }
        }
        self.page.go(self.page.line(), col);
    }

    /// How many characters an image of so many pixels covers: lines and columns.
    pub(super) fn cells(&self, (width, height): (u32, u32)) -> (usize, usize) {
        let (cell_width, cell_height) = self.image_cell_px();
        let cells = |px: u32, cell: u32| usize::try_from(px.div_ceil(cell)).unwrap_or(usize::MAX);
        (cells(height, cell_height), cells(width, cell_width))
    }

    /// The size of a character in pixels; a usual one where nobody told it.
    pub(super) fn image_cell_px(&self) -> (u32, u32) {
        self.cell_px().unwrap_or((10, 20))
    }
}

/// The size that the data says first, or else that it covers.
fn size(data: &[u8]) -> (u32, u32) {
    let mut reader = Reader { data };
    if let Some(b'"') = reader.data.first() {
        reader.data = &reader.data[1..];
        let numbers = [(); 4].map(|()| reader.number());
        if let [_, _, Some(width), Some(height)] = numbers
            && width > 0
            && height > 0
        {
            return (width.min(SIZE_MAX_PX), height.min(SIZE_MAX_PX));
        }
    }
    reader.covered()
}

struct Reader<'a> {
    data: &'a [u8],
}

impl Reader<'_> {
    /// The next number of a list, and the separator behind it.
    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some((byte, rest)) = self.data.split_first() {
            match byte {
                b'0'..=b'9' => {
                    let digit = u32::from(byte - b'0');
                    let more = number.unwrap_or(0_u32).saturating_mul(10);
                    number = Some(more.saturating_add(digit));
                }
                b';' => {
                    self.data = rest;
                    break;
                }
                _ => break,
            }
            self.data = rest;
        }
        number
    }

    fn covered(mut self) -> (u32, u32) {
        let (mut x, mut width, mut bands) = (0_u32, 0_u32, 0_u32);
        let mut drawn = false;
        let mut repeat = 1;
        while let Some((&byte, rest)) = self.data.split_first() {
            self.data = rest;
            match byte {
                b'?'..=b'~' => {
                    x = x.saturating_add(repeat);
                    width = width.max(x);
                    drawn = true;
                    repeat = 1;
                }
                b'!' => repeat = self.number().unwrap_or(1).max(1),
                b'#' => while self.number().is_some() {},
                b'$' => x = 0,
                b'-' => {
                    x = 0;
                    bands = bands.saturating_add(1);
                    drawn = false;
                }
                _ => {}
            }
        }
        let height = bands.saturating_add(u32::from(drawn)).saturating_mul(6);
        (width.min(SIZE_MAX_PX), height.min(SIZE_MAX_PX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_the_one_that_is_told() {
        assert_eq!(size(b"\"1;1;93;14#0;2;60;0;0#0~"), (93, 14));
    }

    #[test]
    fn without_a_told_size_the_data_is_counted() {
        assert_eq!(size(b"#0;2;0;0;0#0!10~-!4?~$~~-"), (10, 12));
        assert_eq!(size(b""), (0, 0));
    }

    #[test]
    fn a_huge_size_is_bounded() {
        assert_eq!(size(b"!4294967295~!4294967295~"), (SIZE_MAX_PX, 6));
        assert_eq!(size(b"\"1;1;99999999999;1"), (SIZE_MAX_PX, 1));
    }
}
