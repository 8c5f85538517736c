//! Showing nothing between Ctrl-C and the server's answer to it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Showing nothing between Ctrl-C and the server's answer to it.
///
/// Who interrupts a flood wants it to stop now, and not after all that is on its way. So output waits
/// until the server has taken the key: then a picture of the screen comes in the place of what waits,
/// or so little waits that it is shown. A picture that comes before that is of the flood.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Whether the kernel at the other end makes signals of keys, as far as we know.
    is_canonical: bool,
    /// The input that has to be applied, and when it is enough.
    since: Option<(u64, Instant)>,
    /// Whether that has been applied.
    is_taken: bool,
}

impl Pause {
    /// Whether the terminal at the other end reads lines; programs that take keys one by one, as
    /// editors do, are not interrupted by any.
    pub(super) fn set_canonical(&mut self, is_canonical: bool) {
        self.is_canonical = is_canonical;
    }

    /// Bytes were typed, up to this offset of the input.
    pub(super) fn typed(&mut self, bytes: &[u8], end: u64) {
        if self.is_canonical && bytes.iter().any(|byte| INTERRUPTS.contains(byte)) {
            self.since = Some((end, Instant::now() + PATIENCE));
            self.is_taken = false;
        }
    }

    /// The server has applied the input up to here; so many bytes wait to be shown.
    pub(super) fn acknowledged(&mut self, offset: u64, waiting: usize) {
        let Some((_, until)) = self.since.as_mut().filter(|(end, _)| *end <= offset) else {
            return;
        };
        if !std::mem::replace(&mut self.is_taken, true) {
            *until = (*until).min(Instant::now() + PICTURE);
        }
        if waiting <= LITTLE {
            self.end();
        }
    }

    /// A picture of the screen has taken the place of what waits.
    pub(super) fn repainted(&mut self) {
        if self.is_taken {
            self.end();
        }
    }

    /// Output is shown again.
    pub(super) fn end(&mut self) {
        self.since = None;
        self.is_taken = false;
    }

    /// Whether nothing is to be shown.
    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// Waits until it is too long. Cancel-safe.
    pub(super) async fn over(&self) {
        match self.since {
            Some((_, until)) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

/// Ctrl-C and Ctrl-\.
const INTERRUPTS: [u8; 2] = [0x03, 0x1C];

/// So much is shown rather than replaced: the server does not send a picture for less.
const LITTLE: usize = 32 * 1024;

/// How long a picture may take that the server sends in the place of what waits: also one whose packet
/// was lost once.
const PICTURE: Duration = Duration::from_millis(400);

/// How long nothing is shown at most.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_waits_until_the_interrupt_was_taken() {
        let mut pause = Pause::default();
        pause.typed(b"\x03", 5);
        assert!(!pause.is_on(), "no line is being read");
        pause.set_canonical(true);
        pause.typed(b"ls", 7);
        assert!(!pause.is_on());
        pause.typed(b"\x03", 8);
        assert!(pause.is_on());
        pause.acknowledged(7, 0);
        assert!(pause.is_on(), "that was before");
        pause.repainted();
        assert!(pause.is_on(), "a picture of the flood");
        pause.acknowledged(8, LITTLE + 1);
        assert!(pause.is_on(), "a picture will come");
        pause.repainted();
        pause.typed(b"\x03", 9);
        assert!(pause.is_on());
        pause.acknowledged(9, LITTLE);
        assert!(!pause.is_on());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_does_not_keep_output_back_for_ever() {
        let mut pause = Pause::default();
        pause.set_canonical(true);
        pause.typed(b"\x03", 1);
        let began = Instant::now();
        pause.over().await;
        assert_eq!(began.elapsed(), PATIENCE);
        // One that has taken the key has a picture ready, or none is needed.
        pause.typed(b"\x03", 2);
        pause.acknowledged(2, LITTLE + 1);
        let began = Instant::now();
        pause.over().await;
        assert_eq!(began.elapsed(), PICTURE);
    }
}
