//! The tiles of a picture, row by row, and when each changed.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use vroom_desktop::{Damage, Rect, Size, TILE_PX};

/// When each tile changed, and how often lately.
#[derive(Debug, Default)]
pub(super) struct Grid {
    size: Size,
    columns: usize,
    changed_at: Vec<Instant>,
    heat: Vec<f32>,
}

/// A tile that a frame changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    pub(super) tile: usize,
    /// It changes now and then rather than moving.
    pub(super) calm: bool,
}

impl Grid {
    /// A grid for pictures of this size, all of which has just changed.
    pub(super) fn new(size: Size, now: Instant) -> Self {
        let columns = size.width.div_ceil(TILE_PX) as usize;
        let rows = size.height.div_ceil(TILE_PX) as usize;
        Self {
            size,
            columns,
            changed_at: vec![now; columns * rows],
            heat: vec![0.0; columns * rows],
        }
    }

    /// The size of the pictures.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The number of tiles.
    pub(super) fn len(&self) -> usize {
        self.changed_at.len()
    }

    /// Takes all of it for changed now.
    pub(super) fn touch(&mut self, now: Instant) {
        self.changed_at.fill(now);
    }

    /// Notes what changed; gives each of its tiles once.
    pub(super) fn change(&mut self, damage: &Damage, now: Instant) -> Vec<Changed> {
        let rects = damage.rects().iter();
        let mut tiles: Vec<_> = rects.flat_map(|rect| self.tiles(*rect)).collect();
        tiles.sort_unstable();
        tiles.dedup();
        let mut changed = Vec::with_capacity(tiles.len());
        for tile in tiles {
            let times = self.changed_at.get_mut(tile).zip(self.heat.get_mut(tile));
            let Some((at, heat)) = times else { continue };
            let passed = now.saturating_duration_since(*at).as_secs_f32();
            *heat = (*heat - passed * CALM_PER_SECOND).max(0.0) + 1.0;
            let calm = *heat <= CALM_HEAT;
            *heat = heat.min(HEAT_MAX);
            *at = now;
            changed.push(Changed { tile, calm });
        }
        changed
    }

    /// When a part changed last.
    pub(super) fn newest_change(&self, rect: Rect) -> Option<Instant> {
        let at = |tile: usize| self.changed_at.get(tile).copied();
        self.tiles(rect).into_iter().filter_map(at).max()
    }

    /// The tiles that a part touches.
    pub(super) fn tiles(&self, rect: Rect) -> Vec<usize> {
        let Some(rect) = rect.intersection(self.size.rect()) else {
            return Vec::new();
        };
        let columns = rect.x / TILE_PX..rect.right().div_ceil(TILE_PX);
        (rect.y / TILE_PX..rect.bottom().div_ceil(TILE_PX))
            .flat_map(|row| {
                columns
                    .clone()
                    .map(move |column| (row as usize, column as usize))
            })
            .map(|(row, column)| row * self.columns + column)
            .collect()
    }

    /// The place of one tile.
    pub(super) fn place(&self, tile: usize) -> Rect {
        self.strip(tile..tile + 1)
    }

    /// The place of neighbours in one row.
    pub(super) fn strip(&self, tiles: Range<usize>) -> Rect {
        let place = |tile: usize| {
            let at = |index: usize| {
                u32::try_from(index)
                    .unwrap_or(u32::MAX)
                    .saturating_mul(TILE_PX)
            };
            let columns = self.columns.max(1);
            Rect::new(at(tile % columns), at(tile / columns), TILE_PX, TILE_PX)
        };
        let rect = place(tiles.start).union(place(tiles.end.saturating_sub(1)));
        rect.intersection(self.size.rect()).unwrap_or_default()
    }

    /// The places of tiles, neighbours in a row together.
    pub(super) fn strips(&self, tiles: &BTreeSet<usize>) -> Vec<Rect> {
        let mut strips: Vec<Range<usize>> = Vec::new();
        for tile in tiles {
            match strips.last_mut() {
                Some(strip) if strip.end == *tile && tile % self.columns != 0 => strip.end += 1,
                _ => strips.push(*tile..tile + 1),
            }
        }
        strips.into_iter().map(|strip| self.strip(strip)).collect()
    }

    /// The changed tiles that touch each other, each group by itself.
    pub(super) fn groups(&self, changed: &[Changed]) -> Vec<Vec<Changed>> {
        let mut left: Vec<Option<Changed>> = vec![None; self.len()];
        for each in changed {
            if let Some(place) = left.get_mut(each.tile) {
                *place = Some(*each);
            }
        }
        let mut groups = Vec::new();
        for first in changed {
            let mut group = Vec::new();
            let mut next = vec![first.tile];
            while let Some(tile) = next.pop() {
                let Some(each) = left.get_mut(tile).and_then(Option::take) else {
                    continue;
                };
                group.push(each);
                next.extend([tile + self.columns, tile.wrapping_sub(self.columns)]);
                let column = tile % self.columns;
                next.extend((column > 0).then(|| tile - 1));
                next.extend((column + 1 < self.columns).then_some(tile + 1));
            }
            if !group.is_empty() {
                groups.push(group);
            }
        }
        groups
    }

    /// The first tiles that keep still and are not covered; or else when there may be some.
    pub(super) fn next_strip(
        &self,
        is_covered: impl Iterator<Item = bool>,
        now: Instant,
    ) -> Result<Range<usize>, Option<Instant>> {
        let mut later: Option<Instant> = None;
        let mut start = None;
        for (tile, (at, is_covered)) in self.changed_at.iter().zip(is_covered).enumerate() {
            let settles = *at + SETTLED;
            let is_due = !is_covered && settles <= now;
            if !is_covered && !is_due {
                later = Some(later.map_or(settles, |later| later.min(settles)));
            }
            // Strips have fixed borders, so that all readers share them.
            let is_border = (tile % self.columns).is_multiple_of(STRIP_TILES);
            match start {
                Some(first) if !is_due || is_border => return Ok(first..tile),
                None if is_due => start = Some(tile),
                _ => {}
            }
        }
        start.map(|first| first..self.len()).ok_or(later)
    }

    /// Makes everything that changed so far old enough.
    #[cfg(test)]
    pub(super) fn age(&mut self, by: Duration) {
        for at in &mut self.changed_at {
            *at -= by;
        }
    }

    /// Makes everything move too much for being sent at once.
    #[cfg(test)]
    pub(super) fn heat(&mut self) {
        self.heat.fill(1e9);
    }
}

/// How long a part keeps still before it is sent exactly.
pub(crate) const SETTLED: Duration = Duration::from_millis(150);

/// Tiles of one strip: few enough that one is encoded within a millisecond or two.
const STRIP_TILES: usize = 4;

/// How often a tile may change for a long time and still be sent at once, which is faster than
/// people type; what moves is left to the video.
const CALM_PER_SECOND: f32 = 25.0;

/// How many changes may come faster than that.
const CALM_HEAT: f32 = 6.0;

/// What moved for long is calm again within a second.
const HEAT_MAX: f32 = 30.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_that_touch_are_one_group_and_corners_do_not_touch() {
        let now = Instant::now();
        let mut grid = Grid::new(Size::new(5 * 64, 3 * 64), now);
        let damage = [
            Rect::new(0, 0, 65, 1),
            Rect::new(64, 64, 1, 1),
            Rect::new(128, 128, 1, 1),
            // The end of one row and the begin of the next are no neighbours.
            Rect::new(319, 0, 1, 1),
        ];
        let changed = grid.change(&damage.into_iter().collect(), now);
        let mut groups: Vec<Vec<usize>> = grid
            .groups(&changed)
            .iter()
            .map(|group| group.iter().map(|each| each.tile).collect())
            .collect();
        for group in &mut groups {
            group.sort_unstable();
        }
        groups.sort_unstable();
        assert_eq!(groups, [vec![0, 1, 6], vec![4], vec![12]]);
    }

    #[test]
    fn what_moved_is_calm_again_a_second_after() {
        let mut now = Instant::now();
        let size = Size::new(64, 64);
        let mut grid = Grid::new(size, now);
        let mut calm = 0;
        for _ in 0..600 {
            now += Duration::from_millis(16);
            let changed = grid.change(&Damage::full(size), now);
            calm += changed.iter().filter(|each| each.calm).count();
        }
        assert!(calm < 20, "{calm} of 600 frames of what moves are calm");
        now += Duration::from_secs(1);
        assert!(grid.change(&Damage::full(size), now)[0].calm);
    }
}
