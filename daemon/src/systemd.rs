//! What systemd is told, when it asked.

use sd_notify::NotifyState;

/// Says that everything is up.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the end has begun.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
