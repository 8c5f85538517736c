//! Which parts of a picture changed.

use crate::{Rect, Size};

/// The rectangles of a picture that changed, at most [`DAMAGE_RECTS`] of them.
///
/// They may overlap. When there would be more, they become one that holds them all: damage is
/// allowed to grow, never to shrink.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Damage {
    rects: Vec<Rect>,
}

impl Damage {
    /// No damage.
    pub const fn none() -> Self {
        Self { rects: Vec::new() }
    }

    /// Everything changed.
    pub fn full(size: Size) -> Self {
        let mut damage = Self::none();
        damage.add(size.rect());
        damage
    }

    /// Adds a rectangle; empty ones and ones already covered change nothing.
    pub fn add(&mut self, rect: Rect) {
        if rect.is_empty() || self.rects.iter().any(|have| have.contains(rect)) {
            return;
        }
        self.rects.retain(|have| !rect.contains(*have));
        if self.rects.len() == DAMAGE_RECTS {
            let bounds = self.bounds().union(rect);
            self.rects.clear();
            self.rects.push(bounds);
        } else {
            self.rects.push(rect);
        }
    }

    /// Adds all of another damage.
    pub fn merge(&mut self, other: &Self) {
        for rect in &other.rects {
            self.add(*rect);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rects.clear();
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// The rectangles, in no particular order.
    pub fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// The smallest rectangle that holds all of them; empty when there are none.
    pub fn bounds(&self) -> Rect {
        self.rects
            .iter()
            .fold(Rect::default(), |bounds, rect| bounds.union(*rect))
    }

    /// The pixels in all rectangles, counting overlaps twice.
    pub fn area(&self) -> u64 {
        self.rects.iter().map(|rect| rect.area()).sum()
    }

    /// The same damage cut to a picture of this size.
    pub fn clipped(&self, size: Size) -> Self {
        let rects = self.rects.iter();
        Self {
            rects: rects
                .filter_map(|rect| rect.intersection(size.rect()))
                .collect(),
        }
    }
}

impl FromIterator<Rect> for Damage {
    fn from_iter<I: IntoIterator<Item = Rect>>(rects: I) -> Self {
        let mut damage = Self::none();
        for rect in rects {
            damage.add(rect);
        }
        damage
    }
}

/// The most rectangles kept apart; one more and they are merged into their bounds.
pub const DAMAGE_RECTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_rectangles_become_their_bounds() {
        let mut damage = Damage::none();
        let count = u32::try_from(DAMAGE_RECTS).unwrap();
        for i in 0..=count {
            damage.add(Rect::new(i * 4, i, 2, 1));
        }
        let bounds = Rect::new(0, 0, count * 4 + 2, count + 1);
        assert_eq!(damage.rects(), &[bounds]);
    }

    #[test]
    fn a_covered_rectangle_adds_nothing() {
        let mut damage = Damage::full(Size::new(100, 100));
        damage.add(Rect::new(10, 10, 5, 5));
        assert_eq!(damage.rects().len(), 1);
        let mut damage = Damage::none();
        damage.add(Rect::new(10, 10, 5, 5));
        damage.add(Rect::new(0, 0, 100, 100));
        assert_eq!(damage.rects(), &[Rect::new(0, 0, 100, 100)]);
    }

    #[test]
    fn clipping_drops_what_lies_outside() {
        let damage: Damage = [Rect::new(5, 5, 10, 10), Rect::new(50, 50, 4, 4)]
            .into_iter()
            .collect();
        assert_eq!(
            damage.clipped(Size::new(8, 8)).rects(),
            &[Rect::new(5, 5, 3, 3)]
        );
    }
}
