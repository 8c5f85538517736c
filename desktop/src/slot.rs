//! Where the newest frame waits for its reader.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::{Damage, Frame};

/// A slot of depth one between a desktop and its encoder: the latest frame wins.
///
/// One thread publishes and one thread takes. Publishing never waits.
#[derive(Debug, Default)]
pub struct FrameSlot {
    state: Mutex<State>,
    changed: Condvar,
}

/// Why [`FrameSlot::wait`] returned.
#[derive(Debug)]
pub enum Wake {
    /// A frame was waiting.
    Frame(Frame),
    /// Somebody called [`FrameSlot::wake`], so there is something else to look at.
    Woken,
    /// The deadline passed.
    TimedOut,
}

impl FrameSlot {
    /// Makes an empty slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes a frame; never waits for the reader.
    ///
    /// An unread frame is replaced and its damage added to this one, so damage is never lost.
    pub fn publish(&self, mut frame: Frame) {
        let mut state = self.lock();
        if let Some(unread) = state.frame.take() {
            if unread.size() == frame.size() {
                frame.damage.merge(&unread.damage);
            } else {
                frame.damage = Damage::full(frame.size());
            }
        }
        state.frame = Some(frame);
        self.changed.notify_one();
    }

    /// Takes the frame that waits, if any.
    pub fn take(&self) -> Option<Frame> {
        self.lock().frame.take()
    }

    /// Waits for a frame, for a [`wake`](Self::wake) or for the deadline, whichever is first.
    ///
    /// Without a deadline it waits for as long as it takes.
    pub fn wait(&self, deadline: Option<Instant>) -> Wake {
        let mut state = self.lock();
        loop {
            if std::mem::take(&mut state.woken) {
                return Wake::Woken;
            }
            if let Some(frame) = state.frame.take() {
                return Wake::Frame(frame);
            }
            state = match deadline {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                        return Wake::TimedOut;
                    };
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Makes a present or the next [`wait`](Self::wait) return [`Wake::Woken`].
    pub fn wake(&self) {
        self.lock().woken = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    frame: Option<Frame>,
    woken: bool,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{PixelBuffer, Rect, Size};

    fn frame(seq: u64, rect: Rect) -> Frame {
        Frame {
            seq,
            captured_at: Instant::now(),
            damage: [rect].into_iter().collect(),
            pixels: Arc::new(PixelBuffer::new(Size::new(64, 64))),
        }
    }

    #[test]
    fn unread_damage_is_kept() {
        let slot = FrameSlot::new();
        slot.publish(frame(1, Rect::new(0, 0, 1, 1)));
        slot.publish(frame(2, Rect::new(8, 8, 1, 1)));
        let taken = slot.take().unwrap();
        assert_eq!(taken.seq, 2);
        assert_eq!(taken.damage.rects().len(), 2);
        assert!(slot.take().is_none());
    }

    #[test]
    fn a_size_change_damages_everything() {
        let slot = FrameSlot::new();
        slot.publish(frame(1, Rect::new(0, 0, 1, 1)));
        let size = Size::new(32, 16);
        slot.publish(Frame {
            pixels: Arc::new(PixelBuffer::new(size)),
            ..frame(2, Rect::new(0, 0, 1, 1))
        });
        assert_eq!(slot.take().unwrap().damage, Damage::full(size));
    }

    #[test]
    fn every_damage_is_seen_once_across_threads() {
        const FRAMES: u32 = 20_000;
        let slot = Arc::new(FrameSlot::new());
        let writer = Arc::clone(&slot);
        let thread = std::thread::spawn(move || {
            let pixels = Arc::new(PixelBuffer::new(Size::new(4, 4)));
            for seq in 1..=u64::from(FRAMES) {
                writer.publish(Frame {
                    seq,
                    captured_at: Instant::now(),
                    damage: Damage::full(Size::new(4, 4)),
                    pixels: Arc::clone(&pixels),
                });
            }
        });
        let mut last = 0;
        while last < u64::from(FRAMES) {
            if let Wake::Frame(frame) = slot.wait(None) {
                assert!(frame.seq > last, "frames come in order");
                last = frame.seq;
            }
        }
        thread.join().unwrap();
    }

    #[test]
    fn wake_is_not_lost_before_the_wait() {
        let slot = FrameSlot::new();
        slot.wake();
        assert!(matches!(slot.wait(None), Wake::Woken));
        assert!(matches!(slot.wait(Some(Instant::now())), Wake::TimedOut));
    }
}
