//! wp_presentation: when what a program drew was shown.

use smithay::delegate_presentation;
use smithay::desktop::utils::OutputPresentationFeedback;
use smithay::reexports::wayland_protocols::wp::presentation_time::server::wp_presentation_feedback::Kind;
use smithay::utils::{Clock, Monotonic};
use smithay::wayland::presentation::Refresh;

use crate::state::State;

impl State {
    /// Tells programs that their last commits are seen now.
    pub(crate) fn presented(&mut self) {
        let mut feedback = OutputPresentationFeedback::new(&self.output);
        for window in self.shell.space.elements() {
            window.take_presentation_feedback(
                &mut feedback,
                |_, _| Some(self.output.clone()),
                |_, _| Kind::empty(),
            );
        }
        let now = Clock::<Monotonic>::new().now();
        let refresh = Refresh::fixed(self.clock.period());
        self.shell.ticks += 1;
        feedback.presented(now, refresh, self.shell.ticks, Kind::empty());
    }
}

delegate_presentation!(State);
