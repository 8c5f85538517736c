//! Finds out that a part of a picture went up or down, as text does that is scrolled.

use std::ops::Range;

use vroom_desktop::{BYTES_PER_PIXEL, PixelBuffer, Rect};

/// A part of a picture that was elsewhere in the picture before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Shift {
    /// Where it is now.
    pub(super) to: Rect,
    /// The row in which it began before.
    pub(super) from_y: u32,
    /// What else differs: bands of the same width.
    pub(super) rest: Vec<Rect>,
}

/// Finds out how the changes inside `part` came about by moving rows up or down; `None` when they
/// did not, or when so much is new besides that moving gains little.
///
/// Both pictures have to be of one size.
pub(super) fn find(old: &PixelBuffer, new: &PixelBuffer, part: Rect) -> Option<Shift> {
    if old.size() != new.size() {
        return None;
    }
    let bounds = difference(old, new, part)?;
    if bounds.width < SIDE_PX_MIN || bounds.height < SIDE_PX_MIN {
        return None;
    }
    let rows = |pixels| (bounds.y..bounds.bottom()).map(move |y| row(pixels, bounds, y));
    let was: Vec<u64> = rows(old).map(fingerprint).collect();
    let is: Vec<u64> = rows(new).map(fingerprint).collect();
    let offset = offset(&was, &is)?;
    let height = was.len();
    let from = |y: usize| y.checked_add_signed(offset).filter(|from| *from < height);
    let to = match usize::try_from(offset) {
        Ok(up) => 0..height - up,
        Err(_) => offset.unsigned_abs()..height,
    };
    let is_moved = |y: usize| {
        let source = from(y).filter(|from| was.get(*from) == is.get(y));
        // Fingerprints only suggest it.
        source.is_some_and(|source| {
            row(old, bounds, at(bounds.y, source)) == row(new, bounds, at(bounds.y, y))
        })
    };
    let bands = bands((0..height).filter(|y| !is_moved(*y)));
    if bands.len() > BANDS_MAX || bands.iter().map(Range::len).sum::<usize>() > height / 2 {
        return None;
    }
    let place = |rows: Range<usize>| {
        let y = at(bounds.y, rows.start);
        Rect::new(bounds.x, y, bounds.width, at(bounds.y, rows.end) - y)
    };
    Some(Shift {
        from_y: at(bounds.y, from(to.start)?),
        to: place(to),
        rest: bands.into_iter().map(place).collect(),
    })
}

/// How many rows further down the rows of `is` were in `was`: the offset that explains most, and of
/// those the shortest.
fn offset(was: &[u64], is: &[u64]) -> Option<isize> {
    let mut best = None;
    // Rows that are left over; half of them would be too many.
    let mut least = is.len() / 2;
    for distance in 1..=is.len() / 2 {
        // As many rows as that are new in any case.
        if distance >= least {
            break;
        }
        for offset in [distance.cast_signed(), -distance.cast_signed()] {
            let differs = |(y, row): (usize, &u64)| {
                let source = y.checked_add_signed(offset).and_then(|from| was.get(from));
                source != Some(row)
            };
            let rows = is.iter().enumerate();
            let missing = rows.filter(|each| differs(*each)).take(least).count();
            if missing < least {
                least = missing;
                best = Some(offset);
            }
        }
    }
    best
}

/// Joins neighbours, and those nearly so, to ranges.
fn bands(rows: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut bands: Vec<Range<usize>> = Vec::new();
    for y in rows {
        match bands.last_mut() {
            Some(band) if y <= band.end + BAND_GAP => band.end = y + 1,
            _ => bands.push(y..y + 1),
        }
    }
    bands
}

/// The smallest rectangle inside `part` outside of which both are alike there.
fn difference(old: &PixelBuffer, new: &PixelBuffer, part: Rect) -> Option<Rect> {
    let part = part.intersection(new.size().rect())?;
    let (mut left, mut right) = (part.width as usize, 0);
    let (mut top, mut bottom) = (None, 0);
    for y in part.y..part.bottom() {
        let (was, is) = (row(old, part, y), row(new, part, y));
        if was == is {
            continue;
        }
        top = top.or(Some(y));
        bottom = y + 1;
        let (was, _) = was.as_chunks::<BYTES_PER_PIXEL>();
        let (is, _) = is.as_chunks::<BYTES_PER_PIXEL>();
        // Only what lies outside of what is known to differ can make it wider.
        let before = was
            .iter()
            .zip(is)
            .take(left)
            .position(|(was, is)| was != is);
        left = before.unwrap_or(left);
        let beyond = was.iter().zip(is).rev().take(was.len() - right);
        let after = beyond.enumerate().find(|(_, (was, is))| was != is);
        right = after.map_or(right, |(back, _)| was.len() - back);
    }
    let (left, right) = (at(part.x, left), at(part.x, right));
    let top = top?;
    Some(Rect::new(left, top, right.checked_sub(left)?, bottom - top))
}

/// The bytes of a row of a part.
fn row(pixels: &PixelBuffer, part: Rect, y: u32) -> &[u8] {
    let start = y as usize * pixels.stride() + part.x as usize * BYTES_PER_PIXEL;
    let bytes = pixels.bytes();
    bytes
        .get(start..start + part.width as usize * BYTES_PER_PIXEL)
        .unwrap_or_default()
}

/// A number that is nearly always another one for other bytes, as fast as memory is read.
fn fingerprint(row: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut lanes = [1_u64, 2, 3, 4];
    let (blocks, rest) = row.as_chunks::<32>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = (lane.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        }
    }
    let lanes = lanes.into_iter();
    let rest = rest.iter().map(|byte| u64::from(*byte));
    lanes.chain(rest).fold(0, |sum, each| {
        (sum.rotate_left(23) ^ each).wrapping_mul(FACTOR)
    })
}

/// A coordinate this far from a begin.
fn at(begin: u32, distance: usize) -> u32 {
    begin.saturating_add(u32::try_from(distance).unwrap_or(u32::MAX))
}

/// The least width and height of what is looked at.
const SIDE_PX_MIN: u32 = 32;

/// The most bands that are new.
const BANDS_MAX: usize = 8;

/// The rows between two bands that are not worth a band's end.
const BAND_GAP: usize = 8;

#[cfg(test)]
mod tests {
    use vroom_desktop::Size;

    use super::*;

    const SIZE: Size = Size::new(200, 150);

    /// Draws each pixel by its place.
    fn picture(colour: impl Fn(u32, u32) -> u32) -> PixelBuffer {
        let mut pixels = PixelBuffer::new(SIZE);
        let stride = pixels.stride();
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let at = y as usize * stride + x as usize * 4;
                pixels.bytes_mut()[at..at + 4].copy_from_slice(&colour(x, y).to_le_bytes());
            }
        }
        pixels
    }

    /// Looks like text: no row twice.
    fn text(x: u32, y: u32) -> u32 {
        ((x / 3) ^ y).wrapping_mul(0x9E37_79B1) >> 20
    }

    /// Text in a window from (50, 20) to before (180, 120) that was scrolled so far, on a ground
    /// that stays.
    fn window(scrolled: u32) -> PixelBuffer {
        picture(|x, y| {
            if (50..180).contains(&x) && (20..120).contains(&y) {
                text(x, y + scrolled)
            } else {
                x
            }
        })
    }

    #[test]
    fn text_that_is_scrolled_is_found_to_the_pixel() {
        let found = find(&window(40), &window(47), SIZE.rect()).unwrap();
        assert_eq!(found.to, Rect::new(50, 20, 130, 93));
        assert_eq!(found.from_y, 27);
        assert_eq!(found.rest, [Rect::new(50, 113, 130, 7)]);
        let back = find(&window(47), &window(40), SIZE.rect()).unwrap();
        assert_eq!(back.to, Rect::new(50, 27, 130, 93));
        assert_eq!(back.from_y, 20);
        assert_eq!(back.rest, [Rect::new(50, 20, 130, 7)]);
    }

    #[test]
    fn what_changes_beside_it_is_part_of_the_rest() {
        let mut new = window(47);
        let at = 60 * new.stride() + 100 * 4;
        new.bytes_mut()[at] ^= 1;
        let found = find(&window(40), &new, SIZE.rect()).unwrap();
        assert_eq!(
            found.rest,
            [Rect::new(50, 60, 130, 1), Rect::new(50, 113, 130, 7)]
        );
    }

    #[test]
    fn stripes_move_by_the_shortest_way() {
        let stripes = |scrolled| picture(move |_, y| (y + scrolled) / 8 % 2);
        let found = find(&stripes(0), &stripes(1), SIZE.rect()).unwrap();
        assert_eq!(found.from_y.abs_diff(found.to.y), 1);
    }

    #[test]
    fn what_is_new_is_no_move() {
        let other = picture(|x, y| text(y, x));
        assert_eq!(find(&window(0), &other, SIZE.rect()), None);
        assert_eq!(find(&window(0), &window(0), SIZE.rect()), None);
        assert_eq!(find(&window(0), &window(80), SIZE.rect()), None, "too far");
        let small = PixelBuffer::new(Size::new(8, 8));
        assert_eq!(find(&small, &window(0), SIZE.rect()), None);
    }
}
