//! The person's screen: the program's output, and what is drawn over it before it is confirmed.

use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_predict::{Mode, Preference};
use vroom_predict_tty::Echo;
use vroom_protocol::terminal::{PtyMode, WindowSize};

use super::session::Session;
use crate::tty::{FRESH, Output};

/// The person's screen.
#[derive(Debug)]
pub(super) struct Screen {
    /// Set where typed characters may be shown before the server confirms them.
    echo: Option<Echo>,
    started: Instant,
}

impl Screen {
    /// A screen on which nothing is predicted.
    pub(super) fn plain() -> Self {
        Self {
            echo: None,
            started: Instant::now(),
        }
    }

    /// From now on shows what is typed before it is confirmed, where that is wanted.
    pub(super) fn predict(&mut self, size: WindowSize, preference: Preference) {
        if self.echo.is_none() && preference != Preference::Never {
            self.echo = Some(Echo::new(size.rows, size.cols, preference));
        }
    }

    /// Shows output of the program.
    pub(super) fn output(&mut self, bytes: &Bytes, session: &mut Session, output: &mut Output) {
        let now = self.now_ms();
        let shown = match &mut self.echo {
            Some(echo) => echo.output(now, bytes).into(),
            None => bytes.clone(),
        };
        session.output(bytes, shown, output);
    }

    /// Shows a picture of the whole screen in the place of what waits to be shown.
    pub(super) fn repaint(
        &mut self,
        offset: u64,
        body: &Bytes,
        session: &mut Session,
        output: &mut Output,
    ) {
        let whole: Bytes = [FRESH, body].concat().into();
        let now = self.now_ms();
        let shown = match &mut self.echo {
            Some(echo) => {
                echo.dropped();
                echo.output(now, &whole).into()
            }
            None => whole,
        };
        session.repaint(offset, body, shown, output);
    }

    /// Shows what is not of the program; output goes on where this leaves the cursor.
    pub(super) fn aside(&mut self, text: Bytes, session: &mut Session, output: &mut Output) {
        let now = self.now_ms();
        let shown = match &mut self.echo {
            Some(echo) => echo.output(now, &text).into(),
            None => text,
        };
        session.show(shown, output);
    }

    /// Tells the predictions something, and shows what follows from it.
    pub(super) fn tell(
        &mut self,
        session: &mut Session,
        output: &mut Output,
        tell: impl FnOnce(&mut Echo, u64) -> Vec<u8>,
    ) {
        let now = self.now_ms();
        if let Some(echo) = &mut self.echo {
            session.show(tell(echo, now).into(), output);
        }
    }

    /// When the predictions are to be looked at again though nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let due = self.echo.as_ref().and_then(Echo::deadline)?;
        Some(self.started + Duration::from_millis(due))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The modes of the program's terminal, as the predictions have them.
pub(super) fn mode(mode: PtyMode) -> Mode {
    Mode::from_bits(mode.bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(output: &mut Output) -> usize {
        output.discard()
    }

    #[test]
    fn without_predictions_output_passes_as_it_is() {
        let mut screen = Screen::plain();
        let mut session = Session::new().unwrap();
        let mut output = Output::nowhere();
        screen.output(&Bytes::from_static(b"abc"), &mut session, &mut output);
        screen.tell(&mut session, &mut output, |echo, now| echo.typed(now, b"x"));
        assert_eq!(queued(&mut output), 3);
        assert_eq!(screen.deadline(), None);
    }

    #[test]
    fn a_typed_character_is_shown_before_its_echo() {
        let mut screen = Screen::plain();
        let mut session = Session::new().unwrap();
        let mut output = Output::nowhere();
        screen.predict(WindowSize::new(24, 80), Preference::Always);
        let echoing = mode(PtyMode::ECHO.with(PtyMode::ICANON));
        let (s, o) = (&mut session, &mut output);
        screen.tell(s, o, |echo, _| echo.set_mode(echoing));
        screen.output(&Bytes::from_static(b"$ "), s, o);
        // The first key proves that there is an echo.
        screen.tell(s, o, |echo, now| echo.typed(now, b"a"));
        screen.output(&Bytes::from_static(b"a"), s, o);
        screen.tell(s, o, |echo, now| echo.acknowledged(now, 1));
        o.discard();
        screen.tell(s, o, |echo, now| echo.typed(now, b"b"));
        assert!(queued(o) > 0);
    }
}
