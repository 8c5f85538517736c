//! What one reader has and what waits for it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use vroom_desktop::{Rect, Size};

use super::grid::Grid;
use super::{Patch, Step};

/// What a reader sees of one tile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cover {
    /// The video.
    Nothing,
    /// The video, since it is not worth its bytes.
    Video,
    /// It has it exactly, or is about to get it.
    Exact,
}

/// What one reader has and what waits for it.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) changed: Arc<Notify>,
    start: Option<Size>,
    /// Tiles of which it has to hear that nothing lies over them.
    cleared: BTreeSet<usize>,
    queue: VecDeque<Waiting>,
    covers: Vec<Cover>,
    /// When the rate allows the next patch.
    next_at: Instant,
    lag: Lag,
}

/// A patch that was not read yet.
#[derive(Debug)]
struct Waiting {
    patch: Patch,
    /// All that it touches.
    place: Rect,
    /// Whether an older one lies below it, so that dropping this one is not enough.
    over: bool,
}

impl Reader {
    pub(super) fn new(grid: &Grid, now: Instant) -> Self {
        Self {
            changed: Arc::default(),
            start: (!grid.size().is_empty()).then_some(grid.size()),
            cleared: BTreeSet::new(),
            queue: VecDeque::new(),
            covers: vec![Cover::Nothing; grid.len()],
            next_at: now,
            lag: Lag::default(),
        }
    }

    /// The picture has another size: nothing of the old one counts.
    pub(super) fn restart(&mut self, grid: &Grid, now: Instant) {
        self.start = Some(grid.size());
        self.cleared.clear();
        self.queue.clear();
        self.covers = vec![Cover::Nothing; grid.len()];
        self.next_at = now;
        self.changed.notify_one();
    }

    /// Whether a change could go to it now and would be seen soon.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.start.is_none()
            && self.queue.len() < QUEUE_MAX
            && self.next_at <= now + BURST
            && !self.lag.is_behind(now)
    }

    /// When it has to have caught up, while it is later than at its best but not behind yet.
    pub(super) fn late_until(&self, now: Instant) -> Option<Instant> {
        self.lag.late_until(now)
    }

    /// Whether it understands [`Patch::Move`].
    pub(super) fn takes_moves(&self) -> bool {
        self.lag.acked.is_some()
    }

    pub(super) fn covers(&self) -> &[Cover] {
        &self.covers
    }

    /// When it may get one more patch of what keeps still; `None` while one waits.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.queue.is_empty().then_some(self.next_at)
    }

    /// Notes that a strip is settled; `patch` is `None` when the video has to do.
    pub(super) fn settle(&mut self, tiles: std::ops::Range<usize>, patch: Option<(Rect, Patch)>) {
        let cover = match &patch {
            Some(_) => Cover::Exact,
            None => Cover::Video,
        };
        if let Some(covers) = self.covers.get_mut(tiles) {
            covers.fill(cover);
        }
        if let Some((place, patch)) = patch {
            let over = false;
            self.queue.push_back(Waiting { patch, place, over });
            self.changed.notify_one();
        }
    }

    /// Takes what a frame changed; true when it sees all of it exactly by that.
    pub(super) fn take(&mut self, steps: &[Step], grid: &Grid, now: Instant) -> bool {
        let is_ready = self.is_ready(now);
        let fits = |reader: &Self, step: &Step| match &step.patch {
            Some(Patch::Move(_)) => is_ready && reader.takes_moves() && reader.has(step, grid),
            Some(_) => is_ready,
            None => false,
        };
        let (fit, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| fits(self, step));
        for tile in others.iter().flat_map(|step| &step.tiles) {
            self.uncover(*tile, grid);
        }
        let mut is_exact = others.is_empty();
        for step in fit {
            // What was to be moved may just have been given up.
            match &step.patch {
                Some(patch) if fits(self, step) => self.push(patch, step, grid),
                _ => {
                    is_exact = false;
                    for tile in &step.tiles {
                        self.uncover(*tile, grid);
                    }
                }
            }
        }
        is_exact
    }

    /// Whether everything that a step touches lies there exactly.
    fn has(&self, step: &Step, grid: &Grid) -> bool {
        let is_exact = |tile: usize| self.covers.get(tile) == Some(&Cover::Exact);
        grid.tiles(step.place).into_iter().all(is_exact)
    }

    /// A part changed, and is replaced without a time in between.
    fn push(&mut self, patch: &Patch, step: &Step, grid: &Grid) {
        let mut over = false;
        for tile in grid.tiles(step.place) {
            if let Some(cover) = self.covers.get_mut(tile) {
                over |= std::mem::replace(cover, Cover::Exact) == Cover::Exact;
            }
        }
        let place = step.place;
        let patch = patch.clone();
        self.queue.push_back(Waiting { patch, place, over });
        self.changed.notify_one();
    }

    /// A tile changed: what lies over it goes, and what is to be laid over it does not come.
    fn uncover(&mut self, tile: usize, grid: &Grid) {
        let place = grid.place(tile);
        let before = self.covers.get_mut(tile);
        let before = before.map(|cover| std::mem::replace(cover, Cover::Nothing));
        if before != Some(Cover::Exact) {
            return;
        }
        let is_there = |waiting: &Waiting| waiting.place.intersection(place).is_some();
        if !self.queue.iter().any(is_there) {
            self.cleared.insert(tile);
            self.changed.notify_one();
            return;
        }
        // Each builds on those before it, so all of them go.
        for Waiting { place, over, .. } in std::mem::take(&mut self.queue) {
            for tile in grid.tiles(place) {
                if let Some(cover) = self.covers.get_mut(tile) {
                    *cover = Cover::Nothing;
                }
                if over {
                    self.cleared.insert(tile);
                    self.changed.notify_one();
                }
            }
        }
    }

    /// What it is to be told next; what is to be shown only with `room`.
    pub(super) fn pop(
        &mut self,
        now: Instant,
        room: bool,
        kbps: u32,
        grid: &Grid,
    ) -> Option<Patch> {
        let patch = if let Some(size) = self.start.take() {
            Patch::Start(size)
        } else if !self.cleared.is_empty() {
            Patch::Clear(grid.strips(&std::mem::take(&mut self.cleared)))
        } else if room {
            self.queue.pop_front()?.patch
        } else {
            return None;
        };
        let bits = u64::try_from(patch.png_bytes())
            .unwrap_or(u64::MAX)
            .saturating_mul(8);
        // The video is at rest where patches go, and for one that moves elsewhere it is half.
        let pause = Duration::from_micros(bits * 1000 / u64::from(kbps.max(1)) / RATE_SHARE);
        self.next_at = self.next_at.max(now) + pause;
        self.lag.sent(now, patch.messages());
        Some(patch)
    }

    /// Notes how many messages are on its screen; true when it was late until now.
    pub(super) fn acknowledge(&mut self, now: Instant, count: u32) -> bool {
        let was_late = self.late_until(now).is_some();
        self.lag.acknowledge(now, count);
        was_late
    }
}

/// How far a reader is behind.
#[derive(Debug, Default)]
struct Lag {
    sent: u32,
    acked: Option<u32>,
    /// What was sent and not acknowledged: the count after it, and when.
    under_way: VecDeque<(u32, Instant)>,
    quickest: Option<Duration>,
}

impl Lag {
    fn sent(&mut self, now: Instant, messages: u32) {
        self.sent = self.sent.wrapping_add(messages);
        if self.under_way.len() < UNDER_WAY_MAX {
            self.under_way.push_back((self.sent, now));
        }
    }

    /// Counts that cannot be are ignored.
    fn acknowledge(&mut self, now: Instant, count: u32) {
        let before = self.acked.unwrap_or_default();
        if count.wrapping_sub(before) > self.sent.wrapping_sub(before) {
            return;
        }
        self.acked = Some(count);
        while let Some((each, at)) = self.under_way.front() {
            if count.wrapping_sub(*each) > self.sent.wrapping_sub(*each) {
                break;
            }
            let took = now.saturating_duration_since(*at);
            self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
            self.under_way.pop_front();
        }
    }

    /// Whether it takes much longer than it once took; never for one that tells nothing.
    fn is_behind(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| now > due + LAG)
    }

    /// Until when it may be late, if it is late but not behind.
    fn late_until(&self, now: Instant) -> Option<Instant> {
        let due = self.due()?;
        (now > due + LATE && now <= due + LAG).then_some(due + LAG)
    }

    /// When it would have acknowledged the oldest message under way at its best.
    fn due(&self) -> Option<Instant> {
        let (_, at) = self.under_way.front()?;
        Some(*at + self.quickest?)
    }
}

/// The patches that may wait: more than that, and the video is sooner.
const QUEUE_MAX: usize = 8;

/// How far ahead of the rate patches of what changes may be.
const BURST: Duration = Duration::from_millis(250);

/// How much later than at its best a reader may be and still get more.
const LAG: Duration = Duration::from_millis(250);

/// How much later it may be before what comes next waits for it.
const LATE: Duration = Duration::from_millis(20);

/// The most that is remembered as under way.
const UNDER_WAY_MAX: usize = 256;

/// How many times the bitrate of the video patches may take for a moment.
const RATE_SHARE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acknowledges_late_is_behind() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut lag = Lag::default();
        lag.sent(start, 2);
        assert!(!lag.is_behind(at(5000)), "it never acknowledged");
        lag.acknowledge(at(10), 3);
        assert_eq!(lag.acked, None, "so many were not sent");
        lag.acknowledge(at(10), 2);
        lag.sent(at(20), 1);
        assert_eq!(lag.late_until(at(50)), None);
        assert_eq!(lag.late_until(at(51)), Some(at(280)));
        assert!(!lag.is_behind(at(280)));
        assert!(lag.is_behind(at(281)));
        assert_eq!(lag.late_until(at(281)), None, "there is no hope");
        lag.acknowledge(at(290), 3);
        assert!(!lag.is_behind(at(9000)), "nothing is under way");
    }
}
