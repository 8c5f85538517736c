//! Exact pictures of what stopped changing, to be laid over the video.
//!
//! 4:2:0 video never shows coloured text as it was drawn. What has kept still for
//! [`SETTLED`](grid::SETTLED) is sent once more without loss, strip by strip, and is taken back the
//! moment it changes. A small change, such as a typed letter, is sent exactly at once, and what is
//! scrolled is moved where it lies: neither needs to wait for the video.

mod grid;
mod reader;
mod scroll;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_desktop::{Frame, PixelBuffer, Rect, Size, TILE_PX};

use self::grid::{Changed, Grid};
use self::reader::{Cover, Reader};
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
    /// What lies over one part goes to another.
    Move(Move),
}

/// A part of what lies over the video that goes up or down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Move {
    /// Where it goes, in pixels.
    pub to: Rect,
    /// The row in which it begins before, in pixels.
    pub from_y: u32,
    /// What is new at the same time, as PNG files.
    pub rest: Vec<(Rect, Bytes)>,
}

impl Patch {
    /// The number of messages that it is on the wire.
    fn messages(&self) -> u32 {
        match self {
            Self::Move(moved) => u32::try_from(moved.rest.len()).unwrap_or(u32::MAX - 1) + 1,
            _ => 1,
        }
    }

    fn png_bytes(&self) -> usize {
        match self {
            Self::Show(_, png) => png.len(),
            Self::Move(moved) => moved.rest.iter().map(|(_, png)| png.len()).sum(),
            Self::Start(_) | Self::Clear(_) => 0,
        }
    }
}

/// The patches of one encoder's pictures for one reader.
///
/// What waits for a reader is bounded: a few patches, and rectangles that grow into their bounds.
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
    /// Steps have to be followed in order. What is to be shown comes only with `room`: one who is
    /// behind has no use for more, but must hear what is gone. Cancelling loses nothing.
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

    /// Notes how many steps are on the reader's screen so far, each picture of a
    /// [`Move`] counted like a step; counts that cannot be are ignored.
    ///
    /// Only a reader that tells so gets [`Patch::Move`], and only while it keeps up.
    pub fn acknowledge(&self, count: u32) {
        if self.shared.patches.acknowledge(self.id, count) {
            self.shared.change(|_| ());
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
    scrolling: Scrolling,
    /// The newest change was to move something.
    moves: bool,
    has_thread: bool,
    /// The thread waits for something to happen, not for a time.
    idle: bool,
    ended: bool,
}

/// Tiles that changed together in one frame.
struct Group {
    tiles: Vec<usize>,
    /// Whole tiles: all of these, and what lies between them.
    place: Rect,
    /// They change now and then, and somebody could see that at once.
    calm: bool,
    /// Somebody could move it.
    wanted: bool,
    /// Somebody has all of it exactly, and could move it.
    movable: bool,
}

/// How to show what changed.
#[derive(Debug)]
struct Step {
    tiles: Vec<usize>,
    /// Whole tiles: all of these, and all that the patch touches.
    place: Rect,
    /// `None` leaves it to the video.
    patch: Option<Patch>,
}

impl Patches {
    fn attach(&self, shared: &Arc<Shared>) -> (u64, Arc<Notify>) {
        let mut state = self.lock();
        let now = Instant::now();
        if state.readers.is_empty() {
            // Nobody kept the times up to now.
            state.grid.touch(now);
            state.strips.clear();
        }
        state.last_id += 1;
        let id = state.last_id;
        let reader = Reader::new(&state.grid, now);
        let changed = Arc::clone(&reader.changed);
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

    /// True when the reader was late until now.
    fn acknowledge(&self, id: u64, count: u32) -> bool {
        let mut state = self.lock();
        let reader = state.readers.get_mut(&id);
        reader.is_some_and(|reader| reader.acknowledge(Instant::now(), count))
    }

    /// Until when the next change should wait, since what is being scrolled goes faster than anybody
    /// draws it.
    ///
    /// With one reader that keeps up there is nothing to wait for.
    pub(crate) fn late_until(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        if !state.moves {
            return None;
        }
        let readers = state.readers.values();
        let all: Option<Vec<_>> = readers.map(|reader| reader.late_until(now)).collect();
        all?.into_iter().min()
    }

    /// Notes what a frame changed; called by the encode thread for every frame.
    ///
    /// Gives the number of readers for whom the change is exact by that.
    pub(crate) fn frame(&self, frame: &Frame) -> usize {
        let now = Instant::now();
        let (groups, before, mut scrolling) = {
            let mut state = self.lock();
            let before = state.pixels.replace(Arc::clone(&frame.pixels));
            let groups = state.note(frame, now);
            (groups, before, state.scrolling)
        };
        // Whoever reads goes on meanwhile.
        let mut quick_px = QUICK_PX;
        let steps = groups.into_iter().map(|group| {
            let before = before.as_deref();
            group.into_step(frame, before, now, &mut quick_px, &mut scrolling)
        });
        let steps: Vec<_> = steps.collect();
        let mut state = self.lock();
        let state = &mut *state;
        state.scrolling = scrolling;
        let is_move = |step: &Step| matches!(step.patch, Some(Patch::Move(_)));
        state.moves = steps.iter().any(is_move);
        if std::mem::take(&mut state.idle) {
            self.work.notify_one();
        }
        if steps.is_empty() {
            return 0;
        }
        let readers = state.readers.values_mut();
        readers
            .map(|reader| reader.take(&steps, &state.grid, now))
            .filter(|is_exact| *is_exact)
            .count()
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
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.ended {
            return Popped::Ended;
        }
        let Some(reader) = state.readers.get_mut(&id) else {
            return Popped::Ended;
        };
        let Some(patch) = reader.pop(Instant::now(), room, kbps, &state.grid) else {
            return Popped::Nothing;
        };
        drop(guard);
        if matches!(patch, Patch::Show(..) | Patch::Move(_)) {
            self.work.notify_one();
        }
        Popped::Patch(patch)
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
                    let newest = state.grid.newest_change(strip);
                    drop(state);
                    let png = encode(&pixels, strip);
                    drop(pixels);
                    state = self.lock();
                    if state.grid.newest_change(strip) == newest {
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
    /// Notes what a frame changed; gives its parts when somebody has to hear of them.
    fn note(&mut self, frame: &Frame, now: Instant) -> Vec<Group> {
        if self.grid.size() != frame.size() {
            self.grid = Grid::new(frame.size(), now);
            self.strips.clear();
            for reader in self.readers.values_mut() {
                reader.restart(&self.grid, now);
            }
            return Vec::new();
        }
        if self.readers.is_empty() {
            return Vec::new();
        }
        for rect in frame.damage.rects() {
            self.strips
                .retain(|strip, _| strip.intersection(*rect).is_none());
        }
        let changed = self.grid.change(&frame.damage, now);
        let ready = self.readers.values().filter(|reader| reader.is_ready(now));
        let ready: Vec<_> = ready.collect();
        let movers = ready.iter().filter(|reader| reader.takes_moves());
        let movers: Vec<_> = movers.map(|reader| reader.covers()).collect();
        let group = |changed: Vec<Changed>| {
            let tiles: Vec<_> = changed.iter().map(|each| each.tile).collect();
            let places = tiles.iter().map(|tile| self.grid.place(*tile));
            let place = places.reduce(Rect::union).unwrap_or_default();
            let is_exact = |covers: &&[Cover], tile| covers.get(tile) == Some(&Cover::Exact);
            let all = self.grid.tiles(place);
            Group {
                place,
                tiles,
                calm: !ready.is_empty() && changed.iter().all(|each| each.calm),
                wanted: !movers.is_empty(),
                movable: movers
                    .iter()
                    .any(|covers| all.iter().all(|tile| is_exact(covers, *tile))),
            }
        };
        let groups = self.grid.groups(&changed).into_iter();
        groups.map(group).collect()
    }

    /// Hands out what is encoded already, and says what is to be encoded or waited for.
    fn next_job(&mut self, now: Instant) -> Job {
        let Some(pixels) = &self.pixels else {
            return Job::Wait(None);
        };
        let mut deadline: Option<Instant> = None;
        let mut until = |at: Instant| deadline = Some(deadline.map_or(at, |have| have.min(at)));
        for reader in self.readers.values_mut() {
            let Some(next_at) = reader.next_at() else {
                continue;
            };
            let is_covered = |cover: &Cover| *cover != Cover::Nothing;
            if reader.covers().iter().all(is_covered) {
                continue;
            }
            if next_at > now {
                until(next_at);
                continue;
            }
            loop {
                let covered = reader.covers().iter().map(is_covered);
                let strip = match self.grid.next_strip(covered, now) {
                    Ok(strip) => strip,
                    Err(later) => {
                        later.into_iter().for_each(&mut until);
                        break;
                    }
                };
                let rect = self.grid.strip(strip.clone());
                let Some(png) = self.strips.get(&rect) else {
                    return Job::Encode(rect, Arc::clone(pixels));
                };
                let patch = png.clone().map(|png| (rect, Patch::Show(rect, png)));
                let is_shown = patch.is_some();
                reader.settle(strip, patch);
                if is_shown {
                    break;
                }
            }
        }
        Job::Wait(deadline)
    }
}

impl Group {
    /// Finds out how to show it; `quick_px` is how many pixels may still be sent at once.
    fn into_step(
        self,
        frame: &Frame,
        before: Option<&PixelBuffer>,
        now: Instant,
        quick_px: &mut u64,
        scrolling: &mut Scrolling,
    ) -> Step {
        let is_quick = self.calm && self.place.area() <= *quick_px;
        let mut patch = is_quick.then(|| self.show(frame)).flatten();
        if patch.is_some() {
            *quick_px -= self.place.area();
        } else if let Some(before) = before.filter(|_| self.wanted) {
            if self.movable {
                patch = moved(before, &frame.pixels, self.place).map(Patch::Move);
                scrolling.note(patch.is_some(), now);
            } else if scrolling.is_due() {
                let found = scroll::find(before, &frame.pixels, self.place);
                // What goes on being scrolled is laid there once, to be moved from then on.
                let lays = scrolling.note(found.is_some(), now);
                patch = lays.then(|| self.show(frame)).flatten();
            }
        }
        Step {
            tiles: self.tiles,
            place: self.place,
            patch,
        }
    }

    /// All of it as it is now.
    fn show(&self, frame: &Frame) -> Option<Patch> {
        encode(&frame.pixels, self.place).map(|png| Patch::Show(self.place, png))
    }
}

/// Whether what moves is being scrolled, as far as that was looked into.
#[derive(Clone, Copy, Debug, Default)]
struct Scrolling {
    /// Frames in a row that were found to be scrolled.
    streak: u32,
    /// Looks in a row that were in vain.
    vain: u32,
    /// Frames until the next look.
    skip: u32,
    laid_at: Option<Instant>,
}

impl Scrolling {
    /// Whether to look now: less and less often at what does not scroll.
    fn is_due(&mut self) -> bool {
        let is_due = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        is_due
    }

    /// Notes what a look found; true when it is time to lay all of it over the video.
    fn note(&mut self, found: bool, now: Instant) -> bool {
        if !found {
            self.streak = 0;
            self.vain = (self.vain + 1).min(VAIN_MAX);
            self.skip = 1 << self.vain;
            return false;
        }
        self.vain = 0;
        self.skip = 0;
        self.streak += 1;
        let rested = self.laid_at.is_none_or(|at| now >= at + LAY_INTERVAL);
        let lays = self.streak >= STREAK && rested;
        if lays {
            self.laid_at = Some(now);
        }
        lays
    }
}

/// How a part of the picture before becomes that of this one by moving; `None` when the video does
/// it better.
fn moved(before: &PixelBuffer, now: &PixelBuffer, part: Rect) -> Option<Move> {
    let shift = scroll::find(before, now, part)?;
    let rest = shift.rest.into_iter();
    let rest = rest.map(|band| encode(now, band).map(|png| (band, png)));
    Some(Move {
        to: shift.to,
        from_y: shift.from_y,
        rest: rest.collect::<Option<_>>()?,
    })
}

/// Encodes a part; `None` when it is not worth its bytes, as a photograph is not.
fn encode(pixels: &PixelBuffer, part: Rect) -> Option<Bytes> {
    let png = exact_png(pixels, part);
    let png = png
        .inspect_err(|error| tracing::debug!(%error, "no patch"))
        .ok()?;
    (png.len() as u64 <= part.area() * BYTES_WORTH.0 / BYTES_WORTH.1).then_some(png)
}

/// The most bytes for this many pixels.
const BYTES_WORTH: (u64, u64) = (3, 2);

/// How often in a row something has to be scrolled before it is moved where it lies.
const STREAK: u32 = 3;

/// The least time between two times that something which moves is laid over the video.
const LAY_INTERVAL: Duration = Duration::from_millis(500);

/// At most two to the power of this many frames are not looked at.
const VAIN_MAX: u32 = 6;

/// The largest part that is sent at once when it changes, in pixels: twelve tiles.
const QUICK_PX: u64 = 12 * (TILE_PX as u64) * (TILE_PX as u64);

#[cfg(test)]
mod tests {
    use vroom_desktop::Damage;

    use super::grid::SETTLED;
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
        let reader = Reader::new(&state.grid, Instant::now());
        state.readers.insert(id, reader);
        id
    }

    /// Makes everything that changed so far old enough.
    fn settle(patches: &Patches) {
        patches.lock().grid.age(SETTLED * 2);
    }

    /// Makes everything move too much for being sent at once.
    fn move_all(patches: &Patches) {
        patches.lock().grid.heat();
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
                Job::Wait(_) if state.readers[&id].next_at().is_some() => return all,
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
        move_all(&patches);
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
            patches.lock().grid.age(Duration::from_millis(16));
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

    /// A desktop, and what one reader sees of it.
    struct Scene {
        patches: Patches,
        id: u64,
        pool: vroom_desktop::FramePool,
        picture: PixelBuffer,
        /// Blue, green, red of what lies over the video.
        canvas: Vec<Option<[u8; 3]>>,
        messages: u32,
        moves: usize,
        state: u32,
    }

    const SCENE: Size = Size::new(300, 250);

    impl Scene {
        fn new(seed: u32) -> Self {
            let patches = Patches::default();
            let id = join(&patches);
            let mut scene = Self {
                patches,
                id,
                pool: vroom_desktop::FramePool::new(SCENE),
                picture: PixelBuffer::new(SCENE),
                canvas: Vec::new(),
                messages: 0,
                moves: 0,
                state: seed,
            };
            scene.publish();
            scene
        }

        fn below(&mut self, limit: u32) -> u32 {
            self.state = self
                .state
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            (self.state >> 8) % limit
        }

        fn part(&mut self, least: u32) -> Rect {
            let (width, height) = (
                least + self.below(SCENE.width - least),
                least + self.below(SCENE.height - least),
            );
            let x = self.below(SCENE.width - width + 1);
            let y = self.below(SCENE.height - height + 1);
            Rect::new(x, y, width, height)
        }

        /// Draws rows that nothing resembles; with `noise` no PNG is worth its bytes.
        fn draw(&mut self, part: Rect, noise: bool) {
            for y in part.y..part.bottom() {
                for x in part.x..part.right() {
                    let colour = if noise {
                        self.below(1 << 24).wrapping_mul(0x9E37_79B1)
                    } else {
                        self.below(2) * 0x00FF_FFFF
                    };
                    self.set(x, y, colour);
                }
            }
        }

        fn set(&mut self, x: u32, y: u32, colour: u32) {
            let at = y as usize * self.picture.stride() + x as usize * 4;
            self.picture.bytes_mut()[at..at + 4].copy_from_slice(&colour.to_le_bytes());
        }

        /// Scrolls a part up or down.
        fn scroll(&mut self, part: Rect) {
            let by = 1 + self.below(part.height / 3);
            let up = self.below(2) == 0;
            let old = self.picture.bytes().to_vec();
            let stride = self.picture.stride();
            for y in part.y..part.bottom() - by {
                let (from, to) = if up { (y + by, y) } else { (y, y + by) };
                let row = |y: u32| {
                    let start = y as usize * stride + part.x as usize * 4;
                    start..start + part.width as usize * 4
                };
                self.picture.bytes_mut()[row(to)].copy_from_slice(&old[row(from)]);
            }
            let y = if up { part.bottom() - by } else { part.y };
            self.draw(Rect::new(part.x, y, part.width, by), false);
        }

        fn publish(&mut self) {
            let full = Damage::full(SCENE);
            let (bytes, stride) = (self.picture.bytes(), self.picture.stride());
            if let Some(frame) = self.pool.frame(bytes, stride, &full) {
                self.patches.frame(&frame);
            }
        }

        /// Does one step of what came; false when nothing did.
        fn follow(&mut self) -> bool {
            let Popped::Patch(patch) = self.patches.pop(self.id, true, u32::MAX) else {
                return false;
            };
            self.messages += patch.messages();
            match patch {
                Patch::Start(size) => self.canvas = vec![None; index(0, size.height)],
                Patch::Clear(rects) => {
                    for rect in rects {
                        self.lay(rect, |_, _| None);
                    }
                }
                Patch::Show(rect, png) => self.show(rect, &png),
                Patch::Move(Move { to, from_y, rest }) => {
                    self.moves += 1;
                    let old = self.canvas.clone();
                    self.lay(to, |x, y| old[index(x, y - to.y + from_y)]);
                    for (rect, png) in rest {
                        self.show(rect, &png);
                    }
                }
            }
            if self.below(3) > 0 {
                self.patches.acknowledge(self.id, self.messages);
            }
            true
        }

        fn lay(&mut self, rect: Rect, pixel: impl Fn(u32, u32) -> Option<[u8; 3]>) {
            for y in rect.y..rect.bottom() {
                for x in rect.x..rect.right() {
                    self.canvas[index(x, y)] = pixel(x, y);
                }
            }
        }

        fn show(&mut self, rect: Rect, file: &Bytes) {
            let mut decoder = png::Decoder::new(&file[..]);
            decoder.set_transformations(png::Transformations::EXPAND);
            let mut reader = decoder.read_info().unwrap();
            let mut rgb = vec![0; reader.output_buffer_size()];
            let info = reader.next_frame(&mut rgb).unwrap();
            assert_eq!((info.width, info.height), (rect.width, rect.height));
            self.lay(rect, |x, y| {
                let at = ((y - rect.y) * rect.width + x - rect.x) as usize * 3;
                Some([rgb[at + 2], rgb[at + 1], rgb[at]])
            });
        }

        /// Lets a while pass, in which what keeps still is sent.
        fn wait(&mut self) {
            settle(&self.patches);
            loop {
                while self.follow() {}
                let mut state = self.patches.lock();
                match state.next_job(Instant::now() + Duration::from_secs(1)) {
                    Job::Encode(strip, pixels) => {
                        let png = encode(&pixels, strip);
                        state.strips.insert(strip, png);
                    }
                    Job::Wait(_) if state.readers[&self.id].next_at().is_some() => return,
                    Job::Wait(_) => {}
                }
            }
        }

        /// What is taken for exact is exact, and nothing lies over the rest.
        fn check(&mut self) {
            while self.follow() {}
            let state = self.patches.lock();
            for (tile, cover) in state.readers[&self.id].covers().iter().enumerate() {
                let place = state.grid.place(tile);
                for y in place.y..place.bottom() {
                    for x in place.x..place.right() {
                        let at = y as usize * self.picture.stride() + x as usize * 4;
                        let pixel = <[u8; 3]>::try_from(&self.picture.bytes()[at..at + 3]).unwrap();
                        let want = (*cover == Cover::Exact).then_some(pixel);
                        assert_eq!(self.canvas[index(x, y)], want, "{x},{y} is {cover:?}");
                    }
                }
            }
        }
    }

    fn index(x: u32, y: u32) -> usize {
        (y * SCENE.width + x) as usize
    }

    #[test]
    fn what_is_scrolled_is_moved_and_costs_little() {
        let mut scene = Scene::new(1);
        scene.draw(SCENE.rect(), false);
        scene.publish();
        scene.wait();
        scene.patches.acknowledge(scene.id, scene.messages);
        for _ in 0..20 {
            scene.scroll(Rect::new(20, 30, 200, 200));
            scene.publish();
            scene.check();
        }
        assert_eq!(scene.moves, 20);
        let covers = scene.patches.lock().readers[&scene.id].covers().to_vec();
        assert!(covers.iter().all(|cover| *cover == Cover::Exact));
    }

    #[test]
    fn what_is_scrolled_waits_for_who_draws_late_and_nothing_else_does() {
        let mut scene = Scene::new(3);
        scene.draw(SCENE.rect(), false);
        scene.publish();
        scene.wait();
        scene.patches.acknowledge(scene.id, scene.messages);
        let scroll = |scene: &mut Scene| {
            scene.scroll(Rect::new(20, 30, 200, 200));
            scene.publish();
            let Popped::Patch(patch) = scene.patches.pop(scene.id, true, u32::MAX) else {
                panic!("nothing came");
            };
            assert!(matches!(patch, Patch::Move(_)), "{patch:?}");
            scene.messages += patch.messages();
        };
        let late = |scene: &Scene| {
            let later = Instant::now() + Duration::from_millis(200);
            scene.patches.late_until(later).is_some()
        };
        scroll(&mut scene);
        assert!(late(&scene));
        let other = join(&scene.patches);
        assert!(!late(&scene), "somebody has drawn all there is");
        scene.patches.detach(other);
        scene.patches.acknowledge(scene.id, scene.messages);
        assert!(!late(&scene));
        scroll(&mut scene);
        scene.set(250, 10, 0x0012_3456);
        scene.publish();
        assert!(!late(&scene), "a letter is not scrolled");
    }

    #[test]
    fn what_is_scrolled_all_the_time_is_moved_soon() {
        let mut scene = Scene::new(2);
        while scene.follow() {}
        scene.patches.acknowledge(scene.id, scene.messages);
        scene.draw(SCENE.rect(), false);
        for _ in 0..30 {
            scene.scroll(SCENE.rect());
            scene.publish();
            scene.check();
        }
        assert!(scene.moves >= 20, "{} of 30", scene.moves);
        // What cannot be scrolled is looked at less and less.
        let mut scrolling = Scrolling::default();
        let mut looks = 0;
        for _ in 0..1000 {
            if scrolling.is_due() {
                looks += 1;
                assert!(!scrolling.note(false, Instant::now()));
            }
        }
        assert!(looks < 25, "{looks} looks");
    }

    #[test]
    fn whatever_changes_what_is_exact_is_exact_and_nothing_old_stays() {
        let mut moves = 0;
        for seed in 0..60 {
            let mut scene = Scene::new(seed);
            scene.draw(SCENE.rect(), false);
            for _ in 0..40 {
                match scene.below(8) {
                    0 => scene.wait(),
                    1 => {
                        let part = scene.part(1);
                        let noise = scene.below(2) == 0;
                        scene.draw(part, noise);
                    }
                    2 => {
                        let x = scene.below(SCENE.width);
                        let y = scene.below(SCENE.height);
                        scene.set(x, y, 0x0012_3456);
                    }
                    3 => {
                        scene.follow();
                    }
                    4 => move_all(&scene.patches),
                    _ => {
                        let part = scene.part(70);
                        scene.scroll(part);
                    }
                }
                scene.publish();
                if scene.below(2) == 0 {
                    scene.check();
                }
            }
            scene.wait();
            scene.check();
            moves += scene.moves;
        }
        assert!(moves > 100, "{moves} moves were tried");
    }
}
