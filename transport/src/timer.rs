//! A deadline that moves often and is reached rarely.

use std::pin::Pin;
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// Wakes at a deadline or before it.
///
/// Every frame moves the deadline of the keepalive a little. So a deadline that moves away does not
/// touch the runtime's timer: it fires once at the old time, and the caller sets it again.
#[derive(Debug)]
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
    armed: Option<Instant>,
}

impl Timer {
    /// A timer that is not set.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            sleep: Box::pin(sleep_until(now.into())),
            armed: None,
        }
    }

    /// Waits at most until `deadline`; for ever without one. Cancel-safe.
    pub(crate) async fn wait(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.sleep.as_mut().reset(deadline.into());
            self.armed = Some(deadline);
        }
        self.sleep.as_mut().await;
        self.armed = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn now() -> Instant {
        tokio::time::Instant::now().into_std()
    }

    #[tokio::test(start_paused = true)]
    async fn a_nearer_deadline_counts_at_once() {
        let start = now();
        let mut timer = Timer::new(start);
        let far = Some(start + Duration::from_secs(30));
        assert!(
            timeout(Duration::from_secs(1), timer.wait(far))
                .await
                .is_err()
        );
        timer.wait(Some(start + Duration::from_secs(5))).await;
        assert_eq!(now() - start, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_moved_away_wakes_once_too_early() {
        let start = now();
        let mut timer = Timer::new(start);
        let near = Some(start + Duration::from_secs(5));
        assert!(
            timeout(Duration::from_secs(1), timer.wait(near))
                .await
                .is_err()
        );
        let far = Some(start + Duration::from_secs(30));
        timer.wait(far).await;
        assert_eq!(now() - start, Duration::from_secs(5));
        timer.wait(far).await;
        assert_eq!(now() - start, Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn no_deadline_never_wakes() {
        let mut timer = Timer::new(now());
        assert!(
            timeout(Duration::from_secs(3600), timer.wait(None))
                .await
                .is_err()
        );
    }
}
