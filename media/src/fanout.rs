//! Hands each access unit to everybody who listens.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::units::Unit;

/// Tells the listeners of one encoder apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ListenerId(pub(crate) u64);

/// Takes access units; none of its methods may block.
pub(crate) trait Listener: Send + Sync {
    /// Whether it could take a key frame now.
    fn is_ready(&self) -> bool;

    /// Takes one.
    fn push(&self, unit: &Unit) -> Pushed;

    /// No more will come.
    fn end(&self);
}

/// What a listener did with an access unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pushed {
    /// It took it.
    Taken,
    /// It is full and asks for a key frame itself when it can go on.
    Behind,
    /// It is full and wants the next key frame.
    Resync,
}

/// The listeners of one encoder.
#[derive(Default)]
pub(crate) struct Fanout {
    entries: Mutex<Entries>,
    playing: AtomicUsize,
    last_id: AtomicU64,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    ended: bool,
}

struct Entry {
    id: ListenerId,
    listener: Arc<dyn Listener>,
    /// It has the key frame that what comes next depends on.
    synced: bool,
    playing: bool,
}

impl Fanout {
    /// Adds a listener; it waits for a key frame, which the caller has to ask for.
    ///
    /// After [`end`](Self::end) it is told so at once.
    pub(crate) fn attach(&self, listener: Arc<dyn Listener>) -> ListenerId {
        let id = ListenerId(self.last_id.fetch_add(1, Ordering::Relaxed));
        let mut entries = self.lock();
        if entries.ended {
            listener.end();
            return id;
        }
        entries.all.push(Entry {
            id,
            listener,
            synced: false,
            playing: true,
        });
        self.count(&entries);
        id
    }

    /// Removes a listener.
    pub(crate) fn detach(&self, id: ListenerId) {
        let mut entries = self.lock();
        entries.all.retain(|entry| entry.id != id);
        self.count(&entries);
    }

    /// Pauses a listener or lets it go on, then with a key frame; true when something changed.
    pub(crate) fn set_playing(&self, id: ListenerId, playing: bool) -> bool {
        let mut entries = self.lock();
        let entry = entries.all.iter_mut().find(|entry| entry.id == id);
        let Some(entry) = entry.filter(|entry| entry.playing != playing) else {
            return false;
        };
        entry.playing = playing;
        entry.synced = false;
        self.count(&entries);
        true
    }

    /// How many listeners want access units.
    pub(crate) fn playing(&self) -> usize {
        self.playing.load(Ordering::Relaxed)
    }

    /// Hands one over; true when somebody needs a key frame to go on.
    pub(crate) fn on_unit(&self, unit: &Unit) -> bool {
        let mut wants_key_frame = false;
        let mut entries = self.lock();
        for entry in entries.all.iter_mut().filter(|entry| entry.playing) {
            if !entry.synced && !entry.listener.is_ready() {
                continue;
            }
            if !entry.synced && !unit.key_frame {
                wants_key_frame = true;
                continue;
            }
            let pushed = entry.listener.push(unit);
            entry.synced = pushed == Pushed::Taken;
            wants_key_frame |= pushed == Pushed::Resync;
        }
        wants_key_frame
    }

    /// Tells everybody that no more will come.
    pub(crate) fn end(&self) {
        let mut entries = self.lock();
        entries.ended = true;
        for entry in std::mem::take(&mut entries.all) {
            entry.listener.end();
        }
        self.count(&entries);
    }

    fn count(&self, entries: &Entries) {
        let playing = entries.all.iter().filter(|entry| entry.playing).count();
        self.playing.store(playing, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    use gstreamer as gst;

    use super::*;

    #[derive(Default)]
    struct Probe {
        full: AtomicBool,
        keys: AtomicUsize,
        deltas: AtomicUsize,
    }

    impl Probe {
        fn seen(&self) -> (usize, usize) {
            (
                self.keys.load(Ordering::Relaxed),
                self.deltas.load(Ordering::Relaxed),
            )
        }
    }

    impl Listener for Probe {
        fn is_ready(&self) -> bool {
            !self.full.load(Ordering::Relaxed)
        }

        fn push(&self, unit: &Unit) -> Pushed {
            if !self.is_ready() {
                return Pushed::Behind;
            }
            let count = if unit.key_frame {
                &self.keys
            } else {
                &self.deltas
            };
            count.fetch_add(1, Ordering::Relaxed);
            Pushed::Taken
        }

        fn end(&self) {}
    }

    fn unit(key_frame: bool) -> Unit {
        gst::init().unwrap();
        Unit {
            buffer: gst::Buffer::new(),
            key_frame,
            pts: gst::ClockTime::ZERO,
            captured_at: Instant::now(),
            size: vroom_desktop::Size::new(64, 64),
            packets: Arc::default(),
            payloads: OnceLock::new(),
        }
    }

    #[test]
    fn a_newcomer_gets_nothing_before_a_key_frame() {
        let fanout = Fanout::default();
        let probe = Arc::new(Probe::default());
        fanout.attach(Arc::clone(&probe) as Arc<dyn Listener>);
        assert!(fanout.on_unit(&unit(false)), "a key frame is wanted");
        assert_eq!(probe.seen(), (0, 0));
        assert!(!fanout.on_unit(&unit(true)));
        assert!(!fanout.on_unit(&unit(false)));
        assert_eq!(probe.seen(), (1, 1));
    }

    #[test]
    fn one_that_fell_behind_costs_nothing_until_it_is_ready() {
        let fanout = Fanout::default();
        let probe = Arc::new(Probe::default());
        fanout.attach(Arc::clone(&probe) as Arc<dyn Listener>);
        fanout.on_unit(&unit(true));
        probe.full.store(true, Ordering::Relaxed);
        assert!(!fanout.on_unit(&unit(false)));
        assert!(!fanout.on_unit(&unit(true)));
        probe.full.store(false, Ordering::Relaxed);
        assert!(fanout.on_unit(&unit(false)), "now it needs a key frame");
        assert_eq!(probe.seen(), (1, 0));
    }

    #[test]
    fn a_paused_listener_gets_nothing_and_goes_on_with_a_key_frame() {
        let fanout = Fanout::default();
        let probe = Arc::new(Probe::default());
        let id = fanout.attach(Arc::clone(&probe) as Arc<dyn Listener>);
        fanout.on_unit(&unit(true));
        assert!(fanout.set_playing(id, false));
        assert_eq!(fanout.playing(), 0);
        fanout.on_unit(&unit(true));
        assert!(fanout.set_playing(id, true));
        assert!(fanout.on_unit(&unit(false)));
        assert_eq!(probe.seen(), (1, 0));
        fanout.detach(id);
        assert_eq!(fanout.playing(), 0);
    }
}
