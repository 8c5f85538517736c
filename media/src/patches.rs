//! Exact pictures of what stopped changing, to be laid over the video.
//!
//! 4:2:0 video never shows coloured text as it was drawn. What has kept still for [`SETTLED`] is
//! sent once more without loss, strip by strip, and is taken back the moment it changes. A small
//! change, such as a typed letter, is sent exactly at once: it need not wait for the video.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_desktop::{Damage, Frame, PixelBuffer, Rect, Size, TILE_PX};

use crate::encoder::Shared;
use crate::png::exact_png;

/// One step of what lies over the video.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Patch {
    /// Nothing lies over it; the picture has this size.
    Start(Size),
    /// These parts changed: what lay over them is gone.
    Clear(Vec<Rect>),
    /// This part is to look exactly like this PNG file.
    Show(Rect, Bytes),
}

/// The patches of one encoder's pictures for one reader.
///
/// What waits for a reader is bounded: one patch, and rectangles that grow into their bounds.
#[derive(Debug)]
pub struct PatchFeed {
    shared: Arc<Shared>,
    id: u64,
    changed: Arc<Notify>,
    /// What the reader's network carries.
    rate_kbps: Option<u32>,
}

impl PatchFeed {
    /// Starts to listen; everything that keeps still comes, once.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (id, changed) = shared.patches.attach(&shared);
        Self {
            shared,
            id,
            changed,
            rate_kbps: None,
        }
    }

    /// Sets what the reader may have at most, in kbit/s, where that is less than the best video.
    pub fn set_rate_kbps(&mut self, rate_kbps: Option<u32>) {
        self.rate_kbps = rate_kbps;
    }

    /// Waits for the next step; `None` when the encoder has ended.
    ///
    /// Steps have to be followed in order. `Show` comes only with `room`: one who is behind has no
    /// use for more to show, but must hear what is gone. Cancelling loses nothing.
    pub async fn next(&mut self, room: bool) -> Option<Patch> {
        loop {
            let video_kbps = self.shared.control().rate.bitrate_kbps();
            let kbps = self.rate_kbps.map_or(video_kbps, |own| own.min(video_kbps));
            match self.shared.patches.pop(self.id, room, kbps) {
                Popped::Patch(patch) => return Some(patch),
                Popped::Ended => return None,
                Popped::Nothing => {}
            }
            self.changed.notified().await;
        }
    }
}

impl Drop for PatchFeed {
    fn drop(&mut self) {
        self.shared.patches.detach(self.id);
    }
}

enum Popped {
    Patch(Patch),
    Nothing,
    Ended,
}

/// What lies over the pictures of one encoder.
#[derive(Default)]
pub(crate) struct Patches {
    state: Mutex<State>,
    /// Rings for the thread.
    work: Condvar,
}

#[derive(Default)]
struct State {
    /// The newest picture.
    pixels: Option<Arc<PixelBuffer>>,
    grid: Grid,
    readers: HashMap<u64, Reader>,
    last_id: u64,
    /// Strips that were encoded and have not changed since; `None` for those not worth their bytes.
    strips: HashMap<Rect, Option<Bytes>>,
    has_thread: bool,
    /// The thread waits for something to happen, not for a time.
    idle: bool,
    ended: bool,
}

/// The tiles of a picture, row by row, and when each changed.
#[derive(Default)]
struct Grid {
    size: Size,
    columns: usize,
    changed_at: Vec<Instant>,
    /// How much each changed lately; see [`QUICK_HEAT`].
    heat: Vec<f32>,
}

/// What one reader has and what waits for it.
struct Reader {
    changed: Arc<Notify>,
    start: Option<Size>,
    cleared: Damage,
    patch: Option<Waiting>,
    /// The tiles that it has or is about to get.
    covered: Vec<bool>,
    /// When the rate allows the next patch.
    next_at: Instant,
}

/// A patch that was not read yet.
struct Waiting {
    rect: Rect,
    png: Bytes,
    /// Whether an older one lies below it, so that dropping this one is not enough.
    over: bool,
}

impl Patches {
    fn attach(&self, shared: &Arc<Shared>) -> (u64, Arc<Notify>) {
        let mut state = self.lock();
        let now = Instant::now();
        if state.readers.is_empty() {
            // Nobody kept the times up to now.
            state.grid.changed_at.fill(now);
            state.strips.clear();
        }
        state.last_id += 1;
        let id = state.last_id;
        let changed = Arc::new(Notify::new());
        let reader = Reader {
            changed: Arc::clone(&changed),
            start: (!state.grid.size.is_empty()).then_some(state.grid.size),
            cleared: Damage::none(),
            patch: None,
            covered: vec![false; state.grid.changed_at.len()],
            next_at: now,
        };
        state.readers.insert(id, reader);
        if !state.has_thread && !state.ended {
            let own = Arc::clone(shared);
            let thread = std::thread::Builder::new().name("patches".into());
            match thread.spawn(move || own.patches.run()) {
                Ok(_) => state.has_thread = true,
                Err(error) => tracing::warn!(%error, "still parts stay as the video shows them"),
            }
        }
        drop(state);
        self.work.notify_one();
        (id, changed)
    }

    fn detach(&self, id: u64) {
        self.lock().readers.remove(&id);
        self.work.notify_one();
    }

    /// Notes what a frame changed; called by the encode thread for every frame.
    ///
    /// Gives the number of readers for whom the change is exact by that.
    pub(crate) fn frame(&self, frame: &Frame) -> usize {
        let now = Instant::now();
        let mut state = self.lock();
        let state = &mut *state;
        let mut exact = 0;
        state.pixels = Some(Arc::clone(&frame.pixels));
        if state.grid.size != frame.size() {
            state.grid = Grid::new(frame.size(), now);
            state.strips.clear();
            for reader in state.readers.values_mut() {
                reader.restart(&state.grid, now);
            }
        } else if !state.readers.is_empty() {
            exact = state.changed(frame, now);
        }
        if std::mem::take(&mut state.idle) {
            self.work.notify_one();
        }
        exact
    }

    /// The newest picture, while somebody watches.
    pub(crate) fn newest(&self) -> Option<Arc<PixelBuffer>> {
        self.lock().pixels.clone()
    }

    /// Lets go of the picture: nobody watches.
    pub(crate) fn rest(&self) {
        self.lock().pixels = None;
    }

    /// Ends the thread and every feed.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        for reader in state.readers.values() {
            reader.changed.notify_one();
        }
        drop(state);
        self.work.notify_one();
    }

    fn pop(&self, id: u64, room: bool, kbps: u32) -> Popped {
        let mut state = self.lock();
        if state.ended {
            return Popped::Ended;
        }
        let Some(reader) = state.readers.get_mut(&id) else {
            return Popped::Ended;
        };
        if let Some(size) = reader.start.take() {
            return Popped::Patch(Patch::Start(size));
        }
        if !reader.cleared.is_empty() {
            let rects = reader.cleared.rects().to_vec();
            reader.cleared.clear();
            return Popped::Patch(Patch::Clear(rects));
        }
        let Some(Waiting { rect, png, .. }) = reader.patch.take_if(|_| room) else {
            return Popped::Nothing;
        };
        let bits = u64::try_from(png.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(8);
        // The video is at rest where patches go, and for one that moves elsewhere it is half.
        let pause = Duration::from_micros(bits * 1000 / u64::from(kbps.max(1)) / RATE_SHARE);
        reader.next_at = Instant::now() + pause;
        drop(state);
        self.work.notify_one();
        Popped::Patch(Patch::Show(rect, png))
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.ended || state.readers.is_empty() {
                state.has_thread = false;
                state.strips.clear();
                return;
            }
            match state.next_job(Instant::now()) {
                Job::Wait(Some(deadline)) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    let waited = self.work.wait_timeout(state, left);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Job::Wait(None) => {
                    state.idle = true;
                    state = self
                        .work
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                    state.idle = false;
                }
                Job::Encode(strip, pixels) => {
                    let newest = state.newest_change(strip);
                    drop(state);
                    let png = encode(&pixels, strip);
                    drop(pixels);
                    state = self.lock();
                    if state.newest_change(strip) == newest {
                        state.strips.insert(strip, png);
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread does next.
enum Job {
    Wait(Option<Instant>),
    Encode(Rect, Arc<PixelBuffer>),
}

impl State {
    /// Notes what a frame changed; gives the number of readers who see it exactly already.
    fn changed(&mut self, frame: &Frame, now: Instant) -> usize {
        let mut exact = 0;
        let mut quick: Option<Rect> = None;
        let mut is_quick = true;
        let mut changed = Vec::new();
        for rect in frame.damage.rects() {
            self.strips
                .retain(|strip, _| strip.intersection(*rect).is_none());
            for tile in self.grid.tiles(*rect) {
                is_quick &= self.grid.heat_up(tile, now);
                let place = self.grid.rect(tile..tile + 1);
                quick = Some(quick.map_or(place, |have| have.union(place)));
                changed.push((tile, place));
            }
        }
        let quick = quick.filter(|rect| is_quick && rect.area() <= QUICK_PX);
        let ready = |reader: &Reader| reader.is_ready(now);
        let quick = quick
            .filter(|_| self.readers.values().any(ready))
            .and_then(|rect| encode(&frame.pixels, rect).map(|png| (rect, png)));
        for reader in self.readers.values_mut() {
            match &quick {
                Some((rect, png)) if reader.is_ready(now) => {
                    reader.cover(*rect, png.clone(), &self.grid);
                    exact += 1;
                }
                _ => {
                    for (tile, place) in &changed {
                        reader.uncover(*tile, *place, &self.grid);
                    }
                }
            }
        }
        exact
    }

    /// Hands out what is encoded already, and says what is to be encoded or waited for.
    fn next_job(&mut self, now: Instant) -> Job {
        let Some(pixels) = &self.pixels else {
            return Job::Wait(None);
        };
        let mut deadline: Option<Instant> = None;
        let mut until = |at: Instant| deadline = Some(deadline.map_or(at, |have| have.min(at)));
        for reader in self
            .readers
            .values_mut()
            .filter(|reader| reader.patch.is_none())
        {
            if reader.covered.iter().all(|covered| *covered) {
                continue;
            }
            if reader.next_at > now {
                until(reader.next_at);
                continue;
            }
            loop {
                let strip = match self.grid.next_strip(&reader.covered, now) {
                    Ok(strip) => strip,
                    Err(later) => {
                        later.into_iter().for_each(&mut until);
                        break;
                    }
                };
                let rect = self.grid.rect(strip.clone());
                let Some(png) = self.strips.get(&rect) else {
                    return Job::Encode(rect, Arc::clone(pixels));
                };
                if let Some(covered) = reader.covered.get_mut(strip) {
                    covered.fill(true);
                }
                if let Some(png) = png {
                    let png = png.clone();
                    reader.patch = Some(Waiting {
                        rect,
                        png,
                        over: false,
                    });
                    reader.changed.notify_one();
                    break;
                }
            }
        }
        Job::Wait(deadline)
    }

    /// When a part changed last.
    fn newest_change(&self, rect: Rect) -> Option<Instant> {
        let at = |tile: usize| self.grid.changed_at.get(tile).copied();
        self.grid.tiles(rect).into_iter().filter_map(at).max()
    }
}

impl Reader {
    /// The picture has another size: nothing of the old one counts.
    fn restart(&mut self, grid: &Grid, now: Instant) {
        self.start = Some(grid.size);
        self.cleared.clear();
        self.patch = None;
        self.covered = vec![false; grid.changed_at.len()];
        self.next_at = now;
        self.changed.notify_one();
    }

    /// Whether a patch could go to it now, and be the newest that it hears.
    fn is_ready(&self, now: Instant) -> bool {
        self.start.is_none()
            && self.cleared.is_empty()
            && self.patch.is_none()
            && self.next_at <= now
    }

    /// A part changed, and is replaced without a time in between.
    fn cover(&mut self, rect: Rect, png: Bytes, grid: &Grid) {
        let mut over = false;
        for tile in grid.tiles(rect) {
            if let Some(covered) = self.covered.get_mut(tile) {
                over |= std::mem::replace(covered, true);
            }
        }
        self.patch = Some(Waiting { rect, png, over });
        self.changed.notify_one();
    }

    /// A tile changed: what lies over it goes, and what is to be laid over it does not come.
    fn uncover(&mut self, tile: usize, place: Rect, grid: &Grid) {
        let Some(covered) = self.covered.get_mut(tile).filter(|covered| **covered) else {
            return;
        };
        *covered = false;
        let waiting = self.patch.take_if(|waiting| waiting.rect.contains(place));
        if let Some(Waiting { rect, over, .. }) = waiting {
            for tile in grid.tiles(rect) {
                if let Some(covered) = self.covered.get_mut(tile) {
                    *covered = false;
                }
            }
            if over {
                self.cleared.add(rect);
                self.changed.notify_one();
            }
            return;
        }
        self.cleared.add(place);
        self.changed.notify_one();
    }
}

impl Grid {
    fn new(size: Size, now: Instant) -> Self {
        let columns = size.width.div_ceil(TILE_PX) as usize;
        let rows = size.height.div_ceil(TILE_PX) as usize;
        Self {
            size,
            columns,
            changed_at: vec![now; columns * rows],
            heat: vec![0.0; columns * rows],
        }
    }

    /// Notes that a tile changed; false for one that moves rather than changes now and then.
    fn heat_up(&mut self, tile: usize, now: Instant) -> bool {
        let (Some(at), Some(heat)) = (self.changed_at.get_mut(tile), self.heat.get_mut(tile))
        else {
            return false;
        };
        if *at == now {
            // Another part of the same frame.
            return *heat <= QUICK_HEAT;
        }
        let passed = now.saturating_duration_since(*at).as_secs_f32();
        *heat = (*heat - passed * QUICK_PER_SECOND).max(0.0) + 1.0;
        *at = now;
        *heat <= QUICK_HEAT
    }

    /// The tiles that a part touches.
    fn tiles(&self, rect: Rect) -> Vec<usize> {
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

    /// The place of neighbours in one row.
    fn rect(&self, tiles: Range<usize>) -> Rect {
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

    /// The first tiles that keep still and are not covered; or else when there may be some.
    fn next_strip(&self, covered: &[bool], now: Instant) -> Result<Range<usize>, Option<Instant>> {
        let mut later: Option<Instant> = None;
        let mut start = None;
        for (tile, (at, covered)) in self.changed_at.iter().zip(covered).enumerate() {
            let settles = *at + SETTLED;
            let is_due = !covered && settles <= now;
            if !covered && !is_due {
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
        start.map(|first| first..self.changed_at.len()).ok_or(later)
    }
}

/// Encodes a strip; `None` when it is not worth its bytes, as a photograph is not.
fn encode(pixels: &PixelBuffer, strip: Rect) -> Option<Bytes> {
    let png = exact_png(pixels, strip);
    let png = png
        .inspect_err(|error| tracing::debug!(%error, "no patch"))
        .ok()?;
    (png.len() as u64 <= strip.area() * BYTES_WORTH.0 / BYTES_WORTH.1).then_some(png)
}

/// How long a part keeps still before it is sent exactly.
pub(crate) const SETTLED: Duration = Duration::from_millis(150);

/// Tiles of one strip: few enough that one is encoded within a millisecond or two.
const STRIP_TILES: usize = 4;

/// The most bytes for this many pixels.
const BYTES_WORTH: (u64, u64) = (3, 2);

/// The largest part that is sent at once when it changes, in pixels: twelve tiles.
const QUICK_PX: u64 = 12 * (TILE_PX as u64) * (TILE_PX as u64);

/// How often a tile may change for a long time and still be sent at once, which is faster than
/// people type; what moves is left to the video.
const QUICK_PER_SECOND: f32 = 25.0;

/// How many changes may come faster than that.
const QUICK_HEAT: f32 = 6.0;

/// How many times the bitrate of the video patches may take for a moment.
const RATE_SHARE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(320, 128);

    fn frame(seed: u8, damage: Damage) -> Frame {
        let mut pixels = PixelBuffer::new(SIZE);
        pixels.bytes_mut().fill(seed);
        Frame {
            seq: seed.into(),
            captured_at: Instant::now(),
            damage,
            pixels: Arc::new(pixels),
        }
    }

    /// Patches with one reader that has everything.
    fn settled() -> (Patches, u64) {
        let patches = Patches::default();
        let id = join(&patches);
        patches.frame(&frame(1, Damage::full(SIZE)));
        assert_eq!(shown(&patches, id), [Patch::Start(SIZE)]);
        settle(&patches);
        let all = shown(&patches, id);
        assert_eq!(all.len(), 4, "two rows of two strips: {all:?}");
        (patches, id)
    }

    /// A reader without a thread beside it.
    fn join(patches: &Patches) -> u64 {
        let mut state = patches.lock();
        state.last_id += 1;
        let id = state.last_id;
        let mut reader = Reader {
            changed: Arc::default(),
            start: None,
            cleared: Damage::none(),
            patch: None,
            covered: Vec::new(),
            next_at: Instant::now(),
        };
        reader.restart(&state.grid, Instant::now());
        reader.start = (!state.grid.size.is_empty()).then_some(state.grid.size);
        state.readers.insert(id, reader);
        id
    }

    /// Makes everything that changed so far old enough.
    fn settle(patches: &Patches) {
        let mut state = patches.lock();
        for at in &mut state.grid.changed_at {
            *at -= SETTLED * 2;
        }
    }

    /// Makes everything move too much for being sent at once.
    fn move_all(patches: &Patches) {
        patches.lock().grid.heat.fill(1e9);
    }

    /// Does what the thread does, and reads all that comes.
    fn shown(patches: &Patches, id: u64) -> Vec<Patch> {
        let mut all = Vec::new();
        loop {
            if let Popped::Patch(patch) = patches.pop(id, true, u32::MAX) {
                all.push(patch);
                continue;
            }
            let mut state = patches.lock();
            match state.next_job(Instant::now() + Duration::from_millis(1)) {
                Job::Encode(strip, pixels) => {
                    let png = encode(&pixels, strip);
                    state.strips.insert(strip, png);
                }
                Job::Wait(_) if state.readers[&id].patch.is_none() => return all,
                Job::Wait(_) => {}
            }
        }
    }

    fn rects(patches: &[Patch]) -> Vec<Rect> {
        let rect = |patch: &Patch| match patch {
            Patch::Show(rect, _) => Some(*rect),
            _ => None,
        };
        patches.iter().filter_map(rect).collect()
    }

    #[test]
    fn what_keeps_still_is_shown_exactly_and_once() {
        let (patches, id) = settled();
        assert_eq!(shown(&patches, id), []);
        let late = join(&patches);
        let all = shown(&patches, late);
        assert_eq!(all[0], Patch::Start(SIZE));
        let area: u64 = rects(&all).iter().map(|rect| rect.area()).sum();
        assert_eq!(area, SIZE.rect().area(), "all of it, without overlaps");
    }

    #[test]
    fn a_small_change_is_shown_exactly_and_at_once() {
        let (patches, id) = settled();
        let damage: Damage = [Rect::new(70, 3, 5, 9)].into_iter().collect();
        patches.frame(&frame(2, damage));
        let tile = Rect::new(64, 0, 64, 64);
        let png = exact_png(&frame(2, Damage::none()).pixels, tile).unwrap();
        assert_eq!(shown(&patches, id), [Patch::Show(tile, png)]);
        settle(&patches);
        assert_eq!(shown(&patches, id), [], "it is exact already");
    }

    #[test]
    fn what_was_to_replace_a_patch_and_grew_old_takes_it_away() {
        let (patches, id) = settled();
        let damage = |x| -> Damage { [Rect::new(x, 3, 5, 9)].into_iter().collect() };
        patches.frame(&frame(2, damage(70)));
        patches.frame(&frame(3, damage(75)));
        let tile = Rect::new(64, 0, 64, 64);
        assert_eq!(shown(&patches, id), [Patch::Clear(vec![tile])]);
        settle(&patches);
        assert_eq!(rects(&shown(&patches, id)), [tile]);
    }

    #[test]
    fn what_changes_is_cleared_at_once_and_shown_again_when_it_rests() {
        let (patches, id) = settled();
        move_all(&patches);
        let damage: Damage = [Rect::new(70, 3, 5, 9)].into_iter().collect();
        patches.frame(&frame(2, damage));
        let tile = Rect::new(64, 0, 64, 64);
        assert_eq!(shown(&patches, id), [Patch::Clear(vec![tile])]);
        settle(&patches);
        let again = shown(&patches, id);
        assert_eq!(rects(&again), [tile]);
        let Patch::Show(_, png) = &again[0] else {
            panic!()
        };
        assert_eq!(
            *png,
            exact_png(&frame(2, Damage::none()).pixels, tile).unwrap()
        );
    }

    #[test]
    fn what_moves_costs_nothing() {
        let (patches, id) = settled();
        let damage = || [SIZE.rect()].into_iter().collect();
        let mut all = Vec::new();
        // Sixty times a second.
        for seed in 2..100 {
            for at in &mut patches.lock().grid.changed_at {
                *at -= Duration::from_millis(16);
            }
            patches.frame(&frame(seed, damage()));
            all.extend(shown(&patches, id));
        }
        let last = all.pop();
        assert!(matches!(last, Some(Patch::Clear(_))), "{last:?}");
        assert!(all.len() < 12, "{} messages before it", all.len());
    }

    #[test]
    fn a_patch_that_waits_is_dropped_when_it_grows_old() {
        let (patches, id) = settled();
        move_all(&patches);
        patches.frame(&frame(2, Damage::full(SIZE)));
        settle(&patches);
        let clear = patches.pop(id, false, 1);
        assert!(matches!(clear, Popped::Patch(Patch::Clear(_))));
        // The first strip is made and waits, since there is no room for it.
        loop {
            let mut state = patches.lock();
            match state.next_job(Instant::now() + Duration::from_millis(1)) {
                Job::Encode(strip, pixels) => {
                    let png = encode(&pixels, strip);
                    state.strips.insert(strip, png);
                }
                Job::Wait(_) => break,
            }
        }
        assert!(matches!(patches.pop(id, false, 1), Popped::Nothing));
        let part: Damage = [Rect::new(0, 0, 1, 1)].into_iter().collect();
        move_all(&patches);
        patches.frame(&frame(3, part));
        assert!(
            matches!(patches.pop(id, true, 1), Popped::Nothing),
            "it never lay there"
        );
        settle(&patches);
        for patch in shown(&patches, id) {
            let Patch::Show(rect, png) = patch else {
                panic!()
            };
            assert_eq!(
                png,
                exact_png(&frame(3, Damage::none()).pixels, rect).unwrap()
            );
        }
    }

    #[test]
    fn another_size_starts_over() {
        let (patches, id) = settled();
        let size = Size::new(100, 70);
        patches.frame(&Frame {
            pixels: Arc::new(PixelBuffer::new(size)),
            ..frame(9, Damage::full(size))
        });
        settle(&patches);
        let all = shown(&patches, id);
        assert_eq!(all[0], Patch::Start(size));
        let area: u64 = rects(&all).iter().map(|rect| rect.area()).sum();
        assert_eq!(area, size.rect().area());
    }

    #[test]
    fn noise_is_left_to_the_video() {
        let mut pixels = PixelBuffer::new(SIZE);
        let mut state = 1_u32;
        for byte in pixels.bytes_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        assert_eq!(encode(&pixels, Rect::new(0, 0, 256, 64)), None);
    }
}
