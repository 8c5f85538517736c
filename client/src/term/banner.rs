//! The line that says that the connection is not well.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::sleep_until;

/// The line, while there is one.
#[derive(Debug, Default)]
pub(super) struct Banner {
    trouble: Option<Trouble>,
    /// Whether it was drawn over what the program shows.
    drawn: bool,
}

#[derive(Debug)]
struct Trouble {
    since: Instant,
    reason: String,
    next: Instant,
    told: bool,
}

impl Banner {
    /// Something is wrong.
    pub(super) fn show(&mut self, since: Instant, reason: &str) {
        let told = self.trouble.as_ref().is_some_and(|trouble| trouble.told);
        self.trouble = Some(Trouble {
            since,
            reason: reason.to_owned(),
            next: Instant::now() + TICK,
            told,
        });
    }

    /// All is well again.
    pub(super) fn hide(&mut self) {
        self.trouble = None;
    }

    /// What was drawn is gone from the screen.
    pub(super) fn forget(&mut self) {
        self.trouble = None;
        self.drawn = false;
    }

    /// Whether it covers what the program shows.
    pub(super) const fn is_shown(&self) -> bool {
        self.drawn
    }

    /// Completes when it is to be drawn again. Cancel-safe.
    pub(super) async fn tick(&self) {
        match &self.trouble {
            Some(trouble) => sleep_until(trouble.next.into()).await,
            None => std::future::pending().await,
        }
    }

    /// The line in words, once per trouble.
    pub(super) fn once(&mut self) -> Option<String> {
        let trouble = self.trouble.as_mut()?;
        trouble.next = Instant::now() + TICK;
        if std::mem::replace(&mut trouble.told, true) {
            return None;
        }
        Some(format!(
            "vroom: the connection is lost ({}); trying again",
            trouble.reason
        ))
    }

    /// Draws the line at the top, and leaves the cursor where it was; nothing in the first moment of
    /// trouble, which is often all of it.
    pub(super) fn draw(&mut self, now: Instant, cols: u16) -> Bytes {
        let Some(trouble) = &mut self.trouble else {
            return Bytes::new();
        };
        trouble.next = now + TICK;
        let lasted = now.saturating_duration_since(trouble.since);
        if lasted < PATIENCE {
            trouble.next = trouble.since + PATIENCE;
            return Bytes::new();
        }
        self.drawn = true;
        let text = format!(
            " vroom: nothing heard for {} s ({}). Type ~. after a newline to leave. ",
            lasted.as_secs(),
            trouble.reason
        );
        let width = usize::from(cols);
        let text: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(width)
            .collect();
        Bytes::from(format!(
            "\x1b7\x1b[?6l\x1b[1;1H\x1b[0;7m{text:<width$}\x1b[m\x1b8"
        ))
    }
}

/// How often it is drawn again.
const TICK: Duration = Duration::from_secs(1);

/// How long trouble lasts before it is shown.
const PATIENCE: Duration = Duration::from_millis(1500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_trouble_is_not_shown() {
        let mut banner = Banner::default();
        let since = Instant::now();
        banner.show(since, "no answer");
        assert_eq!(banner.draw(since, 80), Bytes::new());
        assert!(!banner.is_shown());
        let drawn = banner.draw(since + Duration::from_secs(3), 40);
        let drawn = String::from_utf8(drawn.to_vec()).unwrap();
        assert!(drawn.contains("nothing heard for 3 s"), "{drawn}");
        assert!(drawn.starts_with("\x1b7") && drawn.ends_with("\x1b8"));
        assert!(banner.is_shown());
        banner.hide();
        assert!(banner.is_shown(), "it still covers the screen");
        banner.forget();
        assert!(!banner.is_shown());
    }

    #[test]
    fn without_a_terminal_it_is_said_once() {
        let mut banner = Banner::default();
        banner.show(Instant::now(), "no answer");
        assert!(banner.once().is_some());
        banner.show(Instant::now(), "no route");
        assert!(banner.once().is_none());
    }
}
