//! When a key frame is made.

use std::time::{Duration, Instant};

/// Collects requests for key frames and spaces the key frames out.
///
/// The first request is served at once. Those that come within [`KEY_FRAME_SPACING`] of a key frame
/// are served together by one at its end: ten joiners, or a browser that loses packets, cost two
/// key frames a second and not ten.
#[derive(Debug, Default)]
pub(crate) struct KeyFrames {
    wanted: bool,
    last: Option<Instant>,
    last_picture: Option<Instant>,
}

impl KeyFrames {
    /// Asks for one.
    pub(crate) fn request(&mut self) {
        self.wanted = true;
    }

    /// A receiver asks for one.
    ///
    /// Browsers ask when nothing came for three seconds, lost or not. A desktop at rest would answer
    /// with a key frame and its refinements again and again, so a request after [`REST`] without a
    /// picture counts for nothing; the closing picture lets a receiver find out what it lost.
    pub(crate) fn receiver_asks(&mut self, now: Instant) {
        let rests = |at: Instant| now.saturating_duration_since(at) >= REST;
        if !self.last_picture.is_some_and(rests) {
            self.request();
        }
    }

    /// Notes that a picture was sent.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.last_picture = Some(now);
    }

    /// When the one that was asked for may be made; `None` when none was.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let spaced = self.last.map(|last| last + KEY_FRAME_SPACING);
        self.wanted.then(|| spaced.unwrap_or(now).max(now))
    }

    /// Whether the next picture is to be a key frame.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due(now).is_some_and(|due| due <= now)
    }

    /// Notes that one was made, whoever asked.
    pub(crate) fn made(&mut self, now: Instant) {
        self.wanted = false;
        self.last = Some(now);
    }
}

/// The least time from one key frame that was asked for to the next.
pub(crate) const KEY_FRAME_SPACING: Duration = Duration::from_millis(500);

/// So long without a picture, and a receiver's request is its timer speaking and no loss.
const REST: Duration = Duration::from_millis(2500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_served_at_once() {
        let now = Instant::now();
        let mut keys = KeyFrames::default();
        assert!(!keys.is_due(now));
        keys.request();
        assert!(keys.is_due(now));
    }

    #[test]
    fn requests_after_a_key_frame_are_served_together() {
        let now = Instant::now();
        let mut keys = KeyFrames::default();
        keys.request();
        keys.made(now);
        let soon = now + Duration::from_millis(100);
        for _ in 0..10 {
            keys.request();
        }
        assert!(!keys.is_due(soon));
        let end = now + KEY_FRAME_SPACING;
        assert_eq!(keys.due(soon), Some(end));
        assert!(keys.is_due(end));
        keys.made(end);
        assert_eq!(keys.due(end), None);
    }

    #[test]
    fn a_receiver_that_only_waits_gets_no_key_frame() {
        let now = Instant::now();
        let mut keys = KeyFrames::default();
        keys.sent(now);
        keys.receiver_asks(now + Duration::from_secs(3));
        assert_eq!(keys.due(now + Duration::from_secs(3)), None);
        keys.receiver_asks(now + Duration::from_millis(200));
        assert!(
            keys.is_due(now + Duration::from_millis(200)),
            "that was a loss"
        );
    }
}
