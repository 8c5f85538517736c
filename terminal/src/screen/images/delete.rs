//! Which images a program deletes.

use super::super::model::Model;
use super::{Command, Key};

impl Model {
    /// `a=d`: small letters take images from the screen, capital ones forget them as well.
    pub(super) fn delete_images(&mut self, command: &Command) {
        let rows = i64::try_from(self.page.rows()).unwrap_or(i64::MAX);
        let cell = |line: usize, col: usize| (i64::try_from(line).unwrap_or(i64::MAX), col);
        let here = cell(self.page.line(), self.page.col());
        let (x, y) = (command.get(b'x'), command.get(b'y'));
        let index = |value: u32| {
            usize::try_from(value)
                .unwrap_or(usize::MAX)
                .saturating_sub(1)
        };
        let there = cell(index(y), index(x));
        let (id, number, place) = (command.get(b'i'), command.get(b'I'), command.get(b'p'));
        let z = command.signed(b'z');
        let what = command.delete.to_ascii_lowercase();
        let mut touched = Vec::new();
        let gone = |placement: &super::Placement, line: Option<i64>| {
            let lies =
                |at: i64| line.is_some_and(|line| line <= at && at < line + height(placement));
            let covers = |at: usize| {
                let from = placement.anchor.map_or(usize::MAX, |anchor| anchor.col);
                (from..from.saturating_add(placement.cols)).contains(&at)
            };
            let level = || {
                let key = placement.view.iter().find(|(key, _)| *key == b'z');
                key.map_or(0, |(_, value)| *value)
            };
            if placement.sixel {
                return false;
            }
            let named = place == 0 || placement.id == place;
            match what {
                b'a' => line.is_some_and(|line| line < rows && line + height(placement) > 0),
                b'i' => placement.image == Key::Id(id) && named,
                b'n' => placement.image == Key::Number(number) && named,
                b'c' => lies(here.0) && covers(here.1),
                b'p' => lies(there.0) && covers(there.1),
                b'q' => lies(there.0) && covers(there.1) && level() == z,
                b'x' => line.is_some() && covers(there.1),
                b'y' => lies(there.0),
                b'z' => level() == z,
                b'r' => matches!(placement.image, Key::Id(id) if (x..=y).contains(&id)),
                _ => false,
            }
        };
        let history = self.page.history();
        for placement in self.page.placements.iter(history) {
            if gone(placement, self.page.placements.line(placement)) {
                touched.push(placement.image);
            }
        }
        self.page
            .placements
            .remove(|placement, line| gone(placement, line));
        if !command.delete.is_ascii_uppercase() {
            return;
        }
        match what {
            b'i' => touched.push(Key::Id(id)),
            b'n' => touched.push(Key::Number(number)),
            b'r' => touched.extend(
                self.images
                    .stored
                    .keys()
                    .filter(|key| matches!(key, Key::Id(id) if (x..=y).contains(id))),
            ),
            _ => {}
        }
        // An image that is still shown elsewhere stays.
        for key in touched {
            let shown = self.page.placements.shows(key)
                || self
                    .main
                    .as_ref()
                    .is_some_and(|main| main.placements.shows(key));
            if !shown {
                self.images.stored.remove(&key);
            }
        }
    }
}

fn height(placement: &super::Placement) -> i64 {
    i64::try_from(placement.rows).unwrap_or(i64::MAX)
}
