//! A desktop that needs no display: a test card that shows what input it got.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{
    BYTES_PER_PIXEL, ClipboardData, Damage, Desktop, DesktopEvent, EventSink, FramePool, FrameSlot,
    InputEvent, PixelBuffer, Rect, Selection, Size,
};

/// A test card in eight colours that draws what it is told.
///
/// The top left shows a row of [`COUNTER_BITS`] squares of [`CELL_PX`] pixels: the number of input
/// events so far, most significant bit first, white for one. A white square follows the pointer.
#[derive(Debug)]
pub struct Synthetic {
    shared: Arc<Shared>,
    frames: Arc<FrameSlot>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How a [`Synthetic`] desktop starts.
#[derive(Clone, Copy, Debug)]
pub struct SyntheticConfig {
    /// The size in pixels.
    pub size: Size,
    /// Draws a moving bar at this interval when set; stays still otherwise.
    pub animate: Option<Duration>,
}

impl Synthetic {
    /// Starts the desktop on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(config: SyntheticConfig, events: EventSink) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                size: config.size,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let frames = Arc::new(FrameSlot::new());
        let card = Card {
            shared: Arc::clone(&shared),
            frames: Arc::clone(&frames),
            events,
            animate: config.animate,
            picture: PixelBuffer::new(config.size),
            pool: FramePool::new(config.size),
            inputs: 0,
            pointer: (0, 0),
            step: 0,
        };
        let thread = std::thread::Builder::new()
            .name("synthetic".into())
            .spawn(move || card.run())?;
        Ok(Self {
            shared,
            frames,
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl Desktop for Synthetic {
    fn kind(&self) -> &'static str {
        "synthetic"
    }

    fn frames(&self) -> &Arc<FrameSlot> {
        &self.frames
    }

    fn size(&self) -> Size {
        self.shared.lock().size
    }

    fn set_watched(&self, watched: bool) {
        self.shared.change(|state| {
            state.watched = watched;
            state.whole |= watched;
        });
    }

    fn inject(&self, event: InputEvent) {
        self.shared.change(|state| {
            if state.input.len() < INPUT_QUEUE || !event.is_motion() {
                state.input.push_back(event);
            }
        });
    }

    fn resize(&self, size: Size, _scale: f64) {
        self.shared.change(|state| {
            state.size = size;
            state.whole = true;
        });
    }

    fn set_selection(&self, _selection: Selection, _formats: Vec<ClipboardData>) {}

    fn shut_down(&self) {
        self.shared.change(|state| state.ended = true);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            self.frames.wake();
        }
    }
}

impl Drop for Synthetic {
    fn drop(&mut self) {
        self.shut_down();
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }
}

#[derive(Debug, Default)]
struct State {
    size: Size,
    input: VecDeque<InputEvent>,
    watched: bool,
    whole: bool,
    ended: bool,
}

/// What the thread owns.
struct Card {
    shared: Arc<Shared>,
    frames: Arc<FrameSlot>,
    events: EventSink,
    animate: Option<Duration>,
    picture: PixelBuffer,
    pool: FramePool,
    inputs: u32,
    pointer: (u32, u32),
    step: u32,
}

impl Card {
    fn run(mut self) {
        let mut next_step = Instant::now();
        loop {
            let (input, size, watched, whole) = {
                let mut state = self.shared.lock();
                loop {
                    let due = self.animate.is_some() && state.watched;
                    if state.ended {
                        return;
                    }
                    if !state.input.is_empty() || (state.watched && state.whole) {
                        break;
                    }
                    if due && Instant::now() >= next_step {
                        break;
                    }
                    let wait = next_step.saturating_duration_since(Instant::now());
                    state = if due {
                        let waited = self.shared.changed.wait_timeout(state, wait);
                        waited.unwrap_or_else(PoisonError::into_inner).0
                    } else {
                        let waited = self.shared.changed.wait(state);
                        waited.unwrap_or_else(PoisonError::into_inner)
                    };
                }
                let whole = state.watched && std::mem::take(&mut state.whole);
                (
                    std::mem::take(&mut state.input),
                    state.size,
                    state.watched,
                    whole,
                )
            };
            if size != self.picture.size() {
                self.picture = PixelBuffer::new(size);
                self.pool.resize(size);
                (self.events)(DesktopEvent::Resized { size, scale: 1.0 });
            } else if whole {
                self.pool.release();
            }
            for event in input {
                self.apply(&event);
            }
            if let Some(every) = self.animate
                && Instant::now() >= next_step
            {
                self.step = self.step.wrapping_add(1);
                next_step = Instant::now() + every;
            }
            if watched {
                self.draw();
            }
        }
    }

    fn apply(&mut self, event: &InputEvent) {
        self.inputs = self.inputs.wrapping_add(1);
        if let InputEvent::PointerMotion { x, y } = *event {
            let size = self.picture.size();
            self.pointer = (to_pixel(x, size.width), to_pixel(y, size.height));
        }
    }

    fn draw(&mut self) {
        let size = self.picture.size();
        for (index, colour) in (0u32..).zip(COLOURS) {
            let left = size.width * index / STRIPES;
            let right = size.width * (index + 1) / STRIPES;
            self.fill(Rect::new(left, 0, right - left, size.height), colour);
        }
        if self.animate.is_some() && size.height > CELL_PX {
            let y = (self.step * 4) % (size.height - CELL_PX);
            self.fill(Rect::new(0, y, size.width, CELL_PX), [128, 128, 128, 0]);
        }
        self.fill(
            Rect::new(self.pointer.0, self.pointer.1, CELL_PX, CELL_PX),
            [255; 4],
        );
        for bit in 0..COUNTER_BITS {
            let on = self.inputs >> (COUNTER_BITS - 1 - bit) & 1 == 1;
            let colour = if on { [255; 4] } else { [0; 4] };
            self.fill(Rect::new(bit * CELL_PX, 0, CELL_PX, CELL_PX), colour);
        }
        let stride = self.picture.stride();
        let damage = Damage::full(size);
        if let Some(frame) = self.pool.frame(self.picture.bytes(), stride, &damage) {
            self.frames.publish(frame);
        }
    }

    fn fill(&mut self, rect: Rect, colour: [u8; BYTES_PER_PIXEL]) {
        let Some(rect) = rect.intersection(self.picture.size().rect()) else {
            return;
        };
        let stride = self.picture.stride();
        for y in rect.y..rect.bottom() {
            let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
            let end = start + rect.width as usize * BYTES_PER_PIXEL;
            if let Some(row) = self.picture.bytes_mut().get_mut(start..end) {
                for pixel in row.chunks_exact_mut(BYTES_PER_PIXEL) {
                    pixel.copy_from_slice(&colour);
                }
            }
        }
    }
}

/// The pixel that a coordinate falls on, clamped to the side.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is clamped to 0..side before"
)]
fn to_pixel(at: f64, side: u32) -> u32 {
    at.clamp(0.0, f64::from(side.saturating_sub(1))) as u32
}

/// The side of a square of the counter and of the pointer, in pixels.
const CELL_PX: u32 = 16;

/// The squares of the counter.
const COUNTER_BITS: u32 = 16;

/// The queue of input; when it is full, motion is dropped.
const INPUT_QUEUE: usize = 256;

/// The number of stripes.
const STRIPES: u32 = 8;

/// The stripes, left to right, as B, G, R, unused.
const COLOURS: [[u8; BYTES_PER_PIXEL]; STRIPES as usize] = [
    [40, 40, 40, 0],
    [200, 60, 40, 0],
    [60, 180, 60, 0],
    [60, 60, 220, 0],
    [200, 200, 60, 0],
    [60, 200, 220, 0],
    [200, 60, 200, 0],
    [220, 220, 220, 0],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evdev, KeyState, Wake};

    fn start(size: Size) -> Synthetic {
        let config = SyntheticConfig {
            size,
            animate: None,
        };
        Synthetic::start(config, Arc::new(|_| ())).unwrap()
    }

    fn next(desktop: &Synthetic) -> crate::Frame {
        let deadline = Instant::now() + Duration::from_secs(10);
        match desktop.frames().wait(Some(deadline)) {
            Wake::Frame(frame) => frame,
            other => panic!("no frame: {other:?}"),
        }
    }

    fn counter(frame: &crate::Frame) -> u32 {
        (0..COUNTER_BITS).fold(0, |count, bit| {
            let at = (8 * frame.size().width + bit * CELL_PX + 8) as usize * BYTES_PER_PIXEL;
            count << 1 | u32::from(frame.pixels.bytes()[at] > 127)
        })
    }

    #[test]
    fn input_shows_in_the_next_frame() {
        let desktop = start(Size::new(320, 200));
        desktop.set_watched(true);
        assert_eq!(counter(&next(&desktop)), 0);
        desktop.inject(InputEvent::Key {
            code: Evdev(30),
            state: KeyState::Pressed,
        });
        assert_eq!(counter(&next(&desktop)), 1);
    }

    #[test]
    fn an_unwatched_desktop_publishes_nothing() {
        let desktop = start(Size::new(320, 200));
        desktop.inject(InputEvent::PointerMotion { x: 5.0, y: 5.0 });
        desktop.shut_down();
        assert!(desktop.frames().take().is_none());
    }

    #[test]
    fn resizing_gives_a_whole_frame_of_the_new_size() {
        let desktop = start(Size::new(320, 200));
        desktop.set_watched(true);
        drop(next(&desktop));
        desktop.resize(Size::new(640, 400), 1.0);
        let frame = next(&desktop);
        assert_eq!(frame.size(), Size::new(640, 400));
        assert_eq!(frame.damage, Damage::full(frame.size()));
    }
}
